package devices

import (
	"cmp"
	"context" //nolint:depguard // the library asks for one, and never waits
	"fmt"
	"slices"
	"strings"
	"unique"

	resourcev1 "k8s.io/api/resource/v1"
	"k8s.io/dynamic-resource-allocation/cel"
	"k8s.io/utils/ptr"
)

const (
	// maxCompiled is how many selectors are kept compiled.
	maxCompiled = 256
	// maxCost bounds what CEL may cost for one class, over all devices. Selectors that people write cost some 30 a device.
	maxCost = 10_000_000
	// maxOutcomes bounds how many outcomes of a selector are kept: one for each kind of devices, or for each device.
	maxOutcomes = maxRemembered
)

// Class is a DeviceClass, and what it hands out anywhere.
type Class struct {
	Name      string
	Resources []string
	// Drivers are those of GPUs that it selects on any node, sorted.
	Drivers []string
	// Memory is the least memory of any device that it selects on any node, in MiB: what a request guarantees. 0 where a device does not
	// tell, or there is none.
	Memory int64
	// Devices is how many devices it selects.
	Devices int
	// Failure says why no Pod of this class is scheduled: a selector that is none, or that fails on a device. Empty if it works.
	Failure string
}

// same reports whether two classes differ in nothing that decides about every node.
func (c *Class) same(other *Class) bool {
	return c.Name == other.Name && c.Failure == other.Failure && slices.Equal(c.Resources, other.Resources)
}

// class is a DeviceClass with its selectors.
type class struct {
	Class
	selectors []*selector
	// key is equal for classes of the same selectors.
	key string
	// invalid says why it has none.
	invalid string
}

// selector is a CEL expression, and what became of it.
type selector struct {
	compiled cel.CompilationResult
	// distinguishes reports whether it can tell devices of one kind apart.
	distinguishes bool
	quantities    quantityUse
	outcomes      map[subject]outcome
}

// subject is what a selector is applied to: a kind of devices, or one of them.
type subject struct {
	kind     unique.Handle[string]
	identity string
}

// outcome is what a selector says of a device: whether it matches, or why it fails.
type outcome struct {
	matches bool
	failure string
}

// compile returns the classes by name, with their selectors. Those that were compiled before are taken over.
func compile(from *Published, known map[string]*selector) []class {
	cache := cel.NewCache(maxCompiled, cel.Features{EnableConsumableCapacity: true})
	winners := winnersOf(from.Classes)
	implicit := from.ImplicitNames || slices.ContainsFunc(from.Classes, func(c *resourcev1.DeviceClass) bool { return c.Spec.ExtendedResourceName != nil })
	var classes []class
	for _, c := range from.Classes {
		next := class{Class: Class{Name: c.Name}}
		if name := ptr.Deref(c.Spec.ExtendedResourceName, ""); name != "" && winners[name] == c.Name {
			next.Resources = append(next.Resources, name)
		}
		if implicit {
			next.Resources = append(next.Resources, resourcev1.ResourceDeviceClassPrefix+c.Name)
		}
		var key strings.Builder
		for _, s := range c.Spec.Selectors {
			if s.CEL == nil {
				next.invalid = "a selector has no CEL expression"
				continue
			}
			expression := s.CEL.Expression
			compiled := known[expression]
			if compiled == nil {
				compiled = &selector{compiled: cache.GetOrCompile(expression), outcomes: map[subject]outcome{}}
				compiled.read(expression)
				known[expression] = compiled
			}
			switch {
			case compiled.compiled.Error != nil:
				next.invalid = compiled.compiled.Error.Error()
			case compiled.quantities == longQuantities:
				next.invalid = "a selector has a quantity with a long exponent, or makes the text of one, which may take kube-scheduler minutes"
			}
			next.selectors = append(next.selectors, compiled)
			fmt.Fprintf(&key, "%q", expression)
		}
		next.key = key.String()
		classes = append(classes, next)
	}
	slices.SortFunc(classes, func(a, b class) int { return cmp.Compare(a.Name, b.Name) })
	return classes
}

// read finds out what a selector reads. One that does not compile may read anything.
func (s *selector) read(expression string) {
	s.distinguishes = true
	if s.compiled.Error != nil {
		return
	}
	if tree := treeOf(s.compiled.Environment, expression); tree != nil {
		s.distinguishes, s.quantities = distinguishes(tree), quantitiesOf(tree)
	}
}

