package grapnel

import "context"

// A Tracer follows exchanges, and the hook calls of each, across systems.
type Tracer interface {
	// Exchange begins the span of an exchange, as a child of what its headers
	// name; the request's context carries it from then on. What it returns ends
	// it and is called once, after the reply.
	Exchange(*Exchange) (end func(status int))
	// Hook begins the span of one hook call below that of the exchange. The
	// context carries the metadata that takes it to the plugin server. What it
	// returns ends it.
	Hook(context.Context, *Exchange, Hook) (context.Context, func(Call))
	// Upstream puts a span around the handler that asks the upstream, and has
	// the request carry it there.
	Upstream(Handler) Handler
}

type metadataKey struct{}

// WithMetadata makes a context whose calls to plugin servers carry these pairs of
// names, in lower case, and values.
func WithMetadata(ctx context.Context, pairs ...string) context.Context {
	return context.WithValue(ctx, metadataKey{}, pairs)
}

// Metadata returns the pairs that calls to plugin servers carry.
func Metadata(ctx context.Context) []string {
	pairs, _ := ctx.Value(metadataKey{}).([]string)
	return pairs
}
