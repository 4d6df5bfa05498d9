package grapnel

import "time"

// An EventType names something that happened and that an API's owner may want
// to hear of. The names are those of the original [E, 11.1].
type EventType string

// The events that this gateway fires.
const (
	EventAuthFailure    EventType = "AuthFailure"
	EventVersionFailure EventType = "VersionFailure"
	EventKeyExpired     EventType = "KeyExpired"
	EventRateExceeded   EventType = "RatelimitExceeded"
	EventQuotaExceeded  EventType = "QuotaExceeded"
	EventTokenCreated   EventType = "TokenCreated"
	EventTokenUpdated   EventType = "TokenUpdated"
	EventTokenDeleted   EventType = "TokenDeleted"
)

// EventTypes lists the events that this gateway fires.
func EventTypes() []EventType {
	return []EventType{
		EventAuthFailure, EventVersionFailure, EventKeyExpired, EventRateExceeded, EventQuotaExceeded,
		EventTokenCreated, EventTokenUpdated, EventTokenDeleted,
	}
}

// An Event is something that happened to one exchange.
type Event struct {
	Type    EventType
	API     *API
	Time    time.Time
	Message string
	// Path and Origin are the request's path and the client's address; Key
	// is the credential that was presented. Any may be empty.
	Path, Origin, Key string
	// Reason is why a version was refused; empty for other events.
	Reason string
	// Request is the request in wire form, without its body.
	Request []byte
}

// Events is told what happened. Fire never blocks and never fails: what cannot
// be kept is counted and dropped. Its text is the event's message, and for
// EventVersionFailure the reason: the message of that one never varies [E-7].
type Events interface {
	Fire(*Exchange, EventType, string)
}

// An EventHandler names what is told of an event: a plugin server, a webhook, or
// else the log.
type EventHandler struct {
	// Plugin names the plugin server that is told.
	Plugin string `yaml:"plugin"`
	// Name is the handler's name as the plugin knows it; for the log, the
	// line's prefix.
	Name string `yaml:"handler"`
	// Webhook is the HTTP endpoint that is told.
	Webhook *Webhook `yaml:"webhook"`
}

// A Webhook is an HTTP endpoint that is told of events. A delivery that fails is
// tried again, for about half a minute [11.2].
type Webhook struct {
	// URL is where it is called, and has to be given.
	URL *URL `yaml:"url"`
	// Method is how it is called: GET, POST, PUT, PATCH or DELETE.
	Method string `yaml:"method"`
	// Headers are added to the call.
	Headers map[string]string `yaml:"headers"`
	// Template is a file with a Go template of the body, over Type,
	// TimeStamp and Meta.Message, .Path, .Origin and .Key, which are escaped
	// as in JSON. Without one, the body is a JSON object with event, message,
	// path, origin and key.
	Template string `yaml:"template"`
	// Timeout bounds each try.
	Timeout Duration `yaml:"timeout"`
	// Quiet is the time in which equal calls are made once only.
	Quiet Duration `yaml:"quiet"`
}

// SetDefaults makes the call a POST that may take ten seconds.
func (w *Webhook) SetDefaults() {
	w.Method = "POST"
	w.Timeout = Duration(10 * time.Second)
}
