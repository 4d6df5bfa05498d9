package tryout

import (
	"context"
	"fmt"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"github.com/grapnel-gateway/grapnel"
	wire "github.com/grapnel-gateway/grapnel/proto/coprocess"
)

// nobody is the name of a hook that no server has.
const nobody = "GrapnelVerifyNoSuchHook"

// An Exam says how to grade a server.
type Exam struct {
	// Patience bounds each call; 0 is five seconds.
	Patience time.Duration
	// Hooks are asked one by one, too.
	Hooks []Question
	// PID is the server's process. Where it is not 0, the process gets a
	// SIGTERM at the end and has to finish the call under way.
	PID int
}

// Verify grades a server. It never fails: a server that cannot be reached has a
// report with that one failure.
func (s *Server) Verify(ctx context.Context, e Exam) *Report {
	if e.Patience == 0 {
		e.Patience = 5 * time.Second
	}
	x := &examination{Exam: e, server: s}
	report := &Report{Address: s.address}
	if !x.run(ctx, report, "reachable", x.reachable) {
		return report
	}
	x.run(ctx, report, "unknown hook", x.unknownHook)
	x.run(ctx, report, "missing parts", x.missingParts)
	x.run(ctx, report, "added fields", x.addedFields)
	x.run(ctx, report, "unknown fields", x.unknownFields)
	x.run(ctx, report, "unknown enum value", x.unknownEnum)
	x.run(ctx, report, "1 MiB body", x.largeBody)
	x.run(ctx, report, "200 parallel calls", x.parallel)
	for _, q := range e.Hooks {
		name := "hook " + q.Hook + "/" + q.Stage.String()
		x.run(ctx, report, name, func(ctx context.Context) verdict { return x.hook(ctx, q) })
	}
	x.run(ctx, report, "deadline", x.deadline)
	x.run(ctx, report, "event", x.event)
	x.run(ctx, report, "health service", x.health)
	if e.PID != 0 {
		x.run(ctx, report, "graceful drain", x.drain)
	}
	return report
}

// A verdict is the result of a check.
type verdict struct {
	grade  Grade
	detail string
}

func verdictf(g Grade, format string, args ...any) verdict {
	return verdict{g, fmt.Sprintf(format, args...)}
}

// An examination is one run of an exam.
type examination struct {
	Exam
	server *Server
	// usual is how the server answers names that it does not know: OK, or
	// the code of its error.
	usual codes.Code
}

// run records one check, and reports whether it went without failure.
func (x *examination) run(ctx context.Context, r *Report, name string, check func(context.Context) verdict) bool {
	begin := time.Now()
	v := check(ctx)
	r.add(name, begin, v)
	return v.grade != Fail
}

// ask is one call with the usual patience.
func (x *examination) ask(ctx context.Context, o *wire.Object) (*Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, x.Patience)
	defer cancel()
	return x.server.Call(ctx, o)
}

// object is an Object about a plain request, for a hook that nobody has.
func object(stage grapnel.Stage) *wire.Object {
	q := Question{
		Hook: nobody, Stage: stage, Method: "POST", URL: "/verify?a=1", Body: []byte("verify"),
		Header: map[string][]string{"X-Verify": {"1"}}, Config: []byte("{}"),
	}
	if stage == grapnel.Response {
		q.Reply = Reply{Header: map[string][]string{"Set-Cookie": {"a=1", "b=2"}}, Body: []byte("verify")}
	}
	o, _ := q.Message() // a constant
	return o
}

func (x *examination) reachable(ctx context.Context) verdict {
	a, err := x.ask(ctx, object(grapnel.Pre))
	switch status.Code(err) {
	case codes.OK:
		return verdictf(Pass, "answered in %v", a.Took.Round(10*time.Microsecond))
	case codes.Unavailable, codes.Unimplemented, codes.DeadlineExceeded, codes.Canceled:
		return verdict{Fail, err.Error()}
	}
	return verdict{Pass, "answered with an error"}
}

