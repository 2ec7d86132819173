package syntax

import (
	"slices"

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

// returned notes the keys of the dicts that a function returns.
func (s *scanner) returned(f *Function, body python.Node) {
	s.returns(f, body)
	if r := &f.Returned; r.Keys == nil && r.Unclear == Clear {
		r.At, r.Unclear = f.At, ReturnsNothing
	}
}

// returns notes the keys of each return statement, but for those of functions within.
func (s *scanner) returns(f *Function, n python.Node) {
	if s.depth++; s.depth > MaxDepth {
		s.depth--
		return
	}
	for _, child := range n.Children() {
		switch child.Kind {
		case "function_definition", "class_definition", "decorated_definition", "lambda":
		case "return_statement":
			s.keys(&f.Returned, child)
		case "expression_statement", "import_statement", "import_from_statement": // which hold no return
		default:
			s.returns(f, child)
		}
	}
	s.depth--
}

// keys notes the keys of what a return statement returns.
func (s *scanner) keys(r *Returned, statement python.Node) {
	if r.Unclear != Clear {
		return
	}
	value := base(statement)
	for value.Kind == "parenthesized_expression" {
		value = base(value)
	}
	if value.IsZero() {
		r.At, r.Unclear = s.reader.positions.At(statement.Start), ReturnsNothingHere
		return
	}
	if r.Keys == nil {
		r.Keys = []string{}
	}
	if value.Kind != "dictionary" {
		r.At, r.Unclear = s.reader.positions.At(value.Start), ReturnsNoDict
		return
	}
	for _, pair := range value.Children() {
		var key python.Node
		if pair.Kind == "pair" {
			key = pair.Child("key")
		}
		text, ok := "", false
		if key.Kind == "string" || key.Kind == "concatenated_string" {
			text, ok = ConstantText(s.reader.expr(key))
		}
		if !ok {
			r.At, r.Unclear = s.reader.positions.At(value.Start), ReturnsOtherKey
			return
		}
		if !slices.Contains(r.Keys, text) {
			r.Keys = append(r.Keys, text)
		}
	}
}
