package parity

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// A recorded is one case of cases.json.
type recorded struct {
	ID         string          `json:"id"`
	Definition json.RawMessage `json:"definition"`
	Steps      []step          `json:"steps"`
}

// A step is one request and what came of it.
type step struct {
	Method  string   `json:"method"`
	Path    string   `json:"path"`
	Headers []string `json:"headers"`
	Body    []byte   `json:"body"` // nil is none
	Chunked bool     `json:"chunked"`
	Sleep   int      `json:"sleep_before_ms"`
	Want    outcome  `json:"want"`
}

// An outcome is the reply, what the upstream saw and what the plugin received.
type outcome struct {
	Status   int               `json:"status"`
	Headers  http.Header       `json:"headers"`
	Body     []byte            `json:"body"`
	Upstream *view             `json:"upstream"`
	Objects  []json.RawMessage `json:"objects"`
}

// recordedUpstream is where the upstream listened in the recording.
const recordedUpstream = "127.0.0.1:9101"

// load reads the cases, with the upstream at its address of today.
func load(t *testing.T, upstream string) []recorded {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "cases.json"))
	if err != nil {
		t.Fatal(err)
	}
	var cases []recorded
	if err := json.Unmarshal(bytes.ReplaceAll(b, []byte(recordedUpstream), []byte(upstream)), &cases); err != nil {
		t.Fatal(err)
	}
	return cases
}

// send sends the step's request over a connection of its own, byte by byte as
// the recording did.
func (s step) send(addr, id string) (*http.Response, []byte, error) {
	time.Sleep(time.Duration(s.Sleep) * time.Millisecond) // part of the recording
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, nil, err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := conn.Write(s.wire(id)); err != nil {
		return nil, nil, err
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: s.Method})
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = fmt.Errorf("the gateway dropped the connection: %w", err)
	}
	if err != nil {
		return nil, nil, err
	}
	body, err := io.ReadAll(resp.Body)
	return resp, body, err
}

// wire is the request in wire form.
func (s step) wire(id string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: gateway.test:8080\r\nUser-Agent: parity\r\nConnection: close\r\nX-Case: %s\r\n", s.Method, s.Path, id)
	for _, h := range s.Headers {
		b.WriteString(h + "\r\n")
	}
	switch {
	case s.Chunked:
		fmt.Fprintf(&b, "Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(s.Body), s.Body)
	case s.Body != nil:
		fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n%s", len(s.Body), s.Body)
	default:
		b.WriteString("\r\n")
	}
	return b.Bytes()
}
