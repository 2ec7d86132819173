package evolution

import (
	"maps"

	"github.com/maze-agent/maregister/internal/schema"
)

// othersMayBreak reports whether a value of a parameter with members that nobody declares was allowed, and may be refused now. Nobody should
// have passed one. A member that only the other version declares does not count: whatever it was before, it is told as a member that came.
func (f flow) othersMayBreak(name string) bool {
	given, isGiven := f.from.Part(name)
	taken, isTaken := f.to.Part(name)
	if !isGiven || !isTaken || schema.Within(given, taken) {
		return false
	}
	properties, _ := f.from.root["properties"].(map[string]any)
	if properties[name] == nil {
		return false // another schema declares it
	}
	root := maps.Clone(f.from.root)
	properties = maps.Clone(properties)
	properties[name] = withoutNew(f.from.property(name), f.to.property(name))
	root["properties"] = properties
	rest, err := reopen(root)
	if err != nil {
		return true // cannot be shown
	}
	without, ok := rest.Part(name)
	return !ok || !schema.Within(without, taken)
}

// withoutNew returns a schema that forbids the members which only another one declares, here and inside.
func withoutNew(from, to map[string]any) map[string]any {
	n := newMembers{own: memberNames(options(from)), others: members(options(to))}
	n.inner = map[string]map[string]any{"items": items(options(to)), "additionalProperties": asSchema(to["additionalProperties"])}
	return n.forbidden(from)
}

// newMembers are what another schema says of the members of one.
type newMembers struct {
	// own are the names that the schema has, and others the members that the other one declares.
	own    map[string]bool
	others map[string]any
	// inner are the schemas of the other one's items and further members, by their keywords. Nil for none.
	inner map[string]map[string]any
}

// forbidden returns the schema, or one that it chooses from, without the new members.
func (n *newMembers) forbidden(option map[string]any) map[string]any {
	out := maps.Clone(option)
	for _, keyword := range []string{"anyOf", "oneOf"} {
		if value, there := option[keyword]; there {
			out[keyword] = inside(keyword, value, func(_ []string, inner any) any {
				if inner, ok := inner.(map[string]any); ok {
					return n.forbidden(inner)
				}
				return inner
			})
		}
	}
	properties, _ := option["properties"].(map[string]any)
	if properties = n.properties(properties); len(properties) > 0 {
		out["properties"] = properties
	}
	for keyword, other := range n.inner {
		if inner := asSchema(option[keyword]); inner != nil && other != nil {
			out[keyword] = withoutNew(inner, other)
		}
	}
	return out
}

// properties returns the declared members, with those forbidden that are new.
func (n *newMembers) properties(declared map[string]any) map[string]any {
	out := map[string]any{}
	maps.Copy(out, declared)
	for name, value := range n.others {
		inner, other := asSchema(declared[name]), asSchema(value)
		switch {
		case inner != nil && other != nil:
			out[name] = withoutNew(inner, other)
		case !n.own[name] && other != nil:
			out[name] = false
		}
	}
	return out
}

// memberNames returns the names of the members that some options declare or require.
func memberNames(options []map[string]any) map[string]bool {
	names := map[string]bool{}
	for name := range members(options) {
		names[name] = true
	}
	for _, option := range options {
		required, _ := option["required"].([]any)
		for _, name := range required {
			if name, ok := name.(string); ok {
				names[name] = true
			}
		}
	}
	return names
}

// asSchema returns a schema that is an object. Nil for any other value.
func asSchema(value any) map[string]any {
	object, _ := value.(map[string]any)
	return object
}
