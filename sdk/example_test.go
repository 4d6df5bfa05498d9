package sdk_test

import (
	"log"

	"github.com/grapnel-gateway/grapnel/sdk"
)

// A whole plugin server with one hook.
func Example() {
	addTenant := func(x *sdk.Exchange) error {
		if x.Header("X-Tenant") != "" {
			return sdk.Deny(403, "tenants are ours to name")
		}
		var config struct{ Tenant string }
		if err := x.Config(&config); err != nil {
			return err
		}
		x.SetHeader("X-Tenant", config.Tenant)
		return nil
	}
	if err := sdk.Serve(sdk.Hook("AddTenant", addTenant)); err != nil {
		log.Fatal(err)
	}
}
