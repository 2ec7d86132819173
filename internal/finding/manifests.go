package finding

// Codes of the rules of manifests. Those up to MZ119 are what an API server refuses, or what never gets there; those from MZ120
// are what the operator says of an object that the API server takes.
const (
	MalformedManifest = "MZ101"
	ManifestTooLarge  = "MZ102"
	DuplicateKey      = "MZ103"
	WrongKind         = "MZ104"
	UnknownField      = "MZ105"
	MissingField      = "MZ106"
	WrongType         = "MZ107"
	InvalidMetadata   = "MZ108"
	InvalidTaskName   = "MZ109"
	InvalidQuantity   = "MZ110"
	GPUMemoryNeedsGPU = "MZ111"
	InvalidEntryPoint = "MZ112"
	InvalidValue      = "MZ113"
	DuplicateObject   = "MZ114"
	BooleanKey        = "MZ115"
	BooleanValue      = "MZ116"
	PastedTool        = "MZ117"
	ReservedFileName  = "MZ118"

	InvalidSchema      = "MZ121"
	SchemaTooLarge     = "MZ122"
	RemoteRefForbidden = "MZ123"
	RefCycle           = "MZ124"
	UnsupportedPattern = "MZ125"
	NumberOutOfRange   = "MZ126"
	NameConflict       = "MZ127"
	TaskTooLarge       = "MZ128"
	PythonTypeName     = "MZ129"

	TranslatedSchema      = "MZ130"
	NullDefault           = "MZ131"
	UnknownKeyword        = "MZ132"
	ContradictoryKeywords = "MZ133"
	DoubtfulReplacement   = "MZ134"
)

// ofManifests are the rules of MazeTask manifests.
var ofManifests = []Rule{
	newRule(MalformedManifest, "malformed-manifest", SeverityError, "A document is neither YAML nor JSON, or not an object."),
	newRule(ManifestTooLarge, "manifest-too-large", SeverityError, "A file or an object is larger than anything that reads it allows."),
	newRule(DuplicateKey, "duplicate-key", SeverityError, "A key is given twice in one object."),
	newRule(WrongKind, "wrong-kind", SeverityError, "No API server knows the apiVersion and the kind of what is meant as a MazeTask."),
	newRule(UnknownField, "unknown-field", SeverityError, "A MazeTask has no such field."),
	newRule(MissingField, "missing-field", SeverityError, "A field that a MazeTask needs is not there."),
	newRule(WrongType, "wrong-type", SeverityError, "The value of a field is of another type than the field."),
	newRule(InvalidMetadata, "invalid-metadata", SeverityError, "The metadata are not what Kubernetes takes for any object."),
	newRule(InvalidTaskName, "invalid-task-name", SeverityError, "spec.name cannot be the key of an entry in the registry."),
	newRule(InvalidQuantity, "invalid-quantity", SeverityError, "A size in spec.resources is no quantity, or one that cannot be meant."),
	newRule(GPUMemoryNeedsGPU, "gpu-memory-needs-gpu", SeverityError, "A task that gets no GPU asks for GPU memory."),
	newRule(InvalidEntryPoint, "invalid-entry-point", SeverityError, "spec.entryPoint is not a Python object reference."),
	newRule(InvalidValue, "invalid-value", SeverityError, "The value of a field is none of those that the field takes."),
	newRule(DuplicateObject, "duplicate-object", SeverityError, "Two manifests are of one object."),
	newRule(BooleanKey, "boolean-key", SeverityWarning, "YAML reads a key as true or false."),
	newRule(BooleanValue, "boolean-value", SeverityWarning, "YAML reads a word in a schema as true or false."),
	newRule(PastedTool, "pasted-tool", SeverityError, "The declaration of a tool of another framework stands where a MazeTask is declared."),
	newRule(ReservedFileName, "reserved-file-name", SeverityWarning, "A MazeTask is in a file whose name kustomize reads as its own."),

	newRule(InvalidSchema, "invalid-schema", SeverityError, "The parameters of a task are not declared by a JSON Schema of an object."),
	newRule(SchemaTooLarge, "schema-too-large", SeverityError, "A schema exceeds a limit on bytes, depth, values, patterns or expansion."),
	newRule(RemoteRefForbidden, "remote-ref-forbidden", SeverityError, "A $ref leads out of its own schema."),
	newRule(RefCycle, "ref-cycle", SeverityError, "A $ref leads back to itself without entering a property or an item."),
	newRule(UnsupportedPattern, "unsupported-pattern", SeverityError, "RE2 cannot run a regular expression."),
	newRule(NumberOutOfRange, "number-out-of-range", SeverityError, "A number in a schema cannot be held exactly by every consumer."),
	newRule(NameConflict, "name-conflict", SeverityError, "Two tasks of one namespace have one spec.name."),
	newRule(TaskTooLarge, "task-too-large", SeverityError, "The entry of a task does not fit into a ConfigMap of the registry."),
	newRule(PythonTypeName, "python-type-name", SeverityWarning, "A type in a schema is Python's name for it."),
	newRule(TranslatedSchema, "translated-schema", SeverityWarning, "A schema is written in an older draft, or a pattern in ECMA-262, and read as 2020-12."),
	newRule(NullDefault, "null-default", SeverityWarning, "A default is null, which the type does not allow."),
	newRule(UnknownKeyword, "unknown-keyword", SeverityWarning, "A keyword or a format in a schema is probably misspelt."),
	newRule(ContradictoryKeywords, "contradictory-schema", SeverityWarning, "Keywords of a schema contradict each other, or say nothing."),
	newRule(DoubtfulReplacement, "doubtful-replacement", SeverityNote, "The replacement of a deprecated task is not among the tasks, or deprecated itself."),
}
