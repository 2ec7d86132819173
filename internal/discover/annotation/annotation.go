// Package annotation turns Python's type annotations, with the classes that they name and the defaults of parameters, into JSON
// Schemas.
package annotation

import (
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/maze-agent/maregister/internal/discover/eval"
	"github.com/maze-agent/maregister/internal/discover/syntax"
	"github.com/maze-agent/maregister/internal/finding"
	plaintext "github.com/maze-agent/maregister/internal/text"
)

// Schema is a JSON Schema, or a part of one.
type Schema = map[string]any

// Reader turns the annotations of one module into JSON Schemas.
type Reader struct {
	*Classes
	// Evaluate returns the value of an expression of the module.
	Evaluate func(e *syntax.Expr) (any, *eval.Unknown)
	// Quoted reads annotations in quotes. Several readers may share it.
	Quoted *syntax.QuotedParser
	// Find takes what is wrong with an annotation or a default.
	Find func(rule string, at finding.Position, format string, args ...any)
	// within are the classes that are being described.
	within []*syntax.Class
	// described holds the schemas of classes, with how many schemas there are in each.
	described map[*syntax.Class]described
	// depth is how deep the annotation is nested.
	depth int
	// values is how many schemas may still be made.
	values int
}

// described is the schema of a class.
type described struct {
	schema Schema
	size   int
}

// simple holds the JSON types of types by name.
var simple = map[string]string{
	"str": "string", "int": "integer", "float": "number", "bool": "boolean", "None": "null", "NoneType": "null",
	"list": "array", "List": "array", "Sequence": "array", "MutableSequence": "array", "Iterable": "array", "Collection": "array",
	"tuple": "array", "Tuple": "array",
	"set": "array", "Set": "array", "frozenset": "array", "FrozenSet": "array", "AbstractSet": "array", "MutableSet": "array",
	"dict": "object", "Dict": "object", "Mapping": "object", "MutableMapping": "object",
	"Path": "filepath", "PurePath": "filepath", "PosixPath": "filepath", "PathLike": "filepath",
}

var (
	sets     = []string{"set", "Set", "frozenset", "FrozenSet", "AbstractSet", "MutableSet"}
	anything = []string{"Any", "any", "object"}
	// wrappers are types that say something about another one which a schema does not.
	wrappers = []string{"Annotated", "Final", "Required", "NotRequired", "ReadOnly", "ClassVar"}
)

const (
	// maxSchemas is how many schemas are made for one annotation, those of the classes that it names included. The operator takes as
	// many values in all.
	maxSchemas = 2000
	// maxNesting is how many wrappers of a type are taken off, and how many classes a class may inherit from in a row.
	maxNesting = 20
)

// Parameter returns the schema of a parameter: of its annotation, with its default.
func (c *Reader) Parameter(p *syntax.Parameter) Schema {
	schema := Schema{}
	if p.Annotation != nil {
		schema = c.whole(p.Annotation.At, func() Schema { return c.schema(p.Annotation) })
	}
	return c.WithDefault(schema, p)
}

// whole returns the schema of one annotation, or one that allows anything if that would be too large.
func (c *Reader) whole(at finding.Position, read func() Schema) Schema {
	c.values = maxSchemas
	schema := read()
	if c.values < 0 {
		return c.unknown(&syntax.Expr{At: at}, "so large a type")
	}
	return schema
}

// WithDefault returns a schema with the default of a parameter, if that is a constant. A default of None allows null, too.
func (c *Reader) WithDefault(schema Schema, p *syntax.Parameter) Schema {
	if p.Fallback == nil {
		return schema
	}
	value, why := c.Evaluate(p.Fallback)
	if why != nil {
		where, what := why.From(c.module, p.Fallback.At)
		c.Find(finding.NotStaticallyKnown, where, "not statically known: %s; this default is left out: write a constant", what)
		return schema
	}
	fallback, problem := eval.JSON(value)
	if _, isType := value.(eval.Type); isType {
		problem = eval.KindOf(value)
	}
	switch {
	case problem != "":
		c.Find(finding.WrongDefault, p.Fallback.At, "the default has %s, which is no JSON; it is left out: use None, and find it in the function", problem)
		return schema
	case fallback == nil && !allowsNull(schema):
		schema = anyOf([]Schema{schema, {"type": "null"}})
	case !fits(fallback, schema):
		c.Find(finding.WrongDefault, p.Fallback.At, "the default is %s, and that is not of the parameter's type; it is left out: annotate the parameter "+
			"with what it is, for one without annotation is a str", eval.KindOf(value))
		return schema
	}
	schema = maps.Clone(schema) // that of a class is kept, for others
	schema["default"] = fallback
	return schema
}

