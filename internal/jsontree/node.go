// Package jsontree is the one reader of JSON and YAML text: as a tree whose values know where they are written, or a value at a time.
//
// What decoding loses is what it is for: positions, keys that are given twice, and numbers as they are written. Reader reads JSON a value
// at a time, for whoever builds something else than a tree. ParseJSON and ParseYAML build the tree.
package jsontree

import (
	"slices"
	"strconv"
	"strings"
)

// Kind is the first character of a JSON value: one of { [ " 0 t f n, where 0 stands for all numbers.
type Kind byte

// The kinds of values.
const (
	Object Kind = '{'
	Array  Kind = '['
	Text   Kind = '"'
	Number Kind = '0'
	True   Kind = 't'
	False  Kind = 'f'
	Null   Kind = 'n'
)

// String returns the kind as a message has it.
func (k Kind) String() string {
	switch k {
	case Object:
		return "an object"
	case Array:
		return "an array"
	case Text:
		return "a string"
	case Number:
		return "a number"
	case True:
		return "true"
	case False:
		return "false"
	default:
		return "null"
	}
}

// Node is a value that knows where it is written.
type Node struct {
	Kind Kind
	// Start and End bound its text, in bytes. Of YAML there are positions instead: see YAML.
	Start, End int
	// Parent is the object or the array that it is in. Nil for a document.
	Parent *Node
	// Name is that of a member of an object; NameStart is where it is written.
	Name      string
	NameStart int
	// Index counts the children of the parent, from 0.
	Index int
	// Children are the members of an object, those with one name included, or the items of an array.
	Children []*Node
	// YAML is what only YAML has. Nil for JSON.
	YAML *YAML
}

// Member returns the member of a name, the last one as all readers of JSON have it. Nil if there is none.
func (n *Node) Member(name string) *Node {
	if n == nil || n.Kind != Object {
		return nil
	}
	for i := len(n.Children) - 1; i >= 0; i-- {
		if n.Children[i].Name == name {
			return n.Children[i]
		}
	}
	return nil
}

// Members returns the members of an object that count, in the order of the text: of several with one name, the last one. It takes time by
// their number, where asking Member for each takes time by its square.
func (n *Node) Members() []*Node {
	if n == nil || n.Kind != Object {
		return nil
	}
	if n.Duplicates() == nil {
		return n.Children
	}
	last := make(map[string]*Node, len(n.Children))
	for _, child := range n.Children {
		last[child.Name] = child
	}
	return slices.DeleteFunc(slices.Clone(n.Children), func(child *Node) bool { return last[child.Name] != child })
}

// Duplicates returns the members whose name an earlier one has, each with the first of that name. It is nil if there are none.
func (n *Node) Duplicates() map[*Node]*Node {
	if n.Kind != Object || len(n.Children) < 2 {
		return nil
	}
	const few = 8
	if len(n.Children) <= few && !n.repeats() {
		return nil
	}
	var again map[*Node]*Node
	first := make(map[string]*Node, len(n.Children))
	for _, child := range n.Children {
		other, twice := first[child.Name]
		if !twice {
			first[child.Name] = child
			continue
		}
		if again == nil {
			again = map[*Node]*Node{}
		}
		again[child] = other
	}
	return again
}

// repeats reports whether two of a few members have one name.
func (n *Node) repeats() bool {
	for i, child := range n.Children {
		for _, other := range n.Children[:i] {
			if child.Name == other.Name {
				return true
			}
		}
	}
	return false
}

// Pointer returns the JSON pointer (RFC 6901) to the value.
func (n *Node) Pointer() string {
	var tokens []string
	for ; n.Parent != nil; n = n.Parent {
		token := strconv.Itoa(n.Index)
		if n.Parent.Kind == Object {
			token = EscapeToken(n.Name)
		}
		tokens = append(tokens, token)
	}
	var out strings.Builder
	for i := len(tokens) - 1; i >= 0; i-- {
		out.WriteByte('/')
		out.WriteString(tokens[i])
	}
	return out.String()
}

// EscapeToken returns a name as a JSON pointer has it.
func EscapeToken(name string) string {
	if !strings.ContainsAny(name, "~/") {
		return name
	}
	return strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1")
}

// Tokens returns the names in a JSON pointer. The pointer to a document has none.
func Tokens(pointer string) []string {
	if pointer == "" {
		return nil
	}
	tokens := strings.Split(strings.TrimPrefix(pointer, "/"), "/")
	for i, token := range tokens {
		tokens[i] = strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~")
	}
	return tokens
}
