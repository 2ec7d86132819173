package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/cli-runtime/pkg/genericiooptions"
	"sigs.k8s.io/yaml"

	"github.com/maze-agent/maregister/cmd/mazectl/internal/terminal"
)

// printed is what a call prints, and what it exits with.
type printed struct {
	stdout, stderr string
	code           int
}

func (p printed) String() string {
	return fmt.Sprintf("exit code %d\n%s%s", p.code, p.stdout, p.stderr)
}

// call runs mazectl in this process, for tests whose input is made by Go. For all else, see TestScripts.
func call(t *testing.T, args ...string) printed {
	t.Helper()
	streams, _, out, errOut := genericiooptions.NewTestIOStreams()
	code := run(t.Context(), "mazectl", args, terminal.New(streams))
	return printed{out.String(), errOut.String(), code}
}

// inRoot has the test run in the root folder of the source tree, as the documents do.
func inRoot(t *testing.T) {
	t.Helper()
	t.Setenv("KUBECONFIG", os.DevNull)
	t.Chdir("../..")
}

// TestCluster asks a cluster for its nodes, in two pages, as whom the flags say, and gets what a file gets.
func TestCluster(t *testing.T) {
	content, err := os.ReadFile("testdata/nodes.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var list struct {
		Items []map[string]any `json:"items"`
	}
	if err := yaml.Unmarshal(content, &list); err != nil {
		t.Fatal(err)
	}
	page := func(items []map[string]any, next string) string {
		content, err := yaml.Marshal(map[string]any{"apiVersion": "v1", "kind": "NodeList", "metadata": map[string]any{"continue": next}, "items": items})
		if err != nil {
			t.Fatal(err)
		}
		if content, err = yaml.YAMLToJSON(content); err != nil {
			t.Fatal(err)
		}
		return string(content)
	}
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch {
		case r.URL.Path == "/apis/registry.mazeagent.net/v1alpha1/mazetasks" && r.Header.Get("Authorization") == "Bearer secret":
			fmt.Fprint(w, `{"apiVersion": "registry.mazeagent.net/v1alpha1", "kind": "MazeTaskList", "metadata": {}, "items": [
				{"apiVersion": "registry.mazeagent.net/v1alpha1", "kind": "MazeTask", "metadata": {"name": "split-pdf", "namespace": "a"}, "spec": {"name": "split_pdf"}},
				{"apiVersion": "registry.mazeagent.net/v1alpha1", "kind": "MazeTask", "metadata": {"name": "split-pdf", "namespace": "b"}, "spec": {"name": "split_pdf"}}]}`)
		case r.URL.Path == "/apis/resource.k8s.io/v1":
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprint(w, `{"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404}`)
		case r.URL.Path != "/api/v1/nodes" || r.Header.Get("Authorization") != "Bearer secret":
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, `{"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Forbidden", "code": 403, "message": "nodes is forbidden"}`)
		case r.URL.Query().Get("continue") == "":
			fmt.Fprint(w, page(list.Items[:2], "more"))
		default:
			fmt.Fprint(w, page(list.Items[2:], ""))
		}
	}))
	defer server.Close()
	config := filepath.Join(t.TempDir(), "kubeconfig")
	kubeconfig := fmt.Sprintf(`{apiVersion: v1, kind: Config, clusters: [{name: c, cluster: {server: %q, insecure-skip-tls-verify: true}}], users: [{name: u, user: {token: secret}}, {name: other}],
contexts: [{name: right, context: {cluster: c, user: u}}, {name: wrong, context: {cluster: c, user: other}}], current-context: wrong}`, server.URL)
	if err := os.WriteFile(config, []byte(kubeconfig), 0o600); err != nil {
		t.Fatal(err)
	}

	want := call(t, "place", "testdata/tasks", "--nodes=testdata/nodes.yaml")
	got := call(t, "place", "testdata/tasks", "--kubeconfig", config, "--context=right")
	if want.code != exitFindings || got != want {
		t.Errorf("want what a file gives:\n%s\ngot:\n%s", want, got)
	}
	got = call(t, "place", "-A", "--summary", "--kubeconfig", config, "--context=right")
	if got.code != 0 || !strings.Contains(got.stdout, "True Feasible          2 tasks       a/split-pdf, b/split-pdf\n") {
		t.Errorf("tasks of all namespaces: %s", got)
	}
	got = call(t, "place", "-A", "--kubeconfig", config)
	if !strings.Contains(got.stderr, "needs the right to list mazetasks in all namespaces") || got.code != exitFailed {
		t.Errorf("tasks without permission: %s", got)
	}
	got = call(t, "place", "testdata/split.yaml", "--kubeconfig", config)
	if !strings.Contains(got.stderr, "error: list the cluster's nodes: nodes is forbidden; choose a cluster") || got.code != exitFailed {
		t.Errorf("without permission: %s", got)
	}
}
