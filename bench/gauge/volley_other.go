//go:build !linux

package main

import (
	"context"
	"errors"
)

func (fire) run(context.Context) (load, error) {
	return load{}, errors.New("the gauge measures on Linux alone")
}
