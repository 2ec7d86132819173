package integration

import (
	"context"
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/maze-agent/maregister/api/v1alpha1"
)

// newWorkflow returns a workflow of one node, which has no arguments.
func newWorkflow(namespace, name, function string) *v1alpha1.MazeWorkflow {
	return &v1alpha1.MazeWorkflow{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec:       v1alpha1.MazeWorkflowSpec{Nodes: []v1alpha1.WorkflowNode{{ID: "t1", Func: function}}},
	}
}

var _ = Describe("Admission of workflows", func() {
	dry := func(ctx context.Context, workflow *v1alpha1.MazeWorkflow) error {
		return k8s.Create(ctx, workflow, client.DryRunAll)
	}

	DescribeTable("what the API server takes", func(ctx context.Context, edit func(*v1alpha1.MazeWorkflowSpec)) {
		workflow := newWorkflow("default", "w", "caption")
		edit(&workflow.Spec)
		Expect(dry(ctx, workflow)).To(Succeed())
	},
		Entry("one node", func(*v1alpha1.MazeWorkflowSpec) {}),
		Entry("arguments of any kind", func(s *v1alpha1.MazeWorkflowSpec) {
			s.Nodes[0].Args = schemaOf(`{"a": null, "b": [1, {"c": "t1.output.x"}], "d": {"e": {}}}`)
		}),
		Entry("edges of either form", func(s *v1alpha1.MazeWorkflowSpec) {
			s.Edges = []v1alpha1.WorkflowEdge{{Source: "t1", Target: "t2"}, {From: "t1", To: "t2"}, {From: "t1.text", To: "t2.text"}}
		}),
		Entry("as many nodes and edges as there may be", func(s *v1alpha1.MazeWorkflowSpec) {
			for i := range 1999 {
				s.Nodes = append(s.Nodes, v1alpha1.WorkflowNode{ID: fmt.Sprintf("n%d", i), Func: "caption"})
			}
			for i := range 8000 {
				s.Edges = append(s.Edges, v1alpha1.WorkflowEdge{Source: "t1", Target: fmt.Sprintf("n%d", i%1999)})
			}
		}),
	)

	DescribeTable("what the API server refuses", func(ctx context.Context, edit func(*v1alpha1.MazeWorkflowSpec), want string) {
		workflow := newWorkflow("default", "w", "caption")
		edit(&workflow.Spec)
		err := dry(ctx, workflow)
		Expect(apierrors.IsInvalid(err)).To(BeTrue(), "%v", err)
		Expect(err).To(MatchError(ContainSubstring(want)))
	},
		Entry("no node", func(s *v1alpha1.MazeWorkflowSpec) { s.Nodes, s.Description = nil, "none" }, "spec.nodes: Required value"),
		Entry("a node without a task", func(s *v1alpha1.MazeWorkflowSpec) { s.Nodes[0].Func = "" }, "spec.nodes[0].func: Required value"),
		Entry("an id of other characters", func(s *v1alpha1.MazeWorkflowSpec) { s.Nodes[0].ID = "t 1" }, "so that others can refer to it"),
		Entry("two nodes of one id", func(s *v1alpha1.MazeWorkflowSpec) { s.Nodes = append(s.Nodes, s.Nodes[0]) }, "Duplicate value"),
		Entry("a name that no task can have", func(s *v1alpha1.MazeWorkflowSpec) { s.Nodes[0].Func = "caption!" }, "must be the spec.name of a MazeTask"),
		Entry("arguments that are a list", func(s *v1alpha1.MazeWorkflowSpec) { s.Nodes[0].Args = schemaOf(`[1]`) }, "must be of type object"),
		Entry("an edge that leads nowhere", func(s *v1alpha1.MazeWorkflowSpec) {
			s.Edges = []v1alpha1.WorkflowEdge{{Source: "t1"}}
		}, "an edge has source and target"),
		Entry("an edge of two forms", func(s *v1alpha1.MazeWorkflowSpec) {
			s.Edges = []v1alpha1.WorkflowEdge{{Source: "t1", Target: "t2", From: "t1.a", To: "t2.b"}}
		}, "an edge has source and target"),
		Entry("a node that waits for itself", func(s *v1alpha1.MazeWorkflowSpec) {
			s.Edges = []v1alpha1.WorkflowEdge{{Source: "t1", Target: "t1"}}
		}, "a node cannot wait for itself"),
		Entry("an edge from an output to a node", func(s *v1alpha1.MazeWorkflowSpec) {
			s.Edges = []v1alpha1.WorkflowEdge{{From: "t1.text", To: "t2"}}
		}, "from and to are both written node.port"),
		Entry("too long a description", func(s *v1alpha1.MazeWorkflowSpec) { s.Description = strings.Repeat("x", 16385) }, "Too long"),
	)
})
