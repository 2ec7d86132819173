package discover_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/maze-agent/maregister/internal/discover"
)

// comparedTask is what discovery and Python both say of a task. Numbers are exact, in the form of big.Rat.
type comparedTask struct {
	Name, Description       string
	Input, Output           any
	Type                    string
	CPU, Memory, GPUMemory  string
	ModelName, Backend      string
	EntryPoint, File, Place string
}

// TestCPython makes a corpus of Python files with all the ways to declare a task, and compares what discovery finds in them with
// what Python has in memory after importing them.
func TestCPython(t *testing.T) {
	g, tasks := corpus(t)
	want := map[string]comparedTask{}
	for name, task := range tasks {
		want[name] = ofOracle(t, task)
	}
	result := link(t, g.files)
	got := map[string]comparedTask{}
	for _, task := range result.Tasks {
		got[task.Spec.Name] = ofDiscovery(t, task)
	}
	shown := 5
	if testing.Verbose() {
		shown = 1000
	}
	different := 0
	names := slices.Collect(maps.Keys(want))
	for name := range got {
		if _, known := want[name]; !known {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		diff := cmp.Diff(want[name], got[name])
		if diff == "" {
			continue
		}
		different++
		if different <= shown {
			at := want[name]
			if at.Name == "" {
				at = got[name]
			}
			t.Errorf("task %s (-Python +discovery):\n%s\n%s%s", name, diff, excerpt(g, at), findingsAbout(result, at))
		}
	}
	if different > 0 {
		t.Errorf("%d of %d tasks differ, with -seed %d", different, len(names), *seed)
	}
	if len(want) < minTasks {
		t.Errorf("compared %d tasks, want at least %d", len(want), minTasks)
	}
}

// link discovers the tasks of files.
func link(t *testing.T, files []source) discover.Result {
	t.Helper()
	parser := discover.NewParser(nil)
	var modules []*discover.Module
	byName := map[string]*discover.Module{}
	for _, file := range files {
		name := moduleName(file.path)
		module := parser.Parse(file.path, name, file.text)
		byName[name] = module
		if discover.NewSearcher(nil).Search(file.text).Mentions {
			modules = append(modules, module)
		}
	}
	slices.SortFunc(modules, func(a, b *discover.Module) int { return strings.Compare(a.Path(), b.Path()) })
	return discover.Link(modules, discover.Options{Load: func(module string) *discover.Module { return byName[module] }})
}

// moduleName returns the dotted name of a file.
func moduleName(file string) string {
	name := strings.TrimSuffix(file, ".py")
	if path.Base(name) == "__init__" {
		name = path.Dir(name)
	}
	return strings.ReplaceAll(name, "/", ".")
}

func ofOracle(t *testing.T, task oracleTask) comparedTask {
	return comparedTask{
		Name: task.Name, Description: task.Description,
		Input: exactly(t, task.InputParameters), Output: exactly(t, task.OutputParameters),
		Type: task.Resources.Type, CPU: rational(t, task.Resources.CPU.String(), 1),
		Memory: mebibytes(t, task.Resources.Memory), GPUMemory: mebibytes(t, task.Resources.GPUMemory),
		ModelName: task.Resources.ModelName, Backend: task.Resources.Backend,
		EntryPoint: task.EntryPoint, File: task.File, Place: fmt.Sprint(task.File, ":", task.Line),
	}
}

func ofDiscovery(t *testing.T, task discover.Task) comparedTask {
	spec := task.Spec
	c := comparedTask{
		Name: spec.Name, Description: spec.Description,
		Input: ofSchema(t, spec.InputParameters), Output: ofSchema(t, spec.OutputParameters),
		Type: string(spec.Resources.Type), CPU: quantity(spec.Resources.CPU), Memory: quantity(spec.Resources.Memory),
		GPUMemory: quantity(spec.Resources.GPUMemory), ModelName: spec.Resources.ModelName, Backend: spec.Resources.Backend,
		EntryPoint: spec.EntryPoint, File: task.File,
	}
	if spec.Source != nil {
		c.Place = fmt.Sprint(spec.Source.Path, ":", spec.Source.Line)
	}
	return c
}

func ofSchema(t *testing.T, schema *apiextensionsv1.JSON) any {
	if schema == nil {
		return nil
	}
	return exactly(t, schema.Raw)
}

// exactly decodes JSON with numbers as they are: 1 and 1.0 are equal, and 2^53 and 2^53+1 are not.
func exactly(t *testing.T, raw json.RawMessage) any {
	t.Helper()
	if len(raw) == 0 {
		return nil
	}
	decoder := json.NewDecoder(strings.NewReader(string(raw)))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		t.Fatalf("decode %s: %v", raw, err)
	}
	return withRationals(t, value)
}

// number is a number in the form of big.Rat.
type number string

func withRationals(t *testing.T, value any) any {
	switch value := value.(type) {
	case json.Number:
		return number(parse(t, value.String()).RatString())
	case []any:
		for i := range value {
			value[i] = withRationals(t, value[i])
		}
	case map[string]any:
		for key := range value {
			value[key] = withRationals(t, value[key])
		}
		if options, ok := value["enum"].([]any); ok { // to Python, Literals with the same values are the same object
			slices.SortFunc(options, func(a, b any) int { return strings.Compare(fmt.Sprintf("%T %[1]v", a), fmt.Sprintf("%T %[1]v", b)) })
		}
	}
	return value
}

func parse(t *testing.T, text string) *big.Rat {
	t.Helper()
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		t.Fatalf("%q is no number", text)
	}
	return r
}

func rational(t *testing.T, text string, times int64) string {
	t.Helper()
	r := parse(t, text)
	return r.Mul(r, big.NewRat(times, 1)).RatString()
}

func mebibytes(t *testing.T, size *json.Number) string {
	t.Helper()
	if size == nil {
		return ""
	}
	return rational(t, size.String(), 1<<20)
}

func quantity(q *resource.Quantity) string {
	if q == nil {
		return ""
	}
	r, _ := new(big.Rat).SetString(q.AsDec().String())
	return r.RatString()
}

// excerpt returns the source of a task, up to the function's end or so.
func excerpt(g *generated, task comparedTask) string {
	for _, file := range g.files {
		if file.path != task.File {
			continue
		}
		_, line, _ := strings.Cut(task.Place, ":")
		var first int
		_, _ = fmt.Sscan(line, &first) // 0 shows the file's beginning
		lines := strings.Split(strings.ToValidUTF8(string(file.text), "?"), "\n")
		first = min(max(first-1, 0), len(lines))
		end := first
		for end < len(lines) && end-first < 60 && !strings.HasPrefix(strings.TrimSpace(lines[end]), "return") {
			end++
		}
		return fmt.Sprintf("%s\n%s\n", task.Place, strings.Join(lines[first:end], "\n"))
	}
	return ""
}

func findingsAbout(result discover.Result, task comparedTask) string {
	var b strings.Builder
	for _, f := range result.Findings {
		if f.File == task.File && f.Object == task.EntryPoint {
			fmt.Fprintf(&b, "%s:%d:%d %s %s\n", f.File, f.Position.Line, f.Position.Column, f.Rule, f.Message)
		}
	}
	return b.String()
}
