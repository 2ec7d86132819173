package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/maze-agent/maregister/internal/finding"
	"github.com/maze-agent/maregister/internal/registry"
)

// TestEvolutionDocument: the document shows what the example prints, and has all rules of changes.
func TestEvolutionDocument(t *testing.T) {
	inRoot(t)
	const command = "mazectl diff examples/evolution/before examples/evolution/after --workflows examples/evolution/workflows -o concise"
	got := call(t, strings.Fields(command)[1:]...)
	text := strings.TrimSpace(got.stdout + got.stderr)
	for _, document := range []string{"docs/evolution.md", "docs/evolution.zh-CN.md"} {
		content, err := os.ReadFile(document)
		if err != nil {
			t.Fatal(err)
		}
		if shown := "```sh\n" + command + "\n```\n\n```text\n" + text + "\n```"; !strings.Contains(string(content), shown) {
			t.Errorf("%s does not show this:\n%s", document, shown)
		}
		for _, rule := range finding.Rules() {
			if finding.IsOfChanges(rule.Code) && !strings.Contains(string(content), "`"+rule.Code+"` | `"+rule.Name+"`") {
				t.Errorf("%s does not tell of %s %s", document, rule.Code, rule.Name)
			}
		}
	}
}

// publish returns the registry of a namespace with one task, as an API server lists it.
func publish(t *testing.T, namespace, input, node string) []byte {
	t.Helper()
	entry := registry.Entry{
		TaskMeta: registry.TaskMeta{Name: "ocr", Resources: registry.TaskResources{Type: "cpu", CPUNum: 1, Mem: 1024}},
		Schema:   registry.Interface{Input: json.RawMessage(input), Output: json.RawMessage(`{"type":"object"}`)},
		Digest:   registry.Digests{Interface: "sha256:" + input, Spec: "sha256:" + input},
	}
	entry.Kubernetes = registry.Origin{Namespace: namespace, Name: "ocr", UID: "1", Generation: 1}
	entry.Kubernetes.Placement.NodeSelector = map[string]string{"pool": node}
	item, err := entry.Encode()
	if err != nil {
		t.Fatal(err)
	}
	shards := registry.Split([]registry.Item{item}, registry.DefaultShardSize)
	index, err := registry.Render(namespace, shards, registry.NewIndex(shards, registry.Index{}), nil, "1")
	if err != nil {
		t.Fatal(err)
	}
	list := corev1.ConfigMapList{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMapList"}, Items: []corev1.ConfigMap{*index}}
	content, err := json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// TestDiffOfRegistries compares two namespaces of a cluster, one with a stored registry, and one with a manifest. Where the tasks would run is
// compared where both are registries.
func TestDiffOfRegistries(t *testing.T) {
	const text, number = `{"properties":{"page":{"type":"string"}},"type":"object"}`, `{"properties":{"page":{"type":"number"}},"type":"object"}`
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch r.URL.Path {
		case "/api/v1/namespaces/old/configmaps":
			_, _ = w.Write(publish(t, "old", text, "a"))
		case "/api/v1/namespaces/new/configmaps":
			_, _ = w.Write(publish(t, "new", number, "b"))
		default:
			_, _ = w.Write([]byte(`{"kind": "ConfigMapList", "apiVersion": "v1", "metadata": {}, "items": []}`))
		}
	}))
	defer server.Close()
	folder := t.TempDir()
	write := func(name string, content []byte) string {
		name = filepath.Join(folder, name)
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	config := write("kubeconfig", fmt.Appendf(nil, `{apiVersion: v1, kind: Config, users: [{name: u}],
clusters: [{name: c, cluster: {server: %q, insecure-skip-tls-verify: true}}], contexts: [{name: x, context: {cluster: c, user: u, namespace: old}}], current-context: x}`, server.URL))
	stored := write("registry.json", publish(t, "old", text, "b"))
	task := func(metadata, kind string) string {
		return fmt.Sprintf("{apiVersion: registry.mazeagent.net/v1alpha1, kind: MazeTask, metadata: {%s}, spec: {name: ocr, inputParameters: {page: %s}}}\n", metadata, kind)
	}
	manifest := write("ocr.yaml", []byte(task("name: ocr", "str")))
	elsewhere := write("elsewhere.yaml", []byte(task("name: ocr, namespace: old", "str")+"---\n"+task("name: ocr, namespace: new", "int")))
	const narrowed = `MZ306 [error] task ocr: input "page" allows other values: refuses "" (got string, want number); accept it still, or publish a new task` + "\n"
	const moved = `MZ344 [note] task ocr: placement.nodeSelector.pool is now "b"; it was "a"` + "\n"
	for _, tc := range []struct {
		old, new, want string
		code           int
	}{
		{"cluster:old", "cluster:", "", exitFine},
		{"cluster:", "registry:" + stored, stored + ": " + moved, exitFine},
		{"cluster:old", manifest, "", exitFine},
		{manifest, "cluster:new", "namespace new: " + narrowed, exitFindings},
		{"cluster:old", "cluster:new", "namespace new: " + narrowed + "namespace new: " + moved, exitFindings},
		{"cluster:old", elsewhere, "", exitFine},
	} {
		got := call(t, "diff", tc.old, tc.new, "--kubeconfig", config, "-o", "concise")
		if diff := cmp.Diff(tc.want, got.stdout); diff != "" || got.code != tc.code {
			t.Errorf("%s against %s: %s\n-want +got:\n%s", tc.old, tc.new, got, diff)
		}
	}
	got := call(t, "diff", "cluster:none", manifest, "--kubeconfig", config)
	if got.code != exitFailed || !strings.Contains(got.stderr, "namespace none has no registry") {
		t.Errorf("without a registry: %s", got)
	}
}
