package server

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"mime"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"text/template"

	"github.com/grapnel-gateway/grapnel"
)

// failures is the one place that turns errors into replies [S-50…S-54]. Clients
// get the message and the exchange's id; the cause goes to the log, under the
// same id.
type failures struct {
	templates map[string]*template.Template // by file name, "error_403.json"
	// verbatimXML leaves messages unescaped in XML, as the original does:
	// plugins written for it may send markup.
	verbatimXML bool
}

// xmlDeclaration begins XML replies, spelt as the original spells it.
const xmlDeclaration = `<?xml version = "1.0" encoding = "UTF-8"?>` + "\n"

// newFailures reads the operator's templates from a folder, if there is one.
func newFailures(c grapnel.Server) (*failures, error) {
	dir := c.ErrorTemplates
	f := &failures{templates: map[string]*template.Template{}, verbatimXML: c.Compat == grapnel.CompatTyk}
	if dir == "" {
		return f, nil
	}
	names, err := filepath.Glob(filepath.Join(dir, "error*"))
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(dir); err != nil {
		return nil, fmt.Errorf("error_templates: %w", err)
	}
	for _, name := range names {
		switch filepath.Ext(name) {
		case ".json", ".xml":
		default:
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("error_templates: %w", err)
		}
		t, err := template.New(filepath.Base(name)).Parse(string(text))
		if err != nil {
			return nil, fmt.Errorf("error_templates: %w", err)
		}
		f.templates[filepath.Base(name)] = t
	}
	return f, nil
}

// reply makes the response to a failed exchange, or takes the one that there is,
// and logs its cause.
func (f *failures) reply(x *grapnel.Exchange, err error) *http.Response {
	e := grapnel.AsError(err)
	level := slog.LevelInfo
	switch {
	case e.Told:
		level = slog.LevelDebug
	case e.Status >= 500 || e.Code == grapnel.CodePluginFailed:
		level = slog.LevelWarn
	}
	x.Log.Log(x.Request.Context(), level, "exchange failed", "request_id", x.ID, "status", e.Status, "code", e.Code, "message", e.Message, "error", cause(e))
	if e.Reply != nil {
		return e.Reply
	}
	return f.page(x, e)
}

// page is the response that tells the client of a failure.
func (f *failures) page(x *grapnel.Exchange, err error) *http.Response {
	e := grapnel.AsError(err)
	header := e.Header.Clone()
	if header == nil {
		header = http.Header{}
	}
	header.Set("X-Request-Id", x.ID)
	contentType, body := f.body(x.Request, e)
	header.Set("Content-Type", contentType)
	return grapnel.Reply(e.Status, header, body)
}

func cause(e *grapnel.Error) string {
	if e.Err == nil {
		return ""
	}
	return e.Err.Error()
}

// body renders the message in the format that the request speaks [S-51].
func (f *failures) body(r *http.Request, e *grapnel.Error) (contentType string, body []byte) {
	switch e.Code {
	case grapnel.CodeNotFound, grapnel.CodeBodyTooLarge: // never templated [S-54]
		return "text/plain; charset=utf-8", []byte(e.Message)
	case grapnel.CodeGraphQL: // the form that its clients know
		return "application/json", fmt.Appendf(nil, `{"errors":[{"message":"%s"}]}`, jsonText(e.Message))
	}
	mediaType, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch mediaType {
	case "application/xml", "text/xml", "application/soap+xml":
		return "application/xml", f.render("xml", e)
	}
	return "application/json", f.render("json", e)
}

func (f *failures) render(format string, e *grapnel.Error) []byte {
	message := e.Message
	switch {
	case format == "json":
		message = jsonText(message)
	case !f.verbatimXML:
		message = xmlText(message)
	}
	for _, name := range []string{fmt.Sprintf("error_%d.%s", e.Status, format), "error." + format} {
		t := f.templates[name]
		if t == nil {
			continue
		}
		var b bytes.Buffer
		data := struct {
			Message    string
			StatusCode int
		}{message, e.Status}
		if err := t.Execute(&b, data); err == nil {
			return b.Bytes()
		}
	}
	if format == "xml" {
		return []byte(xmlDeclaration + "<error>" + message + "</error>\n")
	}
	return []byte("{\n    \"error\": \"" + message + "\"\n}")
}

// jsonText is the message as it stands between the quotes of a JSON string.
// The escapes are those of the original, but for the apostrophe, which it
// escapes in a way that JSON does not know.
func jsonText(s string) string {
	return strings.ReplaceAll(template.JSEscapeString(s), `\'`, `'`)
}

// xmlText is the message as text of an XML element.
func xmlText(s string) string {
	var b strings.Builder
	xml.EscapeText(&b, []byte(s)) // a strings.Builder takes everything
	return b.String()
}

// errPanic is the cause that the log names when a handler panicked.
var errPanic = errors.New("panic")
