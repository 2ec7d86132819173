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

// Class returns the schema of a class.
func (c *Reader) Class(class *syntax.Class) Schema {
	return c.whole(class.At, func() Schema { return c.class(class) })
}

// class is Class as a part of another annotation. What a class comes to is kept, unless it is a part of itself.
func (c *Reader) class(class *syntax.Class) Schema {
	if slices.Contains(c.within, class) {
		return c.unknown(&syntax.Expr{At: class.At}, "the class "+class.Name+" within itself")
	}
	if known, ok := c.described[class]; ok {
		c.values -= known.size
		return known.schema
	}
	before := c.values
	c.within = append(c.within, class)
	properties, required := Schema{}, []string{}
	c.fields(class, properties, &required)
	c.within = c.within[:len(c.within)-1]
	schema := Schema{"type": "object", "properties": properties}
	if len(required) > 0 {
		schema["required"] = required
	}
	if len(c.within) == 0 && c.values >= 0 { // within another one, it may be without what it has by itself
		if c.described == nil {
			c.described = map[*syntax.Class]described{}
		}
		c.described[class] = described{schema, before - c.values}
	}
	return schema
}

// fields adds the fields of a class, those that it inherits first.
func (c *Reader) fields(class *syntax.Class, properties Schema, required *[]string) {
	if c.values--; c.values < 0 {
		return
	}
	for _, base := range positionalBases(class) {
		if parent := c.localClass(base); parent != nil {
			c.fields(parent, properties, required)
		}
	}
	typed, total := c.isTypedDict(class), isTotal(class)
	for i := range class.Fields {
		if c.values < 0 {
			return
		}
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

// wrapper returns the name of what a type is wrapped in, such as NotRequired. It is empty for a bare one.
func (c *Reader) wrapper(e *syntax.Expr) string {
	for hops := 0; e.Kind == syntax.Subscript && len(e.Operands) > 1 && hops < maxNesting; hops++ {
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
	return slices.DeleteFunc(values, func(v string) bool { return v == value })
}
