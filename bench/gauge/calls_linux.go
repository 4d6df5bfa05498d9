package main

import (
	"errors"
	"fmt"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Go's scheduler is not told of the calls of a load. It would hand the processor to
// another thread and back for each of them, at a cost that is more than that of the
// call, and at the expense of a gateway on the same machine. None of them blocks but
// wait, and what the collector or the scheduler wants of the thread meanwhile it
// says with a signal, which ends the wait.

func read(fd int, p []byte) (int, error) {
	n, _, errno := unix.RawSyscall(unix.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)))
	return result(n, errno)
}

func write(fd int, p []byte) (int, error) {
	n, _, errno := unix.RawSyscall(unix.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)))
	return result(n, errno)
}

// wait waits for events, for so long at most. A signal is no event, and no error.
func wait(poll int, events []unix.EpollEvent, most time.Duration) (int, error) {
	timeout := [2]int64{int64(most / time.Second), int64(most % time.Second)} // a struct __kernel_timespec
	n, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT2, uintptr(poll), uintptr(unsafe.Pointer(unsafe.SliceData(events))), uintptr(len(events)), uintptr(unsafe.Pointer(&timeout)), 0, 0)
	switch errno {
	case unix.EINTR:
		return 0, nil
	case unix.ENOSYS:
		return 0, fmt.Errorf("Linux 5.11 is needed: %w", errno)
	}
	return result(n, errno)
}

func result(n uintptr, errno unix.Errno) (int, error) {
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}

// exact has the kernel end the thread's waits when they are over. It would else
// take 50 µs more, to end several at once. back undoes it.
func exact() (back func(), err error) {
	const nanosecond, usual = 1, 0
	return func() { unix.Prctl(unix.PR_SET_TIMERSLACK, usual, 0, 0, 0) }, unix.Prctl(unix.PR_SET_TIMERSLACK, nanosecond, 0, 0, 0)
}

// goAhead gives the thread priority over others where the system allows it, as it
// does root: a load that waits for a processor measures itself. back undoes it.
func goAhead() (back func(), allowed bool) {
	const niceness = -10
	before, err := unix.Getpriority(unix.PRIO_PROCESS, 0)
	err = errors.Join(err, unix.Setpriority(unix.PRIO_PROCESS, 0, niceness))
	if err != nil {
		return func() {}, false
	}
	const nicest = 20 // what the kernel subtracts a niceness from to tell it
	return func() { unix.Setpriority(unix.PRIO_PROCESS, 0, nicest-before) }, true
}

// threadTime is the processor time that the thread has used.
func threadTime() (time.Duration, error) {
	var u unix.Rusage
	err := unix.Getrusage(unix.RUSAGE_THREAD, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), err
}
