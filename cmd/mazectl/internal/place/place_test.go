package place

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/terminal"
	"github.com/maze-agent/maregister/internal/lint"
	"github.com/maze-agent/maregister/internal/placement"
)

const (
	// t4 and h100 are nodes with a GPU of 15 GiB and two of 79 GiB.
	t4 = `apiVersion: v1
kind: Node
metadata: {name: t4, labels: {pool: t4, nvidia.com/gpu.product: T4, nvidia.com/gpu.memory: "15360", nvidia.com/gpu.replicas: "1"}}
status: {allocatable: {cpu: "8", memory: 30Gi, pods: "110", nvidia.com/gpu: "1"}}
`
	h100 = `apiVersion: v1
kind: Node
metadata: {labels: {pool: h100, nvidia.com/gpu.product: H100, nvidia.com/gpu.memory: "81559", nvidia.com/gpu.replicas: "1"}}
status: {allocatable: {cpu: "96", memory: 900Gi, nvidia.com/gpu: "2"}}
`
	tasks = `apiVersion: registry.mazeagent.net/v1alpha1
kind: MazeTask
metadata: {name: caption}
spec: {name: image_caption, resources: {type: gpu, gpuMemory: 4Gi}}
---
apiVersion: registry.mazeagent.net/v1alpha1
kind: MazeTask
metadata: {name: chat, namespace: language}
spec: {name: chat, resources: {type: gpu, gpuMemory: 40Gi}}
---
apiVersion: registry.mazeagent.net/v1alpha1
kind: MazeTask
metadata: {name: huge}
spec: {name: huge, resources: {type: gpu, gpuMemory: 900Gi}}
---
apiVersion: registry.mazeagent.net/v1alpha1
kind: MazeTask
metadata: {name: refused}
spec: {name: Refused Name}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: other}
`
)

// write writes a file to a folder of the test's, and returns its name.
func write(t *testing.T, content string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "manifest.yaml")
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// TestJudge: what becomes of each task when nodes come and go.
func TestJudge(t *testing.T) {
	cases := map[string]struct {
		nodes, add, drain string
		// want has a line for each task: the change, the verdict, and whether a user has to look at it.
		want        []string
		wantSummary string
	}{
		"as it is": {nodes: t4,
			want:        []string{"caption  True true=false", "chat  False true=true", "huge  False true=true", "refused  False false=true"},
			wantSummary: "4 tasks: 1 placeable, 3 not; 1 node in 1 class"},
		"nodes come": {nodes: t4, add: h100,
			want:        []string{"caption unchanged True true=false", "chat unlocked True true=false", "huge changed False true=true", "refused unchanged False false=true"},
			wantSummary: "4 tasks: 2 placeable, 2 not; 1 unlocked; 2 nodes in 2 classes (1 added, 0 drained)"},
		"nodes go": {nodes: t4 + "---\n" + strings.Replace(h100, "{cpu:", "{pods: 110, cpu:", 1), drain: "pool=h100",
			want:        []string{"caption unchanged True true=false", "chat stranded False true=true", "huge changed False true=true", "refused unchanged False false=true"},
			wantSummary: "4 tasks: 1 placeable, 3 not; 1 stranded; 1 node in 1 class (0 added, 1 drained)"},
		"all nodes go": {nodes: t4, drain: "pool=t4",
			want:        []string{"caption stranded Unknown true=true", "chat changed Unknown true=false", "huge changed Unknown true=false", "refused unchanged False false=true"},
			wantSummary: "4 tasks: 0 placeable, 1 not, 3 unknown; 1 stranded; 0 nodes in 0 classes (0 added, 1 drained)"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			all, nodes := judge(t, tc.nodes, tc.add, tc.drain)
			var got []string
			for _, j := range all {
				placed := "true"
				if verdictOf(&j.After).Placement == nil {
					placed = "false"
				}
				finding := "false"
				if j.IsFinding() {
					finding = "true"
				}
				got = append(got, strings.Join([]string{j.name, string(j.Change), string(j.After.Verdict.Status), placed + "=" + finding}, " "))
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("tasks (-want +got):\n%s", diff)
			}
			if got := Summary(all, nodes); got != tc.wantSummary {
				t.Errorf("summary: want %q, got %q", tc.wantSummary, got)
			}
		})
	}
}