// jsonTypes holds predicates: each reports whether a value of eval.JSON is of the type of that name.
var jsonTypes = map[string]func(value any) bool{
	"string":   func(value any) bool { _, ok := value.(string); return ok },
	"filepath": func(value any) bool { _, ok := value.(string); return ok },
	"boolean":  func(value any) bool { _, ok := value.(bool); return ok },
	"array":    func(value any) bool { _, ok := value.([]any); return ok },
	"object":   func(value any) bool { _, ok := value.(Schema); return ok },
	"null":     func(value any) bool { return value == nil },
	"number":   isNumber,
	"integer": func(value any) bool {
		f, isFloat := value.(float64)
		return isNumber(value) && (!isFloat || f == math.Trunc(f))
	},
}

func isNumber(value any) bool {
	_, isInt := value.(json.Number)
	_, isFloat := value.(float64)
	return isInt || isFloat
}

// fits reports whether a value is of a schema's type. What is within it is not looked at.
func fits(value any, schema Schema) bool {
	if options, ok := schema["anyOf"].([]Schema); ok {
		return slices.ContainsFunc(options, func(option Schema) bool { return fits(value, option) })
	}
	name, _ := schema["type"].(string)
	isType := jsonTypes[name]
	return isType == nil || isType(value)
}

func allowsNull(schema Schema) bool {
	if len(schema) == 0 || schema["type"] == "null" {
		return true
	}
	options, _ := schema["anyOf"].([]Schema)
	values, _ := schema["enum"].([]any)
	return slices.ContainsFunc(options, allowsNull) || slices.Contains(values, nil)
}

// anyOf returns a schema that allows each of some others, each once.
func anyOf(options []Schema) Schema {
	var out []Schema
	seen := map[string]bool{}
	for _, option := range options {
		inner, nested := option["anyOf"].([]Schema)
		if !nested || len(option) > 1 {
			inner = []Schema{option}
		}
		for _, schema := range inner {
			key, _ := json.Marshal(schema) // made of nothing that can fail
			if !seen[string(key)] {
				seen[string(key)] = true
				out = append(out, schema)
			}
		}
	}
	if len(out) == 1 {
		return out[0]
	}
	return Schema{"anyOf": out}
}

// schema returns the schema of an annotation. It is {}, with a finding, where that is not known.
func (c *Reader) schema(e *syntax.Expr) Schema {
	c.depth++
	defer func() { c.depth-- }()
	if c.left--; c.left < 0 {
		c.values = -1
	}
	if c.values--; c.values < 0 {
		return Schema{} // whole tells it, once
	}
	if c.depth > syntax.MaxDepth {
		return c.unknown(e, "so large a type")
	}
	switch e.Kind {
	case syntax.Constant:
		if text, ok := e.Value.(string); ok {
			return c.written(text, e.At)
		}
		if e.Value == nil {
			return Schema{"type": "null"}
		}
	case syntax.Text:
		if text, ok := syntax.ConstantText(e); ok {
			return c.written(text, e.At)
		}
	case syntax.Name, syntax.Attribute:
		return c.named(e)
	case syntax.Binary:
		if e.Text == "|" {
			return anyOf([]Schema{c.schema(e.Operands[0]), c.schema(e.Operands[1])})
		}
	case syntax.Subscript:
		return c.subscript(e)
	}
	return c.unknown(e, "this annotation")
}

func (c *Reader) unknown(e *syntax.Expr, what string) Schema {
	c.Find(finding.UnknownType, e.At,
		"%s has no counterpart in JSON Schema, so any value is allowed: use a type such as str, list[int] or a TypedDict of this file", what)
	return Schema{}
}

