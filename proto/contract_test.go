package proto_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/grapnel-gateway/grapnel/proto/coprocess"
)

// ours is the first field number that the original leaves to us.
const ours = 1000

// contract is what plugin servers out there were built on: files, names, types
// and numbers, and the methods' paths [W-1, W-2, W-4]. Nothing here may change.
const contract = `
file coprocess_common.proto
enum HookType
  Unknown = 0
  Pre = 1
  Post = 2
  PostKeyAuth = 3
  CustomKeyCheck = 4
  Response = 5
message StringSlice
  repeated string items = 1

file coprocess_mini_request_object.proto
message MiniRequestObject
  map<string,string> headers = 1
  map<string,string> set_headers = 2
  repeated string delete_headers = 3
  string body = 4
  string url = 5
  map<string,string> params = 6
  map<string,string> add_params = 7
  map<string,string> extended_params = 8
  repeated string delete_params = 9
  ReturnOverrides return_overrides = 10
  string method = 11
  string request_uri = 12
  string scheme = 13
  bytes raw_body = 14

file coprocess_object.proto
message Object
  HookType hook_type = 1
  string hook_name = 2
  MiniRequestObject request = 3
  SessionState session = 4
  map<string,string> metadata = 5
  map<string,string> spec = 6
  ResponseObject response = 7
message Event
  string payload = 1
message EventReply
service Dispatcher
  /coprocess.Dispatcher/Dispatch (Object) returns (Object)
  /coprocess.Dispatcher/DispatchEvent (Event) returns (EventReply)

file coprocess_response_object.proto
message ResponseObject
  int32 status_code = 1
  bytes raw_body = 2
  string body = 3
  map<string,string> headers = 4
  repeated Header multivalue_headers = 5
message Header
  string key = 1
  repeated string values = 2

file coprocess_return_overrides.proto
message ReturnOverrides
  int32 response_code = 1
  string response_error = 2
  map<string,string> headers = 3
  bool override_error = 4
  string response_body = 5

file coprocess_session_state.proto
message AccessSpec
  string url = 1
  repeated string methods = 2
message AccessDefinition
  string api_name = 1
  string api_id = 2
  repeated string versions = 3
  repeated AccessSpec allowed_urls = 4
message BasicAuthData
  string password = 1
  string hash = 2
message JWTData
  string secret = 1
message Monitor
  repeated double trigger_limits = 1
message SessionState
  int64 last_check = 1
  double allowance = 2
  double rate = 3
  double per = 4
  int64 expires = 5
  int64 quota_max = 6
  int64 quota_renews = 7
  int64 quota_remaining = 8
  int64 quota_renewal_rate = 9
  map<string,AccessDefinition> access_rights = 10
  string org_id = 11
  string oauth_client_id = 12
  map<string,string> oauth_keys = 13
  BasicAuthData basic_auth_data = 14
  JWTData jwt_data = 15
  bool hmac_enabled = 16
  string hmac_secret = 17
  bool is_inactive = 18
  string apply_policy_id = 19
  int64 data_expires = 20
  Monitor monitor = 21
  bool enable_detailed_recording = 22
  map<string,string> metadata = 23
  repeated string tags = 24
  string alias = 25
  string last_updated = 26
  int64 id_extractor_deadline = 27
  int64 session_lifetime = 28
  repeated string apply_policies = 29
  string certificate = 30
  int64 max_query_depth = 31
  string key_id = 32
  string post_expiry_action = 33
  int64 post_expiry_grace_period = 34
`

// TestContractIsFrozen compares the compiled contract with the table above;
// fields from 1000 up are ours and may be added [W-1…W-4].
func TestContractIsFrozen(t *testing.T) {
	if diff := cmp.Diff(blocks(contract), blocks(compiled(ours))); diff != "" {
		t.Errorf("the contract was changed (-frozen +now); new fields take numbers from %d up:\n%s", ours, diff)
	}
}

