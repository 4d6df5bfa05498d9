package coprocess

import (
	"bytes"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/grapnel-gateway/grapnel"
)

// An answer is what of a returned Object counts at the hook's stage. Slices of
// bytes lie in what was received.
type answer struct {
	data     *received
	request  edits
	session  *grapnel.Session  // of an auth hook; nil is missing
	metadata map[string]string // of an auth hook
	reply    gotReply          // of a Response hook
}

// edits are what an answer says about a request.
type edits struct {
	given       bool // the answer says something
	setHeaders  map[string]string
	addParams   map[string]string
	delHeaders  []string
	delParams   []string
	url, method []byte
	body, text  []byte
	overrides   overrides
}

// overrides are what a plugin answers in the upstream's place.
type overrides struct {
	code     int32
	headers  map[string]string
	verbatim bool // an error's text is the body
	failure  []byte
	body     []byte
}

// read reads a returned Object. It accepts what every receiver of protobuf
// accepts, and finds the faults of what counts for nothing too.
func (b *binding) read(q *question, data *received) (answer, error) {
	a := answer{data: data}
	asks, auth := b.stage != grapnel.Response, b.stage == grapnel.Auth
	f := fields{rest: data.bytes()}
	for f.next() {
		if f.typ != protowire.BytesType {
			continue // hook_type
		}
		var err error
		switch {
		case f.num == objectRequest && asks:
			err = a.request.read(q, f.bytes)
		case f.num == objectResponse && !asks:
			err = a.reply.read(&q.reply, f.bytes)
		case f.num == objectSession && auth:
			if a.session == nil {
				a.session = &grapnel.Session{}
			}
			err = readSession(a.session, f.bytes)
		case f.num == objectMetadata && auth:
			err = putEntry(&a.metadata, f.bytes)
		case f.num == objectSession && bytes.Equal(f.bytes, q.session):
		default:
			err = check(f.bytes, objectField(f.num))
		}
		if err != nil {
			return answer{}, err
		}
	}
	if !asks && !a.reply.unchanged(&q.reply) {
		a.reply.headers, a.reply.list = returnedHeaders(data.bytes())
	}
	return a, f.err
}

func (e *edits) read(q *question, data []byte) error {
	e.given = true
	f := fields{rest: data}
	for f.next() {
		if f.typ != protowire.BytesType {
			continue
		}
		var err error
		switch f.num {
		case requestSetHeaders:
			err = putEntry(&e.setHeaders, f.bytes)
		case requestAddParams:
			err = putEntry(&e.addParams, f.bytes)
		case requestDeleteHeaders:
			err = addText(&e.delHeaders, f.bytes)
		case requestDeleteParams:
			err = addText(&e.delParams, f.bytes)
		case requestURL:
			e.url, err = f.bytes, checkText(f.bytes)
		case requestMethod:
			e.method, err = f.bytes, checkText(f.bytes)
		case requestRawBody:
			e.body = f.bytes
		case requestBody:
			if e.text = f.bytes; !bytes.Equal(e.text, q.text) {
				err = checkText(e.text)
			}
		case requestReturnOverrides:
			err = e.overrides.read(f.bytes)
		default:
			err = check(f.bytes, requestField(f.num))
		}
		if err != nil {
			return err
		}
	}
	return f.err
}

func (o *overrides) read(data []byte) error {
	f := fields{rest: data}
	for f.next() {
		var err error
		switch {
		case f.num == overridesResponseCode && f.typ == protowire.VarintType:
			o.code = int32(f.value)
		case f.num == overridesOverrideError && f.typ == protowire.VarintType:
			o.verbatim = f.value != 0
		case f.typ != protowire.BytesType:
		case f.num == overridesHeaders:
			err = putEntry(&o.headers, f.bytes)
		case f.num == overridesResponseError:
			o.failure, err = f.bytes, checkText(f.bytes)
		case f.num == overridesResponseBody:
			o.body, err = f.bytes, checkText(f.bytes)
		}
		if err != nil {
			return err
		}
	}
	return f.err
}
