package compile

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"github.com/maze-agent/maregister/internal/dag"
	"github.com/maze-agent/maregister/internal/finding"
)

// maxTime is what the compilation of a hostile workflow of the size that the fuzzer makes may take on a busy machine.
const maxTime = 2 * time.Second

// FuzzWorkflow: whatever a workflow is, it is compiled or refused in bounded time, and always to the same bytes. What was compiled without
// an error is accepted by Maze, and compiled again it stays as it is.
func FuzzWorkflow(f *testing.F) {
	files, err := filepath.Glob("../dag/testdata/workflows/*.txtar")
	if err != nil || len(files) == 0 {
		f.Fatalf("no workflows: %v", err)
	}
	for _, file := range append(files, "testdata/payloads.txtar") {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for _, member := range archive.Files {
			if name := filepath.Ext(member.Name); name != ".want" {
				f.Add(member.Data, name == ".yaml")
			}
		}
	}
	generated := &workflowMaker{Rand: rand.New(rand.NewPCG(1, 2))}
	for range 30 {
		f.Add(generated.workflow(f), false)
	}
	tasks := shopTasks(f)
	f.Fuzz(func(t *testing.T, workflow []byte, isYAML bool) {
		start := time.Now()
		file := "w.json"
		if isYAML {
			file = "w.yaml"
		}
		graph, found := dag.Check(file, workflow, tasks, dag.Options{Target: dag.TargetCompiled, ReadCode: readCode})
		options := Options{PythonPath: []string{"/srv"}, Workspace: "/data"}
		payload, refused := Workflow(file, graph, options)
		if again, _ := Workflow(file, graph, options); !bytes.Equal(payload, again) {
			t.Errorf("compiled to\n%s\nand to\n%s", payload, again)
		}
		if took := time.Since(start); took > maxTime {
			t.Errorf("%d bytes took %s", len(workflow), took)
		}
		if len(refused) > 0 != (payload == nil) || payload != nil && !json.Valid(payload) {
			t.Fatalf("%d findings, and %s", len(refused), payload)
		}
		for _, f := range found {
			if f.Severity == finding.SeverityError || f.Subject.Effect != "" {
				return
			}
		}
		if payload == nil {
			t.Fatalf("Check finds no error, and it is not compiled: %v", refused)
		}
		checkAccepted(t, payload, tasks)
		graph, _ = dag.Check("w.json", payload, tasks, dag.Options{Target: dag.TargetCompiled, ReadCode: readCode})
		if again, _ := Workflow("w.json", graph, options); !bytes.Equal(payload, again) {
			t.Errorf("compiled to\n%s\nand that to\n%s", payload, again)
		}
	})
}
