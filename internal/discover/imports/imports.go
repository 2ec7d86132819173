// Package imports knows Python's import rules: how files are modules, what relative imports and wildcards stand for, and where a name
// comes from through assignments, imports and re-exports. It looks into other modules by a function that loads them.
package imports

import (
	"io/fs"
	"regexp"
	"slices"
	"strings"

	"github.com/maze-agent/maregister/internal/discover/syntax"
)

// pythonName matches what Python takes for a name, and the operator in an entry point.
var pythonName = regexp.MustCompile(`^[\pL_][\pL\pN_]*$`)

// ModuleName returns the name by which Python imports a file. The path is relative to the package root, with slashes.
func ModuleName(path string) string {
	path = strings.TrimSuffix(strings.TrimSuffix(path, ".py"), "/__init__")
	return strings.ReplaceAll(path, "/", ".")
}

// Files returns the paths at which Python looks for a module, in this order: a package comes before a module of the same name. They are
// relative to the package root. There are none for what is no name of a module.
func Files(module string) []string {
	path := strings.ReplaceAll(module, ".", "/")
	if !fs.ValidPath(path) {
		return nil
	}
	return []string{path + "/__init__.py", path + ".py"}
}

// Importable reports whether Python has a name for the module of a file. The path is relative to the package root.
func Importable(path string) bool {
	path = strings.TrimSuffix(path, ".py")
	return !strings.Contains(path, ".") && IsModuleName(strings.ReplaceAll(path, "/", "."))
}

// IsModuleName reports whether a text can be the dotted name of a module.
func IsModuleName(text string) bool {
	return !slices.ContainsFunc(strings.Split(text, "."), func(part string) bool { return !pythonName.MatchString(part) })
}

