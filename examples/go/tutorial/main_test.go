package main

import (
	"errors"
	"testing"

	"github.com/grapnel-gateway/grapnel/proto/coprocess"
	"github.com/grapnel-gateway/grapnel/sdk"
)

func exchange(authorization string) *sdk.Exchange {
	return &sdk.Exchange{Object: &coprocess.Object{
		Request: &coprocess.MiniRequestObject{Headers: map[string]string{"Authorization": authorization}},
		Spec:    map[string]string{"config_data": `{"tenant": "acme"}`},
	}}
}

func TestMemberIsLetIn(t *testing.T) {
	x := exchange("let-me-in")
	if err := checkToken(x); err != nil || x.Metadata["token"] != "let-me-in" {
		t.Errorf("%v, metadata %v", err, x.Metadata)
	}
}

func TestStrangerIsNot(t *testing.T) {
	var answer *sdk.Answer
	if err := checkToken(exchange("guess")); !errors.As(err, &answer) || answer.Status != 401 {
		t.Errorf("got %v", err)
	}
}

func TestTenantIsThatOfTheConfiguration(t *testing.T) {
	x := exchange("")
	if err := addTenant(x); err != nil || x.Request.SetHeaders["X-Tenant"] != "acme" {
		t.Errorf("%v, headers %v", err, x.Request.SetHeaders)
	}
}
