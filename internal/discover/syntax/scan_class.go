package syntax

import (
	"github.com/maze-agent/maregister/internal/discover/python"
)

// classDefinition reads a class, for it may describe what a task takes or returns, and what is decorated within it.
func (s *scanner) classDefinition(n python.Node, decorators []*Expr, in where) {
	children := n.All()
	name, body := python.Child(children, "name"), python.Child(children, "body")
	c := &Class{Name: name.Text(), At: s.reader.positions.At(n.Start), Decorators: decorators}
	if bases := python.Child(children, "superclasses"); !bases.IsZero() {
		c.Bases = &Expr{Kind: Call, Operands: []*Expr{{}}, Names: []string{""}}
		for _, argument := range bases.Children() {
			keyword, value := "", argument
			if argument.Kind == "keyword_argument" {
				keyword, value = argument.Child("name").Text(), argument.Child("value")
			}
			c.Bases.Operands, c.Bases.Names = append(c.Bases.Operands, s.reader.expr(value)), append(c.Bases.Names, keyword)
		}
	}
	if in.within == "" {
		for _, statement := range body.Children() {
			s.field(c, statement)
		}
	}
	s.bindAt(name, &Binding{Class: c}, in)
	s.inner(n, in, "the class ")
}

// field reads name: annotation, or name: annotation = value.
func (s *scanner) field(c *Class, statement python.Node) {
	inner := statement.Children()
	if statement.Kind != "expression_statement" || len(inner) != 1 || inner[0].Kind != "assignment" {
		return
	}
	children := inner[0].All()
	name, annotation, value := python.Child(children, "left"), python.Child(children, "type"), python.Child(children, "right")
	if name.Kind != "identifier" || annotation.IsZero() {
		return
	}
	p := Parameter{Name: name.Text(), At: s.reader.positions.At(name.Start), Annotation: s.reader.expr(annotation)}
	if !value.IsZero() {
		p.Fallback = s.value(value)
	}
	c.Fields = append(c.Fields, p)
}
