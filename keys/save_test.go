package keys

import (
	"encoding/json"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/grapnel-gateway/grapnel"
)

// TestSaveWritesChanges: a session is written when it is new or has changed, and
// when its time runs out [L-37].
func TestSaveWritesChanges(t *testing.T) {
	r, s := newRing(t, defaults())
	session := func() *grapnel.Session {
		return &grapnel.Session{KeyID: "key", OrgID: "default", Rate: 5, Metadata: map[string]any{"token": "key"}}
	}
	save := func(c *grapnel.Session, ttl time.Duration, want int64) {
		t.Helper()
		s.writes.Store(0)
		if err := r.Save(t.Context(), c, ttl); err != nil {
			t.Fatal(err)
		}
		if got := s.writes.Load(); got != want {
			t.Errorf("%d writes, want %d", got, want)
		}
		if c.StoreID != r.StoreID("key") {
			t.Errorf("store id %q", c.StoreID)
		}
	}
	save(session(), 0, 1)
	save(session(), 0, 0)
	changed := session()
	changed.Metadata["tier"] = "gold"
	save(changed, 0, 1)
	save(changed, time.Hour, 1)      // from for ever to an hour
	save(changed, time.Hour, 0)      // fresh enough
	save(changed, 3*time.Hour, 1)    // less than half of it is left
	save(changed, time.Hour, 1)      // it would live too long
	save(changed, 59*time.Minute, 1) // and again
	save(changed, 0, 1)              // for ever
	save(changed, 0, 0)
	stored, err := r.Stored(t.Context(), "key")
	if err != nil {
		t.Fatal(err)
	}
	save(stored, 0, 0)
	if err := r.Delete(t.Context(), "key"); err != nil {
		t.Fatal(err)
	}
	save(changed, 0, 1)
}

// TestSaveKeepsTheTTL: what is saved with a ttl is gone after it [T-143].
func TestSaveKeepsTheTTL(t *testing.T) {
	r, _ := newRing(t, defaults())
	if err := r.Save(t.Context(), &grapnel.Session{KeyID: "key"}, 20*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(5 * time.Second)
	for {
		_, err := r.Load(t.Context(), "key")
		if errors.Is(err, grapnel.ErrNotFound) {
			return
		}
		if err != nil || time.Now().After(deadline) {
			t.Fatalf("still there: %v", err)
		}
		time.Sleep(time.Millisecond)
	}
}

// TestSame: a change to any stored field is seen; what is not stored is not.
func TestSame(t *testing.T) {
	for i := range reflect.TypeFor[grapnel.Session]().NumField() {
		a, b := &grapnel.Session{}, &grapnel.Session{}
		field := reflect.TypeFor[grapnel.Session]().Field(i).Name
		change(t, field, reflect.ValueOf(b).Elem().Field(i))
		stored := field != "KeyID" && field != "StoreID"
		if same(a, b) == stored {
			t.Errorf("%s: stored is %v, same is %v", field, stored, same(a, b))
		}
	}
	for i := range reflect.TypeFor[grapnel.AccessDefinition]().NumField() {
		a, b := grapnel.AccessDefinition{}, grapnel.AccessDefinition{}
		change(t, "right", reflect.ValueOf(&b).Elem().Field(i))
		if sameRight(a, b) {
			t.Errorf("%s of a right makes no difference", reflect.TypeFor[grapnel.AccessDefinition]().Field(i).Name)
		}
	}
	empty := &grapnel.Session{AccessRights: map[string]grapnel.AccessDefinition{}, Metadata: map[string]any{}, Tags: []string{}, Extra: map[string]json.RawMessage{}}
	if !same(empty, &grapnel.Session{}) {
		t.Error("empty is not the same as missing")
	}
}

// TestSameMetadata: values are compared as deep as they go, of whatever type.
func TestSameMetadata(t *testing.T) {
	values := []any{
		nil, "1", true, 1.0, json.Number("1"), 1, []string{"1"}, map[string]string{"a": "1"},
		[]any{"1"}, []any{"1", nil}, []any{[]any{"1"}}, map[string]any{"a": "1"}, map[string]any{"a": []any{"1"}},
	}
	for i, x := range values {
		for k, y := range values {
			a, b := &grapnel.Session{Metadata: map[string]any{"x": x}}, &grapnel.Session{Metadata: map[string]any{"x": y}}
			if same(a, b.Clone()) != (i == k) {
				t.Errorf("%#v and %#v: same is %v", x, y, i != k)
			}
		}
	}
}

// change gives a field another value than its zero.
func change(t *testing.T, name string, v reflect.Value) {
	t.Helper()
	switch v.Kind() {
	case reflect.String:
		v.SetString("x")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(1)
	case reflect.Float64:
		v.SetFloat(1)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		value := reflect.New(v.Type().Elem()).Elem()
		if value.Type() == reflect.TypeFor[json.RawMessage]() {
			value.SetBytes([]byte("1"))
		}
		v.SetMapIndex(reflect.ValueOf("x"), value)
	case reflect.Struct:
		change(t, name, v.Field(0))
	default:
		t.Fatalf("%s: cannot change a %s", name, v.Kind())
	}
}
