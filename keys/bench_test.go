package keys

import (
	"fmt"
	"testing"

	"github.com/grapnel-gateway/grapnel"
)

// TestFindCostsNothing: a session that was found before is found again without
// a copy of anything.
func TestFindCostsNothing(t *testing.T) {
	r, s := newRing(t, defaults(), &policy{ID: "p", Rate: 1, AccessRights: rightOf{"a": {}}})
	put(t, s, r.StoreID(r.Token("default", "custom")), grapnel.Session{ApplyPolicies: []string{"p"}})
	find := func() {
		if _, err := r.Find(t.Context(), "default", "Bearer custom"); err != nil {
			t.Fatal(err)
		}
	}
	find()
	if n := testing.AllocsPerRun(100, find); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// BenchmarkFind finds a session, with 1 and with 100 access rights, that was
// found before.
func BenchmarkFind(b *testing.B) {
	for _, rights := range []int{1, 100} {
		b.Run(fmt.Sprint(rights), func(b *testing.B) {
			r, s := benchRing(b, rights)
			for b.Loop() {
				if _, err := r.Find(b.Context(), "default", s.KeyID); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkSave saves a session that has not changed.
func BenchmarkSave(b *testing.B) {
	for _, rights := range []int{1, 100} {
		b.Run(fmt.Sprint(rights), func(b *testing.B) {
			r, s := benchRing(b, rights)
			for b.Loop() {
				if err := r.Save(b.Context(), s, 0); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func benchRing(b *testing.B, rights int) (*Ring, *session) {
	b.Helper()
	r, _ := newRing(b, defaults())
	s := &session{KeyID: r.Token("default", "id"), OrgID: "default", Metadata: map[string]any{"token": "x"}, AccessRights: rightOf{}}
	for i := range rights {
		id := fmt.Sprint("api-", i)
		s.AccessRights[id] = grapnel.AccessDefinition{APIID: id, APIName: id, Versions: []string{"Default"}}
	}
	if err := r.Save(b.Context(), s, 0); err != nil {
		b.Fatal(err)
	}
	return r, s
}
