package jsontree

import "slices"

// AnotherObject is what to say of a member that [Node.Glued] returns.
const AnotherObject = "another object begins here, and only the last one counts; put a line of --- above it"

// ofKind are the members that say what an object of Kubernetes is.
var ofKind = []string{"apiVersion", "kind"}

// Glued returns the members of a YAML document with which another object of Kubernetes begins, although no line of --- is above it: the
// members that say what the object is, and others, come again. It is nil for one object, and for one in which a key alone is repeated.
func (n *Node) Glued() []*Node {
	if n.Kind != Object || n.Parent != nil || n.YAML == nil || !n.YAML.Block {
		return nil
	}
	var objects [][]*Node
	seen := map[string]bool{}
	for _, child := range n.Children {
		if len(objects) == 0 || seen[child.Name] {
			objects = append(objects, nil)
			clear(seen)
		}
		seen[child.Name] = true
		last := len(objects) - 1
		objects[last] = append(objects[last], child)
	}
	var begins []*Node
	for i, members := range objects {
		isOfKind := func(m *Node) bool { return slices.Contains(ofKind, m.Name) }
		isOther := func(m *Node) bool { return !isOfKind(m) }
		if !slices.ContainsFunc(members, isOfKind) || !slices.ContainsFunc(members, isOther) {
			return nil
		}
		if i > 0 {
			begins = append(begins, members[0])
		}
	}
	return begins
}
