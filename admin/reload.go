package admin

import (
	"context"
	"net/http"

	"github.com/grapnel-gateway/grapnel"
)

// gatewayCalls are the calls for the gateway as a whole [8.2].
type gatewayCalls struct{ Options }

// reload answers when the reload is done, which is what block=true asks for;
// that parameter makes no difference here. A caller who leaves does not
// stop it.
func (c gatewayCalls) reload(r *http.Request) (any, error) {
	if err := reloadNow(r, c.Control); err != nil {
		return nil, err
	}
	return outcome{Status: "ok"}, nil
}

func reloadNow(r *http.Request, c Control) error {
	if c.Reload(context.WithoutCancel(r.Context())) != nil { // which has logged why
		return refuse(http.StatusInternalServerError, "reload failed, the previous configuration goes on serving")
	}
	return nil
}

// reloadGroup tells all gateways, this one included, to reload. They do
// it when they hear of it.
func (c gatewayCalls) reloadGroup(r *http.Request) (any, error) {
	err := c.Signals.Publish(context.WithoutCancel(r.Context()), grapnel.Signal{Kind: grapnel.SignalReload})
	return outcome{Status: "ok"}, err
}

// health refuses as the original does where health checks are off, as they
// always are here: metrics tell more.
func (c gatewayCalls) health(*http.Request) (any, error) {
	return nil, refuse(http.StatusBadRequest, "Health checks are not enabled for this node")
}

// dropCache has nothing to do: no reply is kept.
func (c gatewayCalls) dropCache(*http.Request) (any, error) {
	return outcome{"ok", "cache invalidated"}, nil
}
