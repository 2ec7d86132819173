package discover

import (
	"encoding/json"
	"math"
	"slices"
	"strings"

	"github.com/maze-agent/maregister/internal/discover/eval"
	"github.com/maze-agent/maregister/internal/discover/syntax"
	"github.com/maze-agent/maregister/internal/finding"
)

// object is a JSON Schema, or a part of one.
type object = map[string]any

// annotations turn Python's type annotations into JSON Schemas.
type annotations struct {
	module *syntax.Module
	// evaluate returns the value of an expression of the module.
	evaluate func(e *syntax.Expr) (any, *eval.Unknown)
	quoted   *syntax.QuotedParser
	// find takes what is wrong with an annotation or a default.
	find func(rule string, at finding.Position, format string, args ...any)
	// within are the classes that are being described.
	within []*syntax.Class
	depth  int
	// values is how many schemas may still be made.
	values int
}

// simple are the schemas of types by name.
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
	// wrappers say something about a type that a schema does not.
	wrappers = []string{"Annotated", "Final", "Required", "NotRequired", "ReadOnly", "ClassVar"}
)

const (
	// maxSchemas is how many schemas are made for one parameter.
	maxSchemas = 2000
	// maxNesting is how many wrappers of a type are taken off, and how many classes a class may inherit from in a row.
	maxNesting = 20
)

// parameter gives the schema of a parameter, or of a field.
func (c *annotations) parameter(p *syntax.Parameter) object {
	schema := object{}
	if p.Annotation != nil {
		c.values = maxSchemas
		schema = c.schema(p.Annotation)
	}
	return c.withDefault(schema, p)
}

// withDefault adds a default that is a constant. One of None says that null is allowed, too.
func (c *annotations) withDefault(schema object, p *syntax.Parameter) object {
	if p.Fallback == nil {
		return schema
	}
	value, why := c.evaluate(p.Fallback)
	if why != nil {
		where, what := why.From(c.module, p.Fallback.At)
		c.find(finding.NotStaticallyKnown, where, "not statically known: %s; this default is left out: write a constant", what)
		return schema
	}
	fallback, problem := eval.JSON(value)
	if _, isType := value.(eval.Type); isType {
		problem = eval.KindOf(value)
	}
	switch {
	case problem != "":
		c.find(finding.WrongDefault, p.Fallback.At, "the default has %s, which is no JSON; it is left out: use None, and find it in the function", problem)
		return schema
	case fallback == nil && !allowsNull(schema):
		schema = anyOf([]object{schema, {"type": "null"}})
	case !fits(fallback, schema):
		c.find(finding.WrongDefault, p.Fallback.At, "the default is %s, and that is not of the parameter's type; it is left out: annotate the parameter "+
			"with what it is, for one without annotation is a str", eval.KindOf(value))
		return schema
	}
	schema["default"] = fallback
	return schema
}

