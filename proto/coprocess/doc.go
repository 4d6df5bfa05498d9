// Package coprocess is the Go form of the wire contract [W-1…W-4]: the messages,
// and client and server of the coprocess.Dispatcher service. All but this file
// is generated; the comments of the .proto files say what each field means.
package coprocess
