package grapnel_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/grapnel-gateway/grapnel"
)

// recorded is one call of the control API, as the original answered it.
type recorded struct {
	Name    string
	Request struct{ Body string }
	Body    any
}

// varies removes from got what the recording leaves open in want.
func varies(want, got any) {
	w, _ := want.(map[string]any)
	g, _ := got.(map[string]any)
	for key, value := range w {
		if value == "(varies)" {
			delete(w, key)
			delete(g, key)
		}
		varies(value, g[key])
	}
}

// TestSessionAsTheOriginalPrintsIt: what a POST put is printed with the keys,
// nulls and empty lists of the recorded GET.
func TestSessionAsTheOriginalPrintsIt(t *testing.T) {
	text, err := os.ReadFile("test/parity/testdata/rest.json")
	if err != nil {
		t.Fatal(err)
	}
	var calls []recorded
	if err := json.Unmarshal(text, &calls); err != nil {
		t.Fatal(err)
	}
	compared, put := 0, ""
	for _, c := range calls {
		if c.Name == "key add" || c.Name == "key put" {
			put = c.Request.Body
		}
		if c.Name != "key get" && c.Name != "key get after put" {
			continue
		}
		compared++
		var s grapnel.Session
		if err := json.Unmarshal([]byte(put), &s); err != nil {
			t.Fatal(err)
		}
		s.DateCreated = "now" // what the control API adds
		printed, err := json.Marshal(&s)
		if err != nil {
			t.Fatal(err)
		}
		var got any
		if err := json.Unmarshal(printed, &got); err != nil {
			t.Fatal(err)
		}
		varies(c.Body, got)
		if d := cmp.Diff(c.Body, got); d != "" {
			t.Errorf("%s (-original +ours):\n%s", c.Name, d)
		}
	}
	if compared != 2 {
		t.Fatalf("%d recordings were compared", compared)
	}
}

// TestSessionKeepsWhatItDoesNotKnow: reading and writing loses nothing, on any
// level that has keys of its own [S-4, Z-23].
func TestSessionKeepsWhatItDoesNotKnow(t *testing.T) {
	const text = `{"new":{"a":[1,{"b":"}\""}]},"\u006eamed":"x","smoothing":{"enabled":true},"rate":12.5,"quota_max":9007199254740993,
		"access_rights":{"a":{"api_id":"a","limit":{"rate":1,"smoothing":{"step":2},"other":null},"field_access_rights":[{"type_name":"Q"}],
			"allowed_types":[],"disable_introspection":true,"new":[1]},"b":{},"c\"":{"api_id":"c"}},
		"basic_auth_data":{"password":"p","salt":"s"},"monitor":{"trigger_limits":[1],"new":2},
		"meta_data":{"number":7,"large":12345678901234567890,"fraction":0.10,"nested":{"a":[1,"b"]},"none":null}, "tags": ["t"]}`
	var s grapnel.Session
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		t.Fatal(err)
	}
	if s.QuotaMax != 9007199254740993 || s.AccessRights["a"].Limit.Rate != 1 || s.BasicAuthData.Password != "p" {
		t.Errorf("read %+v", s)
	}
	written, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var want, got any
	for from, to := range map[string]*any{text: &want, string(written): &got} {
		d := json.NewDecoder(strings.NewReader(from))
		d.UseNumber()
		if err := d.Decode(to); err != nil {
			t.Fatal(err)
		}
	}
	if missing := lacks(want, got, ""); len(missing) > 0 {
		t.Errorf("%v were lost in\n%s", missing, written)
	}
	var again grapnel.Session
	if err := json.Unmarshal(written, &again); err != nil {
		t.Fatal(err)
	}
	second, err := json.Marshal(again)
	if err != nil || string(second) != string(written) {
		t.Errorf("written again it is %s, %v\nnot %s", second, err, written)
	}
}

// lacks lists what of want is not in got; got may have more.
func lacks(want, got any, at string) (out []string) {
	w, ok := want.(map[string]any)
	if !ok {
		if !reflect.DeepEqual(want, got) {
			out = append(out, at)
		}
		return out
	}
	g, _ := got.(map[string]any)
	for key, value := range w {
		if _, ok := g[key]; !ok {
			out = append(out, at+"."+key)
			continue
		}
		out = append(out, lacks(value, g[key], at+"."+key)...)
	}
	return out
}

