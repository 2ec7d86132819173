package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReadWorkflow(t *testing.T) {
	cases := map[string]struct {
		workflow string
		only     []string
		// want has the nodes in the order in which they are judged, with what each needs: "t2<t1".
		want    []string
		wantErr string
	}{
		"the description's": {
			workflow: `{"nodes": [{"id": "t1", "func": "speech_to_text", "args": {"audio_path": "a.wav"}}]}`,
			want:     []string{"t1"},
		},
		"no arguments": {workflow: `{"nodes": [{"id": "a", "func": "f"}, {"id": "b", "func": "f", "args": null}]}`, want: []string{"a", "b"}},
		"a reference":  {workflow: nodes(`"a": {}`, `"b": {"x": "a.output.text"}`), want: []string{"a", "b<a"}},
		"one that comes before what it needs": {
			workflow: nodes(`"c": {"x": "b.output.k"}`, `"b": {"x": "a.output.k"}`, `"a": {}`), want: []string{"a", "b<a", "c<b"},
		},
		"an item": {workflow: nodes(`"a": {}`, `"b": {"x": "a.output.pages[3]"}`), want: []string{"a", "b<a"}},
		"a list of references and values": {
			workflow: nodes(`"a": {}`, `"b": {}`, `"c": {"x": ["b.output.k", "and", 3, "a.output.k.l[0]", "a.output.k"]}`), want: []string{"a", "b", "c<a,b"},
		},
		"texts that are no references": {
			workflow: nodes(`"a": {}`, `"b": {"u": "see a.output.k", "v": "/data/a.output.k", "w": "a.output", "x": "a.output.k ", "y": "a.output.k[x]", "z": "https://a.output.k/l"}`),
			want:     []string{"a", "b"},
		},
		"inside an object it is a value": {workflow: nodes(`"a": {}`, `"b": {"x": {"y": "a.output.k"}}`), want: []string{"a", "b"}},
		"only one":                       {workflow: nodes(`"a": {}`, `"b": {}`), only: []string{"b"}, want: []string{"b"}},
		"only one and what it needs": {
			workflow: nodes(`"a": {}`, `"b": {"x": "a.output.k"}`, `"c": {"x": "b.output.k"}`, `"d": {"x": "c.output.k"}`, `"e": {}`),
			only:     []string{"c"}, want: []string{"a", "b<a", "c<b"},
		},

		"one that there is not":  {workflow: nodes(`"a": {}`), only: []string{"a", "b"}, wantErr: `the workflow has no node "b"`},
		"not JSON":               {workflow: `nodes:`, wantErr: "the workflow cannot be read: invalid character"},
		"no nodes":               {workflow: `{}`, wantErr: `the workflow has no "nodes"`},
		"edges":                  {workflow: `{"nodes": [{"id": "a", "func": "f"}], "edges": []}`, wantErr: `without "edges"`},
		"Maze's own format":      {workflow: `{"schema": "maze.workflow/v1", "nodes": []}`, wantErr: `without "edges" and "schema"`},
		"no id":                  {workflow: `{"nodes": [{"func": "f"}]}`, wantErr: `node 1 of the workflow has no "id"`},
		"no func":                {workflow: `{"nodes": [{"id": "a", "func": "f"}, {"id": "b"}]}`, wantErr: `node 2 of the workflow has no "id" or no "func"`},
		"null":                   {workflow: `{"nodes": [null]}`, wantErr: "node 1"},
		"one id twice":           {workflow: nodes(`"a": {}`, `"a": {}`), wantErr: `two nodes have the id "a"`},
		"arguments in a list":    {workflow: nodes(`"a": []`), wantErr: `node "a": "args" is no object`},
		"an unknown node":        {workflow: nodes(`"a": {"x": "b.output.k"}`), wantErr: `node "a" refers to an output of node "b", which there is not`},
		"itself":                 {workflow: nodes(`"a": {"x": "a.output.k"}`), wantErr: "nodes need each other in a circle: a, a"},
		"a circle behind a node": {workflow: nodes(`"a": {"x": "b.output.k"}`, `"b": {"x": "c.output.k"}`, `"c": {"x": "b.output.k"}`), wantErr: "in a circle: b, c, b"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w, err := readWorkflow([]byte(tc.workflow), "demo")
			if err == nil {
				err = w.only(tc.only)
			}
			if tc.wantErr != "" {
				if err == nil || !strings.Contains(err.Error(), tc.wantErr) {
					t.Errorf("want the error %q, got %v", tc.wantErr, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, n := range w.nodes {
				text := n.ID
				if len(n.needs) > 0 {
					text += "<" + strings.Join(n.needs, ",")
				}
				got = append(got, text)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("nodes (-want +got):\n%s", diff)
			}
		})
	}
}

// nodes writes a workflow of nodes with arguments: `"a": {"x": 1}`.
func nodes(all ...string) string {
	for i, n := range all {
		id, args, _ := strings.Cut(n, ": ")
		all[i] = fmt.Sprintf(`{"id": %s, "func": "f", "args": %s}`, id, args)
	}
	return `{"nodes": [` + strings.Join(all, ", ") + `]}`
}

func TestAWorkflowIsItsOwnRun(t *testing.T) {
	run := func(content, name string) string {
		w, err := readWorkflow([]byte(content), name)
		if err != nil {
			t.Fatal(err)
		}
		return w.run
	}
	a, b := nodes(`"a": {"x": 1}`), nodes(`"a": {"x": 2}`)
	if run(a, "") != run(strings.ReplaceAll(a, " ", "\n"), "") {
		t.Error("want white space to make no difference")
	}
	if run(a, "") == run(b, "") {
		t.Error("want another workflow to be another run")
	}
	if got := run(a, "mine"); got != "mine" {
		t.Errorf("want the given name, got %s", got)
	}
}

// TestARunsNameIsALabel: its Pods are found by what is printed of it.
func TestARunsNameIsALabel(t *testing.T) {
	for run, wantErr := range map[string]string{
		"night-2.B_1":           "",
		strings.Repeat("a", 63): "",
		strings.Repeat("a", 64): "cannot be a label of its Pods: take at most 63 letters",
		"Bad Run!":              `the run's name "Bad Run!" cannot be a label of its Pods: take`,
		"-":                     "cannot be a label",
		"\x1b[31m":              `"\x1b[31m"`,
	} {
		_, err := readWorkflow([]byte(twoNodes), run)
		if (err != nil) != (wantErr != "") || err != nil && !strings.Contains(err.Error(), wantErr) {
			t.Errorf("run %q: want the error %q, got %v", run, wantErr, err)
		}
	}
}

func TestTheWorkflowThatIsShownCanBeRead(t *testing.T) {
	content, err := os.ReadFile("workflow.json")
	if err != nil {
		t.Fatal(err)
	}
	w := mustRead(t, string(content))
	if diff := cmp.Diff([]string{"t1", "t2"}, w.nodes[len(w.nodes)-1].needs); diff != "" {
		t.Error(diff)
	}
}
