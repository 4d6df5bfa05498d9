package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
)

// settle is how long files must be left alone before a change counts, so that
// an editor's or a copy's several steps are one change.
const settle = 200 * time.Millisecond

// watch calls changed whenever the files, or the .json and .xml files of the
// folders, are not what they were, until the context ends. It watches folders,
// since editors and orchestrators replace files instead of writing to them.
func watch(ctx context.Context, paths []string, log *slog.Logger, changed func()) error {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("watch configuration: %w", err)
	}
	for _, p := range paths {
		if info, err := os.Stat(p); err != nil || !info.IsDir() {
			p = filepath.Dir(p)
		}
		if err := w.Add(p); err != nil {
			w.Close()
			return fmt.Errorf("watch %s: %w", p, err)
		}
	}
	go func() {
		defer w.Close()
		last := fingerprint(paths)
		timer := time.NewTimer(settle)
		timer.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case err := <-w.Errors:
				log.Warn("watch configuration", "error", err)
			case <-w.Events:
				timer.Reset(settle)
			case <-timer.C:
				if now := fingerprint(paths); now != last {
					last = now
					changed()
				}
			}
		}
	}()
	return nil
}

// fingerprint is different when a file is.
func fingerprint(paths []string) string {
	var b strings.Builder
	for _, p := range paths {
		files := []string{p}
		if entries, err := os.ReadDir(p); err == nil {
			for _, e := range entries {
				switch filepath.Ext(e.Name()) {
				case ".json", ".xml":
					files = append(files, filepath.Join(p, e.Name()))
				}
			}
		}
		for _, f := range files {
			if info, err := os.Stat(f); err == nil && !info.IsDir() {
				fmt.Fprintln(&b, f, info.Size(), info.ModTime().UnixNano())
			}
		}
	}
	return b.String()
}
