package grapnel

import (
	"bytes"
	"encoding/json"
	"strings"
)

// The stored form of sessions is shared with the original, which writes it in
// two ways: with every key, or without those that are zero [S-4]. Both are
// read. What is written has every key, as the original's control API prints it,
// and the keys that this gateway does not know as they were read [Z-23].

// sessionFields and rightFields are the plain structs, without methods.
type (
	sessionFields Session
	rightFields   AccessDefinition
)

// storedSession is a session as its JSON has it.
type storedSession struct {
	*sessionFields
	AccessRights map[string]storedRight `json:"access_rights"`
	Metadata     json.RawMessage        `json:"meta_data"`
	Tags         []string               `json:"tags"`
	// DetailRecording is the older name of DetailedRecording [S-2].
	DetailRecording bool            `json:"enable_detail_recording"`
	Smoothing       json.RawMessage `json:"smoothing"`
}

// storedRight is an access definition as its JSON has it, with the keys that
// the original always writes and this gateway only keeps.
type storedRight struct {
	rightFields
	RestrictedTypes      json.RawMessage `json:"restricted_types"`
	AllowedTypes         json.RawMessage `json:"allowed_types"`
	FieldAccessRights    json.RawMessage `json:"field_access_rights"`
	DisableIntrospection json.RawMessage `json:"disable_introspection"`
}

// UnmarshalJSON reads the stored form. Numbers in the metadata become
// json.Number, so that they are written back digit by digit.
func (s *Session) UnmarshalJSON(data []byte) error {
	var read Session
	form := storedSession{sessionFields: (*sessionFields)(&read)}
	if err := json.Unmarshal(data, &form); err != nil {
		return err
	}
	if len(form.Metadata) > 0 {
		d := json.NewDecoder(bytes.NewReader(form.Metadata))
		d.UseNumber()
		if err := d.Decode(&read.Metadata); err != nil {
			return err
		}
	}
	if len(form.Tags) > 0 {
		read.Tags = form.Tags
	}
	read.DetailedRecording = read.DetailedRecording || form.DetailRecording
	var rights json.RawMessage
	extra, err := unknown(data, func(key string, value []byte) shape {
		if strings.EqualFold(key, "access_rights") {
			rights = value
		}
		return shapeInSession(key, value)
	})
	if err != nil {
		return err
	}
	read.Extra = extra
	if read.AccessRights, err = readRights(form.AccessRights, rights); err != nil {
		return err
	}
	*s = read
	return nil
}

// readRights gives every right its unknown keys, which it finds in the text.
func readRights(forms map[string]storedRight, text []byte) (map[string]AccessDefinition, error) {
	if forms == nil {
		return nil, nil
	}
	out := make(map[string]AccessDefinition, len(forms))
	for id, form := range forms {
		out[id] = AccessDefinition(form.rightFields)
	}
	err := members(text, func(id string, value []byte) error {
		extra, err := unknown(value, shapeInRight)
		if right := out[id]; extra != nil {
			right.Extra = extra
			out[strings.Clone(id)] = right
		}
		return err
	})
	return out, err
}

// MarshalJSON writes the stored form.
func (s Session) MarshalJSON() ([]byte, error) {
	form := storedSession{sessionFields: (*sessionFields)(&s), Tags: s.Tags, DetailRecording: s.DetailedRecording}
	if form.Tags == nil {
		form.Tags = []string{} // the original's list is never null
	}
	if s.Metadata != nil {
		meta, err := json.Marshal(s.Metadata)
		if err != nil {
			return nil, err
		}
		form.Metadata = meta
	}
	extra := map[string]json.RawMessage{}
	for key, value := range s.Extra {
		if key == "smoothing" {
			form.Smoothing = value
		} else {
			extra[key] = value
		}
	}
	if s.AccessRights != nil {
		form.AccessRights = make(map[string]storedRight, len(s.AccessRights))
		for id, right := range s.AccessRights {
			stored, rest := right.stored()
			form.AccessRights[id] = stored
			if len(rest) > 0 {
				return s.marshalByParts(form, extra)
			}
		}
	}
	return encode(form, extra)
}

// marshalByParts writes a session some of whose rights have keys that no struct
// here names.
func (s Session) marshalByParts(form storedSession, extra map[string]json.RawMessage) ([]byte, error) {
	b, err := json.Marshal(struct {
		storedSession
		AccessRights map[string]AccessDefinition `json:"access_rights"`
	}{form, s.AccessRights})
	if err != nil {
		return nil, err
	}
	return merge(b, extra)
}

// UnmarshalJSON reads the stored form.
func (a *AccessDefinition) UnmarshalJSON(data []byte) error {
	var form storedRight
	if err := json.Unmarshal(data, &form); err != nil {
		return err
	}
	extra, err := unknown(data, shapeInRight)
	form.Extra = extra
	*a = AccessDefinition(form.rightFields)
	return err
}

// shapeInSession is the shape of a member of a session. What is written in any
// case, and says nothing, need not be kept.
func shapeInSession(key string, value []byte) shape {
	if key == "smoothing" && string(value) == "null" {
		return opaque
	}
	return sessionShape(key)
}

// shapeInRight is the same in a right.
func shapeInRight(key string, value []byte) shape {
	switch key {
	case "restricted_types", "allowed_types", "field_access_rights":
		if string(value) == "null" {
			return opaque
		}
	case "disable_introspection":
		if string(value) == "false" {
			return opaque
		}
	}
	return rightShape(key)
}

// MarshalJSON writes the stored form.
func (a AccessDefinition) MarshalJSON() ([]byte, error) {
	form, rest := a.stored()
	return encode(form, rest)
}

// stored is the right as it is written, and what of Extra has no place in that.
func (a AccessDefinition) stored() (storedRight, map[string]json.RawMessage) {
	form := storedRight{rightFields: rightFields(a), DisableIntrospection: json.RawMessage("false")}
	var rest map[string]json.RawMessage
	for key, value := range a.Extra {
		switch key {
		case "restricted_types":
			form.RestrictedTypes = value
		case "allowed_types":
			form.AllowedTypes = value
		case "field_access_rights":
			form.FieldAccessRights = value
		case "disable_introspection":
			form.DisableIntrospection = value
		default:
			if rest == nil {
				rest = map[string]json.RawMessage{}
			}
			rest[key] = value
		}
	}
	return form, rest
}
