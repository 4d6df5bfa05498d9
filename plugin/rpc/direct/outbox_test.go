package direct

import "testing"

// A server is cut off for the answers that it asks for and does not read, and not
// for the message that it is being sent.
func TestAnswersBehindAMessage(t *testing.T) {
	r := &reader{conn: &conn{}}
	r.out.writing = true // somebody is at it, and the socket is full
	r.out.queue = make([]byte, 2*brokenQueue)
	ping := func() error { return r.ping(header{length: pingLength}, make([]byte, pingLength)) }
	if err := ping(); err != nil {
		t.Fatalf("one ping behind a large message: %v", err)
	}
	for range brokenQueue / frameHeader {
		if ping() != nil {
			return
		}
	}
	t.Error("a server may ask for answers without end")
}
