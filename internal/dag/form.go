package dag

import (
	"regexp"
	"slices"
	"strconv"

	"github.com/maze-agent/maregister/internal/finding"
	"github.com/maze-agent/maregister/internal/jsontree"
)

// The values of "schema" by which Maze's own documents are known: what its API takes, what its Workbench exports, what the
// Workbench saves, and an application, which is one command.
const (
	workflowV1      = "maze.workflow/v1"
	workbenchBundle = "maze-playground-bundle"
	workbenchSaved  = "maze-playground-workflow"
	appV1           = "maze.app/v1"
)

// form is one of the forms in which workflows are written. A new one is a value here, and a case in formOf.
type form struct {
	// name is what messages call it.
	name string
	// id is the name of the field with a node's id, and function those of the fields that name its task: the first that is there counts.
	id       string
	function []string
	// arguments is the name of the field with the arguments. Empty if they are not in the workflow.
	arguments string
	// readNode reads what the fields above do not tell.
	readNode func(c *checker, n *Node, fields *jsontree.Node)
	// readArgument reads one argument of an object of them.
	readArgument func(c *checker, n *Node, name string, v *jsontree.Node) argument
	// ports says that an edge without an output and an input is refused, and drawn that edges are only drawn from the arguments.
	ports, drawn bool
	// isID is what an id looks like, and idWords says it.
	isID    *regexp.Regexp
	idWords string
	// known are the fields of a node, and mistaken what is read for others.
	known    []string
	mistaken map[string]string
}

// What else is written for fields of a node.
var (
	argumentsElsewhere = []string{"args", "inputs", "arguments", "params", "parameters", "kwargs"}
	functionElsewhere  = []string{"func", "function", "task", "task_name", "tool"}
	waitsElsewhere     = []string{"depends_on", "dependsOn", "dependencies", "needs"}
)

// mistaken says for fields that a form does not have what is read in their place: nothing where edges are.
func mistaken(arguments, function string) map[string]string {
	all := map[string]string{}
	for _, field := range argumentsElsewhere {
		all[field] = "arguments are in " + strconv.Quote(arguments)
	}
	for _, field := range functionElsewhere {
		all[field] = "the name of the task is in " + strconv.Quote(function)
	}
	for _, field := range waitsElsewhere {
		all[field] = "a node waits for those that its arguments refer to, and for those that edges come from"
	}
	return all
}

// withSettings adds what else is written for what Maze's nodes say of retries and times.
func withSettings(all map[string]string) map[string]string {
	for _, field := range []string{"attempts", "max_attempts", "maxRetries", "max_retry", "retries", "retry", "retryPolicy", "retry_policy", "num_retries"} {
		all[field] = `how often it is tried again is in "max_retries"`
	}
	for _, field := range []string{"backoff", "retryDelay", "retry_backoff", "retry_delay", "retry_interval"} {
		all[field] = `how long it waits before it is tried again is in "retry_backoff_seconds"`
	}
	for _, field := range []string{"deadline", "timeout", "timeoutSeconds", "timeout_s", "timeout_sec"} {
		all[field] = `how long it may take is in "timeout_seconds"`
	}
	return all
}

