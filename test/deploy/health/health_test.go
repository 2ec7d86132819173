package health

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/maze-agent/maregister/api/v1alpha1"
)

var _ = Describe("A MazeTask's health", func() {
	for name, state := range states {
		Context(name, func() {
			It("has a fixture that is what the operator writes", func(ctx context.Context) {
				s := newStage(ctx)
				state.reached(ctx, s)
				got := normalized(s.task)
				expectFixture(fixtureFile("MazeTask", name), got)
			})

			It("is judged alike by every tool", func(ctx context.Context) {
				fixture, err := readFixture(fixtureFile("MazeTask", name))
				Expect(err).NotTo(HaveOccurred())
				stored := store(ctx, newStage(ctx), fixture)
				expectJudged(ctx, stored, state.want)
			})
		})
	}

	It("is known to Argo CD after the command in docs/gitops.md", func(ctx context.Context) {
		const field = "resource.customizations.health.registry.mazeagent.net_MazeTask"
		s := newStage(ctx)
		there, err := kubectl(ctx, "", "create", "configmap", "argocd-cm", "--namespace", s.namespace, "--from-literal=url=https://argocd.example.com")
		Expect(err).NotTo(HaveOccurred(), there)
		made, err := kubectl(ctx, "", "create", "configmap", "argocd-cm", "--namespace", s.namespace, "--dry-run=client", "--output=yaml",
			"--from-file="+field+"="+filepath.Join(argo("MazeTask"), "health.lua"))
		Expect(err).NotTo(HaveOccurred(), made)
		applied, err := kubectl(ctx, made, "apply", "--server-side", "--field-manager=maregister", "--filename=-")
		Expect(err).NotTo(HaveOccurred(), applied)
		settings := foreignConfigMap(s.namespace)
		settings.Name = "argocd-cm"
		Expect(k8s.Get(ctx, client.ObjectKeyFromObject(settings), settings)).To(Succeed())
		script, err := os.ReadFile(filepath.Join(argo("MazeTask"), "health.lua"))
		Expect(err).NotTo(HaveOccurred())
		Expect(settings.Data).To(Equal(map[string]string{"url": "https://argocd.example.com", field: string(script)}))
	})
})

// store makes the API server have a fixture, and gives it as it is there.
func store(ctx context.Context, s *stage, fixture *unstructured.Unstructured) *unstructured.Unstructured {
	GinkgoHelper()
	var want v1alpha1.MazeTask
	Expect(runtime.DefaultUnstructuredConverter.FromUnstructured(fixture.Object, &want)).To(Succeed())
	s.task = &v1alpha1.MazeTask{ObjectMeta: s.named(want.Name), Spec: want.Spec}
	s.task.Finalizers = want.Finalizers
	edits := want.Generation - 1
	if want.DeletionTimestamp != nil {
		edits-- // a deletion counts as one
	}
	if edits > 0 {
		s.task.Spec.Description = "Is still to be edited."
	}
	s.create(ctx)
	for ; edits > 0; edits-- {
		s.edit(ctx, describe(strings.Repeat("+", int(edits-1))+want.Spec.Description))
	}
	if want.DeletionTimestamp != nil {
		s.remove(ctx)
	}
	s.task.Status = want.Status
	Expect(k8s.Status().Update(ctx, s.task)).To(Succeed())
	Expect(s.task.Generation).To(Equal(want.Generation))
	Expect(s.task.Spec).To(BeComparableTo(want.Spec))
	stored := &unstructured.Unstructured{}
	stored.SetGroupVersionKind(fixture.GroupVersionKind())
	Expect(k8s.Get(ctx, client.ObjectKeyFromObject(s.task), stored)).To(Succeed())
	return stored
}

// TestArgoCDsOwnTest does what Argo CD's repository does with the customizations in it.
func TestArgoCDsOwnTest(t *testing.T) {
	t.Run("MazeTask", func(t *testing.T) { testArgo(t, "MazeTask", len(states)) })
	t.Run("MazeWorkflow", func(t *testing.T) { testArgo(t, "MazeWorkflow", len(workflowStates)) })
}

func testArgo(t *testing.T, kind string, fixtures int) {
	folder := argo(kind)
	content, err := os.ReadFile(filepath.Join(folder, "health_test.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var suite struct {
		Tests []struct {
			HealthStatus argoHealth `json:"healthStatus"`
			InputPath    string     `json:"inputPath"`
		} `json:"tests"`
	}
	if err := yaml.UnmarshalStrict(content, &suite); err != nil {
		t.Fatal(err)
	}
	tested := map[string]bool{}
	for _, test := range suite.Tests {
		tested[filepath.Join(folder, test.InputPath)] = true
		task, err := readFixture(filepath.Join(folder, test.InputPath))
		if err != nil {
			t.Fatal(err)
		}
		got, err := byArgo(task)
		if err != nil {
			t.Fatalf("%s: %v", test.InputPath, err)
		}
		if diff := cmp.Diff(test.HealthStatus, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.InputPath, diff)
		}
	}
	files, err := filepath.Glob(filepath.Join(folder, "testdata", "*.yaml"))
	if err != nil || len(files) != fixtures {
		t.Errorf("%d states have %d fixtures (%v)", fixtures, len(files), err)
	}
	for _, file := range files {
		if !tested[file] {
			t.Errorf("health_test.yaml does not test %s", filepath.Base(file))
		}
	}
}

// expectFixture expects an object to be as its fixture, or writes that anew.
func expectFixture(file string, got *unstructured.Unstructured) {
	GinkgoHelper()
	if *update {
		writeFixture(file, got)
	}
	want, err := readFixture(file)
	Expect(err).NotTo(HaveOccurred())
	Expect(cmp.Diff(want.Object, got.Object)).To(BeEmpty(), "-fixture +operator; go test ./health -update writes it anew")
}

// expectJudged expects every tool to have one verdict on an object.
func expectJudged(ctx context.Context, stored *unstructured.Unstructured, wanted verdict) {
	GinkgoHelper()
	got, want := map[string]verdict{}, map[string]verdict{}
	for tool, judge := range judges {
		verdict, err := judge(ctx, stored)
		Expect(err).NotTo(HaveOccurred(), tool)
		got[tool], want[tool] = verdict, wanted
	}
	Expect(got).To(Equal(want))
}
