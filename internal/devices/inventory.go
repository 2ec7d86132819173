package devices

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"unique"

	corev1 "k8s.io/api/core/v1"
	resourcev1 "k8s.io/api/resource/v1"
	"k8s.io/apimachinery/pkg/util/version"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"
)

// Published is what a cluster publishes.
type Published struct {
	Classes []*resourcev1.DeviceClass
	Slices  []*Slice
	Rules   []*resourcev1.DeviceTaintRule
	// ImplicitNames reports whether Pods can ask for a class that has no extended resource of its own: where the API server is of version
	// 1.36 or later. A class that has one shows it, too, as earlier API servers drop the field.
	ImplicitNames bool
}

// Inventory holds what there is to hand out.
type Inventory struct {
	classes []class
	// pools are those that can be used, by driver and name.
	pools []*judged
	// byNode are the pools with devices for a node by its name, others those with devices for any node. broken says by node's name what is
	// amiss with pools that cannot be used.
	byNode map[string][]*judged
	others []*judged
	broken map[string]brokenPool
	// What the next inventory takes over.
	all    map[poolKey]*pool
	rules  []*resourcev1.DeviceTaintRule
	memory *memory
}

// memory holds what inventories that follow one another need not find out again.
type memory struct {
	// selectors are by expression, kinds by how they are encoded, and picks by their key.
	selectors map[string]*selector
	kinds     map[unique.Handle[string]]*kind
	picks     map[string]*picks
	counts    counts
}

// maxRemembered bounds what is remembered of each: what is gone long ago would pile up.
const maxRemembered = 1 << 12

// trim forgets everything of which there is much.
func (m *memory) trim() {
	if len(m.selectors) > maxCompiled || m.selectors == nil {
		m.selectors = map[string]*selector{}
	}
	if len(m.kinds) > maxRemembered || m.kinds == nil {
		m.kinds = map[unique.Handle[string]]*kind{}
	}
	if len(m.picks) > maxRemembered || m.picks == nil {
		m.picks = map[string]*picks{}
	}
	m.counts.renew()
}

// brokenPool is a pool of GPUs that cannot be used, and what is amiss with it.
type brokenPool struct{ driver, what string }

// NewInventory reads what there is. Whatever it is given, a class or slice that cannot be used is left out: see Classes for those.
func NewInventory(published Published) *Inventory { return (*Inventory)(nil).Next(published) }

// Next reads what there is now. What is the same as before, as pointers, is not read again: a change of one slice costs little among thousands.
// Inventories that follow one another share a memory, so that Next is not safe for concurrent use; all else is.
func (i *Inventory) Next(published Published) *Inventory {
	if i == nil {
		i = &Inventory{memory: &memory{}}
	}
	i.memory.trim()
	next := &Inventory{
		byNode: map[string][]*judged{}, broken: map[string]brokenPool{}, all: map[poolKey]*pool{}, rules: published.Rules, memory: i.memory,
	}
	next.classes = compile(&published, i.memory.selectors)
	next.readPools(i, published.Slices)
	next.judge(i)
	for k := range next.classes {
		next.classes[k].sum(next.pools, k)
	}
	return next
}

// readPools reads the pools, or takes them over. Those that cannot be used are noted.
func (i *Inventory) readPools(last *Inventory, all []*Slice) {
	reader := &poolReader{kinds: i.memory.kinds, rules: i.rules}
	sameRules := slices.Equal(last.rules, i.rules)
	for key, members := range newest(all) {
		p := last.all[key]
		if p == nil || !sameRules || !slices.Equal(p.slices, members) {
			if next := reader.read(key, members); p == nil || !p.same(next) {
				p = next
			}
		}
		i.all[key] = p
		if p.problem != "" {
			i.note(p)
			continue
		}
		i.pools = append(i.pools, &judged{pool: p})
	}
	slices.SortFunc(i.pools, func(a, b *judged) int { return a.compare(b.poolKey) })
	for _, p := range i.pools {
		if !p.named {
			i.others = append(i.others, p)
		}
		for _, name := range p.nodes {
			i.byNode[name] = append(i.byNode[name], p)
		}
	}
}

// note notes for the nodes of a pool of GPUs that it cannot be used.
func (i *Inventory) note(p *pool) {
	text := fmt.Sprintf("its pool %s of driver %s %s", p.name, p.driver, p.problem)
	for k := range p.devices {
		d := &p.devices[k]
		name := d.slice.NodeName()
		if name == "" || !d.gpu {
			continue
		}
		if last := i.broken[name].what; last == "" || text < last {
			i.broken[name] = brokenPool{p.driver, text}
		}
	}
}

// judge finds out what each class selects of each pool, or takes it over. A class that costs too much fails.
func (i *Inventory) judge(last *Inventory) {
	before := map[poolKey]*judged{}
	for _, p := range last.pools {
		before[p.poolKey] = p
	}
	at := make([]int, len(i.classes)) // where a class of the same selectors was
	for k := range i.classes {
		at[k] = slices.IndexFunc(last.classes, func(c class) bool { return c.key == i.classes[k].key && c.invalid == "" })
	}
	same := slices.EqualFunc(i.classes, last.classes, func(a, b class) bool { return a.key == b.key && a.invalid == "" && b.invalid == "" })
	costs := make([]uint64, len(i.classes))
	for _, p := range i.pools {
		was := before[p.poolKey]
		if same && was != nil && was.pool == p.pool {
			p.picks = was.picks
			continue
		}
		p.picks = make([]*picks, len(i.classes))
		for k := range i.classes {
			c := &i.classes[k]
			switch {
			case c.invalid != "":
			case was != nil && was.pool == p.pool && at[k] >= 0 && was.picks[at[k]] != nil:
				p.picks[k] = was.picks[at[k]]
			case costs[k] <= maxCost:
				var cost uint64
				p.picks[k], cost = c.pick(p.pool)
				p.picks[k] = i.memory.shared(p.picks[k])
				costs[k] += cost
			default:
				c.invalid = "its selectors cost too much to try them on all devices"
			}
		}
	}
}

