package compile

import (
	_ "embed" // the code
	"slices"
	"strconv"
	"strings"

	"github.com/maze-agent/maregister/internal/dag"
	"github.com/maze-agent/maregister/internal/schema"
)

//go:embed shim.py
var shim string

// The code before and behind the plan, without the comment above the function.
var (
	_, function, _            = strings.Cut(shim, "\ndef ")
	beforePlan, behindPlan, _ = strings.Cut("def "+function, "PLAN")
)

// plan is what the code of a node does not have in common with that of others.
type plan struct {
	// Function is the task's entry point, Path are folders to import it from, and Model is the name of its model, or nil.
	Function string   `json:"function"`
	Path     []string `json:"path"`
	Model    *string  `json:"model"`
	// Arguments are those of the function.
	Arguments []passed `json:"arguments"`
	// Only is the output that the task declares, if that is one: what is returned is its value. Nil otherwise.
	Only *string `json:"only"`
	// Needed are the outputs that have to be returned: those that are required, and those that other nodes wait for.
	Needed []string `json:"needed"`
	// None are outputs that only Maze needs, and whose value is None.
	None []string `json:"none"`
	// Paths are where outputs are paths of files and folders.
	Paths []schema.Place `json:"paths"`
}

// code returns the code of a node. A JSON text that Go has quoted is a text of Python's, too.
func code(p plan) string {
	return beforePlan + strconv.Quote(string(encoded(p))) + behindPlan
}

// done is the output of a node that has none: Maze needs one.
const done = "done"

// plan returns the plan of a node.
func (w *writer) plan(step *dag.Step, known *outline, arguments []passed) plan {
	p := plan{
		Function: step.Task.EntryPoint, Path: append([]string{}, w.options.PythonPath...), Model: step.Task.Resources.ModelName,
		Arguments: append([]passed{}, arguments...), Needed: sorted(known.required, step.Used), None: []string{},
		Paths: append([]schema.Place{}, known.paths...),
	}
	if len(known.declared) == 1 {
		p.Only = &known.declared[0]
	}
	if len(known.outputs)+len(step.Used)+len(step.Outputs) == 0 {
		p.None = append(p.None, done)
	}
	return p
}

// outputs returns the names of a node's outputs: those that its task declares, or else those that somebody names. There is one at least.
func (w *writer) outputs(step *dag.Step) []string {
	names := sorted(step.Outputs, step.Used)
	if !step.Code {
		if declared := w.outline(step).outputs; len(declared) > 0 {
			names = declared
		}
	}
	if len(names) == 0 {
		names = []string{done}
	}
	return names
}

// outline is what of a task's parameters decides about its code.
type outline struct {
	// inputs and results are what it takes and puts out. Nil if the schema cannot be read.
	inputs, results *schema.Parameters
	defaults        []schema.Default
	// outputs are the names of all outputs, and declared of those that are not under conditions.
	outputs, declared, required []string
	paths                       []schema.Place
}

// outline returns what is known of a node's task.
func (w *writer) outline(step *dag.Step) *outline {
	if known := w.outlines[step.Func]; known != nil {
		return known
	}
	known := &outline{}
	if p := parameters(step.Task.Input, step.Task.InputSchema); p != nil {
		known.inputs, known.defaults = p, p.Defaults()
	}
	if p := parameters(step.Task.Output, step.Task.OutputSchema); p != nil {
		known.results, known.outputs, known.declared, known.required = p, p.Names(), p.Declared(), p.Required()
		known.paths = p.Places("filepath", "folderpath")
	}
	w.outlines[step.Func] = known
	return known
}

// parameters opens a schema. Nil if there is none, or it cannot be read: Check says so.
func parameters(text []byte, judged *schema.Schema) *schema.Parameters {
	var p *schema.Parameters
	var err error
	switch {
	case judged != nil:
		p, err = judged.Parameters()
	case len(text) > 0:
		p, err = schema.Open(text)
	}
	if err != nil {
		return nil
	}
	return p
}

// sorted returns the names of two lists, each once.
func sorted(a, b []string) []string {
	all := append(append([]string{}, a...), b...)
	slices.Sort(all)
	return slices.Compact(all)
}
