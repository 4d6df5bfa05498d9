package main

import (
	"encoding/json"
	"fmt"

	"github.com/grapnel-gateway/grapnel/admin"
)

// What the commands for APIs and policies have in common.

// listDocuments lists the documents of a kind, each as a row.
func listDocuments[T any](p *program, c control, k admin.Kind, head []string, row func(T) []string) error {
	all, err := c.client(p).Documents(p.ctx, k)
	if err != nil {
		return err
	}
	table := [][]string{head}
	for _, text := range all {
		var d T
		if err := json.Unmarshal(text, &d); err != nil {
			return fmt.Errorf("the gateway holds a document that cannot be read: %w", err)
		}
		table = append(table, row(d))
	}
	return c.answer(p, all, table...)
}

// A documentID names a document.
type documentID struct {
	control
	ID string `arg:"" help:"Its id."`
}

// get prints the document, as JSON in any case: it is one.
func (c documentID) get(p *program, k admin.Kind) error {
	d, err := c.client(p).Document(p.ctx, k, c.ID)
	if err != nil {
		return err
	}
	c.JSON = true
	return c.answer(p, d)
}

func (c documentID) remove(p *program, k admin.Kind) error {
	done, err := c.client(p).DeleteDocument(p.ctx, k, c.ID)
	if err != nil {
		return err
	}
	return c.changed(p, done)
}

// A documentFile is a document to publish.
type documentFile struct {
	control
	File string `arg:"" help:"The document as JSON, - for standard input."`
	Then bool   `name:"reload" help:"Have the gateway reload then, which puts it into force."`
}

func (c documentFile) put(p *program, k admin.Kind) error {
	text, err := readFile(c.File)
	if err != nil {
		return err
	}
	client := c.client(p)
	done, err := client.PutDocument(p.ctx, k, text)
	if err == nil && c.Then {
		err = client.Reload(p.ctx)
	}
	if err != nil {
		return err
	}
	return c.changed(p, done)
}
