package admin

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/grapnel-gateway/grapnel"
)

// A Client calls the control API of a gateway. Its methods return an [*Error]
// for every call that the gateway refuses.
type Client struct {
	// Base is where the gateway is, without /tyk: http://127.0.0.1:9696.
	Base string
	// Secret is the gateway's; no error repeats it.
	Secret string
	// HTTP makes the calls; nil makes them with a timeout of a minute, and
	// follows no redirects: they could lead the secret elsewhere.
	HTTP *http.Client
}

// An Error is a call that the gateway refused.
type Error struct {
	Status  int    // of the reply
	Message string // what the gateway says
}

// Error describes the refusal.
func (e *Error) Error() string { return fmt.Sprintf("%s (%d)", e.Message, e.Status) }

// maxReply bounds what a gateway may answer, in bytes.
const maxReply = 256 << 20

// CreateKey stores a session under a new key, or under the key that the gateway
// makes of a custom id.
func (c *Client) CreateKey(ctx context.Context, id string, s *grapnel.Session) (Change, error) {
	if id == "" {
		return ask[Change](ctx, c, http.MethodPost, s, nil, "keys", "create")
	}
	return ask[Change](ctx, c, http.MethodPost, s, nil, "keys", id)
}

// A KeyQuery says how a key is named.
type KeyQuery struct {
	Hashed bool   // by the id under which its session is stored
	User   bool   // by a user's name in Org
	Org    string // the organisation of a user or custom id
}

func (q KeyQuery) values() url.Values {
	v := url.Values{}
	if q.Hashed {
		v.Set("hashed", "1")
	}
	if q.User {
		v.Set("username", "true")
	}
	if q.Org != "" {
		v.Set("org_id", q.Org)
	}
	return v
}

// Key returns the session of a key, with what is left of its quotas.
func (c *Client) Key(ctx context.Context, key string, q KeyQuery) (*grapnel.Session, error) {
	return ask[*grapnel.Session](ctx, c, http.MethodGet, nil, q.values(), "keys", key)
}

// UpdateKey replaces the session of a key. Its counters start anew, unless they
// are to be kept.
func (c *Client) UpdateKey(ctx context.Context, key string, q KeyQuery, s *grapnel.Session, keepCounters bool) (Change, error) {
	v := q.values()
	if keepCounters {
		v.Set("suppress_reset", "1")
	}
	return ask[Change](ctx, c, http.MethodPut, s, v, "keys", key)
}

// DeleteKey removes a key.
func (c *Client) DeleteKey(ctx context.Context, key string, q KeyQuery) (Change, error) {
	return ask[Change](ctx, c, http.MethodDelete, nil, q.values(), "keys", key)
}

// Keys lists the keys that begin with the filter, or all hashes where keys are
// hashed.
func (c *Client) Keys(ctx context.Context, filter string) ([]string, error) {
	v := url.Values{}
	if filter != "" {
		v.Set("filter", filter)
	}
	list, err := ask[keyList](ctx, c, http.MethodGet, nil, v, "keys")
	return list.Keys, err
}

// A Kind is a kind of documents that the control API keeps.
type Kind string

// The kinds of documents.
const (
	APIs     Kind = apis     // API definitions
	Policies Kind = policies // policies
)

// Documents lists the documents of a kind.
func (c *Client) Documents(ctx context.Context, k Kind) ([]json.RawMessage, error) {
	return ask[[]json.RawMessage](ctx, c, http.MethodGet, nil, nil, string(k))
}

// Document returns one document.
func (c *Client) Document(ctx context.Context, k Kind, id string) (json.RawMessage, error) {
	return ask[json.RawMessage](ctx, c, http.MethodGet, nil, nil, string(k), id)
}

