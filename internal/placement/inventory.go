package placement

import (
	"cmp"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/maze-agent/maregister/internal/devices"
)

// Inventory is what is known of a cluster's nodes, grouped into classes, and how to place on them. It does not change.
type Inventory struct {
	config *Config
	// devices are what Dynamic Resource Allocation hands out. Nil if that is not known.
	devices *devices.Inventory
	// daemons are the cluster's DaemonSets, if they are read.
	daemons []*DaemonSet
	// unread says why it is not known what Dynamic Resource Allocation hands out. Empty if it is known.
	unread string
	// assumed says on what it depends that devices are handed out, and is not read. Empty if all is.
	assumed string
	// handedOut is the least memory of a device that a resource hands out on nodes that are there, in MiB. 0 if it may be one of no use.
	handedOut map[corev1.ResourceName]int64
	// least is the same by the resource's number.
	least []int64
	// offers are the classes that give GPUs by a resource, in their order.
	offers map[corev1.ResourceName][]offer
	// failed is what a DeviceClass hands out that fails, the first of them. Nil if none does.
	failed *supply
	// classes are sorted: those with GPUs first, then by name.
	classes []Class
	// legacy are the values of the replicas label on shared GPUs whose labels do not say how they are shared, by the
	// beginning of the label's name. mps are the values where MPS shares them, and gkeMPS those of GKE's label.
	legacy, mps map[string][]string
	gkeMPS      []string
	// platforms are those whose labels nodes have, or profiles select by.
	platforms map[string]bool
	// windows says that there are nodes with Windows, or may be.
	windows bool
	// marks keep tasks without GPUs off nodes with accelerators that the usual labels do not tell of.
	marks []corev1.NodeSelectorRequirement
}

// Classes returns the classes, those with GPUs first, then by name.
func (inv *Inventory) Classes() []Class { return slices.Clone(inv.classes) }

// ClassOf returns the class that a node is of, and false if the inventory does not know such nodes.
func (inv *Inventory) ClassOf(node *corev1.Node) (Class, bool) {
	key := inv.config.describe(node, inv.devices, inv.daemons).key
	i := slices.IndexFunc(inv.classes, func(c Class) bool { return c.key == key })
	if i < 0 {
		return Class{}, false
	}
	return inv.classes[i], true
}

// Builder keeps count of a cluster's nodes. It is not safe for concurrent use.
type Builder struct {
	config   Config
	devices  *devices.Inventory
	daemons  []*DaemonSet
	unread   string
	assumed  string
	nodes    map[string]counted
	groups   map[string]*group
	numbers  map[corev1.ResourceName]int
	revision uint64
}

// Revision is another number after every change of what Inventory gives, be it only of how many nodes a class has.
func (b *Builder) Revision() uint64 { return b.revision }

// counted is what a node was counted as. memory is its own, in bytes.
type counted struct {
	class  string
	state  state
	memory int64
	// node is the one that was counted, to count it again when other devices are published. It is not changed.
	node *corev1.Node
}

// same reports whether a node was counted as it was before.
func (c *counted) same(last *counted) bool {
	return c.class == last.class && c.state == last.state && c.memory == last.memory
}

// NewBuilder makes a builder without nodes.
func NewBuilder(config Config) *Builder {
	return &Builder{config: config, nodes: map[string]counted{}, groups: map[string]*group{}, numbers: map[corev1.ResourceName]int{}}
}

