package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/registry"
	"github.com/maze-agent/maregister/test/testutil"
)

// publish returns the data of a registry of the workflow's tasks, as they are in the samples.
func publish(t *testing.T) map[string]string {
	t.Helper()
	var items []registry.Item
	for file, schema := range map[string]string{"speech-to-text.yaml": "audio_path", "image-caption.yaml": "image"} {
		content, err := os.ReadFile(filepath.Join(testutil.Root(), samplesDir, file))
		if err != nil {
			t.Fatal(err)
		}
		task := &v1alpha1.MazeTask{}
		if err := yaml.UnmarshalStrict(content, task); err != nil {
			t.Fatal(err)
		}
		takes := registry.Interface{Input: fmt.Appendf(nil, `{"properties":{%q:{"type":"filepath"}},"type":"object"}`, schema), Output: []byte(`{"type":"object"}`)}
		entry, err := registry.NewEntry(task, takes, v1alpha1.Placement{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		item, err := entry.Encode()
		if err != nil {
			t.Fatal(err)
		}
		items = append(items, item)
	}
	shards := registry.Split(items, registry.DefaultShardSize)
	index, err := registry.Render(namespace, shards, registry.NewIndex(shards, registry.Index{}), nil, "1")
	if err != nil {
		t.Fatal(err)
	}
	return index.Data
}

// TestTheWorkflowIsRun: by the samples' names and entry points, and with the outputs that make demo prints.
func TestTheWorkflowIsRun(t *testing.T) {
	if why := whyNoPython(t.Context()); why != "" {
		t.Skip(why)
	}
	dir := t.TempDir()
	printed := printedBy(t, func() error { return showWorkflow(t.Context(), dir, publish(t)) })
	want := strings.ReplaceAll(`
Two of them in a workflow, run by name: python3 -m maregister run NAME
────
{"id":"t1","func":"speech_to_text","args":{"audio_path":"DIR/recording.wav"}}
  → {"text":"DIR/picture.png"}
{"id":"t2","func":"image_caption","args":{"image":"t1.output.text"}}
  → {"caption":"a picture of 48 x 32 pixels, as llava-v1.6 would see it"}
`, "DIR", dir)
	if diff := cmp.Diff(want, strings.ReplaceAll(printed, strings.Repeat("─", width), "────")); diff != "" {
		t.Errorf("(-want +printed):\n%s", diff)
	}
	hint := exec.CommandContext(t.Context(), "sh", "-c", again)
	hint.Env = append(os.Environ(), newRunner(dir).environment()...)
	out, err := hint.CombinedOutput()
	if want := `{"caption":"a picture of 48 x 32 pixels, as llava-v1.6 would see it"}` + "\n"; err != nil || string(out) != want {
		t.Errorf("the command that is shown for another terminal: want %s, got %v and %s", want, err, out)
	}
}

// TestATornRegistryIsNoRegistry: the demo fails, and shows what the executor says.
func TestATornRegistryIsNoRegistry(t *testing.T) {
	if why := whyNoPython(t.Context()); why != "" {
		t.Skip(why)
	}
	data := publish(t)
	data["speech_to_text"] += " "
	err := showWorkflow(t.Context(), t.TempDir(), data)
	if err == nil || !strings.Contains(err.Error(), "node t1, task speech_to_text: exit status 64") || !strings.Contains(err.Error(), "not what the index names") {
		t.Errorf("got %v", err)
	}
}

// TestWithoutPythonItSaysSo, and the demo goes on.
func TestWithoutPythonItSaysSo(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	printed := printedBy(t, func() error { return showWorkflow(t.Context(), t.TempDir(), nil) })
	if want := "NO TASK WAS RUN, as that needs a Python, 3.9 or later: python3 cannot be used: exec: "; !strings.Contains(printed, want) {
		t.Errorf("want %q, got %s", want, printed)
	}
}

// printedBy returns what a function prints.
func printedBy(t *testing.T, do func() error) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "stdout")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	stdout := os.Stdout
	os.Stdout = file
	err = do()
	os.Stdout = stdout
	if err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	printed, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(printed)
}
