package pysource

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	// settle is how long it has to be quiet after a change: an editor writes a file in several steps, git many files.
	settle = 200 * time.Millisecond
	// maxSettle bounds the wait where it does not get quiet.
	maxSettle = 2 * time.Second
	// maxLinks is how many symbolic links a path may lead through.
	maxLinks = 64
)

// Watch tells when Python files may have changed.
type Watch struct {
	*fsnotify.Watcher
	// folders are those whose Python files matter.
	folders map[string]bool
	// pins are entries of other folders that decide where a DIR is: itself, and the symbolic links that it is behind.
	pins map[string]bool
	// again is set where something may have changed before it was watched.
	again bool
}

// NewWatch returns a watch that watches nothing yet.
func NewWatch() (*Watch, error) {
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, err
	}
	return &Watch{Watcher: watcher}, nil
}

// Stop ends the watch.
func (w *Watch) Stop() { _ = w.Close() }

// Set watches the folders that were looked into, or if nothing was found those from before. It goes on after an error, and returns the first.
func (w *Watch) Set(f *Found, dirs []string) error {
	before := w.folders
	if f != nil {
		w.folders = map[string]bool{}
		for _, folder := range f.folders {
			w.folders[folder] = true
		}
		dirs = append([]string{f.Root}, dirs...)
	}
	w.pins = map[string]bool{}
	for _, dir := range dirs {
		for _, pin := range pinsOf(dir) {
			w.pins[pin] = true
		}
	}
	wanted := map[string]bool{}
	for folder := range w.folders {
		wanted[folder] = true
		w.again = w.again || !before[folder]
	}
	for pin := range w.pins {
		wanted[filepath.Dir(pin)] = true
	}
	for _, folder := range w.WatchList() {
		if !wanted[folder] {
			_ = w.Remove(folder) // it may be gone
		}
	}
	var first error
	for folder := range wanted { // also those watched already: they may be others of the same name
		if err := w.Add(folder); err != nil && first == nil && !os.IsNotExist(err) {
			first = err
		}
	}
	return first
}

// Wait returns when files have changed and then not for a moment, after a time, or at the context's end.
func (w *Watch) Wait(ctx context.Context, atMost time.Duration) {
	timeout := time.NewTimer(atMost)
	defer timeout.Stop()
	var quiet, latest <-chan time.Time
	if w.again {
		w.again = false
		quiet = time.After(settle)
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-quiet:
			return
		case <-latest:
			return
		case <-timeout.C:
			return
		case <-w.Errors: // such as that there were too many changes to tell each
			quiet = time.After(settle)
		case event := <-w.Events:
			if !w.matters(event) {
				continue
			}
			quiet = time.After(settle)
			if latest == nil {
				latest = time.After(maxSettle)
			}
		}
	}
}

// matters reports whether tasks may be others after an event.
func (w *Watch) matters(event fsnotify.Event) bool {
	switch {
	case w.pins[event.Name] || w.folders[event.Name]:
		return true
	case !w.folders[filepath.Dir(event.Name)]:
		return false
	}
	comesOrGoes := fsnotify.Create | fsnotify.Remove | fsnotify.Rename // as folders and symbolic links do, too
	return strings.HasSuffix(event.Name, ".py") || event.Op&comesOrGoes != 0
}

// pinsOf returns the names, below folders without symbolic links, that decide where a path leads.
func pinsOf(name string) []string {
	absolute, err := filepath.Abs(name)
	if err != nil {
		return nil
	}
	var pins []string
	separator := string(filepath.Separator)
	at := filepath.VolumeName(absolute) + separator
	rest := strings.Split(strings.TrimPrefix(absolute, at), separator)
	for links := 0; len(rest) > 0 && links < maxLinks; {
		at, rest = filepath.Join(at, rest[0]), rest[1:]
		info, err := os.Lstat(at)
		isLink := err == nil && info.Mode()&os.ModeSymlink != 0
		if isLink || err != nil || len(rest) == 0 {
			pins = append(pins, at)
		}
		if err != nil {
			break
		}
		if !isLink {
			continue
		}
		links++
		target, err := os.Readlink(at)
		if err != nil {
			break
		}
		at = filepath.Dir(at)
		if filepath.IsAbs(target) {
			at = filepath.VolumeName(target) + separator
			target = strings.TrimPrefix(target, at)
		}
		rest = append(strings.Split(filepath.Clean(target), separator), rest...)
	}
	return pins
}
