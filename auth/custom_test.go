package auth_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/auth"
	"github.com/grapnel-gateway/grapnel/keys"
	"github.com/grapnel-gateway/grapnel/store"
)

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

func answer(err error) (status int, message string) {
	if err == nil {
		return 0, ""
	}
	e := grapnel.AsError(err)
	return e.Status, e.Message
}

// method is an authenticator made of a function.
type method func(*grapnel.Exchange) (*http.Response, error)

func (m method) Authenticate(x *grapnel.Exchange) (*http.Response, error) { return m(x) }

// A desk is one API with custom authentication, in front of a memory store.
type desk struct {
	api     *grapnel.API
	keys    *keys.Ring
	store   grapnel.Store
	calls   atomic.Int64 // of the plugin
	events  atomic.Int64
	writes  atomic.Int64
	down    atomic.Bool
	plugin  func(*grapnel.Exchange) (grapnel.Session, error)
	handler grapnel.Handler
}

// Session and PutSession put themselves before those of the store.
func (d *desk) Session(ctx context.Context, id string) (*grapnel.Session, error) {
	if d.down.Load() {
		return nil, grapnel.ErrUnavailable
	}
	return d.store.Session(ctx, id)
}

func (d *desk) PutSession(ctx context.Context, id string, s *grapnel.Session, ttl time.Duration) error {
	d.writes.Add(1)
	return d.store.PutSession(ctx, id, s, ttl)
}

func (d *desk) EditSession(ctx context.Context, id string, change func(*grapnel.Session)) error {
	return d.store.EditSession(ctx, id, change)
}

func (d *desk) DeleteSession(ctx context.Context, id string) error {
	return d.store.DeleteSession(ctx, id)
}

func (d *desk) SessionIDs(ctx context.Context, prefix string) ([]string, error) {
	return d.store.SessionIDs(ctx, prefix)
}

func (d *desk) Fire(_ *grapnel.Exchange, e grapnel.EventType, text string) {
	if e == grapnel.EventAuthFailure && text == "Auth Failure" {
		d.events.Add(1)
	}
}

// setup is what tests may choose of a desk.
type setup struct {
	sessions  grapnel.APISessions
	extractor *grapnel.Extractor
	policies  []*grapnel.Policy
	before    []grapnel.Authenticator // methods before the plugin's: basic
	after     []grapnel.Authenticator // methods after it: auth token
}

func newDesk(t *testing.T, s setup, plugin func(*grapnel.Exchange) (grapnel.Session, error)) *desk {
	t.Helper()
	d := &desk{
		api:   &grapnel.API{ID: "api", OrgID: "default", Sessions: s.sessions},
		store: store.NewMemory(), plugin: plugin,
	}
	t.Cleanup(func() { d.store.Close() })
	var err error
	if d.keys, err = keys.New(d, grapnel.KeyRules{}, keys.NewPolicies(s.policies...)); err != nil {
		t.Fatal(err)
	}
	var extractor *auth.Extractor
	if s.extractor != nil {
		if extractor, err = auth.NewExtractor(*s.extractor); err != nil {
			t.Fatal(err)
		}
	}
	ask := method(func(x *grapnel.Exchange) (*http.Response, error) {
		d.calls.Add(1)
		got, err := d.plugin(x)
		if err == nil {
			x.Session = &got
		}
		return nil, err
	})
	methods := append(s.before, auth.Custom(d.api, ask, d.keys, extractor, d))
	methods = append(methods, s.after...)
	for range s.before {
		d.api.Auth = append(d.api.Auth, grapnel.AuthMethod{Basic: &grapnel.BasicAuth{}})
	}
	d.api.Auth = append(d.api.Auth, grapnel.AuthMethod{})
	for range s.after {
		d.api.Auth = append(d.api.Auth, grapnel.AuthMethod{Token: &grapnel.TokenAuth{}})
	}
	d.handler = auth.Stage(d.api, methods)(func(*grapnel.Exchange) (*http.Response, error) {
		return grapnel.Reply(http.StatusOK, nil, nil), nil
	})
	return d
}

