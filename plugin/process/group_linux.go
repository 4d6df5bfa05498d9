package process

import "syscall"

// group puts a server into a process group of its own. Should even the warden be
// killed, the system kills the server.
func group() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
