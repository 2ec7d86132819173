package placement

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestCompare says what becomes of a task when nodes come and go.
func TestCompare(t *testing.T) {
	const (
		tooSmall = "needs 40960Mi on one GPU, has 15360Mi, and one GPU on a node: short 25600Mi"
		cordoned = "takes no Pods now: cordoned or not ready"
	)
	t4 := gpuNode("T4", 15360, gpus(1))
	cordonedNode := func(n *corev1.Node) { n.Spec.Unschedulable = true }
	cases := map[string]struct {
		before, after []*corev1.Node
		task          string
		want          Change
		wantStatuses  [2]metav1.ConditionStatus
		wantHint      string
		wantClasses   []ClassFit
	}{
		"a pool unlocks": {
			before: some(t4), after: some(t4, a100()), task: `{type: gpu, gpuMemory: 40Gi}`,
			want: ChangeUnlocked, wantStatuses: [2]metav1.ConditionStatus{"False", "True"},
			wantClasses: []ClassFit{
				{Name: "A100", Nodes: 1, Before: &ClassBefore{}},
				{Name: "T4", Nodes: 1, Why: tooSmall, Before: &ClassBefore{Nodes: 1, Why: tooSmall}},
			},
		},
		"a pool that goes strands": {
			before: some(t4, a100(), a100()), after: some(t4), task: `{type: gpu, gpuMemory: 40Gi}`,
			want: ChangeStranded, wantStatuses: [2]metav1.ConditionStatus{"True", "False"},
			wantClasses: []ClassFit{
				{Name: "T4", Nodes: 1, Why: tooSmall, Before: &ClassBefore{Nodes: 1, Why: tooSmall}},
				{Name: "A100", Why: noneLeft, Before: &ClassBefore{Nodes: 2}},
			},
		},
		"the last GPUs that go strand, too": {
			before: some(t4, cpuNode()), after: some(cpuNode()), task: `{type: gpu}`,
			want: ChangeStranded, wantStatuses: [2]metav1.ConditionStatus{"True", "Unknown"},
			wantHint: "none of the nodes has a GPU; the placement asks for one nvidia.com/gpu of any size, and kube-scheduler judges. " +
				"If GPU nodes are added on demand, describe them by a profile in the operator's configuration",
			wantClasses: []ClassFit{
				{Name: "without GPU", Nodes: 1, Why: "has no GPU", Before: &ClassBefore{Nodes: 1, Why: "has no GPU"}},
				{Name: "T4", Why: noneLeft, Before: &ClassBefore{Nodes: 1}},
			},
		},
		"larger GPUs move": {
			before: some(h100()), after: some(h100(), a100()), task: `{type: gpu, gpuMemory: 80Gi}`,
			want: ChangeMoved, wantStatuses: [2]metav1.ConditionStatus{"True", "True"},
			wantHint: "short 361Mi of one H100; 79Gi or 80G would fit one",
			wantClasses: []ClassFit{
				{Name: "A100", Nodes: 1, Before: &ClassBefore{}},
				{Name: "H100", Nodes: 1, Why: "would take 2 nvidia.com/gpu, and the placement takes the fewest: one nvidia.com/gpu with 81920Mi; short 361Mi; 79Gi or 80G would fit one", Before: &ClassBefore{Nodes: 1}},
			},
		},
		"a near miss is a hint": {
			before: some(a100(), h100()), after: some(h100()), task: `{type: gpu, gpuMemory: 80Gi}`,
			want: ChangeMoved, wantStatuses: [2]metav1.ConditionStatus{"True", "True"},
			wantHint: "short 361Mi of one H100; 79Gi or 80G would fit one",
			wantClasses: []ClassFit{
				{Name: "H100", Nodes: 1, Before: &ClassBefore{Nodes: 1, Why: "would take 2 nvidia.com/gpu, and the placement takes the fewest: one nvidia.com/gpu with 81920Mi; short 361Mi; 79Gi or 80G would fit one"}},
				{Name: "A100", Why: noneLeft, Before: &ClassBefore{Nodes: 1}},
			},
		},
		"GPUs that are too small change the verdict": {
			before: some(cpuNode()), after: some(cpuNode(), t4), task: `{type: gpu, gpuMemory: 40Gi}`,
			want: ChangeJudged, wantStatuses: [2]metav1.ConditionStatus{"Unknown", "False"},
			wantClasses: []ClassFit{
				{Name: "T4", Nodes: 1, Why: tooSmall, Before: &ClassBefore{}},
				{Name: "without GPU", Nodes: 1, Why: "has no GPU", Before: &ClassBefore{Nodes: 1, Why: "has no GPU"}},
			},
		},
		"more nodes of a class change nothing": {
			before: some(t4), after: times(3, t4), task: `{type: gpu}`,
			want: ChangeNone, wantStatuses: [2]metav1.ConditionStatus{"True", "True"},
			wantClasses: []ClassFit{{Name: "T4", Nodes: 3, Before: &ClassBefore{Nodes: 1}}},
		},
		"classes that read the same are one": {
			before: some(cpuNode(), cpuNode(cpu("32"))), after: some(cpuNode(), cpuNode(cpu("32")), cpuNode(cpu("16"), cordonedNode)), task: `{}`,
			want: ChangeNone, wantStatuses: [2]metav1.ConditionStatus{"True", "True"},
			wantClasses: []ClassFit{
				{Name: "without GPU", Nodes: 1, Unavailable: 1, Why: cordoned, Before: &ClassBefore{}},
				{Name: "without GPU", Nodes: 2, Before: &ClassBefore{Nodes: 2}},
			},
		},
		"a missing label is a hint": {
			before: some(gpuNode("T4", 0, noLabels())), after: some(gpuNode("T4", 0, noLabels())), task: `{type: gpu, gpuMemory: 4Gi}`,
			want: ChangeNone, wantStatuses: [2]metav1.ConditionStatus{"Unknown", "Unknown"},
			wantHint: "some GPU nodes do not say how much memory a GPU has: run GPU Feature Discovery on them, " +
				"or describe them by a profile in the operator's configuration",
			wantClasses: []ClassFit{{
				Name: "nvidia.com/gpu", Nodes: 1, Why: "MemoryLabelMissing: it has no label nvidia.com/gpu.memory",
				Before: &ClassBefore{Nodes: 1, Why: "MemoryLabelMissing: it has no label nvidia.com/gpu.memory"},
			}},
		},
		"no nodes": {
			task: `{}`, want: ChangeNone, wantStatuses: [2]metav1.ConditionStatus{"Unknown", "Unknown"},
			wantHint: "no nodes are known; kube-scheduler judges by the placement",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			resources, refused := admit(t, tc.task)
			if refused != "" {
				t.Fatal(refused)
			}
			before, after := inventory(nil, tc.before...), inventory(nil, tc.after...)
			got := Compare(RequirementOf(resources), before, after)
			if got.Change != tc.want {
				t.Errorf("change %q, want %q", got.Change, tc.want)
			}
			statuses := [2]metav1.ConditionStatus{got.Before.Verdict.Status, got.After.Verdict.Status}
			if diff := cmp.Diff(tc.wantStatuses, statuses); diff != "" {
				t.Errorf("statuses (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.wantHint, got.Hint); diff != "" {
				t.Errorf("hint (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.wantClasses, got.Classes); diff != "" {
				t.Errorf("classes (-want +got):\n%s", diff)
			}

			alone := Compare(RequirementOf(resources), nil, after)
			if alone.Before != nil || alone.Change != "" {
				t.Errorf("with nothing to compare with: before %v, change %q", alone.Before, alone.Change)
			}
			for _, class := range alone.Classes {
				if class.Before != nil || class.Nodes == 0 {
					t.Errorf("with nothing to compare with: class %+v", class)
				}
			}
			if diff := cmp.Diff(got.After, alone.After); diff != "" {
				t.Errorf("with nothing to compare with (-compared +alone):\n%s", diff)
			}
		})
	}
}
