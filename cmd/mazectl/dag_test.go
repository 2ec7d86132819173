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
	"sigs.k8s.io/yaml"

	"github.com/maze-agent/maregister/internal/finding"
	"github.com/maze-agent/maregister/internal/lint"
	"github.com/maze-agent/maregister/internal/placement"
	"github.com/maze-agent/maregister/internal/registry"
	taskjudge "github.com/maze-agent/maregister/internal/task"
)

const (
	meeting  = "examples/dag/meeting.json"
	broken   = "examples/dag/broken.json"
	dagTasks = "--tasks=examples/dag/tasks"
	t4Node   = "--nodes=cmd/mazectl/testdata/t4-node.yaml"
)

// TestDAGPicture: the picture in the documents is what the tool draws.
func TestDAGPicture(t *testing.T) {
	inRoot(t)
	const picture = "docs/images/dag.svg"
	file := filepath.Join(t.TempDir(), "dag.svg")
	if *update {
		file = picture
	}
	if got := call(t, "dag", "draw", broken, dagTasks, "--output-file", file); got.code != exitFine {
		t.Fatal(got)
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(picture)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got; -update accepts it):\n%s", picture, diff)
	}
}

// TestDAGMermaidLimit: who draws what GitHub does not show is told so, and nobody else.
func TestDAGMermaidLimit(t *testing.T) {
	inRoot(t)
	for nodes, want := range map[int]bool{maxMermaidLines + 1: false, maxMermaidLines + 2: true} {
		var text strings.Builder
		text.WriteString(`{"nodes": [{"id": "n0", "func": "f"}`)
		for i := 1; i < nodes; i++ {
			fmt.Fprintf(&text, `, {"id": "n%d", "func": "f", "args": {"x": "n%d.output.y", "z": "n%[2]d.output.y"}}`, i, i-1)
		}
		file := filepath.Join(t.TempDir(), "workflow.json")
		if err := os.WriteFile(file, []byte(text.String()+"]}"), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, output := range drawingNames() {
			got := call(t, "dag", "draw", file, "-o", output)
			if told := strings.Contains(got.stderr, "GitHub shows"); told != (want && output == outputMermaid) || got.code != exitFine {
				t.Errorf("%d nodes as %s: exit code %d, %s", nodes, output, got.code, got.stderr)
			}
		}
	}
}

// TestDAGDocuments: what the documents say that a call prints, it prints.
func TestDAGDocuments(t *testing.T) {
	inRoot(t)
	const command = "mazectl dag check " + broken + " --tasks examples/dag/tasks -o concise"
	got := call(t, strings.Fields(command)[1:]...)
	text := strings.TrimSpace(got.stdout + got.stderr)
	for _, document := range []string{"docs/dag.md", "docs/dag.zh-CN.md"} {
		content, err := os.ReadFile(document)
		if err != nil {
			t.Fatal(err)
		}
		if shown := "```sh\n" + command + "\n```\n\n```text\n" + text + "\n```"; !strings.Contains(string(content), shown) {
			t.Errorf("%s does not show this:\n%s", document, shown)
		}
		for _, rule := range finding.Rules() {
			if strings.HasPrefix(rule.Code, "MZ2") && !strings.Contains(string(content), "`"+rule.Code+"` | `"+rule.Name+"`") {
				t.Errorf("%s does not tell of %s %s", document, rule.Code, rule.Name)
			}
		}
	}
}

// documentedWorkflows returns files with the workflows that the documents show, one of each form.
func documentedWorkflows(t *testing.T) []string {
	t.Helper()
	content, err := os.ReadFile("docs/dag.md")
	if err != nil {
		t.Fatal(err)
	}
	_, formats, _ := strings.Cut(string(content), "## Formats")
	formats, _, _ = strings.Cut(formats, "## References")
	var workflows []string
	for _, language := range []string{"json", "yaml"} {
		for _, part := range strings.Split(formats, "```"+language+"\n")[1:] {
			workflow, _, _ := strings.Cut(part, "```")
			file := filepath.Join(t.TempDir(), "workflow."+language)
			if err := os.WriteFile(file, []byte(workflow), 0o644); err != nil {
				t.Fatal(err)
			}
			workflows = append(workflows, file)
		}
	}
	return workflows
}

// TestDAGDocumentedWorkflows: the workflows that the documents show have nothing wrong, in each of the forms, but for a node whose code
// is no task, which gets a warning. Maze refuses those without code, and takes the others.
func TestDAGDocumentedWorkflows(t *testing.T) {
	inRoot(t)
	workflows := documentedWorkflows(t)
	wants := []struct{ registry, maze string }{
		{maze: finding.MissingCode}, {maze: finding.MissingCode}, {},
		{registry: finding.UnregisteredCode, maze: finding.UnregisteredCode}, {maze: finding.MissingCode},
	}
	if len(workflows) != len(wants) {
		t.Fatalf("%d workflows, want %d", len(workflows), len(wants))
	}
	for i, file := range workflows {
		for target, want := range map[string]string{"auto": wants[i].registry, "registry": wants[i].registry, "maze": wants[i].maze} {
			got := call(t, "dag", "check", file, dagTasks, "--target="+target)
			wantCode := exitFine
			if want == finding.MissingCode {
				wantCode = exitFindings
			}
			if isAlone := want == "" || strings.Contains(got.stdout, want) && strings.Contains(got.stderr, ": 1 "); got.code != wantCode || !isAlone {
				t.Errorf("workflow %d for %s: want %q alone: %s", i+1, target, want, got)
			}
		}
	}
}

// TestDAGSARIF: a result has the node and the pointer to the value.
func TestDAGSARIF(t *testing.T) {
	inRoot(t)
	got := call(t, "dag", "check", broken, dagTasks, "--output-format=sarif")
	type logical struct{ FullyQualifiedName, Kind string }
	var log struct {
		Runs []struct {
			Results []struct {
				RuleID    string
				Locations []struct{ LogicalLocations []logical }
			}
		}
	}
	if err := json.Unmarshal([]byte(got.stdout), &log); err != nil {
		t.Fatal(err)
	}
	want := []logical{{FullyQualifiedName: `node "t1"`}, {FullyQualifiedName: "/nodes/0/args/language", Kind: "value"}}
	if diff := cmp.Diff(want, log.Runs[0].Results[0].Locations[0].LogicalLocations); diff != "" {
		t.Errorf("logical locations (-want +got):\n%s", diff)
	}
}

// published returns the ConfigMaps of a registry of the tasks in examples/dag, in shards of a size in bytes.
func published(t *testing.T, namespace string, shardSize int) []corev1.ConfigMap {
	t.Helper()
	content, err := os.ReadFile("examples/dag/tasks/tasks.yaml")
	if err != nil {
		t.Fatal(err)
	}
	linter, err := lint.New()
	if err != nil {
		t.Fatal(err)
	}
	var items []registry.Item
	for _, one := range linter.Lint([]lint.Source{{Name: "tasks.yaml", Content: content}}).Tasks {
		verdict := taskjudge.Judge(&one.Spec)
		resolution := placement.Resolve(placement.RequirementOf(&one.Spec.Resources), placement.NewBuilder(placement.DefaultConfig()).Inventory())
		entry, err := registry.NewEntry(one.MazeTask, registry.Interface{Input: verdict.Input.JSON(), Output: verdict.Output.JSON()}, resolution.Placement, registry.DefaultPredictorRules())
		if err != nil {
			t.Fatal(err)
		}
		item, err := entry.Encode()
		if err != nil {
			t.Fatal(err)
		}
		items = append(items, item)
	}
	shards := registry.Split(items, shardSize)
	index, err := registry.Render(namespace, shards, registry.NewIndex(shards, registry.Index{}), nil, "7")
	if err != nil {
		t.Fatal(err)
	}
	all := []corev1.ConfigMap{*index}
	for _, shard := range shards {
		if shard.Name != registry.ConfigMapName {
			all = append(all, *shard.ConfigMap(namespace))
		}
	}
	return all
}

// listOf is what kubectl get prints.
func listOf(t *testing.T, all []corev1.ConfigMap) []byte {
	t.Helper()
	list := corev1.ConfigMapList{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "List"}, Items: all}
	for i := range list.Items {
		list.Items[i].TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"}
	}
	content, err := json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// TestDAGRegistry: every way to give a registry gives the findings that manifests give, nodes that cannot be placed included.
func TestDAGRegistry(t *testing.T) {
	inRoot(t)
	const oneShard, manyShards = registry.DefaultShardSize, 1<<10 + 2500
	folder := t.TempDir()
	write := func(name string, content []byte) string {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	mount := func(name string, all []corev1.ConfigMap) string {
		for _, one := range all {
			for key, text := range one.Data {
				write(filepath.Join(name, "..2026_01_01", key), []byte(text))
			}
		}
		for from, to := range map[string]string{"..data": "..2026_01_01", ".index": "..data/.index"} {
			if err := os.Symlink(to, filepath.Join(folder, name, from)); err != nil {
				t.Fatal(err)
			}
		}
		return filepath.Join(folder, name)
	}
	asYAML := func(content []byte) []byte {
		converted, err := yaml.JSONToYAML(content)
		if err != nil {
			t.Fatal(err)
		}
		return converted
	}
	whole, split := published(t, "vision", oneShard), published(t, "vision", manyShards)
	if len(whole) != 1 || len(split) < 3 {
		t.Fatalf("%d and %d ConfigMaps", len(whole), len(split))
	}
	single, err := json.Marshal(corev1.ConfigMap{TypeMeta: metav1.TypeMeta{Kind: "ConfigMap"}, ObjectMeta: whole[0].ObjectMeta, Data: whole[0].Data})
	if err != nil {
		t.Fatal(err)
	}
	want := call(t, "dag", "check", broken, dagTasks, "--output-format=json", "--placeable", t4Node).stdout
	if !strings.Contains(want, finding.UnknownFunc) {
		t.Fatalf("no findings to compare:\n%s", want)
	}
	other := published(t, "speech", oneShard)
	cases := map[string]struct {
		args []string
		want string // of the error
	}{
		"a list in JSON":           {args: []string{write("list.json", listOf(t, whole))}},
		"a list in YAML":           {args: []string{write("list.yaml", asYAML(listOf(t, whole)))}},
		"one ConfigMap":            {args: []string{write("one.json", single)}},
		"shards":                   {args: []string{write("split.json", listOf(t, split))}},
		"mounted":                  {args: []string{mount("mounted", whole)}},
		"mounted shards":           {args: []string{mount("mounted-split", split)}},
		"one of two namespaces":    {args: []string{write("two.json", listOf(t, append(other, whole...))), "-n=speech"}},
		"two namespaces":           {args: []string{filepath.Join(folder, "two.json")}, want: "choose one with -n"},
		"another namespace":        {args: []string{filepath.Join(folder, "two.json"), "-n=none"}, want: "no registry of namespace none"},
		"a shard is missing":       {args: []string{write("torn.json", listOf(t, split[:2]))}, want: "is not whole"},
		"mounted without shards":   {args: []string{mount("mounted-index", split[:1])}, want: "has only the index of a registry of 3 tasks in 3 ConfigMaps"},
		"an entry changed by hand": {args: []string{write("edited.json", []byte(strings.ReplaceAll(string(listOf(t, whole)), "Shortens", "Lengthens")))}, want: "digest"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			args := append([]string{"dag", "check", broken, "--output-format=json", "--placeable", t4Node, "--registry"}, tc.args...)
			got := call(t, args...)
			if tc.want != "" {
				if got.code != exitFailed || !strings.Contains(got.stderr, tc.want) {
					t.Errorf("want an error with %q: %s", tc.want, got)
				}
				return
			}
			if diff := cmp.Diff(want, got.stdout); diff != "" || got.code != exitFindings {
				t.Errorf("exit code %d, findings (-manifests +registry):\n%s%s", got.code, diff, got.stderr)
			}
		})
	}
}

// TestDAGRegistryAsTasks: who mixes up the two flags is told so.
func TestDAGRegistryAsTasks(t *testing.T) {
	inRoot(t)
	file := filepath.Join(t.TempDir(), "registry.json")
	if err := os.WriteFile(file, listOf(t, published(t, "vision", registry.DefaultShardSize)), 0o600); err != nil {
		t.Fatal(err)
	}
	got := call(t, "dag", "check", meeting, "--tasks", file)
	if got.code != exitFailed || !strings.Contains(got.stderr, "--registry instead of --tasks") {
		t.Error(got)
	}
}

// TestDAGCluster asks a cluster: for the registry in one request, and for nothing else unless it has to.
func TestDAGCluster(t *testing.T) {
	inRoot(t)
	vision := strings.Replace(string(listOf(t, published(t, "vision", 1<<10+2500))), `"kind":"List"`, `"kind":"ConfigMapList"`, 1)
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		asked = append(asked, r.URL.RequestURI())
		switch r.URL.Path {
		case "/api/v1/namespaces/vision/configmaps":
			fmt.Fprint(w, vision)
		case "/api/v1/namespaces/empty/configmaps", "/api/v1/namespaces/elsewhere/configmaps":
			fmt.Fprint(w, `{"kind": "ConfigMapList", "apiVersion": "v1", "items": []}`)
		case "/apis/registry.mazeagent.net/v1alpha1/namespaces/vision/mazetasks":
			fmt.Fprint(w, `{"kind": "MazeTaskList", "apiVersion": "registry.mazeagent.net/v1alpha1", "items": [
				{"kind": "MazeTask", "apiVersion": "registry.mazeagent.net/v1alpha1", "metadata": {"name": "summarise"},
				"status": {"conditions": [{"type": "Placeable", "status": "False", "message": "no node can host the task"}]}},
				{"kind": "MazeTask", "apiVersion": "registry.mazeagent.net/v1alpha1", "metadata": {"name": "send-mail"},
				"status": {"conditions": [{"type": "Placeable", "status": "Unknown", "message": "no nodes are known"}]}}]}`)
		case "/api/v1/configmaps":
			fmt.Fprint(w, `{"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "items": [{"metadata": {"name": "maze-registry", "namespace": "vision"}}]}`)
		default:
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, `{"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Forbidden", "code": 403, "message": "configmaps is forbidden"}`)
		}
	}))
	defer server.Close()
	const list = "/configmaps?labelSelector=registry.mazeagent.net%2Fregistry+in+%28index%2Cshard%29"
	cases := map[string]struct {
		args      []string
		want      string
		wantCode  int
		wantAsked []string
	}{
		"a registry": {
			args: []string{"-n=vision"}, want: "against 3 tasks of namespace vision: nothing is wrong", wantAsked: []string{"/api/v1/namespaces/vision" + list},
		},
		"placeable": {
			args: []string{"-n=vision", "--placeable"}, want: "namespace vision: 1 error\n", wantCode: exitFindings, wantAsked: []string{
				"/api/v1/namespaces/vision" + list, "/apis/registry.mazeagent.net/v1alpha1/namespaces/vision/mazetasks?limit=500",
			},
		},
		"no registry": {
			args: []string{"-n=empty"}, want: "namespace empty has no registry: no ConfigMap maze-registry that an operator of MaRegister wrote; " +
				"choose a namespace that has one with -n: vision", wantCode: exitFailed, wantAsked: []string{
				"/api/v1/namespaces/empty" + list, "/api/v1/namespaces/empty/configmaps?fieldSelector=metadata.name%3Dmaze-registry",
				"/api/v1/configmaps?labelSelector=registry.mazeagent.net%2Fregistry%3Dindex",
			},
		},
		"forbidden": {
			args: []string{"-n=secret"}, want: "needs the right to list configmaps in namespace secret", wantCode: exitFailed,
			wantAsked: []string{"/api/v1/namespaces/secret" + list},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			asked = nil
			got := call(t, append([]string{"dag", "check", meeting, "--server", server.URL}, tc.args...)...)
			if got.code != tc.wantCode || !strings.Contains(got.stderr, tc.want) {
				t.Errorf("want exit code %d and %q: %s", tc.wantCode, tc.want, got)
			}
			if diff := cmp.Diff(tc.wantAsked, asked); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
		})
	}
}
