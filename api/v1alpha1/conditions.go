package v1alpha1

// Types of the conditions of a MazeTask. Each is always set once the operator has seen
// the task, and carries the observedGeneration that it speaks of.
const (
	// ConditionAccepted is True while the spec is valid and the task owns its name.
	ConditionAccepted = "Accepted"
	// ConditionRegistered is True while the registry serves the entry of this generation.
	ConditionRegistered = "Registered"
	// ConditionPlaceable is True while some node of the cluster could host the task when empty.
	ConditionPlaceable = "Placeable"
	// ConditionReady is True while Accepted and Registered are.
	ConditionReady = "Ready"
	// ConditionStalled is True while the task waits for a person: Accepted is False, or the entry is too large, or
	// someone else's ConfigMap is in the way. It makes kstatus say Failed and not InProgress.
	ConditionStalled = "Stalled"
)

// Reasons of Accepted. A user sees them, with a message that says what to do, in
// "kubectl describe mazetask".
const (
	// ReasonValid: the spec is valid and the task owns its name.
	ReasonValid = "Valid"
	// ReasonInvalidName: spec.name cannot be a key of a ConfigMap. Only for an object that was stored
	// before the CRD refused such names.
	ReasonInvalidName = "InvalidName"
	// ReasonInvalidSchema: inputParameters or outputParameters is not a JSON Schema of an object; the
	// message names the place.
	ReasonInvalidSchema = "InvalidSchema"
	// ReasonSchemaTooLarge: a schema exceeds a limit on bytes, depth, values, patterns or expansion.
	ReasonSchemaTooLarge = "SchemaTooLarge"
	// ReasonRemoteRefForbidden: a "$ref" leads out of its own schema.
	ReasonRemoteRefForbidden = "RemoteRefForbidden"
	// ReasonRefCycle: a "$ref" leads back to itself without entering a property or an item.
	ReasonRefCycle = "RefCycle"
	// ReasonUnsupportedPattern: RE2 cannot run a regular expression.
	ReasonUnsupportedPattern = "UnsupportedPattern"
	// ReasonNumberOutOfRange: a number in a schema cannot be held exactly by every consumer.
	ReasonNumberOutOfRange = "NumberOutOfRange"
	// ReasonNameConflict: a newer valid task has the same spec.name; the message names it.
	ReasonNameConflict = "NameConflict"
)

// Reasons of Registered.
const (
	// ReasonServed: the registry serves the entry of this generation.
	ReasonServed = "Served"
	// ReasonInvalidSpec: the spec is not accepted and never was: there is no entry.
	ReasonInvalidSpec = "InvalidSpec"
	// ReasonServingLastAccepted: this generation is not accepted; the registry goes on serving the
	// last one that was.
	ReasonServingLastAccepted = "ServingLastAccepted"
	// ReasonSuperseded: the registry serves another task of the same spec.name.
	ReasonSuperseded = "Superseded"
	// ReasonRegistryConflict: a ConfigMap that the operator does not own has the registry's name, or others change the
	// registry's own ConfigMaps again and again.
	ReasonRegistryConflict = "RegistryConflict"
	// ReasonTaskTooLarge: the entry does not fit into one ConfigMap of the registry.
	ReasonTaskTooLarge = "TaskTooLarge"
	// ReasonPublishing: the registry could not be written yet; the operator tries again.
	ReasonPublishing = "Publishing"
	// ReasonTerminating: the task is being deleted and is out of the registry.
	ReasonTerminating = "Terminating"
)

// Reasons of Placeable.
const (
	// ReasonFeasible: some node can host the task when it is empty.
	ReasonFeasible = "Feasible"
	// ReasonNoFeasibleNode: no node can; the message says of each class of nodes all that is amiss.
	ReasonNoFeasibleNode = "NoFeasibleNode"
	// ReasonMemoryLabelMissing: no node can, as far as is known, and some have GPUs of a size that is not known, or with the labels of GPUs that
	// would not do, or without those that tell what gpuRequirements asks for.
	ReasonMemoryLabelMissing = "MemoryLabelMissing"
	// ReasonNoInventory: the operator knows of no node to judge by, or of none that has GPUs which can be allocated; or one may come, by an autoscaler
	// that has a profile or Karpenter's labels to go by.
	ReasonNoInventory = "NoInventory"
	// ReasonNotJudged: no entry stands for the task, so there is nothing to place.
	ReasonNotJudged = "NotJudged"
)

// Reasons of Ready and Stalled that are not taken over from Accepted or Registered.
const (
	// ReasonReady: the spec is accepted and the registry serves it.
	ReasonReady = "Ready"
	// ReasonNotStalled: nothing waits for a person.
	ReasonNotStalled = "NotStalled"
)
