package discover

import (
	"bytes"
	"errors"
	"regexp"
	"strings"

	"github.com/maze-agent/maregister/internal/discover/python"
	"github.com/maze-agent/maregister/internal/finding"
)

// pyModule is what a Python file declares at its top level, as far as discovery needs it.
type pyModule struct {
	// path is relative to the package root, with slashes. name is dotted.
	path, name string
	// problem says why the file could not be read as Python. It is nil if it could.
	problem *finding.Finding

	// bindings are what each name is bound to, in the order of the source.
	bindings  map[string][]*binding
	functions []*function
	// wildcards are the modules of which all names are imported, as they stand behind "from".
	wildcards []string
}

// binding is what a name is bound to.
type binding struct {
	at finding.Position
	// conditional says that it depends on how the code runs whether the name is bound so.
	conditional bool
	// One of these at most is set. None is for what is not known.
	value    *expr
	imported *imported
	function *function
	class    *class
}

// place returns where what is bound begins, as far as that is known.
func (b *binding) place() finding.Position {
	if b.function != nil {
		return b.function.at
	}
	return b.at
}

// imported is what an import statement binds a name to, as it is written.
type imported struct {
	// module may begin with dots.
	module string
	// name is what is taken from the module. It is empty for the module itself.
	name  string
	alias string
}

// bound returns the name that is bound: import a.b binds a.
func (i *imported) bound() string {
	switch {
	case i.alias != "":
		return i.alias
	case i.name != "":
		return i.name
	default:
		first, _, _ := strings.Cut(i.module, ".")
		return first
	}
}

// function is a decorated function.
type function struct {
	name       string
	at         finding.Position
	decorators []*expr
	parameters []parameter
	returns    *expr
	doc        string
	digest     string
	// outputs are the keys of what it returns; nil if it returns nothing. outputsUnknown says why they are not known, at outputsAt.
	outputs        []string
	outputsUnknown string
	outputsAt      finding.Position
	// unfit says why it is no function that Maze can run as a task: it is a method, for instance.
	unfit string
}

// parameter is one of a function.
type parameter struct {
	name       string
	at         finding.Position
	annotation *expr
	// fallback is the default.
	fallback *expr
	// special is "*", "**" or "/", for those that cannot be passed by name.
	special string
}

// class is one that may describe a dict or an object: a TypedDict, or a dataclass.
type class struct {
	name       string
	at         finding.Position
	bases      *expr // a call of the class statement's arguments
	decorators []*expr
	fields     []parameter
}

// moduleParser makes modules. It is not safe for concurrent use.
type moduleParser struct {
	python *python.Parser
	// wanted reports whether a function with a decorator is to be read.
	wanted func(m *pyModule, decorator *expr) bool
}

// newModuleParser returns a parser that reads those decorated functions that are wanted by one of their decorators.
func newModuleParser(wanted func(m *pyModule, decorator *expr) bool) *moduleParser {
	return &moduleParser{python.NewParser(), wanted}
}

// parse reads a file.
func (p *moduleParser) parse(path, module string, source []byte) *pyModule {
	m := &pyModule{path: path, name: module, bindings: map[string][]*binding{}}
	if len(source) > MaxSource {
		return m.refuse(finding.Unreadable, finding.Position{}, "it has %d bytes, and at most %d are read: no source is so large", len(source), MaxSource)
	}
	text, err := decode(source)
	if err != nil {
		return m.refuse(finding.WrongEncoding, finding.Position{}, "%v", err)
	}
	places := newPlaces(text)
	err = p.python.Read(text, func(tree *python.Tree) {
		if offset, what := notPython3(tree); what != "" {
			m.refuse(finding.SyntaxError, places.at(offset), "%s", what)
			return
		}
		s := &scanner{module: m, wanted: p.wanted, reader: &reader{places: places}}
		s.block(tree.Root(), topLevel)
		s.finish(text)
	})
	if err == nil {
		return m
	}
	m = &pyModule{path: path, name: module} // nothing of what was read before
	if wrong, ok := errors.AsType[*python.SyntaxError](err); ok {
		return m.refuse(finding.SyntaxError, places.at(wrong.Offset),
			"near here, this is not Python 3 (as of 3.12), so Python would run nothing of the file: correct it")
	}
	return m.refuse(finding.Unreadable, finding.Position{}, "%v: split it", err)
}

func (m *pyModule) refuse(rule string, at finding.Position, format string, args ...any) *pyModule {
	problem := finding.New(rule, m.path, at, "", format, args...)
	m.problem = &problem
	return m
}

// globalNames are what may follow "global".
var globalNames = regexp.MustCompile(`^[ \t]+([\pL_][\pL\pN_, \t]*)`)

// finish looks at the whole module once all of its top level is known.
func (s *scanner) finish(text []byte) {
	for {
		_, rest, ok := bytes.Cut(text, []byte("global"))
		if !ok {
			break
		}
		if match := globalNames.FindSubmatch(toLineEnd(rest)); match != nil {
			for _, name := range strings.Split(string(match[1]), ",") {
				s.bind(strings.TrimSpace(name), &binding{conditional: true})
			}
		}
		text = rest
	}
	for _, pending := range s.pending {
		s.read(pending)
	}
}
