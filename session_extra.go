package grapnel

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"unicode/utf8"
)

// encode writes v, and extra into it.
func encode(v any, extra map[string]json.RawMessage) ([]byte, error) {
	b, err := json.Marshal(v)
	if err != nil || len(extra) == 0 {
		return b, err
	}
	return merge(b, extra)
}

// merge adds members to a JSON object. Objects that both sides have are merged
// in turn.
func merge(object []byte, extra map[string]json.RawMessage) ([]byte, error) {
	all := map[string]json.RawMessage{}
	if err := json.Unmarshal(object, &all); err != nil {
		return nil, err
	}
	for key, value := range extra {
		inner := map[string]json.RawMessage{}
		if known := all[key]; len(known) > 0 && known[0] == '{' && json.Unmarshal(value, &inner) == nil {
			var err error
			if value, err = merge(known, inner); err != nil {
				return nil, err
			}
		}
		all[key] = value
	}
	return json.Marshal(all)
}

// A shape says what is known about a key.
type shape int

const (
	foreign shape = iota // nothing
	opaque               // the whole value
	limited              // an object with an APILimit's keys
	basic                // an object with BasicAuthData's keys
	secret               // an object with JWTData's keys
	monitor              // an object with Monitor's keys
)

func sessionShape(key string) shape {
	switch strings.ToLower(key) {
	case "basic_auth_data":
		return basic
	case "jwt_data":
		return secret
	case "monitor":
		return monitor
	case "last_check", "allowance", "rate", "per", "throttle_interval", "throttle_retry_limit", "max_query_depth",
		"date_created", "expires", "quota_max", "quota_renews", "quota_remaining", "quota_renewal_rate", "access_rights",
		"org_id", "oauth_client_id", "oauth_keys", "certificate", "hmac_enabled", "enable_http_signature_validation",
		"hmac_string", "rsa_certificate_id", "is_inactive", "apply_policy_id", "apply_policies", "data_expires",
		"enable_detail_recording", "enable_detailed_recording", "meta_data", "tags", "alias", "last_updated",
		"id_extractor_deadline", "session_lifetime", "post_expiry_action", "post_expiry_grace_period":
		return opaque
	}
	return foreign
}

// folded are the letters that encoding/json takes for others, beside capitals.
var folded = strings.NewReplacer("\u017f", "s", "\u212a", "k")

// IsSessionKey reports whether a key of the stored form belongs to a field of
// Session, so that Extra must not have it.
func IsSessionKey(key string) bool { return sessionShape(folded.Replace(key)) != foreign }

// IsRightKey reports the same of an AccessDefinition.
func IsRightKey(key string) bool { return rightShape(folded.Replace(key)) != foreign }

func rightShape(key string) shape {
	switch strings.ToLower(key) {
	case "limit":
		return limited
	case "api_name", "api_id", "versions", "allowed_urls", "allowance_scope", "endpoints":
		return opaque
	}
	return foreign
}

// has reports whether a nested object of the shape has the key.
func (s shape) has(key string) bool {
	key = strings.ToLower(key)
	switch s {
	case limited:
		switch key {
		case "rate", "per", "throttle_interval", "throttle_retry_limit", "max_query_depth",
			"quota_max", "quota_renews", "quota_remaining", "quota_renewal_rate":
			return true
		}
	case basic:
		return key == "password" || key == "hash_type"
	case secret:
		return key == "secret"
	case monitor:
		return key == "trigger_limits"
	}
	return false
}

// unknown collects the members of an object that are foreign. Of a known object
// it keeps, as an object, those that its shape does not have.
func unknown(object []byte, known func(key string, value []byte) shape) (map[string]json.RawMessage, error) {
	var out map[string]json.RawMessage
	keep := func(key string, value []byte) {
		if out == nil {
			out = map[string]json.RawMessage{}
		}
		out[strings.Clone(key)] = bytes.Clone(value)
	}
	err := members(object, func(key string, value []byte) error {
		s := known(key, value)
		if s == opaque {
			return nil
		}
		if s == foreign {
			keep(key, value)
			return nil
		}
		var rest map[string]json.RawMessage
		err := members(value, func(key string, value []byte) error {
			if s.has(key) {
				return nil
			}
			if rest == nil {
				rest = map[string]json.RawMessage{}
			}
			rest[key] = value
			return nil
		})
		if err != nil || len(rest) == 0 {
			return err
		}
		b, err := json.Marshal(rest)
		keep(key, b)
		return err
	})
	return out, err
}

var errShape = errors.New("not a JSON object")

// members calls f for each member of a JSON object that was found valid. It
// takes null for an object without members. A key is a part of one copy of the
// object: who keeps it clones it.
func members(object []byte, f func(key string, value []byte) error) error {
	b := bytes.TrimSpace(object)
	if len(b) == 0 || string(b) == "null" {
		return nil
	}
	if b[0] != '{' || b[len(b)-1] != '}' {
		return errShape
	}
	text := string(b)
	for b = next(b[1:]); len(b) > 0 && b[0] == '"'; {
		n := valueEnd(b)
		at := len(text) - len(b) + 1
		key := text[at:max(at, at+n-2)]
		if strings.Contains(key, `\`) || !utf8.ValidString(key) {
			var read string // key itself would then always be on the heap
			if err := json.Unmarshal(b[:n], &read); err != nil {
				return err
			}
			key = read
		}
		b = next(b[n:])
		n = valueEnd(b)
		if err := f(key, b[:n]); err != nil {
			return err
		}
		b = next(b[n:])
	}
	return nil
}

// next skips what stands between two values.
func next(b []byte) []byte {
	for i, c := range b {
		switch c {
		case ' ', '\t', '\r', '\n', ',', ':':
		default:
			return b[i:]
		}
	}
	return nil
}

// valueEnd is the length of the JSON value that b begins with.
func valueEnd(b []byte) int {
	depth := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			if i += stringEnd(b[i+1:]); depth == 0 {
				return min(i+1, len(b))
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return i // the end of what encloses a number or a word
			}
			if depth--; depth == 0 {
				return i + 1
			}
		case ',', ' ', '\t', '\r', '\n':
			if depth == 0 {
				return i
			}
		}
	}
	return len(b)
}

// stringEnd is the length of what follows a quote, up to the closing one.
func stringEnd(b []byte) int {
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(b)
}
