package main

import (
	"strconv"

	"github.com/grapnel-gateway/grapnel/admin"
)

type apiCommand struct {
	List   apiList   `cmd:"" help:"List the published definitions."`
	Get    apiGet    `cmd:"" help:"Print a published definition."`
	Put    apiPut    `cmd:"" help:"Publish a Classic definition. It is served after a reload."`
	Delete apiDelete `cmd:"" help:"Remove a definition and stop serving it."`
}

type apiList struct{ control }

// Run lists what was published, be it served or not.
func (c apiList) Run(p *program) error {
	type definition struct {
		ID     string `json:"api_id"`
		Name   string `json:"name"`
		Org    string `json:"org_id"`
		Active bool   `json:"active"`
		Proxy  struct {
			Listen string `json:"listen_path"`
			Target string `json:"target_url"`
		} `json:"proxy"`
	}
	head := []string{"ID", "NAME", "ORG", "ACTIVE", "LISTEN PATH", "TARGET"}
	return listDocuments(p, c.control, admin.APIs, head, func(d definition) []string {
		return []string{d.ID, d.Name, d.Org, strconv.FormatBool(d.Active), d.Proxy.Listen, d.Proxy.Target}
	})
}

type apiGet struct{ documentID }

// Run prints the definition as it was published.
func (c apiGet) Run(p *program) error { return c.get(p, admin.APIs) }

type apiPut struct{ documentFile }

// Run publishes the definition, be it new or not.
func (c apiPut) Run(p *program) error { return c.put(p, admin.APIs) }

type apiDelete struct{ documentID }

// Run removes the definition.
func (c apiDelete) Run(p *program) error { return c.remove(p, admin.APIs) }
