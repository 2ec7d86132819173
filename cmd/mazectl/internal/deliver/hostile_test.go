package deliver

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/pysource"
	"github.com/maze-agent/maregister/internal/discover"
)

func manifest(name, description string) []pysource.Manifest {
	return pysource.Manifests([]discover.Task{{Spec: v1alpha1.MazeTaskSpec{Name: name, Description: description}}}, "", "")
}

// TestControlCharacters (row 9 of the security review): whatever a description has, YAML of it is read as the same.
func TestControlCharacters(t *testing.T) {
	var all strings.Builder
	for _, r := range []rune{
		0x00, 0x07, 0x1b, 0x7f, 0x80, 0x85, 0x9b, 0x9f, 0xa0, 0xad, 0x200e, 0x2028, 0x2029, 0x202e, 0xfeff, 0xfffd, 0xfffe, 0xffff, 0x1f600, 0x1fffe, 0x10ffff,
	} {
		all.WriteRune(r)
		for _, text := range []string{string(r), "a" + string(r) + "b", string(r) + "\n" + string(r) + " # '\"", all.String()} {
			for _, encoding := range []string{EncodingYAML, encodingJSON} {
				content, err := encodeManifests(manifest("a", text), encoding)
				if err != nil {
					t.Errorf("%U as %s: %v", r, encoding, err)
					continue
				}
				var one v1alpha1.MazeTask
				if encoding == EncodingYAML {
					err = yaml.Unmarshal(content, &one)
				} else {
					var list struct{ Items []v1alpha1.MazeTask }
					if err = json.Unmarshal(content, &list); err == nil {
						one = list.Items[0]
					}
				}
				if err != nil || one.Spec.Description != text {
					t.Errorf("%U as %s: %v, got %q, want %q", r, encoding, err, one.Spec.Description, text)
				}
			}
		}
	}
}

// TestReservedNames: no task's file takes the place of another file, on any system.
func TestReservedNames(t *testing.T) {
	for name, want := range map[string]string{
		"kustomization": "kustomization_.yaml", "Kustomization": "kustomization_.yaml", "con": "con_.yaml", "LPT1": "lpt1_.yaml", "aux": "aux_.yaml",
		"kustomization_": "kustomization_.yaml", "config": "config.yaml", "com10": "com10.yaml",
	} {
		folder := &manifestFolder{path: t.TempDir()}
		changes, total, err := folder.changes(manifest(name, ""), func(string, v1alpha1.MazeTaskSpec) bool { return false })
		if err != nil || total != 2 {
			t.Fatalf("%s: %d files, %v", name, total, err)
		}
		var names []string
		for _, change := range changes {
			names = append(names, change.name)
			if change.name == KustomizationFile && !strings.Contains(string(change.after), "- "+want+"\n") {
				t.Errorf("%s: %s has not %s:\n%s", name, KustomizationFile, want, change.after)
			}
		}
		if got := strings.Join(names, " "); !strings.Contains(" "+got+" ", " "+want+" ") {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

// TestOddFiles: what is in the place of a file is not read if it would never end.
func TestOddFiles(t *testing.T) {
	for name, create := range map[string]func(path string) error{
		"a named pipe": func(path string) error { return syscall.Mkfifo(path, 0o644) },
		"/dev/zero":    func(path string) error { return os.Symlink("/dev/zero", path) },
		"a folder":     func(path string) error { return os.Mkdir(path, 0o755) },
		"a large file": func(path string) error {
			if err := os.WriteFile(path, nil, 0o644); err != nil {
				return err
			}
			return os.Truncate(path, maxManifest+1)
		},
	} {
		folder := &manifestFolder{path: t.TempDir()}
		if err := create(filepath.Join(folder.path, "a.yaml")); err != nil {
			t.Fatal(err)
		}
		_, _, err := folder.changes(manifest("a", ""), func(string, v1alpha1.MazeTaskSpec) bool { return false })
		if err == nil || !strings.Contains(err.Error(), "a.yaml was not made by this discovery") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestOrigin says who made an object that discovery leaves alone.
func TestOrigin(t *testing.T) {
	fields := func(managers ...string) (entries []metav1.ManagedFieldsEntry) {
		for _, manager := range managers {
			entries = append(entries, metav1.ManagedFieldsEntry{Manager: manager, Operation: "Apply", FieldsV1: metav1.NewFieldsV1("{}")})
		}
		return entries
	}
	for want, tc := range map[string]struct {
		source   string
		managers []metav1.ManagedFieldsEntry
	}{
		"":                                  {},
		", but by the field manager argocd": {"tools", fields("argocd")},
		", but by the field manager kubectl and helm": {"", fields("kubectl", "helm", "kubectl")},
		", but by that with --source-name other":      {"other", fields(fieldManager)},
	} {
		object := &unstructured.Unstructured{Object: map[string]any{}}
		if tc.source != "" {
			object.SetLabels(map[string]string{pysource.LabelSource: tc.source})
		}
		object.SetManagedFields(tc.managers)
		if got := origin(object); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// TestStranger: a repository does not delete what another one has under the same name.
func TestStranger(t *testing.T) {
	root := t.TempDir()
	if err := os.WriteFile(filepath.Join(root, "here.py"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	object := func(source string) *unstructured.Unstructured {
		o := &unstructured.Unstructured{Object: map[string]any{}}
		o.SetLabels(map[string]string{pysource.LabelSource: source})
		o.SetManagedFields([]metav1.ManagedFieldsEntry{{Manager: fieldManager, Operation: "Apply", FieldsV1: metav1.NewFieldsV1("{}")}})
		return o
	}
	created, known := step{verb: verbCreate}, step{verb: verbUnchanged, existing: object("tools")}
	ofOther := step{verb: verbUnchanged, existing: object("other")}
	gone, moved := step{verb: verbPrune, place: "there.py"}, step{verb: verbPrune, place: "here.py"}
	for name, tc := range map[string]struct {
		steps, gone []step
		allow, want bool
	}{
		"nothing is known":        {steps: []step{created}, gone: []step{gone, gone}, want: true},
		"of another source":       {steps: []step{ofOther}, gone: []step{gone}, want: true},
		"one is known":            {steps: []step{created, known}, gone: []step{gone}},
		"a file is known":         {steps: []step{created}, gone: []step{gone, moved}},
		"nothing is deleted":      {steps: []step{created}},
		"it is meant":             {steps: []step{created}, gone: []step{gone}, allow: true},
		"what is kept is as well": {steps: []step{created}, gone: []step{{verb: verbKeep, place: "there.py"}}},
	} {
		o := &Options{SourceName: "tools", AllowEmpty: tc.allow, Dirs: []string{"tools"}}
		if err := o.checkStranger(&pysource.Found{Root: root}, tc.steps, tc.gone, "vision"); (err != nil) != tc.want {
			t.Errorf("%s: %v, want an error: %t", name, err, tc.want)
		}
	}
}
