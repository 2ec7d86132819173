package workflow

import (
	"fmt"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/finding"
)

// MaxSize bounds what the nodes and edges of a workflow have, in bytes of their texts and arguments. A larger workflow is not valid, and the
// operator keeps nothing of it in memory: so nobody can fill that with a few workflows.
const MaxSize = 256 << 10

// size returns how many bytes the texts and the arguments of a workflow's nodes and edges have.
func size(spec *v1alpha1.MazeWorkflowSpec) int {
	n := 0
	for i := range spec.Nodes {
		node := &spec.Nodes[i]
		n += len(node.ID) + len(node.Func)
		if node.Args != nil {
			n += len(node.Args.Raw)
		}
	}
	for i := range spec.Edges {
		edge := &spec.Edges[i]
		n += len(edge.Source) + len(edge.Target) + len(edge.From) + len(edge.To)
	}
	return n
}

// Kept returns what has to be kept of a workflow's spec, so that [Judge] finds the same: of one that is too large, no node and no edge.
func Kept(spec v1alpha1.MazeWorkflowSpec) v1alpha1.MazeWorkflowSpec {
	if isTooLarge(&spec) {
		return v1alpha1.MazeWorkflowSpec{}
	}
	return spec
}

// isTooLarge reports whether a workflow is too large, or was when [Kept] was asked: the API server takes none without nodes.
func isTooLarge(spec *v1alpha1.MazeWorkflowSpec) bool {
	return len(spec.Nodes) == 0 || size(spec) > MaxSize
}

// CheckSize returns what is wrong with a workflow that is too large. It reports true for one that is not.
func CheckSize(spec *v1alpha1.MazeWorkflowSpec) (finding.Finding, bool) {
	return tooLarge(), !isTooLarge(spec)
}

// tooLarge is what is wrong with a workflow that is too large.
func tooLarge() finding.Finding {
	return finding.Finding{
		Rule: finding.DAGTooLarge, Severity: finding.SeverityError, Pointer: "/spec",
		Message: fmt.Sprintf("the nodes and edges have more than %d KiB, with their arguments: hand large values over as files, or split the workflow",
			MaxSize>>10),
	}
}
