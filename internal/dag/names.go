package dag

import (
	"slices"
	"unicode/utf8"

	"github.com/maze-agent/maregister/internal/finding"
	"github.com/maze-agent/maregister/internal/schema"
)

// maxArgumentName is how many characters the name of an argument may have that the node's task does not declare.
const maxArgumentName = 253

// checkNames judges the names of what a node passes. inputs is what its task takes; nil if that is not known.
func (c *checker) checkNames(n *Node, inputs *schema.Parameters) {
	for i := range n.arguments {
		if a := &n.arguments[i]; isTooLong(a.name, inputs) {
			c.reportAlike("a long name", finding.UnknownArgument, a.at, n, "an argument's name has at most %d characters, and not %d: shorten %s",
				maxArgumentName, utf8.RuneCountInString(a.name), quote(a.name))
		}
	}
}

// isTooLong reports whether the name of an argument is too long, and no parameter's.
func isTooLong(name string, inputs *schema.Parameters) bool {
	return utf8.RuneCountInString(name) > maxArgumentName && (inputs == nil || !slices.Contains(inputs.Names(), name))
}
