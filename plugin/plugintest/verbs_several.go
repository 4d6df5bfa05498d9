package plugintest

import (
	"strings"

	"github.com/grapnel-gateway/grapnel/proto/coprocess"
)

// several runs the verbs about headers, parameters and trailers with all their
// values.
func (t *turn) several(verb, arg string) bool {
	r := t.object.GetRequest()
	if r == nil {
		r = &coprocess.MiniRequestObject{}
	}
	name, list, _ := strings.Cut(arg, "=")
	var values []string
	if list != "" {
		values = strings.Split(list, ",")
	}
	header, param := &coprocess.Header{Key: name, Values: values}, &coprocess.Param{Name: name, Values: values}
	switch verb {
	case "mv":
		r.MultivalueHeaders = append(without(r.MultivalueHeaders, name), header)
	case "add":
		r.AppendHeaders = append(r.AppendHeaders, header)
	case "mvparam":
		r.MultivalueParams = append(r.MultivalueParams, param)
	case "addparam":
		r.AppendParams = append(r.AppendParams, param)
	case "trailer":
		r.Trailers = append(r.Trailers, header)
	case "ovmv":
		if r.ReturnOverrides == nil {
			r.ReturnOverrides = &coprocess.ReturnOverrides{}
		}
		r.ReturnOverrides.MultivalueHeaders = append(r.ReturnOverrides.MultivalueHeaders, header)
	default:
		return false
	}
	t.object.Request = r
	return true
}
