package evolution

import (
	"bytes"
	"encoding/json"
	"maps"
	"reflect"
	"slices"

	"github.com/maze-agent/maregister/internal/nearest"
	"github.com/maze-agent/maregister/internal/schema"
)

// inputs compares what callers of the old version pass with what the new one takes. It refuses what it does not declare.
func inputs(was, is *interfaceSide) []Change {
	return compareSides(flow{side: Input, from: was, to: is, old: was, new: is, given: was.given.Root(), taken: is.declared.Root()})
}

// outputs compares what the new version returns with what readers of the old one expect. They do not mind what they do not know.
func outputs(was, is *interfaceSide) []Change {
	return compareSides(flow{side: Output, from: is, to: was, old: was, new: is, given: is.given.Root(), taken: was.Root()})
}

// flow is the way of values from one version to the other.
type flow struct {
	side     Side
	from, to *interfaceSide
	old, new *interfaceSide
	// given and taken are what all values together are subject to, where they come from and where they go.
	given, taken schema.Part
}

// compareSides returns the changes from the old side to the new one: parameters that stay, are renamed, or are new.
func compareSides(f flow) []Change {
	if f.old.declaresNothing() != f.new.declaresNothing() {
		return []Change{{Side: f.side, Kind: Declared, Verdict: Unknown}}
	}
	renamed := f.renames()
	var changes []Change
	for _, name := range f.old.Names() {
		if _, ok := renamed[name]; !ok {
			changes = append(changes, f.of(name)...)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(renamed)) {
		c := f.judged(Change{Kind: Renamed, Parameter: renamed[name], Was: name})
		changes = append(changes, c)
	}
	for _, name := range f.new.Names() {
		if !f.old.declares(name) && !slices.Contains(slices.Collect(maps.Values(renamed)), name) {
			changes = append(changes, f.judged(Change{Kind: Added, Parameter: name}))
		}
	}
	return f.combined(changes)
}

// of returns the changes of a parameter of the old version.
func (f flow) of(name string) []Change {
	if !f.new.declares(name) && !f.new.Allows(name) {
		return []Change{f.judged(Change{Kind: Removed, Parameter: name})}
	}
	var changes []Change
	widens, narrows := !fits(f.new, f.old, name, name), !fits(f.old, f.new, name, name)
	switch {
	case widens && narrows:
		changes = append(changes, f.judged(Change{Kind: Replaced, Parameter: name}))
	case widens:
		changes = append(changes, f.judged(Change{Kind: Widened, Parameter: name}))
	case narrows:
		changes = append(changes, f.judged(Change{Kind: Narrowed, Parameter: name}))
	case len(f.dropped(name)) == 0 && f.isSpelledOtherwise(name):
		changes = append(changes, f.changed(name))
	}
	if worstOf(changes) == Compatible {
		for _, member := range f.dropped(name) {
			changes = append(changes, Change{Side: f.side, Kind: Dropped, Parameter: name, Was: member, Verdict: Unknown})
		}
	}
	switch required := f.new.requires(name); {
	case required && !f.old.requires(name):
		changes = append(changes, f.judged(Change{Kind: Required, Parameter: name}))
	case !required && f.old.requires(name):
		changes = append(changes, f.judged(Change{Kind: Optional, Parameter: name}))
	}
	return append(changes, f.annotations(name, nil, f.old.property(name), f.new.property(name))...)
}

// changed returns the change of a parameter that is declared otherwise, although the same values are given and taken. Where only the members
// that may come besides have changed, somebody may pass such.
func (f flow) changed(name string) Change {
	change := Change{Side: f.side, Kind: Changed, Parameter: name}
	given, _ := f.from.Part(name)
	taken, _ := f.to.Part(name)
	onlyOpened := reflect.DeepEqual(bare(f.old.property(name), opening...), bare(f.new.property(name), opening...))
	switch {
	case schema.Within(given, taken):
	case onlyOpened:
		change.Verdict = Unknown
	default:
		change.Kind = Extended
	}
	return change
}

// maxDropped bounds how many members inside a parameter are told that are gone.
const maxDropped = 10

// dropped returns the members inside a parameter that only the old version declares, as paths such as optimizer.rate. An object that says
// nothing of other members lets them pass, and nobody heeds them.
func (f flow) dropped(name string) []string {
	return droppedInside("", f.old.property(name), f.new.property(name))
}

func droppedInside(path string, was, is map[string]any) []string {
	var gone []string
	before, after := options(was), options(is)
	old, now := members(before), members(after)
	isOpen := slices.ContainsFunc(after, func(option map[string]any) bool { return option["properties"] != nil && isCloseable(option) })
	for _, name := range slices.Sorted(maps.Keys(old)) {
		inner, _ := now[name].(map[string]any)
		_, still := now[name]
		switch before, _ := old[name].(map[string]any); {
		case len(gone) >= maxDropped:
			return gone
		case still:
			gone = append(gone, droppedInside(path+name+".", before, inner)...)
		case isOpen:
			gone = append(gone, path+name)
		}
	}
	if item := items(before); item != nil {
		gone = append(gone, droppedInside(path+"items.", item, items(after))...)
	}
	return gone[:min(len(gone), maxDropped)]
}

// options returns a schema, and those that it chooses from.
func options(schema map[string]any) []map[string]any {
	all := []map[string]any{schema}
	for _, keyword := range []string{"anyOf", "oneOf"} {
		inside(keyword, schema[keyword], func(_ []string, option any) any {
			if option, ok := option.(map[string]any); ok {
				all = append(all, options(option)...)
			}
			return nil
		})
	}
	return all
}

// members returns the schemas of the members that some options declare.
func members(options []map[string]any) map[string]any {
	all := map[string]any{}
	for _, option := range slices.Backward(options) { // the first one counts
		properties, _ := option["properties"].(map[string]any)
		maps.Copy(all, properties)
	}
	return all
}

// items returns the schema of the items that some options declare. Nil if none does.
func items(options []map[string]any) map[string]any {
	for _, option := range options {
		if item, ok := option["items"].(map[string]any); ok {
			return item
		}
	}
	return nil
}

func worstOf(changes []Change) Verdict {
	worst := Compatible
	for _, change := range changes {
		worst = max(worst, change.Verdict)
	}
	return worst
}

// property returns the schema of a parameter as the root declares it, without references. Empty where something else does.
func (s *interfaceSide) property(name string) map[string]any {
	property, _ := s.properties[name].(map[string]any)
	return property
}

// spelled returns the schema of a parameter word for word.
func (s *interfaceSide) spelled(name string) any {
	properties, _ := s.root["properties"].(map[string]any)
	return properties[name]
}

// isSpelledOtherwise reports whether a parameter is declared otherwise, but for what describes it.
func (f flow) isSpelledOtherwise(name string) bool {
	return !reflect.DeepEqual(bare(f.old.spelled(name)), bare(f.new.spelled(name))) ||
		!reflect.DeepEqual(bare(f.old.property(name)), bare(f.new.property(name)))
}

// renames guesses which parameters of the old version have another name in the new one: such as take the same values, and are named
// alike or are the only ones that came and went.
func (f flow) renames() map[string]string {
	var gone, came []string
	for _, name := range f.old.Names() {
		if !f.new.declares(name) && !f.new.Allows(name) {
			gone = append(gone, name)
		}
	}
	for _, name := range f.new.Names() {
		if !f.old.declares(name) {
			came = append(came, name)
		}
	}
	renamed := map[string]string{}
	for _, name := range gone {
		alike := nearest.Name(name, came)
		if alike == "" && len(gone) == 1 && len(came) == 1 && f.old.requires(name) == f.new.requires(came[0]) && f.hasType(name) {
			alike = came[0]
		}
		if alike == "" || !f.sameValues(name, alike) {
			continue
		}
		renamed[name] = alike
		came = slices.DeleteFunc(came, func(other string) bool { return other == alike })
	}
	return renamed
}

// hasType reports whether a parameter's schema says anything by which it could be known again.
func (f flow) hasType(name string) bool { return len(f.old.property(name)) > 0 }

func (f flow) sameValues(was, is string) bool {
	return fits(f.old, f.new, was, is) && fits(f.new, f.old, is, was)
}

// fits reports whether each value that one version has for a parameter is allowed by another one for its own.
func fits(from, to *interfaceSide, given, taken string) bool {
	values, _ := from.given.Part(given)
	allowed, _ := to.Part(taken)
	return schema.Within(values, allowed)
}

// judged returns a change with its verdict. A change breaks something if values show it that one version gives and the other refuses for
// this change.
func (f flow) judged(c Change) Change {
	c.Side, c.Verdict = f.side, Compatible
	shown, can := f.attempt(c)
	switch {
	case !can:
		return c
	case shown != nil && f.shows(shown):
		c.Verdict, c.Instance = Breaking, shown
	default:
		c.Verdict = Unknown
	}
	return c
}

// attempt returns arguments, or a result, that may show what a change breaks: nil if none was found. It also reports whether the change can
// break anything.
//
//	           input                            output
//	Added      the new version requires it      the old one forbids it
//	Removed    the old one took it              the old one required it, or somebody reads it
//	Renamed    the old one took the old name    the old one required the old name, or somebody reads it
//	Narrowed   a value is refused               -
//	Widened    -                                a value may come that the old one never gave
//	Replaced   a value is refused               a value may come that the old one never gave
//	Required   it may be missing                -
//	Optional   -                                it may be missing
func (f flow) attempt(c Change) (shown json.RawMessage, can bool) {
	name := c.Parameter
	if c.Kind == Renamed {
		name = c.Was
	}
	if f.side == Output {
		switch c.Kind {
		case Added:
			if f.taken.Validate(f.without(name)) != nil {
				return nil, !f.takesOthers() // what shows it may be refused for something else
			}
			return f.with(name, schema.Part.Example), !f.takesOthers()
		case Removed, Renamed: // whoever reads one that the result could lack is told Unknown
			if !f.old.requires(name) {
				return nil, true
			}
			return f.without(name), true
		case Optional:
			return f.without(name), true
		case Widened, Replaced:
			return f.with(name, f.refused(name)), true
		}
		return nil, false
	}
	switch c.Kind {
	case Added:
		return f.without(name), f.new.requires(name)
	case Required:
		return f.without(name), true
	case Removed, Renamed:
		return f.with(name, schema.Part.Example), true
	case Narrowed, Replaced:
		return f.with(name, f.refused(name)), true
	}
	return nil, false
}

// takesOthers reports whether the version that values go to lets pass what it does not declare.
func (f flow) takesOthers() bool {
	others, there := f.to.root["additionalProperties"]
	return !there && !hasAny(f.to.root, combining) || others == true
}

// refused returns what finds a value of a parameter that the other version refuses.
func (f flow) refused(name string) func(schema.Part) (json.RawMessage, bool) {
	return func(given schema.Part) (json.RawMessage, bool) {
		taken, ok := f.to.Part(name)
		if !ok {
			return nil, false
		}
		return schema.Counterexample(given, taken)
	}
}

// with returns the shortest arguments, or result, with a value of a parameter. Nil if there is none.
func (f flow) with(name string, value func(schema.Part) (json.RawMessage, bool)) json.RawMessage {
	part, ok := f.from.given.Part(name)
	if !ok {
		return nil
	}
	text, ok := value(part)
	if !ok {
		return nil
	}
	object := f.base()
	object[name] = text
	return encode(object)
}

// without returns the shortest arguments, or result, without a parameter.
func (f flow) without(name string) json.RawMessage {
	object := f.base()
	delete(object, name)
	return encode(object)
}

// base returns the shortest arguments, or result, that are given. Where a value would be refused, it has one that is taken, too, if there is
// one: so that what is shown is refused for what is told of it.
func (f flow) base() map[string]json.RawMessage {
	base := map[string]json.RawMessage{}
	if example, ok := f.given.Example(); ok {
		_ = json.Unmarshal(example, &base) // an object, as the root's type is
	}
	for _, name := range slices.Sorted(maps.Keys(base)) {
		given, isGiven := f.from.given.Part(name)
		taken, isTaken := f.to.Part(name)
		if !isGiven || !isTaken || taken.Validate(base[name]) == nil {
			continue
		}
		value, ok := taken.Example()
		if !ok || given.Validate(value) != nil {
			continue
		}
		was := base[name]
		if base[name] = value; f.given.Validate(encode(base)) != nil {
			base[name] = was
		}
	}
	return base
}

// encode returns a value as JSON, with the characters that it has. Nil if that cannot be.
func encode(value any) json.RawMessage {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if encoder.Encode(value) != nil {
		return nil
	}
	return bytes.TrimSpace(out.Bytes())
}
