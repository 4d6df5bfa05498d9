package server

import (
	"fmt"
	"testing"

	"github.com/grapnel-gateway/grapnel"
)

func TestTableFind(t *testing.T) {
	apis := []*grapnel.API{
		{ID: "strict", Listen: grapnel.Listen{ListenPath: "/orders/"}},
		{ID: "deeper", Listen: grapnel.Listen{ListenPath: "/orders/archive"}},
		{ID: "loose", Listen: grapnel.Listen{ListenPath: "/app", Loose: true, Aliases: []string{"/loose/"}}},
		{ID: "loose-slash", Listen: grapnel.Listen{ListenPath: "/slash/", Loose: true}},
		{ID: "pattern", Listen: grapnel.Listen{ListenPath: "/tenants/{id}/api/", Loose: true}},
		{ID: "strict-pattern", Listen: grapnel.Listen{ListenPath: "/strict/{id}/app"}},
		{ID: "number", Listen: grapnel.Listen{ListenPath: "/n/{id:[0-9]{2}}/", Loose: true}},
		{ID: "hosted", Listen: grapnel.Listen{Hosts: []string{"API.example.com"}, ListenPath: "/"}},
		{ID: "wild", Listen: grapnel.Listen{Hosts: []string{"*.example.com"}, ListenPath: "/"}},
		{ID: "wilder", Listen: grapnel.Listen{Hosts: []string{"*.eu.example.com"}, ListenPath: "/"}},
	}
	table := newTable()
	for _, a := range apis {
		if err := table.add(&route{api: a}); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ host, path, id, prefix string }{
		{"", "/orders", "strict", "/orders"},
		{"", "/orders/", "strict", "/orders"},
		{"", "/orders/7", "strict", "/orders"},
		{"", "/ordersheet", "", ""},
		{"", "/orders/archive", "deeper", "/orders/archive"},
		{"", "/orders/archive/1", "deeper", "/orders/archive"},
		{"", "/orders/archived", "strict", "/orders"},
		{"", "/application", "loose", "/app"}, // P-5
		{"", "/loose/x", "loose", "/loose/"},  // P-4
		{"", "/slash/x", "loose-slash", "/slash/"},
		{"", "/slash", "", ""},
		{"", "/tenants/7/api/x", "pattern", "/tenants/7/api/"},
		{"", "/tenants/7/other", "", ""},
		{"", "/strict/7/app/x", "strict-pattern", "/strict/7/app"},
		{"", "/strict/7/application", "", ""},
		{"", "/n/42/x", "number", "/n/42/"},
		{"", "/n/4/x", "", ""},
		{"", "/", "", ""},
		{"", "", "", ""},
		{"api.EXAMPLE.com:8080", "/x", "hosted", ""},
		{"www.example.com", "/x", "wild", ""},
		{"a.eu.example.com", "/x", "wilder", ""},
		{"example.com", "/x", "", ""},
		{"api.example.com", "/orders/1", "hosted", ""},
		{"elsewhere", "/orders/1", "strict", "/orders"},
		{"[::1]:80", "/orders/1", "strict", "/orders"},
	} {
		r, prefix := table.find(c.host, c.path)
		id := ""
		if r != nil {
			id = r.api.ID
		}
		if id != c.id || prefix != c.prefix {
			t.Errorf("find(%q, %q) = %q, %q; want %q, %q", c.host, c.path, id, prefix, c.id, c.prefix)
		}
	}
}

func TestTableRefuses(t *testing.T) {
	table := newTable()
	first := &grapnel.API{ID: "a", Listen: grapnel.Listen{ListenPath: "/x"}}
	if err := table.add(&route{api: first}); err != nil {
		t.Fatal(err)
	}
	for _, api := range []*grapnel.API{
		{ID: "b", Listen: grapnel.Listen{ListenPath: "/x/"}},
		{ID: "c", Listen: grapnel.Listen{ListenPath: "/y/{open"}},
		{ID: "d", Listen: grapnel.Listen{ListenPath: "/y/{n:[}"}},
	} {
		if err := table.add(&route{api: api}); err == nil {
			t.Errorf("listen path %q was accepted", api.ListenPath)
		}
	}
}

// The cost of a look-up must not grow with the number of APIs.
func BenchmarkFind(b *testing.B) {
	for _, n := range []int{10, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			table := newTable()
			for i := range n {
				api := &grapnel.API{Listen: grapnel.Listen{ListenPath: fmt.Sprintf("/service-%d/v1/", i)}}
				if err := table.add(&route{api: api}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportAllocs()
			for b.Loop() {
				if r, _ := table.find("api.example.com", "/service-7/v1/orders/42"); r == nil {
					b.Fatal("not found")
				}
			}
		})
	}
}
