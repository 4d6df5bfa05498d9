package server

import (
	"maps"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"sync"
)

// An informational passes the interim replies of an upstream (103 Early Hints
// and the like) to the client as they come. 100 Continue is not among them: the
// client gets one when its body is first read.
type informational struct {
	trace httptrace.ClientTrace
	w     http.ResponseWriter
	mu    sync.Mutex
	over  bool // the client gets no more of them
}

// forwardInformational makes the copy of a request with which an upstream's
// interim replies reach the client, unless that speaks HTTP/1.0 and knows none
// [RFC 9110, 15.2]. The caller must call stop before it writes the final reply.
func forwardInformational(w http.ResponseWriter, r *http.Request) (_ *http.Request, stop func()) {
	i := &informational{w: w, over: !r.ProtoAtLeast(1, 1)}
	i.trace.Got1xxResponse = i.forward
	return r.WithContext(httptrace.WithClientTrace(r.Context(), &i.trace)), i.stop
}

// forward may be called after the round trip has failed, and while the gateway
// answers in the upstream's place.
func (i *informational) forward(status int, header textproto.MIMEHeader) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.over || status == http.StatusContinue {
		return nil
	}
	h := i.w.Header()
	final := maps.Clone(h)
	maps.Copy(h, http.Header(header))
	i.w.WriteHeader(status)
	clear(h)
	maps.Copy(h, final)
	return nil
}

func (i *informational) stop() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.over = true
}