// PutDocument publishes a document under the id that it says, be it new or not.
// It has an effect after the next reload.
func (c *Client) PutDocument(ctx context.Context, k Kind, document json.RawMessage) (Change, error) {
	var d struct {
		API struct {
			ID string `json:"api_id"`
		} `json:"api_definition"`
		APIID string `json:"api_id"`
		ID    string `json:"id"`
	}
	if err := json.Unmarshal(document, &d); err != nil {
		return Change{}, fmt.Errorf("the document: %w", err)
	}
	id := d.ID
	if k == APIs {
		id = cmp.Or(d.API.ID, d.APIID)
	}
	if id == "" {
		return ask[Change](ctx, c, http.MethodPost, document, nil, string(k))
	}
	done, err := ask[Change](ctx, c, http.MethodPut, document, nil, string(k), id)
	if e, ok := errors.AsType[*Error](err); ok && e.Status == http.StatusNotFound {
		return ask[Change](ctx, c, http.MethodPost, document, nil, string(k))
	}
	return done, err
}

// DeleteDocument removes a document. An API is not served any more once this
// has returned.
func (c *Client) DeleteDocument(ctx context.Context, k Kind, id string) (Change, error) {
	return ask[Change](ctx, c, http.MethodDelete, nil, nil, string(k), id)
}

// Reload has the gateway read its configuration again, and returns when it
// serves it.
func (c *Client) Reload(ctx context.Context) error {
	_, err := ask[outcome](ctx, c, http.MethodGet, nil, url.Values{"block": {"true"}}, "reload")
	return err
}

// ReloadGroup has all gateways that share the store reload, and does not wait
// for them.
func (c *Client) ReloadGroup(ctx context.Context) error {
	_, err := ask[outcome](ctx, c, http.MethodGet, nil, nil, "reload", "group")
	return err
}

// ask makes one call and decodes the reply. The path is what comes after /tyk.
func ask[T any](ctx context.Context, c *Client, method string, body any, query url.Values, path ...string) (T, error) {
	var out T
	b, err := c.call(ctx, method, body, query, path)
	if err != nil {
		return out, err
	}
	if err := json.Unmarshal(b, &out); err != nil {
		return out, fmt.Errorf("%s does not answer as a control API does: %w", c.Base, err)
	}
	return out, nil
}

func (c *Client) call(ctx context.Context, method string, body any, query url.Values, path []string) ([]byte, error) {
	r, err := c.request(ctx, method, body, query, path)
	if err != nil {
		return nil, err
	}
	h := c.HTTP
	if h == nil {
		h = &http.Client{Timeout: time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	}
	resp, err := h.Do(r)
	if err != nil {
		if e, ok := errors.AsType[*url.Error](err); ok {
			err = e.Err // the whole would repeat the URL, and with it the key
		}
		return nil, fmt.Errorf("%s: %w", c.Base, err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxReply))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.Base, err)
	}
	if resp.StatusCode == http.StatusOK {
		return b, nil
	}
	var said outcome
	if json.Unmarshal(b, &said) != nil || said.Message == "" {
		said.Message = http.StatusText(resp.StatusCode)
	}
	return nil, &Error{Status: resp.StatusCode, Message: said.Message}
}

func (c *Client) request(ctx context.Context, method string, body any, query url.Values, path []string) (*http.Request, error) {
	base, err := url.Parse(c.Base)
	if err != nil || base.Host == "" {
		return nil, fmt.Errorf("%q is not the address of a control API; write it as http://host:port", c.Base)
	}
	target := strings.TrimSuffix(c.Base, "/") + "/tyk"
	for _, segment := range path {
		target += "/" + url.PathEscape(segment)
	}
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	var content io.Reader
	if document, ok := body.(json.RawMessage); ok { // is sent as it is written
		content = bytes.NewReader(document)
	} else if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		content = bytes.NewReader(b)
	}
	r, err := http.NewRequestWithContext(ctx, method, target, content)
	if err != nil {
		return nil, err
	}
	r.Header.Set("X-Tyk-Authorization", c.Secret)
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	return r, nil
}
