package h1_test

import (
	"net/http"
	"strings"
	"testing"
)

// An attempt is what somebody sends who wants one server to see a request where
// another sees a part of one: the request that must not be seen asks for /smuggled.
type attempt struct {
	name string
	sent string
	want string // the statuses of the replies
}

const (
	hidden = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
	inside = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 35\r\n" // as long as hidden
)

// post is a request with these further lines and this body, in which another request
// may be hidden.
func post(lines, body string) string {
	return "POST / HTTP/1.1\r\nHost: a\r\n" + lines + "\r\n" + body
}

// chunks is a request with such a body in chunks.
func chunks(body string) string { return post("Transfer-Encoding: chunked\r\n", body) }

func attempts() (all []attempt) {
	for _, some := range [][]attempt{lengths(), encodings(), chunked(), trailers(), lines(), targets(), expectations()} {
		all = append(all, some...)
	}
	return all
}

func lengths() []attempt {
	return []attempt{
		{"length twice, another", post("Content-Length: 0\r\nContent-Length: 35\r\n", hidden), "400"},
		{"length twice, the same", post("Content-Length: 35\r\nContent-Length: 35\r\n", hidden), "200"},
		{"length in a list, the same", post("Content-Length: 35, 35\r\n", hidden), "400"},
		{"length in a list, another", post("Content-Length: 0, 35\r\n", hidden), "400"},
		{"length with a sign", post("Content-Length: +35\r\n", hidden), "400"},
		{"length below zero", post("Content-Length: -35\r\n", hidden), "400"},
		{"length minus zero", post("Content-Length: -0\r\n", hidden), "400"},
		{"length with zeros", post("Content-Length: 00035\r\n", hidden), "200"},
		{"length with a space in it", post("Content-Length: 3 5\r\n", hidden), "400"},
		{"length between spaces", post("Content-Length: \t 35 \t\r\n", hidden), "200"},
		{"length with an underscore", post("Content-Length: 3_5\r\n", hidden), "400"},
		{"length with a point", post("Content-Length: 35.0\r\n", hidden), "400"},
		{"length as hexadecimal", post("Content-Length: 0x23\r\n", hidden), "400"},
		{"length in other digits", post("Content-Length: \u0663\u0665\r\n", hidden), "400"},
		{"length, empty", post("Content-Length:\r\n", hidden), "400"},
		{"length, empty and not", post("Content-Length:\r\nContent-Length: 35\r\n", hidden), "400"},
		{"length, 2^64+35", post("Content-Length: 18446744073709551651\r\n", hidden), "400"},
		{"length, 2^63", post("Content-Length: 9223372036854775808\r\n", hidden), "400"},
		{"length, vertical tab", post("Content-Length: \v35\r\n", hidden), "400"},
		{"length of a GET", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 35\r\n\r\n" + hidden, "200"},
		{"length of a TRACE", "TRACE / HTTP/1.1\r\nHost: a\r\nContent-Length: 35\r\n\r\n" + hidden, "200"},
	}
}

func encodings() []attempt {
	const zero = "0\r\n\r\n"
	return []attempt{
		// The encoding counts. net/http goes on after it, where [RFC 9112, 6.1] wants
		// the connection closed.
		{"CL.TE", post("Content-Length: 36\r\nTransfer-Encoding: chunked\r\n", zero+"GET /next HTTP/1.1\r\nHost: a\r\n\r\n"), "200 200"},
		{"TE.CL", post("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", "23\r\n"+hidden+"\r\n"+zero), "200"},
		{"TE twice", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", zero), "501"},
		{"TE twice, one unknown", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n", zero), "501"},
		{"TE in a list", post("Transfer-Encoding: identity, chunked\r\n", zero), "501"},
		{"TE unknown", post("Transfer-Encoding: xchunked\r\n", zero), "501"},
		{"TE identity", inside + "Transfer-Encoding: identity\r\n\r\n" + hidden, "501"},
		{"TE empty", inside + "Transfer-Encoding:\r\n\r\n" + hidden, "501"},
		{"TE, vertical tab", inside + "Transfer-Encoding: \vchunked\r\n\r\n" + hidden, "400"},
		{"TE, tab", inside + "Transfer-Encoding:\tchunked\r\n\r\n" + hidden, "200"},
		{"TE, space before the colon", inside + "Transfer-Encoding : chunked\r\n\r\n" + hidden, "400"},
		{"TE, tab before the colon", inside + "Transfer-Encoding\t: chunked\r\n\r\n" + hidden, "400"},
		{"TE, space before the name", inside + " Transfer-Encoding: chunked\r\n\r\n" + hidden, "400"},
		{"TE in a continued line", inside + "Transfer-Encoding:\r\n chunked\r\n\r\n" + hidden, "200"},
		{"TE behind a line that goes on", inside + "X: y\r\n\tTransfer-Encoding: chunked\r\n\r\n" + hidden, "200"},
		{"TE behind LF alone", inside + "X: y\nTransfer-Encoding: chunked\r\n\r\n" + hidden, "200"},
		{"TE behind CR alone", inside + "X: y\rTransfer-Encoding: chunked\r\n\r\n" + hidden, "400"},
		{"TE, quoted", inside + "Transfer-Encoding: \"chunked\"\r\n\r\n" + hidden, "501"},
		{"TE, CR at the end", inside + "Transfer-Encoding: chunked\r\r\n\r\n" + hidden, "400"},
		{"TE, NUL", inside + "Transfer-Encoding: chunked\x00\r\n\r\n" + hidden, "400"},
		{"TE, name in other case", inside + "tRANSFER-eNCODING: chunked\r\n\r\n" + hidden, "200"},
		{"TE, name with an underscore", inside + "Transfer_Encoding: chunked\r\n\r\n" + hidden, "200"},
		{"TE in HTTP/1.0", "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + zero + hidden, "200"},
		{"TE in HTTP/1.0 that stays", "POST / HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n" + zero + hidden, "200 400"},
		{"TE and CL in HTTP/1.0", "POST / HTTP/1.0\r\nContent-Length: 35\r\nTransfer-Encoding: chunked\r\n\r\n" + hidden, "200"},
	}
}

func chunked() []attempt {
	whole := "23\r\n" + hidden + "\r\n0\r\n\r\n"
	return []attempt{
		{"chunk", chunks(whole), "200"},
		{"chunk with zeros", chunks("00" + whole), "200"},
		{"chunk of 2^64+0", chunks("10000000000000000\r\n\r\n" + hidden), "200"},
		{"chunk of 2^63", chunks("8000000000000000\r\n" + hidden), "200"},
		{"chunk with a sign", chunks("+" + whole), "200"},
		{"chunk below zero", chunks("-" + whole), "200"},
		{"chunk with 0x", chunks("0x" + whole), "200"},
		{"chunk behind a space", chunks(" " + whole), "200"},
		{"chunk before a space", chunks("23 \r\n" + hidden + "\r\n0\r\n\r\n"), "200"},
		{"chunk with an underscore", chunks("2_3\r\n" + hidden + "\r\n0\r\n\r\n"), "200"},
		{"chunk without a size", chunks("\r\n" + hidden), "200"},
		{"chunk with an extension", chunks("23;a=b\r\n" + hidden + "\r\n0;c\r\n\r\n"), "200"},
		{"chunk, LF in the extension", chunks("23;a=\nb\r\n" + hidden + "\r\n0\r\n\r\n"), "200"},
		{"chunk, CR in the extension", chunks("23;a=\rb\r\n" + hidden + "\r\n0\r\n\r\n"), "200"},
		{"chunk, extension too long", chunks("23;" + strings.Repeat("a", 8<<10) + "\r\n" + hidden + "\r\n0\r\n\r\n"), "200"},
		{"chunks that are all extensions", chunks(strings.Repeat("1;"+strings.Repeat("a", 3<<10)+"\r\nx\r\n", 20) + "0\r\n\r\n"), "200"},
		{"chunk, LF alone", chunks("23\n" + hidden + "\n0\n\n"), "200"},
		{"chunk longer than it says", chunks("1\r\n" + hidden + "\r\n0\r\n\r\n"), "200"},
		{"chunk without its end", chunks("23\r\n" + hidden + "0\r\n\r\n"), "200"},
		{"chunk that ends with LF", chunks("23\r\n" + hidden + "\n0\r\n\r\n"), "200"},
		{"last chunk, LF alone", chunks("0\n\r\n" + hidden), "200"},
		{"last chunk, two bytes more", chunks("0\r\nXX" + hidden), "200"},
		{"no last chunk", chunks("1\r\nx\r\n"), "200"},
	}
}

// trailers that would be framing, or another host.
func trailers() (all []attempt) {
	for _, line := range []string{"Content-Length: 35", "Transfer-Encoding: chunked", "Host: b", "Trailer: X", "X : y", " X: y", "X", "X: \x00", "X: y\n Z: z", "X: y"} {
		all = append(all, attempt{"trailer " + line, chunks("0\r\n" + line + "\r\n\r\n"), "200"})
	}
	for name, want := range map[string]string{"Content-Length": "400", "Transfer-Encoding": "400", "Trailer": "400", "Host": "200", "X-A": "200"} {
		all = append(all, attempt{"announced " + name, post("Trailer: "+name+"\r\nTransfer-Encoding: chunked\r\n", "0\r\n"+name+": 1\r\n\r\n"), want})
	}
	return all
}

func lines() []attempt {
	get := func(lines string) string { return "GET / HTTP/1.1\r\n" + lines + "\r\n\r\n" }
	return []attempt{
		{"host missing", get("X: y"), "400"},
		{"host empty", get("Host:"), "200"},
		{"host twice, the same", get("Host: a\r\nHost: a"), "400"},
		{"host twice, another", get("Host: a\r\nhOST: b"), "400"},
		{"host and one that is hidden", get("Host: a\r\nHost : b"), "400"},
		{"host continued", get("Host: a\r\n b"), "400"},
		{"host with a path", get("Host: a/b"), "400"},
		{"host with a user", get("Host: b@a"), "400"},
		{"host with a list", get("Host: a, b"), "400"},
		{"host with a comma", get("Host: a,b"), "200"},
		{"host with another port", get("Host: a:x"), "200"},
		{"host between spaces", get("Host: \t a \t"), "200"},
		{"host with NUL", get("Host: a\x00"), "400"},
		{"host behind LF alone", get("X: y\nHost: a"), "200"},
		{"line that goes on", get("Host: a\r\nX: y\r\n z"), "200"},
		{"line that goes on, empty", get("Host: a\r\nX: y\r\n \r\nZ: z"), "200"},
		{"first line that goes on", get(" Host: b\r\nHost: a"), "400"},
		{"name, empty", get("Host: a\r\n: y"), "400"},
		{"name with a space", get("Host: a\r\nX Y: z"), "400"},
		{"name with NUL", get("Host: a\r\nX\x00: z"), "400"},
		{"name with a brace", get("Host: a\r\nX{}: z"), "400"},
		{"name of other letters", get("Host: a\r\n\u212aeep: z"), "400"},
		{"no colon", get("Host: a\r\nX"), "400"},
		{"value with CR", get("Host: a\r\nX: y\rz"), "400"},
		{"value with NUL", get("Host: a\r\nX: \x00"), "400"},
		{"value with DEL", get("Host: a\r\nX: \x7f"), "400"},
		{"value with a control", get("Host: a\r\nX: \x1b"), "400"},
		{"value with other bytes", get("Host: a\r\nX: \xff\x80"), "200"},
		{"many lines", get("Host: a" + strings.Repeat("\r\nX: y", 500)), "200"},
		{"too many lines", get("Host: a" + strings.Repeat("\r\nX-Long-Name: with a value", 60000)), "431"},
		{"upgrade with a body", inside + "Connection: upgrade\r\nUpgrade: websocket\r\n\r\n" + hidden, "200"},
		{"upgrade to h2c with a body", inside + "Connection: upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n" + hidden, "200"},
		{"connection close, and more", "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" + hidden, "200"},
		{"connection close in a list, and more", "GET / HTTP/1.1\r\nHost: a\r\nConnection: x,close\r\n\r\n" + hidden, "200"},
	}
}

func targets() []attempt {
	line := func(line string) string { return line + "\r\nHost: a\r\n\r\n" }
	return []attempt{
		{"whole URL of another host", line("GET http://b/ HTTP/1.1"), "200"},
		{"whole URL without a host", line("GET http:///x HTTP/1.1"), "200"},
		{"whole URL with a user", line("GET http://u:p@b/ HTTP/1.1"), "200"},
		{"whole URL, Host missing", "GET http://b/ HTTP/1.1\r\n\r\n", "400"},
		{"path with two slashes", line("GET //b/ HTTP/1.1"), "200"},
		{"path without a slash", line("GET b HTTP/1.1"), "400"},
		{"no path", line("GET  HTTP/1.1"), "400"},
		{"fragment", line("GET /#/x HTTP/1.1"), "200"},
		{"space in the path", line("GET /a b HTTP/1.1"), "400"},
		{"tab in the path", line("GET /a\tb HTTP/1.1"), "400"},
		{"NUL in the path", line("GET /\x00 HTTP/1.1"), "400"},
		{"CR in the path", line("GET /\rx HTTP/1.1"), "400"},
		{"two spaces", line("GET  / HTTP/1.1"), "400"},
		{"tabs for spaces", line("GET\t/\tHTTP/1.1"), "400"},
		{"space at the end", line("GET / HTTP/1.1 "), "400"},
		{"space at the beginning", line(" GET / HTTP/1.1"), "400"},
		{"empty lines before", "\r\n\r\n" + line("GET / HTTP/1.1"), "400"},
		{"LF before", "\n" + line("GET / HTTP/1.1"), "400"},
		{"method in other case", line("get / HTTP/1.1"), "200"},
		{"method with a colon", line("GE:T / HTTP/1.1"), "400"},
		{"version in other case", line("GET / http/1.1"), "400"},
		{"version with more digits", line("GET / HTTP/1.10"), "400"},
		{"version with zeros", line("GET / HTTP/01.1"), "400"},
		{"version 1.2", line("GET / HTTP/1.2"), "200"},
		{"version 2", line("GET / HTTP/2.0"), "505"},
		{"version 0.9", "GET /\r\n" + hidden, "400"},
		{"no version", line("GET / "), "400"},
		{"asterisk", line("GET * HTTP/1.1"), "200"},
		{"CONNECT with a body", "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\nContent-Length: 35\r\n\r\n" + hidden, "200"},
	}
}

// expectations: the body of such a request comes, or it does not.
func expectations() []attempt {
	return []attempt{
		{"expected body", inside + "Expect: 100-continue\r\n\r\n" + hidden, "100 200"},
		{"expected body that does not come", inside + "Expect: 100-continue\r\n\r\n", "100 200"},
		{"expected body in other case", inside + "Expect: 100-Continue\r\n\r\n" + hidden, "100 200"},
		{"two expectations", inside + "Expect: 100-continue\r\nExpect: x\r\n\r\n" + hidden, "100 200"},
		{"another expectation", inside + "Expect: x\r\n\r\n" + hidden, "417"},
		{"expectation without a body", "GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n", "200"},
		{"expectation in HTTP/1.0", "POST / HTTP/1.0\r\nContent-Length: 35\r\nExpect: 100-continue\r\n\r\n" + hidden, "200"},
	}
}

// lengthened is a request with a line behind its first one that the room of a
// connection has no place for.
func lengthened(request string) string {
	return strings.Replace(request, "\r\n", "\r\nX-Long: "+strings.Repeat("x", 5<<10)+"\r\n", 1)
}

// TestSmuggling: nothing gets past either server, and what the one refuses the other
// does, too, with a request before it on the connection or without.
func TestSmuggling(t *testing.T) {
	standard, own := pair(t, http.HandlerFunc(tell))
	for _, a := range attempts() {
		t.Run(a.name, func(t *testing.T) {
			said := same(t, standard, own, a.sent)
			if strings.Contains(said, "\nGET /smuggled ") { // in a body, no line begins so
				t.Errorf("it was seen:\n%s", said)
			}
			if got := statuses(said); got != a.want {
				t.Errorf("the replies are %q, want %q", got, a.want)
			}
			if said := same(t, standard, own, lengthened(a.sent)); strings.Contains(said, "\nGET /smuggled ") {
				t.Errorf("it was seen behind a long line:\n%s", said)
			}
		})
	}
}
