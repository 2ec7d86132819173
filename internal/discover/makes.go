package discover

import (
	"bytes"
	"slices"

	"github.com/maze-agent/maregister/internal/discover/imports"
	"github.com/maze-agent/maregister/internal/discover/syntax"
)

// importWord is in each statement that imports something.
var importWord = newNeedle([]byte("import"))

// findImports looks for the word import once, as most files name none of the packages, and then at each statement that has it. It reports
// whether the file imports one of the packages that have decorators, and otherwise whether it gives imported names new ones, and one to a
// decorator.
func (s *Searcher) findImports(source []byte) (library, renames, decorator bool) {
	for from := 0; ; {
		at := importWord.index(source, from)
		if at < 0 {
			return false, renames, decorator
		}
		statement, end := statementAt(source, from, at)
		if slices.ContainsFunc(s.libraries, func(library []byte) bool { return hasName(statement, library) }) {
			return true, true, true
		}
		if bytes.HasPrefix(bytes.TrimLeft(statement, syntax.Blanks), []byte("from")) {
			isOpen := bytes.IndexByte(statement, '(') >= 0
			renames = renames || isOpen || bytes.Contains(statement, []byte(" as "))
			if isOpen && bytes.IndexByte(statement, ')') < 0 {
				rest, _, _ := bytes.Cut(source[at:min(len(source), at+maxImport)], []byte(")"))
				statement = rest
			}
			decorator = decorator || s.renamesDecorator(statement)
		}
		from = max(end, at+1)
	}
}

// maxImport, in bytes, is how much is looked at of an import over lines.
const maxImport = 2000

// renamesDecorator reports whether an import gives a decorator another name.
func (s *Searcher) renamesDecorator(statement []byte) bool {
	for {
		before, rest, ok := bytes.Cut(statement, []byte(" as "))
		if !ok {
			return false
		}
		if s.words[string(trailingName(bytes.TrimRight(before, syntax.Blanks)))] {
			return true
		}
		statement = rest
	}
}

// statementAt returns the line that has an offset, with those that backslashes join to it, but nothing before from. It returns the end, too.
func statementAt(source []byte, from, at int) (statement []byte, end int) {
	start := at
	for {
		start = from + bytes.LastIndexAny(source[from:start], "\r\n") + 1
		before := bytes.TrimRight(source[from:start], "\r\n")
		if len(before) == start-from || !bytes.HasSuffix(before, []byte("\\")) {
			break
		}
		start = from + len(before)
	}
	for end = at; ; {
		line := syntax.ToLineEnd(source[end:])
		end += len(line)
		if end >= len(source) || !bytes.HasSuffix(line, []byte("\\")) {
			return source[start:end], end
		}
		if end++; end < len(source) && source[end-1] == '\r' && source[end] == '\n' {
			end++
		}
	}
}

// hasName reports whether a text has what begins with a name, where no other name goes on.
func hasName(text, name []byte) bool {
	for from := 0; ; {
		at := bytes.Index(text[from:], name)
		if at < 0 {
			return false
		}
		if !endsInName(text[:from+at]) {
			return true
		}
		from += at + 1
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
