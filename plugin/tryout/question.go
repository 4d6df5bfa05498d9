package tryout

import (
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

// A Question is what to ask a plugin server. What is left out is as in a plain
// GET request of /, or as Object says.
type Question struct {
	// Object is a whole Object as protobuf JSON to begin with; nil is none.
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
	o := &wire.Object{}
	if q.Object != nil {
		if err := protojson.Unmarshal(q.Object, o); err != nil {
			return nil, fmt.Errorf("the Object: %w", err)
		}
	} else {
		q = q.withDefaults()
	}
	if q.Stage != 0 {
		o.HookType = hookType(q.Stage)
	}
	set(&o.HookName, q.Hook)
	if err := q.request(o); err != nil {
		return nil, err
	}
	if q.Session != nil {
		o.Session = &wire.SessionState{}
		if err := protojson.Unmarshal(q.Session, o.Session); err != nil {
			return nil, fmt.Errorf("the session: %w", err)
		}
		o.Metadata = maps.Clone(o.Session.Metadata)
	}
	if q.Config != nil {
		put(&o.Spec, "config_data", string(q.Config))
	}
	if q.Object == nil || !q.Reply.empty() {
		q.reply(o)
	}
	return o, nil
}

// withDefaults is the question about a plain request of an API called try.
func (q Question) withDefaults() Question {
	if q.Stage == 0 {
		q.Stage = grapnel.Pre
	}
	set(&q.Method, cmpOr(q.Method, http.MethodGet))
	set(&q.URL, cmpOr(q.URL, "/"))
	if q.Stage == grapnel.Response && q.Session == nil {
		q.Session = []byte("{}") // as a gateway does for an unknown caller [B-22]
	}
	return q
}

// request puts what the question says of the request into the Object.
func (q Question) request(o *wire.Object) error {
	if o.Request == nil && (q.Object == nil || q.Method+q.URL != "" || len(q.Header)+len(q.Params)+len(q.Body) > 0) {
		o.Request = &wire.MiniRequestObject{Scheme: "http", ReturnOverrides: &wire.ReturnOverrides{ResponseCode: -1}}
		put(&o.Request.Headers, "Host", "localhost")
	}
	if q.Object == nil {
		o.Spec = map[string]string{"APIID": "try", "OrgID": "", "bundle_hash": ""}
	}
	set(&o.GetRequest().Method, q.Method)
	for name, values := range q.Header {
		put(&o.Request.Headers, http.CanonicalHeaderKey(name), values[0])
	}
	if q.Body != nil {
		o.Request.RawBody, o.Request.Body = q.Body, text(q.Body)
	}
	return q.location(o)
}

// location puts URL and parameters into the Object. Parameters that are given
// by themselves are part of the query, as they would be on the wire.
func (q Question) location(o *wire.Object) error {
	if q.URL == "" && len(q.Params) == 0 {
		return nil
	}
	u, err := url.ParseRequestURI(cmpOr(q.URL, o.Request.Url, "/"))
	if err != nil {
		return fmt.Errorf("the URL: %w", err)
	}
	query := u.Query()
	for _, name := range slices.Sorted(maps.Keys(q.Params)) {
		added := url.QueryEscape(name) + "=" + url.QueryEscape(q.Params[name])
		u.RawQuery = strings.TrimPrefix(u.RawQuery+"&"+added, "&")
		query.Set(name, q.Params[name])
	}
	o.Request.Url, o.Request.RequestUri = u.String(), u.RequestURI()
	for name := range query {
		put(&o.Request.Params, name, query.Get(name))
	}
	return nil
}
