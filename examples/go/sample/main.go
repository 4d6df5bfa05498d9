// Command sample is the sample plugin in Go: every kind of hook, written with
// package sdk. ../../README.md says what each of them does.
package main

import (
	"bytes"
	"context"
	"fmt"
	"log"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/grapnel-gateway/grapnel/sdk"
)

func main() {
	if err := sdk.Serve(hooks()...); err != nil {
		log.Fatal(err)
	}
}

func hooks() []sdk.Option {
	return []sdk.Option{
		sdk.Hook("Headers", headers),
		sdk.Hook("Deny", deny),
		sdk.Hook("Teapot", teapot),
		sdk.Hook("CheckToken", checkToken),
		sdk.Hook("ReadSession", readSession),
		sdk.Hook("Rewrite", rewrite),
		sdk.Hook("Tenant", tenant),
		sdk.Hook("Reply", reply),
		sdk.Hook("Echo", func(*sdk.Exchange) error { return nil }),
		sdk.Hook("Crash", crash),
		sdk.Hook("Slow", slow),
		sdk.OnEvent(event),
	}
}

func headers(x *sdk.Exchange) error {
	x.SetHeader("X-Sample", "hello")
	x.DeleteHeader("X-Remove")
	x.SetParam("added", "1")
	x.DeleteParam("remove")
	return nil
}

func deny(x *sdk.Exchange) error {
	if x.Header("X-Deny") == "" {
		return nil
	}
	return &sdk.Answer{
		Status:  http.StatusForbidden,
		Message: "denied by the sample",
		Header:  map[string]string{"X-Denied": "1"},
	}
}

func teapot(*sdk.Exchange) error {
	return &sdk.Answer{
		Status: http.StatusTeapot,
		Header: map[string]string{"Content-Type": "text/plain"},
		Body:   "short and stout",
	}
}

// checkToken is an auth hook: it says who is calling and what they may do.
func checkToken(x *sdk.Exchange) error {
	token, found := strings.CutPrefix(x.Header("Authorization"), "Bearer ")
	if !found || token != "let-me-in" {
		return sdk.Deny(http.StatusUnauthorized, "not authorised by the sample")
	}
	x.Accept(token, &sdk.Session{
		Rate: 1000, Per: 1,
		QuotaMax: 5000, QuotaRemaining: 5000, QuotaRenewalRate: 3600,
		Metadata: map[string]string{"tier": "gold"},
	})
	return nil
}

func readSession(x *sdk.Exchange) error {
	x.SetHeader("X-Tier", x.Session.GetMetadata()["tier"])
	x.SetHeader("X-Rate", strconv.Itoa(int(x.Session.GetRate())))
	return nil
}

// rewrite changes path, method and body. The gateway sets Content-Length.
func rewrite(x *sdk.Exchange) error {
	path, query, hasQuery := strings.Cut(x.Request.Url, "?")
	if before, found := strings.CutSuffix(path, "/old"); found {
		x.Request.Url = before + "/new"
		if hasQuery {
			x.Request.Url += "?" + query
		}
	}
	if x.Header("X-Method") == "post" {
		x.Request.Method = http.MethodPost
	}
	if body := x.Request.RawBody; len(body) > 0 && utf8.Valid(body) {
		x.SetBody(upper(body))
	}
	return nil
}

// upper leaves all but ASCII letters alone.
func upper(text []byte) []byte {
	return bytes.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' {
			return r - 'a' + 'A'
		}
		return r
	}, text)
}

// tenant reads what the API's configuration has for its plugins.
func tenant(x *sdk.Exchange) error {
	var config struct {
		Tenant string `json:"tenant"`
	}
	if err := x.Config(&config); err != nil {
		return err
	}
	x.SetHeader("X-Tenant", config.Tenant)
	return nil
}

// reply changes what the upstream has answered.
func reply(x *sdk.Exchange) error {
	r := x.Reply()
	r.SetHeader("X-Reply", "sample")
	r.DeleteHeader("X-Internal")
	r.SetBody(append(r.RawBody, " (seen)"...))
	if r.StatusCode == http.StatusOK && x.Header("X-Accept") != "" {
		r.StatusCode = http.StatusAccepted
	}
	return nil
}

// crash has a bug: nobody has made the map.
func crash(x *sdk.Exchange) error {
	var calls map[string]int
	calls[x.HookName]++
	return nil
}

// slow gives up when nobody waits for it any more.
func slow(x *sdk.Exchange) error {
	select {
	case <-time.After(2 * time.Second):
		return nil
	case <-x.Context().Done():
		return x.Context().Err()
	}
}

func event(_ context.Context, payload string) error {
	_, err := fmt.Println("event:", payload)
	return err
}
