package discover

import (
	"bytes"
	"slices"
	"unicode/utf8"

	"github.com/maze-agent/maregister/internal/discover/syntax"
)

// mentions reports whether the file may declare tasks: it has a decorator of one of Maze's names or of those that are claimed, of a name that
// the file itself binds to one of those, or keywords of Maze. A name that another file binds to one is not seen. decorates reports whether
// the file has any decorator.
func (f *finder) mentions() (mentions, decorates bool) {
	if isWide(f.source) {
		return true, true
	}
	roots, found := f.roots()
	if found || len(roots) == 0 {
		return found, found
	}
	f.imports = f.imports || f.importsTask()
	if hasTellingKeyword(f.source) || f.makesLocally(roots) {
		return true, true
	}
	for i := 0; i < len(roots) && i < maxRoots; i++ { // it may grow
		if roots, found = f.followName(roots, roots[i]); found {
			return true, true
		}
	}
	return len(roots) > maxRoots, true
}

// importTask is where a file imports what may be a decorator, or a module with it.
var importTask = newNeedle([]byte(" import task"))

// maxTaskImports is how many imports of what is named such as tasks are looked at. A file with more is taken for one that has decorators of it.
const maxTaskImports = 20

// importsTask reports whether a file imports a task from any package, or takes a decorator from what is named such as tasks.
func (f *finder) importsTask() bool {
	from := 0
	for range maxTaskImports {
		at := importTask.index(f.source, from)
		if at < 0 {
			return false
		}
		name := leadingName(f.source[at+len(" import "):])
		if f.isDecorator(name) || f.takesMember(name) {
			return true
		}
		from = at + len(importTask.text)
	}
	return true
}

// takesMember reports whether a file takes one of the decorators from what a name stands for.
func (f *finder) takesMember(name []byte) bool {
	wanted := newNeedle(slices.Concat(name, []byte(".")))
	for from := 0; ; {
		at := wanted.index(f.source, from)
		if at < 0 {
			return false
		}
		from = at + len(wanted.text)
		if f.isDecorator(leadingName(f.source[from:])) {
			return true
		}
	}
}

// makesLocally reports whether one of some names may be a decorator that the file makes of one of Maze's, which it imports.
func (f *finder) makesLocally(roots [][]byte) bool {
	if !f.imports {
		return false
	}
	names, all := f.bindings()
	return !all || slices.ContainsFunc(roots, func(root []byte) bool { return slices.Contains(names, string(root)) }) ||
		f.makes() && slices.ContainsFunc(roots, f.isLocal)
}

// maxRoots is how many names of a file are followed. A file with more decorators is read.
const maxRoots = 300

// tellingParts are the keywords that only Maze's decorators have, by a part that several have in common.
var tellingParts = []struct {
	part  needle
	names []string
}{
	{newNeedle([]byte("put_parameters")), []string{"input_parameters", "output_parameters"}},
	{newNeedle([]byte("task_")), []string{"task_type", "task_kind"}},
	{newNeedle([]byte("gpu_mem")), []string{"gpu_mem"}},
	{newNeedle([]byte("cpu_num")), []string{"cpu_num"}},
	{newNeedle([]byte("data_types")), []string{"data_types"}},
}

// hasTellingKeyword reports whether a file gives one of the keywords that only Maze's decorators have.
func hasTellingKeyword(source []byte) bool {
	for _, p := range tellingParts {
		if p.part.isIn(source) && givesKeyword(source, p.names...) {
			return true
		}
	}
	return false
}

// givesKeyword reports whether one of some names stands before an =.
func givesKeyword(source []byte, names ...string) bool {
	return slices.ContainsFunc(newNeedles(names...), func(name needle) bool {
		for from := 0; ; {
			at := name.index(source, from)
			if at < 0 {
				return false
			}
			from = at + len(name.text)
			if value := bytes.TrimLeft(source[from:], syntax.Blanks); len(value) > 0 && value[0] == '=' {
				return true
			}
		}
	})
}

// isWide reports whether a file is of an encoding in which names are not found. It is then read, to be refused.
func isWide(source []byte) bool {
	return bytes.HasPrefix(source, []byte("\xff\xfe")) || bytes.HasPrefix(source, []byte("\xfe\xff"))
}

