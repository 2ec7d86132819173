package caches

import (
	"strings"
	"testing"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"
	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// fakeReader is a reader that has read up to a resourceVersion.
type fakeReader struct{ version string }

func (f *fakeReader) LastSyncResourceVersion() string { return f.version }

func TestRefusals(t *testing.T) {
	forbidden := apierrors.NewForbidden(schema.GroupResource{Resource: "configmaps"}, "", nil)
	tasks, configMaps := &fakeReader{"7"}, &fakeReader{"7"}
	steps := []struct {
		name    string
		do      func(*Refusals)
		refused bool
		log     string // what is logged; nothing if it is empty
	}{
		{"refused", func(r *Refusals) { r.note("vision", forbidden, tasks) }, true, "A namespace cannot be read"},
		{"another kind, and again", func(r *Refusals) { r.note("vision", forbidden, configMaps); r.note("vision", forbidden, tasks) }, true, ""},
		{"one kind is read", func(r *Refusals) { tasks.version = "8"; r.look() }, true, ""},
		{"a request is refused, too", func(r *Refusals) { r.Note("vision", forbidden) }, true, ""},
		{"the other kind is read", func(r *Refusals) { configMaps.version = "8"; r.look() }, true, ""},
		{"the request is granted", func(r *Refusals) { r.Lift("vision") }, false, "can be read again"},
		{"nothing is refused", func(r *Refusals) { r.look(); r.Lift("vision") }, false, ""},
		{"refused again", func(r *Refusals) { r.note("vision", forbidden, tasks) }, true, "A namespace cannot be read"},
	}
	var lines []string
	refusals := NewRefusals(logr.New(funcr.New(func(_, args string) { lines = append(lines, args) }, funcr.Options{}).GetSink()), []string{"vision"})
	for _, step := range steps {
		lines = nil
		step.do(refusals)
		want := map[string]error{}
		if step.refused {
			want["vision"] = forbidden
		}
		got := refusals.All()
		if diff := cmp.Diff(len(want), len(got)); diff != "" || (refusals.Of("vision") != nil) != step.refused {
			t.Errorf("%s: (-want +got)\n%s", step.name, diff)
		}
		logged := strings.Join(lines, "\n")
		if (logged == "") != (step.log == "") || !strings.Contains(logged, step.log) || len(lines) > 1 {
			t.Errorf("%s: logged %q, want one line with %q", step.name, logged, step.log)
		}
	}
}
