package plugintest

import (
	"context"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/grapnel-gateway/grapnel/proto/coprocess"
)

// A turn is one call on its way through the verbs of its hook.
type turn struct {
	ctx     context.Context
	object  *coprocess.Object
	die     func()
	name    string
	escaped bool
	stop    bool
	err     error
}

// run runs the verbs until one fails or stops.
func (t *turn) run(verbs string) {
	for verb := range strings.SplitSeq(verbs, ";") {
		name, arg, _ := strings.Cut(verb, " ")
		if t.escaped {
			arg = unescape(arg)
		}
		_ = t.request(name, arg) || t.several(name, arg) || t.overrides(name, arg) || t.response(name, arg) ||
			t.session(name, arg) || t.hostile(name, arg)
		if t.stop || t.err != nil {
			return
		}
	}
}

// request runs the verbs that change the request; like its siblings it reports
// whether the verb was its own.
func (t *turn) request(verb, arg string) bool {
	r := t.object.GetRequest()
	if r == nil {
		r = &coprocess.MiniRequestObject{}
	}
	key, value, _ := strings.Cut(arg, "=")
	switch verb {
	case "set":
		put(&r.SetHeaders, key, value)
	case "del":
		r.DeleteHeaders = append(r.DeleteHeaders, arg)
	case "copy":
		put(&r.SetHeaders, value, r.GetHeaders()[key])
	case "self":
		put(&r.SetHeaders, arg, t.name)
	case "param":
		put(&r.AddParams, key, value)
	case "delparam":
		r.DeleteParams = append(r.DeleteParams, arg)
	case "url":
		r.Url = arg
	case "method":
		r.Method = arg
	case "raw":
		r.RawBody = []byte(arg)
	case "body":
		r.Body = arg
	case "clearraw":
		r.RawBody = nil
	default:
		return false
	}
	t.object.Request = r
	return true
}

// overrides runs the verbs that answer the client.
func (t *turn) overrides(verb, arg string) bool {
	o := t.object.GetRequest().GetReturnOverrides()
	if o == nil {
		o = &coprocess.ReturnOverrides{}
	}
	switch verb {
	case "ov":
		o.ResponseCode = int32(number(arg))
	case "overr":
		o.ResponseError = arg
	case "ovbody":
		o.ResponseBody = arg
	case "ovflag":
		o.OverrideError = true
	case "ovh":
		key, value, _ := strings.Cut(arg, "=")
		put(&o.Headers, key, value)
	default:
		return false
	}
	if t.object.Request == nil {
		t.object.Request = &coprocess.MiniRequestObject{}
	}
	t.object.Request.ReturnOverrides = o
	return true
}

// response runs the verbs that change the upstream's reply.
func (t *turn) response(verb, arg string) bool {
	r := t.object.GetResponse()
	if r == nil {
		r = &coprocess.ResponseObject{}
	}
	key, value, _ := strings.Cut(arg, "=")
	switch verb {
	case "rh":
		put(&r.Headers, key, value)
	case "rdel":
		delete(r.Headers, arg)
	case "rmv":
		r.MultivalueHeaders = append(r.MultivalueHeaders, &coprocess.Header{Key: key, Values: strings.Split(value, ",")})
	case "rmvdel":
		r.MultivalueHeaders = without(r.MultivalueHeaders, arg)
	case "rraw":
		r.RawBody = []byte(arg)
	case "rbody":
		r.Body = arg
	case "rstatus":
		r.StatusCode = int32(number(arg))
	case "rnil":
		r = nil
	default:
		return false
	}
	t.object.Response = r
	return true
}

// session runs the verbs of authentication.
func (t *turn) session(verb, arg string) bool {
	o, s := t.object, t.object.GetSession()
	if s == nil {
		s = &coprocess.SessionState{}
	}
	key, value, _ := strings.Cut(arg, "=")
	switch verb {
	case "auth":
		if o.GetRequest().GetHeaders()["Authorization"] != arg {
			t.overrides("ov", "403")
			t.stop = t.overrides("overr", "wrong credentials")
			return true
		}
		o.Session = &coprocess.SessionState{Rate: 1000, Per: 1, QuotaMax: -1}
		o.Metadata = map[string]string{"token": arg}
	case "notoken":
		o.Metadata = nil
	case "nosession":
		o.Session = nil
	case "meta":
		put(&o.Metadata, key, value)
	case "rate":
		s.Rate, s.Per = float64(number(key)), float64(number(value))
		o.Session = s
	case "quota":
		s.QuotaMax, s.QuotaRemaining, s.QuotaRenewalRate = number(key), number(key), number(value)
		o.Session = s
	case "deadline":
		s.IdExtractorDeadline = time.Now().Unix() + number(arg)
		o.Session = s
	case "rpc":
		t.err = status.Error(codes.Code(number(arg)), "scripted failure")
	default:
		return false
	}
	return true
}

func put(m *map[string]string, key, value string) {
	if *m == nil {
		*m = map[string]string{}
	}
	(*m)[key] = value
}

func without(hs []*coprocess.Header, key string) []*coprocess.Header {
	kept := hs[:0]
	for _, h := range hs {
		if h.GetKey() != key {
			kept = append(kept, h)
		}
	}
	return kept
}

// number reads a number; what is none counts as 0, so that a script cannot
// take the server down.
func number(s string) int64 {
	n, _ := strconv.ParseInt(s, 10, 64)
	return n
}
