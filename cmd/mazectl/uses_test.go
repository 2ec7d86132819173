package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestNamespaces asks "uses" and "diff" about namespaces that are not there, have no registry, or cannot be asked for.
func TestNamespaces(t *testing.T) {
	const text = `{"properties":{"page":{"type":"string"}},"type":"object"}`
	const status = `{"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": %q, "code": %d, "message": "no"}`
	const list = `{"kind": %q, "apiVersion": %q, "metadata": {}, "items": [%s]}`
	const group = "registry.mazeagent.net/v1alpha1"
	var nodes []string
	for _, n := range []int{1, 2, 10} {
		nodes = append(nodes, fmt.Sprintf(`{"id": "n%d", "func": "ocr", "args": {"page": "p"}}`, n))
	}
	object := func(namespace, name string) string {
		return fmt.Sprintf(`{"apiVersion": %q, "kind": "MazeWorkflow", "metadata": {"namespace": %q, "name": %q}, "spec": {"nodes": [%s]}}`,
			group, namespace, name, strings.Join(nodes, ", "))
	}
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch path := strings.TrimPrefix(r.URL.Path, "/api/v1/"); path {
		case "namespaces/vision/configmaps":
			_, _ = w.Write(publish(t, "vision", text, "a"))
		case "namespaces/vision", "namespaces/fresh":
			fmt.Fprint(w, `{"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": {"name": "x"}}`)
		case "namespaces/older/configmaps":
			_, _ = w.Write(publish(t, "older", text, "a"))
		case "/apis/" + group + "/namespaces/older/mazeworkflows": // which the API server of an older operator does not serve
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprintf(w, status, "NotFound", http.StatusNotFound)
		case "namespaces/taken/configmaps": // the API server's selectors, as far as the test needs them
			foreign := `{"metadata": {"name": "maze-registry", "namespace": "taken", "labels": {"registry.mazeagent.net/registry": "mine"}}}`
			if r.URL.Query().Has("labelSelector") {
				foreign = ""
			}
			fmt.Fprintf(w, list, "ConfigMapList", "v1", foreign)
		case "namespaces/hidden":
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprintf(w, status, "Forbidden", http.StatusForbidden)
		case "namespaces/typo":
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprintf(w, status, "NotFound", http.StatusNotFound)
		case "/apis/" + group + "/namespaces/vision/mazeworkflows":
			fmt.Fprintf(w, list, "MazeWorkflowList", group, object("vision", "w10")+","+object("vision", "w2"))
		default:
			kind, version := "ConfigMapList", "v1"
			if strings.HasSuffix(path, "mazeworkflows") {
				kind, version = "MazeWorkflowList", group
			}
			fmt.Fprintf(w, list, kind, version, "")
		}
	}))
	defer server.Close()
	folder := t.TempDir()
	write := func(name, content string) string {
		name = filepath.Join(folder, name)
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	config := write("kubeconfig", fmt.Sprintf(`{apiVersion: v1, kind: Config, users: [{name: u}], clusters: [{name: c, cluster: {server: %q, insecure-skip-tls-verify: true}}],
contexts: [{name: x, context: {cluster: c, user: u, namespace: vision}}], current-context: x}`, server.URL))
	manifest := write("ocr.yaml", "{apiVersion: registry.mazeagent.net/v1alpha1, kind: MazeTask, metadata: {name: ocr}, spec: {name: ocr, inputParameters: {pages: str}}}\n")
	other := write("mail.yaml", "{apiVersion: registry.mazeagent.net/v1alpha1, kind: MazeTask, metadata: {name: mail}, spec: {name: mail}}\n")
	elsewhere := write("elsewhere.json", object("audio", "w1"))
	const taken = "namespace taken has no registry: its ConfigMap maze-registry belongs to someone else, and the registry needs its name: delete it, " +
		"and create it anew under another name if it is needed; the operator then publishes at once"
	for name, tc := range map[string]struct {
		args string
		code int
		// wantOut is all of the output, and wantErr a part of what is said besides.
		wantOut, wantErr string
	}{
		"in the order of the workflow": {args: "uses ocr", wantErr: "6 nodes in 2 of 2 workflows\n", wantOut: usesOf("w2") + usesOf("w10")},
		"a task that nobody published": {args: "uses ocrr", wantErr: `note: the registry of namespace vision has no task ocrr: it was never published there, or is gone; did you mean "ocr"?`},
		"a namespace that is not there": {
			args: "uses ocr -n typo", code: exitFailed, wantErr: "error: the cluster has no namespace typo; correct the name, or choose a cluster with --kubeconfig or --context",
		},
		"one of several": {
			args: "uses ocr cluster:typo cluster:vision", code: exitFailed, wantErr: "the cluster has no namespace typo", wantOut: usesOf("w2") + usesOf("w10"),
		},
		"a namespace without a registry": {args: "uses ocr -n fresh", wantErr: "note: namespace fresh has no registry, so no task is published there; "},
		"a namespace that may not be":    {args: "uses ocr -n hidden", code: exitFailed, wantErr: "error: namespace hidden has no MazeWorkflow and no registry, if it exists at all; "},
		"no registry to compare with": {
			args: "diff cluster:fresh " + manifest + " -o concise", wantOut: manifest + ":1:1: MZ341 [note] task ocr is new\n",
			wantErr: "note: namespace fresh has no registry yet: it counts as one without tasks\nnote: there is no MazeWorkflow in namespace fresh\n1 added, ",
		},
		"somebody else's registry to compare with": {args: "diff cluster:taken " + manifest, code: exitFailed, wantErr: "error: " + taken + "\n"},
		"somebody else's registry to check by":     {args: "dag check " + elsewhere + " -n taken", code: exitFailed, wantErr: "error: " + taken + "\n"},
		"a task, and somebody else's registry":     {args: "uses ocr -n taken", wantErr: "note: " + taken + "\n"},
		"a registry has tasks of other sources": {
			args: "diff cluster:vision " + other + " -o concise --select MZ341", wantOut: other + ":1:1: MZ341 [note] task mail is new\n",
			wantErr: "note: 1 task of namespace vision: not in " + other + ", and so removed; give --partial if tasks of other sources are to stay\n",
		},
		"a part of a registry": {
			args: "diff cluster:vision " + other + " --partial -o concise", wantOut: other + ":1:1: MZ341 [note] task mail is new\n",
			wantErr: "1 added, 0 changed, 0 removed, 1 unchanged; ",
		},
		"no workflows that an edit could break": {
			args: "diff cluster:fresh " + manifest + " --select MZ311", wantErr: "0 unchanged; breaks 0 of 0 workflows: nothing is wrong\n",
		},
		"no workflows as the operator is older": {
			args: "diff cluster:older " + manifest + " --select MZ311",
			wantErr: "note: the cluster's workflows are not counted: the cluster has no MazeWorkflows: its operator is older than this program, or not " +
				"installed: no; give files of workflows by --workflows\n0 added, 1 changed, 0 removed, 0 unchanged; breaks 0 of 0 workflows: ",
		},
		"no workflow uses it, and there is none": {
			args: "uses ocr -n fresh", wantErr: "note: there is no MazeWorkflow in namespace fresh\ntask ocr is run by 0 nodes of 0 workflows\n",
		},
		"no workflow in the cluster at all": {args: "uses ocr -A", wantErr: "note: there is no MazeWorkflow in the cluster\n"},
		"workflows of another namespace": {
			args:    "dag check " + elsewhere + " -n vision",
			wantErr: "note: 1 MazeWorkflow: of other namespaces than vision, and checked with its tasks; choose theirs with -n\n",
		},
		"no namespace to compare with": {args: "diff cluster:typo " + manifest, code: exitFailed, wantErr: "error: the cluster has no namespace typo; "},
		"a namespace that may not be, of": {args: "diff cluster:hidden " + manifest, code: exitFailed,
			wantErr: "; if the namespace is new and has no task yet, this needs the right to get namespaces, to see that it exists\n"},
		"workflows of no namespace": {args: "diff " + manifest + " " + manifest + " --workflows cluster:typo", code: exitFailed, wantErr: "error: the cluster has no namespace typo; "},
	} {
		t.Run(name, func(t *testing.T) {
			got := call(t, append(strings.Fields(tc.args), "--kubeconfig", config)...)
			if diff := cmp.Diff(tc.wantOut, got.stdout); diff != "" || got.code != tc.code || !strings.Contains(got.stderr, tc.wantErr) {
				t.Errorf("want the code %d and %q, got:\n%s\n-want +got: %s", tc.code, tc.wantErr, got, diff)
			}
		})
	}
	got := call(t, "diff", "cluster:", manifest, "--kubeconfig", config, "-o", "concise", "--select", "MZ311")
	var order []string
	for _, line := range strings.Split(got.stdout, "\n") {
		if at, rest, ok := strings.Cut(line, ": MZ311"); ok {
			_, node, _ := strings.Cut(rest, `node "`)
			node, _, _ = strings.Cut(node, `"`)
			order = append(order, at+" "+node)
		}
	}
	want := []string{
		"MazeWorkflow vision/w2 n1", "MazeWorkflow vision/w2 n2", "MazeWorkflow vision/w2 n10",
		"MazeWorkflow vision/w10 n1", "MazeWorkflow vision/w10 n2", "MazeWorkflow vision/w10 n10",
	}
	if diff := cmp.Diff(want, order); diff != "" {
		t.Errorf("-want +got: %s\n%s", diff, got)
	}
}