var (
	anyID  = regexp.MustCompile(`^[A-Za-z0-9_-]{1,128}$`)
	mazeID = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]{0,127}$`)
)

const (
	anyIDWords  = `1 to 128 ASCII letters, digits, "_" and "-"`
	mazeIDWords = `up to 128 ASCII letters, digits, "_" and "-", and begins with a letter or "_"`
)

// The forms that are read.
var (
	// described is that of Maze's description.
	described = form{
		name: "Maze's description", id: "id", function: []string{"func"}, arguments: "args", readArgument: (*checker).describedArgument,
		isID: anyID, idWords: anyIDWords, known: []string{"id", "func", "args"}, mistaken: mistaken("args", "func"),
	}
	// mazeV1 is what Maze's API takes. Its rules are those of maze/core/workflow/dag_spec.py in Maze's repository.
	mazeV1 = form{
		name: workflowV1, id: "id", function: []string{"task_name", "name", "id"}, arguments: "inputs",
		readNode: (*checker).readMazeNode, readArgument: (*checker).mazeArgument, ports: true,
		isID: mazeID, idWords: mazeIDWords,
		known: []string{"id", "type", "task_name", "name", "inputs", "outputs", "code", "code_str", "code_ser", "task_kind", "resources", "file_context",
			"model_anchor", "max_retries", "retry_backoff_seconds", "retry_on", "timeout_seconds", "metadata", "fallback", "fallback_policy"},
		mistaken: withSettings(mistaken("inputs", "task_name")),
	}
	// workbench is what Maze's editor saves and exports: web/maze_playground in Maze's repository. What a node runs is in its "data".
	workbench = form{
		name: "Maze's Workbench", id: "id", readNode: (*checker).readWorkbenchNode, ports: true, drawn: true, isID: mazeID, idWords: mazeIDWords,
	}
	// agentos is that of the folders src/agentos/workflows in Maze's branch "dag": a node is the name of a task, and what the
	// tasks hand to each other is in their code.
	agentos = form{
		name: "agentos", id: "task", function: []string{"task"}, isID: anyID, idWords: anyIDWords, known: []string{"task"},
		mistaken: map[string]string{},
	}
	// submitted is what Maze's agent sent to its scheduler in October 2025: "tasks" by id, beside a graph by networkx.
	submitted = form{
		name: "Maze's agent", id: "id", readNode: (*checker).readSubmittedNode, arguments: "inputs", readArgument: (*checker).describedArgument,
		isID: anyID, idWords: anyIDWords,
		known:    []string{"name", "inputs", "resources", "meta", "serialized_func", "file_paths"},
		mistaken: map[string]string{},
	}
)

// ownCode are the fields of Maze's nodes that bring the function along.
var ownCode = []string{"code", "code_str", "code_ser"}

// hasAny reports whether an object has one of some members.
func hasAny(v *jsontree.Node, names []string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return v.Member(name) != nil })
}

// formOf returns the form of a workflow that has nodes. Maze takes its own without "schema", too. Nil if no node tells.
func (c *checker) formOf(nodes *jsontree.Node) *form {
	schema := c.schema()
	if schema != nil {
		switch c.text(schema) {
		case workflowV1:
			if isDescribed(nodes) {
				c.report(finding.MalformedDAG, schema, nil, `the nodes are not written as %q has them: leave "schema" out, or write "task_name" and "inputs" instead of `+
					`"func" and "args"`, workflowV1)
				return &described
			}
			return &mazeV1
		case workbenchBundle, workbenchSaved:
			return &workbench
		}
		c.report(finding.MalformedDAG, schema, nil, `the schema %s is not known; write %q, or leave "schema" out for nodes with "func" and "args"`,
			c.quote(schema), workflowV1)
	}
	for _, node := range nodes.Children {
		if f := formOfNode(node); f != nil {
			return f
		}
	}
	if schema != nil {
		return &mazeV1
	}
	return nil
}

// schema returns the "schema" of the workflow, or else of the nearest object around it that has one. Nil if there is none.
func (c *checker) schema() *jsontree.Node {
	for v := c.workflow; v != nil; v = v.Parent {
		if schema := v.Member("schema"); schema != nil && schema.Kind != jsontree.Null {
			return schema
		}
	}
	return nil
}

// isDescribed reports whether nodes are those of Maze's description, and none of them is one of Maze's own format.
func isDescribed(nodes *jsontree.Node) bool {
	some := false
	for _, node := range nodes.Children {
		if hasAny(node, []string{"task_name", "name", "inputs"}) || hasAny(node, ownCode) {
			return false
		}
		some = some || hasAny(node, []string{"func", "args"})
	}
	return some
}

// formOfNode returns the form of a workflow by one of its nodes. Nil if that does not tell.
func formOfNode(node *jsontree.Node) *form {
	data := node.Member("data")
	switch {
	case hasAny(node, []string{"func", "args"}):
		return &described
	case hasAny(node, []string{"task_name", "inputs"}), hasAny(node, ownCode):
		return &mazeV1
	case data != nil && (hasAny(data, []string{"functionName", "taskRef", "taskPath", "customCode", "sourceKey"}) ||
		data.Member("category") != nil && data.Member("inputs") != nil):
		return &workbench
	case data != nil && hasAny(data, []string{"func", "args"}):
		return &described
	case node.Member("id") == nil && node.Member("task") != nil:
		return &agentos
	}
	return nil
}

// fieldsOf returns the object that has a node's fields: the node, or what an editor keeps in its "data".
func (f *form) fieldsOf(node *jsontree.Node) *jsontree.Node {
	if data := node.Member("data"); f == &described && data != nil && !hasAny(node, []string{"func", "args"}) && hasAny(data, []string{"func", "args"}) {
		return data
	}
	return node
}

// isMazes reports whether a document says by its "schema" that it is one of Maze's.
func (c *checker) isMazes() bool {
	return slices.Contains([]string{workflowV1, workbenchBundle, workbenchSaved}, c.text(c.schema()))
}
