package evolution

import (
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
	// known keeps what takes long to find and is the same for all changes.
	known *known
}

// known is what was found for one side. Nil for what was not asked for yet.
type known struct {
	// base are the shortest arguments, or result.
	base map[string]json.RawMessage
	// refused are all arguments, or results, that were found to be refused. The shortest comes first.
	refused []json.RawMessage
}

// compareSides returns the changes from the old side to the new one: parameters that stay, are renamed, or are new.
func compareSides(f flow) []Change {
	f.known = &known{}
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
		is := renamed[name]
		changes = append(changes, f.judged(Change{Kind: Renamed, Parameter: is, Was: name}))
		if f.side == Input { // that an output may be missing is what Renamed says
			changes = append(changes, f.required(name, is)...)
		}
		changes = append(changes, f.annotations(is, f.old.property(name), f.new.property(is))...)
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
	case f.isSpelledOtherwise(name):
		changes = append(changes, f.changed(name)...)
	}
	if widens != narrows && worstOf(changes) == Compatible && len(f.dropped(name)) == 0 && f.othersMayBreak(name) {
		changes = append(changes, Change{Side: f.side, Kind: Changed, Parameter: name, Verdict: Unknown})
	}
	if worstOf(changes) == Compatible {
		for _, member := range f.dropped(name) {
			changes = append(changes, Change{Side: f.side, Kind: Dropped, Parameter: name, Was: member, Verdict: Unknown})
		}
	}
	changes = append(changes, f.required(name, name)...)
	words := f.annotations(name, f.old.property(name), f.new.property(name))
	if slices.ContainsFunc(changes, func(c Change) bool { return c.Kind == Replaced && c.Verdict == Breaking }) {
		words = slices.DeleteFunc(words, func(c Change) bool { return c.Kind == Format }) // of values that are others now
	}
	return append(changes, words...)
}

// required returns the change where a parameter has to be there now, or no longer. It may have another name now.
func (f flow) required(was, is string) []Change {
	switch required := f.new.requires(is); {
	case required && !f.old.requires(was):
		return []Change{f.judged(Change{Kind: Required, Parameter: is})}
	case !required && f.old.requires(was):
		return []Change{f.judged(Change{Kind: Optional, Parameter: is})}
	default:
		return nil
	}
}

// changed returns the changes of a parameter that is declared otherwise, although the same values are given and taken. Where it says
// something else of the members that may come besides, somebody may pass such.
func (f flow) changed(name string) []Change {
	change := Change{Side: f.side, Kind: Changed, Parameter: name}
	isDropped := len(f.dropped(name)) > 0 // which is told by itself
	if !isDropped && f.othersMayBreak(name) {
		change.Verdict = Unknown
		return []Change{change}
	}
	var changes []Change
	for _, member := range droppedInside("", f.new.property(name), f.old.property(name)) {
		changes = append(changes, Change{Side: f.side, Kind: Extended, Parameter: name, Was: member})
	}
	if len(changes) == 0 && !isDropped {
		changes = append(changes, change)
	}
	return changes
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
func options(property map[string]any) []map[string]any {
	all := []map[string]any{property}
	for _, keyword := range []string{"anyOf", "oneOf"} {
		inside(keyword, property[keyword], func(_ []string, option any) any {
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
	old, now := f.old.property(was), f.new.property(is)
	isSameFormat := string(keywordText(old, "format")) == string(keywordText(now, "format"))
	return isSameFormat && fits(f.old, f.new, was, is) && fits(f.new, f.old, is, was)
}

// fits reports whether each value that one version has for a parameter is allowed by another one for its own.
func fits(from, to *interfaceSide, given, taken string) bool {
	values, _ := from.given.Part(given)
	allowed, _ := to.Part(taken)
	return schema.Within(values, allowed)
}
