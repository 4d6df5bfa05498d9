package main

import (
	"strconv"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/admin"
)

type policyCommand struct {
	List   policyList   `cmd:"" help:"List the published policies."`
	Get    policyGet    `cmd:"" help:"Print a published policy."`
	Put    policyPut    `cmd:"" help:"Publish a policy. It is in force after a reload."`
	Delete policyDelete `cmd:"" help:"Remove a policy. It is out of force after a reload."`
}

type policyList struct{ control }

// Run lists what was published.
func (c policyList) Run(p *program) error {
	head := []string{"ID", "NAME", "ORG", "APIS", "RATE", "QUOTA"}
	return listDocuments(p, c.control, admin.Policies, head, func(d grapnel.Policy) []string {
		quota := "unlimited"
		if d.QuotaMax > 0 {
			quota = strconv.FormatInt(d.QuotaMax, 10)
		}
		return []string{d.ID, d.Name, d.OrgID, strconv.Itoa(len(d.AccessRights)), rate(d.Rate, d.Per), quota}
	})
}

type policyGet struct{ documentID }

// Run prints the policy as it was published.
func (c policyGet) Run(p *program) error { return c.get(p, admin.Policies) }

type policyPut struct{ documentFile }

// Run publishes the policy, be it new or not.
func (c policyPut) Run(p *program) error { return c.put(p, admin.Policies) }

type policyDelete struct{ documentID }

// Run removes the policy.
func (c policyDelete) Run(p *program) error { return c.remove(p, admin.Policies) }
