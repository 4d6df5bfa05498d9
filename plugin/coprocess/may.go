package coprocess

import (
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/grapnel-gateway/grapnel"
)

// forbids is the fault of an answer that changes what the hook may not.
func forbids(field string) error {
	return fmt.Errorf("%s: the hook may not change it", field)
}

// A permit says what a hook may change. Without a May, that is everything.
type permit struct{ *grapnel.May }

// override is what the plugin answers in the upstream's place.
func (b *binding) override(a *answer) (*http.Response, error) {
	resp, err := a.request.overrides.response(b.client.tyk)
	_, refused := errors.AsType[*grapnel.Error](err)
	if (resp != nil || refused) && !b.answers {
		return nil, forbids("return_overrides")
	}
	return resp, err
}

// mayAnswer reports whether the hook may answer in the upstream's place: an auth
// hook always may refuse, and a Response hook may not unless it is told [L-26].
func mayAnswer(h grapnel.Hook) bool {
	switch h.Stage {
	case grapnel.Auth:
		return true
	case grapnel.Response:
		return h.MayOverride || h.May != nil && h.May.Override
	}
	return h.May == nil || h.May.Override
}

// allows finds in the changes of a request what the hook may not change.
func (b *binding) allows(x *grapnel.Exchange, c change, q *question, got *edits) error {
	if b.may.May == nil {
		return nil
	}
	for _, l := range slices.Concat(c.values, c.add) {
		if err := b.may.header("headers", l.name, len(l.values) > 0); err != nil {
			return err
		}
	}
	for name := range c.set {
		if err := b.may.header("set_headers", name, true); err != nil {
			return err
		}
	}
	for _, name := range c.remove {
		if err := b.may.header("delete_headers", name, false); err != nil {
			return err
		}
	}
	edit := newQueryEdit(b.query(x), got)
	switch {
	case c.newBody && !b.may.Body:
		return forbids("raw_body")
	case got.given && string(got.url) != q.url && !b.may.URL:
		return forbids("url")
	case !b.may.Params && !edit.none():
		return forbids("params")
	case c.method != "" && !b.may.Method:
		return forbids("method")
	case c.session != nil && b.stage != grapnel.Auth && !b.may.Session:
		return forbids("session")
	}
	if c.trailer != nil {
		return b.may.change("trailers", x.Request.Trailer, c.trailer)
	}
	return nil
}

// header says whether a header may be set, or removed.
func (p permit) header(field, name string, set bool) error {
	list := p.DeleteHeaders
	if set {
		list = p.SetHeaders
	}
	if !names(list).has(name) {
		return fmt.Errorf("%s[%.64q]: the hook may not change it", field, name)
	}
	return nil
}

// change finds in the header of a message what the hook may not have
// changed.
func (p permit) change(field string, was, is http.Header) error {
	for name, values := range is {
		if !slices.Equal(was[name], values) {
			if err := p.header(field, name, true); err != nil {
				return err
			}
		}
	}
	for name := range was {
		if _, kept := is[name]; !kept {
			if err := p.header(field, name, false); err != nil {
				return err
			}
		}
	}
	return nil
}

// reply finds in the changes of a reply what the hook may not change.
func (p permit) reply(resp *http.Response, status int, header, trailer http.Header, newBody, newSession bool) error {
	switch {
	case p.May == nil:
		return nil
	case status != resp.StatusCode && !p.Status:
		return forbids("response.status_code")
	case newBody && !p.Body:
		return forbids("response.raw_body")
	case newSession && !p.Session:
		return forbids("session")
	}
	if err := p.change("response.headers", resp.Header, header); err != nil {
		return err
	}
	if trailer != nil {
		return p.change("response.trailers", resp.Trailer, trailer)
	}
	return nil
}
