package tryout_test

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/plugin/coprocess"
	"github.com/grapnel-gateway/grapnel/plugin/fleet"
	"github.com/grapnel-gateway/grapnel/plugin/plugintest"
	"github.com/grapnel-gateway/grapnel/plugin/rpc"
	"github.com/grapnel-gateway/grapnel/plugin/rpc/direct"
)

// TestEffectsAgree: what is said of an answer is what the gateway's own client
// makes of it.
func TestEffectsAgree(t *testing.T) {
	scripted := plugintest.Serve(t)
	server := grapnel.PluginServer{Target: scripted.Target, Compat: grapnel.CompatNative, MaxReceive: 1 << 20}
	conn, err := fleet.New(server, func(o rpc.Options) (rpc.Conn, error) { return direct.New(o) }, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	client := coprocess.New(server, conn)
	t.Cleanup(func() { client.Close() })
	for _, c := range cases() {
		t.Run(c.stage.String()+" "+c.hook, func(t *testing.T) {
			said := call(t, dial(t, scripted.Target), question(c.stage, c.hook)).Effects()
			binding, err := client.Bind(&grapnel.API{ID: "try"}, grapnel.Hook{Name: c.hook, Stage: c.stage})
			if err != nil {
				t.Fatal(err)
			}
			for _, line := range done(t, binding, c.stage) {
				if !slices.ContainsFunc(said, func(s string) bool {
					return strings.HasPrefix(strings.Replace(s, "adds to header", "sets header", 1), line)
				}) {
					t.Errorf("the gateway %s; said was %q", line, said)
				}
			}
		})
	}
}

// cases are the hooks of the other tests, and more with faults.
func cases() []turn {
	all := slices.Concat(requestTurns(), severalTurns(), decisionTurns(), replyTurns())
	for _, stage := range []grapnel.Stage{grapnel.Pre, grapnel.Auth, grapnel.Response} {
		for _, hook := range []string{
			"esc;set X-A=a\\r\\nb", "set X A=1", "esc;del X\\nA", "method A B", "method ", "url ", "url x y", "url *", "ov 600",
			"ov 204", "ov 302;ovh Location=/x", "ov 500;overr x;ovflag", "ov 401", "ov 403;esc;ovh X-A=\\x00", "ov 403;ovh Transfer-Encoding=x",
			"empty", "norequest", "nooverrides", "rnil", "rstatus 0", "rstatus 101", "esc;rh X-A=\\n", "rh X A=1", "rmv X A=1", "rh Transfer-Encoding=x",
			"mv X A=1", "esc;add X-A=\\n", "trailer Content-Length=1", "trailer Host=1", "ov 200;ovmv Transfer-Encoding=x", "mv X-A=1,2", "add X-A=1,2",
			"body new", "raw x;body y", "clearraw", "rraw ;rbody ", "rraw ;rbody z",
		} {
			all = append(all, turn{stage: stage, hook: hook})
		}
	}
	return all
}

// done are the effects of a hook on the same question, as beginnings of what is
// said about them.
func done(t *testing.T, b grapnel.Binding, stage grapnel.Stage) []string {
	t.Helper()
	r := httptest.NewRequest("POST", "/x?a=1", strings.NewReader("old"))
	r.Header = http.Header{"X-Old": {"1"}}
	x := &grapnel.Exchange{Request: r, API: &grapnel.API{ID: "try", MaxBody: 1 << 20}, Log: slog.New(slog.DiscardHandler)}
	if stage == grapnel.Response {
		resp := grapnel.Reply(200, http.Header{"Set-Cookie": {"a", "b"}, "X-Up": {"1"}}, []byte("up"))
		if _, err := b.Response(t.Context(), x, resp); err != nil {
			return []string{"fails the hook: "}
		}
		return repliedLines(t, resp)
	}
	resp, err := b.Request(t.Context(), x)
	var refusal *grapnel.Error
	switch {
	case errors.As(err, &refusal) && refusal.Message == "Forbidden":
		return []string{"refuses the caller: 403"}
	case refusal != nil:
		return []string{fmt.Sprintf("answers the client: %d %s, an error page that says %q", refusal.Status, http.StatusText(refusal.Status), refusal.Message)}
	case err != nil:
		return []string{"fails the hook: "}
	case resp != nil:
		return []string{fmt.Sprintf("answers the client: %d", resp.StatusCode)}
	}
	return requestLines(t, x)
}

func requestLines(t *testing.T, x *grapnel.Exchange) (lines []string) {
	for name, values := range x.Request.Header {
		if name != "X-Old" && name != "Content-Length" {
			lines = append(lines, "sets header "+name+": "+strings.Join(values, ", "))
		}
	}
	if x.Request.Header.Get("X-Old") == "" {
		lines = append(lines, "removes header X-Old")
	}
	if x.Request.Method != "POST" {
		lines = append(lines, "changes the method to "+x.Request.Method)
	}
	body, err := x.Body()
	if err != nil {
		t.Fatal(err)
	}
	return append(lines, bodyLines("request", string(body), "old")...)
}

func repliedLines(t *testing.T, resp *http.Response) (lines []string) {
	for name, was := range map[string][]string{"Set-Cookie": {"a", "b"}, "X-Up": {"1"}, "X-New": nil} {
		is := resp.Header[name]
		switch {
		case slices.Equal(was, is):
		case len(is) == 0:
			lines = append(lines, "removes reply header "+name)
		default:
			lines = append(lines, "sets reply header "+name+": "+strings.Join(is, ", "))
		}
	}
	if resp.StatusCode != 200 {
		lines = append(lines, fmt.Sprintf("changes the status to %d", resp.StatusCode))
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return append(lines, bodyLines("reply", string(body), "up")...)
}

func bodyLines(of, is, was string) []string {
	switch is {
	case was:
		return nil
	case "":
		return []string{"empties the " + of + "'s body"}
	}
	return []string{fmt.Sprintf("replaces the %s's body by %d bytes: %q", of, len(is), is)}
}