// call sends a request with the credential.
func (d *desk) call(credential string) (*grapnel.Session, error) {
	x := exchange("GET", "/", "", "Authorization: "+credential)
	x.API = d.api
	_, err := d.handler(x)
	return x.Session, err
}

func (d *desk) passes(t *testing.T, credential string) *grapnel.Session {
	t.Helper()
	s, err := d.call(credential)
	if err != nil {
		t.Fatalf("%s: %v", credential, err)
	}
	return s
}

func (d *desk) stored(t *testing.T, key string) *grapnel.Session {
	t.Helper()
	s, err := d.keys.Stored(t.Context(), key)
	if err != nil {
		t.Fatalf("%s is not stored: %v", key, err)
	}
	return s
}

// returning makes a plugin that takes every request, under its credential.
func returning(s grapnel.Session) func(*grapnel.Exchange) (grapnel.Session, error) {
	return func(x *grapnel.Exchange) (grapnel.Session, error) {
		got := *s.Clone()
		got.KeyID = x.Request.Header.Get("Authorization")
		if got.Metadata == nil {
			got.Metadata = map[string]any{}
		}
		got.Metadata["token"] = got.KeyID
		return got, nil
	}
}

var errNo = errors.New("no")

// refusing makes a plugin that takes nobody.
func refusing(*grapnel.Exchange) (grapnel.Session, error) {
	return grapnel.Session{}, &grapnel.Error{Status: http.StatusUnauthorized, Code: grapnel.CodePluginRefused, Message: "no", Err: errNo}
}

// TestCustomStores: the plugin's session is stored under its token, and written
// again only when it changes [C-8, C-9, C-15, L-37, T-110, T-116].
func TestCustomStores(t *testing.T) {
	d := newDesk(t, setup{}, returning(grapnel.Session{Rate: 1000, Per: 1, OrgID: "evil"}))
	for range 3 {
		s := d.passes(t, "abc")
		if s.KeyID != "abc" || s.StoreID != "abc" || s.OrgID != "default" {
			t.Errorf("ids %q, %q, organisation %q", s.KeyID, s.StoreID, s.OrgID)
		}
	}
	if s := d.stored(t, "abc"); s.OrgID != "default" || s.Rate != 1000 || s.Metadata["token"] != "abc" {
		t.Errorf("stored %+v", s)
	}
	if calls, writes := d.calls.Load(), d.writes.Load(); calls != 3 || writes != 1 {
		t.Errorf("%d calls and %d writes, want 3 and 1", calls, writes)
	}
	d.plugin = returning(grapnel.Session{Rate: 2000, Per: 1})
	if d.passes(t, "abc"); d.stored(t, "abc").Rate != 2000 || d.writes.Load() != 2 {
		t.Errorf("the change was not written")
	}
	if err := d.keys.Delete(t.Context(), "abc"); err != nil { // T-142
		t.Fatal(err)
	}
	d.passes(t, "abc")
	d.stored(t, "abc")
}

// TestCustomRefuses: who is refused leaves nothing behind [T-111].
func TestCustomRefuses(t *testing.T) {
	d := newDesk(t, setup{}, refusing)
	if _, err := d.call("abc"); !errors.Is(err, errNo) {
		t.Errorf("%v: want the plugin's word", err)
	}
	if d.writes.Load() != 0 {
		t.Error("something was stored")
	}
}