// usesOf returns what "uses" prints of a workflow of the test.
func usesOf(name string) string {
	var out strings.Builder
	for _, n := range []int{1, 2, 10} {
		fmt.Fprintf(&out, "MazeWorkflow vision/%s: node \"n%d\" passes page\n", name, n)
	}
	return out.String()
}

// TestManyWorkflows has more to tell of a file than anybody reads.
func TestManyWorkflows(t *testing.T) {
	name := filepath.Join(t.TempDir(), "all.json")
	if err := os.WriteFile(name, []byte(strings.Repeat("{\"nodes\": []}\n", maxFileFindings+5)), 0o600); err != nil {
		t.Fatal(err)
	}
	inRoot(t)
	got := call(t, "dag", "check", name, "--tasks", "examples/dag/tasks", "-o", "concise")
	first, _, _ := strings.Cut(got.stdout, "\n")
	if want := name + ":1:1: MZ202 [error] 5 more findings are left out; correct those that are told first"; !strings.Contains(got.stdout, want+"\n") {
		t.Errorf("want %q, got %q …", want, first)
	}
	if lines := strings.Count(got.stdout, "\n"); lines != maxFileFindings+1 || got.code != exitFindings {
		t.Errorf("%d lines, and the code %d", lines, got.code)
	}
}
