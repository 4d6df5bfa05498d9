package fleet

import (
	"log/slog"
	"os"
	"sync"
	"time"
)

// recheck is how often files are looked at, at most.
const recheck = time.Second

// files are read again when one of them changes, when somebody asks for what was
// made of them. Files that are broken when they change leave the old value in
// place.
type files[T any] struct {
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

// load reads the files for the first time.
func (f *files[T]) load() (err error) {
	f.checked = time.Now()
	if f.stamps, err = f.look(); err == nil {
		f.value, err = f.read()
	}
	return err
}

func (f *files[T]) look() ([]stamp, error) {
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

// get returns what the files hold.
func (f *files[T]) get() T {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now()
	if now.Sub(f.checked) < recheck {
		return f.value
	}
	f.checked = now
	if err := f.refresh(); err != nil {
		f.log.Error("file not read again, what it held before stays", "error", err)
	}
	return f.value
}

func (f *files[T]) refresh() error {
	stamps, err := f.look()
	if err != nil {
		return err
	}
	for i := range stamps {
		if stamps[i] != f.stamps[i] {
			value, err := f.read()
			if err != nil {
				return err
			}
			f.value, f.stamps = value, stamps
			f.log.Info("file read again", "file", f.paths[i])
			return nil
		}
	}
	return nil
}
