//go:build !unix

package socket

import "syscall"

const supported = false

func read(uintptr, []byte) (int, error)  { return 0, syscall.EINVAL }
func write(uintptr, []byte) (int, error) { return 0, syscall.EINVAL }
func peek(uintptr, []byte) (int, error)  { return 0, syscall.EINVAL }
