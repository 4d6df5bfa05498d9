package examples_test

import (
	"maps"
	"slices"
	"strings"
)

// A header has the values of a message by name.
type header = map[string]string

// A trial is one request, and what every sample makes of it.
type trial struct {
	name         string
	method, path string
	header       header
	body         string

	reply    message
	upstream message // empty where the upstream is not to be asked
}

const (
	bearer = "Bearer let-me-in"
	large  = 5_000_000 // bytes of a large body
)

// plain is the upstream's reply as it is, with changes: empty ones remove.
func plain(status, body string, changes header) message {
	h := header{
		"Content-Type": "application/octet-stream", "Set-Cookie": "a=1, b=2",
		"X-Internal": "upstream-7", "X-Utf-8": "Größe ☃",
	}
	maps.Copy(h, changes)
	maps.DeleteFunc(h, func(_, v string) bool { return v == "" })
	return message{status, h, short([]byte(body))}
}

// seen is the reply as the Reply hook leaves it.
func seen(status, body string) message {
	return plain(status, body+" (seen)", header{"X-Reply": "sample", "X-Internal": ""})
}

// page is an error page of the gateway's.
func page(status, text string, more header) message {
	h := header{"Content-Type": "application/json"}
	maps.Copy(h, more)
	return message{status, h, "{\n    \"error\": \"" + text + "\"\n}"}
}

// everyByte is a body of all bytes, which is no UTF-8.
func everyByte(size int) string {
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(i)
	}
	return string(b)
}

func trials() []trial {
	return slices.Concat(preTrials(), authTrials(), postTrials(), responseTrials(), bodyTrials())
}

func preTrials() []trial {
	sample := header{"X-Sample": "hello"}
	return []trial{
		{
			name: "headers and parameters", method: "GET", path: "/headers/x?remove=1&a=1&a=2&remove=2",
			header:   header{"X-Remove": "secret", "X-Keep": "1", "X-Sample": "from the client"},
			reply:    plain("200", "", nil),
			upstream: message{"GET /x?a=1&a=2&added=1", header{"X-Keep": "1", "X-Sample": "hello"}, ""},
		},
		{
			name: "UTF-8 in headers and parameters", method: "GET", path: "/headers/%C3%A9?q=%E2%98%83&remove=%C3%BC",
			header:   header{"X-Name": "Zoë ☃ 漢字 🎈"},
			reply:    plain("200", "", nil),
			upstream: message{"GET /%C3%A9?q=%E2%98%83&added=1", header{"X-Name": "Zoë ☃ 漢字 🎈", "X-Sample": "hello"}, ""},
		},
		{
			name: "a parameter that is there already", method: "DELETE", path: "/headers/?added=0&added=2",
			reply: plain("200", "", nil), upstream: message{"DELETE /?added=1", sample, ""},
		},
		{
			name: "denied", method: "GET", path: "/deny/x", header: header{"X-Deny": "1"},
			reply: page("403", "denied by the sample", header{"X-Denied": "1"}),
		},
		{
			name: "not denied", method: "GET", path: "/deny/x",
			reply: plain("200", "", nil), upstream: message{"GET /x", header{}, ""},
		},
		{
			name: "an answer of the plugin's", method: "POST", path: "/teapot/x", body: "tea",
			reply: message{"418", header{"Content-Type": "text/plain"}, "short and stout"},
		},
		{
			name: "configuration", method: "GET", path: "/tenant/x",
			reply: plain("200", "", nil), upstream: message{"GET /x", header{"X-Tenant": "Zoë & Söhne"}, ""},
		},
		{
			name: "a hook that the sample does not know", method: "PUT", path: "/nobody/x?q=1", header: header{"X-A": "1"}, body: "b",
			reply: plain("200", "b", nil), upstream: message{"PUT /x?q=1", header{"X-A": "1"}, "b"},
		},
		{
			name: "a hook that crashes", method: "GET", path: "/crash/x",
			reply: page("500", "Middleware error", nil),
		},
	}
}