// TestSessionKnowsItsKeys: every key that a struct reads is known, so that
// nothing is both a field and an extra.
func TestSessionKnowsItsKeys(t *testing.T) {
	full := fill(reflect.TypeFor[grapnel.Session]())
	full["access_rights"] = map[string]any{"a": fill(reflect.TypeFor[grapnel.AccessDefinition]())}
	text, err := json.Marshal(full)
	if err != nil {
		t.Fatal(err)
	}
	var s grapnel.Session
	if err := json.Unmarshal(text, &s); err != nil {
		t.Fatal(err)
	}
	if len(s.Extra) > 0 || len(s.AccessRights["a"].Extra) > 0 {
		t.Errorf("known keys were kept as unknown: %s, %s", s.Extra, s.AccessRights["a"].Extra)
	}
}

// fill is an object with every key of the struct.
func fill(typ reflect.Type) map[string]any {
	out := map[string]any{}
	for i := range typ.NumField() {
		f := typ.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case name == "-":
		case f.Type.Kind() == reflect.Struct:
			out[name] = fill(f.Type)
		default:
			out[name] = nil
		}
	}
	return out
}

func TestSessionReadsBothNames(t *testing.T) { // [S-2]
	for _, name := range []string{"enable_detail_recording", "enable_detailed_recording"} {
		var s grapnel.Session
		if err := json.Unmarshal([]byte(`{"`+name+`":true}`), &s); err != nil || !s.DetailedRecording {
			t.Errorf("%s: %+v, %v", name, s, err)
		}
		text, err := json.Marshal(s)
		if err != nil || strings.Count(string(text), `recording":true`) != 2 {
			t.Errorf("%s is written as %s, %v", name, text, err)
		}
	}
}

func TestSessionRefuses(t *testing.T) {
	for _, text := range []string{`{`, `[]`, `"x"`, `{"rate":"x"}`, `{"meta_data":[]}`, `{"access_rights":{"a":[]}}`, `{"monitor":1}`} {
		s := grapnel.Session{Alias: "before"}
		if err := json.Unmarshal([]byte(text), &s); err == nil {
			t.Errorf("%s was read as %+v", text, s)
		}
		if s.Alias != "before" {
			t.Errorf("%s changed the session", text)
		}
	}
}

func FuzzSessionJSON(f *testing.F) {
	f.Add([]byte(`{"rate":1,"x":{"y":[1,"}"]},"access_rights":{"a":{"z":null,"limit":{"q":1}}},"meta_data":{"n":1e400}}`))
	f.Add([]byte(` { "tags" : [ ] , "monitor" : { } } `))
	f.Add([]byte("{\"ACCess_rights\":{\"\":{\"\x93\":{}}}}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		var s, again grapnel.Session
		if json.Unmarshal(text, &s) != nil {
			return
		}
		written, err := json.Marshal(s)
		if err != nil {
			t.Fatalf("%q was read, and cannot be written: %v", text, err)
		}
		if err := json.Unmarshal(written, &again); err != nil {
			t.Fatalf("%q was written as %q, which cannot be read: %v", text, written, err)
		}
		second, err := json.Marshal(again)
		if err != nil || string(second) != string(written) {
			t.Fatalf("%q was written as %q, then as %q", text, written, second)
		}
		short, err := s.Lean()
		if err != nil {
			t.Fatal(err)
		}
		var third grapnel.Session
		if err := json.Unmarshal(short, &third); err != nil {
			t.Fatalf("%q is lean as %q, which cannot be read: %v", text, short, err)
		}
		if third, err := json.Marshal(third); err != nil || string(third) != string(written) {
			t.Fatalf("%q was written as %q, and lean as %q, which makes %q, %v", text, written, short, third, err)
		}
	})
}

