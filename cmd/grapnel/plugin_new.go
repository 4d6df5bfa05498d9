package main

import (
	"fmt"

	"github.com/grapnel-gateway/grapnel/scaffold"
)

type pluginNew struct {
	Name string `arg:"" help:"The project's name."`
	Lang string `required:"" help:"Its language: python, go, node, typescript, java, ruby, cpp or rust." placeholder:"LANG"`
	Dir  string `help:"The folder to write; it must be empty or new. Default: the name." placeholder:"DIR"`
}

// Run writes the project and says where.
func (c pluginNew) Run(p *program) error {
	dir, err := scaffold.New(c.Name, c.Lang, c.Dir)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.stdout, "%s is a new plugin; its README.md says how to build, test and run it\n", dir)
	return err
}
