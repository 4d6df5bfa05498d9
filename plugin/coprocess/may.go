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

// override is what the plugin answers in the upstream's place. An auth hook may
// always refuse.
func (b *binding) override(a *answer) (*http.Response, error) {
	resp, err := a.request.overrides.response(b.client.tyk)
	_, refused := errors.AsType[*grapnel.Error](err)
	if (resp != nil || refused) && b.may != nil && !b.may.Override && b.stage != grapnel.Auth {
		return nil, forbids("return_overrides")
	}
	return resp, err
}

// allows finds in the changes of a request what the hook may not change.
func (b *binding) allows(x *grapnel.Exchange, c change, q *question, got *edits) error {
	if b.may == nil {
		return nil
	}
	for _, l := range slices.Concat(c.values, c.add) {
		if err := b.allowsHeader("headers", l.name, len(l.values) > 0); err != nil {
			return err
		}
	}
	for name := range c.set {
		if err := b.allowsHeader("set_headers", name, true); err != nil {
			return err
		}
	}
	for _, name := range c.remove {
		if err := b.allowsHeader("delete_headers", name, false); err != nil {
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
		return b.allowsChange("trailers", x.Request.Trailer, c.trailer)
	}
	return nil
}

// allowsHeader says whether a header may be set, or removed.
func (b *binding) allowsHeader(field, name string, set bool) error {
	list := b.may.DeleteHeaders
	if set {
		list = b.may.SetHeaders
	}
	if !names(list).has(name) {
		return fmt.Errorf("%s[%.64q]: the hook may not change it", field, name)
	}
	return nil
}

// allowsChange finds in the header of a message what the hook may not have
// changed.
func (b *binding) allowsChange(field string, was, is http.Header) error {
	for name, values := range is {
		if !slices.Equal(was[name], values) {
			if err := b.allowsHeader(field, name, true); err != nil {
				return err
			}
		}
	}
	for name := range was {
		if _, kept := is[name]; !kept {
			if err := b.allowsHeader(field, name, false); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkBody refuses to change a body of which the plugin knows only a part, and
// what comes behind it. Where nothing of it is ever sent, a new one replaces it.
func (b *binding) checkBody(field string, sent grapnel.Share, newBody, newTrailer bool) error {
	switch {
	case sent.Part && newBody && b.send.Body != grapnel.BodyNone:
		return fmt.Errorf("%s.raw_body: it was not sent whole, and cannot be changed", field)
	case sent.Part && newTrailer:
		return fmt.Errorf("%s.trailers: they come behind a body that was not sent whole", field)
	}
	return nil
}
