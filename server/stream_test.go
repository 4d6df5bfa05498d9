package server_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestEventsAtOnce has an upstream that produces each event only when the
// client says that it has the one before, the header included.
func TestEventsAtOnce(t *testing.T) {
	next := make(chan struct{})
	everyPair(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		w.(http.Flusher).Flush()
		for n := range 3 {
			<-next
			fmt.Fprintf(w, "data: %d\n\n", n)
			w.(http.Flusher).Flush()
		}
		<-next
	}, func(t *testing.T, c *http.Client, url string) {
		resp := do(t, c, request(t, t.Context(), http.MethodGet, url, nil))
		events := bufio.NewReader(resp.Body)
		for n := range 3 {
			next <- struct{}{}
			line, err := events.ReadString('\n')
			if want := fmt.Sprintf("data: %d\n", n); line != want || err != nil {
				t.Fatalf("got %q, %v; want %q", line, err, want)
			}
			events.ReadString('\n')
		}
		next <- struct{}{}
		if rest, err := io.ReadAll(events); len(rest) != 0 || err != nil {
			t.Errorf("the end: %q, %v", rest, err)
		}
	})
}

// TestSlowBodyAtOnce is the same with a length that was announced.
func TestSlowBodyAtOnce(t *testing.T) {
	next := make(chan struct{})
	everyPair(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "2")
		io.WriteString(w, "a")
		w.(http.Flusher).Flush()
		<-next
		io.WriteString(w, "b")
	}, func(t *testing.T, c *http.Client, url string) {
		resp := do(t, c, request(t, t.Context(), http.MethodGet, url, nil))
		first := make([]byte, 1)
		if _, err := io.ReadFull(resp.Body, first); err != nil || first[0] != 'a' {
			t.Fatalf("got %q, %v", first, err)
		}
		next <- struct{}{}
		if rest, err := io.ReadAll(resp.Body); string(rest) != "b" || err != nil || resp.ContentLength != 2 {
			t.Errorf("the rest: %q, %v; length %d", rest, err, resp.ContentLength)
		}
	})
}

// TestBothWaysAtOnce talks in turn over one request and its reply.
func TestBothWaysAtOnce(t *testing.T) {
	everyPair(t, func(w http.ResponseWriter, r *http.Request) {
		http.NewResponseController(w).EnableFullDuplex()
		w.(http.Flusher).Flush()
		lines := bufio.NewScanner(r.Body)
		for lines.Scan() {
			fmt.Fprintln(w, "re:", lines.Text())
			w.(http.Flusher).Flush()
		}
	}, func(t *testing.T, c *http.Client, url string) {
		body, input := io.Pipe()
		resp := do(t, c, request(t, t.Context(), http.MethodPost, url, body))
		replies := bufio.NewReader(resp.Body)
		for _, word := range []string{"one", "two", "three"} {
			fmt.Fprintln(input, word)
			if line, err := replies.ReadString('\n'); line != "re: "+word+"\n" || err != nil {
				t.Fatalf("got %q, %v", line, err)
			}
		}
		input.Close()
		if rest, err := io.ReadAll(replies); len(rest) != 0 || err != nil {
			t.Errorf("the end: %q, %v", rest, err)
		}
	})
}

func TestTrailersBothWays(t *testing.T) {
	everyPair(t, func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Trailer", "X-Announced")
		w.Header().Set("X-Te", r.Header.Get("Te"))
		io.WriteString(w, "body")
		w.(http.Flusher).Flush()
		w.Header().Set("X-Announced", r.Trailer.Get("X-Sum"))
		w.Header().Set(http.TrailerPrefix+"X-Surprise", "2")
	}, func(t *testing.T, c *http.Client, url string) {
		r := request(t, t.Context(), http.MethodPost, url, io.MultiReader(strings.NewReader("abc")))
		r.Header.Set("Te", "trailers")
		r.Trailer = http.Header{"X-Sum": {"6"}}
		resp := do(t, c, r)
		if body, err := io.ReadAll(resp.Body); string(body) != "body" || err != nil {
			t.Fatalf("got %q, %v", body, err)
		}
		if diff := cmp.Diff(http.Header{"X-Announced": {"6"}, "X-Surprise": {"2"}}, resp.Trailer); diff != "" {
			t.Error(diff)
		}
		if te := resp.Header.Get("X-Te"); te != "trailers" {
			t.Errorf("the upstream was told TE: %q", te)
		}
	})
}

// hint is an upstream that sends interim replies: two hints, and a 100 that
// nobody has asked for and that goes no further.
func hint(w http.ResponseWriter, _ *http.Request) {
	w.WriteHeader(http.StatusContinue)
	w.Header().Set("Link", "</style.css>; rel=preload")
	w.WriteHeader(http.StatusEarlyHints)
	w.Header().Set("Link", "</more.css>; rel=preload")
	w.WriteHeader(http.StatusEarlyHints)
	w.Header().Del("Link")
	w.Header().Set("X-Final", "1")
}

func TestEarlyHints(t *testing.T) {
	everyPair(t, hint, func(t *testing.T, c *http.Client, url string) {
		var hints []string
		ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
			Got1xxResponse: func(status int, h textproto.MIMEHeader) error {
				hints = append(hints, fmt.Sprint(status, " ", h.Get("Link")))
				return nil
			},
		})
		resp := do(t, c, request(t, ctx, http.MethodGet, url, nil))
		want := []string{"103 </style.css>; rel=preload", "103 </more.css>; rel=preload"}
		if diff := cmp.Diff(want, hints); diff != "" {
			t.Error(diff)
		}
		if resp.StatusCode != 200 || resp.Header.Get("X-Final") != "1" || resp.Header.Get("Link") != "" {
			t.Errorf("final reply: %d %v", resp.StatusCode, resp.Header)
		}
	})
}

func TestNoHintsForHTTP10(t *testing.T) { // RFC 9110, 15.2
	g := proxy(t, upstream(t, hint).URL)
	conn, err := net.Dial("tcp", strings.TrimPrefix(g.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, "GET / HTTP/1.0\r\n\r\n")
	if status, err := bufio.NewReader(conn).ReadString('\n'); status != "HTTP/1.0 200 OK\r\n" || err != nil {
		t.Errorf("got %q, %v", status, err)
	}
}

// TestExpectContinue speaks HTTP by hand: the client sends its body only when
// it is told to, and is told so only when the upstream wants it.
func TestExpectContinue(t *testing.T) {
	up := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/refuse" {
			w.WriteHeader(http.StatusExpectationFailed)
			return
		}
		io.Copy(w, r.Body)
	})
	g := proxy(t, up.URL)
	for _, c := range []struct {
		path string
		want []string
	}{
		{"/take", []string{"HTTP/1.1 100 Continue", "HTTP/1.1 200 OK"}},
		{"/refuse", []string{"HTTP/1.1 417 Expectation Failed"}},
	} {
		t.Run(c.path, func(t *testing.T) {
			conn, err := net.Dial("tcp", strings.TrimPrefix(g.url, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n", c.path)
			replies := textproto.NewReader(bufio.NewReader(conn))
			for _, want := range c.want {
				status, err := replies.ReadLine()
				if err != nil || status != want {
					t.Fatalf("got %q, %v; want %q", status, err, want)
				}
				if _, err := replies.ReadMIMEHeader(); err != nil {
					t.Fatal(err)
				}
				io.WriteString(conn, "abc") // for the 100; nobody reads the other
			}
		})
	}
}
