package client

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/maze-agent/maregister/internal/registry"
)

// mount shows a ConfigMap in a folder as the kubelet does: a new folder, a link to it that is swapped, and the folder from before goes.
func mount(t testing.TB, folder string, version int, data map[string]string) {
	t.Helper()
	name := fmt.Sprintf("..2026_11_26_%d", version)
	writeFiles(t, filepath.Join(folder, name), data)
	link := filepath.Join(folder, "..data")
	before, _ := os.Readlink(link)
	must(t, os.Symlink(name, link+"_tmp"))
	must(t, os.Rename(link+"_tmp", link))
	for key := range data {
		if err := os.Symlink(filepath.Join("..data", key), filepath.Join(folder, key)); err != nil && !os.IsExist(err) {
			t.Fatal(err)
		}
	}
	if before != "" {
		must(t, os.RemoveAll(filepath.Join(folder, before)))
	}
}

func writeFiles(t testing.TB, folder string, data map[string]string) {
	t.Helper()
	must(t, os.MkdirAll(folder, 0o700))
	for key, text := range data {
		must(t, os.WriteFile(filepath.Join(folder, key), []byte(text), 0o600))
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestReadFolder(t *testing.T) {
	var p publisher
	two := tasks{"image_caption": 1, "split_pdf": 3}
	cases := map[string]struct {
		make    func(t *testing.T, folder string)
		want    tasks
		wantErr string
	}{
		"mounted": {want: two, make: func(t *testing.T, folder string) { mount(t, folder, 1, p.publish(t, two)[0].Data) }},
		"mounted, and changed": {want: two, make: func(t *testing.T, folder string) {
			mount(t, folder, 1, p.publish(t, tasks{"old": 1})[0].Data)
			mount(t, folder, 2, p.publish(t, two)[0].Data)
		}},
		"no task":           {make: func(t *testing.T, folder string) { mount(t, folder, 1, p.publish(t, tasks{})[0].Data) }},
		"optional, not yet": {make: func(t *testing.T, folder string) { mount(t, folder, 1, nil) }},
		"plain files":       {want: two, make: func(t *testing.T, folder string) { writeFiles(t, folder, p.publish(t, two)[0].Data) }},
		"folders and pipes beside": {want: two, make: func(t *testing.T, folder string) {
			writeFiles(t, folder, p.publish(t, two)[0].Data)
			writeFiles(t, filepath.Join(folder, "more"), map[string]string{"a": "b"})
			must(t, syscall.Mkfifo(filepath.Join(folder, "pipe"), 0o600))
		}},
		"a file too many": {wantErr: "has the digest", make: func(t *testing.T, folder string) {
			writeFiles(t, folder, p.publish(t, two)[0].Data)
			writeFiles(t, folder, map[string]string{"README": "?"})
		}},
		"no folder": {wantErr: "no such file or directory", make: func(t *testing.T, folder string) { must(t, os.RemoveAll(folder)) }},
		"an empty folder": {wantErr: "has no file .index: mount the whole ConfigMap maze-registry there", make: func(*testing.T, string) {
		}},
		"several ConfigMaps": {wantErr: "has only the index of a registry of 60 tasks in", make: func(t *testing.T, folder string) {
			mount(t, folder, 1, p.publish(t, numbered(60))[0].Data)
		}},
		"another format": {wantErr: "has format 2; this version reads 1", make: func(t *testing.T, folder string) {
			mount(t, folder, 1, map[string]string{registry.IndexKey: `{"format":2}`})
		}},
		"too large": {wantErr: "has more than a ConfigMap can have", make: func(t *testing.T, folder string) {
			writeFiles(t, folder, map[string]string{registry.IndexKey: strings.Repeat(" ", 1<<21)})
		}},
		"a link that leads away": {wantErr: "not to a version beside it", make: func(t *testing.T, folder string) {
			writeFiles(t, folder, p.publish(t, two)[0].Data)
			must(t, os.Symlink("/etc", filepath.Join(folder, "..data")))
		}},
		"a link to the folder above": {wantErr: "not to a version beside it", make: func(t *testing.T, folder string) {
			must(t, os.Symlink("..", filepath.Join(folder, "..data")))
		}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			tc.make(t, folder)
			s, err := ReadFolder(folder)
			if (err != nil) != (tc.wantErr != "") || err != nil && !strings.Contains(err.Error(), tc.wantErr) {
				t.Fatalf("want the error %q, got %v", tc.wantErr, err)
			}
			if diff := cmp.Diff(maps.Clone(tc.want), tasksOf(t, s)); diff != "" && len(tc.want)+s.Len() > 0 {
				t.Errorf("tasks (-want +got):\n%s", diff)
			}
		})
	}
}

// TestFolderIsNeverTorn reads a folder over and over while it is swapped as fast as it goes.
func TestFolderIsNeverTorn(t *testing.T) {
	folder := t.TempDir()
	var p publisher
	var states [2]*corev1.ConfigMap
	for i := range states { // of the same names, so that a mixture would not show by its files
		all := numbered(10)
		for name := range all {
			all[name] = int64(i + 1)
		}
		states[i] = p.publish(t, all)[0]
	}
	mount(t, folder, 0, states[0].Data)
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for version := 1; ; version++ {
			select {
			case <-stop:
				return
			default:
				mount(t, folder, version, states[version%2].Data)
			}
		}
	}()
	seen, busy := map[int64]int{}, 0
	const enough = 300 // reads of each state
	for end := time.Now().Add(patience); min(seen[1], seen[2]) < enough && time.Now().Before(end); {
		s, err := ReadFolder(folder)
		if err != nil {
			if !strings.Contains(err.Error(), "changes too often") {
				t.Error(err)
				break
			}
			busy++
			continue
		}
		generations := map[int64]bool{}
		for _, entry := range s.List() {
			generations[entry.Kubernetes.Generation] = true
		}
		if len(generations) != 1 || s.Len() != 10 {
			t.Errorf("a mixture: %v", tasksOf(t, s))
			break
		}
		for generation := range generations {
			seen[generation]++
		}
	}
	close(stop)
	<-stopped
	t.Logf("read of either state %v, too busy %d", seen, busy)
	if min(seen[1], seen[2]) < enough && !t.Failed() {
		t.Error("the folder was hardly read in both states")
	}
}

