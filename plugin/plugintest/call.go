package plugintest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"google.golang.org/protobuf/encoding/protojson"

	"github.com/grapnel-gateway/grapnel/proto/coprocess"
)

// A Call is one Dispatch call as the server saw it.
type Call struct {
	// Object is what was received.
	Object *coprocess.Object
	// Timeout is what the caller's deadline left on arrival; 0 is no
	// deadline.
	Timeout time.Duration
	// Authority is the :authority of the call.
	Authority string
	// Cancelled says that the caller gave up before there was an answer.
	Cancelled bool
}

// wireCall is a Call as JSON.
type wireCall struct {
	Object    json.RawMessage `json:"object"`
	Timeout   time.Duration   `json:"timeout_ns"`
	Authority string          `json:"authority"`
	Cancelled bool            `json:"cancelled"`
}

// MarshalJSON writes the call, the Object as protobuf JSON with the field
// names of the .proto files.
func (c Call) MarshalJSON() ([]byte, error) {
	o, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(c.Object)
	if err != nil {
		return nil, fmt.Errorf("object of a call: %w", err)
	}
	return json.Marshal(wireCall{o, c.Timeout, c.Authority, c.Cancelled})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (c *Call) UnmarshalJSON(b []byte) error {
	var w wireCall
	if err := json.Unmarshal(b, &w); err != nil {
		return err
	}
	o := &coprocess.Object{}
	if err := protojson.Unmarshal(w.Object, o); err != nil {
		return fmt.Errorf("object of a call: %w", err)
	}
	*c = Call{o, w.Timeout, w.Authority, w.Cancelled}
	return nil
}

// ServeHTTP tells what the script remembers, as JSON: /calls?case=ID the
// calls, /events the payloads of events.
func (s *Script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var v any
	switch r.URL.Path {
	case "/calls":
		v = s.Calls(r.URL.Query().Get("case"))
	case "/events":
		v = s.Events()
	default:
		http.NotFound(w, r)
		return
	}
	b, err := json.Marshal(v)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Write(b)
}
