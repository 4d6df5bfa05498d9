package tryout

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protojson"

	"github.com/grapnel-gateway/grapnel"
	wire "github.com/grapnel-gateway/grapnel/proto/coprocess"
)

// A Question is what to ask a plugin server.
type Question struct {
	// Object is the message as protobuf JSON, which the other fields change
	// where they are not empty. Nil is a plain GET request of /.
	Object []byte
	// Stage and Hook say which of the server's functions is meant.
	Stage grapnel.Stage
	Hook  string
	// Method, URL (path and query), Header and Body are those of the
	// request. Params are added to those of the URL.
	Method, URL string
	Header      http.Header
	Params      map[string]string
	Body        []byte
	// Session is a SessionState as protobuf JSON, Config the API's
	// config_data; nil is none.
	Session, Config []byte
	// Reply is the upstream's, for Response hooks.
	Reply Reply
}

// A Reply is the upstream's answer that a Response hook sees.
type Reply struct {
	Status int // 0 is 200
	Header http.Header
	Body   []byte
}

// ParseStage reads the name of a stage, as in configurations.
func ParseStage(name string) (grapnel.Stage, error) {
	for stage := grapnel.Pre; stage <= grapnel.Response; stage++ {
		if stage.String() == name {
			return stage, nil
		}
	}
	return 0, fmt.Errorf("%q is not a stage; they are pre, auth, post_key_auth, post and response", name)
}

// hookType is the stage on the wire.
func hookType(s grapnel.Stage) wire.HookType {
	switch s {
	case grapnel.Pre:
		return wire.HookType_Pre
	case grapnel.Auth:
		return wire.HookType_CustomKeyCheck
	case grapnel.PostKeyAuth:
		return wire.HookType_PostKeyAuth
	case grapnel.Post:
		return wire.HookType_Post
	case grapnel.Response:
		return wire.HookType_Response
	}
	return wire.HookType_Unknown
}

// Message makes the Object that is sent. JSON that is no message and a URL that
// cannot be read are errors.
func (q Question) Message() (*wire.Object, error) {
	o, err := q.begin()
	if err != nil {
		return nil, err
	}
	if q.Hook != "" {
		o.HookName = q.Hook
	}
	if q.Session != nil {
		o.Session = &wire.SessionState{}
		if err := protojson.Unmarshal(q.Session, o.Session); err != nil {
			return nil, fmt.Errorf("the session: %w", err)
		}
		o.Metadata = maps.Clone(o.Session.Metadata) // [B-21]
	}
	if q.Config != nil {
		put(&o.Spec, "config_data", string(q.Config))
	}
	if err := q.request(o); err != nil {
		return nil, err
	}
	q.reply(o)
	return o, nil
}

// begin makes the Object that the rest of the question changes.
func (q Question) begin() (*wire.Object, error) {
	if q.Object != nil {
		o := &wire.Object{}
		if err := protojson.Unmarshal(q.Object, o); err != nil {
			return nil, fmt.Errorf("the Object: %w", err)
		}
		if q.Stage != 0 {
			o.HookType = hookType(q.Stage)
		}
		return o, nil
	}
	o := &wire.Object{
		HookType: hookType(cmp.Or(q.Stage, grapnel.Pre)),
		Spec:     map[string]string{"APIID": "try", "OrgID": "", "bundle_hash": ""},
		Request: &wire.MiniRequestObject{
			Method: http.MethodGet, Url: "/", RequestUri: "/", Scheme: "http",
			Headers:         map[string]string{"Host": "localhost"},
			ReturnOverrides: &wire.ReturnOverrides{ResponseCode: -1},
		},
	}
	if q.Stage == grapnel.Response {
		o.Session = &wire.SessionState{} // that of nobody [B-22]
		o.Response = &wire.ResponseObject{StatusCode: http.StatusOK}
	}
	return o, nil
}

// request puts what the question says of the request into the Object.
func (q Question) request(o *wire.Object) error {
	if o.Request == nil {
		o.Request = &wire.MiniRequestObject{}
	}
	r := o.Request
	r.Method = cmp.Or(q.Method, r.Method)
	for _, name := range slices.Sorted(maps.Keys(q.Header)) {
		values := q.Header[name]
		put(&r.Headers, name, values[0])
		if len(values) > 1 {
			r.MultivalueHeaders = append(r.MultivalueHeaders, &wire.Header{Key: name, Values: values})
		}
	}
	if q.Body != nil {
		r.RawBody, r.Body = q.Body, text(q.Body)
	}
	if q.URL == "" && len(q.Params) == 0 {
		return nil
	}
	u, err := url.ParseRequestURI(cmp.Or(q.URL, r.Url, "/"))
	if err != nil {
		return fmt.Errorf("the URL: %w", err)
	}
	for _, name := range slices.Sorted(maps.Keys(q.Params)) {
		u.RawQuery = strings.TrimPrefix(u.RawQuery+"&"+url.Values{name: {q.Params[name]}}.Encode(), "&")
	}
	r.Url, r.RequestUri, r.Params, r.MultivalueParams = u.String(), u.RequestURI(), nil, nil
	query := u.Query()
	for _, name := range slices.Sorted(maps.Keys(query)) {
		put(&r.Params, name, query[name][0])
		if len(query[name]) > 1 {
			r.MultivalueParams = append(r.MultivalueParams, &wire.Param{Name: name, Values: query[name]})
		}
	}
	return nil
}

// reply puts what the question says of the upstream's reply into the Object.
func (q Question) reply(o *wire.Object) {
	if q.Reply.Status == 0 && len(q.Reply.Header) == 0 && q.Reply.Body == nil {
		return
	}
	if o.Response == nil {
		o.Response = &wire.ResponseObject{}
	}
	r := o.Response
	r.StatusCode = cmp.Or(int32(q.Reply.Status), r.StatusCode)
	for _, name := range slices.Sorted(maps.Keys(q.Reply.Header)) {
		values := q.Reply.Header[name]
		put(&r.Headers, name, values[0])
		r.MultivalueHeaders = append(r.MultivalueHeaders, &wire.Header{Key: name, Values: values})
	}
	if q.Reply.Body != nil {
		r.RawBody, r.Body = q.Reply.Body, text(q.Reply.Body)
	}
}

// put sets an entry of a map that may not be there yet.
func put(m *map[string]string, key, value string) {
	if *m == nil {
		*m = map[string]string{}
	}
	(*m)[key] = value
}

// text is the copy of a body in the fields that hold text.
func text(body []byte) string {
	if utf8.Valid(body) {
		return string(body)
	}
	return ""
}
