package dag

import (
	"fmt"
	"maps"
	"slices"

	"github.com/maze-agent/maregister/internal/registry"
	"github.com/maze-agent/maregister/internal/schema"
)

// Task is what a check needs to know of a task.
type Task struct {
	// Input and Output are the parameters as normalised JSON Schemas, as an entry's schema.input and schema.output have them.
	Input, Output []byte
	// InputSchema and OutputSchema are those of Input and Output where they are judged already, so that they are not judged again.
	// Nil for those of which only the text is known.
	InputSchema, OutputSchema *schema.Schema
	// Refused says where a task is that cannot be used, and why: "t.yaml:3:1, and is left out: MZ121". Empty for one that can.
	Refused string
	// Unplaceable says why no node of the cluster can host the task. Empty if one can, or nobody asked.
	Unplaceable string
	// Deprecated says why the task should no longer be used. Nil for one that is here to stay.
	Deprecated *registry.Deprecation
	Execution
}

// Execution is how a task is run, as far as Maze itself has a field for it. A workflow is compiled by it; for a check, it may be absent.
type Execution struct {
	// EntryPoint is how the function is imported: "package.module:function". Empty if the task does not say.
	EntryPoint string
	// Resources are what a run needs.
	Resources registry.TaskResources
	// GPUs is how many the task's placement has. 0 if that is not known.
	GPUs int32
	// Run is how long a run may take, and what follows a failure.
	Run RunOptions
}

// RunOptions are what Maze has for a node. What is nil is left to Maze.
type RunOptions struct {
	TimeoutSeconds, RetryBackoffSeconds *float64
	MaxRetries                          *int32
	// RetryOn are kinds of errors, in Maze's words.
	RetryOn []string
}

// Tasks are the tasks that workflows are checked against. It is not safe for concurrent use.
type Tasks struct {
	byName map[string]Task
	names  []string
	// whereNone begins with a semicolon, and says what to do where there are no tasks at all. Empty for nothing.
	whereNone string
	// some reports whether there are other tasks, too.
	some bool
	// opened are some schemas by their text: many tasks have equal ones, and a node is looked at more than once.
	opened map[string]*schema.Parameters
	fits   map[[2]string]fit
}

// maxOpened is how many schemas are kept open. An open one takes ten times the memory of its text.
const maxOpened = 2_000

// NewTasks takes the tasks by name.
func NewTasks(all map[string]Task) *Tasks {
	return &Tasks{
		byName: all, names: slices.Sorted(maps.Keys(all)), opened: map[string]*schema.Parameters{}, fits: map[[2]string]fit{},
	}
}

// WhereNone sets what findings advise where there are no tasks at all: only who took them knows where they should be. It returns the tasks.
func (t *Tasks) WhereNone(advice string) *Tasks {
	if advice != "" {
		t.whereNone = "; " + advice
	}
	return t
}

// SomeTasks takes the tasks that a workflow uses, of those that there are. So no verdict depends on the others: a name that was meant, and
// is that of another task, is not guessed.
func SomeTasks(all map[string]Task) *Tasks {
	t := NewTasks(all)
	t.some, t.names = true, nil
	return t
}

// Len is the number of tasks.
func (t *Tasks) Len() int { return len(t.names) }

// open returns the parameters of a schema, given by its text. judged is the schema itself if it is judged already, and may be nil.
func (t *Tasks) open(text []byte, judged *schema.Schema) (p *schema.Parameters, err error) {
	if p, ok := t.opened[string(text)]; ok {
		return p, nil
	}
	if judged != nil {
		p, err = judged.Parameters()
	} else {
		p, err = schema.Open(text)
	}
	if err != nil {
		return nil, fmt.Errorf("the schema in the registry cannot be used: %w", err)
	}
	if len(t.opened) >= maxOpened {
		clear(t.opened)
	}
	t.opened[string(text)] = p
	return p, nil
}

// fit is what is known of an output and an input.
type fit struct {
	verdict Fit
	why     string
}

// feeds returns whether an output can feed an input. key names the pair, to work it out once.
func (t *Tasks) feeds(key [2]string, from, to schema.Part) fit {
	if known, ok := t.fits[key]; ok {
		return known
	}
	verdict := fit{verdict: FitUnknown}
	switch schema.Feeds(from, to) {
	case schema.Compatible:
		verdict.verdict = FitCompatible
	case schema.Incompatible:
		verdict = fit{FitIncompatible, schema.Explain(from, to)}
	}
	t.fits[key] = verdict
	return verdict
}