// shared returns one value for all picks that are equal.
func (m *memory) shared(p *picks) *picks {
	key := p.key()
	if same := m.picks[key]; same != nil {
		return same
	}
	m.picks[key] = p
	return p
}

// Classes returns all classes, by name.
func (i *Inventory) Classes() []Class {
	var classes []Class
	for _, c := range i.classes {
		classes = append(classes, c.Class)
	}
	return classes
}

// Class returns the class of a name. It is nil if there is none.
func (i *Inventory) Class(name string) *Class {
	k, found := slices.BinarySearchFunc(i.classes, name, func(c class, name string) int { return cmp.Compare(c.Name, name) })
	if !found {
		return nil
	}
	return &i.classes[k].Class
}

// Changes returns the names of the nodes for which something else is published than in an earlier inventory. It reports whether that may be so of
// every node.
func (i *Inventory) Changes(earlier *Inventory) (names []string, all bool) {
	if earlier == nil || !slices.EqualFunc(i.classes, earlier.classes, func(a, b class) bool { return a.same(&b.Class) }) ||
		!slices.EqualFunc(i.others, earlier.others, (*judged).same) {
		return nil, true
	}
	changed := map[string]bool{}
	if i.driverChanges(earlier, changed) {
		return nil, true
	}
	for _, pair := range [][2]*Inventory{{i, earlier}, {earlier, i}} {
		one, other := pair[0], pair[1]
		for name, pools := range one.byNode {
			if !slices.EqualFunc(pools, other.byNode[name], (*judged).same) {
				changed[name] = true
			}
		}
		for name, what := range one.broken {
			if what != other.broken[name] {
				changed[name] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(changed)), false
}

// driverChanges notes the nodes that have devices of a class which is for other drivers than in an earlier inventory of the same classes. It
// reports whether that may be every node.
func (i *Inventory) driverChanges(earlier *Inventory, changed map[string]bool) (all bool) {
	for k := range i.classes {
		if slices.Equal(i.classes[k].Drivers, earlier.classes[k].Drivers) {
			continue
		}
		for _, p := range slices.Concat(i.pools, earlier.pools) {
			switch {
			case p.picks[k] == nil || p.picks[k].count == 0:
			case !p.named:
				return true
			default:
				for _, name := range p.nodes {
					changed[name] = true
				}
			}
		}
	}
	return false
}

// matches reports whether something is for a node. It returns a label of which it is not known whether the node has it, if a selector asks for
// one: then it reports true.
func (n *scope) matches(node *corev1.Node, reads func(string) bool) (is bool, uncertain string) {
	switch {
	case n.name != nil:
		return *n.name == node.Name, ""
	case n.selector != nil:
		for _, term := range n.selector.NodeSelectorTerms {
			for _, r := range term.MatchExpressions {
				if !reads(r.Key) {
					return true, r.Key
				}
			}
		}
		parsed, err := nodeaffinity.NewNodeSelector(n.selector)
		return err == nil && parsed.Match(node), ""
	default:
		return n.all, ""
	}
}

// insert adds to a sorted set.
func insert[T cmp.Ordered](set []T, value T) []T {
	if i, found := slices.BinarySearch(set, value); !found {
		return slices.Insert(set, i, value)
	}
	return set
}

// ImplicitNames reports whether an API server of a version lets Pods ask for a DeviceClass that has no extended resource of its own: since 1.36,
// where DRAExtendedResource is on. A version that cannot be read is an earlier one.
func ImplicitNames(gitVersion string) bool {
	v, err := version.ParseGeneric(gitVersion)
	return err == nil && v.AtLeast(version.MajorMinor(1, 36))
}

// Model is what GPUs have in common that are told by slices.
type Model struct {
	Driver, Type, Product string
	// Memory is in MiB, rounded down. Capability is a hundred times the major version of the compute capability, and the minor one. 0 where that is
	// not told.
	Memory, Capability int64
}

// Models returns the models of all GPUs that can be handed out, each once, in order.
func (i *Inventory) Models() []Model {
	models := map[Model]bool{}
	for _, p := range i.pools {
		for k := range p.devices {
			if d := &p.devices[k]; d.gpu && !d.tainted {
				models[Model{Driver: d.driver, Type: d.is, Product: d.product, Memory: d.memory, Capability: d.capability}] = true
			}
		}
	}
	return slices.SortedFunc(maps.Keys(models), func(a, b Model) int {
		return cmp.Or(cmp.Compare(a.Driver, b.Driver), cmp.Compare(a.Type, b.Type), cmp.Compare(a.Memory, b.Memory), cmp.Compare(a.Product, b.Product),
			cmp.Compare(a.Capability, b.Capability))
	})
}
