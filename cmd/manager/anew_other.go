//go:build !unix

package main

import (
	"context"
	"errors"
)

func replaceProcess(context.Context, string, []string, []string) error {
	return errors.New("this platform cannot start a program in the place of another one: start it again")
}
