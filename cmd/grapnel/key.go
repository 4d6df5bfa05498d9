package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/admin"
)

type keyCommand struct {
	Create keyCreate `cmd:"" help:"Make a key."`
	Get    keyGet    `cmd:"" help:"Show the session of a key."`
	List   keyList   `cmd:"" help:"List keys, or their hashes."`
	Update keyUpdate `cmd:"" help:"Replace the session of a key."`
	Delete keyDelete `cmd:"" help:"Remove a key."`
}

// keyName is how a key is named.
type keyName struct {
	Key    string `arg:"" help:"The key."`
	Hashed bool   `help:"KEY is the hash of a key." xor:"name"`
	User   bool   `help:"KEY is the name of a user in --org." xor:"name"`
	Org    string `help:"The organisation of a user or custom id." placeholder:"ORG"`
}

func (k keyName) query() admin.KeyQuery {
	return admin.KeyQuery{Hashed: k.Hashed, User: k.User, Org: k.Org}
}

type keyCreate struct {
	control
	ID      string   `arg:"" optional:"" help:"What the key is made of; without one it is random."`
	File    string   `help:"The session as JSON, - for standard input. Other flags go before it." placeholder:"FILE"`
	Org     string   `help:"The organisation that the key belongs to." placeholder:"ORG"`
	Alias   string   `help:"A name for people." placeholder:"TEXT"`
	API     []string `help:"An API that the key may call; can be repeated." placeholder:"ID"`
	Policy  []string `help:"A policy that governs the key; can be repeated." placeholder:"ID"`
	Rate    float64  `help:"Requests in each span of --per." placeholder:"NUMBER"`
	Per     float64  `help:"Seconds." default:"1"`
	Quota   int64    `help:"Requests in each span of --quota-period." placeholder:"NUMBER"`
	Period  int64    `name:"quota-period" help:"Seconds; 0 never renews." placeholder:"NUMBER"`
	Expires string   `help:"When the key ends, as in 2030-01-31 or 2030-01-31T12:00:00Z." placeholder:"TIME"`
}

// Run makes the key and prints it: hashed, it can never be seen again.
func (c keyCreate) Run(p *program) error {
	s, err := c.session()
	if err != nil {
		return err
	}
	done, err := c.client(p).CreateKey(p.ctx, c.ID, s)
	if err != nil {
		return err
	}
	return c.changed(p, done)
}

// session is what the file and the flags say.
func (c keyCreate) session() (*grapnel.Session, error) {
	s := &grapnel.Session{QuotaMax: -1}
	if c.File != "" {
		if err := readSession(c.File, s); err != nil {
			return nil, err
		}
	}
	set(&s.OrgID, c.Org)
	set(&s.Alias, c.Alias)
	set(&s.QuotaMax, c.Quota)
	set(&s.QuotaRenewalRate, c.Period)
	if c.Rate != 0 {
		s.Rate, s.Per = c.Rate, c.Per
	}
	s.ApplyPolicies = append(s.ApplyPolicies, c.Policy...)
	for _, id := range c.API {
		if s.AccessRights == nil {
			s.AccessRights = map[string]grapnel.AccessDefinition{}
		}
		s.AccessRights[id] = grapnel.AccessDefinition{APIID: id, APIName: id, Versions: []string{"Default"}}
	}
	if c.Expires != "" {
		at, err := time.Parse(time.RFC3339, c.Expires)
		if err != nil {
			if at, err = time.ParseInLocation(time.DateOnly, c.Expires, time.Local); err != nil {
				return nil, fmt.Errorf("--expires: %q is not a time; write it as 2030-01-31 or 2030-01-31T12:00:00Z", c.Expires)
			}
		}
		s.Expires = at.Unix()
	}
	return s, nil
}

func readSession(file string, into *grapnel.Session) error {
	b, err := readFile(file)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, into); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return nil
}

// set replaces a value by one that was given.
func set[T comparable](to *T, given T) {
	var none T
	if given != none {
		*to = given
	}
}

type keyGet struct {
	control
	keyName
}

// Run shows the session with its policies, and what is left of its quota.
func (c keyGet) Run(p *program) error {
	s, err := c.client(p).Key(p.ctx, c.Key, c.query())
	if err != nil {
		return err
	}
	state := "active"
	if s.IsInactive {
		state = "inactive"
	}
	return c.answer(p, s,
		[]string{"alias", s.Alias},
		[]string{"organisation", s.OrgID},
		[]string{"state", state},
		[]string{"expires", moment(s.Expires, "never")},
		[]string{"rate", rate(s.Rate, s.Per)},
		[]string{"quota", quota(s)},
		[]string{"APIs", strings.Join(slices.Sorted(maps.Keys(s.AccessRights)), ", ")},
		[]string{"policies", strings.Join(s.ApplyPolicies, ", ")},
	)
}

type keyList struct {
	control
	Filter string `arg:"" optional:"" help:"What the keys begin with."`
}

// Run lists the keys.
func (c keyList) Run(p *program) error {
	keys, err := c.client(p).Keys(p.ctx, c.Filter)
	if err != nil {
		return err
	}
	table := [][]string{{"KEY"}}
	for _, key := range keys {
		table = append(table, []string{key})
	}
	return c.answer(p, keys, table...)
}

type keyUpdate struct {
	control
	keyName
	File string `required:"" help:"The new session as JSON, - for standard input." placeholder:"FILE"`
	Keep bool   `name:"keep-counters" help:"Go on counting where the old session was."`
}

// Run replaces the session.
func (c keyUpdate) Run(p *program) error {
	s := new(grapnel.Session)
	if err := readSession(c.File, s); err != nil {
		return err
	}
	done, err := c.client(p).UpdateKey(p.ctx, c.Key, c.query(), s, c.Keep)
	if err != nil {
		return err
	}
	return c.changed(p, done)
}

type keyDelete struct {
	control
	keyName
}

// Run removes the key: no gateway lets it in any more.
func (c keyDelete) Run(p *program) error {
	done, err := c.client(p).DeleteKey(p.ctx, c.Key, c.query())
	if err != nil {
		return err
	}
	return c.changed(p, done)
}

// moment shows Unix seconds.
func moment(unix int64, never string) string {
	if unix <= 0 {
		return never
	}
	return time.Unix(unix, 0).UTC().Format(time.RFC3339)
}

// rate shows a rate limit.
func rate(n, per float64) string {
	if n <= 0 || per <= 0 {
		return "unlimited"
	}
	return number(n) + " in " + number(per) + " s"
}

func number(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }

// quota shows what is left of a quota, and until when.
func quota(s *grapnel.Session) string {
	if s.QuotaMax <= 0 {
		return "unlimited"
	}
	text := fmt.Sprintf("%d of %d left", s.QuotaRemaining, s.QuotaMax)
	if s.QuotaRenewalRate > 0 {
		text += " until " + moment(s.QuotaRenews, "first use")
	}
	return text
}
