package v1alpha1

// ConditionValid is True while "mazectl dag check" finds no error in a MazeWorkflow, by the tasks that the registry serves. The other
// conditions of a MazeWorkflow are Placeable, which is about the tasks of all its nodes, Ready and Stalled.
const ConditionValid = "Valid"

// Reasons of Valid, besides ReasonValid, which it has while it is True, and ReasonRegistryConflict, which it has while nobody knows what
// the registry serves: then it is Unknown. Of several, the first in this order counts.
const (
	// ReasonInvalidGraph: something is wrong with the workflow itself, whatever the tasks are: a reference to a node that is not there,
	// or nodes that wait for each other. Only an edit of the workflow mends it, so Stalled is True.
	ReasonInvalidGraph = "InvalidGraph"
	// ReasonUnknownTask: the registry serves no task of a name that a node runs.
	ReasonUnknownTask = "UnknownTask"
	// ReasonInterfaceMismatch: a task does not take what a node passes, or does not put out what another one refers to.
	ReasonInterfaceMismatch = "InterfaceMismatch"
)
