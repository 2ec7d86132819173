package discover

import "slices"

// Searcher searches sources for what may declare tasks. It does not parse them: it only looks at the bytes, and finds rather too much. It is safe
// for concurrent use.
type Searcher struct {
	// names are those of the decorators that may declare tasks.
	names []needle
	// libraries are the names of the packages that have them, each after a blank.
	libraries [][]byte
}

// NewSearcher returns a searcher that knows Maze's decorators and those that are claimed.
func NewSearcher(claims Claims) *Searcher {
	s := &Searcher{names: newNeedles(claims.names()...)}
	for _, root := range slices.Concat(mazeRoots, claims.roots()) {
		s.libraries = append(s.libraries, []byte(" "+root))
	}
	return s
}

// Sighting is what a search finds in a file.
type Sighting struct {
	// Mentions means that the file may declare tasks.
	Mentions bool
	// Makes are the names that the file may give decorators of its own, which other files import.
	Makes []string
	// MayImport means that a name of another file can make a difference: with it among the claims, a search may find more.
	MayImport bool
}

// Search searches a file.
func (s *Searcher) Search(source []byte) Sighting {
	f := finder{Searcher: s, source: source, imports: s.importsLibrary(source)}
	found := Sighting{MayImport: f.imports}
	if f.imports {
		found.Makes = f.madeNames()
	}
	var decorates bool
	found.Mentions, decorates = f.mentions()
	found.MayImport = found.MayImport || decorates
	return found
}

// finder searches one file.
type finder struct {
	*Searcher
	source []byte
	// imports means that the file may import one of the decorators.
	imports bool
}
