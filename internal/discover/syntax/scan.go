package syntax

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"

	"github.com/maze-agent/maregister/internal/discover/python"
)

// where is the part of a module in which a statement stands.
type where struct {
	// conditional means in a branch, a loop or the like.
	conditional bool
	// within names what the code is a part of, such as "the class Tools". Empty at the top level.
	within string
	// scope is that of what the code is a part of. Nil at the top level.
	scope *Scope
}

var topLevel = where{}

// scanner reads the statements of a module.
type scanner struct {
	module *Module
	// wanted reports whether a function with a decorator is to be read.
	wanted  Wanted
	reader  *reader
	depth   int
	pending []pendingFunction
}

// pendingFunction is a decorated function whose signature is read once it is known what its decorators are.
type pendingFunction struct {
	node, definition python.Node
	function         *Function
}

// maxValue, in bytes, is how large the text of a value may be that is kept. A task's schema may have 64 KiB.
const maxValue = 64 << 10

// block reads the statements of a module or a block.
func (s *scanner) block(n python.Node, in where) {
	if s.depth++; s.depth <= MaxDepth {
		for _, statement := range n.Children() {
			s.statement(statement, in)
		}
	}
	s.depth--
}

// statement reads a statement, and what is within it.
func (s *scanner) statement(n python.Node, in where) {
	switch n.Kind {
	case "decorated_definition":
		s.decorated(n, in)
	case "function_definition":
		s.bindAt(n.Child("name"), &Binding{Plain: &Plain{s.made(n)}}, in)
		s.inner(n, in, "the function ")
	case "class_definition":
		s.classDefinition(n, nil, in)
	case "import_statement", "import_from_statement":
		s.imports(n, in)
	case "expression_statement":
		for _, expression := range n.Children() {
			s.expression(expression, in)
		}
	case "delete_statement":
		s.unknown(n, in)
	case "type_alias_statement":
		s.unknown(base(n.Child("left")), in)
	case "case_clause":
		s.nested(n, in)
	case "if_statement":
		if !isMain(n.Child("condition")) {
			s.nested(n, in)
		} else {
			s.alternatives(n, in)
		}
	case "for_statement", "while_statement", "with_statement", "try_statement", "match_statement":
		s.nested(n, in)
	}
}

// conditionally returns the same part of a module, for code that may not run.
func (w where) conditionally() where {
	w.conditional = true
	return w
}

// nested reads the blocks of a compound statement, and what its parts bind.
func (s *scanner) nested(n python.Node, in where) {
	if n.Kind != "with_statement" {
		in.conditional = true
	}
	for _, child := range n.Children() {
		switch {
		case child.Kind == "block":
			s.block(child, in)
		case strings.HasSuffix(child.Kind, "_clause"):
			s.nested(child, in.conditionally())
		case child.Field == "left", child.Kind == "as_pattern_target", child.Kind == "case_pattern":
			s.unknown(child, in)
		case child.Kind == "as_pattern", child.Kind == "with_item":
			s.nested(child, in)
		}
	}
}

// alternatives reads what is not run where a module is the program.
func (s *scanner) alternatives(n python.Node, in where) {
	for _, child := range n.Children() {
		if strings.HasSuffix(child.Kind, "_clause") {
			s.nested(child, in.conditionally())
		}
	}
}

// isMain reports whether a condition is __name__ == "__main__".
func isMain(condition python.Node) bool {
	text := condition.Text()
	return strings.Contains(text, "__name__") && strings.Contains(text, "__main__") && strings.Contains(text, "==")
}

// bind notes what a name of the module is bound to.
func (s *scanner) bind(name string, b *Binding) {
	s.module.Bindings[name] = append(s.module.Bindings[name], b)
}

// bindAt notes what a name is bound to: in the module, or in what the code is a part of.
func (s *scanner) bindAt(name python.Node, b *Binding, in where) {
	if !name.IsZero() {
		b.At = s.reader.positions.At(name.Start)
		b.Conditional = b.Conditional || in.conditional
		s.bindIn(name.Text(), b, in)
	}
}

