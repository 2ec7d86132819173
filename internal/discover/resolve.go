package discover

import (
	"slices"
	"strings"
)

// decorators are the names of Maze's.
var decorators = []string{"task", "tool", "cpu", "gpu", "io"}

// mazeRoots are the top-level packages that Maze has had.
var mazeRoots = []string{"maze", "agentos", "agent"}

// mayBeMaze says whether a decorator can be one of Maze's, from its module alone.
func (m *Module) mayBeMaze(decorator *expr) bool { return m.mayLeadToMaze(callee(decorator), 0) }

func (m *Module) mayLeadToMaze(e *expr, hops int) bool {
	if hops > maxHops || e.kind != exprName && e.kind != exprAttribute {
		return false
	}
	if slices.Contains(decorators, e.text) {
		return true
	}
	return e.kind == exprName && slices.ContainsFunc(m.bindings[e.text], func(b *binding) bool {
		switch {
		case b.imported != nil:
			return slices.Contains(decorators, b.imported.name) || m.isNear(b.imported.module)
		case b.value != nil:
			return m.mayLeadToMaze(b.value, hops+1)
		default:
			return false
		}
	})
}

// isNear says whether a module is Maze's, or of the package of this one.
func (m *Module) isNear(module string) bool {
	root, _, _ := strings.Cut(module, ".")
	own, _, _ := strings.Cut(m.name, ".")
	return root == own || slices.Contains(mazeRoots, root)
}

// callee is what a decorator calls, or the decorator itself.
func callee(decorator *expr) *expr {
	if decorator.kind == exprCall {
		return decorator.operands[0]
	}
	return decorator
}

// origin says where a name comes from.
type origin int

const (
	// originUnknown: it cannot be told, such as of a function of the same package.
	originUnknown origin = iota
	originMaze
	originForeign
)

// maxHops bounds how many names, of one module after another, are followed.
const maxHops = 20

// originOf follows what an expression names.
func (l *linker) originOf(m *Module, e *expr, hops int) (reference, origin) {
	if hops > maxHops {
		return reference{}, originUnknown
	}
	switch e.kind {
	case exprName:
		return l.originOfName(m, e.text, hops)
	case exprAttribute:
		of, from := l.originOf(m, e.operands[0], hops+1)
		if of.module == "" {
			return reference{}, from
		}
		return l.follow(m, of.member(e.text), hops)
	case exprCall: // what another package gives is that package's
		if _, from := l.originOf(m, e.operands[0], hops+1); from == originForeign {
			return reference{}, from
		}
		return reference{}, originUnknown
	default:
		return reference{}, originUnknown
	}
}

// member is a name of what is referred to.
func (r reference) member(name string) reference {
	if r.name == "" {
		return reference{r.module, name}
	}
	return reference{r.module + "." + r.name, name}
}

func (l *linker) originOfName(m *Module, name string, hops int) (reference, origin) {
	best, from, found := reference{}, originForeign, false
	consider := func(r reference, o origin) {
		if !found || o == originMaze && from != originMaze || o == originUnknown && from == originForeign {
			best, from, found = r, o, true
		}
	}
	for _, b := range m.bindings[name] {
		switch {
		case b.imported != nil:
			consider(l.follow(m, *b.imported, hops))
		case b.value != nil && b.value.kind == exprConstant: // such as task = None, where Maze is not installed
		case b.value != nil:
			consider(l.originOf(m, b.value, hops+1))
		default:
			consider(reference{m.name, name}, originUnknown)
		}
	}
	for _, wildcard := range m.wildcards {
		if !found {
			if r, o := l.follow(m, reference{wildcard, name}, hops); o != originForeign {
				consider(r, o)
			}
		}
	}
	if !found {
		return reference{}, originUnknown
	}
	return best, from
}

// follow goes on where a name is imported from. Another module of the package root is looked into; any other package but Maze
// is foreign.
func (l *linker) follow(m *Module, r reference, hops int) (reference, origin) {
	root, _, _ := strings.Cut(r.module, ".")
	if slices.Contains(mazeRoots, root) {
		return r, originMaze
	}
	if r.name == "" {
		return r, l.kin(m, root)
	}
	if hops < maxHops {
		if other := l.module(r.module); other != nil {
			if _, bound := other.bindings[r.name]; bound || len(other.wildcards) > 0 {
				return l.originOfName(other, r.name, hops+1)
			}
		}
	}
	return r, l.kin(m, root)
}

// kin says of a package that is not Maze's whether it is the module's own.
func (l *linker) kin(m *Module, root string) origin {
	own, _, _ := strings.Cut(m.name, ".")
	if root == "" || root == own || l.module(root) != nil {
		return originUnknown
	}
	return originForeign
}