const (
	// space is what may stand between the tokens of a statement that goes over lines.
	space = syntax.Blanks + "\\\r\n"
	// maxAnnotation, in bytes, is how far behind a name its = may be.
	maxAnnotation = 1000
	// maxBefore, in bytes, is how much is looked at of what stands before a name, such as functools.partial( or @maze.client.
	maxBefore = 200
)

// followName looks at each use of a name in a file. It reports whether the name is bound to one of Maze's decorators, and adds the
// names that it is bound to.
func (f *finder) followName(names [][]byte, name []byte) ([][]byte, bool) {
	source, wanted := f.source, newNeedle(name)
	for from := 0; ; {
		start := wanted.index(source, from)
		if start < 0 {
			return names, false
		}
		end := start + len(name)
		from = end
		if endsInName(source[:start]) || end < len(source) && isNameByte(source[end]) {
			continue
		}
		if f.renamed(source[:start]) {
			return names, true
		}
		other, found := f.assigned(end)
		if found {
			return names, true
		}
		if other != nil && syntax.StartsLine(source[:start]) {
			names = appendNew(names, other)
		}
	}
}

// roots returns the names that decorators begin with, or reports that one of them may be one of Maze's.
func (f *finder) roots() (roots [][]byte, found bool) {
	for from := 0; len(roots) <= maxRoots; from++ {
		at := bytes.IndexByte(f.source[from:], '@')
		if at < 0 {
			return roots, false
		}
		if from += at; !syntax.StartsLine(f.source[:from]) {
			continue
		}
		line := bytes.TrimLeft(syntax.ToLineEnd(f.source[from+1:]), syntax.Blanks)
		name := leadingName(line)
		if f.isDecorator(name) || f.hasMember(line) {
			return roots, true
		}
		if !isOverLines(line) {
			roots = appendNew(roots, name)
			continue
		}
		decorator, ends := untilDefinition(f.source[from:])
		if roots, found = f.appendNames(roots, decorator); found || !ends {
			return roots, true
		}
		from += len(decorator) - 1
	}
	return roots, true
}

// isOverLines reports whether any name of a decorator may be what it applies, and that may be in the lines after its first one.
func isOverLines(line []byte) bool {
	_, last, _ := dottedName(line)
	return string(last) == "partial" || bytes.HasPrefix(line, []byte("(")) || bytes.HasSuffix(line, []byte("\\"))
}

// maxDecorator, in bytes, is how long a decorator may be of which each name is looked at. A file with a longer one is read.
const maxDecorator = 4096

// untilDefinition returns a text up to the first line that begins a definition. It reports whether there is one near enough.
func untilDefinition(text []byte) ([]byte, bool) {
	for end := 0; end < min(len(text), maxDecorator); {
		line := syntax.ToLineEnd(text[end:])
		switch string(leadingName(bytes.TrimLeft(line, syntax.Blanks))) {
		case "def", "class", "async":
			return text[:end], true
		}
		end += len(line) + 1
	}
	return text, false
}

// appendNames adds each name in a text, or reports that one of them is that of a decorator.
func (f *finder) appendNames(names [][]byte, text []byte) ([][]byte, bool) {
	for len(text) > 0 {
		name := leadingName(text)
		if f.isDecorator(name) {
			return names, true
		}
		names = appendNew(names, name)
		text = text[max(len(name), 1):]
	}
	return names, false
}

// renamed reports whether a text ends in "task as", or another decorator's name.
func (f *finder) renamed(text []byte) bool {
	trimmed := bytes.TrimRight(text, space)
	before, ok := bytes.CutSuffix(trimmed, []byte("as"))
	return ok && len(trimmed) < len(text) && !endsInName(before) && f.isDecorator(trailingName(bytes.TrimRight(before, space)))
}

// assigned looks at what follows a name, which ends at end. It reports whether one of Maze's decorators is assigned to it, and returns
// another name that is.
func (f *finder) assigned(end int) (other []byte, found bool) {
	value := bytes.TrimLeft(f.source[end:], syntax.Blanks)
	if len(value) > 0 && value[0] == ':' { // an annotation, or :=
		value = value[max(0, bytes.IndexByte(syntax.ToLineEnd(value[:min(len(value), maxAnnotation)]), '=')):]
	}
	if len(value) < 2 || value[0] != '=' || value[1] == '=' {
		return nil, false
	}
	first, last, rest := dottedName(bytes.TrimLeft(value[1:], space+"("))
	switch {
	case len(rest) > 0 && rest[0] == '(' && string(last) == "partial":
		first, last, _ = dottedName(bytes.TrimLeft(rest[1:], space))
	case len(rest) > 0 && rest[0] == '(' && !f.imports, len(rest) > 0 && bytes.IndexByte([]byte("[{\"'"), rest[0]) >= 0: // only something of it, or a string
		return nil, false
	}
	return first, f.isDecorator(last)
}

