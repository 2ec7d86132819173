// Package syntax reads Python sources: text becomes a syntax tree, and the tree a Module, which holds what a file binds at its top
// level as expressions with their positions. It looks at one file at a time, and evaluates nothing.
package syntax

import (
	"bytes"
	"cmp"
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/maze-agent/maregister/internal/discover/python"
	"github.com/maze-agent/maregister/internal/finding"
	plaintext "github.com/maze-agent/maregister/internal/text"
)

// Module is what a Python file declares at its top level, as far as discovery needs it.
type Module struct {
	// Path is relative to the package root, with slashes. Name is dotted.
	Path, Name string
	// Problem says why the file could not be read as Python. It is nil if it could.
	Problem *finding.Finding
	// Ignores is what the comments of the file silence, also where it could not be read.
	Ignores []finding.Ignore
	// TooHard means that the problem is how large or intricate it is, which a parser with more memory may be able to read.
	TooHard bool

	// Bindings holds what each name is bound to, in the order of the source.
	Bindings  map[string][]*Binding
	Functions []*Function
	// Calls are assignments of what a wanted decorator returns for a function without decorators, as in f = task(f).
	Calls []*Assigned
	// Wildcards are the modules of which all names are imported, as they stand behind "from".
	Wildcards []string
}

// Binding is one of the things that a name is bound to.
type Binding struct {
	At finding.Position
	// Conditional means that it depends on how the code runs whether the name is bound so.
	Conditional bool
	// At most one of these is set. None is set if it is not known what the name is bound to.
	Value    *Expr
	Imported *Import
	Function *Function
	Class    *Class
	// Plain is set for a function without decorators.
	Plain *Plain
}

// Plain is a function without decorators: one that others may be decorated with, or that is decorated by a call.
type Plain struct {
	// Makes holds the values that it returns or assigns.
	Makes []*Expr
}

// Position returns where what is bound begins, or else where the name stands.
func (b *Binding) Position() finding.Position {
	if b.Function != nil {
		return b.Function.At
	}
	return b.At
}

// Import is what an import statement binds a name to, as it is written.
type Import struct {
	// Module is the name behind "from" or "import". Behind "from", it may begin with dots.
	Module string
	// Name is what is taken from the module. It is empty for the module itself.
	Name string
	// Alias is the name behind "as". It is empty without one.
	Alias string
}

// Bound returns the name that is bound: import a.b binds a.
func (i *Import) Bound() string {
	switch {
	case i.Alias != "":
		return i.Alias
	case i.Name != "":
		return i.Name
	default:
		first, _, _ := strings.Cut(i.Module, ".")
		return first
	}
}

// Function is a decorated function.
type Function struct {
	Name       string
	At         finding.Position
	Decorators []*Expr
	Parameters []Parameter
	// Returns is the annotation of what it returns. It is nil without one.
	Returns *Expr
	// Doc is the docstring.
	Doc string
	// Digest is that of the source, decorators included, such as sha256:12ab.
	Digest   string
	Returned Returned
	// IsClass says that it is a decorated class instead.
	IsClass bool
	IsAsync bool
	// Within names what it is a part of, such as "the class Tools". It is empty at the top level.
	Within string
	// Scope holds the names that what it is a part of binds. It is nil at the top level.
	Scope *Scope
}

// Assigned is a name with the call that its value is.
type Assigned struct {
	Name string
	*Binding
}

// Parameter is one of a function, or a field of a class.
type Parameter struct {
	Name       string
	At         finding.Position
	Annotation *Expr
	// Fallback is the default. It is nil without one.
	Fallback *Expr
	// Special is "*", "**" or "/" for a parameter that cannot be passed by name.
	Special string
}

// Class is one that may describe a dict or an object: a TypedDict, or a dataclass.
type Class struct {
	Name string
	At   finding.Position
	// Bases is a call with the class statement's arguments. It is nil without any.
	Bases      *Expr
	Decorators []*Expr
	// Fields are the names with an annotation.
	Fields []Parameter
}

// Parser makes modules. It is not safe for concurrent use.
type Parser struct {
	python *python.Parser
	// wanted reports whether a function with a decorator is to be read.
	wanted Wanted
}

