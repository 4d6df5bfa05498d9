package main

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/grapnel-gateway/grapnel/proto/coprocess"
	"github.com/grapnel-gateway/grapnel/sdk"
)

// A hook is a function: tests call it.

func exchange(r *coprocess.MiniRequestObject) *sdk.Exchange {
	return &sdk.Exchange{Object: &coprocess.Object{Request: r}}
}

func TestRewrite(t *testing.T) {
	for url, want := range map[string]string{
		"/a/old":          "/a/new",
		"/old?q=1&r=/old": "/new?q=1&r=/old",
		"/a/old/":         "/a/old/",
		"/bold":           "/bold",
		"/x?u=/old":       "/x?u=/old",
	} {
		x := exchange(&coprocess.MiniRequestObject{Url: url})
		if err := rewrite(x); err != nil || x.Request.Url != want {
			t.Errorf("%s became %s, %v", url, x.Request.Url, err)
		}
	}
	for body, want := range map[string]string{"": "", "zoë": "ZOë", "\xffa": "\xffa"} {
		x := exchange(&coprocess.MiniRequestObject{RawBody: []byte(body)})
		if err := rewrite(x); err != nil || string(x.Request.RawBody) != want {
			t.Errorf("%q became %q, %v", body, x.Request.RawBody, err)
		}
	}
}

func TestCheckToken(t *testing.T) {
	for _, value := range []string{"", "let-me-in", "Bearer", "Bearer let-me-out", "bearer let-me-in"} {
		x := exchange(&coprocess.MiniRequestObject{Headers: map[string]string{"Authorization": value}})
		var refused *sdk.Answer
		if err := checkToken(x); !errors.As(err, &refused) || refused.Status != 401 || x.Session != nil {
			t.Errorf("%q got %v and the session %v", value, err, x.Session)
		}
	}
	x := exchange(&coprocess.MiniRequestObject{Headers: map[string]string{"Authorization": "Bearer let-me-in"}})
	if err := checkToken(x); err != nil || x.Session.GetQuotaMax() != 5000 {
		t.Errorf("the caller got %v and the session %v", err, x.Session)
	}
	if diff := cmp.Diff(map[string]string{"token": "let-me-in", "tier": "gold"}, x.Metadata); diff != "" {
		t.Errorf("metadata -want +got\n%s", diff)
	}
}
