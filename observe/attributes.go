package observe

import (
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/grapnel-gateway/grapnel"
)

// metadata carries a trace to a plugin server, as pairs of names and values.
type metadata []string

// Get has nothing to tell: metadata is only written.
func (*metadata) Get(string) string { return "" }

// Set adds a pair.
func (m *metadata) Set(name, value string) { *m = append(*m, name, value) }

// Keys are the names.
func (m *metadata) Keys() []string {
	var out []string
	for i := 0; i < len(*m); i += 2 {
		out = append(out, (*m)[i])
	}
	return out
}

// requested is what the span of an exchange says of the request as the client
// sent it. The query is left out, since it may hold secrets.
func requested(x *grapnel.Exchange) []attribute.KeyValue {
	r := x.Request
	host, port := hostPort(r.Host)
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	out := []attribute.KeyValue{
		attribute.String("http.request.method", methodOf(r.Method)),
		attribute.String("url.path", requestPath(x)),
		attribute.String("url.scheme", scheme),
		attribute.String("server.address", host),
		attribute.String("client.address", x.Client.String()),
		attribute.String("network.protocol.version", strings.TrimSuffix(strings.TrimPrefix(r.Proto, "HTTP/"), ".0")),
		attribute.String("user_agent.original", r.UserAgent()),
		attribute.String("grapnel.request_id", x.ID),
	}
	if port > 0 {
		out = append(out, attribute.Int("server.port", port))
	}
	return out
}

// answered is what the span of an exchange says when it is over.
func answered(x *grapnel.Exchange, status int) []attribute.KeyValue {
	out := []attribute.KeyValue{attribute.Int("http.response.status_code", status)}
	if x.API.ID != "" {
		out = append(out, attribute.String("http.route", x.API.ListenPath), attribute.String("grapnel.api", x.API.ID))
	}
	return out
}

// called is what the span of a hook call says.
func called(x *grapnel.Exchange, c grapnel.Call) []attribute.KeyValue {
	out := []attribute.KeyValue{
		attribute.String("rpc.system.name", "grpc"),
		attribute.String("grapnel.api", x.API.ID),
		attribute.String("grapnel.plugin", c.Plugin),
		attribute.String("grapnel.hook", c.Hook),
		attribute.String("grapnel.stage", c.Stage.String()),
		attribute.String("grapnel.outcome", string(outcomeOf(&c))),
	}
	if c.Endpoint != "" {
		host, port := hostPort(c.Endpoint)
		out = append(out, attribute.String("server.address", host))
		if port > 0 {
			out = append(out, attribute.Int("server.port", port))
		}
	}
	if c.Retries > 0 {
		out = append(out, attribute.Int("grapnel.retries", c.Retries))
	}
	return out
}

// sent is what the span of the upstream says: the exchange's request is by now as
// it was sent.
func sent(x *grapnel.Exchange) []attribute.KeyValue {
	r := x.Request
	full := url.URL{Scheme: r.URL.Scheme, Host: r.URL.Host, Path: r.URL.Path, RawPath: r.URL.RawPath}
	host, port := hostPort(r.URL.Host)
	if port == 0 {
		port = map[string]int{"http": 80, "https": 443}[r.URL.Scheme]
	}
	return []attribute.KeyValue{
		attribute.String("http.request.method", methodOf(r.Method)),
		attribute.String("url.full", full.String()),
		attribute.String("server.address", host),
		attribute.Int("server.port", port),
	}
}

// fault marks a span as one of a failure: of the error, or of a status from the
// given one on.
func fault(span trace.Span, status, from int, err error) {
	switch {
	case err != nil:
		code := string(grapnel.AsError(err).Code)
		span.SetStatus(codes.Error, code)
		span.SetAttributes(attribute.String("error.type", code))
	case status >= from:
		span.SetStatus(codes.Error, "")
		span.SetAttributes(attribute.String("error.type", strconv.Itoa(status)))
	}
}

// unanswered marks the span of a hook call as one of a failure, if it is.
func unanswered(span trace.Span, o grapnel.Outcome) {
	if failed(o) {
		span.SetStatus(codes.Error, string(o))
		span.SetAttributes(attribute.String("error.type", string(o)))
	}
}

// spanName is the name of an exchange's span; there are as many as methods and
// listen paths.
func spanName(method, route string) string {
	if route == "" {
		return methodOf(method)
	}
	return methodOf(method) + " " + route
}

// methodOf is a request's method where it is one of the known ones: clients may
// make up any number.
func methodOf(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodConnect, http.MethodOptions, http.MethodTrace:
		return method
	}
	return "_OTHER"
}

// hostPort splits an address; what has no port is all host.
func hostPort(address string) (host string, port int) {
	host, text, err := net.SplitHostPort(address)
	if err != nil {
		return address, 0
	}
	port, err = strconv.Atoi(text)
	if err != nil {
		return address, 0
	}
	return host, port
}
