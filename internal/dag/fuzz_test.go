package dag

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/tools/txtar"

	"github.com/maze-agent/maregister/internal/finding"
)

// maxTime is what a check of a hostile workflow of the size that the fuzzer makes may take on a busy machine.
const maxTime = 2 * time.Second

// FuzzCheck: whatever a workflow is, it is judged in bounded time, and what is said of it is of use.
func FuzzCheck(f *testing.F) {
	files, err := filepath.Glob("testdata/workflows/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
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
	tasks := corpusTasks(f)
	f.Fuzz(func(t *testing.T, workflow []byte, isYAML bool) {
		start := time.Now()
		file := "dag.json"
		if isYAML {
			file = "dag.yaml"
		}
		graph, findings := Check(file, workflow, tasks, Options{Target: TargetMaze, ReadCode: readCode})
		if uses, ok := NewDocument(file, workflow).Uses(); ok && len(uses) != len(graph.Nodes) {
			t.Fatalf("%d nodes, and %d uses", len(graph.Nodes), len(uses))
		}
		checkRead(t, file, workflow, tasks)
		if took := time.Since(start); took > maxTime {
			t.Errorf("%d bytes took %s", len(workflow), took)
		}
		for _, e := range graph.Edges {
			if e.From < 0 || e.From >= len(graph.Nodes) || e.To < 0 || e.To >= len(graph.Nodes) {
				t.Errorf("the edge %+v leads out of %d nodes", e, len(graph.Nodes))
			}
		}
		for _, found := range findings {
			checkFinding(t, workflow, found)
		}
	})
}

// checkRead takes a file apart, and checks each of its documents: a second time with what was forgotten in between.
func checkRead(t *testing.T, file string, content []byte, tasks *Tasks) {
	t.Helper()
	read := Read(file, content)
	for _, found := range read.Findings {
		checkFinding(t, content, found)
	}
	read.Ignores()
	for _, d := range read.Documents {
		_, first := d.Check(tasks, Options{})
		d.Forget()
		_, second := d.Check(tasks, Options{})
		if diff := cmp.Diff(first, second, cmpopts.IgnoreFields(finding.Finding{}, "Subject")); diff != "" {
			t.Errorf("it is judged otherwise once it is forgotten: %s", diff)
		}
		for _, found := range first {
			checkFinding(t, content, found)
		}
		d.Uses()
	}
}

func checkFinding(t *testing.T, workflow []byte, found finding.Finding) {
	t.Helper()
	if _, ok := finding.Lookup(found.Rule); !ok || found.Message == "" || !utf8.ValidString(found.Message) {
		t.Errorf("no proper finding: %+v", found)
	}
	lines := strings.Split(strings.TrimPrefix(string(workflow), "\ufeff"), "\n")
	if at := found.Position; at.Line < 1 || at.Line > len(lines) || at.Column < 1 || at.Column > utf8.RuneCountInString(lines[at.Line-1])+2 {
		t.Errorf("a finding in %d lines is at %d:%d", len(lines), at.Line, at.Column)
	}
}

// TestHostile has what the fuzzer is too small for.
func TestHostile(t *testing.T) {
	nodes := func(n int, node string) string {
		return `{"nodes": [` + strings.TrimSuffix(strings.Repeat(node+",", n), ",") + `]}`
	}
	tests := map[string]struct {
		workflow string
		want     string
	}{
		"nested arrays":         {strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000), finding.MalformedDAG},
		"nested in an argument": {nodes(1, `{"id":"a","func":"anything","args":{"x":`+strings.Repeat("[", 60)+strings.Repeat("]", 60)+`}}`), ""},
		"nested too deep":       {nodes(1, `{"id":"a","func":"anything","args":{"x":`+strings.Repeat("[", 9_000)+strings.Repeat("]", 9_000)+`}}`), finding.DAGTooLarge},
		"too many values":       {nodes(maxValues, `0`), finding.DAGTooLarge},
		"too many bytes":        {strings.Repeat(" ", maxBytes+1), finding.DAGTooLarge},
		"one line":              {nodes(20_000, `{"id":"a","func":"antyhing","args":{}}`), finding.UnknownFunc},
		"not UTF-8":             {"{\"nodes\": [\n\xff]}", finding.MalformedDAG},
		"many arguments":        {nodes(1, `{"id":"a","func":"llm_process","args":{`+strings.TrimSuffix(strings.Repeat(`"promptx":1,`, 100_000), ",")+`}}`), finding.DuplicateKey},
		"a circle of all":       {circleOf(50_000), finding.Cycle},
		"circles of one":        {graphOf(50_000, func(i int) []int { return []int{i} }), finding.Cycle},
		"a long way":            {wayOf(50_000), ""},
		"behind a circle":       {circleAndWay(50_000), finding.UnreachableNode},
		"all wired to all":      {dense(700), ""},
		"circles through one node": {graphOf(20_000, func(i int) []int {
			if i > 0 {
				return []int{0}
			}
			return numbers(20_000)
		}), finding.Cycle},
		"all need all": {graphOf(500, func(int) []int { return numbers(500) }), finding.Cycle},
		"an alias bomb": {"a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\n" +
			"d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e,*e]\nnodes: [*f,*f,*f,*f,*f,*f,*f,*f,*f,*f,*f,*f,*f,*f,*f,*f]\n", finding.MalformedDAG},
		"long aliases":             {"a: &a " + strings.Repeat("x", 1<<20) + "\nnodes: [" + strings.Repeat("*a,", 1_000) + "]\n", finding.DAGTooLarge},
		"an alias of itself":       {"nodes: &a [*a]\n", finding.MalformedDAG},
		"large YAML":               {"nodes: [" + strings.Repeat("a,", maxYAML) + "]", finding.DAGTooLarge},
		"deep YAML":                {"nodes: " + strings.Repeat("[", 5_000) + strings.Repeat("]", 5_000), finding.DAGTooLarge},
		"deep wrappers":            {strings.Repeat(`{"spec":`, 90) + `{"nodes":[]}` + strings.Repeat("}", 90), finding.MalformedDAG},
		"much code":                {mazeOf(5_000, strings.Repeat("def f(x):\\n    return {'y': x}\\n", 30), ""), finding.UnregisteredCode},
		"deep code":                {mazeOf(20, "def f(x):\\n    return "+strings.Repeat("(", 50_000)+strings.Repeat(")", 50_000), ""), finding.UnregisteredCode},
		"references without edges": {mazeOf(5_000, "def f(x):\\n    return {'y': x}", `"x": {"input_schema": "from_task", "value": "n0.output.y"}`), finding.UnorderedReference},
		"a long id":                {nodes(2, `{"id":"`+strings.Repeat("é", 1_000_000)+`","func":"anything"}`), finding.DuplicateNodeID},
		"a long value":             {nodes(1, `{"id":"a","func":"llm_process","args":{"prompt":"`+strings.Repeat("x", 2_000_000)+`"}}`), finding.InvalidArgument},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			_, findings := Check("dag.json", []byte(tc.workflow), corpusTasks(t), Options{})
			found := tc.want == "" && len(findings) == 0
			for _, f := range findings {
				found = found || f.Rule == tc.want
				if len(f.Message) > 2_000 {
					t.Errorf("a message of %d bytes", len(f.Message))
				}
			}
			if !found {
				t.Errorf("want %q, got %d findings: %+v", tc.want, len(findings), findings[:min(len(findings), 3)])
			}
		})
	}
}