// Wanted reports whether a decorator makes a function one that is to be read. f is nil where a function is decorated by a call.
type Wanted func(m *Module, f *Function, decorator *Expr) bool

// NewParser returns a parser that reads those decorated functions that are wanted by one of their decorators.
func NewParser(wanted Wanted) *Parser {
	return &Parser{python.NewParser(), wanted}
}

// Reserve has the parser hold the memory that the hardest source may take.
func (p *Parser) Reserve() { p.python.Reserve() }

// Limit bounds the memory that a source may take.
func (p *Parser) Limit(size int) { p.python.Limit(size) }

// Parse returns the module of a file. path is relative to the package root, with slashes; module is its dotted name.
func (p *Parser) Parse(path, module string, source []byte) *Module {
	m := &Module{Path: path, Name: module, Bindings: map[string][]*Binding{}}
	if len(source) > MaxSource {
		return m.refuse(finding.Unreadable, finding.Position{}, "it has %d bytes, and at most %d are read: no source is so large", len(source), MaxSource)
	}
	text, err := decode(source)
	if err != nil {
		return m.refuse(finding.WrongEncoding, finding.Position{}, "%v", err)
	}
	m.Ignores = ignoresIn(path, text)
	if tooManyContinuations(text) {
		return m.refuse(finding.Unreadable, finding.Position{}, "it has so many lines in a row with nothing but a backslash that it would take too long: "+
			"take them away")
	}
	positions := plaintext.NewPositions(text)
	err = p.python.Read(text, func(tree *python.Tree) {
		if offset, what := notPython3(tree); what != "" {
			m.refuse(finding.SyntaxError, positions.At(offset), "%s", what)
			return
		}
		s := &scanner{module: m, wanted: p.wanted, reader: &reader{positions: positions}}
		s.block(tree.Root(), topLevel)
		s.finish(text)
	})
	if err == nil {
		return m
	}
	m = &Module{Path: path, Name: module, Ignores: m.Ignores} // nothing else of what was read before
	if wrong, ok := errors.AsType[*python.SyntaxError](err); ok {
		return m.refuse(finding.SyntaxError, positions.At(wrong.Offset),
			"near here, this is not Python 3 (as of 3.12), so Python would run nothing of the file: correct it")
	}
	m.TooHard = errors.Is(err, python.ErrTooHard)
	return m.refuse(finding.Unreadable, finding.Position{}, "%v: split it", err)
}

// refuse notes why the file cannot be read.
func (m *Module) refuse(rule string, at finding.Position, format string, args ...any) *Module {
	problem := finding.New(rule, m.Path, at, "", format, args...)
	m.Problem = &problem
	return m
}

// globalNames are what may follow "global".
var globalNames = regexp.MustCompile(`^[ \t]+([\pL_][\pL\pN_, \t]*)`)

// finish reads what needs the whole top level: the names that functions change by "global", and the decorated functions.
func (s *scanner) finish(text []byte) {
	for {
		_, rest, ok := bytes.Cut(text, []byte("global"))
		if !ok {
			break
		}
		if match := globalNames.FindSubmatch(ToLineEnd(rest)); match != nil {
			for _, name := range strings.Split(string(match[1]), ",") {
				s.bind(strings.TrimSpace(name), &Binding{Conditional: true})
			}
		}
		text = rest
	}
	for _, pending := range s.pending {
		s.read(pending)
	}
	for name, bindings := range s.module.Bindings {
		for _, b := range bindings {
			if b.Value != nil && s.decorates(b.Value) {
				s.module.Calls = append(s.module.Calls, &Assigned{name, b})
			}
		}
	}
	slices.SortFunc(s.module.Calls, func(a, b *Assigned) int {
		return cmp.Or(cmp.Compare(a.At.Line, b.At.Line), cmp.Compare(a.At.Column, b.At.Column))
	})
}

// decorates reports whether a value is the call of a wanted decorator with a function that has no decorators.
func (s *scanner) decorates(value *Expr) bool {
	if value.Kind != Call || len(value.Operands) != 2 || value.Names[1] != "" || value.Operands[1].Kind != Name {
		return false
	}
	isPlain := func(b *Binding) bool { return b.Plain != nil }
	return slices.ContainsFunc(s.module.Bindings[value.Operands[1].Text], isPlain) && s.wanted(s.module, nil, value.Operands[0])
}
