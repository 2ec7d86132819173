package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/maze-agent/maregister/internal/registry"
)

// workflowResult is what phase h found.
type workflowResult struct {
	nodes, tasks int
	bytes        int
	// python is how long json.loads took for the same files; elapsed is mazectl's time.
	python, elapsed time.Duration
	// peakMemory is mazectl's, in MiB.
	peakMemory float64
}

// everyMistake says how many nodes there are to one that passes a wrong value.
const everyMistake = 1000

// runWorkflow is phase h.
func (b *bench) runWorkflow(ctx context.Context) error {
	progress("phase h: a workflow of %d nodes, and as many tasks", b.workflow)
	files := workflowFiles{registry: filepath.Join(b.folder, "registry.json"), workflow: filepath.Join(b.folder, "workflow.json")}
	if err := files.write(b.workflow); err != nil {
		return err
	}
	r := &workflowResult{nodes: b.workflow, tasks: b.workflow, bytes: files.bytes}
	for range discoverRounds {
		python, err := files.loadByPython(ctx)
		if err != nil {
			return err
		}
		run, err := runMazectl(ctx, b.mazectl, "dag", "check", files.workflow, "--registry", files.registry, "--output-format", "json")
		if err != nil {
			return err
		}
		if err := files.check(&run); err != nil {
			return err
		}
		if r.elapsed == 0 || run.elapsed < r.elapsed {
			r.elapsed = run.elapsed
		}
		if r.python == 0 || python < r.python {
			r.python = python
		}
		r.peakMemory = max(r.peakMemory, run.peakMemory)
	}
	b.results.workflow = r
	return nil
}

// workflowFiles are what mazectl reads in phase h.
type workflowFiles struct {
	registry, workflow string
	bytes              int
	// mistakes are the JSON pointers to the values that are wrong.
	mistakes []string
}

// write writes a registry of n tasks as kubectl prints it, and a workflow in which each node runs another task, passes three values,
// and an output of the node before.
func (f *workflowFiles) write(n int) error {
	items := make([]registry.Item, n)
	var nodes []string
	for i := range n {
		item, err := numberedEntry(i).Encode()
		if err != nil {
			return err
		}
		items[i] = item
		nodes = append(nodes, f.node(i))
	}
	shards := registry.Split(items, registry.DefaultShardSize)
	index, err := registry.Render("bench", shards, registry.NewIndex(shards, registry.Index{}), nil, "1")
	if err != nil {
		return err
	}
	list := corev1.ConfigMapList{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "List"}, Items: []corev1.ConfigMap{*index}}
	for _, shard := range shards {
		if shard.Name != registry.ConfigMapName {
			list.Items = append(list.Items, *shard.ConfigMap("bench"))
		}
	}
	for i := range list.Items {
		list.Items[i].TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"}
	}
	published, err := json.Marshal(list)
	if err != nil {
		return err
	}
	workflow := []byte(`{"nodes": [` + "\n  " + strings.Join(nodes, ",\n  ") + "\n]}\n")
	f.bytes = len(published) + len(workflow)
	return errors.Join(writeFile(f.registry, published), writeFile(f.workflow, workflow))
}

func numberedEntry(i int) registry.Entry {
	input := fmt.Appendf(nil, `{"properties":{"count_%[1]d":{"maximum":100,"minimum":0,"type":"integer"},"mode":{"enum":["fast","good"]},`+
		`"prompt_%[1]d":{"description":"What to ask.","minLength":1,"type":"string"},"text":{"type":"string"}},"required":["prompt_%[1]d"],"type":"object"}`, i)
	output := fmt.Appendf(nil, `{"properties":{"text_%d":{"type":"string"},"tokens":{"type":"integer"}},"type":"object"}`, i)
	return registry.Entry{
		TaskMeta: registry.TaskMeta{
			Name: "task_" + strconv.Itoa(i), InputParameters: input, OutputParameters: output, Resources: registry.TaskResources{Type: "cpu", CPUNum: 1, Mem: 1024},
		},
		Schema:     registry.Interface{Input: input, Output: output},
		Kubernetes: registry.Origin{Namespace: "bench", Name: "task-" + strconv.Itoa(i), UID: types.UID(strconv.Itoa(i)), Generation: 1},
	}
}

func (f *workflowFiles) node(i int) string {
	count := 3
	if i%everyMistake == everyMistake/2 {
		count = 101
		f.mistakes = append(f.mistakes, fmt.Sprintf("/nodes/%[1]d/args/count_%[1]d", i))
	}
	before := ""
	if i > 0 {
		before = fmt.Sprintf(`, "text": "n%[1]d.output.text_%[1]d"`, i-1)
	}
	return fmt.Sprintf(`{"id": "n%[1]d", "func": "task_%[1]d", "args": {"prompt_%[1]d": "hello", "count_%[1]d": %[2]d, "mode": "fast"%[3]s}}`, i, count, before)
}

// check reports whether what mazectl found is what was made wrong.
func (f *workflowFiles) check(run *mazectlRun) error {
	var findings []struct{ Pointer string }
	if err := run.decode(&findings); err != nil {
		return err
	}
	var found []string
	for _, finding := range findings {
		found = append(found, finding.Pointer)
	}
	if !slices.Equal(found, f.mistakes) {
		return fmt.Errorf("%s found %d mistakes, and there are %d others", run.command, len(found), len(f.mistakes))
	}
	return nil
}

// loadProgram reads the same files, and every entry, as JSON. What Python needs to start is not timed.
const loadProgram = `
import json, sys, time
begin = time.perf_counter()
json.load(open(sys.argv[1]))
tasks = [json.loads(text) for shard in json.load(open(sys.argv[2]))["items"] for text in shard["data"].values()]
print(time.perf_counter() - begin)
`

func (f *workflowFiles) loadByPython(ctx context.Context) (time.Duration, error) {
	command := exec.CommandContext(ctx, "python3", "-c", loadProgram, f.workflow, f.registry)
	command.Stderr = os.Stderr
	out, err := command.Output()
	if errors.Is(err, exec.ErrNotFound) {
		return 0, nil // there is nothing to compare with
	}
	if err != nil {
		return 0, fmt.Errorf("load with python3: %w", err)
	}
	seconds, err := strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
	return time.Duration(seconds * float64(time.Second)), err
}

func (r *workflowResult) print(p *report) {
	p.line("\nh: a workflow of %d nodes against %d tasks, %.1f MB", r.nodes, r.tasks, float64(r.bytes)/1e6)
	p.line("  %-40s %8.2f s", "mazectl dag check", r.elapsed.Seconds())
	if r.python > 0 {
		p.line("  %-40s %8.2f s", "python3, json.loads of the same", r.python.Seconds())
		p.line("  %-40s %8.2f", "ratio", ratio(r.elapsed, r.python))
	}
	p.line("  %-40s %8s", "peak memory", mebibytes(r.peakMemory))
	p.target("h, time of a check, seconds", r.elapsed.Seconds(), maxChecking)
	p.target("h, peak memory, MiB", r.peakMemory, maxCheckingMemory)
}
