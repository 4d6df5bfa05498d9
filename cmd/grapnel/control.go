package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
	"unicode"

	"github.com/grapnel-gateway/grapnel/admin"
)

// control is where a running gateway is, and how to answer. It is shared by the
// commands that speak to one.
type control struct {
	Address string `help:"The gateway's control API. Default: GRAPNEL_ADMIN, or http://127.0.0.1:9696." placeholder:"URL"`
	Secret  string `help:"The control API's secret. Better, since no other user sees it: GRAPNEL_ADMIN_SECRET." placeholder:"SECRET"`
	JSON    bool   `help:"Answer with JSON."`
}

func (c control) client(p *program) *admin.Client {
	get := lookup(p.env)
	address, _ := get("GRAPNEL_ADMIN")
	secret, _ := get("GRAPNEL_ADMIN_SECRET")
	return &admin.Client{
		Base:   cmp.Or(c.Address, address, "http://127.0.0.1:9696"),
		Secret: cmp.Or(c.Secret, secret),
	}
}

// answer writes v as JSON where that was asked for, and else the table.
func (c control) answer(p *program, v any, table ...[]string) error {
	if c.JSON {
		e := json.NewEncoder(p.stdout)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		return e.Encode(v)
	}
	w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	for _, row := range table {
		for i, cell := range row {
			row[i] = printable(cell)
		}
		fmt.Fprintln(w, strings.Join(row, "\t"))
	}
	return w.Flush()
}

// changed answers with a change. People see the key alone, so that it can be
// taken from the screen.
func (c control) changed(p *program, done admin.Change) error {
	table := [][]string{{strings.ToUpper(done.Action)}, {cmp.Or(done.Key, done.KeyHash)}}
	if done.KeyHash != "" {
		table = [][]string{{strings.ToUpper(done.Action), "HASH"}, {done.Key, done.KeyHash}}
	}
	return c.answer(p, done, table...)
}

// readFile reads a file, or standard input when it is called -.
func readFile(name string) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(os.Stdin)
	}
	return os.ReadFile(name)
}

// printable quotes a text that would not show as it is, or would play tricks on
// the terminal.
func printable(s string) string {
	if strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.Quote(s)
	}
	return s
}
