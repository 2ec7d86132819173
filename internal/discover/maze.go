package discover

import "slices"

// decorators are the names of Maze's.
var decorators = []string{"task", "tool", "cpu", "gpu", "io"}

// mazeRoots are the top-level packages that Maze has had.
var mazeRoots = []string{"maze", "agentos", "agent"}

// mazeConstants are those of Maze that declarations use.
var mazeConstants = map[string]string{"TYPE_FILEPATH": "filepath", "TYPE_FOLDERPATH": "folderpath"}

// mayBeMaze reports whether a decorator can be one of Maze's, as far as its module alone tells.
func mayBeMaze(m *pyModule, decorator *expr) bool { return mayLeadToMaze(m, callee(decorator), 0) }

// maxAliases is how many names of a module, each standing for the next, are followed.
const maxAliases = 20

func mayLeadToMaze(m *pyModule, e *expr, hops int) bool {
	if hops > maxAliases || e.kind != exprName && e.kind != exprAttribute {
		return false
	}
	if slices.Contains(decorators, e.text) {
		return true
	}
	return e.kind == exprName && slices.ContainsFunc(m.bindings[e.text], func(b *binding) bool {
		switch {
		case b.imported != nil:
			r := referenceOf(m, b.imported)
			return slices.Contains(decorators, r.name) || isNear(m, r.module)
		case b.value != nil:
			return mayLeadToMaze(m, b.value, hops+1)
		default:
			return false
		}
	})
}

// isNear reports whether another module is Maze's, or of the same top-level package.
func isNear(m *pyModule, module string) bool {
	root := rootOf(module)
	return root == rootOf(m.name) || slices.Contains(mazeRoots, root)
}

// callee returns what a decorator calls, or the decorator itself.
func callee(decorator *expr) *expr {
	if decorator.kind == exprCall {
		return decorator.operands[0]
	}
	return decorator
}
