package annotation

import (
	"slices"

	"github.com/maze-agent/maregister/internal/discover/syntax"
)

// Classes are what the classes of a module describe. All readers of the module share them.
type Classes struct {
	module *syntax.Module
	// kinds holds what is known of classes.
	kinds map[*syntax.Class]kind
	// left is how many schemas may still be made in the module.
	left int
}

// maxOfModule is how many schemas are made for a module's annotations, those of classes each time that they are described.
const maxOfModule = 200_000

// NewClasses returns the classes of a module.
func NewClasses(m *syntax.Module) *Classes {
	return &Classes{module: m, kinds: map[*syntax.Class]kind{}, left: maxOfModule}
}

// kind is what a class is, itself or by what it inherits.
type kind struct{ isTypedDict, isDataclass bool }

// maxClasses is how many classes of the module a class may inherit from.
const maxClasses = 100

// ClassOf returns the class of the module that an expression names, if it describes a schema. It returns nil otherwise.
func (c *Classes) ClassOf(e *syntax.Expr) *syntax.Class {
	if e.Kind != syntax.Name {
		return nil
	}
	for _, b := range c.module.Bindings[e.Text] {
		if b.Class != nil && c.kindOf(b.Class) != (kind{}) {
			return b.Class
		}
	}
	return nil
}

// isTypedDict reports whether a class is a TypedDict, itself or by what it inherits.
func (c *Classes) isTypedDict(class *syntax.Class) bool { return c.kindOf(class).isTypedDict }

// kindOf returns what a class is. It goes through all that the class inherits from, each once.
func (c *Classes) kindOf(class *syntax.Class) kind {
	if known, ok := c.kinds[class]; ok {
		return known
	}
	all, seen := []*syntax.Class{class}, map[*syntax.Class]bool{class: true}
	var k kind
	for i := 0; i < len(all) && i < maxClasses; i++ {
		k.isDataclass = k.isDataclass || slices.ContainsFunc(all[i].Decorators, func(d *syntax.Expr) bool { return c.typeName(d.Callee()) == "dataclass" })
		for _, base := range positionalBases(all[i]) {
			k.isTypedDict = k.isTypedDict || c.typeName(base) == "TypedDict"
			if parent := c.localClass(base); parent != nil && !seen[parent] {
				seen[parent] = true
				all = append(all, parent)
			}
		}
	}
	c.kinds[class] = k
	return k
}

// localClass returns the class of the module that an expression names, or nil.
func (c *Classes) localClass(e *syntax.Expr) *syntax.Class {
	if e.Kind == syntax.Name {
		for _, b := range c.module.Bindings[e.Text] {
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

// typeName returns the last part of a type's own name. It is empty for what the module defines itself.
func (c *Classes) typeName(e *syntax.Expr) string {
	for range maxNesting {
		if e.Kind != syntax.Name || len(c.module.Bindings[e.Text]) == 0 {
			return e.Text
		}
		switch b := c.module.Bindings[e.Text][0]; {
		case b.Imported != nil && b.Imported.Name != "":
			return b.Imported.Name
		case b.Value != nil && (b.Value.Kind == syntax.Name && b.Value.Text != e.Text || b.Value.Kind == syntax.Attribute):
			e = b.Value
		default:
			return ""
		}
	}
	return ""
}
