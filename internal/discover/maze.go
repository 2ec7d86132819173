package discover

import (
	"fmt"
	"slices"
	"strings"

	"github.com/maze-agent/maregister/internal/discover/imports"
	"github.com/maze-agent/maregister/internal/discover/syntax"
)

// decorators are the names of Maze's.
var decorators = []string{"task", "tool", "cpu", "gpu", "io"}

const (
	// ownRoot is the top-level package of this project itself.
	ownRoot = "maregister"
	// ascendRoot is that of Ascend-Maze, Maze's dialect for NPUs.
	ascendRoot = "ascend_maze"
)

// mazeRoots are the top-level packages that Maze has had, with this project's own one.
var mazeRoots = []string{"maze", "agentos", "agent", ownRoot, ascendRoot}

// mazeConstants are those of Maze that declarations use.
var mazeConstants = map[string]string{"TYPE_FILEPATH": "filepath", "TYPE_FOLDERPATH": "folderpath"}

// Decorator is one that a user says is Maze's, although it comes from elsewhere.
type Decorator struct{ Module, Name string }

// ParseDecorator reads MODULE:NAME, such as platform_sdk.tasks:task.
func ParseDecorator(text string) (Decorator, error) {
	module, name, ok := strings.Cut(text, ":")
	if !ok {
		if i := strings.LastIndex(text, "."); i > 0 && i < len(text)-1 {
			return Decorator{}, fmt.Errorf("%q has no colon: write MODULE:NAME, here %s:%s", text, text[:i], text[i+1:])
		}
		return Decorator{}, fmt.Errorf("%q is not MODULE:NAME, such as platform_sdk.tasks:task", text)
	}
	switch {
	case strings.HasPrefix(module, "."):
		return Decorator{}, fmt.Errorf("%q has a relative module: write its full name, as Python would import it from the package root", text)
	case !imports.IsModuleName(module):
		return Decorator{}, fmt.Errorf("%q: %q is no name of a module: write MODULE:NAME, such as platform_sdk.tasks:task", text, module)
	case !imports.IsModuleName(name) || strings.Contains(name, "."):
		return Decorator{}, fmt.Errorf("%q: %q is no name of a decorator: write MODULE:NAME, such as platform_sdk.tasks:task", text, name)
	}
	return Decorator{module, name}, nil
}

// Claims are the decorators that a user says are Maze's. The zero value has none.
type Claims []Decorator

// names returns the names of the decorators that may declare tasks.
func (c Claims) names() []string {
	names := slices.Clone(decorators)
	for _, d := range c {
		if !slices.Contains(names, d.Name) {
			names = append(names, d.Name)
		}
	}
	return names
}

// mayDeclare reports whether a decorator can be one of Maze's, or looks like one, as far as its module alone tells. Of what the module
// imports, any name of a top-level package that is near can be one. Without isNear, only one of the known names can.
func (c Claims) mayDeclare(isNear func(root string) bool) syntax.Wanted {
	names := c.names()
	return func(m *syntax.Module, f *syntax.Function, decorator *syntax.Expr) bool {
		if slices.ContainsFunc(decorator.Names, isTelling) {
			return true
		}
		l := lead{module: m, names: names, isNear: isNear, steps: maxLeads}
		if f != nil {
			l.scope = f.Scope
		}
		return l.follow(decorator)
	}
}

// maxLeads is how many bindings and expressions are looked at for one decorator, so that a file that binds its names again and again costs no more.
const maxLeads = 200

// lead follows the names of a decorator within its module.
type lead struct {
	module *syntax.Module
	// scope is that of the function which is decorated.
	scope *syntax.Scope
	names []string
	// isNear is that of mayDeclare.
	isNear func(root string) bool
	// steps is how many bindings and expressions may still be looked at.
	steps int
}

// follow reports whether an expression may name one of the decorators, or be made of one.
func (l *lead) follow(e *syntax.Expr) bool {
	if l.steps--; l.steps < 0 {
		return l.isNear != nil // it may be one
	}
	switch e.Kind {
	case syntax.Name, syntax.Attribute:
		if slices.Contains(l.names, e.Text) {
			return true
		}
		bindings := l.scope.Lookup(e.Text)
		if bindings == nil {
			bindings = l.module.Bindings[e.Text]
		}
		if e.Kind == syntax.Attribute {
			return l.isNear != nil && slices.ContainsFunc(e.Operands, l.follow)
		}
		return slices.ContainsFunc(bindings, l.followBinding) ||
			l.isNear != nil && slices.ContainsFunc(imports.Wildcards(l.module), l.mayDefine)
	case syntax.Call, syntax.Subscript, syntax.Dict, syntax.List, syntax.Tuple, syntax.Other:
		return slices.ContainsFunc(e.Operands, l.follow)
	default:
		return false
	}
}

// followBinding reports whether what a name is bound to may be one of the decorators, or make one.
func (l *lead) followBinding(b *syntax.Binding) bool {
	switch l.steps--; {
	case l.steps < 0:
		return l.isNear != nil
	case b.Imported != nil:
		r := imports.ReferenceOf(l.module, b.Imported)
		return slices.Contains(l.names, r.Name) || isNear(l.module, r.Module) || l.mayDefine(r.Module)
	case b.Value != nil:
		return l.follow(b.Value)
	case b.Plain != nil:
		return slices.ContainsFunc(b.Plain.Makes, l.follow)
	default:
		return false
	}
}

// mayDefine reports whether another module may make a decorator, whatever its name.
func (l *lead) mayDefine(module string) bool {
	return l.isNear != nil && (strings.HasPrefix(module, ".") || l.isNear(imports.Root(module)))
}

// isNear reports whether another module is Maze's, or of the same top-level package.
func isNear(m *syntax.Module, module string) bool {
	root := imports.Root(module)
	return root == imports.Root(m.Name) || slices.Contains(mazeRoots, root)
}
