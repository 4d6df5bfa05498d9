package auth

import (
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/antchfx/xmlquery"
	"github.com/antchfx/xpath"

	"github.com/grapnel-gateway/grapnel"
)

// An Extractor finds the id of a request's caller in it [I-1].
type Extractor struct {
	from func(*grapnel.Exchange) (string, error)
	with func(text string) string // empty is not found
}

// maxXML bounds the documents that are searched: a document in memory takes many
// times its length.
const maxXML = 1 << 20

// NewExtractor makes an extractor of its configuration. An error is a
// configuration that would find nothing in any request, or the same in all: every
// caller would then share one session [I-8, L-33].
func NewExtractor(c grapnel.Extractor) (*Extractor, error) {
	from, err := source(c)
	if err != nil {
		return nil, err
	}
	with, err := reading(c)
	if err != nil {
		return nil, err
	}
	return &Extractor{from, with}, nil
}

// Extract returns the text that identifies the caller. Whatever is missing is 400
// [I-6]; nothing at all identifies nobody.
func (e *Extractor) Extract(x *grapnel.Exchange) (string, error) {
	text, err := e.from(x)
	if err != nil {
		if refused, ok := errors.AsType[*grapnel.Error](err); ok {
			return "", refused // a body over the limit
		}
		return "", missing(err)
	}
	if text == "" {
		return "", missing(nil)
	}
	if text = e.with(text); text == "" {
		return "", missing(nil)
	}
	return text, nil
}

func missing(cause error) *grapnel.Error {
	e := refuse(http.StatusBadRequest, "Authorization field missing")
	e.Err = cause
	return e
}

// source says where the text comes from.
func source(c grapnel.Extractor) (func(*grapnel.Exchange) (string, error), error) {
	switch c.From {
	case "header":
		if c.Header == "" {
			return nil, errors.New("id_extractor: header is needed to extract from a header")
		}
		return func(x *grapnel.Exchange) (string, error) { return x.Request.Header.Get(c.Header), nil }, nil
	case "form":
		if c.Param == "" {
			return nil, errors.New("id_extractor: param is needed to extract from a form")
		}
		return func(x *grapnel.Exchange) (string, error) { return formValue(x, c.Param) }, nil
	case "body":
		if c.With == "value" {
			return nil, errors.New("id_extractor: a body has no value of its own: all callers would share one session; take a regex or xpath")
		}
		return func(x *grapnel.Exchange) (string, error) {
			b, err := x.Body() // restores it [I-9]
			return string(b), err
		}, nil
	}
	return nil, fmt.Errorf("id_extractor: extract_from %q: it is header, form or body", c.From)
}

// formValue joins all values of a parameter, those of a urlencoded body before
// those of the query [I-3]. Other forms are not read [I-7].
func formValue(x *grapnel.Exchange, param string) (string, error) {
	r := x.Request
	var values []string
	switch mediaType, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); {
	case mediaType != "application/x-www-form-urlencoded":
	case r.Method == http.MethodPost || r.Method == http.MethodPut || r.Method == http.MethodPatch:
		b, err := x.Body()
		if err != nil {
			return "", err
		}
		form, err := url.ParseQuery(string(b))
		if err != nil {
			return "", err
		}
		values = form[param]
	}
	return strings.Join(append(values, r.URL.Query()[param]...), ""), nil
}

// reading says what of the text identifies the caller.
func reading(c grapnel.Extractor) (func(string) string, error) {
	switch c.With {
	case "value":
		return func(text string) string { return text }, nil
	case "regex":
		expression, err := regexp.Compile(c.Expression)
		switch {
		case err != nil:
			return nil, fmt.Errorf("id_extractor: %w", err)
		case c.Expression == "":
			return nil, errors.New("id_extractor: expression is needed to extract with a regex")
		case c.Index < 0:
			return nil, fmt.Errorf("id_extractor: index %d is negative", c.Index)
		}
		return func(text string) string { return match(expression, text, c.Index) }, nil
	case "xpath":
		expression, err := xpath.Compile(c.Expression)
		if err != nil {
			return nil, fmt.Errorf("id_extractor: %q is not an XPath: %w", c.Expression, err)
		}
		if _, ok := expression.Evaluate(xmlquery.CreateXPathNavigator(&xmlquery.Node{Type: xmlquery.DocumentNode})).(*xpath.NodeIterator); !ok {
			return nil, fmt.Errorf("id_extractor: the XPath %q does not select nodes", c.Expression)
		}
		return func(text string) string { return node(expression, text) }, nil
	}
	return nil, fmt.Errorf("id_extractor: extract_with %q: it is value, regex or xpath", c.With)
}

// match is the whole of the match with the index; groups do not count [I-4].
func match(expression *regexp.Regexp, text string, index int) string {
	if all := expression.FindAllString(text, index+1); len(all) > index {
		return all[index]
	}
	return ""
}

// node is the text of the first node that the expression selects [I-5].
func node(expression *xpath.Expr, text string) string {
	if len(text) > maxXML {
		return ""
	}
	document, err := xmlquery.Parse(strings.NewReader(text))
	if err != nil {
		return ""
	}
	found := xmlquery.QuerySelector(document, expression)
	if found == nil {
		return ""
	}
	return found.InnerText()
}
