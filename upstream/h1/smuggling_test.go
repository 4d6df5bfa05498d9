package h1

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// A trick is a reply with another one behind it or inside, which a client that reads
// it in another way takes for the reply to its next request.
type trick struct {
	name, method, reply string
	body                string // what it is to this client
	refused             bool   // or it is none
}

const forged = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged"

func tricks() []trick {
	const status, forgedLength = "HTTP/1.1 200 OK\r\n", "44"
	reply := func(lines string) string { return status + lines + "\r\n" + forged }
	chunks := func(body string) string { return status + "Transfer-Encoding: chunked\r\n\r\n" + body + forged }
	return []trick{
		{"no length of a HEAD", "HEAD", reply(""), "", false},
		{"length of a HEAD", "HEAD", reply("Content-Length: " + forgedLength + "\r\n"), "", false},
		{"chunks of a HEAD", "HEAD", chunks("1\r\nx\r\n0\r\n\r\n"), "", false},
		{"204 with a length", "GET", "HTTP/1.1 204 No Content\r\nContent-Length: " + forgedLength + "\r\n\r\n" + forged, "", false},
		{"204 with chunks", "GET", "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + forged, "", false},
		{"304 with a length", "GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: " + forgedLength + "\r\n\r\n" + forged, "", false},
		{"205 with a length", "GET", "HTTP/1.1 205 Reset Content\r\nContent-Length: 1\r\n\r\nx" + forged, "x", false},
		{"100 with a body", "GET", "HTTP/1.1 100 Continue\r\nContent-Length: 1\r\n\r\nx" + forged, "", true},
		{"103 with chunks", "GET", "HTTP/1.1 103 Early Hints\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + forged, "", true},
		{"length 0", "GET", reply("Content-Length: 0\r\n"), "", false},
		{"length with zeros", "GET", status + "Content-Length: 0001\r\n\r\nx" + forged, "x", false},
		{"length with a space", "GET", reply("Content-Length: 4 4\r\n"), "", true},
		{"length as hexadecimal", "GET", reply("Content-Length: 0x2c\r\n"), "", true},
		{"length below zero", "GET", reply("Content-Length: -44\r\n"), "", true},
		{"length with an underscore", "GET", reply("Content-Length: 4_4\r\n"), "", true},
		{"length of 2^64+44", "GET", reply("Content-Length: 18446744073709551660\r\n"), "", true},
		{"length behind NUL", "GET", reply("X: \x00\r\nContent-Length: " + forgedLength + "\r\n"), "", true},
		{"lengths, one empty", "GET", reply("Content-Length: 0\r\nContent-Length:\r\n"), "", true},
		{"length, vertical tab", "GET", reply("Content-Length: \v44\r\n"), "", true},
		{"length and chunks", "GET", status + "Content-Length: " + forgedLength + "\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + forged, "", false},
		{"chunks and length", "GET", status + "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n1\r\nx\r\n0\r\n\r\n" + forged, "x", false},
		{"encoding, tab before the colon", "GET", reply("Content-Length: 0\r\nTransfer-Encoding\t: chunked\r\n"), "", true},
		{"encoding: xchunked", "GET", reply("Content-Length: 0\r\nTransfer-Encoding: xchunked\r\n"), "", true},
		{"encoding: chunked, identity", "GET", reply("Content-Length: 0\r\nTransfer-Encoding: chunked, identity\r\n"), "", true},
		{"encoding: identity", "GET", reply("Content-Length: 0\r\nTransfer-Encoding: identity\r\n"), "", true},
		{"encoding, empty", "GET", reply("Content-Length: 0\r\nTransfer-Encoding:\r\n"), "", true},
		{"encoding, quoted", "GET", reply("Content-Length: 0\r\nTransfer-Encoding: \"chunked\"\r\n"), "", true},
		{"encoding behind CR", "GET", reply("Content-Length: 0\r\nX: y\rTransfer-Encoding: chunked\r\n"), "", true},
		{"chunk of 2^64", "GET", chunks("10000000000000000\r\n\r\n"), "", true},
		{"chunk with 0x", "GET", chunks("0x1\r\nx\r\n0\r\n\r\n"), "", true},
		{"chunk below zero", "GET", chunks("-1\r\nx\r\n0\r\n\r\n"), "", true},
		{"chunk behind a space", "GET", chunks(" 1\r\nx\r\n0\r\n\r\n"), "", true},
		{"chunk with an underscore", "GET", chunks("0_1\r\nx\r\n0\r\n\r\n"), "", true},
		{"chunk, LF in an extension", "GET", chunks("1;a\nx\r\n0\r\n\r\n"), "", true},
		{"chunk, long extension", "GET", chunks("1;" + strings.Repeat("a", 8<<10) + "\r\nx\r\n0\r\n\r\n"), "", true},
		{"chunk with another end", "GET", chunks("1\r\nxXX0\r\n\r\n"), "x", true},
		{"last chunk with more", "GET", chunks("0\r\nXX"), "", true},
		{"last chunk, LF alone", "GET", chunks("0\n\r\n"), "", true},
		{"trailer with a space", "GET", chunks("0\r\nX : y\r\n\r\n"), "", true},
		{"trailer without a colon", "GET", chunks("0\r\nX\r\n\r\n"), "", true},
	}
}

// TestTricks: the reply is what it is here or refused, with its body, and the next
// request gets a reply of its own.
func TestTricks(t *testing.T) {
	for _, c := range tricks() {
		t.Run(c.name, func(t *testing.T) {
			u := speaks(t, func(n int, conn net.Conn, br *bufio.Reader) {
				for {
					if _, err := http.ReadRequest(br); err != nil {
						return
					}
					if n > 0 {
						io.WriteString(conn, ok)
					} else {
						io.WriteString(conn, c.reply)
					}
				}
			})
			tr := newTransport(t)
			resp, err := tr.RoundTrip(request(t, c.method, u.url, nil))
			if err == nil {
				var body []byte
				body, err = io.ReadAll(resp.Body)
				resp.Body.Close()
				if string(body) != c.body {
					t.Errorf("body %q", body)
				}
			}
			if (err != nil) != c.refused {
				t.Errorf("refused: %v", err)
			}
			if got := read(t, do(t, tr, get(t, u.url))); got != "ok" || u.conns.Load() != 2 {
				t.Errorf("the next exchange got %q, over connection %d", got, u.conns.Load())
			}
		})
	}
}
