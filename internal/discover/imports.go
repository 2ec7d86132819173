package discover

import (
	"regexp"
	"slices"
	"strings"

	"github.com/maze-agent/maregister/internal/discover/syntax"
)

// pythonName matches what Python takes for a name, and the operator in an entry point.
var pythonName = regexp.MustCompile(`^[\pL_][\pL\pN_]*$`)

// canBeImported reports whether Python has a name for the module of a file. The path is relative to the package root.
func canBeImported(path string) bool {
	path = strings.TrimSuffix(path, ".py")
	return !slices.ContainsFunc(strings.Split(path, "/"), func(part string) bool { return !pythonName.MatchString(part) })
}

// rootOf returns the top-level package of a module.
func rootOf(module string) string {
	root, _, _ := strings.Cut(module, ".")
	return root
}

// absolute returns the name of the module that stands behind "from" in another one. It is "." for what leads out of the package
// root.
func absolute(m *syntax.Module, name string) string {
	rest := strings.TrimLeft(name, ".")
	level := len(name) - len(rest)
	if level == 0 {
		return name
	}
	parts := strings.Split(m.Name, ".")
	if strings.HasSuffix(m.Path, "__init__.py") { // a package is the first level itself
		level--
	}
	if level > len(parts) || level == len(parts) && rest == "" {
		return "."
	}
	parts = parts[:len(parts)-level]
	if rest != "" {
		parts = append(parts, rest)
	}
	return strings.Join(parts, ".")
}

// reference is to a name of another module, or to the module where name is empty.
type reference struct{ module, name string }

// member returns the reference to a name of what is referred to.
func (r reference) member(name string) reference {
	if r.name == "" {
		return reference{r.module, name}
	}
	return reference{r.module + "." + r.name, name}
}

// referenceOf returns what an import statement of a module refers to.
func referenceOf(m *syntax.Module, i *syntax.Import) reference {
	switch {
	case i.Name != "":
		return reference{absolute(m, i.Module), i.Name}
	case i.Alias == "":
		return reference{module: i.Bound()}
	default:
		return reference{module: i.Module}
	}
}

// wildcardsOf returns the names of the modules of which a module imports all names.
func wildcardsOf(m *syntax.Module) []string {
	names := make([]string, len(m.Wildcards))
	for i, name := range m.Wildcards {
		names[i] = absolute(m, name)
	}
	return names
}

// moduleNamed returns the module that an expression names. It reports whether it names one for certain.
func moduleNamed(m *syntax.Module, e *syntax.Expr) (reference, bool) {
	switch e.Kind {
	case syntax.Name: // import a.b and import a.c both bind a
		var first reference
		for i, b := range m.Bindings[e.Text] {
			if b.Imported == nil || i > 0 && referenceOf(m, b.Imported) != first {
				return reference{}, false
			}
			first = referenceOf(m, b.Imported)
		}
		return first, len(m.Bindings[e.Text]) > 0
	case syntax.Attribute:
		if of, ok := moduleNamed(m, e.Operands[0]); ok {
			return of.member(e.Text), true
		}
	}
	return reference{}, false
}

// origin says where a name comes from.
type origin int

const (
	// originUnknown: it cannot be told, such as of a function of the same package.
	originUnknown origin = iota
	// originLibrary: one of the known packages has it.
	originLibrary
	// originForeign: another package has it, which is not among the sources.
	originForeign
)

// maxHops bounds how many names, of one module after another, are followed.
const maxHops = 20

// resolver finds modules, and what their names stand for.
type resolver struct {
	// load returns a module of the package root by its dotted name, or nil if there is none.
	load func(name string) *syntax.Module
	// library holds the top-level packages whose names are known without a look at their sources.
	library []string
}

// module returns another module of the package root, or nil if there is none.
func (r resolver) module(name string) *syntax.Module {
	if name == "" || name == "." {
		return nil
	}
	return r.load(name)
}

// inLibrary reports whether a module is one of the library.
func (r resolver) inLibrary(module string) bool { return slices.Contains(r.library, rootOf(module)) }

// originOf returns what an expression of a module names, followed through assignments, imports and re-exports.
func (r resolver) originOf(m *syntax.Module, e *syntax.Expr) (reference, origin) {
	return r.originOfExpr(m, e, 0)
}

func (r resolver) originOfExpr(m *syntax.Module, e *syntax.Expr, hops int) (reference, origin) {
	if hops > maxHops {
		return reference{}, originUnknown
	}
	switch e.Kind {
	case syntax.Name:
		return r.originOfName(m, e.Text, hops)
	case syntax.Attribute:
		of, from := r.originOfExpr(m, e.Operands[0], hops+1)
		if of.module == "" {
			return reference{}, from
		}
		return r.follow(m, of.member(e.Text), hops)
	case syntax.Call: // what another package gives is that package's
		if _, from := r.originOfExpr(m, e.Operands[0], hops+1); from == originForeign {
			return reference{}, from
		}
		return reference{}, originUnknown
	default:
		return reference{}, originUnknown
	}
}

// originOfName returns what a name of a module stands for. Of several bindings, one of the library counts most, and a foreign one
// least.
func (r resolver) originOfName(m *syntax.Module, name string, hops int) (reference, origin) {
	best, from, found := reference{}, originForeign, false
	consider := func(ref reference, o origin) {
		if !found || o == originLibrary && from != originLibrary || o == originUnknown && from == originForeign {
			best, from, found = ref, o, true
		}
	}
	for _, b := range m.Bindings[name] {
		switch {
		case b.Imported != nil:
			consider(r.follow(m, referenceOf(m, b.Imported), hops))
		case b.Value != nil && b.Value.Kind == syntax.Constant: // such as task = None, where the library is not installed
		case b.Value != nil:
			consider(r.originOfExpr(m, b.Value, hops+1))
		default:
			consider(reference{m.Name, name}, originUnknown)
		}
	}
	for _, wildcard := range wildcardsOf(m) {
		if !found {
			if ref, o := r.follow(m, reference{wildcard, name}, hops); o != originForeign {
				consider(ref, o)
			}
		}
	}
	if !found {
		return reference{}, originUnknown
	}
	return best, from
}

// follow goes on where a name is imported from. Another module of the package root is looked into; any other package but the
// library is foreign.
func (r resolver) follow(m *syntax.Module, ref reference, hops int) (reference, origin) {
	if r.inLibrary(ref.module) {
		return ref, originLibrary
	}
	if ref.name != "" && hops < maxHops {
		if other := r.module(ref.module); other != nil {
			if _, bound := other.Bindings[ref.name]; bound || len(other.Wildcards) > 0 {
				return r.originOfName(other, ref.name, hops+1)
			}
		}
	}
	return ref, r.kin(m, rootOf(ref.module))
}

// kin returns the origin of what a top-level package has that is not in the library: unknown if it is the module's own package.
func (r resolver) kin(m *syntax.Module, root string) origin {
	if root == "" || root == rootOf(m.Name) || r.module(root) != nil {
		return originUnknown
	}
	return originForeign
}