// unknownHook: the Object of a name that the server does not know comes back as
// it was. Some servers answer an error, as [T-76] does, which fails a request
// of a gateway that is configured wrongly.
func (x *examination) unknownHook(ctx context.Context) verdict {
	for stage := grapnel.Pre; stage <= grapnel.Response; stage++ {
		a, err := x.ask(ctx, object(stage))
		if err != nil {
			x.usual = status.Code(err)
			return verdictf(Warn, "%s: an error; better return the Object as it came: %v", stage, err)
		}
		for _, c := range a.Changes() {
			if a.counts(c.Path) && !isAbsentOverride(a, c) {
				return verdictf(Fail, "%s: changed: %s", stage, c)
			}
		}
	}
	return verdict{Pass, "comes back unchanged in all stages"}
}

// isAbsentOverride says that the change is between two ways to ask for no
// answer.
func isAbsentOverride(a *Answer, c Change) bool {
	return strings.HasPrefix(c.Path, "request.return_overrides") && a.Got.GetRequest().GetReturnOverrides().GetResponseCode() <= 0
}

// sameAs turns the errors of a call into a verdict: a server that answers all
// unknown names with an error gives the same one whatever else is sent.
func (x *examination) sameAs(err error) (verdict, bool) {
	switch code := status.Code(err); {
	case code == codes.OK:
		return verdict{}, false
	case code == x.usual:
		return verdict{Info, "cannot be told: unknown hooks are an error here"}, true
	}
	return verdict{Fail, err.Error()}, true
}

func (x *examination) missingParts(ctx context.Context) verdict {
	for what, o := range map[string]*wire.Object{
		"neither request nor session": {HookName: nobody, HookType: wire.HookType_PostKeyAuth},
		"an empty request":            {HookName: nobody, HookType: wire.HookType_Pre, Request: &wire.MiniRequestObject{}},
		"no response":                 {HookName: nobody, HookType: wire.HookType_Response, Request: &wire.MiniRequestObject{}},
		"nothing at all":              {},
	} {
		_, err := x.ask(ctx, o)
		if v, bad := x.sameAs(err); bad {
			v.detail = what + ": " + v.detail
			return v
		}
	}
	return verdict{Pass, "an Object may lack request, session and response"}
}

func (x *examination) event(ctx context.Context) verdict {
	ctx, cancel := context.WithTimeout(ctx, x.Patience)
	defer cancel()
	const payload = `{"message":{"Type":"AuthFailure","Meta":{"Message":"verify"},"TimeStamp":""},` +
		`"handler_name":"` + nobody + `","spec":{"APIID":"verify","OrgID":""}}`
	var reached peer.Peer
	begin := time.Now()
	_, err := wire.NewDispatcherClient(x.server.conn).DispatchEvent(ctx, &wire.Event{Payload: payload}, grpc.Peer(&reached))
	switch status.Code(err) {
	case codes.OK:
		return verdict{Pass, "DispatchEvent is answered"}
	case codes.Unimplemented:
		return verdict{Warn, "DispatchEvent is not implemented: events are lost"}
	case codes.Unavailable, codes.DeadlineExceeded:
		return verdict{Fail, x.server.explain(err, reached, time.Since(begin)).Error()}
	}
	return verdictf(Warn, "DispatchEvent: %v", x.server.explain(err, reached, time.Since(begin)))
}

func (x *examination) health(ctx context.Context) verdict {
	ctx, cancel := context.WithTimeout(ctx, x.Patience)
	defer cancel()
	got, err := grpc_health_v1.NewHealthClient(x.server.conn).Check(ctx, &grpc_health_v1.HealthCheckRequest{})
	if err != nil {
		return verdictf(Info, "grpc.health.v1 is not answered (%s); orchestrators like to ask it", status.Code(err))
	}
	return verdict{Info, "grpc.health.v1 says " + got.GetStatus().String()}
}

// hook asks one of the server's own hooks, and asks it again about an Object
// that lacks what may be missing.
func (x *examination) hook(ctx context.Context, q Question) verdict {
	o, err := q.Message()
	if err != nil {
		return verdict{Fail, err.Error()}
	}
	a, err := x.ask(ctx, o)
	if err != nil {
		return verdict{Fail, err.Error()}
	}
	if _, err := a.effects(); err != nil {
		return verdict{Fail, "the answer is refused: " + err.Error()}
	}
	bare := &wire.Object{HookName: o.HookName, HookType: o.HookType, Spec: o.Spec}
	if _, err := x.ask(ctx, bare); err != nil {
		return verdictf(Warn, "fails about an Object without request and session: %v", err)
	}
	return verdict{Pass, strings.Join(a.Effects(), "; ")}
}