func authTrials() []trial {
	return []trial{
		{
			name: "no token", method: "GET", path: "/token/x",
			reply: page("401", "not authorised by the sample", nil),
		},
		{
			name: "a wrong token", method: "GET", path: "/token/x", header: header{"Authorization": "Bearer let-me-out"},
			reply: page("401", "not authorised by the sample", nil),
		},
		{
			name: "the right token", method: "GET", path: "/token/x", header: header{"Authorization": bearer},
			reply: plain("200", "", nil), upstream: message{"GET /x", header{}, ""},
		},
		{
			name: "what the session says", method: "GET", path: "/session/x", header: header{"Authorization": bearer, "X-Tier": "lead"},
			reply: plain("200", "", nil), upstream: message{"GET /x", header{"X-Tier": "gold", "X-Rate": "1000"}, ""},
		},
		{
			name: "all five hooks", method: "GET", path: "/all/a/old?remove=1",
			header: header{"Authorization": bearer, "X-Remove": "1", "X-Method": "post", "X-Accept": "1"},
			body:   "straße",
			reply:  plain("202", "STRAßE (seen)", header{"X-Reply": "sample", "X-Internal": ""}),
			upstream: message{"POST /a/new?added=1", header{
				"X-Sample": "hello", "X-Tenant": "acme", "X-Tier": "gold", "X-Rate": "1000", "X-Method": "post", "X-Accept": "1",
			}, "STRAßE"},
		},
		{
			name: "denied before anyone is known", method: "GET", path: "/all/x", header: header{"X-Deny": "1"},
			reply: page("403", "denied by the sample", header{"X-Denied": "1"}),
		},
	}
}

func postTrials() []trial {
	return []trial{
		{
			name: "path, method and body", method: "PUT", path: "/rewrite/a/old?q=1&r=/old", header: header{"X-Method": "post"}, body: "hello, Zoë",
			reply: plain("200", "HELLO, ZOë", nil), upstream: message{"POST /a/new?q=1&r=/old", header{"X-Method": "post"}, "HELLO, ZOë"},
		},
		{
			name: "nothing to rewrite", method: "GET", path: "/rewrite/older?x=/old", header: header{"X-Method": "get"},
			reply: plain("200", "", nil), upstream: message{"GET /older?x=/old", header{"X-Method": "get"}, ""},
		},
		{
			name: "the last segment alone", method: "GET", path: "/rewrite/old/old",
			reply: plain("200", "", nil), upstream: message{"GET /old/new", header{}, ""},
		},
		{
			name: "a body that is no text", method: "POST", path: "/rewrite/x", body: everyByte(256),
			reply: plain("200", everyByte(256), nil), upstream: message{"POST /x", header{}, everyByte(256)},
		},
	}
}

func responseTrials() []trial {
	return []trial{
		{
			name: "headers and body of the reply", method: "POST", path: "/reply/x", body: "body",
			reply: seen("200", "body"), upstream: message{"POST /x", header{}, "body"},
		},
		{
			name: "status of the reply", method: "GET", path: "/reply/x", header: header{"X-Accept": "yes"},
			reply: seen("202", ""), upstream: message{"GET /x", header{"X-Accept": "yes"}, ""},
		},
		{
			name: "another status stays", method: "GET", path: "/reply/x?missing", header: header{"X-Accept": "yes"},
			reply: seen("404", ""), upstream: message{"GET /x?missing", header{"X-Accept": "yes"}, ""},
		},
		{
			name: "a reply that is no text", method: "POST", path: "/reply/x", body: everyByte(256),
			reply: seen("200", everyByte(256)), upstream: message{"POST /x", header{}, everyByte(256)},
		},
	}
}

// bodyTrials send large bodies through.
func bodyTrials() []trial {
	text, binary := strings.Repeat("zoë ", large/5), everyByte(large)
	as := func(body string) string { return short([]byte(body)) }
	caller := header{"Authorization": bearer}
	return []trial{
		{
			name: "large binary body, all hooks", method: "POST", path: "/echo/x", header: caller, body: binary,
			reply: plain("200", binary, nil), upstream: message{"POST /x", header{}, as(binary)},
		},
		{
			name: "large text body, all hooks", method: "POST", path: "/echo/x", header: caller, body: text,
			reply: plain("200", text, nil), upstream: message{"POST /x", header{}, as(text)},
		},
		{
			name: "large binary body, changed reply", method: "POST", path: "/reply/x", body: binary,
			reply: seen("200", binary), upstream: message{"POST /x", header{}, as(binary)},
		},
		{
			name: "large text body, changed", method: "POST", path: "/rewrite/x", body: text,
			reply: plain("200", strings.ReplaceAll(text, "zo", "ZO"), nil), upstream: message{"POST /x", header{}, as(strings.ReplaceAll(text, "zo", "ZO"))},
		},
	}
}
