package syntax

import (
	"slices"

	"github.com/maze-agent/maregister/internal/discover/python"
)

// maxMade is how many values of a function are kept. One that only wraps another has a few.
const maxMade = 20

// made returns the values that a function returns or assigns, with those of the functions in it: what a decorator that wraps another is made of.
func (s *scanner) made(definition python.Node) []*Expr {
	m := maker{scanner: s, own: map[string]bool{}}
	m.function(definition)
	return slices.DeleteFunc(m.values, func(e *Expr) bool {
		for len(e.Operands) > 0 && (e.Kind == Call || e.Kind == Attribute) {
			e = e.Operands[0]
		}
		return e.Kind == Name && m.own[e.Text]
	})
}

// maker gathers the values of a function.
type maker struct {
	*scanner
	values []*Expr
	// own are the names that the function, or one in it, gives a meaning of its own.
	own map[string]bool
}

// function reads a function.
func (m *maker) function(definition python.Node) {
	children := definition.All()
	for _, parameter := range python.Child(children, "parameters").Children() {
		name, _ := parameterName(parameter)
		m.own[name.Text()] = true
	}
	m.read(python.Child(children, "body"))
}

// read goes through the statements of a block, and of the blocks in them.
func (m *maker) read(n python.Node) {
	if m.depth++; m.depth <= MaxDepth {
		for _, child := range n.Children() {
			if len(m.values) < maxMade {
				m.statement(child)
			}
		}
	}
	m.depth--
}

func (m *maker) statement(n python.Node) {
	switch n.Kind {
	case "return_statement":
		for _, value := range n.Children() {
			m.keep(value)
		}
	case "expression_statement":
		for _, expression := range n.Children() {
			if expression.Kind == "assignment" {
				m.own[expression.Child("left").Text()] = true
				m.keep(expression.Child("right"))
			}
		}
	case "function_definition":
		m.own[n.Child("name").Text()] = true
		m.function(n)
	case "block", "decorated_definition", "if_statement", "else_clause", "elif_clause", "try_statement", "except_clause", "with_statement":
		m.read(n)
	}
}

// keep notes a value that can be a decorator, or what one returns.
func (m *maker) keep(value python.Node) {
	switch value.Kind {
	case "call", "identifier", "attribute", "lambda", "conditional_expression", "boolean_operator":
		m.values = append(m.values, m.value(value))
	}
}
