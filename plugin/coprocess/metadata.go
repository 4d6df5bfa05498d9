package coprocess

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"

	"github.com/grapnel-gateway/grapnel"
)

// giveTypes puts into metadata, which is texts, what a plugin returned of it as
// JSON [L-30]. A text that says something else is the older word, and wins; the
// token is a text always.
func giveTypes(metadata map[string]any, typed map[string]json.RawMessage) error {
	for key, value := range typed {
		v, err := parseJSON(key, value)
		if err != nil {
			return err
		}
		if old, has := metadata[key]; key != "token" && (!has || old == string(value)) {
			metadata[key] = v
		}
	}
	return nil
}

// parseJSON reads a value whose numbers keep their digits.
func parseJSON(key string, value []byte) (any, error) {
	var v any
	d := json.NewDecoder(bytes.NewReader(value))
	d.UseNumber()
	if !json.Valid(value) || d.Decode(&v) != nil {
		return nil, fmt.Errorf("session.metadata_json[%.64q]: not JSON", key)
	}
	return v, nil
}

// written is the session of the exchange with what the answer changes of its
// metadata, where the hook keeps that [L-21]; nil is as it was. Of several words
// about one entry the first counts that is not what was sent: that of metadata,
// of session.metadata, of session.metadata_json. Each of them changes nothing if
// it is missing as a whole. The token and the policies, which say what a session
// may do, are not for changing.
func (b *binding) written(x *grapnel.Exchange, a *answer) (*grapnel.Session, error) {
	if !b.keeps || x.Session == nil {
		return nil, nil
	}
	sent := make(map[string]string, len(x.Session.Metadata))
	for key, value := range x.Session.Metadata {
		if s, ok := metadataText(value); ok {
			sent[text(key)] = text(s)
		}
	}
	kept := maps.Clone(x.Session.Metadata)
	if kept == nil {
		kept = map[string]any{}
	}
	fixed := map[string]bool{"token": true, "policies": true}
	edited := maps.Clone(fixed)
	inner := map[string]string{}
	if a.session != nil {
		for key, value := range a.session.Metadata {
			inner[key], _ = value.(string)
		}
	}
	for _, texts := range []map[string]string{a.metadata, inner} {
		keep(kept, sent, texts, edited)
	}
	if b.client.tyk {
		a.typed = nil
	}
	for key, value := range a.typed {
		v, err := parseJSON(key, value)
		if err != nil {
			return nil, err
		}
		now, has := kept[key]
		is, _ := metadataText(now)
		same := has && is == string(value)
		if !fixed[key] && edited[key] == same { // a type for a new text, or a new value
			kept[key], edited[key] = v, true
		}
	}
	if len(edited) == len(fixed) {
		return nil, nil
	}
	s := *x.Session
	s.Metadata = kept
	return &s, nil
}

// keep makes the changes of one map of texts, but to what was edited before.
func keep(kept map[string]any, sent, texts map[string]string, edited map[string]bool) {
	if len(texts) == 0 {
		return
	}
	for key, value := range texts {
		if was, had := sent[key]; !edited[key] && (!had || was != value) {
			kept[key], edited[key] = value, true
		}
	}
	for key := range sent {
		if _, has := texts[key]; !has && !edited[key] {
			delete(kept, key)
			edited[key] = true
		}
	}
}
