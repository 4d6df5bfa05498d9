package auth_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/auth"
)

// exchange makes an exchange; headers are "Name: value".
func exchange(method, target, body string, headers ...string) *grapnel.Exchange {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Add(name, value)
	}
	return &grapnel.Exchange{Request: r, Log: discard()}
}

const (
	urlencoded = "Content-Type: application/x-www-form-urlencoded"
	document   = `<?xml version="1.0"?><object><key>thevalue</key><key id="a">other</key></object>`
)

func header(with, expression string, index int) grapnel.Extractor {
	return grapnel.Extractor{From: "header", With: with, Header: "Authorization", Expression: expression, Index: index}
}

func form(with, expression string) grapnel.Extractor {
	return grapnel.Extractor{From: "form", With: with, Param: "auth", Expression: expression}
}

func inBody(with, expression string) grapnel.Extractor {
	return grapnel.Extractor{From: "body", With: with, Expression: expression}
}

// TestExtract: what is found, and what is not [I-3…I-7, T-154…T-161].
func TestExtract(t *testing.T) {
	for _, c := range []struct {
		name      string
		extractor grapnel.Extractor
		x         *grapnel.Exchange
		want      string // empty is 400
	}{
		{"header", header("value", "", 0), exchange("GET", "/", "", "Authorization: abc"), "abc"},
		{"first of two headers", header("value", "", 0), exchange("GET", "/", "", "Authorization: a", "Authorization: b"), "a"},
		{"no header", header("value", "", 0), exchange("GET", "/", ""), ""},
		{"empty header", header("value", "", 0), exchange("GET", "/", "", "Authorization: "), ""},
		{"query", form("value", ""), exchange("GET", "/?auth=q", ""), "q"},
		{"all of the query", form("value", ""), exchange("GET", "/?auth=1&x=y&auth=2", ""), "12"},
		{"urlencoded body", form("value", ""), exchange("POST", "/", "auth=b", urlencoded), "b"},
		{"urlencoded body, then query", form("value", ""), exchange("POST", "/?auth=q", "auth=b", urlencoded), "bq"},
		{"another body", form("value", ""), exchange("POST", "/", "auth=b", "Content-Type: text/plain"), ""},
		{"multipart", form("value", ""), exchange("POST", "/", "--x\r\nContent-Disposition: form-data; name=\"auth\"\r\n\r\nb\r\n--x--\r\n", "Content-Type: multipart/form-data; boundary=x"), ""},
		{"broken form", form("value", ""), exchange("POST", "/", "auth=%zz", urlencoded), ""},
		{"empty form", form("value", ""), exchange("POST", "/?auth=", "", urlencoded), ""},
		{"match", header("regex", "[0-9]+", 0), exchange("GET", "/", "", "Authorization: prefix-12345"), "12345"},
		{"whole match, not its group", header("regex", "prefix-(.*)", 0), exchange("GET", "/", "", "Authorization: prefix-testkey123"), "prefix-testkey123"},
		{"second match", header("regex", "[0-9]+", 1), exchange("GET", "/", "", "Authorization: 12-34-56"), "34"},
		{"no such match", header("regex", "[0-9]+", 5), exchange("GET", "/", "", "Authorization: 12"), ""},
		{"no match", header("regex", "[0-9]+", 0), exchange("GET", "/", "", "Authorization: none"), ""},
		{"a match of nothing", header("regex", "[0-9]*", 0), exchange("GET", "/", "", "Authorization: none"), ""},
		{"match in a form", form("regex", "[0-9]+"), exchange("GET", "/?auth=a12", ""), "12"},
		{"match in a body", inBody("regex", "id=([a-z]+)"), exchange("POST", "/", "x id=abc y"), "id=abc"},
		{"node", inBody("xpath", "//object/key"), exchange("POST", "/", document), "thevalue"},
		{"node with an attribute", inBody("xpath", "//key[@id='a']"), exchange("POST", "/", document), "other"},
		{"attribute", inBody("xpath", "//key/@id"), exchange("POST", "/", document), "a"},
		{"node of a header", header("xpath", "/a", 0), exchange("GET", "/", "", "Authorization: <a>x</a>"), "x"},
		{"node of a form", form("xpath", "/a"), exchange("GET", "/?auth=%3Ca%3Ex%3C/a%3E", ""), "x"},
		{"no such node", inBody("xpath", "//none"), exchange("POST", "/", document), ""},
		{"broken XML", inBody("xpath", "//key"), exchange("POST", "/", "<object><key>x</object>"), ""},
		{"not XML", inBody("xpath", "//key"), exchange("POST", "/", "{}"), ""},
		{"entities are not expanded", inBody("xpath", "//key"), exchange("POST", "/", `<!DOCTYPE x [<!ENTITY e "boom">]><key>&e;</key>`), ""},
		{"a document that is too large", inBody("xpath", "//key"), exchange("POST", "/", "<key>x</key>"+strings.Repeat(" ", 1<<20)), ""},
		{"a deep document", inBody("xpath", "//key"), exchange("POST", "/", strings.Repeat("<a>", 1<<17)+"<key>x</key>"+strings.Repeat("</a>", 1<<17)), "x"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, err := auth.NewExtractor(c.extractor)
			if err != nil {
				t.Fatal(err)
			}
			got, err := e.Extract(c.x)
			if c.want == "" {
				if status, message := answer(err); status != http.StatusBadRequest || message != "Authorization field missing" {
					t.Fatalf("%q, %v", got, err)
				}
				return
			}
			if err != nil || got != c.want {
				t.Fatalf("%q, %v; want %q", got, err, c.want)
			}
		})
	}
}

