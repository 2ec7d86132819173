package discover

import "slices"

// Searcher searches sources for what may declare tasks. It does not parse them: it only looks at the bytes, and finds rather too much. It is safe
// for concurrent use.
type Searcher struct {
	// names are those of the decorators that may declare tasks.
	names []needle
	// words are the same names.
	words map[string]bool
	// libraries are the names of the packages that have them.
	libraries [][]byte
	// isWider means that there are names that AlsoNamed added, which any file may import.
	isWider bool
}

// NewSearcher returns a searcher that knows Maze's decorators and those that are claimed.
func NewSearcher(claims Claims) *Searcher {
	names := claims.names()
	s := &Searcher{names: newNeedles(names...), words: make(map[string]bool, len(names))}
	for _, name := range names {
		s.words[name] = true
	}
	s.isWider = slices.ContainsFunc(claims, func(d Decorator) bool { return d.Module == "" })
	for _, root := range slices.Concat(mazeRoots, claims.roots()) {
		s.libraries = append(s.libraries, []byte(root))
	}
	return s
}

// Sighting is what a search finds in a file.
type Sighting struct {
	// Mentions means that the file may declare tasks.
	Mentions bool
	// Makes are the names that the file may give decorators of its own, which other files import.
	Makes []string
	// MakesMore means that it may give more of them, which are not among Makes.
	MakesMore bool
	// MayImport means that a name of another file can make a difference: with it among the claims, a search may find more.
	MayImport bool
}

// Search searches a file.
func (s *Searcher) Search(source []byte) Sighting {
	f := finder{Searcher: s, source: source}
	library, renames, decorator := s.findImports(source)
	f.imports = library || s.isWider
	found := Sighting{MayImport: library || renames}
	if library || decorator || renames && len(s.names) > len(decorators) {
		names, all := f.bindings()
		found.Makes, found.MakesMore = names, !all
	}
	var decorates bool
	found.Mentions, decorates = f.mentions()
	found.MayImport = found.MayImport || decorates
	return found
}

// Names are names to look for.
type Names []needle

// NewNames returns names that are not empty.
func NewNames(names []string) Names { return newNeedles(names...) }

// In reports whether a source has one of the names.
func (n Names) In(source []byte) bool {
	return slices.ContainsFunc(n, func(name needle) bool {
		for from := 0; ; {
			at := name.index(source, from)
			if at < 0 {
				return false
			}
			if from = at + len(name.text); !endsInName(source[:at]) && (from == len(source) || !isNameByte(source[from])) {
				return true
			}
		}
	})
}

// finder searches one file.
type finder struct {
	*Searcher
	source []byte
	// imports means that the file may import one of the decorators.
	imports bool
	// bound is what boundNames returned, once it was asked.
	bound struct {
		asked, all bool
		names      []string
	}
}

// bindings returns what boundNames does, for which it asks once.
func (f *finder) bindings() (names []string, all bool) {
	if !f.bound.asked {
		f.bound.names, f.bound.all = f.boundNames()
		f.bound.asked = true
	}
	return f.bound.names, f.bound.all
}
