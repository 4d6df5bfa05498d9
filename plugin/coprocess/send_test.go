package coprocess

import "github.com/grapnel-gateway/grapnel"

// wholeBody is a body that is sent whole.
func wholeBody(b []byte) content {
	return content{Share: grapnel.Share{Bytes: b, Size: int64(len(b))}}
}
