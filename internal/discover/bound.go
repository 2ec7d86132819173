package discover

import (
	"bytes"
	"slices"

	"github.com/maze-agent/maregister/internal/discover/syntax"
)

const (
	// maxBound is how many names of a file may be those of decorators.
	maxBound = 100
	// maxPasses is how often a file is looked at for names that are bound to names which it binds itself.
	maxPasses = 5
)

// binder finds the names that a file may bind to decorators, line by line. It takes no notice of strings and comments, and so finds too many.
type binder struct {
	*finder
	// imported are names that are imported, and library those that an import of one of the packages of decorators has.
	imported, library map[string]bool
	// isBound and bound are the names that may be decorators.
	isBound map[string]bool
	bound   []string

	// targets are what the current statement binds. It may go on: it is open, an import, or the indented lines belong to it.
	targets                 []string
	open, importing, isMaze bool
	// inBrackets means that the names of an import go on to a bracket.
	inBrackets bool
	// original is the last name of an import, and renames means that another one follows for it.
	original []byte
	renames  bool
	// compound means that the indented lines are statements of the module, and local that they are those of a definition.
	compound, local bool
	// definition is the last function of the module.
	definition string
}

// boundNames returns the names that the file may bind to decorators. It reports whether these are all: a file may have too many of them.
func (f *finder) boundNames() (names []string, all bool) {
	b := binder{finder: f, imported: map[string]bool{}, library: map[string]bool{}, isBound: map[string]bool{}}
	for range maxPasses {
		known := len(b.bound) + len(b.library) + len(b.imported)
		b.pass()
		switch {
		case len(b.bound) > maxBound:
			return nil, false
		case len(b.bound)+len(b.library)+len(b.imported) == known:
			return b.bound, true
		}
	}
	return nil, false
}

// pass looks at each line of the file.
func (b *binder) pass() {
	b.targets, b.definition = nil, ""
	b.open, b.importing, b.compound, b.local = false, false, false, false
	for rest := b.source; len(rest) > 0 && len(b.bound) <= maxBound; {
		line := syntax.ToLineEnd(rest)
		rest = rest[min(len(line)+1, len(rest)):]
		isIndented := len(line) > 0 && bytes.IndexByte([]byte(syntax.Blanks), line[0]) >= 0
		for len(line) > 0 {
			part, others, _ := bytes.Cut(line, []byte(";"))
			b.part(bytes.TrimLeft(part, syntax.Blanks), isIndented)
			line = others
		}
	}
}

// compounds are the words that begin statements with others in them, but for definitions.
var compounds = []string{"if", "elif", "else", "try", "except", "finally", "for", "while", "with", "match", "case"}

// part looks at a line, or a part of it that may be a statement.
func (b *binder) part(text []byte, isIndented bool) {
	if len(text) == 0 || text[0] == '#' {
		return
	}
	first, goesOn := leadingName(text), b.open
	switch word := string(first); {
	case b.importing && bytes.IndexByte(text, '=') < 0:
		b.imports(text)
		return
	case b.open: // the statement goes on
	case word == "from" || word == "import":
		b.targets, b.isMaze, b.inBrackets, b.original, b.renames = nil, false, false, nil, false
		b.compound, b.local = b.compound && isIndented, b.local && isIndented
		b.imports(text)
		return
	case text[0] == '@':
		b.targets, b.local = nil, b.local && isIndented
		return
	case isIndented && (b.local || !b.compound): // of a definition, or the statement goes on
	case word == "def" || word == "class" || word == "async":
		b.define(text, isIndented)
		return
	case slices.Contains(compounds, word):
		b.compound, b.local = true, false
		b.targets = appendTargets(nil, text)
	case len(first) > 0 || bytes.IndexByte([]byte("([*"), text[0]) >= 0:
		b.compound, b.local = b.compound && isIndented, false
		b.targets = appendTargets(nil, text)
	}
	b.open = staysOpen(text)
	if at := assignmentAt(text); len(b.targets) > 0 && at >= 0 && !goesOn {
		text = text[at+1:]
	}
	binds, calls := b.mentions(text)
	if binds {
		b.bind(b.targets...)
	}
	if calls && isIndented {
		b.bind(b.definition)
	}
}

// define begins a definition. What is indented below one of the module belongs to it.
func (b *binder) define(text []byte, isIndented bool) {
	b.targets, b.definition, b.local, b.open = nil, "", !isIndented, false
	b.compound = b.compound && isIndented
	text = bytes.TrimLeft(bytes.TrimPrefix(text, []byte("async")), syntax.Blanks)
	rest, ok := bytes.CutPrefix(text, []byte("def"))
	if !ok {
		return
	}
	rest = bytes.TrimLeft(rest, syntax.Blanks)
	name := leadingName(rest)
	b.definition = string(name)
	if _, calls := b.mentions(rest[len(name):]); calls {
		b.bind(b.definition)
	}
}

