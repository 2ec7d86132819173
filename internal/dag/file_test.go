package dag

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestRead takes files apart, and compares what each document is, where it begins, and what is wrong with it by one task.
func TestRead(t *testing.T) {
	const head = "apiVersion: registry.mazeagent.net/v1alpha1\nkind: MazeWorkflow\nmetadata: {name: %s}\nspec: {nodes: [{id: a, func: %s}]}\n"
	object := func(name, function string) string { return fmt.Sprintf(head, name, function) }
	asJSON := func(name, function string) string {
		return `{"apiVersion": "registry.mazeagent.net/v1alpha1", "kind": "MazeWorkflow", "metadata": {"name": "` + name + `", "namespace": "ns"},
 "spec": {"nodes": [{"id": "a", "func": "` + function + `"}]}}`
	}
	const task = "apiVersion: registry.mazeagent.net/v1alpha1\nkind: MazeTask\nmetadata: {name: ocr}\nspec: {name: ocr}\n"
	const noTask = `no task is called "nope"; did you mean "none"?`
	for name, tc := range map[string]struct {
		file, content string
		want          string
	}{
		"one workflow": {
			file: "w.json", content: `{"nodes": [{"id": "a", "func": "nope"}]}`,
			want: "1:1 \n1:32 /nodes/0/func MZ206 node \"a\" at /nodes/0/func: " + noTask,
		},
		"documents of YAML": {
			file: "w.yaml", content: "# first\n---\n" + object("one", "ocr") + "---\n# nothing\n---\n" + object("two", "nope"),
			want: "3:1 MazeWorkflow one\n10:1 MazeWorkflow two\n" +
				"13:30 /spec/nodes/0/func MZ206 MazeWorkflow two: node \"a\" at /spec/nodes/0/func: " + noTask,
		},
		"a separator behind the only document": {
			file: "w.yaml", content: "nodes:\n- {id: a, func: nope}\n---\n",
			want: "1:1 \n2:17 /nodes/0/func MZ206 node \"a\" at /nodes/0/func: " + noTask,
		},
		"a directive above the only document": {
			file: "w.yaml", content: "%YAML 1.1\n---\nnodes:\n- {id: a, func: nope}\n",
			want: "3:1 \n4:17 /nodes/0/func MZ206 node \"a\" at /nodes/0/func: " + noTask,
		},
		"ends of lines and a mark as Windows writes them": {
			file: "w.yaml", content: "\ufeff" + strings.ReplaceAll(object("one", "ocr")+"---\n"+object("two", "nope"), "\n", "\r\n"),
			want: "1:1 MazeWorkflow one\n6:1 MazeWorkflow two\n" +
				"9:30 /spec/nodes/0/func MZ206 MazeWorkflow two: node \"a\" at /spec/nodes/0/func: " + noTask,
		},
		"values of JSON, one after the other": {
			file: "w.json", content: asJSON("one", "ocr") + " " + asJSON("two", "nope"),
			want: "1:1 MazeWorkflow ns/one\n2:51 MazeWorkflow ns/two\n" +
				"3:41 /spec/nodes/0/func MZ206 MazeWorkflow ns/two: node \"a\" at /spec/nodes/0/func: " + noTask,
		},
		"a list of JSON": {
			file: "<stdin>", content: `{"apiVersion": "v1", "kind": "List", "items": [` + asJSON("one", "nope") + "," + asJSON("two", "nope") + "]}",
			want: "1:48 MazeWorkflow ns/one\n2:52 MazeWorkflow ns/two\n" +
				"2:41 /items/0/spec/nodes/0/func MZ206 MazeWorkflow ns/one: node \"a\" at /spec/nodes/0/func: " + noTask + "\n" +
				"3:41 /items/1/spec/nodes/0/func MZ206 MazeWorkflow ns/two: node \"a\" at /spec/nodes/0/func: " + noTask,
		},
		"a list of YAML": {
			file: "<stdin>", content: "apiVersion: v1\nkind: List\nitems:\n- kind: MazeWorkflow\n  apiVersion: registry.mazeagent.net/v1alpha1\n" +
				"  metadata: {name: one}\n  spec: &spec {nodes: [{id: a, func: nope}]}\n- kind: ConfigMap\n  apiVersion: v1\n" +
				"- kind: MazeWorkflow\n  apiVersion: registry.mazeagent.net/v1alpha1\n  metadata: {name: two}\n  spec: *spec\n",
			want: "4:3 MazeWorkflow one\n10:3 MazeWorkflow two\n1 ConfigMap (v1)\n" +
				"7:38 /items/0/spec/nodes/0/func MZ206 MazeWorkflow one: node \"a\" at /spec/nodes/0/func: " + noTask + "\n" +
				"7:38 /items/2/spec/nodes/0/func MZ206 MazeWorkflow two: node \"a\" at /spec/nodes/0/func: " + noTask,
		},
		"a list of one kind, whose items do not say what they are": {
			file: "w.yaml", content: "apiVersion: registry.mazeagent.net/v1alpha1\nkind: MazeWorkflowList\nitems:\n" +
				"- metadata: {name: one}\n  spec: {nodes: [{id: a, func: ocr}]}\n- metadata: {name: two}\n  spec: {nodes: [{id: a, func: ocr}]}\n",
			want: "4:3 MazeWorkflow one\n6:3 MazeWorkflow two",
		},
		"an array of workflows": {
			file: "<stdin>", content: `[{"nodes": [{"id": "a", "func": "nope"}]},` + "\n" + `{"spec": {"nodes": [{"id": "a", "func": "nope"}]}}]`,
			want: "1:2 item 1\n2:1 item 2\n" +
				"1:33 /0/nodes/0/func MZ206 item 1: node \"a\" at /nodes/0/func: " + noTask + "\n" +
				"2:41 /1/spec/nodes/0/func MZ206 item 2: node \"a\" at /spec/nodes/0/func: " + noTask,
		},
		"an array of workflows in YAML, and other objects": {
			file: "w.yaml", content: "- nodes: [{id: a, func: nope}]\n- " + strings.TrimSpace(strings.ReplaceAll(task, "\n", "\n  ")) + "\n- x\n",
			want: "1:3 item 1\n6:3 item 3\n1 MazeTask (registry.mazeagent.net/v1alpha1)\n" +
				"1:25 /0/nodes/0/func MZ206 item 1: node \"a\" at /nodes/0/func: " + noTask + "\n" +
				"6:3 /2 MZ201 item 3: a workflow is an object such as " + workflowExample + ", found a string",
		},
		"an array of one workflow, beside a document": {
			file: "w.yaml", content: "nodes: [{id: a, func: ocr}]\n---\n- nodes: [{id: a, func: ocr}]\n", want: "1:1 document 1\n3:3 item 1",
		},
		"an array of nodes": {
			file: "w.json", content: `[{"id": "a", "func": "nope"}]`,
			want: "1:1 \n1:1  MZ201 a workflow is an object such as " + workflowExample + ", found an array; write the nodes below \"nodes\"",
		},
		"a list of nothing":       {file: "w.yaml", content: "apiVersion: v1\nkind: List\nitems: []\n"},
		"other objects are there": {file: "w.yaml", content: task + "---\n" + object("one", "ocr"), want: "6:1 MazeWorkflow one\n1 MazeTask (registry.mazeagent.net/v1alpha1)"},
		"other objects alone":     {file: "w.yaml", content: task + "---\n" + task, want: "2 MazeTask (registry.mazeagent.net/v1alpha1)"},
		"one other object": {
			file: "w.yaml", content: task,
			want: "1:1 \n1:1  MZ201 this is an object of Kubernetes; \"mazectl lint\" checks MazeTasks; a workflow has \"nodes\"",
		},
		"a document that is no YAML": {
			file: "w.yaml", content: object("one", "ocr") + "---\nnodes: [\n---\n" + object("three", "ocr"),
			want: "1:1 MazeWorkflow one\n6:1 document 2\n8:1 MazeWorkflow three\n" +
				"6:1  MZ201 document 2: this is neither JSON nor YAML, in which workflows are written: did not find expected node content; check indentation, quotes and brackets, here and in the line above",
		},
		"workflows that are no objects of Kubernetes": {
			file: "w.yaml", content: "nodes:\n- {id: a, func: nope}\n---\nnodes:\n- {id: a, func: ocr}\n---\nname: x\n",
			want: "1:1 document 1\n4:1 document 2\n7:1 document 3\n" +
				"2:17 /nodes/0/func MZ206 document 1: node \"a\" at /nodes/0/func: " + noTask + "\n" +
				"7:1  MZ201 document 3: the workflow has no \"nodes\"; write {\"nodes\": [{\"id\": \"t1\", \"func\": \"speech_to_text\", \"args\": {}}]}",
		},
		"text behind a separator": {
			file: "w.yaml", content: object("one", "ocr") + "--- {nodes: []}\n" + object("two", "ocr"),
			want: "1:1 MazeWorkflow one\n6:1 MazeWorkflow two\n" +
				"5:4  MZ201 nothing is read behind the --- that begins a document; put what follows on a line of its own",
		},
		"nothing": {file: "w.yaml", want: "1:1 \n1:1  MZ201 " + emptyFile},
	} {
		t.Run(name, func(t *testing.T) {
			tasks := NewTasks(map[string]Task{"ocr": {}, "none": {}})
			f := Read(tc.file, []byte(tc.content))
			var got []string
			for _, d := range f.Documents {
				at := d.Begin()
				got = append(got, fmt.Sprintf("%d:%d %s", at.Line, at.Column, d.Label()))
			}
			for kind, n := range f.Others {
				got = append(got, fmt.Sprintf("%d %s", n, kind))
			}
			all := f.Findings
			for _, d := range f.Documents {
				_, found := d.Check(tasks, Options{})
				all = append(all, found...)
			}
			for _, found := range all {
				got = append(got, fmt.Sprintf("%d:%d %s %s %s", found.Position.Line, found.Position.Column, found.Pointer, found.Rule, found.Message))
			}
			if diff := cmp.Diff(tc.want, strings.Join(got, "\n")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestReadManyDocuments bounds what a file of a few bytes a document takes.
func TestReadManyDocuments(t *testing.T) {
	for name, content := range map[string]string{
		"values": strings.Repeat("{}", 2*maxDocuments),
		"items":  `{"kind": "List", "items": [` + strings.Repeat("1,", 2*maxDocuments) + "1]}",
		"YAML":   strings.Repeat("a\n---\n", 2*maxDocuments),
	} {
		t.Run(name, func(t *testing.T) {
			f := Read("w.json", []byte(content))
			if len(f.Documents) > maxDocuments || len(f.Findings) != 1 || f.Findings[0].Rule != "MZ202" {
				t.Errorf("%d documents, %v", len(f.Documents), f.Findings)
			}
		})
	}
}

// TestLargeValues: the message about a value that is too large to be compared with a schema speaks of a value, not of a schema.
func TestLargeValues(t *testing.T) {
	const want = "what is compared with a schema has at most 1048576 bytes, 20000 JSON values and 64 levels; hand it over as a file"
	tasks := NewTasks(map[string]Task{"any": {Input: []byte(`{"type": "object", "properties": {"a": {"minLength": 1, "minItems": 1}, "b": {"minLength": 1}}}`)}})
	for name, args := range map[string]string{
		"bytes":    `"a": "` + strings.Repeat("x", 1<<20) + `"`,
		"values":   `"a": [` + strings.Repeat("1,", 20_000) + `1]`,
		"levels":   `"a": ` + strings.Repeat("[", 70) + strings.Repeat("]", 70),
		"together": `"a": "` + strings.Repeat("x", 600_000) + `", "b": "` + strings.Repeat("x", 600_000) + `"`,
		"an item":  `"a": ["n.output.x", "` + strings.Repeat("x", 1<<20) + `"]`,
	} {
		t.Run(name, func(t *testing.T) {
			_, found := Check("w.json", []byte(`{"nodes": [{"id": "n", "func": "any"}, {"id": "m", "func": "any", "args": {`+args+`}}]}`), tasks, Options{})
			if len(found) != 1 || found[0].Rule != "MZ209" || !strings.HasSuffix(found[0].Message, want) {
				t.Errorf("want %q, got %v", want, found)
			}
		})
	}
}
