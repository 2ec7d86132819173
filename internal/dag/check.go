package dag

import (
	"slices"

	"github.com/maze-agent/maregister/internal/finding"
	"github.com/maze-agent/maregister/internal/jsontree"
)

// Target says what is to run a workflow, and so what else it has to keep.
type Target string

const (
	// TargetAuto is Maze for a workflow whose "schema" is one of Maze's, and the registry for others.
	TargetAuto Target = "auto"
	// TargetMaze is for Maze itself, which runs only code that nodes bring along. What it refuses, or cannot run, is reported.
	TargetMaze Target = "maze"
	// TargetRegistry is for a scheduler that runs the tasks of a registry.
	TargetRegistry Target = "registry"
	// TargetCompiled is for Maze, once the workflow is compiled: what cannot be is reported. It is what "dag compile" checks for.
	TargetCompiled Target = "compiled"
)

// Targets are those that a check may be asked for, the default first.
var Targets = []Target{TargetAuto, TargetMaze, TargetRegistry}

// Options say how to check.
type Options struct {
	// Target is what is to run the workflow. The zero value is TargetAuto.
	Target Target
	// GPUMemory is what a task of the type gpu that does not say needs of GPU memory, in MiB, for TargetCompiled. 0 has it reported.
	GPUMemory int64
	// ReadCode returns a reader for the code of a workflow's nodes, which is looked at where Maze's rules count. Nil: code is not looked
	// at, as by whoever checks for TargetRegistry alone.
	ReadCode func() CodeReader
}

// CodeReader looks at the Python code that the nodes of one workflow bring along.
type CodeReader interface {
	// Fault returns why code surely fails in Maze. Empty if it need not, or if there is too much of it. wanted is the name of the
	// function that is meant.
	Fault(code, wanted string) string
}

// Check reads a workflow and judges it by the tasks that there are. file is what findings call it. The graph has all that could
// be read; it is never nil. Of a file with several workflows, see [Read].
func Check(file string, content []byte, tasks *Tasks, options Options) (*Graph, []finding.Finding) {
	return NewDocument(file, content).Check(tasks, options)
}

// Check judges the workflow by the tasks that there are. The graph has all that could be read; it is never nil. Each place where a cause shows
// is a finding: what is told to a person goes through finding.Join before.
func (d *Document) Check(tasks *Tasks, options Options) (*Graph, []finding.Finding) {
	c := d.checker(tasks, options)
	if c.root != nil {
		c.read()
		for _, step := range steps {
			step(c)
		}
	}
	c.countAlike()
	c.tellLeftOut()
	return c.graph, d.Place(finding.Sort(c.found))
}

// checker returns a check of the document, with what was found when it was parsed.
func (d *Document) checker(tasks *Tasks, options Options) *checker {
	d.parse()
	c := &checker{
		document: *d.tree, found: slices.Clone(d.found), isObject: d.IsObject(), above: d.above,
		file: d.File, tasks: tasks, options: options, guesses: maxGuesses, graph: &Graph{byID: map[string]int{}},
	}
	c.graph.of = c
	return c
}

// steps are what is judged once the graph is read.
var steps = []func(*checker){
	// What is given twice is probably a mistake.
	(*checker).reportDuplicates,
	// What names the task that a node runs has to be known.
	(*checker).checkFunctions,
	// What a reference mentions has to be there, and to be able to feed what it is wired to.
	(*checker).checkReferences,
	// What a node passes has to be what its task takes.
	(*checker).checkArguments,
	// What waits for itself never starts, and neither does what waits for that.
	(*checker).checkOrder,
	// What looks like a reference and is none is probably a mistake.
	(*checker).reportDoubts,
	// What is to run the workflow may have rules of its own.
	(*checker).checkTarget,
}

// checker is one check of one workflow.
type checker struct {
	document
	file string
	// isYAML says that the text is YAML if it is no JSON.
	isYAML bool
	// isObject says that it is a MazeWorkflow, of which the API server makes what a task gets.
	isObject bool
	// above is the pointer to the workflow in its document.
	above   string
	tasks   *Tasks
	options Options
	graph   *Graph
	// form is the form that the workflow is written in. Nil if it is not known.
	form *form
	// workflow is the object with the nodes, within the document.
	workflow *jsontree.Node
	// order are the edges that hand nothing over.
	order []Edge
	// finals are the references of the workflow's own outputs.
	finals []*reference
	doubts []doubt
	// found are the findings that are told, and leftOut is how many more there are.
	found   []finding.Finding
	leftOut int
	// causes are those that many findings may have in common.
	causes map[string]*alike
	allIDs []string
	// guesses is how much more may be compared with what may be meant.
	guesses int
}