// Set counts a node, in place of what it was before. It returns whether that can change a placement or a verdict: a class
// came, went, began or ceased to take Pods, its largest node is of another size, or it has overtaken another one in number.
// The node must not be changed afterwards.
func (b *Builder) Set(node *corev1.Node) bool {
	d := b.config.describe(node, b.devices, b.daemons)
	next := counted{class: d.key, state: d.state, memory: d.common.Status.Allocatable.Memory().Value(), node: node}
	last, known := b.nodes[node.Name]
	b.nodes[node.Name] = next
	if known && next.same(&last) {
		return false
	}
	if b.groups[next.class] == nil {
		b.groups[next.class] = b.newGroup(&d)
	}
	affected := []string{next.class}
	if known {
		affected = append(affected, last.class)
	}
	return b.changes(affected, func() {
		b.groups[next.class].add(next, 1)
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

// changes reports whether a change of counts makes a difference to what one of the classes can host.
func (b *Builder) changes(keys []string, change func()) bool {
	look := func() []extent {
		found := make([]extent, len(keys))
		for i, key := range keys {
			found[i] = b.extent(key)
		}
		return found
	}
	before := look()
	change()
	b.revision++
	return !slices.Equal(before, look())
}

// extent is what of a class can change a placement or a verdict.
type extent struct {
	// all, open and openCPU are the memory, in bytes, of the largest node, of the largest that takes Pods at present, and of the largest that takes
	// Pods without GPUs. -1 if there is none.
	all, open, openCPU int64
	// unplugged says that some node's GPUs are told by labels only.
	unplugged bool
	// above and level say how it ranks by its number of nodes: how many classes with GPUs have more, and as many.
	above, level int
	// rarer and commoner are how many supplies of other resources there are very few of beside its own, and very many.
	rarer, commoner int
}

func (b *Builder) extent(key string) extent {
	g := b.groups[key]
	if g == nil {
		return extent{all: -1, open: -1, openCPU: -1}
	}
	e := g.extent()
	if len(g.supplies) == 0 {
		return e
	}
	for _, other := range b.groups {
		switch {
		case len(other.supplies) == 0:
			continue
		case other.Nodes > g.Nodes:
			e.above++
		case other.Nodes == g.Nodes:
			e.level++
		}
		for i := range g.supplies {
			for j := range other.supplies {
				own, foreign := g.unitsOf(&g.supplies[i]), other.unitsOf(&other.supplies[j])
				switch {
				case g.supplies[i].resource == other.supplies[j].resource:
				case own.isRare(foreign):
					e.commoner++
				case foreign.isRare(own):
					e.rarer++
				}
			}
		}
	}
	return e
}

// units is a number of GPUs in all nodes of a class.
type units int64

func (c *Class) unitsOf(s *supply) units { return units(int64(c.Nodes) * min(s.count, maxReplicas)) }

// isRare reports whether there are so few that tasks should rather wait for others, of which there are so many more.
func (u units) isRare(beside units) bool {
	const times = 4
	return u*times <= beside
}

func (b *Builder) discount(node counted) {
	group := b.groups[node.class]
	group.add(node, -1)
	if group.Nodes == 0 {
		delete(b.groups, node.class)
	}
}

// group is a class as long as nodes come and go.
type group struct {
	Class
	// sizes counts the nodes by their memory in bytes.
	sizes map[int64]size
}

// size counts nodes of one memory, and those of them that take Pods at present, with GPUs and without.
type size struct{ nodes, open, openCPU int }

func (b *Builder) newGroup(d *described) *group {
	common := d.common
	g := &group{Class: Class{key: d.key, node: common, reserve: d.reserve, supplies: b.config.allSupplies(d)}, sizes: map[int64]size{}}
	b.config.markAlike(g.supplies)
	for i := range g.supplies {
		name := g.supplies[i].resource
		if _, known := b.numbers[name]; !known {
			b.numbers[name] = len(b.numbers)
		}
		g.supplies[i].number = b.numbers[name]
	}
	g.index()
	for name, quantity := range common.Status.Allocatable {
		if isForeign(name) && !b.config.isGPU(name) && quantity.Sign() > 0 {
			g.foreign = append(g.foreign, name)
		}
	}
	slices.Sort(g.foreign)
	for i := range b.config.Profiles {
		if p := &b.config.Profiles[i]; len(p.NodeSelector) > 0 && includes(common.Labels, p.NodeSelector) {
			g.profiles = append(g.profiles, i)
		}
	}
	g.Name = nameOf(&g.Class)
	return g
}

func (g *group) add(node counted, n int) {
	of := g.sizes[node.memory]
	g.Nodes += n
	of.nodes += n
	switch node.state {
	case stateCordoned:
		g.Cordoned += n
	case stateNotReady:
		g.NotReady += n
	case stateRestarting:
		g.Restarting += n
		of.openCPU += n
	case stateUnplugged:
		g.Unplugged += n
		of.openCPU += n
	case stateReady:
		of.open += n
		of.openCPU += n
	}
	g.sizes[node.memory] = of
	if of.nodes == 0 {
		delete(g.sizes, node.memory)
	}
}

func (g *group) extent() extent {
	e := extent{all: -1, open: -1, openCPU: -1, unplugged: g.Unplugged > 0}
	for memory, of := range g.sizes {
		e.all = max(e.all, memory)
		if of.open > 0 {
			e.open = max(e.open, memory)
		}
		if of.openCPU > 0 {
			e.openCPU = max(e.openCPU, memory)
		}
	}
	return e
}

// class returns the present state.
func (g *group) class() Class {
	class, e := g.Class, g.extent()
	class.node = withMemory(g.node, e.all)
	class.room = Reserve{MilliCPU: g.node.Status.Allocatable.Cpu().MilliValue() - g.reserve.MilliCPU, Memory: e.all - g.reserve.Memory}
	of := func(memory int64) *corev1.Node {
		switch memory {
		case -1:
			return nil
		case e.all:
			return class.node
		default:
			return withMemory(g.node, memory)
		}
	}
	class.open, class.openCPU = of(e.open), of(e.openCPU)
	return class
}

func withMemory(node *corev1.Node, bytes int64) *corev1.Node {
	out := *node
	out.Status.Allocatable = maps.Clone(node.Status.Allocatable)
	out.Status.Allocatable[corev1.ResourceMemory] = *resource.NewQuantity(bytes, resource.BinarySI)
	return &out
}

// nameOf returns what people call such nodes.
func nameOf(class *Class) string {
	if len(class.supplies) == 0 {
		if len(class.foreign) > 0 {
			return string(class.foreign[0])
		}
		return "without GPU"
	}
	for i := range class.supplies {
		if profile := class.supplies[i].source.profile; profile != nil {
			return profile.Name
		}
	}
	for i := range class.supplies {
		if products := class.supplies[i].products; products != "" {
			return products
		}
	}
	for _, label := range []string{gpuLabels + suffixProduct, gkeAccelerator, instanceType} {
		if name := class.node.Labels[label]; name != "" {
			return name
		}
	}
	return string(class.supplies[0].resource)
}

// Inventory returns the present state.
func (b *Builder) Inventory() *Inventory {
	inv := &Inventory{
		config: &b.config, devices: b.devices, daemons: b.daemons, unread: b.unread, assumed: b.assumed,
		classes: make([]Class, 0, len(b.groups)), handedOut: map[corev1.ResourceName]int64{},
		offers: map[corev1.ResourceName][]offer{}, least: make([]int64, len(b.numbers)),
		legacy: map[string][]string{}, mps: map[string][]string{}, platforms: map[string]bool{},
	}
	for _, group := range b.groups {
		inv.classes = append(inv.classes, group.class())
	}
	slices.SortFunc(inv.classes, func(x, y Class) int {
		return cmp.Or(
			cmp.Compare(min(len(y.supplies), 1), min(len(x.supplies), 1)), cmp.Compare(min(len(y.foreign), 1), min(len(x.foreign), 1)),
			cmp.Compare(x.Name, y.Name), cmp.Compare(x.key, y.key))
	})
	for i := range inv.classes {
		inv.noteOffers(&inv.classes[i])
		inv.noteSharing(&inv.classes[i])
		inv.notePlatforms(inv.classes[i].node.Labels)
		inv.windows = inv.windows || inv.classes[i].node.Labels[corev1.LabelOSStable] == windows
		inv.noteMark(&inv.classes[i])
		inv.noteDevices(&inv.classes[i])
	}
	for i := range b.config.Profiles {
		inv.notePlatforms(b.config.Profiles[i].NodeSelector)
		inv.windows = inv.windows || b.config.Profiles[i].NodeSelector[corev1.LabelOSStable] == windows
	}
	return inv
}

func (inv *Inventory) notePlatforms(labels map[string]string) {
	for label := range labels {
		if platform := platformOf(label); platform != "" {
			inv.platforms[platform] = true
		}
	}
}

// noteMark notes a label by which tasks without GPUs keep off the nodes of a class, if it has accelerators of which the usual labels do not tell.
func (inv *Inventory) noteMark(class *Class) {
	labels := class.node.Labels
	usual := labels[gpuLabels+suffixPresent] != "" || labels[gpuLabels+suffixMemory] != ""
	if usual || !class.accelerated() || !satisfies(inv.marks, labels) {
		return
	}
	for _, label := range slices.Concat([]string{gpuLabels + suffixProduct, gkeAccelerator, karpenterMemory, eksMemory}, foreignLabels) {
		if _, ok := labels[label]; ok {
			inv.marks = append(inv.marks, absent(label))
			return
		}
	}
	for _, label := range sortedKeys(labels) {
		if platformOf(label) != label && !isCommon(label) {
			inv.marks = merge1(inv.marks, noneOf(label, labels[label]))
			return
		}
	}
}
