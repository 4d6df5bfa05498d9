package examples_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/grapnel-gateway/grapnel/proto/coprocess"
)

// forgetful are the samples whose protobuf runtime drops fields that are not
// in its copy of the contract, and why. examples/README.md lists them too.
func forgetful() map[string]string {
	return map[string]string{"rust": "prost has no place for them"}
}

// dial returns a connection to the sample.
func (s *sample) dial(t *testing.T) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient(s.target, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(64<<20)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// checkWire: an Object comes back as it went, whatever is in it.
func checkWire(t *testing.T, s *sample) {
	client := coprocess.NewDispatcherClient(s.dial(t))
	full, strange := &coprocess.Object{}, &coprocess.Object{}
	fill(full.ProtoReflect())
	fill(strange.ProtoReflect())
	strange.HookType = 99
	binary := proto.CloneOf(full)
	binary.Request.RawBody, binary.Request.Body = []byte(everyByte(256)), ""
	for name, o := range map[string]*coprocess.Object{
		"every field": full, "unknown enum value": strange, "binary body": binary, "nothing": {},
		"empty parts": {Request: &coprocess.MiniRequestObject{}, Session: &coprocess.SessionState{}, Response: &coprocess.ResponseObject{}},
	} {
		for _, hook := range []string{"Echo", "NoSuchHook", ""} {
			o.HookName = hook
			got, err := client.Dispatch(t.Context(), o)
			if err != nil {
				t.Errorf("%s, %q: %v", name, hook, err)
				continue
			}
			if diff := cmp.Diff(o, got, protocmp.Transform()); diff != "" {
				t.Errorf("%s, %q: -sent +got\n%s", name, hook, diff)
			}
		}
	}
	checkUnknownFields(t, client, full, forgetful()[s.name])
	checkSession(t, client)
}

// checkSession: the session of a caller is what the gateway is told, whole.
func checkSession(t *testing.T, client coprocess.DispatcherClient) {
	got, err := client.Dispatch(t.Context(), &coprocess.Object{
		HookType: coprocess.HookType_CustomKeyCheck, HookName: "CheckToken",
		Request: &coprocess.MiniRequestObject{Headers: header{"Authorization": bearer}},
	})
	if err != nil {
		t.Fatal(err)
	}
	session := &coprocess.SessionState{
		Rate: 1000, Per: 1, QuotaMax: 5000, QuotaRemaining: 5000, QuotaRenewalRate: 3600,
		Metadata: map[string]string{"tier": "gold"},
	}
	if diff := cmp.Diff(session, got.Session, protocmp.Transform()); diff != "" {
		t.Errorf("the session: -want +got\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{"token": "let-me-in", "tier": "gold"}, got.Metadata); diff != "" {
		t.Errorf("the metadata: -want +got\n%s", diff)
	}
}

// checkUnknownFields sends fields that only a later contract will have: they
// come back, unless the runtime forgets them.
func checkUnknownFields(t *testing.T, client coprocess.DispatcherClient, known *coprocess.Object, forgets string) {
	sent := proto.CloneOf(known)
	parts := []proto.Message{sent, sent.Request, sent.Request.ReturnOverrides, sent.Session, sent.Session.Monitor, sent.Response, sent.Response.MultivalueHeaders[0]}
	for _, m := range parts {
		b := protowire.AppendTag(nil, 1999, protowire.BytesType)
		b = protowire.AppendString(b, "later ☃")
		b = protowire.AppendTag(b, 2000, protowire.VarintType)
		m.ProtoReflect().SetUnknown(protowire.AppendVarint(b, 1<<60))
	}
	for _, hook := range []string{"Echo", "NoSuchHook"} {
		sent.HookName, known.HookName = hook, hook
		got, err := client.Dispatch(t.Context(), sent)
		if err != nil {
			t.Errorf("unknown fields, %q: %v", hook, err)
			continue
		}
		want := sent
		if forgets != "" {
			want = known
		}
		if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
			t.Errorf("unknown fields, %q: -want +got (those that forgetful lists lose them)\n%s", hook, diff)
		}
	}
}

// fill gives every field of a message, and of those below, a value.
func fill(m protoreflect.Message) {
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		switch f := fields.Get(i); {
		case f.IsMap():
			v := m.NewField(f).Map().NewValue()
			if f.MapValue().Message() != nil {
				fill(v.Message())
			} else {
				v = value(f.MapValue())
			}
			m.Mutable(f).Map().Set(protoreflect.ValueOfString("Schlüssel").MapKey(), v)
		case f.IsList():
			for range 2 {
				if list := m.Mutable(f).List(); f.Message() != nil {
					fill(list.AppendMutable().Message())
				} else {
					list.Append(value(f))
				}
			}
		case f.Message() != nil:
			fill(m.Mutable(f).Message())
		default:
			m.Set(f, value(f))
		}
	}
}

// value is one that a careless runtime would change: integers beyond what a
// double holds, text beyond ASCII.
func value(f protoreflect.FieldDescriptor) protoreflect.Value {
	switch f.Kind() {
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(true)
	case protoreflect.EnumKind:
		return protoreflect.ValueOfEnum(1)
	case protoreflect.Int32Kind:
		return protoreflect.ValueOfInt32(-2)
	case protoreflect.Int64Kind:
		return protoreflect.ValueOfInt64(-1<<53 - 1)
	case protoreflect.DoubleKind:
		return protoreflect.ValueOfFloat64(0.1)
	case protoreflect.BytesKind:
		return protoreflect.ValueOfBytes([]byte("Größe"))
	}
	return protoreflect.ValueOfString("Größe ☃ 🎈")
}
