package discover_test

import (
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

var seed = flag.Uint64("seed", 1, "seed of the Python sources that TestCPython makes")

// oracleTask is what oracle.py says of a task.
type oracleTask struct {
	Name             string
	Description      string
	InputParameters  json.RawMessage `json:"input_parameters"`
	OutputParameters json.RawMessage `json:"output_parameters"`
	Resources        struct {
		Type      string
		CPU       json.Number
		Memory    *json.Number
		GPUMemory *json.Number
		ModelName string
		Backend   string
	}
	EntryPoint string
	File       string
	Line       int32
}

// python returns the interpreter's name and minor version, or skips the test.
func python(t *testing.T) (name string, minor int) {
	t.Helper()
	name, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("python3 is missing: nothing to compare discovery with")
	}
	out, err := exec.Command(name, "-c", "import sys; print(sys.version_info[1])").Output()
	if err != nil {
		t.Fatal("ask Python for its version:", err)
	}
	minor, err = strconv.Atoi(strings.TrimSpace(string(out)))
	if err != nil {
		t.Fatal("ask Python for its version:", err)
	}
	if minor < 9 {
		t.Skipf("python3 is missing: 3.9 or later is needed, and %s is 3.%d", name, minor)
	}
	return name, minor
}

// corpus writes generated sources to a folder and asks Python for their tasks.
func corpus(t *testing.T) (*generated, map[string]oracleTask) {
	t.Helper()
	var tasks map[string]oracleTask
	g := ask(t, "testdata/oracle.py", 7, &tasks)
	return g, tasks
}

// ask writes generated sources with some forms of declarations to a folder, and reads what a Python script prints of them. The script
// has the package maregister.
func ask(t *testing.T, script string, forms int, answer any) *generated {
	t.Helper()
	name, minor := python(t)
	t.Logf("seed %d, Python 3.%d", *seed, minor)
	g := generate(*seed, minor, forms, 25, 7, 14)
	root := t.TempDir()
	for _, file := range g.files {
		path := filepath.Join(root, filepath.FromSlash(file.path))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, file.text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	command := exec.Command(name, "-B", script, root)
	command.Env = append(os.Environ(), "PYTHONPATH="+filepath.FromSlash("../../python/src"))
	var stderr strings.Builder
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", script, err, stderr.String())
	}
	if err := json.Unmarshal(out, answer); err != nil {
		t.Fatalf("read what %s printed: %v", script, err)
	}
	return g
}

// minTasks is how many tasks have to be compared for the comparison to say something.
const minTasks = 2000

// TestOracle says whether the generated sources are such that Python can import them.
func TestOracle(t *testing.T) {
	g, tasks := corpus(t)
	t.Logf("%d files, %d decorated functions, %d tasks", len(g.files), g.functions, len(tasks))
	if len(g.files) < 200 || len(tasks) < minTasks {
		t.Errorf("want at least 200 files and %d tasks", minTasks)
	}
}