// named returns the schema of a type that is only named.
func (c *Reader) named(e *syntax.Expr) Schema {
	if class := c.ClassOf(e); class != nil {
		return c.class(class)
	}
	name := c.typeName(e)
	if slices.Contains(anything, name) {
		return Schema{}
	}
	kind, ok := simple[name]
	if !ok {
		return c.unknown(e, "the type "+e.Dotted())
	}
	schema := Schema{"type": kind}
	if slices.Contains(sets, name) {
		schema["uniqueItems"] = true
	}
	return schema
}

// subscript returns the schema of a type with arguments.
func (c *Reader) subscript(e *syntax.Expr) Schema {
	name, arguments := c.typeName(e.Operands[0]), e.Operands[1:]
	if len(arguments) == 0 {
		return c.unknown(e, "this annotation")
	}
	switch {
	case name == "Optional":
		return anyOf([]Schema{c.schema(arguments[0]), {"type": "null"}})
	case name == "Union":
		options := make([]Schema, len(arguments))
		for i, argument := range arguments {
			options[i] = c.schema(argument)
		}
		return anyOf(options)
	case name == "Literal":
		return c.literal(e, arguments)
	case slices.Contains(wrappers, name):
		return c.schema(arguments[0])
	case name == "tuple" || name == "Tuple":
		return c.tuple(arguments)
	}
	kind := simple[name]
	schema := Schema{"type": kind}
	if slices.Contains(sets, name) {
		schema["uniqueItems"] = true
	}
	switch kind {
	case "array":
		c.setUnlessAny(schema, "items", arguments[0])
	case "object":
		if len(arguments) == 2 {
			c.setUnlessAny(schema, "additionalProperties", arguments[1])
		}
	case "filepath":
	default:
		return c.unknown(e, "the type "+e.Operands[0].Dotted())
	}
	return schema
}

// setUnlessAny sets a keyword, but not to a schema that allows everything anyway.
func (c *Reader) setUnlessAny(schema Schema, keyword string, e *syntax.Expr) {
	if inner := c.schema(e); len(inner) > 0 {
		schema[keyword] = inner
	}
}

// literal returns the schema of Literal[…].
func (c *Reader) literal(e *syntax.Expr, arguments []*syntax.Expr) Schema {
	var values []any
	for _, argument := range arguments {
		value, why := c.Evaluate(argument)
		plain, problem := eval.JSON(value)
		if why != nil || problem != "" {
			return c.unknown(e, "this Literal")
		}
		values = append(values, plain)
	}
	return Schema{"enum": values}
}

// tuple returns the schema of a tuple, by the types of its items.
func (c *Reader) tuple(arguments []*syntax.Expr) Schema {
	schema := Schema{"type": "array"}
	if len(arguments) == 2 && arguments[1].Kind == syntax.Name && arguments[1].Text == "..." {
		c.setUnlessAny(schema, "items", arguments[0])
		return schema
	}
	if len(arguments) == 1 && arguments[0].Kind == syntax.Tuple && len(arguments[0].Operands) == 0 {
		arguments = nil // tuple[()]
	}
	items := make([]Schema, len(arguments))
	for i, argument := range arguments {
		items[i] = c.schema(argument)
	}
	if len(items) > 0 {
		schema["prefixItems"] = items
	}
	schema["minItems"], schema["maxItems"] = len(items), len(items)
	return schema
}

// maxWritten bounds what a message repeats of an annotation in quotes, in bytes.
const maxWritten = 63

// Written returns the schema of an annotation that is a text at a position.
func (c *Reader) Written(text string, at finding.Position) Schema {
	return c.whole(at, func() Schema { return c.written(text, at) })
}

// written is Written as a part of another annotation.
func (c *Reader) written(text string, at finding.Position) Schema {
	e := c.Quoted.Parse(text, at)
	if e == nil || e.Kind == syntax.Constant && e.Value != nil {
		return c.unknown(&syntax.Expr{At: at}, "the type "+strings.ToValidUTF8(plaintext.Clip(text, maxWritten), ""))
	}
	return c.schema(e)
}