// jsonTypes say whether a value that toJSON gave is of a type, by the type's name.
var jsonTypes = map[string]func(value any) bool{
	"string":   func(value any) bool { _, ok := value.(string); return ok },
	"filepath": func(value any) bool { _, ok := value.(string); return ok },
	"boolean":  func(value any) bool { _, ok := value.(bool); return ok },
	"array":    func(value any) bool { _, ok := value.([]any); return ok },
	"object":   func(value any) bool { _, ok := value.(object); return ok },
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

// fits says whether a value is of a schema's type. What is within it is not looked at.
func fits(value any, schema object) bool {
	if options, ok := schema["anyOf"].([]object); ok {
		return slices.ContainsFunc(options, func(option object) bool { return fits(value, option) })
	}
	name, _ := schema["type"].(string)
	isType := jsonTypes[name]
	return isType == nil || isType(value)
}

func allowsNull(schema object) bool {
	if len(schema) == 0 || schema["type"] == "null" {
		return true
	}
	options, _ := schema["anyOf"].([]object)
	values, _ := schema["enum"].([]any)
	return slices.ContainsFunc(options, allowsNull) || slices.Contains(values, nil)
}

// anyOf joins schemas, each once.
func anyOf(options []object) object {
	var out []object
	seen := map[string]bool{}
	for _, option := range options {
		inner, nested := option["anyOf"].([]object)
		if !nested || len(option) > 1 {
			inner = []object{option}
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
	return object{"anyOf": out}
}

// schema gives what an annotation says; {} with a finding where it cannot be told.
func (c *annotations) schema(e *syntax.Expr) object {
	c.depth++
	defer func() { c.depth-- }()
	if c.values--; c.values < 0 || c.depth > syntax.MaxDepth {
		return c.unknown(e, "so large a type")
	}
	switch e.Kind {
	case syntax.Constant:
		if text, ok := e.Value.(string); ok {
			return c.written(text, e.At)
		}
		if e.Value == nil {
			return object{"type": "null"}
		}
	case syntax.Text:
		if text, ok := syntax.ConstantText(e); ok {
			return c.written(text, e.At)
		}
	case syntax.Name, syntax.Attribute:
		return c.named(e)
	case syntax.Binary:
		if e.Text == "|" {
			return anyOf([]object{c.schema(e.Operands[0]), c.schema(e.Operands[1])})
		}
	case syntax.Subscript:
		return c.subscript(e)
	}
	return c.unknown(e, "this annotation")
}

func (c *annotations) unknown(e *syntax.Expr, what string) object {
	c.find(finding.UnknownType, e.At,
		"%s has no counterpart in JSON Schema, so any value is allowed: use a type such as str, list[int] or a TypedDict of this file", what)
	return object{}
}

// named gives the schema of a type that is only named.
func (c *annotations) named(e *syntax.Expr) object {
	if class := c.classOf(e); class != nil {
		return c.class(class)
	}
	name := c.typeName(e)
	if slices.Contains(anything, name) {
		return object{}
	}
	kind, ok := simple[name]
	if !ok {
		return c.unknown(e, "the type "+e.Dotted())
	}
	schema := object{"type": kind}
	if slices.Contains(sets, name) {
		schema["uniqueItems"] = true
	}
	return schema
}

// typeName gives the last part of a type's own name. Empty for what the module defines itself.
func (c *annotations) typeName(e *syntax.Expr) string {
	if e.Kind == syntax.Name {
		for _, b := range c.module.Bindings[e.Text] {
			switch {
			case b.Imported != nil && b.Imported.Name != "":
				return b.Imported.Name
			case b.Value != nil && (b.Value.Kind == syntax.Name && b.Value.Text != e.Text || b.Value.Kind == syntax.Attribute):
				return c.typeName(b.Value)
			default:
				return ""
			}
		}
	}
	return e.Text
}

// subscript gives the schema of a type with arguments.
func (c *annotations) subscript(e *syntax.Expr) object {
	name, arguments := c.typeName(e.Operands[0]), e.Operands[1:]
	if len(arguments) == 0 {
		return c.unknown(e, "this annotation")
	}
	switch {
	case name == "Optional":
		return anyOf([]object{c.schema(arguments[0]), {"type": "null"}})
	case name == "Union":
		options := make([]object, len(arguments))
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
	schema := object{"type": kind}
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
func (c *annotations) setUnlessAny(schema object, keyword string, e *syntax.Expr) {
	if inner := c.schema(e); len(inner) > 0 {
		schema[keyword] = inner
	}
}

func (c *annotations) literal(e *syntax.Expr, arguments []*syntax.Expr) object {
	var values []any
	for _, argument := range arguments {
		value, why := c.evaluate(argument)
		plain, problem := eval.JSON(value)
		if why != nil || problem != "" {
			return c.unknown(e, "this Literal")
		}
		values = append(values, plain)
	}
	return object{"enum": values}
}

func (c *annotations) tuple(arguments []*syntax.Expr) object {
	schema := object{"type": "array"}
	if len(arguments) == 2 && arguments[1].Kind == syntax.Name && arguments[1].Text == "..." {
		c.setUnlessAny(schema, "items", arguments[0])
		return schema
	}
	if len(arguments) == 1 && arguments[0].Kind == syntax.Tuple && len(arguments[0].Operands) == 0 {
		arguments = nil // tuple[()]
	}
	items := make([]object, len(arguments))
	for i, argument := range arguments {
		items[i] = c.schema(argument)
	}
	if len(items) > 0 {
		schema["prefixItems"] = items
	}
	schema["minItems"], schema["maxItems"] = len(items), len(items)
	return schema
}

// written gives the schema of an annotation in quotes.
func (c *annotations) written(text string, at finding.Position) object {
	if c.values <= 0 {
		c.values = maxSchemas
	}
	e := c.quoted.Parse(text, at)
	if e == nil || e.Kind == syntax.Constant && e.Value != nil {
		return c.unknown(&syntax.Expr{At: at}, "the type "+strings.ToValidUTF8(clip(text), ""))
	}
	return c.schema(e)
}

func clip(text string) string {
	const most = 60
	if len(text) > most {
		return text[:most] + "…"
	}
	return text
}
