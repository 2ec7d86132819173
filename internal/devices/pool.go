package devices

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"unique"

	corev1 "k8s.io/api/core/v1"
	resourcev1 "k8s.io/api/resource/v1"
	"k8s.io/utils/ptr"
)

// poolKey names a driver's pool.
type poolKey struct{ driver, name string }

func (k poolKey) compare(other poolKey) int {
	return cmp.Or(cmp.Compare(k.driver, other.driver), cmp.Compare(k.name, other.name))
}

// pool holds the devices of one driver's pool, of the newest generation. It is not changed.
type pool struct {
	poolKey
	// slices are sorted by name.
	slices  []*Slice
	devices []device
	// counters are the sets of counters that its devices take from.
	counters []resourcev1.CounterSet
	// problem says why kube-scheduler does not use it. Empty if it does.
	problem string
	// nodes are the names of the nodes that devices are for, sorted. There are none if named is false: some are for others, too.
	nodes []string
	named bool
}

// device is one of a pool.
type device struct {
	*kind
	encoded  unique.Handle[string]
	identity string
	name     string
	slice    *Slice
	// tainted reports whether it is handed out to nobody.
	tainted bool
}

// attributes returns the attributes, with those that only tell which device it is if they are needed.
func (d *device) attributes(all bool) map[resourcev1.QualifiedName]resourcev1.DeviceAttribute {
	if !all || d.identity == "" {
		return d.device.Attributes
	}
	both := maps.Clone(d.device.Attributes)
	if err := json.Unmarshal([]byte(d.identity), &both); err != nil {
		return d.device.Attributes // none of those can be read
	}
	return both
}

// scope returns the nodes that the device is for.
func (d *device) scope() scope {
	if d.slice.each {
		return scope{d.device.NodeName, d.device.NodeSelector, ptr.Deref(d.device.AllNodes, false)}
	}
	return d.slice.nodes
}

// newest returns the slices of each pool's newest generation, by name.
func newest(all []*Slice) map[poolKey][]*Slice {
	out := map[poolKey][]*Slice{}
	for _, slice := range all {
		k := poolKey{slice.driver, slice.pool}
		known := out[k]
		switch {
		case len(known) == 0 || known[0].generation < slice.generation:
			out[k] = []*Slice{slice}
		case known[0].generation == slice.generation:
			out[k] = append(known, slice)
		}
	}
	for _, members := range out {
		slices.SortFunc(members, func(a, b *Slice) int { return cmp.Compare(a.Name, b.Name) })
	}
	return out
}

// poolReader reads pools. kinds has those that were read.
type poolReader struct {
	kinds map[unique.Handle[string]]*kind
	rules []*resourcev1.DeviceTaintRule
}

// read reads a pool: its devices, also if it cannot be used.
func (r *poolReader) read(key poolKey, members []*Slice) *pool {
	p := &pool{poolKey: key, slices: members}
	seen := map[string]bool{}
	for _, slice := range members {
		p.counters = append(p.counters, slice.counters...)
		for i := range slice.devices {
			declared := &slice.devices[i]
			if seen[declared.name] {
				p.problem = "has two devices of one name"
			}
			seen[declared.name] = true
			d := device{kind: r.kindOf(declared.kind), encoded: declared.kind, identity: declared.identity, name: declared.name, slice: slice}
			d.tainted = d.kind.tainted || slices.ContainsFunc(r.rules, func(rule *resourcev1.DeviceTaintRule) bool { return key.isTainted(d.name, rule) })
			p.devices = append(p.devices, d)
		}
	}
	p.problem = cmp.Or(p.problem, p.miscounted())
	if want := members[0].of; int64(len(members)) != want {
		p.problem = fmt.Sprintf("has %d of %d ResourceSlices", len(members), want)
	}
	p.nodes, p.named = nodesOf(p.devices)
	return p
}

// same reports whether two pools differ in nothing: they are of the same slices, and the same devices are tainted.
func (p *pool) same(other *pool) bool {
	return slices.Equal(p.slices, other.slices) && slices.EqualFunc(p.devices, other.devices, func(a, b device) bool { return a.tainted == b.tainted })
}

// miscounted says why the counters of a pool cannot be used, and so none of its devices. Empty if they can.
func (p *pool) miscounted() string {
	sets := map[string]map[string]resourcev1.Counter{}
	for _, set := range p.counters {
		if _, twice := sets[set.Name]; twice {
			return "has two sets of counters of one name"
		}
		sets[set.Name] = set.Counters
	}
	for i := range p.devices {
		for _, of := range p.devices[i].device.ConsumesCounters {
			for name := range of.Counters {
				if _, there := sets[of.CounterSet][name]; !there {
					return "has devices that take from counters which are not there"
				}
			}
			if _, there := sets[of.CounterSet]; !there {
				return "has devices that take from counters which are not there"
			}
		}
	}
	return ""
}

func (r *poolReader) kindOf(encoded unique.Handle[string]) *kind {
	known := r.kinds[encoded]
	if known == nil {
		known = kindOf(encoded.Value())
		r.kinds[encoded] = known
	}
	return known
}

// isTainted reports whether a rule takes a device from everyone: a selector without a field means any.
func (k poolKey) isTainted(device string, rule *resourcev1.DeviceTaintRule) bool {
	s := rule.Spec.DeviceSelector
	return s != nil && keepsOff(rule.Spec.Taint) &&
		ptr.Deref(s.Driver, k.driver) == k.driver && ptr.Deref(s.Pool, k.name) == k.name && ptr.Deref(s.Device, device) == device
}

// nodesOf returns the names of the nodes that some devices are for, and false if some are for others, too.
func nodesOf(devices []device) (names []string, named bool) {
	for i := range devices {
		name := devices[i].scope().name
		if name == nil {
			return nil, false
		}
		names = insert(names, *name)
	}
	return names, true
}

// judged is a pool, with what each class selects of it: in the order of the classes, and nil where that is not known.
type judged struct {
	*pool
	picks []*picks
}

func (j *judged) same(other *judged) bool {
	return j.pool == other.pool && slices.Equal(j.picks, other.picks)
}

// found is a device that is for a node. uncertain is a label that is not known, and decides about that.
type found struct {
	*device
	of        *judged
	at        int
	uncertain string
}

// on returns the devices for a node.
func (j *judged) on(node *corev1.Node, reads func(string) bool) []found {
	var there []found
	for i := range j.devices {
		scope := j.devices[i].scope()
		if is, uncertain := scope.matches(node, reads); is {
			there = append(there, found{&j.devices[i], j, i, uncertain})
		}
	}
	return there
}
