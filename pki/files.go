// Package pki keeps what connections are trusted by: certificates and keys from
// files that may be renewed, the authorities behind the certificates of clients,
// and what these have revoked.
package pki

import (
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"
)

// recheck is how often files are looked at, at most.
const recheck = time.Second

// Files are what was made of some files. They are read again when one of them
// has changed and somebody asks; what is broken when it changes leaves the old
// value in place. They are for use by several goroutines.
type Files[T any] struct {
	paths []string
	read  func() (T, error)
	log   *slog.Logger

	mu      sync.Mutex
	value   T
	stamps  []stamp
	checked time.Time
}

// A stamp changes when a file does.
type stamp struct {
	at   time.Time
	size int64
}

// Open reads the files at paths for the first time, by means of read. The error
// is that of read, or says which file is not there.
func Open[T any](log *slog.Logger, read func() (T, error), paths ...string) (*Files[T], error) {
	f := &Files[T]{paths: paths, read: read, log: log, checked: time.Now()}
	var err error
	if f.stamps, err = f.look(); err == nil {
		f.value, err = f.read()
	}
	if err != nil {
		return nil, err
	}
	return f, nil
}

// Get returns what the files hold. A change is noticed within a second.
func (f *Files[T]) Get() T {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now()
	if now.Sub(f.checked) < recheck {
		return f.value
	}
	f.checked = now
	if err := f.refresh(); err != nil {
		f.log.Error("files not read again, what they held before stays", "files", f.paths, "error", err)
	}
	return f.value
}

func (f *Files[T]) refresh() error {
	stamps, err := f.look()
	if err != nil || slices.Equal(stamps, f.stamps) {
		return err
	}
	value, err := f.read()
	if err != nil {
		return err
	}
	f.value, f.stamps = value, stamps
	f.log.Info("files read again", "files", f.paths)
	return nil
}

func (f *Files[T]) look() ([]stamp, error) {
	out := make([]stamp, len(f.paths))
	for i, p := range f.paths {
		info, err := os.Stat(p)
		if err != nil {
			return nil, err
		}
		out[i] = stamp{info.ModTime(), info.Size()}
	}
	return out, nil
}