// Root returns the top-level package of a module.
func Root(module string) string {
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

// Reference is to a name of another module, or to the module where Name is empty.
type Reference struct{ Module, Name string }

// Member returns the reference to a name of what is referred to.
func (r Reference) Member(name string) Reference {
	if r.Name == "" {
		return Reference{r.Module, name}
	}
	return Reference{r.Module + "." + r.Name, name}
}

// ReferenceOf returns what an import statement of a module refers to.
func ReferenceOf(m *syntax.Module, i *syntax.Import) Reference {
	switch {
	case i.Name != "":
		return Reference{absolute(m, i.Module), i.Name}
	case i.Alias == "":
		return Reference{Module: i.Bound()}
	default:
		return Reference{Module: i.Module}
	}
}

// Wildcards returns the names of the modules of which a module imports all names.
func Wildcards(m *syntax.Module) []string {
	names := make([]string, len(m.Wildcards))
	for i, name := range m.Wildcards {
		names[i] = absolute(m, name)
	}
	return names
}

// ModuleOf returns the module that an expression names. It reports whether it names one for certain.
func ModuleOf(m *syntax.Module, e *syntax.Expr) (Reference, bool) {
	switch e.Kind {
	case syntax.Name: // import a.b and import a.c both bind a
		var first Reference
		for i, b := range m.Bindings[e.Text] {
			if b.Imported == nil || i > 0 && ReferenceOf(m, b.Imported) != first {
				return Reference{}, false
			}
			first = ReferenceOf(m, b.Imported)
		}
		return first, len(m.Bindings[e.Text]) > 0
	case syntax.Attribute:
		if of, ok := ModuleOf(m, e.Operands[0]); ok {
			return of.Member(e.Text), true
		}
	}
	return Reference{}, false
}

// Origin is where a name comes from.
type Origin int

const (
	// Unknown is for what the code alone does not tell, such as a name of a module of the same package that is not among the sources.
	Unknown Origin = iota
	// Library is for a name of one of the library's packages, or one that counts as such.
	Library
	// Foreign is for a name of another package, which is not among the sources.
	Foreign
	// Defined is for a name of a module of the sources that the module itself gives its meaning: by a def, a class or a value that it computes.
	Defined
)

// rank orders origins: of several bindings of a name, the one of the highest rank counts.
var rank = map[Origin]int{Library: 3, Unknown: 2, Foreign: 1, Defined: 0}

const (
	// maxHops is how many names, each standing for the next, are followed.
	maxHops = 20
	// maxSteps is how many bindings and wildcards are looked at in all: there may be any number of each, and each may lead to as many.
	maxSteps = 200
)

// Resolver finds modules, and what their names stand for.
type Resolver struct {
	// Load returns a module of the package root by its dotted name, or nil if there is none.
	Load func(name string) *syntax.Module
	// Library holds the top-level packages whose names are known without a look at their sources.
	Library []string
	// Claimed holds names of other modules that count as the library's.
	Claimed []Reference
}

// Module returns another module of the package root, or nil if there is none.
func (r Resolver) Module(name string) *syntax.Module {
	if name == "" || name == "." {
		return nil
	}
	return r.Load(name)
}

// InLibrary reports whether a module is one of the library.
func (r Resolver) InLibrary(module string) bool { return slices.Contains(r.Library, Root(module)) }

// Claims reports whether a name of another module counts as the library's.
func (r Resolver) Claims(ref Reference) bool { return slices.Contains(r.Claimed, ref) }

// OriginOf returns what an expression of a module names, followed through assignments, imports and re-exports.
func (r Resolver) OriginOf(m *syntax.Module, e *syntax.Expr) (Reference, Origin) {
	return (&walk{r, maxSteps}).originOfExpr(m, e, 0)
}

// walk follows one expression.
type walk struct {
	Resolver
	// steps is how many bindings and wildcards may still be looked at.
	steps int
}

// originOfExpr follows an expression. hops is how many names were followed to get here.
func (r *walk) originOfExpr(m *syntax.Module, e *syntax.Expr, hops int) (Reference, Origin) {
	if hops > maxHops {
		return Reference{}, Unknown
	}
	switch e.Kind {
	case syntax.Name:
		return r.originOfName(m, e.Text, hops)
	case syntax.Attribute:
		of, from := r.originOfExpr(m, e.Operands[0], hops+1)
		switch {
		case from == Defined: // an attribute of an object, and not of a module
			return Reference{}, Unknown
		case of.Module == "":
			return Reference{}, from
		}
		return r.follow(m, of.Member(e.Text), hops)
	case syntax.Call: // what a function of another package returns is that package's
		if _, from := r.originOfExpr(m, e.Operands[0], hops+1); from == Foreign {
			return Reference{}, from
		}
		return Reference{}, Unknown
	default:
		return Reference{}, Unknown
	}
}

// originOfName returns what a name of a module stands for.
func (r *walk) originOfName(m *syntax.Module, name string, hops int) (Reference, Origin) {
	own := Reference{m.Name, name}
	if r.Claims(own) {
		return own, Library
	}
	best, from, found := Reference{}, Unknown, false
	consider := func(ref Reference, o Origin) {
		if !found || rank[o] > rank[from] {
			best, from, found = ref, o, true
		}
	}
	for _, b := range m.Bindings[name] {
		switch r.steps--; {
		case r.steps < 0:
			return best, from
		case b.Imported != nil:
			consider(r.follow(m, ReferenceOf(m, b.Imported), hops))
		case b.Value != nil && b.Value.Kind == syntax.Constant: // such as task = None, where the library is not installed
		case b.Value != nil:
			ref, o := r.originOfExpr(m, b.Value, hops+1)
			if ref.Module == "" && o == Unknown {
				ref, o = own, Defined
			}
			consider(ref, o)
		default:
			consider(own, Defined)
		}
	}
	for _, wildcard := range Wildcards(m) {
		if r.steps--; !found && r.steps >= 0 {
			if ref, o := r.follow(m, Reference{wildcard, name}, hops); o != Foreign {
				consider(ref, o)
			}
		}
	}
	return best, from
}

// follow goes on where a name is imported from. Another module of the package root is looked into; any other package but the
// library is foreign.
func (r *walk) follow(m *syntax.Module, ref Reference, hops int) (Reference, Origin) {
	if r.InLibrary(ref.Module) || r.Claims(ref) {
		return ref, Library
	}
	if ref.Name != "" && hops < maxHops {
		if other := r.Module(ref.Module); other != nil {
			if _, bound := other.Bindings[ref.Name]; bound || len(other.Wildcards) > 0 {
				return r.originOfName(other, ref.Name, hops+1)
			}
		}
	}
	return ref, r.kin(m, Root(ref.Module))
}

// kin returns the origin of what a top-level package has that is not in the library: unknown if it is the module's own package.
func (r Resolver) kin(m *syntax.Module, root string) Origin {
	if root == "" || root == Root(m.Name) || r.Module(root) != nil {
		return Unknown
	}
	return Foreign
}