// TestCustomInherits: the state of quotas and what has no place on the wire
// survive from the stored session; all else is the plugin's [C-7, C-11, L-20,
// L-30].
func TestCustomInherits(t *testing.T) {
	limit := grapnel.APILimit{Rate: 3, Per: 4, QuotaMax: 5}
	raw := map[string]json.RawMessage{"field_access_rights": json.RawMessage(`["x"]`)}
	before := grapnel.Session{
		KeyID: "abc", OrgID: "default", Rate: 1, QuotaRenews: 111, QuotaRemaining: 7, QuotaMax: 8, Alias: "gone", Tags: []string{"gone"},
		ThrottleInterval: 1.5, ThrottleRetryLimit: 2, DateCreated: "2026-01-02T03:04:05Z", SignatureValidation: true, RSACertificateID: "rsa",
		Extra:        map[string]json.RawMessage{"mtls_static_certificate_bindings": json.RawMessage(`["a"]`)},
		AccessRights: map[string]grapnel.AccessDefinition{"api": {APIID: "api", Limit: limit, Scope: "api", Extra: raw}, "other": {}},
		Metadata:     map[string]any{"number": json.Number("7"), "list": []any{"a", json.Number("1")}, "changed": json.Number("1"), "gone": "x"},
	}
	d := newDesk(t, setup{}, returning(grapnel.Session{
		Rate: 9, QuotaMax: 10, QuotaRemaining: 10,
		AccessRights: map[string]grapnel.AccessDefinition{"api": {APIID: "api", Versions: []string{"v1"}}, "new": {}},
		Metadata:     map[string]any{"number": "7", "list": `["a",1]`, "changed": "2"},
	}))
	if err := d.keys.Save(t.Context(), &before, 0); err != nil {
		t.Fatal(err)
	}
	want := grapnel.Session{
		KeyID: "abc", StoreID: "abc", OrgID: "default", Rate: 9, QuotaRenews: 111, QuotaRemaining: 7, QuotaMax: 10,
		ThrottleInterval: 1.5, ThrottleRetryLimit: 2, DateCreated: before.DateCreated, SignatureValidation: true, RSACertificateID: "rsa",
		AccessRights: map[string]grapnel.AccessDefinition{"api": {APIID: "api", Versions: []string{"v1"}, Limit: limit, Scope: "api"}, "new": {}},
		Metadata:     map[string]any{"number": json.Number("7"), "list": []any{"a", json.Number("1")}, "changed": "2", "token": "abc"},
	}
	unknown := cmpopts.IgnoreFields(grapnel.Session{}, "Extra")
	unknownRight := cmpopts.IgnoreFields(grapnel.AccessDefinition{}, "Extra")
	d.passes(t, "abc")
	d.writes.Store(0)
	if diff := cmp.Diff(&want, d.passes(t, "abc"), unknown, unknownRight, cmpopts.EquateEmpty()); diff != "" {
		t.Error("attached:\n" + diff)
	}
	got := d.stored(t, "abc")
	if diff := cmp.Diff(&want, got, unknown, unknownRight, cmpopts.EquateEmpty()); diff != "" {
		t.Error("stored:\n" + diff)
	}
	if string(got.Extra["mtls_static_certificate_bindings"]) != `["a"]` || string(got.AccessRights["api"].Extra["field_access_rights"]) != `["x"]` {
		t.Errorf("unknown keys are lost: %s, %s", got.Extra, got.AccessRights["api"].Extra)
	}
	if d.writes.Load() != 0 {
		t.Error("an unchanged session was written")
	}
}

// TestCustomPolicies: policies are on the exchange's session, and not in the
// store, where they would outlive their removal [C-10, T-118, T-119].
func TestCustomPolicies(t *testing.T) {
	gold := &grapnel.Policy{ID: "gold", OrgID: "default", Rate: 10, Per: 1, QuotaMax: 1, AccessRights: map[string]grapnel.AccessDefinition{"api": {}}}
	d := newDesk(t, setup{policies: []*grapnel.Policy{gold}}, returning(grapnel.Session{Rate: 1, ApplyPolicies: []string{"gold"}}))
	for range 2 {
		if s := d.passes(t, "abc"); s.Rate != 10 || s.QuotaMax != 1 || len(s.AccessRights) != 1 || s.StoreID != "abc" {
			t.Errorf("%+v", s)
		}
	}
	if s := d.stored(t, "abc"); s.Rate != 1 || s.AccessRights != nil || d.writes.Load() != 1 {
		t.Errorf("stored with %d writes: %+v", d.writes.Load(), s)
	}
	d.plugin = returning(grapnel.Session{ApplyPolicies: []string{"missing"}})
	_, err := d.call("other")
	if status, message := answer(err); status != http.StatusForbidden || message != "Forbidden" || d.events.Load() != 1 {
		t.Errorf("%d %s with %d events", status, message, d.events.Load())
	}
	if _, err := d.keys.Stored(t.Context(), "other"); !errors.Is(err, grapnel.ErrNotFound) {
		t.Errorf("stored: %v", err)
	}
}

