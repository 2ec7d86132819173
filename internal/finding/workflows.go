package finding

// Codes of the rules of workflows.
const (
	MalformedDAG       = "MZ201"
	DAGTooLarge        = "MZ202"
	UnknownDAGField    = "MZ203"
	InvalidNodeID      = "MZ204"
	DuplicateNodeID    = "MZ205"
	UnknownFunc        = "MZ206"
	UnknownArgument    = "MZ207"
	MissingArgument    = "MZ208"
	InvalidArgument    = "MZ209"
	UnknownNode        = "MZ210"
	UnknownOutput      = "MZ211"
	IncompatibleEdge   = "MZ212"
	Cycle              = "MZ213"
	UnreachableNode    = "MZ214"
	UnplaceableNode    = "MZ215"
	ArgumentGivenTwice = "MZ216"
	DoubtfulReference  = "MZ217"
	UnregisteredCode   = "MZ218"
	MissingCode        = "MZ219"
	InvalidOutputs     = "MZ220"
	InvalidRunInput    = "MZ221"
	InvalidResources   = "MZ222"
	InvalidSetting     = "MZ223"
	UnorderedReference = "MZ224"
	UnrunnableCode     = "MZ225"
	MisreadValue       = "MZ226"
	NoEntryPoint       = "MZ227"
	SeveralGPUs        = "MZ228"
	DeprecatedTask     = "MZ229"
)

// ofWorkflows are the rules of workflows: DAGs of tasks.
var ofWorkflows = []Rule{
	newRule(MalformedDAG, "malformed-dag", SeverityError, "A workflow is not JSON, or not in one of the formats that Maze reads."),
	newRule(DAGTooLarge, "dag-too-large", SeverityError, "A workflow is larger than anything that reads it allows."),
	newRule(UnknownDAGField, "unknown-dag-field", SeverityWarning, "A workflow, a node or an edge has a field that nothing reads, probably meant as another one."),
	newRule(InvalidNodeID, "invalid-node-id", SeverityError, "The id of a node cannot be used in a reference."),
	newRule(DuplicateNodeID, "duplicate-node-id", SeverityError, "Two nodes of a workflow have one id."),
	newRule(UnknownFunc, "unknown-func", SeverityError, "A node runs a task that is not registered."),
	newRule(UnknownArgument, "unknown-argument", SeverityError, "A node passes an argument that its task does not take."),
	newRule(MissingArgument, "missing-argument", SeverityError, "A node does not pass an argument that its task requires."),
	newRule(InvalidArgument, "invalid-argument", SeverityError, "The value of an argument does not fit the input schema of the task."),
	newRule(UnknownNode, "unknown-node", SeverityError, "A reference or an edge names a node that the workflow does not have."),
	newRule(UnknownOutput, "unknown-output", SeverityError, "A reference names an output that the task of the node does not have."),
	newRule(IncompatibleEdge, "incompatible-edge", SeverityError, "No value of an output fits the argument that it is wired to."),
	newRule(Cycle, "cycle", SeverityError, "Nodes of a workflow wait for each other in a circle."),
	newRule(UnreachableNode, "unreachable-node", SeverityError, "A node waits for something that never ends."),
	newRule(UnplaceableNode, "unplaceable-node", SeverityError, "No node of the cluster can host the task of a workflow's node now."),
	newRule(ArgumentGivenTwice, "argument-given-twice", SeverityError, "An argument gets a value from an edge, and another one."),
	newRule(DoubtfulReference, "doubtful-reference", SeverityWarning, "A text mentions an output of a node and is not a reference."),
	newRule(UnregisteredCode, "unregistered-code", SeverityWarning, "A node brings its own code, and no task of its name is registered."),
	newRule(MissingCode, "missing-code", SeverityError, "A node brings no code along, and Maze runs nothing else."),
	newRule(InvalidOutputs, "invalid-outputs", SeverityError, "A node does not declare its outputs as Maze needs them."),
	newRule(InvalidRunInput, "invalid-run-input", SeverityError, "An input of the run, or the contract of those, is not as Maze needs it."),
	newRule(InvalidResources, "invalid-resources", SeverityError, "A node asks for resources that Maze does not have or does not grant."),
	newRule(InvalidSetting, "invalid-setting", SeverityError, "A setting of a node or of the run is not one that Maze takes."),
	newRule(UnorderedReference, "unordered-reference", SeverityError, "A node refers to an output, and no edge makes it wait for that."),
	newRule(UnrunnableCode, "unrunnable-code", SeverityError, "The code of a node fails in Maze, which runs the first function of it and nothing else."),
	newRule(MisreadValue, "misread-value", SeverityWarning, "Maze takes a value for the description of an input, and loses a part of it."),
	newRule(NoEntryPoint, "no-entry-point", SeverityError, "A workflow is to be compiled, and the task of a node does not say how its function is imported."),
	newRule(SeveralGPUs, "several-gpus", SeverityWarning, "A workflow is to be compiled, and Maze gives a node one GPU of the several that its task needs."),
	newRule(DeprecatedTask, "deprecated-task", SeverityWarning, "A node runs a task that is deprecated."),
}
