package mazecode

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"github.com/maze-agent/maregister/internal/discover/python"
	"github.com/maze-agent/maregister/internal/text"
)

// module is what code has at its top.
type module struct {
	functions []function
	// names are those that are assigned or defined there, without imports.
	names map[string]bool
	// inner is the first function that is not at the top. No node if there is none.
	inner python.Node
}

type function struct {
	node    python.Node
	name    string
	isAsync bool
	wholly  python.Node // with its decorators
}

func readModule(root python.Node) *module {
	m := &module{names: map[string]bool{}}
	for _, statement := range root.Children() {
		definition := statement
		if statement.Kind == "decorated_definition" {
			definition = statement.Child("definition")
		}
		switch definition.Kind {
		case "function_definition":
			m.functions = append(m.functions, function{
				node: definition, name: definition.Child("name").Text(), isAsync: isAsync(definition), wholly: statement,
			})
			m.names[definition.Child("name").Text()] = true
		case "class_definition":
			m.names[definition.Child("name").Text()] = true
		case "expression_statement":
			for _, assignment := range definition.Children() {
				if assignment.Kind == "assignment" {
					bind(assignment.Child("left"), m.names)
				}
			}
		}
	}
	for queue := root.Children(); len(queue) > 0 && m.inner.IsZero(); queue = queue[1:] {
		if queue[0].Kind == "function_definition" && !isAsync(queue[0]) && !slices.ContainsFunc(m.functions, func(f function) bool { return f.node == queue[0] }) {
			m.inner = queue[0]
		}
		queue = append(queue, queue[0].Children()...)
	}
	return m
}

func isAsync(definition python.Node) bool {
	return bytes.HasPrefix(definition.Bytes(), []byte("async"))
}

// fault returns why the code surely fails.
func (m *module) fault(wanted string) string {
	first := slices.IndexFunc(m.functions, func(f function) bool { return !f.isAsync })
	isWanted := slices.IndexFunc(m.functions, func(f function) bool { return f.name == wanted })
	switch {
	case first < 0 && m.inner.IsZero() && len(m.functions) > 0:
		return "the function is async, and Maze does not await: it finds no function here; write it without async, with asyncio.run inside"
	case first < 0 && m.inner.IsZero():
		return "the code defines no function, and Maze runs the first one of it; write a def that returns a dict"
	case first < 0:
		return "Maze runs the function " + quote(m.inner.Child("name").Text()) + ", the first that is not async, although it is inside of something else; " +
			"write the one that is meant first, without async"
	case isWanted >= 0 && isWanted != first:
		return "Maze runs the first function, " + quote(m.functions[first].name) + ", not " + quote(wanted) +
			"; move what it needs into the function " + quote(wanted)
	}
	f := m.functions[first]
	if isWanted < 0 {
		for _, later := range m.functions[first+1:] {
			if names := namesIn(later.wholly); names.read[f.name] && !namesIn(f.wholly).read[later.name] {
				return "Maze runs the first function, " + quote(f.name) + ", which another one, " + quote(later.name) + ", needs; move it into that function"
			}
		}
	}
	names := namesIn(f.wholly)
	for _, name := range names.order {
		if m.names[name] && name != f.name && !names.bound[name] {
			return "Maze runs nothing but the imports and the function " + quote(f.name) + ", so " + quote(name) + " is not defined; move it into the function"
		}
	}
	return f.ownFault()
}

// ownFault returns why a function alone surely fails.
func (f function) ownFault() string {
	parameters := f.node.Child("parameters").All()
	if slices.ContainsFunc(parameters, func(p python.Node) bool { return p.Kind == "positional_separator" }) {
		return "Maze passes arguments by name, and those before / in the function " + quote(f.name) + " cannot be; remove the /"
	}
	r := returns{}
	r.collect(f.node.Child("body"))
	const only = ", and Maze takes only a dict with the outputs; return one"
	switch {
	case r.yields:
		return "the function " + quote(f.name) + " is a generator" + only
	case len(r.values) == 0 && !r.raises:
		return "the function " + quote(f.name) + " returns nothing" + only
	case len(r.values) > 0 && !slices.ContainsFunc(r.values, func(v python.Node) bool { return !isNoDict(v) }):
		return "the function " + quote(f.name) + " returns " + clip(strings.Join(strings.Fields(r.values[0].Text()), " ")) + only
	}
	return ""
}

// returns are what a function returns, those inside of it left out.
type returns struct {
	values         []python.Node
	yields, raises bool
}

func (r *returns) collect(n python.Node) {
	for _, child := range n.Children() {
		switch child.Kind {
		case "function_definition", "class_definition", "lambda", "decorated_definition":
			continue
		case "return_statement":
			value := child // a bare one
			if inner := child.Children(); len(inner) > 0 {
				value = inner[0]
			}
			r.values = append(r.values, value)
		case "yield":
			r.yields = true
		case "raise_statement":
			r.raises = true
		}
		r.collect(child)
	}
}

// noDicts are the kinds of expressions whose value is never a dict.
var noDicts = []string{
	"return_statement", "string", "concatenated_string", "integer", "float", "true", "false", "none", "list", "tuple", "set", "expression_list",
	"list_comprehension", "set_comprehension", "generator_expression", "comparison_operator", "not_operator", "lambda",
}

// isNoDict reports whether an expression surely is no dict.
func isNoDict(v python.Node) bool {
	inner := v.Children()
	switch {
	case v.Kind == "parenthesized_expression" && len(inner) == 1:
		return isNoDict(inner[0])
	case v.Kind == "conditional_expression" && len(inner) == 3:
		return isNoDict(inner[0]) && isNoDict(inner[2])
	}
	return slices.Contains(noDicts, v.Kind)
}

// usage is which names a piece of code reads and binds. What is bound anywhere in it counts as its own.
type usage struct {
	read, bound map[string]bool
	order       []string
}

func namesIn(n python.Node) usage {
	u := usage{read: map[string]bool{}, bound: map[string]bool{}}
	u.collect(n)
	return u
}

func (u *usage) collect(n python.Node) {
	children := n.All()
	switch n.Kind {
	case "identifier":
		if name := n.Text(); !u.read[name] {
			u.read[name] = true
			u.order = append(u.order, name)
		}
		return
	case "attribute":
		u.collect(python.Child(children, "object"))
		return
	case "keyword_argument":
		u.collect(python.Child(children, "value"))
		return
	case "assignment", "augmented_assignment", "for_statement", "for_in_clause":
		bind(python.Child(children, "left"), u.bound)
	case "named_expression", "function_definition", "class_definition":
		bind(python.Child(children, "name"), u.bound)
	case "parameters", "lambda_parameters", "as_pattern_target", "global_statement", "nonlocal_statement", "case_pattern", "delete_statement":
		bind(n, u.bound)
	}
	for _, child := range children {
		u.collect(child)
	}
}

// bind notes the names that a target binds. Of a parameter it also notes those in its default and its annotation, which only makes
// less be told.
func bind(target python.Node, names map[string]bool) {
	if target.Kind == "identifier" {
		names[target.Text()] = true
		return
	}
	if target.Kind == "attribute" || target.Kind == "subscript" {
		return
	}
	for _, child := range target.Children() {
		bind(child, names)
	}
}

// maxQuoted is how much of a text a message repeats, in characters.
const maxQuoted = 60

func quote(name string) string { return strconv.Quote(clip(name)) }

func clip(s string) string { return text.ClipCharacters(s, maxQuoted) }