// TestCustomTTL: sessions are stored for as long as S-25 says [T-127, T-143].
func TestCustomTTL(t *testing.T) {
	d := newDesk(t, setup{sessions: grapnel.APISessions{Lifetime: grapnel.Duration(time.Second)}}, returning(grapnel.Session{PostExpiryAction: "delete", PostExpiryGrace: 60}))
	d.passes(t, "abc")
	if s := d.stored(t, "abc"); s.PostExpiryAction != "delete" || s.PostExpiryGrace != 60 {
		t.Errorf("stored %+v", s)
	}
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(time.Millisecond) {
		if _, err := d.keys.Stored(t.Context(), "abc"); errors.Is(err, grapnel.ErrNotFound) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the session is still there")
		}
	}
}

// TestCustomStoreDown: while the store does not answer, nobody gets in, and the
// answer says so.
func TestCustomStoreDown(t *testing.T) {
	value := header("value", "", 0)
	for _, s := range []setup{{}, {extractor: &value}} {
		d := newDesk(t, s, returning(grapnel.Session{}))
		d.down.Store(true)
		_, err := d.call("abc")
		if e := grapnel.AsError(err); e.Status != http.StatusServiceUnavailable || e.Code != grapnel.CodeStoreUnavailable {
			t.Errorf("%v", err)
		}
		d.down.Store(false)
		d.passes(t, "abc")
	}
}

// TestCustomDeadlineWarning: a deadline in milliseconds is warned of once [L-35].
func TestCustomDeadlineWarning(t *testing.T) {
	value := header("value", "", 0)
	d := newDesk(t, setup{extractor: &value}, returning(grapnel.Session{IDExtractorDeadline: time.Now().UnixMilli()}))
	var log strings.Builder
	for _, credential := range []string{"secret-a", "secret-b"} {
		x := exchange("GET", "/", "", "Authorization: "+credential)
		x.API, x.Log = d.api, slog.New(slog.NewTextHandler(&log, nil))
		if _, err := d.handler(x); err != nil {
			t.Fatal(err)
		}
	}
	if text := log.String(); strings.Count(text, "id_extractor_deadline is more than ten years away") != 1 || strings.Contains(text, "secret") {
		t.Errorf("log: %s", text)
	}
}

// TestNobody: who is let in while the plugin is down is nobody, and nothing is
// stored of that.
func TestNobody(t *testing.T) {
	d := newDesk(t, setup{}, returning(grapnel.Session{OrgID: "org"}))
	if _, err := d.call(""); err != nil {
		t.Fatal(err)
	}
	if d.writes.Load() != 0 {
		t.Error("a session without a key was stored")
	}
}

// TestIgnored: where the plugin is down and ignored, the caller stays who a method
// before found, and is not stored under what the plugin's method goes by.
func TestIgnored(t *testing.T) {
	d := newDesk(t, setup{}, returning(grapnel.Session{}))
	extractor, err := auth.NewExtractor(grapnel.Extractor{From: "header", With: "value", Header: "Authorization"})
	if err != nil {
		t.Fatal(err)
	}
	known := method(func(x *grapnel.Exchange) (*http.Response, error) {
		x.Session = &grapnel.Session{KeyID: "known"}
		return nil, nil
	})
	ignored := method(func(*grapnel.Exchange) (*http.Response, error) { return nil, nil })
	api := *d.api
	api.Auth = make([]grapnel.AuthMethod, 2)
	x := exchange("GET", "/", "", "Authorization: a")
	h := auth.Stage(&api, []grapnel.Authenticator{known, auth.Custom(&api, ignored, d.keys, extractor, d)})
	if _, err := h(func(*grapnel.Exchange) (*http.Response, error) { return nil, nil })(x); err != nil {
		t.Fatal(err)
	}
	if x.Session.KeyID != "known" || d.writes.Load() != 0 {
		t.Errorf("the caller is %+v, and %d sessions were stored", x.Session, d.writes.Load())
	}
}
