package discover

import (
	"bytes"
	"slices"

	"github.com/maze-agent/maregister/internal/discover/imports"
	"github.com/maze-agent/maregister/internal/discover/syntax"
)

// maxMade is how many names of a file may be those of decorators.
const maxMade = 100

// madeNames returns the names that the file may give decorators of its own, which other files import: from those of Maze, which it imports
// itself.
func (f *finder) madeNames() (names []string) {
	source, makes := f.source, f.makes()
	for rest := source; len(rest) > 0 && len(names) < maxMade; {
		line := syntax.ToLineEnd(rest)
		start := len(source) - len(rest)
		rest = rest[min(len(line)+1, len(rest)):]
		name, end := leadingName(line), 0
		switch {
		case string(name) == "def" && makes:
			name = leadingName(bytes.TrimLeft(line[len("def"):], syntax.Blanks))
		case string(name) == "from":
			names = f.appendRenamed(names, line)
			continue
		default:
			if end = start + len(name); !makes {
				if _, found := f.assigned(end); !found {
					continue
				}
			} else if value := bytes.TrimLeft(source[end:], syntax.Blanks); len(value) == 0 || bytes.IndexByte([]byte("=:,"), value[0]) < 0 {
				continue
			}
		}
		if len(name) > 0 && !slices.Contains(names, string(name)) && !f.isDecorator(name) {
			names = append(names, string(name))
		}
	}
	return names
}

// appendRenamed adds the names that an import statement gives to decorators.
func (f *finder) appendRenamed(names []string, line []byte) []string {
	for {
		before, rest, ok := bytes.Cut(line, []byte(" as "))
		if !ok {
			return names
		}
		name := string(leadingName(bytes.TrimLeft(rest, syntax.Blanks)))
		if f.isDecorator(trailingName(bytes.TrimRight(before, syntax.Blanks))) && !slices.Contains(names, name) {
			names = append(names, name)
		}
		line = rest
	}
}

// importWord is in each line that imports something.
var importWord = newNeedle([]byte("import "))

// importsLibrary reports whether a file imports one of the packages that have decorators. It looks for the word import once, as most files
// name none of the packages, and then at each line that has it.
func (s *Searcher) importsLibrary(source []byte) bool {
	for from := 0; ; {
		at := importWord.index(source, from)
		if at < 0 {
			return false
		}
		before := source[from:at]
		start := from + max(bytes.LastIndexByte(before, '\n'), bytes.LastIndexByte(before, '\r')) + 1
		line := syntax.ToLineEnd(source[start:])
		if slices.ContainsFunc(s.libraries, func(library []byte) bool { return bytes.Contains(line, library) }) {
			return true
		}
		from = max(start+len(line), at+1)
	}
}

// roots returns the packages of the decorators that users name.
func (c Claims) roots() []string {
	var roots []string
	for _, d := range c {
		if root := imports.Root(d.Module); root != "" {
			roots = append(roots, root)
		}
	}
	return roots
}

// AlsoNamed returns claims by which decorators of further names are looked at. It claims nothing more: a Link with it finds the same.
func (c Claims) AlsoNamed(names []string) Claims {
	wider := slices.Clone(c)
	for _, name := range names {
		wider = append(wider, Decorator{Name: name})
	}
	return wider
}
