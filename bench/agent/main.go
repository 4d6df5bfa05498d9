// Command agent is for HAProxy and nginx what the plugin server is for the
// gateway: a process that is asked about every request and sets one header. To
// HAProxy it speaks SPOP 2.0, to nginx the HTTP of auth_request.
package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"flag"
	"io"
	"log"
	"net"
	"net/http"
	"runtime/debug"
)

func main() {
	spop := flag.String("spop", "127.0.0.1:5600", "the `address` for HAProxy")
	auth := flag.String("http", "127.0.0.1:5601", "the `address` for nginx")
	flag.Parse()
	// As in ../plugin, answers are not to wait for the collector.
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(512 << 20)
	go func() {
		log.Fatal(http.ListenAndServe(*auth, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Plugin", "yes")
		})))
	}()
	l, err := net.Listen("tcp", *spop)
	if err != nil {
		log.Fatal(err)
	}
	for {
		c, err := l.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go func() {
			defer c.Close()
			if err := converse(c); err != nil && !errors.Is(err, io.EOF) {
				log.Print(err)
			}
		}()
	}
}

// The frames that are spoken here, and the largest one that is accepted.
const (
	hello, disconnect, notify = 1, 2, 3
	agentHello, ack           = 101, 103

	maxFrame = 16 << 10
)

// converse answers the frames of one connection. Frames are pipelined: what
// has arrived is answered before anything is sent.
func converse(c io.ReadWriter) error {
	r, w := bufio.NewReaderSize(c, 4*maxFrame), bufio.NewWriterSize(c, 4*maxFrame)
	answer := setVariable("plugin", "yes")
	var size [4]byte
	buffer := make([]byte, maxFrame)
	for {
		if _, err := io.ReadFull(r, size[:]); err != nil {
			return err
		}
		n := binary.BigEndian.Uint32(size[:])
		if n < 7 || n > maxFrame {
			return errors.New("SPOP: a frame of an impossible size")
		}
		frame := buffer[:n]
		if _, err := io.ReadFull(r, frame); err != nil {
			return err
		}
		ids := frame[5:] // after type and flags
		stream, used := readVarint(ids)
		id, _ := readVarint(ids[used:])
		switch frame[0] {
		case hello:
			w.Write(makeFrame(agentHello, 0, 0, greeting()))
		case notify:
			w.Write(makeFrame(ack, stream, id, answer))
		case disconnect:
			return nil
		}
		if r.Buffered() == 0 {
			if err := w.Flush(); err != nil {
				return err
			}
		}
	}
}

// The types of typed data.
const (
	typeUint32 = 3
	typeString = 8
)

// greeting is the payload of AGENT-HELLO.
func greeting() []byte {
	b := appendString(nil, "version")
	b = appendString(append(b, typeString), "2.0")
	b = appendString(b, "max-frame-size")
	b = appendVarint(append(b, typeUint32), maxFrame-4)
	b = appendString(b, "capabilities")
	return appendString(append(b, typeString), "pipelining")
}

// setVariable is the payload of an ACK with one action: set a variable of the
// transaction.
func setVariable(name, value string) []byte {
	const action, arguments, transaction = 1, 3, 2
	b := appendString([]byte{action, arguments, transaction}, name)
	return appendString(append(b, typeString), value)
}

// makeFrame puts a payload into a frame that is the last of its message.
func makeFrame(kind byte, stream, id uint64, payload []byte) []byte {
	b := make([]byte, 4, 32+len(payload))
	b = append(b, kind, 0, 0, 0, 1)
	b = appendVarint(appendVarint(b, stream), id)
	b = append(b, payload...)
	binary.BigEndian.PutUint32(b, uint32(len(b)-4))
	return b
}

func appendString(b []byte, s string) []byte {
	return append(appendVarint(b, uint64(len(s))), s...)
}

// appendVarint writes an integer as SPOP does: four bits in a first byte of
// 240 and more, seven in each byte after it.
func appendVarint(b []byte, v uint64) []byte {
	if v < 240 {
		return append(b, byte(v))
	}
	b = append(b, byte(v)|240)
	for v = (v - 240) >> 4; v >= 128; v = (v - 128) >> 7 {
		b = append(b, byte(v)|128)
	}
	return append(b, byte(v))
}

// readVarint returns an integer and how many bytes it took; what is cut short
// reads as if zeros followed.
func readVarint(b []byte) (v uint64, n int) {
	if len(b) == 0 {
		return 0, 0
	}
	v = uint64(b[0])
	if v < 240 {
		return v, 1
	}
	for n, shift := 1, 4; n < len(b) && shift < 64; n, shift = n+1, shift+7 {
		v += uint64(b[n]) << shift
		if b[n] < 128 {
			return v, n + 1
		}
	}
	return v, len(b)
}
