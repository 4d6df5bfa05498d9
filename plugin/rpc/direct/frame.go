package direct

import (
	"encoding/binary"
	"fmt"
)

// The types of frames [RFC 9113, 6].
const (
	frameData         = 0x0
	frameHeaders      = 0x1
	framePriority     = 0x2
	frameReset        = 0x3
	frameSettings     = 0x4
	framePushPromise  = 0x5
	framePing         = 0x6
	frameGoAway       = 0x7
	frameWindowUpdate = 0x8
	frameContinuation = 0x9
)

// The flags of frames.
const (
	flagAck        = 0x1
	flagEndStream  = 0x1
	flagEndHeaders = 0x4
	flagPadded     = 0x8
	flagPriority   = 0x20
)

// The settings [RFC 9113, 6.5.2].
const (
	settingHeaderTableSize   = 0x1
	settingEnablePush        = 0x2
	settingMaxStreams        = 0x3
	settingInitialWindowSize = 0x4
	settingMaxFrameSize      = 0x5
	settingMaxHeaderListSize = 0x6
)

// An errorCode says why a stream or a connection ends [RFC 9113, 7].
type errorCode uint32

const (
	errProtocol        errorCode = 0x1
	errFlowControl     errorCode = 0x3
	errFrameSize       errorCode = 0x6
	errRefusedStream   errorCode = 0x7
	errCancel          errorCode = 0x8
	errCompression     errorCode = 0x9
	errEnhanceYourCalm errorCode = 0xb
	errInadequate      errorCode = 0xc
)

// String returns the name that the standard gives the code.
func (c errorCode) String() string {
	names := [...]string{
		"NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR", "SETTINGS_TIMEOUT", "STREAM_CLOSED", "FRAME_SIZE_ERROR",
		"REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR", "CONNECT_ERROR", "ENHANCE_YOUR_CALM", "INADEQUATE_SECURITY", "HTTP_1_1_REQUIRED",
	}
	if int(c) < len(names) {
		return names[c]
	}
	return fmt.Sprintf("error %#x", uint32(c))
}

// A fault is a breach of the protocol by the server; it ends the connection.
type fault struct {
	code errorCode
	text string
}

// Error tells the breach.
func (f *fault) Error() string { return f.code.String() + ": " + f.text }

func faulty(code errorCode, format string, args ...any) error {
	return &fault{code, fmt.Sprintf(format, args...)}
}

// The sizes of frames and windows.
const (
	frameHeader    = 9
	minFrameSize   = 16 << 10 // what everyone takes, and all that is taken here
	maxFrameSize   = 1<<24 - 1
	maxWindow      = 1<<31 - 1
	maxStreamID    = 1<<31 - 1
	firstWindow    = 1<<16 - 1 // of a connection, and of streams until a setting says otherwise
	messagePrefix  = 5         // a flag and a length before each message of gRPC
	clientPreface  = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
	unlimited      = 1<<31 - 1
	settingLength  = 6
	pingLength     = 8
	priorityLength = 5
)

// A header is how a frame begins.
type header struct {
	length int
	kind   byte
	flags  byte
	stream uint32
}

func parseHeader(b []byte) header {
	return header{
		length: int(b[0])<<16 | int(b[1])<<8 | int(b[2]),
		kind:   b[3], flags: b[4],
		stream: binary.BigEndian.Uint32(b[5:]) & maxStreamID,
	}
}

func (h header) has(flag byte) bool { return h.flags&flag != 0 }

// unpadded takes the padding off the content of a frame.
func (h header) unpadded(content []byte) ([]byte, error) {
	if !h.has(flagPadded) {
		return content, nil
	}
	if len(content) == 0 || int(content[0]) >= len(content) {
		return nil, faulty(errProtocol, "padding is longer than its frame")
	}
	return content[1 : len(content)-int(content[0])], nil
}

func appendHeader(b []byte, length int, kind, flags byte, stream uint32) []byte {
	return append(b, byte(length>>16), byte(length>>8), byte(length), kind, flags,
		byte(stream>>24), byte(stream>>16), byte(stream>>8), byte(stream))
}

func appendReset(b []byte, stream uint32, code errorCode) []byte {
	return binary.BigEndian.AppendUint32(appendHeader(b, 4, frameReset, 0, stream), uint32(code))
}

func appendWindowUpdate(b []byte, stream uint32, n int) []byte {
	return binary.BigEndian.AppendUint32(appendHeader(b, 4, frameWindowUpdate, 0, stream), uint32(n))
}

func appendPing(b []byte, flags byte, data []byte) []byte {
	return append(appendHeader(b, pingLength, framePing, flags, 0), data...)
}

func appendGoAway(b []byte, code errorCode) []byte {
	b = appendHeader(b, 8, frameGoAway, 0, 0)
	return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(b, 0), uint32(code))
}

func appendSetting(b []byte, id uint16, value uint32) []byte {
	return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint16(b, id), value)
}
