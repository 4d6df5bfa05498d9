//go:build !linux

package process

import "syscall"

// group puts a server into a process group of its own.
func group() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
