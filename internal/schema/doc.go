// Package schema turns what a MazeTask declares as its input or output
// parameters into JSON Schema 2020-12 that every consumer reads the same way.
//
// It is pure: no client, no clock, no goroutine, no I/O. [Parse] reads a
// document in this order, and stops at the first thing that is wrong:
//
//	decode      limits on the raw JSON: size, depth, values, numbers
//	shorthand   {"image": {"type": "filepath"}} becomes {"type": "object", "properties": …}
//	translate   older drafts, OpenAPI's nullable and patterns of ECMA-262 become 2020-12 and RE2
//	normalise   every subschema: shapes of the keywords, types, patterns
//	references  lead to a subschema of the document, no cycle, bounded expansion
//	defaults    each fits its own schema; null may mean that there is none
//	slips       what is valid and probably not meant: a [Warning] each
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
//	$schema, $id                       dropped: the result is always 2020-12, and one document
//	a $ref by such an $id              "#/…", where it leads to
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
// # What is translated
//
// Which draft a schema is of decides only where 2020-12 would accept the same
// text and read it differently. A form that 2020-12 does not have is read as
// the draft that had it, whatever "$schema" says, so that mixtures are
// understood. Each change has a [Warning] with the place and what it became.
//
//	as declared                               in                 translated
//	items as a list, additionalItems          to 2019-09, none   prefixItems, items
//	exclusiveMinimum: true beside minimum     draft-04, none     exclusiveMinimum: the bound
//	dependencies                              all                dependentRequired, dependentSchemas
//	definitions                               to 2019-09         $defs
//	id, $id: "#name"                          to draft-07        references lead to the place
//	$recursiveRef                             2019-09, none      $ref
//	beside $ref                               to draft-07        left out, but for annotations and definitions
//	a keyword of a later draft                to 2019-09         left out: the draft does not read it
//	contains beside unevaluatedItems          2019-09            below "not" twice: it evaluates nothing there
//	a $ref below no keyword                   all                $defs, and the reference with it
//	nullable: true                            all                "null" in type and enum, or anyOf
//
// A schema that begins with a "$schema" or "$id" of its own is a resource: its
// references are relative to it. "$recursiveRef" and "$dynamicRef" have no
// translation where several resources have their anchor. Pointers in errors and
// warnings are always those of the document as it was declared.
//
// # What is refused although JSON Schema allows it
//
// Drafts before draft-04, metaschemas of one's own, "$vocabulary", duplicate
// member names, a root type other than "object" (parameters are passed by
// name), a default that its own schema refuses, patterns that Go's regexp (RE2) cannot
// run, and whatever exceeds a limit of limits.go: those bound what a hostile
// document can cost the operator and everyone who reads the registry.
package schema
