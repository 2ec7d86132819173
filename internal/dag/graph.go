package dag

import (
	"github.com/maze-agent/maregister/internal/jsontree"
)

// Graph is a workflow, whichever format it is written in.
type Graph struct {
	// Nodes are in the order of the file. Of several with one id, references mean the first.
	Nodes []*Node
	// Edges are what nodes wait for: a reference or a declared edge each, in the order of the nodes that wait.
	Edges []Edge

	// of is the check that read the workflow.
	of   *checker
	byID map[string]int
	// nodesAt and edgesAt are where the nodes and the declared edges are written. Nil if they are not.
	nodesAt, edgesAt *jsontree.Node
}

// Node is a step of the workflow.
type Node struct {
	// ID is the node's name in the workflow. Empty if it has none.
	ID string
	// Func is the name of the task that it runs. Empty if it has none.
	Func string

	// index is that of Graph.Nodes.
	index                    int
	at, idAt, funcAt, argsAt *jsontree.Node
	arguments                []argument
	byName                   map[string]int
	// outputs are those that the node declares itself, with code of its own. Nil if it does not.
	outputs []string
	ownCode bool
	// garbled says that not all arguments could be read, or are written elsewhere.
	garbled bool
	// names are what else Func may be called, in the order in which they count. They are asked for where Func is no task.
	names []name
}

// name is a name of a task, and where it is written.
type name struct {
	text string
	at   *jsontree.Node
}

// Edge says that a node waits for another one.
type Edge struct {
	// From and To are indexes of Graph.Nodes: To waits for From.
	From, To int
	// Output and Input are the names of what is handed over. Both are empty if the nodes only run one after the other.
	Output, Input string
	// Index is that of the item of the output which is handed over. Negative for the whole output.
	Index int
	// Fit says whether the output can feed the input.
	Fit Fit

	at *jsontree.Node
}

// Fit says whether what a node puts out can be what another one takes.
type Fit string

const (
	// FitUnknown is for what is seen only when the workflow runs.
	FitUnknown Fit = "unknown"
	// FitCompatible is for an output whose every value fits the input.
	FitCompatible Fit = "compatible"
	// FitIncompatible is for an output no value of which fits the input.
	FitIncompatible Fit = "incompatible"
)

// argument is what a node passes for a parameter. It has one of literal, reference and items, or none of them if the value is
// known only when the workflow runs, or if it is left out.
type argument struct {
	name string
	// leftOut says that nothing is passed, unless an edge comes: the parameter is only mentioned.
	leftOut bool
	// instead is what is passed, as JSON, where that is not the text of literal.
	instead   []byte
	at        *jsontree.Node
	literal   *jsontree.Node
	reference *reference
	items     []item
}

// item is one of a list in which there are references.
type item struct {
	literal   *jsontree.Node
	reference *reference
}

// reference is a mention of another node's output.
type reference struct {
	at           *jsontree.Node
	node, output string
	// index is that of an item of the output. Negative for the whole output.
	index int
}

// references returns those of an argument.
func (a *argument) references() []*reference {
	if a.reference != nil {
		return []*reference{a.reference}
	}
	var all []*reference
	for _, i := range a.items {
		if i.reference != nil {
			all = append(all, i.reference)
		}
	}
	return all
}

// find returns the index of the node with an id.
func (g *Graph) find(id string) (int, bool) {
	i, ok := g.byID[id]
	return i, ok
}

// argument returns the argument of a node for a parameter. Nil if there is none.
func (n *Node) argument(name string) *argument {
	if i, ok := n.byName[name]; ok {
		return &n.arguments[i]
	}
	return nil
}

// add adds an argument, or replaces the one of the same name: of several, the last one counts.
func (n *Node) add(a argument) {
	if existing := n.argument(a.name); existing != nil {
		*existing = a
		return
	}
	if n.byName == nil {
		n.byName = map[string]int{}
	}
	n.byName[a.name] = len(n.arguments)
	n.arguments = append(n.arguments, a)
}
