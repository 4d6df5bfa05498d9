package grapnel

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// A GraphQL says that an API speaks GraphQL. Its requests are then read as the
// upstream will read them: what cannot be read, or could be read in two ways, is
// refused, and what is asked is held to bounds. Zero is no bound, but where the
// field says otherwise.
type GraphQL struct {
	// MaxDepth bounds how deep selections nest, whoever asks: {a {b}} is 2.
	// What a key or policy allows as max_query_depth holds beside it.
	MaxDepth int `yaml:"max_query_depth"`
	// MaxComplexity bounds how many fields are selected in all, fragments
	// written out, over all operations of a batch.
	MaxComplexity int `yaml:"max_complexity"`
	// MaxAliases bounds how many of these fields are renamed: the same costly
	// field under many names.
	MaxAliases int `yaml:"max_aliases"`
	// MaxTokens bounds the words and signs of one query, before it is read
	// whole. It is at least 1.
	MaxTokens int `yaml:"max_tokens"`
	// MaxBatch bounds how many operations one request may hold, as an array.
	// It is at least 1.
	MaxBatch int `yaml:"max_batch"`
	// PersistedQueries lets requests pass that name a query which the upstream
	// keeps, by hash or id, and so cannot be read here. Callers whose key
	// limits depth or fields may not send them.
	PersistedQueries bool `yaml:"persisted_queries"`
	// Introspection lets clients ask for the schema.
	Introspection bool `yaml:"introspection"`
	// Subscriptions lets clients switch to WebSocket. What they ask there is
	// not read. Callers whose key limits depth or fields may not switch.
	Subscriptions bool `yaml:"subscriptions"`
	// Schema is the upstream's schema, in GraphQL's own language. With one,
	// fields that it does not have are refused; keys that allow or restrict
	// types need it.
	Schema string `yaml:"schema"`
}

// SetDefaults bounds what no honest client sends.
func (g *GraphQL) SetDefaults() {
	g.MaxDepth, g.MaxComplexity, g.MaxAliases = 20, 2000, 30
	g.MaxTokens, g.MaxBatch = 5000, 1
	g.Introspection = true
}

// GraphQLFacts are what a GraphQL request asks for, over all its operations.
type GraphQLFacts struct {
	// Operations are what would be run, in order; more than one is a batch.
	Operations []GraphQLOperation
	// Depth is how deep the deepest operation nests.
	Depth int
	// Complexity is how many fields are selected, fragments written out.
	Complexity int
	// Aliases is how many of them are renamed.
	Aliases int
	// Source is what the facts were read from: they hold while the request
	// is still that.
	Source GraphQLSource
}

// A GraphQLOperation is one operation of a request.
type GraphQLOperation struct {
	// Kind is query, mutation or subscription; empty where nothing is known
	// but that the operation is opaque.
	Kind string
	// Opaque says that the upstream may run what cannot be read here: a query
	// that it keeps, or what is asked over WebSocket.
	Opaque bool
	// Name is the operation's name; empty without one.
	Name string
	// Type is the type that the operation starts from, as in Query.
	Type string
	// Depth is how deep selections nest: {a {b}} is 2.
	Depth int
	// Complexity is how many fields are selected, fragments written out.
	Complexity int
	// Aliases is how many of them are renamed.
	Aliases int
	// Roots are the fields that the operation starts with, by name, each once.
	Roots []GraphQLRoot
	// Fields are the selected fields of each type, each once and in order.
	// Without a schema they are those of the types that the query names, and
	// of Type.
	Fields map[string][]string
	// Inputs are, likewise, the fields of input types that are given values,
	// in the query or its variables. They are known with a schema only.
	Inputs map[string][]string
}

// Introspects says whether the operation asks for the schema, and whether it
// asks for nothing else.
func (o *GraphQLOperation) Introspects() (some, only bool) {
	only = true
	for _, root := range o.Roots {
		switch root.Name {
		case "__schema", "__type":
			some = true
		case "__typename":
		default:
			only = false
		}
	}
	return some, some && only
}

// A GraphQLRoot is a field that an operation starts with.
type GraphQLRoot struct {
	Name  string
	Depth int // how deep selections nest below it; 0 without any
}

// A GraphQLSource is what of a request says which operations are run.
type GraphQLSource struct {
	Method   string
	Query    string // of the URL, as it stands there
	Type     string // the Content-Type
	Encoding string // the Content-Encoding
	Upgrade  string // the protocol to switch to
	Body     []byte
}

// GraphQLRights are what a key may ask of a GraphQL API, as the original stores
// it with the right to call the API [S-3].
type GraphQLRights struct {
	RestrictedTypes      []GraphQLType       `json:"restricted_types"`
	AllowedTypes         []GraphQLType       `json:"allowed_types"`
	FieldAccessRights    []GraphQLFieldRight `json:"field_access_rights"`
	DisableIntrospection bool                `json:"disable_introspection"`
}

// A GraphQLType is a type and some of its fields; the field * is all of them.
type GraphQLType struct {
	Name   string   `json:"name"`
	Fields []string `json:"fields"`
}

// A GraphQLFieldRight limits one field that operations start with.
type GraphQLFieldRight struct {
	TypeName  string `json:"type_name"`
	FieldName string `json:"field_name"`
	Limits    struct {
		MaxQueryDepth int `json:"max_query_depth"` // below the field; -1 and 0 are no limit
	} `json:"limits"`
}

// GraphQL reads what the right says of GraphQL. What cannot be read is an error:
// nobody is let through on half a right.
func (a AccessDefinition) GraphQL() (GraphQLRights, error) {
	var g GraphQLRights
	var errs []error
	for key, value := range a.Extra {
		var into any
		switch strings.ToLower(key) {
		case "restricted_types":
			into = &g.RestrictedTypes
		case "allowed_types":
			into = &g.AllowedTypes
		case "field_access_rights":
			into = &g.FieldAccessRights
		case "disable_introspection":
			into = &g.DisableIntrospection
		default:
			continue
		}
		if err := json.Unmarshal(value, into); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", key, err))
		}
	}
	return g, errors.Join(errs...)
}

// QueryDepth is how deep the session's queries of an API may nest; 0 is no
// limit. What its right says of the API goes before what it says of all; -1 is
// no limit, and 0 says nothing [L-3].
func (s *Session) QueryDepth(apiID string) int {
	depth := s.AccessRights[apiID].Limit.MaxQueryDepth
	if depth == 0 {
		depth = s.MaxQueryDepth
	}
	return max(depth, 0)
}
