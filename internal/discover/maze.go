package discover

import (
	"slices"

	"github.com/maze-agent/maregister/internal/discover/imports"
	"github.com/maze-agent/maregister/internal/discover/syntax"
)

// decorators are the names of Maze's.
var decorators = []string{"task", "tool", "cpu", "gpu", "io"}

// mazeRoots are the top-level packages that Maze has had.
var mazeRoots = []string{"maze", "agentos", "agent"}

// mazeConstants are those of Maze that declarations use.
var mazeConstants = map[string]string{"TYPE_FILEPATH": "filepath", "TYPE_FOLDERPATH": "folderpath"}

// mayBeMaze reports whether a decorator can be one of Maze's, as far as its module alone tells.
func mayBeMaze(m *syntax.Module, decorator *syntax.Expr) bool {
	return mayLeadToMaze(m, decorator.Callee(), 0)
}

// maxAliases is how many names of a module, each standing for the next, are followed.
const maxAliases = 20

// mayLeadToMaze follows the names of a decorator within its module. hops is how many were followed to get here.
func mayLeadToMaze(m *syntax.Module, e *syntax.Expr, hops int) bool {
	if hops > maxAliases || e.Kind != syntax.Name && e.Kind != syntax.Attribute {
		return false
	}
	if slices.Contains(decorators, e.Text) {
		return true
	}
	return e.Kind == syntax.Name && slices.ContainsFunc(m.Bindings[e.Text], func(b *syntax.Binding) bool {
		switch {
		case b.Imported != nil:
			r := imports.ReferenceOf(m, b.Imported)
			return slices.Contains(decorators, r.Name) || isNear(m, r.Module)
		case b.Value != nil:
			return mayLeadToMaze(m, b.Value, hops+1)
		default:
			return false
		}
	})
}

// isNear reports whether another module is Maze's, or of the same top-level package.
func isNear(m *syntax.Module, module string) bool {
	root := imports.Root(module)
	return root == imports.Root(m.Name) || slices.Contains(mazeRoots, root)
}