// bindIn notes what a name is bound to, where it is known where it stands.
func (s *scanner) bindIn(name string, b *Binding, in where) {
	if in.scope == nil {
		s.bind(name, b)
		return
	}
	in.scope.names[name] = append(in.scope.names[name], b)
}

// unknown notes that every name in a target is bound, without what.
func (s *scanner) unknown(n python.Node, in where) {
	if s.depth++; s.depth <= MaxDepth {
		switch n.Kind {
		case "identifier":
			s.bindAt(n, &Binding{}, in)
		case "attribute", "subscript": // which changes what the name is bound to
			if in.scope == nil {
				s.unknown(base(n), in.conditionally())
			}
		default:
			for _, child := range n.Children() {
				s.unknown(child, in)
			}
		}
	}
	s.depth--
}

// base returns what an attribute or a subscript is of: the first child.
func base(n python.Node) python.Node {
	if children := n.Children(); len(children) > 0 {
		return children[0]
	}
	return python.Node{}
}

// expression notes what an expression binds or may change.
func (s *scanner) expression(n python.Node, in where) {
	switch n.Kind {
	case "assignment":
		s.assignment(n, in)
	case "augmented_assignment":
		s.unknown(n.Child("left"), in)
	case "named_expression":
		s.bindAt(n.Child("name"), &Binding{Conditional: true, Value: s.value(n.Child("value"))}, in)
	case "call": // a method may change what its object holds
		if function := n.Child("function"); function.Kind == "attribute" {
			s.unknown(function, in)
		}
	}
}

// assignment reads targets that are names; a = b = value is an assignment within another.
func (s *scanner) assignment(n python.Node, in where) {
	var targets []python.Node
	value := n
	for value.Kind == "assignment" && len(targets) < MaxDepth {
		children := value.All()
		targets = append(targets, python.Child(children, "left"))
		value = python.Child(children, "right")
	}
	if value.IsZero() { // only an annotation
		return
	}
	var read *Expr
	for _, target := range targets {
		if s.pairwise(target, value, in) {
			continue
		}
		if target.Kind != "identifier" {
			s.unknown(target, in)
			continue
		}
		if read == nil {
			read = s.value(value)
		}
		s.bindAt(target, &Binding{Value: read}, in)
	}
}

// pairwise reads a, b = x, y. It reports whether an assignment is such a one.
func (s *scanner) pairwise(target, value python.Node, in where) bool {
	if !slices.Contains([]string{"pattern_list", "tuple_pattern"}, target.Kind) || !slices.Contains([]string{"expression_list", "tuple"}, value.Kind) {
		return false
	}
	names, values := target.Children(), value.Children()
	isName := func(n python.Node) bool { return n.Kind == "identifier" }
	isStarred := func(n python.Node) bool { return n.Kind == "list_splat" }
	if len(names) != len(values) || slices.ContainsFunc(values, isStarred) || !slices.ContainsFunc(names, isName) {
		return false
	}
	for i, name := range names {
		if isName(name) {
			s.bindAt(name, &Binding{Value: s.value(values[i])}, in)
		} else {
			s.unknown(name, in)
		}
	}
	return true
}

// value reads what may be a constant.
func (s *scanner) value(n python.Node) *Expr {
	if n.End-n.Start > maxValue {
		return &Expr{At: s.reader.positions.At(n.Start), Text: "a value of so much text"}
	}
	return s.reader.expr(n)
}

// imports notes the names that an import statement binds.
func (s *scanner) imports(n python.Node, in where) {
	children := n.All()
	from := python.Child(children, "module_name")
	for _, child := range children {
		if child.Kind == "wildcard_import" {
			s.module.Wildcards = append(s.module.Wildcards, from.Text())
		}
		if child.Field != "name" {
			continue
		}
		name, alias := child, python.Node{}
		if child.Kind == "aliased_import" {
			parts := child.All()
			name, alias = python.Child(parts, "name"), python.Child(parts, "alias")
		}
		i := &Import{Module: from.Text(), Name: name.Text(), Alias: alias.Text()}
		if from.IsZero() {
			i.Module, i.Name = name.Text(), ""
		}
		s.bindIn(i.Bound(), &Binding{At: s.reader.positions.At(name.Start), Conditional: in.conditional, Imported: i}, in)
	}
}

