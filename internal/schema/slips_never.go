package schema

import "strings"

// neverPassed warns of parameters that no value fits: false, which stands more often for a default, and "not" of everything. That has a
// meaning where it depends on something, as below "anyOf" or "then", so only what is always declared is looked at.
func (s *slips) neverPassed(doubtful map[string]bool) {
	for queue := []int{0}; len(queue) > 0; queue = queue[1:] {
		n := &s.nodes[queue[0]]
		if doubtful[n.pointer] {
			continue
		}
		for _, e := range n.edges {
			inner := &s.nodes[e.to]
			switch e.keyword {
			case "not":
				if s.fitsAll(inner) {
					s.contradiction(n, "not", `everything fits what is below "not", so no value fits here; remove it, or say what is excluded`)
				}
				continue
			case "properties":
				if inner.schema == nil && !inner.always {
					s.warn(KindFalseSchema, inner.pointer, `false is a schema that no value fits, so %s can never be passed; declare it as in `+
						`{"type": "boolean", "default": false}, or remove it`, quote(e.member))
				}
			case "items", "prefixItems", "allOf", "additionalProperties", "patternProperties":
			default:
				continue
			}
			if inner.schema != nil && strings.HasPrefix(inner.pointer, n.pointer+"/") && (e.keyword != "additionalProperties" || !inner.has("not")) {
				queue = append(queue, e.to)
			}
		}
	}
}

// fitsAll reports whether a schema has nothing but annotations.
func (*slips) fitsAll(n *node) bool {
	if n.schema == nil {
		return n.always
	}
	for name := range n.schema {
		if _, known := keywords[name]; known && !annotations[name] {
			return false
		}
	}
	return true
}
