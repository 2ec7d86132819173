package deliver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/client-go/dynamic"
	"sigs.k8s.io/yaml"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/pysource"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/report"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/terminal"
)

// find writes Python files that declare a task of each name, and finds them.
func find(t *testing.T, files map[string]string) *pysource.Found {
	t.Helper()
	folder := t.TempDir()
	for name, tasks := range files {
		var source strings.Builder
		source.WriteString("from maze import task\n")
		for _, task := range strings.Fields(strings.TrimSuffix(tasks, "broken")) {
			fmt.Fprintf(&source, "\n@task(name=%q)\ndef %s():\n    pass\n", task, task)
		}
		if tasks == "broken" {
			source.WriteString("\n@task(\n")
		}
		if err := os.WriteFile(filepath.Join(folder, name), []byte(source.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	found, err := pysource.Find(t.Context(), pysource.Options{}, []string{folder})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// terminalTo returns a terminal of which only what is told beside the result is kept.
func terminalTo(errOut io.Writer) terminal.Terminal {
	return terminal.New(genericiooptions.IOStreams{Out: io.Discard, ErrOut: errOut})
}

// TestFolder: a folder follows the Python files, and nothing that others wrote is touched.
func TestFolder(t *testing.T) {
	folder := t.TempDir()
	foreign := filepath.Join(folder, "foreign.yaml")
	if err := os.WriteFile(foreign, []byte("kind: ConfigMap\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	steps := []struct {
		name    string
		files   map[string]string
		options Options
		want    []string // what is in the folder
		wantSay string   // a part of what is told beside the result
		wantErr string
	}{
		{name: "new", files: map[string]string{"a.py": "one two", "b.py": "three"},
			want: []string{"foreign.yaml", "kustomization.yaml", "one.yaml", "three.yaml", "two.yaml"}, wantSay: "4 written, 0 removed, 0 unchanged"},
		{name: "the same again", files: map[string]string{"a.py": "one two", "b.py": "three"},
			want: []string{"foreign.yaml", "kustomization.yaml", "one.yaml", "three.yaml", "two.yaml"}, wantSay: "0 written, 0 removed, 4 unchanged"},
		{name: "only looked at", files: map[string]string{"a.py": "one four", "b.py": "three"}, options: Options{Check: true},
			want: []string{"foreign.yaml", "kustomization.yaml", "one.yaml", "three.yaml", "two.yaml"}, wantErr: report.ErrFindings.Error(),
			wantSay: "the Python files say something else than 3 manifests"},
		{name: "one gone, one new", files: map[string]string{"a.py": "one four", "b.py": "three"},
			want: []string{"foreign.yaml", "four.yaml", "kustomization.yaml", "one.yaml", "three.yaml"}, wantSay: "2 written, 1 removed, 2 unchanged"},
		{name: "a file that cannot be read", files: map[string]string{"a.py": "broken", "b.py": "three"},
			want: []string{"foreign.yaml", "four.yaml", "kustomization.yaml", "one.yaml", "three.yaml"}, wantSay: "one.yaml is kept: its file cannot be read"},
		{name: "nothing at all", files: map[string]string{"a.py": "", "b.py": ""},
			want: []string{"foreign.yaml", "four.yaml", "kustomization.yaml", "one.yaml", "three.yaml"}, wantErr: "if that is meant, give --allow-empty"},
		{name: "the name of what others wrote", files: map[string]string{"a.py": "foreign one"},
			want: []string{"foreign.yaml", "four.yaml", "kustomization.yaml", "one.yaml", "three.yaml"}, wantErr: "foreign.yaml was not made by this discovery"},
		{name: "nothing, and that is meant", files: map[string]string{"a.py": "", "b.py": ""}, options: Options{AllowEmpty: true},
			want: []string{"foreign.yaml", "kustomization.yaml"}, wantSay: "1 written, 3 removed"},
	}
	for _, step := range steps { // each begins with what the last one left
		options := step.options
		options.OutputDir = folder
		var said bytes.Buffer
		err := options.Deliver(t.Context(), terminalTo(&said), find(t, step.files))
		if (err != nil) != (step.wantErr != "") || err != nil && !strings.Contains(err.Error(), step.wantErr) {
			t.Errorf("%s: want the error %q, got %v", step.name, step.wantErr, err)
		}
		if !strings.Contains(said.String(), step.wantSay) {
			t.Errorf("%s: want it to tell %q, got %q", step.name, step.wantSay, said.String())
		}
		if diff := cmp.Diff(step.want, namesIn(t, folder)); diff != "" {
			t.Fatalf("%s: the folder (-want +got):\n%s", step.name, diff)
		}
	}
	if content, err := os.ReadFile(foreign); err != nil || string(content) != "kind: ConfigMap\n" {
		t.Errorf("the file of others is %q, %v", content, err)
	}
}

func namesIn(t *testing.T, folder string) []string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

// TestFileIsReplacedAsAWhole: a file that cannot be replaced stays as it was, and nothing else stays beside it.
func TestFileIsReplacedAsAWhole(t *testing.T) {
	folder := t.TempDir()
	if err := os.Mkdir(filepath.Join(folder, "a.yaml"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := writeFile(filepath.Join(folder, "a.yaml"), []byte("x")); err == nil {
		t.Error("want an error: it is a folder")
	}
	if err := writeFile(filepath.Join(folder, "none", "a.yaml"), []byte("x")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("want an error that says what is not there, got %v", err)
	}
	if diff := cmp.Diff([]string{"a.yaml"}, namesIn(t, folder)); diff != "" {
		t.Errorf("the folder (-want +got):\n%s", diff)
	}
}

// server stands for the MazeTasks of a namespace, as the API server has them.
type server struct {
	dynamic.ResourceInterface

	mutex   sync.Mutex
	objects map[string]*unstructured.Unstructured
	// fails is the name of an object that cannot be applied, refuses of one that is not accepted, and guards of one that may not be deleted.
	fails, refuses, guards string
	// requests are those that change something, in their order.
	requests []string
}

func (s *server) List(context.Context, metav1.ListOptions) (*unstructured.UnstructuredList, error) {
	list := &unstructured.UnstructuredList{}
	for _, object := range s.objects {
		list.Items = append(list.Items, *object.DeepCopy())
	}
	return list, nil
}

func (s *server) Patch(
	_ context.Context, name string, kind types.PatchType, content []byte, options metav1.PatchOptions, _ ...string,
) (*unstructured.Unstructured, error) {
	out := &unstructured.Unstructured{}
	if err := yaml.Unmarshal(content, &out.Object); err != nil || kind != types.ApplyPatchType {
		return nil, fmt.Errorf("apply a patch of type %s: %w", kind, err)
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	switch {
	case name == s.refuses:
		return nil, apierrors.NewInvalid(v1alpha1.SchemeGroupVersion.WithKind("MazeTask").GroupKind(), name, nil)
	case name == s.fails && len(options.DryRun) == 0:
		return nil, apierrors.NewInternalError(errors.New("no space left"))
	case len(options.DryRun) == 0:
		s.requests = append(s.requests, "apply "+name)
	}
	out.SetManagedFields([]metav1.ManagedFieldsEntry{{Manager: options.FieldManager, Operation: metav1.ManagedFieldsOperationApply, FieldsV1: &metav1.FieldsV1{Raw: []byte("{}")}}})
	return out, nil
}

func (s *server) Delete(_ context.Context, name string, options metav1.DeleteOptions, _ ...string) error {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	switch {
	case name == s.guards:
		return apierrors.NewForbidden(schema.GroupResource{Resource: "mazetasks"}, name, errors.New("MazeWorkflow letter runs it"))
	case len(options.DryRun) == 0:
		s.requests = append(s.requests, "delete "+name)
	}
	if *options.Preconditions.UID != s.objects[name].GetUID() {
		return fmt.Errorf("%s is deleted without its UID", name)
	}
	return nil
}

// serve returns a namespace with a task of each name. Those after a slash are another source's, and those after an equals sign nobody's.
func serve(t *testing.T, f *pysource.Found, existing ...string) *server {
	t.Helper()
	s := &server{objects: map[string]*unstructured.Unstructured{}}
	for _, one := range existing {
		source, name, foreign := strings.Cut(one, "/")
		if !foreign {
			source, name = "ours", one
		}
		name, manual := strings.CutPrefix(name, "=")
		object := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{
			"name": name, "entryPoint": "a:" + name, "source": map[string]any{"path": "a.py"},
		}}}
		for _, m := range pysource.Manifests(f.Tasks, "vision", "ours") {
			if m.Object.Name == name {
				applied, err := (&clusterTasks{ResourceInterface: s}).apply(t.Context(), m.Object, true)
				if err != nil {
					t.Fatal(err)
				}
				object = applied
			}
		}
		object.SetName(name)
		object.SetUID(types.UID("uid of " + name))
		object.SetLabels(map[string]string{pysource.LabelSource: source, "app.kubernetes.io/managed-by": "mazectl"})
		object.SetManagedFields([]metav1.ManagedFieldsEntry{{Manager: fieldManager, Operation: metav1.ManagedFieldsOperationApply, FieldsV1: &metav1.FieldsV1{Raw: []byte("{}")}}})
		if manual {
			object.SetManagedFields(nil)
		}
		s.objects[name] = object
	}
	return s
}

// TestPlan: what becomes of each object, and what is not touched.
func TestPlan(t *testing.T) {
	cases := map[string]struct {
		files    map[string]string
		existing []string
		options  Options
		refuses  string
		guards   string
		want     []string
		wantErr  string
	}{
		"new":            {files: map[string]string{"a.py": "one two"}, want: []string{"create one", "create two"}},
		"there":          {files: map[string]string{"a.py": "one two"}, existing: []string{"one"}, want: []string{"unchanged one", "create two"}},
		"gone, and left": {files: map[string]string{"a.py": "one"}, existing: []string{"one", "old"}, want: []string{"unchanged one"}},
		"gone": {files: map[string]string{"a.py": "one"}, existing: []string{"one", "old"}, options: Options{Prune: true},
			want: []string{"unchanged one", "prune old"}},
		"of another source": {files: map[string]string{"a.py": "one"}, existing: []string{"theirs/old"}, options: Options{Prune: true},
			want: []string{"create one"}},
		"gone, or not": {files: map[string]string{"a.py": "broken", "b.py": "one"}, existing: []string{"old"}, options: Options{Prune: true},
			want: []string{"create one", "keep old (its file cannot be read)"}},
		"applied by hand": {files: map[string]string{"a.py": "one"}, existing: []string{"ours/=one"},
			want: []string{"change one [refused]"}},
		"applied by hand, and taken over": {files: map[string]string{"a.py": "one"}, existing: []string{"ours/=one"}, options: Options{ForceConflicts: true},
			want: []string{"change one (metadata.managedFields)"}},
		"refused": {files: map[string]string{"a.py": "one two"}, refuses: "two", want: []string{"create one", "create two [refused]"}},
		"guarded": {files: map[string]string{"a.py": "one"}, existing: []string{"old", "older"}, guards: "old", options: Options{Prune: true},
			want: []string{"create one", "prune old [refused]", "prune older"}},
		"all gone": {files: map[string]string{"a.py": ""}, existing: []string{"old"}, options: Options{Prune: true}, wantErr: "give --allow-empty"},
		"all gone, and that is meant": {files: map[string]string{"a.py": ""}, existing: []string{"old"}, options: Options{Prune: true, AllowEmpty: true},
			want: []string{"prune old"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			found := find(t, tc.files)
			s := serve(t, found, tc.existing...)
			s.refuses, s.guards = tc.refuses, tc.guards
			options := tc.options
			options.SourceName = "ours"
			steps, err := options.plan(t.Context(), &clusterTasks{s, "vision", options.ForceConflicts}, found)
			if (err != nil) != (tc.wantErr != "") || err != nil && !strings.Contains(err.Error(), tc.wantErr) {
				t.Fatalf("want the error %q, got %v", tc.wantErr, err)
			}
			if err != nil {
				return
			}
			var got []string
			for _, s := range steps {
				line := string(s.verb) + " " + s.name
				if s.note != "" {
					line += " (" + s.note + ")"
				}
				if s.refusal != "" {
					line += " [refused]"
				}
				got = append(got, line)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("steps (-want +got):\n%s", diff)
			}
			if len(s.requests) > 0 {
				t.Errorf("a plan changes the cluster: %q", s.requests)
			}
		})
	}
}

// TestCarryOut: nothing is deleted before all is applied, and not at all if something is not.
func TestCarryOut(t *testing.T) {
	for name, tc := range map[string]struct {
		fails string
		want  []string
	}{
		"all goes well":         {want: []string{"apply one", "apply two", "delete old"}},
		"one cannot be applied": {fails: "two", want: []string{"apply one"}},
	} {
		t.Run(name, func(t *testing.T) {
			found := find(t, map[string]string{"a.py": "one two"})
			s := serve(t, found, "old")
			s.fails = tc.fails
			c := &clusterTasks{s, "vision", false}
			steps, err := (&Options{SourceName: "ours", Prune: true}).plan(t.Context(), c, found)
			if err != nil {
				t.Fatal(err)
			}
			if err := c.carryOut(t.Context(), steps); (err != nil) != (tc.fails != "") {
				t.Errorf("got the error %v", err)
			}
			if deletion := slices.Index(s.requests, "delete old"); deletion >= 0 && deletion != len(s.requests)-1 {
				t.Errorf("it is deleted before all is applied: %q", s.requests)
			}
			slices.Sort(s.requests)
			if diff := cmp.Diff(tc.want, s.requests); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
		})
	}
}