// inner reads what is decorated within a function or a class. A text without @ has nothing of it.
func (s *scanner) inner(definition python.Node, in where, kind string) {
	children := definition.All()
	body := python.Child(children, "body")
	if !strings.Contains(body.Text(), "@") {
		return
	}
	if in.within == "" {
		in.within = kind + python.Child(children, "name").Text()
	}
	in.scope = newScope(in.scope, definition.Kind == "class_definition")
	for _, parameter := range python.Child(children, "parameters").Children() {
		name, _ := parameterName(parameter)
		s.bindAt(name, &Binding{}, in)
	}
	s.block(body, in)
}

// decorated reads a definition with decorators. Its signature is read later, by read.
func (s *scanner) decorated(n python.Node, in where) {
	children := n.Children()
	definition := python.Child(children, "definition")
	var decorators []*Expr
	for _, child := range children {
		if inner := child.Children(); child.Kind == "decorator" && len(inner) == 1 {
			decorators = append(decorators, s.reader.expr(inner[0]))
		}
	}
	if definition.Kind == "class_definition" {
		s.classDefinition(definition, decorators, in)
		f := &Function{Name: definition.Child("name").Text(), At: s.reader.positions.At(n.Start), Decorators: decorators, IsClass: true,
			Within: in.within, Scope: in.scope}
		s.pending = append(s.pending, pendingFunction{n, definition, f})
		return
	}
	name := definition.Child("name")
	f := &Function{Name: name.Text(), At: s.reader.positions.At(n.Start), Decorators: decorators, Within: in.within, Scope: in.scope}
	s.bindAt(name, &Binding{Function: f}, in)
	s.pending = append(s.pending, pendingFunction{n, definition, f})
	s.inner(definition, in, "the function ")
}

// read reads the signature of a decorated function and what it returns, if one of its decorators makes it wanted.
func (s *scanner) read(p pendingFunction) {
	f := p.function
	if !slices.ContainsFunc(f.Decorators, func(d *Expr) bool { return s.wanted(s.module, f, d) }) {
		return
	}
	s.module.Functions = append(s.module.Functions, f)
	children := p.definition.All()
	f.IsAsync = slices.ContainsFunc(children, func(child python.Node) bool { return child.Kind == "async" })
	f.Parameters = s.parameters(python.Child(children, "parameters"))
	if returns := python.Child(children, "return_type"); !returns.IsZero() {
		f.Returns = s.reader.expr(returns)
	}
	body := python.Child(children, "body")
	f.Doc = s.docstring(body)
	f.Digest = fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(p.node.Text())))
	s.returned(f, body)
}

// parameters returns the parameters of a signature.
func (s *scanner) parameters(n python.Node) []Parameter {
	var out []Parameter
	for _, child := range n.Children() {
		p := Parameter{At: s.reader.positions.At(child.Start)}
		switch child.Kind {
		case "positional_separator":
			for i := range out {
				out[i].Special = "/"
			}
			continue
		case "keyword_separator":
			continue
		case "default_parameter", "typed_default_parameter":
			p.Fallback = s.value(child.Child("value"))
		}
		if annotation := child.Child("type"); !annotation.IsZero() {
			p.Annotation = s.reader.expr(annotation)
		}
		var name python.Node
		name, p.Special = parameterName(child)
		p.Name = name.Text()
		out = append(out, p)
	}
	return out
}

// parameterName returns the name in a parameter, and "*" or "**" for one that takes any number of arguments.
func parameterName(parameter python.Node) (name python.Node, special string) {
	name = parameter
	switch parameter.Kind {
	case "typed_parameter":
		name = base(parameter)
	case "default_parameter", "typed_default_parameter":
		name = parameter.Child("name")
	}
	switch name.Kind {
	case "list_splat_pattern":
		return base(name), "*"
	case "dictionary_splat_pattern":
		return base(name), "**"
	default:
		return name, ""
	}
}
