package lint

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	kubernetes "sigs.k8s.io/yaml"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/config/crd"
	"github.com/maze-agent/maregister/internal/dag"
	"github.com/maze-agent/maregister/internal/finding"
	"github.com/maze-agent/maregister/internal/workflow"
)

// TestGeneratedWorkflows compares "dag check" of a manifest with the API server and the operator, which see what kubectl makes of it: what
// they refuse has an error, and what they take has the operator's errors, at the same places.
func TestGeneratedWorkflows(t *testing.T) {
	admission, err := compile(crd.MazeWorkflows)
	if err != nil {
		t.Fatal(err)
	}
	const schema = `{"type":"object","properties":{"text":{"type":"string"},"number":{"type":"number"},"whole":{"type":"integer"},` +
		`"true":{"type":"boolean"},"a.b":{"type":"string"},"list":{"type":"array","items":{"type":"string"}},"any":{}},"additionalProperties":%t}`
	closed, open := fmt.Appendf(nil, schema, false), fmt.Appendf(nil, schema, true)
	tasks := map[string]dag.Task{"closed": {Input: closed, Output: closed}, "open": {Input: open}, "needs": {Input: []byte(`{"required":["text"]}`)}}
	var linter Linter
	refused, valid := 0, 0
	for seed := range uint64(1500) {
		g := &generator{rand.New(rand.NewPCG(seed, 1)), seed%3 == 0}
		text, file := g.manifest(), map[bool]string{true: "w.json", false: "w.yaml"}[g.json]
		_, found := linter.CheckWorkflow(dag.Read(file, []byte(text)).Documents[0], dag.NewTasks(tasks), dag.Options{})
		if slices.ContainsFunc(found, func(f finding.Finding) bool { return f.Rule == finding.DuplicateKey }) {
			continue // of 1 and "1", kubectl takes any
		}
		checked := errorsAt(found)
		served := g.served(admission, text)
		if served == nil {
			if refused++; len(checked) == 0 {
				t.Errorf("seed %d: the API server refuses this, and dag check has no error:\n%s", seed, text)
			}
			continue
		}
		verdict, err := workflow.Judge(&served.Spec, func(name string) *workflow.Task {
			if task, ok := tasks[name]; ok {
				return &workflow.Task{Task: task}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(errorsAt(verdict.Errors), checked); diff != "" {
			t.Errorf("seed %d: -the operator, +dag check:\n%s\n%s", seed, diff, text)
		}
		if len(verdict.Errors) == 0 {
			valid++
		}
	}
	if refused < 100 || valid < 20 {
		t.Errorf("want more of each: %d are refused and %d are valid", refused, valid)
	}
}

// errorsAt returns the rules and the pointers of errors, sorted. A word that YAML reads as a boolean is none to the API server.
func errorsAt(found []finding.Finding) []string {
	at := []string{}
	for _, f := range found {
		if f.Severity == finding.SeverityError && f.Rule != finding.BooleanKey {
			at = append(at, f.Rule+" "+f.Pointer)
		}
	}
	slices.Sort(at)
	return at
}

// generator writes manifests of MazeWorkflows with odd values.
type generator struct {
	*rand.Rand
	json bool
}

// served returns what the API server stores of a manifest. Nil for what it, or kubectl, refuses.
func (g *generator) served(a *Admission, text string) *v1alpha1.MazeWorkflow {
	content, err := []byte(text), error(nil)
	if !g.json {
		content, err = kubernetes.YAMLToJSON(content)
	}
	var object unstructured.Unstructured
	if err != nil || object.UnmarshalJSON(content) != nil {
		return nil
	}
	admitted, refusal := admit[v1alpha1.MazeWorkflow](a, object.Object)
	if len(refusal.Unknown) > 0 {
		return nil
	}
	return admitted
}

func (g *generator) one(of ...string) string { return of[g.IntN(len(of))] }

// rarely returns one of the others in one of fifteen cases.
func (g *generator) rarely(mostly string, others ...string) string {
	if g.IntN(15) == 0 {
		return g.one(others...)
	}
	return mostly
}

// member writes a name, with quotes where JSON needs them, and a value.
func (g *generator) member(name, value string) string {
	if g.json || name == "" || g.IntN(2) == 0 {
		name = fmt.Sprintf("%q", name)
	}
	return name + ": " + value
}

var (
	jsonScalars = strings.Fields(`"a" "" 1 -0 1.0 1e3 1e16 1e-400 18446744073709551616 9007199254740993 0.1 true null "\u00e9" "é" "<&>" ` +
		`"t1.output.text" "t1.output.a.b" "t2.output.list[0]" "t9.output.text" "t1.output.nope" "x:t1.output.text" "t1.output.number"`)
	yamlScalars = append(strings.Fields(`yes No on y 0o17 017 0x1F 1_000 .5 1. 2024-01-01 2001-12-14t21:59:43.10-05:00 1:30 ~ 'it''s' t1.output.text `+
		`t1.output.list[1] = +5 1e5 0b11 -.5 18446744073709551615`), "", "!!str 5", `!!int "5"`, "!!float 3", "&anchor 7", "a b", "!!binary aGk=")
)

func (g *generator) value(depth int) string {
	switch n := g.IntN(8); {
	case n == 0 && depth < 3:
		return "[" + g.value(depth+1) + ", " + g.value(depth+1) + "]"
	case n == 1 && depth < 3:
		return "{" + g.member("k", g.value(depth+1)) + ", " + g.member(g.one("l", "yes"), g.value(depth+1)) + "}"
	case n == 2:
		return g.one("[]", "{}")
	case g.json || n > 4:
		return g.rarely(g.one(jsonScalars...), "1e400", `"\ud800"`)
	default:
		return g.rarely(g.one(yamlScalars...), ".inf", ".nan", "*nothing", "!!int x", "!own 5", "<<")
	}
}

func (g *generator) node(i int) string {
	var args []string
	for range g.IntN(4) {
		name := g.one("text", "number", "whole", "list", "any", "a.b", "yes", "1", "", "x y", "nope", strings.Repeat("n", 252+g.IntN(3)))
		args = append(args, g.member(name, g.value(0)))
	}
	object := "{" + strings.Join(args, ", ") + "}"
	if merged := g.IntN(6); !g.json && merged < 2 {
		object = map[bool]string{true: "&args " + object, false: []string{"*args", "{<<: *args, " + object[1:]}[merged]}[i == 0]
	}
	id := g.rarely(fmt.Sprintf(`"t%d"`, i), `"t1"`, `"4"`, `"é"`, `"a.b"`, "5", "true", `""`, `"`+strings.Repeat("i", 127+g.IntN(3))+`"`)
	function := g.rarely(g.one(`"open"`, `"closed"`, `"needs"`), `"nobody"`, `"no pe"`, "7", "null", "true")
	node := []string{g.member("id", id), g.member("func", function), g.member("args", g.rarely(object, "null", "{}", "[]", "7"))}
	return "{" + strings.Join(node[:3-g.IntN(8)/7], ", ") + g.rarely("", `, "retries": 3`) + "}"
}

func (g *generator) edge() string {
	ends := [2]string{g.one("from", "source"), ""}
	port := g.one("", ".text", ".list", ".nope")
	ends[1] = map[string]string{"from": "to", "source": "target"}[ends[0]]
	for i, name := range ends {
		end := fmt.Sprintf(`"t%d%s"`, g.IntN(4), port)
		ends[i] = g.member(g.rarely(name, "to", "source_output"), g.rarely(end, `"t1.a.b"`, `"t1."`, `" t1"`, `"t1.list[0]"`, `"t1.output.text"`, `""`, `"é.x"`, "1e16"))
	}
	return "{" + ends[0] + ", " + ends[1] + "}"
}

func (g *generator) manifest() string {
	var nodes, edges []string
	for i := range 1 + g.IntN(4) {
		nodes = append(nodes, g.node(i))
	}
	for range g.IntN(3) {
		edges = append(edges, g.edge())
	}
	spec := g.member("nodes", "["+strings.Join(nodes, ",\n")+"]") + ",\n" + g.member("edges", g.rarely("["+strings.Join(edges, ",\n")+"]", "null"))
	return `{"apiVersion": "registry.mazeagent.net/v1alpha1", "kind": "MazeWorkflow", "metadata": {"name": "w"}, ` + g.member("spec", "{"+spec+"}") + "}\n"
}