// TestDynamicNamesAreFrozen: languages without generated code, and JSON, use the
// lowerCamel names, which an option could change [W-4].
func TestDynamicNamesAreFrozen(t *testing.T) {
	json, err := protojson.Marshal(&coprocess.Object{HookName: "x"})
	if err != nil || !strings.Contains(string(json), `"hookName"`) {
		t.Errorf("hook_name in JSON: %s, error %v; want hookName", json, err)
	}
	for name, src := range sources(t) {
		for line := range strings.Lines(src) {
			line = strings.TrimSpace(line)
			if strings.HasPrefix(line, "//") {
				continue
			}
			if strings.Contains(line, "[") || strings.HasPrefix(line, "option ") && !strings.HasPrefix(line, "option go_package ") {
				t.Errorf("%s: %s: an option would change other languages' bindings", name, line)
			}
		}
	}
}

// blocks splits a rendered contract into lines, blank ones left out.
func blocks(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == '\n' })
}

// compiled renders the descriptors that were compiled in, in the form of the
// table, without the fields whose number is limit or above.
func compiled(limit protoreflect.FieldNumber) string {
	files := []protoreflect.FileDescriptor{
		coprocess.File_coprocess_common_proto,
		coprocess.File_coprocess_mini_request_object_proto,
		coprocess.File_coprocess_object_proto,
		coprocess.File_coprocess_response_object_proto,
		coprocess.File_coprocess_return_overrides_proto,
		coprocess.File_coprocess_session_state_proto,
	}
	var b strings.Builder
	for _, f := range files {
		fmt.Fprintf(&b, "file %s\n", f.Path())
		renderEnums(&b, f.Enums())
		renderMessages(&b, f.Messages(), limit)
		for i := range f.Services().Len() {
			s := f.Services().Get(i)
			fmt.Fprintf(&b, "service %s\n", s.Name())
			for j := range s.Methods().Len() {
				m := s.Methods().Get(j)
				fmt.Fprintf(&b, "  /%s/%s (%s%s) returns (%s%s)\n", s.FullName(), m.Name(),
					stream(m.IsStreamingClient()), m.Input().Name(), stream(m.IsStreamingServer()), m.Output().Name())
			}
		}
	}
	return b.String()
}

func stream(yes bool) string {
	if yes {
		return "stream "
	}
	return ""
}

func renderEnums(b *strings.Builder, enums protoreflect.EnumDescriptors) {
	for i := range enums.Len() {
		e := enums.Get(i)
		fmt.Fprintf(b, "enum %s\n", e.Name())
		for j := range e.Values().Len() {
			fmt.Fprintf(b, "  %s = %d\n", e.Values().Get(j).Name(), e.Values().Get(j).Number())
		}
	}
}

func renderMessages(b *strings.Builder, messages protoreflect.MessageDescriptors, limit protoreflect.FieldNumber) {
	for i := range messages.Len() {
		m := messages.Get(i)
		if m.IsMapEntry() {
			continue
		}
		fmt.Fprintf(b, "message %s\n", m.Name())
		for j := range m.Fields().Len() {
			if f := m.Fields().Get(j); f.Number() < limit {
				fmt.Fprintf(b, "  %s%s %s = %d\n", label(f), typeName(f), f.Name(), f.Number())
			}
		}
		renderEnums(b, m.Enums())
		renderMessages(b, m.Messages(), limit)
	}
}

func label(f protoreflect.FieldDescriptor) string {
	switch {
	case f.IsList():
		return "repeated "
	case f.HasOptionalKeyword():
		return "optional "
	case f.ContainingOneof() != nil:
		return "oneof "
	}
	return ""
}

func typeName(f protoreflect.FieldDescriptor) string {
	switch {
	case f.IsMap():
		return fmt.Sprintf("map<%s,%s>", typeName(f.MapKey()), typeName(f.MapValue()))
	case f.Message() != nil:
		return string(f.Message().Name())
	case f.Enum() != nil:
		return string(f.Enum().Name())
	}
	return f.Kind().String()
}
