package annotation

import (
	"slices"

	"github.com/maze-agent/maregister/internal/discover/syntax"
)

// Bare returns a type without what it is wrapped in: quotes, Annotated[…] or a Union of one.
func (c *Reader) Bare(e *syntax.Expr) *syntax.Expr {
	for range maxNesting {
		text, quoted := syntax.ConstantText(e)
		switch {
		case quoted:
			if e = c.Quoted.Parse(text, e.At); e == nil {
				return &syntax.Expr{}
			}
		case e.Kind == syntax.Subscript && len(e.Operands) > 1 && c.wraps(e):
			e = e.Operands[1]
		default:
			return e
		}
	}
	return e
}

// wraps reports whether a subscript is, as a schema, no more than its first argument.
func (c *Reader) wraps(e *syntax.Expr) bool {
	name := c.typeName(e.Operands[0])
	return slices.Contains(wrappers, name) || name == "Union" && len(e.Operands) == 2
}

// ClassOf returns the class of the module that an expression names, if it describes a schema. It returns nil otherwise.
func (c *Reader) ClassOf(e *syntax.Expr) *syntax.Class {
	if e.Kind != syntax.Name {
		return nil
	}
	for _, b := range c.Module.Bindings[e.Text] {
		if b.Class != nil && c.describes(b.Class, 0) {
			return b.Class
		}
	}
	return nil
}

// describes reports whether a class is a TypedDict or a dataclass, itself or by what it inherits.
func (c *Reader) describes(class *syntax.Class, hops int) bool {
	isDataclass := slices.ContainsFunc(class.Decorators, func(d *syntax.Expr) bool { return c.typeName(d.Callee()) == "dataclass" })
	return isDataclass || c.inherits(class, hops)
}

// inherits reports whether a class is a TypedDict, or inherits from one that describes a schema.
func (c *Reader) inherits(class *syntax.Class, hops int) bool {
	for _, base := range positionalBases(class) {
		if c.typeName(base) == "TypedDict" {
			return true
		}
		if parent := c.localClass(base); parent != nil && hops < maxNesting && c.describes(parent, hops+1) {
			return true
		}
	}
	return false
}

// localClass returns the class of the module that an expression names, or nil.
func (c *Reader) localClass(e *syntax.Expr) *syntax.Class {
	if e.Kind == syntax.Name {
		for _, b := range c.Module.Bindings[e.Text] {
			if b.Class != nil {
				return b.Class
			}
		}
	}
	return nil
}

// positionalBases returns what a class inherits from.
func positionalBases(c *syntax.Class) []*syntax.Expr {
	if c.Bases == nil {
		return nil
	}
	var out []*syntax.Expr
	for i, operand := range c.Bases.Operands[1:] {
		if c.Bases.Names[i+1] == "" {
			out = append(out, operand)
		}
	}
	return out
}

// isTotal reports whether the fields of a TypedDict are required where nothing else is said.
func isTotal(c *syntax.Class) bool {
	if c.Bases == nil {
		return true
	}
	i := slices.Index(c.Bases.Names, "total")
	return i < 0 || c.Bases.Operands[i].Value != false
}

// Class returns the schema of a class.
func (c *Reader) Class(class *syntax.Class) Schema {
	if slices.Contains(c.within, class) {
		return c.unknown(&syntax.Expr{At: class.At}, "the class "+class.Name+" within itself")
	}
	c.within = append(c.within, class)
	properties, required := Schema{}, []string{}
	c.fields(class, properties, &required, 0)
	c.within = c.within[:len(c.within)-1]
	schema := Schema{"type": "object", "properties": properties}
	if len(required) > 0 {
		schema["required"] = required
	}
	return schema
}

// fields adds the fields of a class, those that it inherits first.
func (c *Reader) fields(class *syntax.Class, properties Schema, required *[]string, hops int) {
	for _, base := range positionalBases(class) {
		if parent := c.localClass(base); parent != nil && hops < maxNesting {
			c.fields(parent, properties, required, hops+1)
		}
	}
	typed, total := c.inheritsTypedDict(class, 0), isTotal(class)
	if c.values <= 0 {
		c.values = maxSchemas
	}
	for i := range class.Fields {
		p := &class.Fields[i]
		wrapper := c.wrapper(p.Annotation)
		if wrapper == "ClassVar" {
			continue
		}
		schema := c.schema(p.Annotation)
		isRequired := p.Fallback == nil
		if typed {
			isRequired = wrapper == "Required" || total && wrapper != "NotRequired"
		} else {
			schema = c.fieldDefault(schema, p)
		}
		properties[p.Name] = schema
		if *required = without(*required, p.Name); isRequired {
			*required = append(*required, p.Name)
		}
	}
}

// fieldDefault returns a schema with the default of a field of a dataclass: a constant, or field(default=constant).
func (c *Reader) fieldDefault(schema Schema, p *syntax.Parameter) Schema {
	if e := p.Fallback; e != nil && e.Kind == syntax.Call && c.typeName(e.Operands[0]) == "field" {
		i := slices.Index(e.Names, "default")
		if i < 0 {
			return schema
		}
		return c.WithDefault(schema, &syntax.Parameter{Fallback: e.Operands[i]})
	}
	return c.WithDefault(schema, p)
}

// inheritsTypedDict reports whether a class is a TypedDict, itself or by what it inherits.
func (c *Reader) inheritsTypedDict(class *syntax.Class, hops int) bool {
	for _, base := range positionalBases(class) {
		if c.typeName(base) == "TypedDict" {
			return true
		}
		if parent := c.localClass(base); parent != nil && hops < maxNesting && c.inheritsTypedDict(parent, hops+1) {
			return true
		}
	}
	return false
}

// wrapper returns the name of what a type is wrapped in, such as NotRequired. It is empty for a bare one.
func (c *Reader) wrapper(e *syntax.Expr) string {
	for hops := 0; e.Kind == syntax.Subscript && hops < maxNesting; hops++ {
		name := c.typeName(e.Operands[0])
		if name != "Annotated" && name != "ReadOnly" && name != "Final" {
			return name
		}
		e = e.Operands[1]
	}
	return ""
}

// without returns the values that are not a given one.
func without(values []string, value string) []string {
	return slices.DeleteFunc(slices.Clone(values), func(v string) bool { return v == value })
}
