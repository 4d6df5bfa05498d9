// Package condition decides for which exchanges a hook is called: by method, by
// path, by a share of the callers, and by an expression of CEL
// (https://cel.dev). Everything is compiled and checked at load.
//
// When in doubt a condition holds. An expression that fails on an exchange, as
// by asking for a header that is not there, has the hook called: a hook that
// guards something is not talked out of it.
package condition

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/twmb/murmur3"

	"github.com/grapnel-gateway/grapnel"
)

// A Condition is the condition of one hook, ready to be asked. It serves many
// exchanges at once. A nil one always holds.
type Condition struct {
	methods []string
	paths   patterns
	share   uint64 // of all hashes of callers, those below; 0 where there is no sample
	sampled bool
	seed    uint64
	when    *expression
}

// An Error is a fault of a condition and the key where it stands, as in when or
// paths[1].
type Error struct {
	Key string
	Err error
}

// Error tells the key and the fault.
func (e *Error) Error() string { return e.Key + ": " + e.Err.Error() }

// Unwrap returns the fault.
func (e *Error) Unwrap() error { return e.Err }

// New makes the condition of a hook of an API. It is nil when there is none. Every
// error is an [Error].
func New(api *grapnel.API, h grapnel.Hook) (*Condition, error) {
	from := h.Condition
	if from.When == "" && len(from.Paths) == 0 && len(from.Methods) == 0 && from.Sample == nil {
		return nil, nil
	}
	if h.Stage == grapnel.Auth {
		return nil, &Error{given(from), errors.New("auth hooks have no conditions: who skips one is let in")}
	}
	// The seed makes the samples of different hooks independent of each other.
	c := &Condition{methods: from.Methods, seed: murmur3.StringSum64(api.ID + "\x00" + h.Stage.String() + "\x00" + h.Name)}
	for i, m := range from.Methods {
		if !isMethod(m) {
			return nil, &Error{fmt.Sprintf("methods[%d]", i), fmt.Errorf("%q is not a method; they are written as GET", m)}
		}
	}
	for i, text := range from.Paths {
		p, err := newPattern(text)
		if err != nil {
			return nil, &Error{fmt.Sprintf("paths[%d]", i), err}
		}
		c.paths = append(c.paths, p)
	}
	if from.Sample != nil {
		c.sampled, c.share = true, uint64(float64(*from.Sample)/100*(1<<63))
	}
	if from.When != "" {
		var err error
		if c.when, err = compile(from.When, h.Stage); err != nil {
			return nil, &Error{"when", err}
		}
	}
	return c, nil
}

// given is the key of the first part of a condition that there is.
func given(c grapnel.Condition) string {
	switch {
	case c.When != "":
		return "when"
	case len(c.Paths) > 0:
		return "paths"
	case len(c.Methods) > 0:
		return "methods"
	}
	return "sample"
}

func isMethod(m string) bool {
	return m != "" && strings.Trim(m, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-_0123456789") == ""
}

// May reports whether the condition can hold for the exchange, as far as its
// request tells. It is cheap, and for those who must know before there is a reply.
func (c *Condition) May(x *grapnel.Exchange) bool {
	return c == nil ||
		(len(c.methods) == 0 || slices.Contains(c.methods, x.Request.Method)) &&
			(len(c.paths) == 0 || c.paths.match(below(x))) &&
			(!c.sampled || c.samples(x))
}

// Holds reports whether the hook is to be called for the exchange. The reply is
// nil before there is one.
func (c *Condition) Holds(x *grapnel.Exchange, reply *http.Response) bool {
	return c == nil || c.May(x) && (c.when == nil || c.when.holds(x, reply))
}

// samples reports whether the caller belongs to the sample, on every gateway and
// at any time.
func (c *Condition) samples(x *grapnel.Exchange) bool {
	return murmur3.SeedStringSum64(c.seed, Caller(x))>>1 < c.share
}

// Caller is the name by which a share of the callers is chosen: the session's
// key or alias, or else the client's address.
func Caller(x *grapnel.Exchange) string {
	if s := x.Session; s != nil {
		switch {
		case s.KeyID != "":
			return s.KeyID
		case s.Alias != "":
			return s.Alias
		}
	}
	return x.Client.String()
}