// session is one with so many access rights, as the original stores it.
func session(rights int) grapnel.Session {
	s := grapnel.Session{Rate: 100, Per: 1, QuotaMax: -1, OrgID: "default", Alias: "a", Tags: []string{"t"}, AccessRights: map[string]grapnel.AccessDefinition{}}
	for i := range rights {
		id := fmt.Sprintf("5e9d9544a1dcd60001d0ed%02x", i)
		s.AccessRights[id] = grapnel.AccessDefinition{APIID: id, APIName: id, Versions: []string{"Default"}}
	}
	return s
}

// TestReadingAllocatesLittle: who has many sessions reads one for every other
// request. The walk over its keys takes no memory for each of them.
func TestReadingAllocatesLittle(t *testing.T) {
	text, err := json.Marshal(session(1))
	if err != nil {
		t.Fatal(err)
	}
	var s grapnel.Session
	const most = 60 // of which encoding/json needs 40
	if n := testing.AllocsPerRun(100, func() { err = s.UnmarshalJSON(text) }); n > most || err != nil {
		t.Errorf("%v allocations, %v", n, err)
	}
}

func BenchmarkSessionJSON(b *testing.B) {
	for _, rights := range []int{1, 100} {
		s := session(rights)
		text, err := json.Marshal(s)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprintf("write/rights=%d", rights), func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				if _, err := s.MarshalJSON(); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("read/rights=%d", rights), func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				var s grapnel.Session
				if err := s.UnmarshalJSON(text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// What the original always writes and says nothing is no extra, which every plugin
// call would carry; and it is there again when the session is written.
func TestSessionKeepsNoNothing(t *testing.T) {
	var s grapnel.Session
	if err := json.Unmarshal([]byte(`{"access_rights":{"a":{"api_id":"a"}}}`), &s); err != nil {
		t.Fatal(err)
	}
	written, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	for _, member := range []string{`"smoothing":null`, `"allowed_types":null`, `"disable_introspection":false`} {
		if !strings.Contains(string(written), member) {
			t.Errorf("no %s in %s", member, written)
		}
	}
	var again grapnel.Session
	if err := json.Unmarshal(written, &again); err != nil {
		t.Fatal(err)
	}
	if again.Extra != nil || again.AccessRights["a"].Extra != nil {
		t.Errorf("extra %s, of the right %s", again.Extra, again.AccessRights["a"].Extra)
	}
}

// TestLean: what is left out is read back as it was: zero. Keys that this gateway
// does not know stay, whatever they say [Z-23].
func TestLean(t *testing.T) {
	const stored = `{"rate": 5, "per": 0, "org_id": "o", "new": 0, "tags": [], "meta_data": {"zero": 0, "none": null},
		"monitor": {"trigger_limits": null, "more": ""}, "basic_auth_data": {"password": "", "hash_type": ""},
		"access_rights": {"a": {}, "b": {"api_id": "b", "versions": [], "limit": {"rate": 0, "burst": 0}, "new": false}}}`
	const want = `{"rate":5,"org_id":"o","new":0,"tags":[],"meta_data":{"none":null,"zero":0},"monitor":{"more":""},` +
		`"access_rights":{"a":{},"b":{"api_id":"b","versions":[],"limit":{"burst":0},"new":false}}}`
	var s, again grapnel.Session
	if err := json.Unmarshal([]byte(stored), &s); err != nil {
		t.Fatal(err)
	}
	text, err := s.Lean()
	if err != nil {
		t.Fatal(err)
	}
	var got, expected any
	if err := errors.Join(json.Unmarshal(text, &got), json.Unmarshal([]byte(want), &expected), json.Unmarshal(text, &again)); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if !reflect.DeepEqual(got, expected) {
		t.Errorf("lean is\n%s\nwant\n%s", text, want)
	}
	if before, after := whole(t, s), whole(t, again); before != after {
		t.Errorf("read back it is\n%s\nand was\n%s", after, before)
	}
	full := *fullSession()
	if text, err = full.Lean(); err != nil {
		t.Fatal(err)
	}
	again = grapnel.Session{}
	if err := json.Unmarshal(text, &again); err != nil || whole(t, again) != whole(t, full) {
		t.Errorf("a full session is read back as\n%s\n%v", whole(t, again), err)
	}
}

func whole(t *testing.T, s grapnel.Session) string {
	t.Helper()
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