func TestFollowFolder(t *testing.T) {
	folder := t.TempDir()
	var p publisher
	mount(t, folder, 1, nil)
	if _, err := NewFromFolder(folder, 0); err == nil {
		t.Error("want an error for no interval")
	}
	r, err := NewFromFolder(folder, time.Millisecond)
	must(t, err)
	ctx, cancel := context.WithTimeout(quiet(t), patience)
	defer cancel()
	ended := make(chan error)
	go func() { ended <- r.Start(ctx) }()
	must(t, r.WaitForSync(ctx))
	if r.Snapshot().Len() != 0 {
		t.Error("want an empty registry")
	}
	changes := r.Subscribe(ctx)
	for i, want := range []tasks{{"a": 1}, {"a": 2, "b": 1}, {"b": 1}} {
		mount(t, folder, i+2, p.publish(t, want)[0].Data)
		if diff := cmp.Diff(want, tasksOf(t, receive(t, changes).To)); diff != "" {
			t.Fatalf("tasks (-want +got):\n%s", diff)
		}
	}
	await(t, func() bool { return r.Err() == nil })
	for version, data := range map[int]map[string]string{10: p.publish(t, numbered(60))[0].Data, 11: {registry.IndexKey: "{"}, 12: nil} {
		mount(t, folder, version, data)
		await(t, func() bool { return r.Err() != nil })
		mount(t, folder, version+10, p.publish(t, tasks{"b": 1})[0].Data)
		await(t, func() bool { return r.Err() == nil })
		if diff := cmp.Diff(tasks{"b": 1}, tasksOf(t, r.Snapshot())); diff != "" {
			t.Fatalf("tasks (-want +got):\n%s", diff)
		}
	}
	cancel()
	must(t, <-ended)
}

// await waits for a condition.
func await(t *testing.T, condition func() bool) {
	t.Helper()
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	for end := time.Now().Add(patience); !condition(); <-ticker.C {
		if time.Now().After(end) {
			t.Fatal("it did not come")
		}
	}
}