// dottedName returns the first and the last part of the name that a text begins with, and what follows it.
func dottedName(text []byte) (first, last, rest []byte) {
	for {
		text = bytes.TrimLeft(text, syntax.Blanks)
		last = leadingName(text)
		if first == nil {
			first = last
		}
		rest = bytes.TrimLeft(text[len(last):], syntax.Blanks)
		if len(rest) == 0 || rest[0] != '.' {
			return first, last, rest
		}
		text = rest[1:]
	}
}

// hasMember reports whether one of Maze's decorators is taken from something in a line.
func (f *finder) hasMember(line []byte) bool {
	for {
		_, rest, ok := bytes.Cut(line, []byte("."))
		if !ok {
			return false
		}
		line = bytes.TrimLeft(rest, syntax.Blanks)
		if f.isDecorator(leadingName(line)) {
			return true
		}
	}
}

// makes reports whether the file calls one of the decorators where it does not decorate by it, or hands one to functools.partial.
func (f *finder) makes() bool {
	return slices.ContainsFunc(f.names, func(name needle) bool {
		for from := 0; ; {
			start := name.index(f.source, from)
			if start < 0 {
				return false
			}
			from = start + len(name.text)
			if !endsInName(f.source[:start]) && f.isMade(start, from) {
				return true
			}
		}
	})
}

// isMade reports whether a decorator's name that stands there is called, but not defined or used for decoration, or is handed to partial.
func (f *finder) isMade(start, end int) bool {
	near := f.source[max(0, start-maxBefore):start]
	before := bytes.TrimRight(near, syntax.Blanks+".abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789")
	if bytes.HasSuffix(before, []byte("partial(")) {
		return true
	}
	rest := bytes.TrimLeft(f.source[end:], syntax.Blanks)
	defined := bytes.HasSuffix(bytes.TrimRight(near, syntax.Blanks), []byte("def"))
	return len(rest) > 0 && rest[0] == '(' && !defined && !bytes.HasSuffix(before, []byte("@"))
}

// isLocal reports whether the file defines a name, or assigns to it.
func (f *finder) isLocal(name []byte) bool {
	wanted := newNeedle(name)
	for from := 0; ; {
		start := wanted.index(f.source, from)
		if start < 0 {
			return false
		}
		end := start + len(name)
		from = end
		if endsInName(f.source[:start]) || end < len(f.source) && isNameByte(f.source[end]) {
			continue
		}
		before, after := bytes.TrimRight(f.source[:start], syntax.Blanks), bytes.TrimLeft(f.source[end:], syntax.Blanks)
		if bytes.HasSuffix(before, []byte("def")) || len(after) > 0 && bytes.IndexByte([]byte("=,:"), after[0]) >= 0 {
			return true
		}
	}
}

func (f *finder) isDecorator(name []byte) bool { return f.words[string(name)] }

// appendNew adds a name, unless it is empty or there already.
func appendNew(names [][]byte, name []byte) [][]byte {
	if len(name) == 0 || slices.ContainsFunc(names, func(one []byte) bool { return bytes.Equal(one, name) }) {
		return names
	}
	return append(names, name)
}

func leadingName(text []byte) []byte {
	end := 0
	for end < len(text) && isNameByte(text[end]) {
		end++
	}
	return text[:end]
}

func trailingName(text []byte) []byte {
	start := len(text)
	for start > 0 && isNameByte(text[start-1]) {
		start--
	}
	return text[start:]
}

// endsInName reports whether a text ends in a name.
func endsInName(text []byte) bool { return len(text) > 0 && isNameByte(text[len(text)-1]) }

// isNameByte reports whether a byte may be part of a name: every byte beyond ASCII is taken for one.
func isNameByte(b byte) bool {
	return b == '_' || '0' <= b && b <= '9' || 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || b >= utf8.RuneSelf
}
