package coprocess

import (
	"bytes"
	"encoding/json"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/grapnel-gateway/grapnel"
)

// An answer is what of a returned Object counts at the hook's stage. Slices of
// bytes lie in what was received.
type answer struct {
	data     *received
	request  edits
	session  *grapnel.Session           // where the hook has a say in it; nil is missing
	metadata map[string]string          // likewise
	typed    map[string]json.RawMessage // likewise, what of the metadata is not text
	reply    gotReply                   // of a Response hook
}

// edits are what an answer says about a request.
type edits struct {
	given       bool // the answer says something
	setHeaders  map[string]string
	addParams   map[string]string
	delHeaders  []string
	delParams   []string
	several     several
	url, method []byte
	body, text  []byte
	overrides   overrides
}

// several are what an answer says about headers, parameters and trailers with
// all their values.
type several struct {
	headers, addHeaders []*line
	params, addParams   []*line
	trailers            []*line
}

// overrides are what a plugin answers in the upstream's place.
type overrides struct {
	code     int32
	headers  map[string]string
	several  []*line // headers with several values
	verbatim bool    // an error's text is the body
	failure  []byte
	body     []byte
}

// read reads a returned Object. It accepts what every receiver of protobuf
// accepts, and finds the faults of what counts for nothing too.
func (b *binding) read(q *question, data *received) (answer, error) {
	a := answer{data: data}
	asks, auth := b.stage != grapnel.Response, b.stage == grapnel.Auth
	knows := auth || b.keeps
	f := fields{rest: data.bytes()}
	for f.next() {
		if f.typ != protowire.BytesType {
			continue // hook_type
		}
		var err error
		switch {
		case f.num == objectRequest:
			err = a.request.read(q, f.bytes)
		case f.num == objectResponse && !asks:
			err = a.reply.read(&q.reply, f.bytes)
		case f.num == objectSession && !auth && bytes.Equal(f.bytes, q.session):
		case f.num == objectSession && knows:
			err = a.readSession(f.bytes)
		case f.num == objectMetadata && knows:
			err = putEntry(&a.metadata, f.bytes)
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
			if list := e.several.list(f.num); list != nil {
				err = readLine(list, f.bytes)
			} else {
				err = check(f.bytes, requestField(f.num))
			}
		}
		if err != nil {
			return err
		}
	}
	return f.err
}

// list is where the elements of a field go; nil for a field that is none of these.
func (s *several) list(num protowire.Number) *[]*line {
	switch num {
	case requestMultivalueHeaders:
		return &s.headers
	case requestAppendHeaders:
		return &s.addHeaders
	case requestMultivalueParams:
		return &s.params
	case requestAppendParams:
		return &s.addParams
	case requestTrailers:
		return &s.trailers
	}
	return nil
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
		case f.num == overridesMultivalueHeaders:
			err = readLine(&o.several, f.bytes)
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