// TestExtractRestoresTheBody: plugin and upstream see the body that the client
// sent, also when its length was not announced [I-9, T-158, T-166].
func TestExtractRestoresTheBody(t *testing.T) {
	for _, c := range []grapnel.Extractor{inBody("xpath", "//object/key"), inBody("regex", "the.*?<"), form("regex", ".*")} {
		e, err := auth.NewExtractor(c)
		if err != nil {
			t.Fatal(err)
		}
		text := document
		if c.From == "form" {
			text = "auth=x"
		}
		x := exchange("POST", "/", text, urlencoded)
		x.Request.ContentLength, x.Request.TransferEncoding = -1, []string{"chunked"}
		if _, err := e.Extract(x); err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(x.Request.Body); err != nil || string(b) != text {
			t.Errorf("%s: %q, %v", c.From, b, err)
		}
	}
}

// TestExtractKeepsTheBodysError: a body over the limit is 413, not 400.
func TestExtractKeepsTheBodysError(t *testing.T) {
	e, err := auth.NewExtractor(inBody("regex", "."))
	if err != nil {
		t.Fatal(err)
	}
	x := exchange("POST", "/", "")
	x.Request.Body = io.NopCloser(broken{&grapnel.Error{Status: http.StatusRequestEntityTooLarge}})
	if _, err := e.Extract(x); grapnel.AsError(err).Status != http.StatusRequestEntityTooLarge {
		t.Errorf("%v", err)
	}
	x.Request.Body = io.NopCloser(broken{io.ErrUnexpectedEOF})
	if _, err := e.Extract(x); grapnel.AsError(err).Status != http.StatusBadRequest {
		t.Errorf("%v", err)
	}
}

type broken struct{ err error }

func (b broken) Read([]byte) (int, error) { return 0, b.err }

// TestExtractorRefusals: configurations under which all callers would share a
// session, or none would get in, are refused at load [I-8, L-33, T-165].
func TestExtractorRefusals(t *testing.T) {
	for _, c := range []grapnel.Extractor{
		{From: "body", With: "value"},
		{From: "querystring", With: "value", Param: "x"},
		{From: "querystring", With: "regex", Param: "x", Expression: "."},
		{With: "value", Header: "X"},
		{From: "header", With: "value"},
		{From: "form", With: "value"},
		{From: "header", Header: "X"},
		{From: "header", With: "guess", Header: "X"},
		{From: "header", With: "regex", Header: "X"},
		{From: "header", With: "regex", Header: "X", Expression: "("},
		{From: "header", With: "regex", Header: "X", Expression: ".", Index: -1},
		{From: "body", With: "xpath"},
		{From: "body", With: "xpath", Expression: "//["},
		{From: "body", With: "xpath", Expression: "count(//key)"},
		{From: "body", With: "xpath", Expression: "'the same for all'"},
		{From: "body", With: "xpath", Expression: "//key = 'x'"},
	} {
		if _, err := auth.NewExtractor(c); err == nil {
			t.Errorf("%+v was taken", c)
		} else if !strings.HasPrefix(err.Error(), "id_extractor: ") || strings.Contains(err.Error(), "%!") {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// TestExtractConcurrently: one extractor serves many requests at once.
func TestExtractConcurrently(t *testing.T) {
	e, err := auth.NewExtractor(inBody("xpath", "//object/key"))
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				if got, err := e.Extract(exchange("POST", "/", document)); got != "thevalue" {
					t.Errorf("%q, %v", got, err)
				}
			}
		})
	}
	wg.Wait()
}