// judge judges the tasks by nodes that are there, come and go.
func judge(t *testing.T, existing, add, drain string) ([]Judged, *Inventories) {
	t.Helper()
	r := &Reader{Note: t.Logf}
	options := InventoryOptions{NodeOptions: NodeOptions{Nodes: write(t, existing)}}
	if add != "" {
		options.Add = []string{write(t, add)}
	}
	if drain != "" {
		options.Drain = &drain
	}
	nodes, err := options.Inventories(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	manifests, errs := r.Read(t.Context(), v1alpha1.SchemeGroupVersion.WithKind("MazeTask"), []string{write(t, tasks)})
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	admission, err := lint.NewAdmission()
	if err != nil {
		t.Fatal(err)
	}
	return Judge(manifests, "vision", admission, &nodes), &nodes
}

// TestTasksThatRequireTheSameAreJudgedOnce: what was found out is shared, and so is a block of the table.
func TestTasksThatRequireTheSameAreJudgedOnce(t *testing.T) {
	admission, err := lint.NewAdmission()
	if err != nil {
		t.Fatal(err)
	}
	r := &Reader{Note: t.Logf}
	manifests, errs := r.Read(t.Context(), v1alpha1.SchemeGroupVersion.WithKind("MazeTask"),
		[]string{write(t, tasks), write(t, strings.ReplaceAll(tasks, "4Gi", "4096Mi"))})
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	nodes := Inventories{after: InventoryOf(placement.DefaultConfig(), Nodes{})}
	all := Judge(manifests, "", admission, &nodes)
	if len(all) != 8 || all[0].Comparison != all[4].Comparison {
		t.Errorf("two tasks that require the same are judged apart")
	}
	if groups := grouped(all, true); len(groups) != 4 {
		t.Errorf("want a block for each requirement, got %d", len(groups))
	}
}

// TestWrite: programs get every task, and the fields that they know.
func TestWrite(t *testing.T) {
	all, _ := judge(t, t4, h100, "")
	for _, output := range Outputs {
		var out bytes.Buffer
		if err := Write(terminal.New(genericiooptions.IOStreams{Out: &out}), output, all); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"caption", "chat", "huge", "refused"} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("-o %s does not tell of %s:\n%s", output, want, out.String())
			}
		}
		if output != outputJSON {
			continue
		}
		var report placeReport
		if err := json.Unmarshal(out.Bytes(), &report); err != nil {
			t.Fatal(err)
		}
		chat := report.Tasks[1]
		if chat.Namespace != "language" || chat.Change != placement.ChangeUnlocked || chat.Before == nil || chat.After.Placement == nil || len(chat.Classes) != 2 {
			t.Errorf("chat is reported as %+v", chat)
		}
		if report.Tasks[3].After.Reason != reasonRefused || report.Tasks[3].Classes == nil {
			t.Errorf("the refused task is reported as %+v", report.Tasks[3])
		}
	}
}

// TestInventoriesRefuse: a verdict by half of the nodes, or by other nodes than those that were meant, would be wrong.
func TestInventoriesRefuse(t *testing.T) {
	empty, wrong := "", "a in"
	for name, tc := range map[string]struct {
		options InventoryOptions
		want    string
	}{
		"an empty selector":         {InventoryOptions{Drain: &empty}, "--drain is empty; give a label selector, such as pool=t4"},
		"no selector":               {InventoryOptions{Drain: &wrong}, `--drain "a in" is not a label selector`},
		"a new node of nothing":     {InventoryOptions{Add: []string{write(t, "apiVersion: v1\nkind: Node\nmetadata: {name: a}\n")}}, "does not say what Pods can have of it"},
		"no nodes":                  {InventoryOptions{NodeOptions: NodeOptions{Nodes: write(t, tasks)}}, "has no Node of v1"},
		"a node that is none":       {InventoryOptions{NodeOptions: NodeOptions{Nodes: write(t, t4+"---\n"+strings.Replace(h100, `"96"`, "many", 1))}}, "Node  cannot be read"},
		"no configuration":          {InventoryOptions{NodeOptions: NodeOptions{Config: "no-such-file"}}, "read --config: open no-such-file"},
		"a configuration with typo": {InventoryOptions{NodeOptions: NodeOptions{Config: write(t, "nodes: Wach\n")}}, "manifest.yaml:1:"},
	} {
		t.Run(name, func(t *testing.T) {
			if tc.options.Nodes == "" {
				tc.options.Nodes = write(t, t4)
			}
			_, err := tc.options.Inventories(t.Context(), &Reader{Note: t.Logf})
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("want an error with %q, got %v", tc.want, err)
			}
		})
	}
}
