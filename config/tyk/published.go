package tyk

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/grapnel-gateway/grapnel"
)

// Definitions translates the definitions that were published to a gateway with
// the configuration c, by id. Those that cannot be served, or have the id or the
// place of an API of c, are left out with a notice: they harm no other. Their
// hooks ask the plugin server "default", or the only one there is. They are not
// trusted with what is on this machine: variables, secrets and files.
func Definitions(documents map[string][]byte, c *grapnel.Config) ([]*grapnel.API, []Notice) {
	l := publishedTo(c)
	all := slices.Clone(c.APIs)
	for _, id := range slices.Sorted(maps.Keys(documents)) {
		file := "apis/" + id
		a, err := l.translate(file, documents[id], c)
		if a != nil && slices.ContainsFunc(all, func(o *grapnel.API) bool { return o.ID == a.ID }) {
			err = fmt.Errorf("there is an API %q already", a.ID)
		}
		switch {
		case err != nil:
			l.notices.add(Notice{File: file, Level: slog.LevelError, Message: "not served: " + err.Error()}, "")
		case a != nil:
			all = append(all, a)
		}
	}
	return l.separate(all)[len(c.APIs):], l.notices.list
}

// Definition translates one definition as [Definitions] does. The error, one
// line, says why it cannot be served. One that is not active is nil without an
// error.
func Definition(document []byte, c *grapnel.Config) (*grapnel.API, []Notice, error) {
	return publishedTo(c).one(document, c)
}

// Definition translates one definition as if it stood in app_path. The error,
// one line, says why it cannot be served. One that is not active is nil without
// an error.
func (s Source) Definition(document []byte) (*grapnel.API, []Notice, error) {
	l, err := s.open()
	if err != nil {
		return nil, nil, err
	}
	server, err := l.server()
	if err != nil {
		return nil, nil, err
	}
	plugins, err := l.plugins()
	if err != nil {
		return nil, nil, err
	}
	l.notices = notices{} // what there is to say of tyk.conf was said
	return l.one(document, &grapnel.Config{Server: server, Plugins: plugins})
}

func (l *loading) one(document []byte, c *grapnel.Config) (*grapnel.API, []Notice, error) {
	a, err := l.translate("", document, c)
	if err != nil {
		return nil, nil, err
	}
	var reasons []string
	for _, n := range l.notices.list {
		if n.refusal() {
			n.Message = strings.TrimPrefix(n.Message, "not served: ")
			reasons = append(reasons, strings.ReplaceAll(n.String(), "\n", "; "))
		}
	}
	if len(reasons) > 0 {
		err = errors.New(strings.Join(reasons, "; "))
	}
	return a, l.notices.list, err
}

// translate reads one definition. It is nil when it is not served: for a reason
// that the notices have, or because it cannot be read, which is the error.
func (l *loading) translate(file string, document []byte, c *grapnel.Config) (*grapnel.API, error) {
	f, err := l.parseDefinition(document)
	if err != nil {
		return nil, err
	}
	newKeyFinder(definition{}, definitionKeys).report(&l.notices, file, f.raw)
	t := translation{loading: l, file: file, d: &f.definition}
	if a := t.api(); a != nil && t.sound(a, c) {
		return a, nil
	}
	return nil, nil
}

// publishedTo is the reading of definitions by a gateway that has no tyk.conf.
func publishedTo(c *grapnel.Config) *loading {
	l := &loading{file: "apis", published: true}
	l.conf.EnableCustomDomains = true
	l.conf.HTTPServerOptions.EnableStrictRoutes = true
	l.conf.HTTPServerOptions.UseSSL = len(c.TLS.Certificates) > 0
	l.conf.HTTPServerOptions.MaxRequestBodySize = int64(c.Limits.Body)
	if _, port, err := net.SplitHostPort(c.Listen); err == nil {
		l.conf.ListenPort, _ = strconv.Atoi(port) // 0, as any free port, is the default one
	}
	switch {
	case c.Plugins[PluginName] != nil:
		l.plugin = PluginName
	case len(c.Plugins) == 1:
		for l.plugin = range c.Plugins {
		}
	}
	return l
}
