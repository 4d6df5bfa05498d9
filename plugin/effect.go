package plugin

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"net/http"
	"reflect"
	"slices"

	"github.com/grapnel-gateway/grapnel"
)

// copied is the question about a copy of its exchange, of which nothing is shared
// that anyone writes to. The client may leave; the copy stays.
func (q question) copied() question {
	x := *q.x
	x.Request = x.Request.Clone(context.WithoutCancel(x.Request.Context()))
	x.DetachBody()
	x.Chosen = maps.Clone(x.Chosen)
	if x.Session != nil {
		x.Session = x.Session.Clone()
	}
	out := question{x: &x}
	if q.reply != nil {
		reply := *q.reply
		reply.Header = reply.Header.Clone()
		grapnel.DetachReply(&reply)
		out.reply = &reply
	}
	return out
}

// An effect is what an exchange has come to after a hook, as far as others can
// see it.
type effect struct {
	failed bool // there was no answer, or none that counts
	method string
	url    string
	header http.Header
	body   []byte
	status int // of the reply, or of the answer to the client; 0 is none
	answer http.Header
	text   []byte // of the reply or the answer
	caller *grapnel.Session
}

// effect is that of the answer to the question.
func (q question) effect(resp *http.Response, err error) effect {
	x := q.x
	if refused, ok := errors.AsType[*grapnel.Error](err); ok {
		return effect{status: refused.Status, answer: refused.Header.Clone(), text: []byte(refused.Message)}
	}
	if err != nil {
		return effect{failed: true}
	}
	if resp == nil {
		resp = q.reply
	}
	e := effect{method: x.Request.Method + x.RewriteMethod, url: x.Request.URL.String(), header: x.Request.Header.Clone()}
	e.body, _ = x.HeldBody()
	if x.Rewrite != nil {
		e.url = x.Rewrite.String()
	}
	if x.Session != nil {
		e.caller = x.Session.Clone()
	}
	if resp != nil {
		e.status, e.answer = resp.StatusCode, resp.Header.Clone()
		e.text, _ = grapnel.HeldReply(resp)
	}
	return e
}

// differs names what is not the same in both.
func (e effect) differs(o effect) (what []string) {
	for _, part := range []struct {
		name string
		same bool
	}{
		{"outcome", e.failed == o.failed},
		{"method", e.method == o.method},
		{"url", e.url == o.url},
		{"headers", maps.EqualFunc(e.header, o.header, slices.Equal)},
		{"body", bytes.Equal(e.body, o.body)},
		{"reply.status", e.status == o.status},
		{"reply.headers", maps.EqualFunc(e.answer, o.answer, slices.Equal)},
		{"reply.body", bytes.Equal(e.text, o.text)},
		{"session", reflect.DeepEqual(identity(e.caller), identity(o.caller))},
	} {
		if !part.same {
			what = append(what, part.name)
		}
	}
	return what
}

// identity is what of a session two answers should agree on: who calls and what
// they may do, and nothing that tells the time.
func identity(s *grapnel.Session) any {
	if s == nil {
		return nil
	}
	return [...]any{
		s.KeyID, s.Alias, s.Metadata, s.ApplyPolicyID, s.ApplyPolicies, s.AccessRights,
		s.Rate, s.Per, s.QuotaMax, s.QuotaRenewalRate, s.IsInactive, s.Tags,
	}
}
