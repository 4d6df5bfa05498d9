package examples_test

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/grapnel-gateway/grapnel/test/program"
)

// originals is the contract that plugins of the original were built on.
const originals = "../../proto/descriptor.binpb"

// An older plugin is one that knows no other contract than the original's. What
// testdata/older.py does as a script, the one in Go does from a table.
type older struct {
	target string
	event  func(*testing.T) string // waits for the next event, and returns its type
}

func olderPython(t *testing.T) older {
	t.Helper()
	if out, err := exec.Command(filepath.Join(folder, "python", "install.sh")).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	addr := program.FreeAddr(t)
	python := filepath.Join(folder, "python", ".venv", "bin", "python")
	s := begin(t, "older", addr, exec.Command(python, "testdata/older.py", originals, addr))
	return older{addr, func(t *testing.T) string { return s.await(t, patience, "event: ") }}
}

func olderGo(t *testing.T) older { return serveOlder(t, false) }

// forgetfulGo is one whose protobuf drops the fields that it does not know.
func forgetfulGo(t *testing.T) older { return serveOlder(t, true) }

func serveOlder(t *testing.T, forgets bool) older {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	plugin := &olderServer{files: readOriginals(t), forgets: forgets, events: make(chan string, 100)}
	server := grpc.NewServer(grpc.MaxRecvMsgSize(64 << 20))
	server.RegisterService(&grpc.ServiceDesc{
		ServiceName: "coprocess.Dispatcher", HandlerType: (*any)(nil),
		Methods: []grpc.MethodDesc{{MethodName: "Dispatch", Handler: plugin.dispatch}, {MethodName: "DispatchEvent", Handler: plugin.dispatchEvent}},
	}, plugin)
	done := make(chan struct{})
	go func() { defer close(done); server.Serve(l) }()
	t.Cleanup(func() { server.Stop(); <-done })
	return older{l.Addr().String(), func(t *testing.T) string {
		select {
		case payload := <-plugin.events:
			if strings.Contains(payload, `"Type":"AuthFailure"`) {
				return "AuthFailure"
			}
			return payload
		case <-time.After(patience):
			t.Fatal("there was no event")
			return ""
		}
	}}
}

func readOriginals(t *testing.T) protoreflect.FileDescriptor {
	t.Helper()
	data, err := os.ReadFile(originals)
	if err != nil {
		t.Fatal(err)
	}
	set := &descriptorpb.FileDescriptorSet{}
	if err := proto.Unmarshal(data, set); err != nil {
		t.Fatal(err)
	}
	files, err := protodesc.NewFiles(set)
	if err != nil {
		t.Fatal(err)
	}
	file, err := files.FindFileByPath("coprocess_object.proto")
	if err != nil {
		t.Fatal(err)
	}
	return file
}

type olderServer struct {
	files   protoreflect.FileDescriptor
	forgets bool // what it does not know
	events  chan string
}

func (s *olderServer) message(name protoreflect.Name) *dynamicpb.Message {
	return dynamicpb.NewMessage(s.files.Messages().ByName(name))
}

func (s *olderServer) dispatch(_ any, _ context.Context, read func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
	o := s.message("Object")
	if err := read(o); err != nil {
		return nil, err
	}
	if s.forgets {
		known := s.message("Object")
		data, err := proto.Marshal(o)
		if err = errors.Join(err, proto.UnmarshalOptions{DiscardUnknown: true}.Unmarshal(data, known)); err != nil {
			return nil, err
		}
		o = known
	}
	edit := s.message("Object")
	if err := protojson.Unmarshal([]byte(olderEdit(o)), edit); err != nil {
		return nil, err
	}
	proto.Merge(o, edit)
	return o, nil
}

func (s *olderServer) dispatchEvent(_ any, _ context.Context, read func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
	e := s.message("Event")
	err := read(e)
	s.events <- e.Get(e.Descriptor().Fields().ByName("payload")).String()
	return s.message("EventReply"), err
}

// olderEdit is what a hook puts into the Object that it got.
func olderEdit(o *dynamicpb.Message) string {
	text := func(m protoreflect.Message, field protoreflect.Name, key string) string {
		return m.Get(m.Descriptor().Fields().ByName(field)).Map().Get(protoreflect.ValueOfString(key).MapKey()).String()
	}
	inner := func(field protoreflect.Name) protoreflect.Message {
		return o.Get(o.Descriptor().Fields().ByName(field)).Message()
	}
	switch o.Get(o.Descriptor().Fields().ByName("hook_name")).String() {
	case "MyPreMiddleware":
		return `{"request": {"set_headers": {"X-Pre": "1"}, "delete_headers": ["X-Gone"], "add_params": {"added": "a b"}, "delete_params": ["gone"]}}`
	case "MyAuthMiddleware":
		if text(inner("request"), "headers", "Authorization") != olderToken {
			return `{"request": {"return_overrides": {"response_code": 403, "response_error": "Not authorized!"}}}`
		}
		return `{"session": {"rate": 1000, "per": 1, "quota_max": 100, "quota_renewal_rate": 60, "metadata": {"plan": "gold"}}, "metadata": {"token": "` + olderToken + `"}}`
	case "MyPostKeyAuthMiddleware":
		plan := text(inner("session"), "metadata", "plan") + " " + text(o, "metadata", "plan")
		return `{"request": {"set_headers": {"X-Plan": "` + plan + `", "X-Token": "` + text(o, "metadata", "token") + `"}}}`
	case "MyPostMiddleware":
		request := inner("request")
		url := request.Get(request.Descriptor().Fields().ByName("url")).String()
		return `{"request": {"raw_body": "Qk9EWQ==", "url": "` + strings.Replace(url, "/old", "/new", 1) + `", "method": "PUT"}}`
	case "MyResponseMiddleware":
		return `{"response": {"headers": {"X-Reply": "was 200"}, "raw_body": "Qk9EWSE=", "status_code": 202}}`
	case "MyTeapot":
		return `{"request": {"return_overrides": {"response_code": 418, "override_error": true, "response_body": "teapot", "headers": {"X-Tea": "green"}}}}`
	}
	return "{}"
}
