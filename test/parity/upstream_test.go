package parity

import (
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// A view is a request as the upstream saw it.
type view struct {
	Body    string      `json:"body"`
	Headers http.Header `json:"headers"`
	Host    string      `json:"host"`
	Length  int64       `json:"length"`
	Method  string      `json:"method"`
	URI     string      `json:"uri"`
}

// An upstream answers as the recording's did, and remembers what it saw and
// the last echo that it sent.
type upstream struct {
	*httptest.Server

	mu   sync.Mutex
	seen []view
	echo []byte
}

func newUpstream(t *testing.T) *upstream {
	u := &upstream{}
	u.Server = httptest.NewServer(http.HandlerFunc(u.serve))
	t.Cleanup(u.Close)
	return u
}

// addr is the upstream's host:port.
func (u *upstream) addr() string { return u.Listener.Addr().String() }

// take returns what was seen since the last take, and the last echo that was
// sent.
func (u *upstream) take() ([]view, []byte) {
	u.mu.Lock()
	defer u.mu.Unlock()
	seen, echo := u.seen, u.echo
	u.seen, u.echo = nil, nil
	return seen, echo
}

func (u *upstream) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	v := view{string(body), r.Header, r.Host, r.ContentLength, r.Method, r.RequestURI}
	echo, err := json.Marshal(v)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	u.mu.Lock()
	u.seen = append(u.seen, v)
	u.mu.Unlock()
	u.answer(w, r.URL.Path, echo)
}

func (u *upstream) answer(w http.ResponseWriter, path string, echo []byte) {
	h := w.Header()
	if _, code, ok := strings.Cut(path, "/status/"); ok {
		n, err := strconv.Atoi(code)
		if err != nil {
			n = http.StatusBadRequest
		}
		h.Set("X-Up", "1")
		w.WriteHeader(n)
		if n != http.StatusNoContent && n != http.StatusNotModified {
			io.WriteString(w, "status "+code)
		}
		return
	}
	switch path[strings.LastIndexByte(path, '/')+1:] {
	case "multi":
		h["Set-Cookie"] = []string{"a=1; Path=/", "b=2; Path=/"}
		h["X-Multi"] = []string{"one", "two"}
		h.Set("Content-Type", "text/plain")
		io.WriteString(w, "multi")
	case "gzip":
		h.Set("Content-Type", "text/plain")
		h.Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		io.WriteString(z, "zipped")
		z.Close()
	case "binary":
		h.Set("Content-Type", "application/octet-stream")
		w.Write([]byte{0xff, 0xfe, 0, 1, 2})
	default:
		u.mu.Lock()
		u.echo = echo
		u.mu.Unlock()
		h.Set("Content-Type", "application/json")
		h.Set("X-Up", "1")
		w.Write(echo)
	}
}
