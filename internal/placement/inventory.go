package placement

import (
	"cmp"
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// Inventory is what is known of a cluster's nodes, grouped into classes, and how to place on them. It does not change.
type Inventory struct {
	config *Config
	// classes are sorted: those with GPUs first, then by name.
	classes []Class
	// legacy are the values of the replicas label on shared GPUs whose labels do not say how they are shared, by the
	// beginning of the label's name. mps are the values where MPS shares them.
	legacy, mps map[string][]string
}

// Classes gives the classes, those with GPUs first, then by name.
func (inv *Inventory) Classes() []Class { return slices.Clone(inv.classes) }

// ClassOf gives the class that a node is of, and false if the inventory does not know such nodes.
func (inv *Inventory) ClassOf(node *corev1.Node) (Class, bool) {
	key := keyOf(inv.config.reduce(node))
	i := slices.IndexFunc(inv.classes, func(c Class) bool { return c.key == key })
	if i < 0 {
		return Class{}, false
	}
	return inv.classes[i], true
}

// Builder keeps count of a cluster's nodes. It is not safe for concurrent use.
type Builder struct {
	config  Config
	nodes   map[string]counted
	classes map[string]*Class
}

// counted is what a node was counted as.
type counted struct {
	class string
	state state
}

// NewBuilder makes a builder without nodes.
func NewBuilder(config Config) *Builder {
	return &Builder{config: config, nodes: map[string]counted{}, classes: map[string]*Class{}}
}

// Set counts a node, in place of what it was before. It returns whether that can change a placement or a verdict: a class
// came, went, or began or ceased to take Pods.
func (b *Builder) Set(node *corev1.Node) bool {
	reduced := b.config.reduce(node)
	next := counted{class: keyOf(reduced), state: stateOf(node)}
	last, known := b.nodes[node.Name]
	if known && last == next {
		return false
	}
	b.nodes[node.Name] = next
	if b.classes[next.class] == nil {
		b.classes[next.class] = b.newClass(next.class, reduced)
	}
	affected := []string{next.class}
	if known {
		affected = append(affected, last.class)
	}
	return b.changes(affected, func() {
		b.classes[next.class].add(next.state, 1)
		if known {
			b.discount(last)
		}
	})
}

// Remove forgets a node. It returns what Set does.
func (b *Builder) Remove(name string) bool {
	last, known := b.nodes[name]
	if !known {
		return false
	}
	delete(b.nodes, name)
	return b.changes([]string{last.class}, func() { b.discount(last) })
}

// changes says whether a change of counts makes a difference for one of the classes.
func (b *Builder) changes(keys []string, change func()) bool {
	type existence struct{ exists, available bool }
	look := func() []existence {
		found := make([]existence, len(keys))
		for i, key := range keys {
			if class := b.classes[key]; class != nil {
				found[i] = existence{exists: class.Nodes > 0, available: class.available()}
			}
		}
		return found
	}
	before := look()
	change()
	return !slices.Equal(before, look())
}

func (b *Builder) discount(node counted) {
	class := b.classes[node.class]
	class.add(node.state, -1)
	if class.Nodes == 0 {
		delete(b.classes, node.class)
	}
}

func (b *Builder) newClass(key string, reduced *corev1.Node) *Class {
	class := &Class{key: key, node: reduced, supplies: b.config.suppliesOf(reduced)}
	class.Name = nameOf(class)
	return class
}

// nameOf gives what people call such nodes.
func nameOf(class *Class) string {
	if len(class.supplies) == 0 {
		return "without GPU"
	}
	for i := range class.supplies {
		if profile := class.supplies[i].profile; profile != nil {
			return profile.Name
		}
	}
	if product := class.node.Labels[gpuLabels+suffixProduct]; product != "" {
		return product
	}
	return string(class.supplies[0].resource)
}

func (c *Class) add(s state, n int) {
	c.Nodes += n
	switch s {
	case stateCordoned:
		c.Cordoned += n
	case stateNotReady:
		c.NotReady += n
	case stateReady:
	}
}

// Inventory gives the present state.
func (b *Builder) Inventory() *Inventory {
	inv := &Inventory{config: &b.config, classes: make([]Class, 0, len(b.classes)), legacy: map[string][]string{}, mps: map[string][]string{}}
	for _, class := range b.classes {
		inv.classes = append(inv.classes, *class)
	}
	slices.SortFunc(inv.classes, func(x, y Class) int {
		return cmp.Or(
			cmp.Compare(min(len(y.supplies), 1), min(len(x.supplies), 1)),
			cmp.Compare(x.Name, y.Name), cmp.Compare(x.key, y.key))
	})
	for i := range inv.classes {
		inv.noteSharing(&inv.classes[i])
	}
	return inv
}

// noteSharing notes the values of labels by which placements keep off shared GPUs, or ask for them.
func (inv *Inventory) noteSharing(class *Class) {
	for i := range class.supplies {
		s := &class.supplies[i]
		replicas := class.node.Labels[s.labels+suffixReplicas]
		switch _, told := class.node.Labels[s.labels+suffixSharing]; {
		case s.sharing == sharingMPS && replicas != "":
			inv.mps[s.labels] = insert(inv.mps[s.labels], replicas)
		case s.sharing == sharingTimeSlicing && !told && replicas != "":
			inv.legacy[s.labels] = insert(inv.legacy[s.labels], replicas)
		}
	}
}

// insert adds to a sorted set.
func insert(set []string, value string) []string {
	if i, found := slices.BinarySearch(set, value); !found {
		return slices.Insert(set, i, value)
	}
	return set
}
