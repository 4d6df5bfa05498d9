// Command orders is the plugin server of the tutorial.
package main

import (
	"fmt"
	"log"

	"github.com/grapnel-gateway/grapnel/sdk"
)

func main() {
	err := sdk.Serve(
		sdk.Hook("CheckToken", checkToken),
		sdk.Hook("AddTenant", addTenant),
		sdk.Hook("Greet", greet),
	)
	if err != nil {
		log.Fatal(err)
	}
}

func checkToken(x *sdk.Exchange) error {
	token := x.Header("Authorization")
	if token != "let-me-in" {
		return sdk.Deny(401, "unknown token")
	}
	x.Accept(token, &sdk.Session{Alias: "Ada", Rate: 100, Per: 1})
	return nil
}

func addTenant(x *sdk.Exchange) error {
	var config struct{ Tenant string }
	if err := x.Config(&config); err != nil {
		return err
	}
	x.SetHeader("X-Tenant", config.Tenant)
	return nil
}

func greet(x *sdk.Exchange) error {
	reply := x.Reply()
	reply.SetBody(fmt.Appendf(reply.RawBody, "for %s\n", x.Session.GetAlias()))
	return nil
}
