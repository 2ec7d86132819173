// Package schema turns what a MazeTask declares as its input or output
// parameters into JSON Schema 2020-12 that every consumer reads the same way.
//
// It is pure: no client, no clock, no goroutine, no I/O. [Parse] reads a
// document in this order, and stops at the first thing that is wrong:
//
//	decode      limits on the raw JSON: size, depth, values, numbers
//	shorthand   {"image": {"type": "filepath"}} becomes {"type": "object", "properties": …}
//	normalise   every subschema: shapes of the keywords, types, patterns
//	references  lead to a subschema of the document, no cycle, bounded expansion
//	defaults    each fits its own schema
//
// # Full schema or shorthand
//
// The shorthand is a map of parameter name to property schema. A parameter
// may be called "type" or "properties", so the value decides as well as the
// name. A document is a full schema if one member says so:
//
//	member                           value that makes it a full schema
//	starts with $ ($ref, $defs, …)   any
//	type                             a string or an array
//	properties                       an object, unless its own "type" is a string or an array
//	required, allOf, anyOf, oneOf    an array
//	additionalProperties,            an object or a boolean
//	patternProperties,
//	propertyNames,
//	unevaluatedProperties
//
// Everything else is shorthand, where a value is a property schema, a boolean
// or a bare type name ({"x": "integer"}). Absent, null and {} all declare
// nothing: {"type": "object"}. Where both readings are possible, as in
// {"type": "string"}, the full schema wins; a parameter called "type" is
// written {"type": {"type": "string"}}.
//
// # What is normalised
//
//	as declared                        normalised
//	filepath, folderpath               "type": "string", "format": "filepath" or "folderpath"
//	["filepath", "null"]               "type": ["string", "null"], "format": "filepath"
//	str, int, float, bool, list, …     the JSON Schema type, with a [Warning]
//	any, Any                           no type, with a [Warning]
//	no type at the root                "type": "object"
//	$schema (2020-12), $id at the root dropped: the result is always 2020-12, references never leave it
//
// Only places where 2020-12 expects a schema are read as one: "enum", "const",
// "default", "examples" and unknown keywords are left as they are. A declared
// "required" is kept, whatever it names. Parsing a result again changes
// nothing.
//
// # What can be asked of a schema
//
// [Open] reads a schema that a registry serves. [Parameters] then tells its
// parameters by name, and checks arguments; [Feeds] says whether what one
// parameter holds can be passed to another: [Compatible] and [Incompatible]
// are proven, and all else is [Unknown]. The proof works with sets:
//
//	facts         what each schema says of types, bounds, members and items
//	alternatives  a part as a union of sets, one for each choice of anyOf, oneOf and if
//	disjoint      no two sets have a value in common: an upper bound of each is enough
//	within        each set is inside one of the other side, of which nothing may be left out
//
// Keywords that the sets do not express (pattern, not, contains, …) count as
// if absent on the one side, and on the other only where both sides have the same.
// Single values are judged from the same facts, and by the JSON Schema
// library where these do not tell.
//
// # What is refused although JSON Schema allows it
//
// Drafts other than 2020-12, "$id" below the root, "$vocabulary", duplicate
// member names, a root type other than "object" (parameters are passed by
// name), a default that its own schema refuses, patterns that Go's regexp (RE2) cannot
// run, and whatever exceeds a limit of limits.go: those bound what a hostile
// document can cost the operator and everyone who reads the registry.
package schema