// TestManyFindings: a workflow of nothing but mistakes does not flood, and says how many of them are left out.
func TestManyFindings(t *testing.T) {
	const most = maxFindings
	duplicates := func(n int) string {
		return `{"nodes":[{"id":"a","func":"anything","args":{` + strings.Repeat(`"x":1,`, n) + `"x":1}}]}`
	}
	tests := map[string]struct {
		workflow    string
		want        int
		wantMessage string
	}{
		"as many as are told": {duplicates(most), most, ""},
		"keys given twice":    {duplicates(most + 7), most + 1, "7 more findings are left out"},
		"references": {`{"nodes":[{"id":"a","func":"anything","args":{"x":[` + strings.Repeat(`"b.output.y",`, most+4) + `"b.output.y"]}}]}`, most + 1,
			"5 more findings are left out"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			_, findings := Check("dag.json", []byte(tc.workflow), corpusTasks(t), Options{})
			if len(findings) != tc.want {
				t.Errorf("want %d findings, got %d", tc.want, len(findings))
			}
			if first := findings[0]; tc.wantMessage != "" && (first.Rule != finding.DAGTooLarge || !strings.Contains(first.Message, tc.wantMessage)) {
				t.Errorf("want %s, got %s %s", tc.wantMessage, first.Rule, first.Message)
			}
		})
	}
}

// TestManyAlike: of very many findings of one cause, some are made, and all are counted, also if there is no room for any.
func TestManyAlike(t *testing.T) {
	node := func(function string) string { return `,{"id":"n","func":"` + function + `"}` }
	of := func(nodes string) string { return `{"nodes":[` + strings.TrimPrefix(nodes, ",") + "]}" }
	for name, tc := range map[string]struct {
		nodes       string
		made, told  int
		wantMessage string
	}{
		"as many as are made": {strings.Repeat(`,{}`, maxEach), 2 * maxEach, 2, "(so it is in 1999 more places)"},
		"more":                {strings.Repeat(`,{"func":"nobody"}`, 5*maxEach), 2 * maxEach, 2, "(so it is in 9999 more places)"},
		"no room": {
			strings.Repeat(node("anything"), maxFindings+1) + strings.Repeat(node("nobody"), maxEach+3), maxFindings + 1, maxFindings + 1,
			"4006 more findings are left out",
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, findings := Check("dag.json", []byte(of(tc.nodes)), corpusTasks(t), Options{})
			joined := finding.Join(findings)
			if len(findings) != tc.made || len(joined) != tc.told || !strings.Contains(joined[0].Message, tc.wantMessage) {
				t.Errorf("want %d findings, %d of them told and %q; got %d, %d and %q", tc.made, tc.told, tc.wantMessage,
					len(findings), len(joined), joined[0].Message)
			}
		})
	}
}

func numbers(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

// mazeOf is a workflow in Maze's own format of n nodes of a code, which is escaped, with an edge from each node to the next.
func mazeOf(n int, code, inputs string) string {
	var nodes, edges strings.Builder
	for i := range n {
		if i > 0 {
			nodes.WriteString(",")
		}
		fmt.Fprintf(&nodes, `{"id":"n%d","task_name":"f","code":"%s","inputs":{%s},"outputs":["y"]}`, i, code, inputs)
		if i > 1 {
			fmt.Fprintf(&edges, `,{"from":"n%d.y","to":"n%d.w"}`, i-1, i)
		}
	}
	return `{"schema":"maze.workflow/v1","nodes":[` + nodes.String() + `],"edges":[` + strings.TrimPrefix(edges.String(), ",") + `]}`
}
