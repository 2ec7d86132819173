package discover

import "slices"

// bare takes off what a type is wrapped in: quotes, Annotated[…] or a Union of one.
func (c *annotations) bare(e *expr) *expr {
	for range maxNesting {
		text, quoted := constantText(e)
		switch {
		case quoted:
			if e = c.quoted.parse(text, e.at); e == nil {
				return &expr{}
			}
		case e.kind == exprSubscript && len(e.operands) > 1 && c.wraps(e):
			e = e.operands[1]
		default:
			return e
		}
	}
	return e
}

// wraps says whether a subscript is, as a schema, no more than its first argument.
func (c *annotations) wraps(e *expr) bool {
	name := c.typeName(e.operands[0])
	return slices.Contains(wrappers, name) || name == "Union" && len(e.operands) == 2
}

// classOf gives the class of the module that an expression names, if it describes a schema.
func (c *annotations) classOf(e *expr) *class {
	if e.kind != exprName {
		return nil
	}
	for _, b := range c.module.bindings[e.text] {
		if b.class != nil && c.describes(b.class, 0) {
			return b.class
		}
	}
	return nil
}

// describes says whether a class is a TypedDict or a dataclass, itself or by what it inherits.
func (c *annotations) describes(class *class, hops int) bool {
	isDataclass := slices.ContainsFunc(class.decorators, func(d *expr) bool { return c.typeName(callee(d)) == "dataclass" })
	return isDataclass || c.inherits(class, hops)
}

func (c *annotations) inherits(class *class, hops int) bool {
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

func (c *annotations) localClass(e *expr) *class {
	if e.kind == exprName {
		for _, b := range c.module.bindings[e.text] {
			if b.class != nil {
				return b.class
			}
		}
	}
	return nil
}

// positionalBases returns what a class inherits from.
func positionalBases(c *class) []*expr {
	if c.bases == nil {
		return nil
	}
	var out []*expr
	for i, operand := range c.bases.operands[1:] {
		if c.bases.names[i+1] == "" {
			out = append(out, operand)
		}
	}
	return out
}

// isTotal reports whether the fields of a TypedDict are required where nothing else is said.
func isTotal(c *class) bool {
	if c.bases == nil {
		return true
	}
	i := slices.Index(c.bases.names, "total")
	return i < 0 || c.bases.operands[i].value != false
}

// class describes a class.
func (c *annotations) class(class *class) object {
	if slices.Contains(c.within, class) {
		return c.unknown(&expr{at: class.at}, "the class "+class.name+" within itself")
	}
	c.within = append(c.within, class)
	properties, required := object{}, []string{}
	c.fields(class, properties, &required, 0)
	c.within = c.within[:len(c.within)-1]
	schema := object{"type": "object", "properties": properties}
	if len(required) > 0 {
		schema["required"] = required
	}
	return schema
}

func (c *annotations) fields(class *class, properties object, required *[]string, hops int) {
	for _, base := range positionalBases(class) {
		if parent := c.localClass(base); parent != nil && hops < maxNesting {
			c.fields(parent, properties, required, hops+1)
		}
	}
	typed, total := c.inheritsTypedDict(class, 0), isTotal(class)
	if c.values <= 0 {
		c.values = maxSchemas
	}
	for i := range class.fields {
		p := &class.fields[i]
		wrapper := c.wrapper(p.annotation)
		if wrapper == "ClassVar" {
			continue
		}
		schema := c.schema(p.annotation)
		isRequired := p.fallback == nil
		if typed {
			isRequired = wrapper == "Required" || total && wrapper != "NotRequired"
		} else {
			schema = c.fieldDefault(schema, p)
		}
		properties[p.name] = schema
		if *required = without(*required, p.name); isRequired {
			*required = append(*required, p.name)
		}
	}
}

// fieldDefault reads what a dataclass gives a field: a constant, or field(default=constant).
func (c *annotations) fieldDefault(schema object, p *parameter) object {
	if e := p.fallback; e != nil && e.kind == exprCall && c.typeName(e.operands[0]) == "field" {
		i := slices.Index(e.names, "default")
		if i < 0 {
			return schema
		}
		return c.withDefault(schema, &parameter{fallback: e.operands[i]})
	}
	return c.withDefault(schema, p)
}

func (c *annotations) inheritsTypedDict(class *class, hops int) bool {
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

// wrapper gives what a type is wrapped in, such as NotRequired.
func (c *annotations) wrapper(e *expr) string {
	for hops := 0; e.kind == exprSubscript && hops < maxNesting; hops++ {
		name := c.typeName(e.operands[0])
		if name != "Annotated" && name != "ReadOnly" && name != "Final" {
			return name
		}
		e = e.operands[1]
	}
	return ""
}

// without gives the values that are not a given one.
func without(values []string, value string) []string {
	return slices.DeleteFunc(slices.Clone(values), func(v string) bool { return v == value })
}
