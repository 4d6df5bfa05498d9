package coprocess

import (
	"errors"

	"google.golang.org/protobuf/encoding/protowire"
)

// What makes an answer unreadable, as for every receiver of proto3.
var (
	errMalformed = errors.New("cannot unmarshal the answer: it is not a protobuf message of its type")
	errNotUTF8   = errors.New("cannot unmarshal the answer: it has a string that is not UTF-8")
)

// fields walks over the fields of one message, in their order on the wire. It
// copies nothing.
//
// A field that occurs again is for its reader to merge, as protobuf does: the
// last scalar wins, lists grow, maps take the entry, and messages are read on
// top of what is there.
type fields struct {
	rest []byte // what is not read yet

	num   protowire.Number
	typ   protowire.Type
	bytes []byte // of a field of the type with a length
	value uint64 // of any other

	err error // what ended the walk early
}

// next moves to the next field. It returns false at the end and at a fault.
func (f *fields) next() bool {
	b := f.rest
	if len(b) == 0 {
		return false
	}
	tag, n := uint64(b[0]), 1
	if tag >= 0x80 {
		tag, n = protowire.ConsumeVarint(b)
	}
	if number := tag >> 3; n < 0 || number < uint64(protowire.MinValidNumber) || number > uint64(protowire.MaxValidNumber) {
		return f.fail()
	}
	f.num, f.typ = protowire.Number(tag>>3), protowire.Type(tag&7)
	b = b[n:]
	switch f.typ {
	case protowire.BytesType:
		if len(b) > 0 && b[0] < 0x80 && int(b[0]) < len(b) { // most of them
			n = 1 + int(b[0])
			f.bytes = b[1:n:n]
			break
		}
		f.bytes, n = protowire.ConsumeBytes(b)
	case protowire.VarintType:
		f.value, n = protowire.ConsumeVarint(b)
	case protowire.Fixed64Type:
		f.value, n = protowire.ConsumeFixed64(b)
	default: // nothing that is read has another type
		n = protowire.ConsumeFieldValue(f.num, f.typ, b)
	}
	if n < 0 {
		return f.fail()
	}
	f.rest = b[n:]
	return true
}

func (f *fields) fail() bool {
	f.err, f.rest = errMalformed, nil
	return false
}

// entry reads the entry of a map between strings.
func entry(b []byte) (key, value []byte, err error) {
	f := fields{rest: b}
	for f.next() {
		switch {
		case f.typ != protowire.BytesType:
		case f.num == entryKey:
			key, err = f.bytes, checkText(f.bytes)
		case f.num == entryValue:
			value, err = f.bytes, checkText(f.bytes)
		}
		if err != nil {
			return nil, nil, err
		}
	}
	return key, value, f.err
}

// putEntry reads the entry of a map between strings into m.
func putEntry(m *map[string]string, b []byte) error {
	key, value, err := entry(b)
	if err != nil {
		return err
	}
	if *m == nil {
		*m = map[string]string{}
	}
	(*m)[string(key)] = string(value)
	return nil
}

// addText reads the element of a list of strings.
func addText(list *[]string, b []byte) error {
	*list = append(*list, string(b))
	return checkText(b)
}

// putText reads a string.
func putText(s *string, b []byte) error {
	*s = string(b)
	return checkText(b)
}