// imports looks at a part of an import. Each name in it is taken for one that is imported.
func (b *binder) imports(text []byte) {
	text, _, _ = bytes.Cut(text, []byte("#"))
	b.isMaze = b.isMaze || slices.ContainsFunc(b.libraries, func(library []byte) bool { return hasName(text, library) })
	b.inBrackets = (b.inBrackets || bytes.IndexByte(text, '(') >= 0) && bytes.IndexByte(text, ')') < 0
	b.importing = b.inBrackets || bytes.HasSuffix(text, []byte("\\"))
	for len(text) > 0 {
		name := leadingName(text)
		text = text[max(len(name), 1):]
		switch word := string(name); {
		case word == "" || word == "from" || word == "import":
			continue
		case word == "as":
			b.renames = true
			continue
		case b.renames && b.isDecorator(b.original):
			b.bind(word)
			fallthrough
		default:
			b.imported[word] = true
			if b.isMaze {
				b.library[word] = true
			}
			b.original, b.renames = name, false
		}
	}
}

// bind notes names that may be decorators. Those that are known as such are none.
func (b *binder) bind(names ...string) {
	for _, name := range names {
		if name != "" && !b.isBound[name] && !b.isDecorator([]byte(name)) {
			b.isBound[name] = true
			b.bound = append(b.bound, name)
		}
	}
}

// isDecorator reports whether a name is that of a decorator, or bound to one.
func (b *binder) isDecorator(name []byte) bool {
	return b.isBound[string(name)] || b.words[string(name)]
}

// mentions reports whether a value may be a decorator, or what a name of the library makes, and whether a decorator is called in it or handed on.
func (b *binder) mentions(text []byte) (binds, calls bool) {
	partial := bytes.Contains(text, []byte("partial"))
	owned := true       // whether the names before a dot may be those of the library
	before := byte('.') // a line may begin with one
	for i := 0; i < len(text); {
		name := leadingName(text[i:])
		if len(name) == 0 {
			switch text[i] {
			case ')', ']':
				owned = true
			case '"', '\'':
				owned = false
			}
			if bytes.IndexByte([]byte(syntax.Blanks), text[i]) < 0 {
				before = text[i]
			}
			i++
			continue
		}
		isMember := before == '.' && i > 0
		quoted := i > 0 && (text[i-1] == '"' || text[i-1] == '\'')
		i += len(name)
		found := b.isDecorator(name) && (isMember || b.isBound[string(name)] || !bytes.HasPrefix(text[i:], []byte("."))) // not io.StringIO
		if !isMember {
			owned = found || b.imported[string(name)] || b.library[string(name)]
			binds = binds || b.library[string(name)] && !quoted
		}
		if before = name[len(name)-1]; found && owned && !quoted {
			binds = true
			calls = calls || bytes.HasPrefix(bytes.TrimLeft(text[i:], syntax.Blanks), []byte("(")) || partial
		}
	}
	return binds, calls
}

// appendTargets adds the names that a statement binds, as far as its first line tells.
func appendTargets(names []string, text []byte) []string {
	isCompound := slices.Contains(compounds, string(leadingName(text)))
	at := assignmentAt(text)
	if at < 0 {
		if name := leadingName(text); !isCompound && bytes.HasPrefix(bytes.TrimLeft(text[len(name):], syntax.Blanks), []byte(":")) {
			return append(names, string(name)) // the = may follow in another line
		}
		return names
	}
	before, value := text[:at], text[at+1:]
	colon := bytes.LastIndexByte(before, ':')
	switch {
	case colon >= 0 && len(bytes.TrimSpace(before[colon+1:])) == 0: // :=
		return append(names, string(trailingName(bytes.TrimRight(before[:colon], syntax.Blanks))))
	case colon >= 0 && isCompound:
		before = before[colon+1:]
	case colon >= 0:
		before = leadingName(before)
	}
	for {
		if call := bytes.IndexByte(before, '('); call > 0 && endsInName(bytes.TrimRight(before[:call], syntax.Blanks)) {
			return names
		}
		for len(before) > 0 && len(names) <= maxBound {
			name := leadingName(before)
			if before = before[max(len(name), 1):]; len(name) > 0 {
				names = append(names, string(name))
			}
		}
		at = assignmentAt(value) // a = b = task
		if at < 0 || bytes.ContainsAny(value[:at], "({\"'#:") {
			return names
		}
		before, value = value[:at], value[at+1:]
	}
}

// assignmentAt returns where the first = of a text is that assigns, or gives an argument. It returns -1 if there is none.
func assignmentAt(text []byte) int {
	for from := 0; ; {
		next := bytes.IndexByte(text[from:], '=')
		if next < 0 {
			return -1
		}
		at := from + next
		if at+1 < len(text) && text[at+1] == '=' {
			from = at + 2
			continue
		}
		if at == 0 || bytes.IndexByte([]byte("<>!"), text[at-1]) < 0 {
			return at
		}
		from = at + 1
	}
}

// staysOpen reports whether a statement goes on in the next line, as far as its last character tells, with or without a comment.
func staysOpen(text []byte) bool {
	code, _, _ := bytes.Cut(text, []byte("#"))
	return slices.ContainsFunc([][]byte{text, code}, func(text []byte) bool {
		text = bytes.TrimRight(text, syntax.Blanks)
		return len(text) > 0 && bytes.IndexByte([]byte("([{,\\="), text[len(text)-1]) >= 0
	})
}