// winnersOf returns the class that hands out each extended resource: of several, the newest one, then the first by name.
func winnersOf(declared []*resourcev1.DeviceClass) map[string]string {
	winners := map[string]*resourcev1.DeviceClass{}
	for _, c := range declared {
		name := ptr.Deref(c.Spec.ExtendedResourceName, "")
		last := winners[name]
		if last == nil || last.CreationTimestamp.Before(&c.CreationTimestamp) ||
			last.CreationTimestamp.Equal(&c.CreationTimestamp) && c.Name < last.Name {
			winners[name] = c
		}
	}
	names := map[string]string{}
	for name, c := range winners {
		names[name] = c.Name
	}
	return names
}

// picks is what a class selects of a pool. Those of alike pools are one.
type picks struct {
	// devices says of each device of the pool whether it is selected.
	devices []bool
	// count is how many are, and memory the least of them. gpus reports whether one is a GPU.
	count  int
	memory int64
	gpus   bool
	// failure is the first device's on which the class fails.
	failure string
}

func (p *picks) key() string {
	return fmt.Sprintf("%v %d %t %q", p.devices, p.memory, p.gpus, p.failure)
}

// pick applies a class to each device of a pool. It returns what that has cost.
func (c *class) pick(p *pool) (*picks, uint64) {
	out := &picks{devices: make([]bool, len(p.devices))}
	var cost uint64
	for i := range p.devices {
		d := &p.devices[i]
		matches, failure, spent := c.selects(d)
		cost += spent
		switch {
		case failure != "" && out.failure == "": // go on: which devices it selects says what it is for
			out.failure = fmt.Sprintf("it fails on device %s of driver %s: %s", d.name, p.driver, failure)
		case matches:
			if out.count++; out.count == 1 || d.memory < out.memory {
				out.memory = d.memory
			}
			out.devices[i], out.gpus = true, out.gpus || d.gpu
		}
	}
	return out, cost
}

// selects reports whether a device is of a class, or why that fails, and what it cost to know.
func (c *class) selects(d *device) (matches bool, failure string, cost uint64) {
	if d.flaw != "" && len(c.selectors) > 0 {
		return false, d.flaw, 0
	}
	for _, s := range c.selectors {
		next, spent := s.apply(d)
		cost += spent
		if next.failure != "" || !next.matches {
			return false, next.failure, cost
		}
	}
	return true, "", cost
}

// apply applies a selector to a device, or takes over what is known. CEL's own limit of cost bounds the time.
func (s *selector) apply(d *device) (outcome, uint64) {
	of := subject{kind: d.encoded}
	if s.distinguishes {
		of.identity = d.identity
	}
	if known, ok := s.outcomes[of]; ok {
		return known, 0
	}
	next, cost := s.evaluate(d)
	if len(s.outcomes) >= maxOutcomes {
		clear(s.outcomes)
	}
	s.outcomes[of] = next
	return next, cost
}

// evaluate runs a selector on a device.
//
//nolint:contextcheck,nolintlint // nothing here is to be cancelled
func (s *selector) evaluate(d *device) (outcome, uint64) {
	attributes := d.attributes(s.distinguishes)
	if s.quantities == readQuantities {
		if name := longAttribute(attributes); name != "" {
			return outcome{failure: fmt.Sprintf("its attribute %s is a quantity with a long exponent, which may take minutes to read", name)}, 0
		}
	}
	matches, details, err := s.compiled.DeviceMatches(context.Background(), cel.Device{
		Driver: d.driver, Attributes: attributes, Capacity: d.device.Capacity, AllowMultipleAllocations: d.device.AllowMultipleAllocations,
	})
	next := outcome{matches: matches && err == nil}
	if err != nil {
		next.failure = err.Error()
	}
	var cost uint64
	if details != nil {
		cost = ptr.Deref(details.ActualCost(), 0)
	}
	return next, cost
}

// sum adds up what a class selects of all pools, and says why it fails if it does. Pools that are not looked at any more have no picks.
func (c *class) sum(pools []*judged, at int) {
	c.Failure = c.invalid
	for _, p := range pools {
		picked := p.picks[at]
		if picked == nil {
			continue
		}
		if picked.count > 0 && (c.Devices == 0 || picked.memory < c.Memory) {
			c.Memory = picked.memory
		}
		c.Devices += picked.count
		if picked.gpus {
			c.Drivers = insert(c.Drivers, p.driver)
		}
		if c.Failure == "" {
			c.Failure = picked.failure
		}
	}
}
