package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/grapnel-gateway/grapnel"
)

// settle is how long files must be left alone before a change counts, so that
// an editor's or a copy's several steps are one change.
const settle = 200 * time.Millisecond

// A watcher notices when the files of a configuration, or the .json and .xml
// files of its folders, are not what they were.
type watcher struct {
	mu    sync.Mutex
	paths []string
	last  string
}

// accept takes the files as they are now for known, as after the control API
// has written one: what it publishes waits for a reload.
func (w *watcher) accept() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last = fingerprint(w.paths)
}

func (w *watcher) differs() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := fingerprint(w.paths)
	differs := now != w.last
	w.last = now
	return differs
}

// start calls changed after every change, until the context ends. It watches
// folders, since editors and orchestrators replace files instead of writing to
// them.
func (w *watcher) start(ctx context.Context, paths []string, log *slog.Logger, changed func()) error {
	w.mu.Lock()
	w.paths, w.last = paths, fingerprint(paths)
	w.mu.Unlock()
	notify, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("watch configuration: %w", err)
	}
	for _, p := range paths {
		if info, err := os.Stat(p); err != nil || !info.IsDir() {
			p = filepath.Dir(p)
		}
		if err := notify.Add(p); err != nil {
			notify.Close()
			return fmt.Errorf("watch %s: %w", p, err)
		}
	}
	go w.run(ctx, notify, log, changed)
	return nil
}

func (w *watcher) run(ctx context.Context, notify *fsnotify.Watcher, log *slog.Logger, changed func()) {
	defer notify.Close()
	timer, armed := time.NewTimer(settle), false
	timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case err := <-notify.Errors:
			log.Warn("watch configuration", "error", err)
		case <-notify.Events:
			if !armed { // a folder that is never quiet must not put it off for ever
				armed = true
				timer.Reset(settle)
			}
		case <-timer.C:
			armed = false
			if w.differs() {
				changed()
			}
		}
	}
}

// quietCatalog is a catalog in watched folders, whose own writes are no news.
type quietCatalog struct {
	grapnel.Catalog
	wrote func()
}

// PutDocument implements [grapnel.Catalog].
func (c quietCatalog) PutDocument(ctx context.Context, kind, id string, document []byte) error {
	defer c.wrote()
	return c.Catalog.PutDocument(ctx, kind, id, document)
}

// DeleteDocument implements [grapnel.Catalog].
func (c quietCatalog) DeleteDocument(ctx context.Context, kind, id string) error {
	defer c.wrote()
	return c.Catalog.DeleteDocument(ctx, kind, id)
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
