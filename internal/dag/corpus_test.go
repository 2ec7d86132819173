package dag

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/maze-agent/maregister/internal/dag/mazecode"
	"github.com/maze-agent/maregister/internal/finding"
	"github.com/maze-agent/maregister/internal/registry"
	"github.com/maze-agent/maregister/internal/schema"
	"github.com/maze-agent/maregister/internal/text"
)

var update = flag.Bool("update", false, "write what is found into testdata, instead of comparing it")

func readCode() CodeReader { return new(mazecode.Reader) }

// minCases is how many workflows testdata has at least.
const minCases = 120

// TestWorkflows compares all that is found in each workflow of testdata/workflows: NAME.json or NAME.yaml beside NAME.want. The
// comment of an archive may name the target, "target: registry".
func TestWorkflows(t *testing.T) {
	files, err := filepath.Glob("testdata/workflows/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	total, told := 0, map[string]bool{}
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		cases := casesOf(t, file, archive)
		total += len(cases)
		for i := range cases {
			tc := &cases[i]
			t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar")+"/"+tc.name, func(t *testing.T) {
				got, codes := describe(tc.file, tc.workflow, corpusTasks(t), tc.target)
				for _, code := range codes {
					told[code] = true
				}
				if *update {
					tc.want.Data = []byte(got)
					return
				}
				if diff := cmp.Diff(string(tc.want.Data), got); diff != "" {
					t.Errorf("found (-want +got):\n%s", diff)
				}
			})
		}
		if *update {
			if err := os.WriteFile(file, txtar.Format(archive), 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
	if total < minCases {
		t.Errorf("want at least %d workflows, found %d", minCases, total)
	}
	for _, rule := range finding.Rules() {
		if rule.Code > "MZ200" && !finding.IsOfChanges(rule.Code) && !told[rule.Code] {
			t.Errorf("no workflow breaks the rule %s %s", rule.Code, rule.Name)
		}
	}
}

type corpusCase struct {
	name, file string
	workflow   []byte
	target     Target
	want       *txtar.File
}

// casesOf pairs the files of an archive.
func casesOf(t *testing.T, file string, archive *txtar.Archive) []corpusCase {
	t.Helper()
	var cases []corpusCase
	target := TargetAuto
	if named, ok := strings.CutPrefix(strings.TrimSpace(string(archive.Comment)), "target: "); ok {
		target = Target(named)
	} else if len(archive.Comment) > 0 {
		t.Fatalf("%s begins with %q, which names no target", file, archive.Comment)
	}
	for i, f := range archive.Files {
		extension := filepath.Ext(f.Name)
		name := strings.TrimSuffix(f.Name, extension)
		switch {
		case extension == ".want":
		case extension != ".json" && extension != ".yaml":
			t.Fatalf("%s: %q is neither .json nor .yaml nor .want", file, f.Name)
		case i+1 == len(archive.Files) || archive.Files[i+1].Name != name+".want":
			t.Fatalf("%s: %s has no %s.want behind it", file, f.Name, name)
		default:
			cases = append(cases, corpusCase{name, "dag" + extension, f.Data, target, &archive.Files[i+1]})
		}
	}
	return cases
}

// describe returns the nodes, the edges and the findings of a workflow, and what Maze does.
func describe(file string, workflow []byte, tasks *Tasks, target Target) (string, []string) {
	graph, findings := Check(file, workflow, tasks, Options{Target: target, ReadCode: readCode})
	var out strings.Builder
	for _, e := range graph.Edges {
		ports := ""
		if e.Output != "" {
			ports = fmt.Sprintf(" %s → %s", e.Output, e.Input)
		}
		fmt.Fprintf(&out, "%s → %s%s %s\n", graph.Nodes[e.From].ID, graph.Nodes[e.To].ID, ports, e.Fit)
	}
	var codes []string
	findings = finding.Join(findings)
	for _, f := range findings {
		codes = append(codes, f.Rule)
		effect := ""
		if f.Subject.Effect != "" {
			effect = fmt.Sprintf(" [%s]", f.Subject.Effect)
		}
		fmt.Fprintf(&out, "%d:%d %s %s%s %s\n", f.Position.Line, f.Position.Column, f.Rule, f.Severity, effect, f.Message)
		for _, r := range f.Related {
			fmt.Fprintf(&out, "  %d:%d %s\n", r.Position.Line, r.Position.Column, r.Message)
		}
		if !strings.HasPrefix(strings.TrimPrefix(f.Message, f.Object+" at "), text.ClipCharacters(f.Pointer, maxPointer)) {
			fmt.Fprintf(&out, "  the message does not begin with %q and %q\n", f.Object, f.Pointer)
		}
	}
	if len(findings) == 0 {
		out.WriteString("nothing is wrong\n")
	}
	return out.String(), slices.Compact(codes)
}

// corpusTasks are those of testdata/tasks.json, whose schemas are written as in a MazeTask.
func corpusTasks(t testing.TB) *Tasks {
	t.Helper()
	content, err := os.ReadFile("testdata/tasks.json")
	if err != nil {
		t.Fatal(err)
	}
	var declared map[string]struct {
		Input, Output           json.RawMessage
		Unplaceable, EntryPoint string
		Resources               registry.TaskResources
		GPUs                    int32
		Deprecated              *registry.Deprecation
	}
	if err := json.Unmarshal(content, &declared); err != nil {
		t.Fatal(err)
	}
	all := map[string]Task{}
	for name, d := range declared {
		all[name] = Task{Input: normalised(t, d.Input), Output: normalised(t, d.Output), Unplaceable: d.Unplaceable, Deprecated: d.Deprecated,
			Execution: Execution{EntryPoint: d.EntryPoint, Resources: d.Resources, GPUs: d.GPUs}}
	}
	return NewTasks(all)
}

func normalised(t testing.TB, declared []byte) []byte {
	t.Helper()
	s, _, err := schema.Parse(declared)
	if err != nil {
		t.Fatal(err)
	}
	return s.JSON()
}
