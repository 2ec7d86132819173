package evolution

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"

	"github.com/maze-agent/maregister/internal/schema"
)

// judged returns a change with its verdict. A change breaks something if values show it that one version gives and the other refuses for
// this change.
func (f flow) judged(c Change) Change {
	c.Side, c.Verdict = f.side, Compatible
	shown, can := f.attempt(c)
	if can && (shown == nil || !f.shows(shown)) {
		shown = f.search(c)
	}
	switch {
	case !can:
		return c
	case shown != nil && f.shows(shown):
		c.Verdict, c.Instance = Breaking, shown
		if c.Kind == Narrowed || c.Kind == Widened || c.Kind == Replaced {
			c.Value, c.Reason = f.value(c)
		}
	default:
		c.Verdict = Unknown
	}
	return c
}

// search looks among all that is refused for what shows a change. Nil if nothing was found.
func (f flow) search(c Change) json.RawMessage {
	name := c.Parameter
	if c.Kind == Renamed {
		name = c.Was
	}
	isPassed := f.side == Input && (c.Kind == Removed || c.Kind == Renamed) || f.side == Output && c.Kind == Added
	isOfValues := c.Kind == Narrowed || c.Kind == Widened || c.Kind == Replaced
	if f.side == Output && ((c.Kind == Removed || c.Kind == Renamed) && !f.old.requires(name) || c.Kind == Added && !f.old.Forbids(name)) {
		return nil // what is refused would be so for something else
	}
	taken, _ := f.to.Part(name)
	for _, instance := range f.refusals() {
		var members map[string]json.RawMessage
		if json.Unmarshal(instance, &members) != nil {
			continue
		}
		value, there := members[name]
		if isOfValues && there && taken.Validate(value) != nil || !isOfValues && there == isPassed {
			return instance
		}
	}
	return nil
}

// refusals returns what was found that one version gives and the other refuses.
func (f flow) refusals() []json.RawMessage {
	if f.known.refused == nil {
		found := schema.Counterexamples(f.given, f.taken)
		isNothing := func(instance json.RawMessage) bool { return !f.shows(instance) }
		f.known.refused = append([]json.RawMessage{}, slices.DeleteFunc(found, isNothing)...) // not nil
	}
	return f.known.refused
}

// value returns what a parameter is in an instance, and why the other version refuses that.
func (f flow) value(c Change) (json.RawMessage, string) {
	var members map[string]json.RawMessage
	if json.Unmarshal(c.Instance, &members) != nil {
		return nil, ""
	}
	taken, _ := f.to.Part(c.Parameter)
	return members[c.Parameter], reason(taken, members[c.Parameter])
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

// base returns a copy of the shortest arguments, or result.
func (f flow) base() map[string]json.RawMessage {
	if f.known.base == nil {
		f.known.base = f.shortest()
	}
	return maps.Clone(f.known.base)
}

// shortest returns the shortest arguments, or result, that are given. Where a value would be refused, it has one that is taken, too, if there
// is one: so that what is shown is refused for what is told of it.
func (f flow) shortest() map[string]json.RawMessage {
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
