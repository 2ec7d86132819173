package schema

import "encoding/json"

// charactersPerStep is how many characters a regular expression of one
// instruction reads in about the time in which a validator visits a subschema.
const charactersPerStep = 50

// meter counts, before a value is validated, what that will cost. A recursive
// schema that refers to itself twice per level is small and yet visits 2^n
// subschemas for a value of n levels; only the value tells.
type meter struct {
	doc    *document
	limit  int
	counts map[visitKey]int
}

type visitKey struct {
	node  int
	value *instance
}

// instance is a value that a schema is applied to.
type instance struct {
	value any
	// size is the number of JSON values in it.
	size    int
	members []member
}

type member struct {
	name  *instance
	value *instance
}

func newInstance(value any) *instance {
	i := &instance{value: value, size: 1}
	switch v := value.(type) {
	case map[string]any:
		for _, name := range sortedNames(v) {
			i.add(&instance{value: name, size: 1}, newInstance(v[name]))
		}
	case []any:
		for _, item := range v {
			i.add(&instance{}, newInstance(item))
		}
	}
	return i
}

func (i *instance) add(name, value *instance) {
	i.members = append(i.members, member{name: name, value: value})
	i.size += value.size
}

func newMeter(doc *document, limit int) *meter {
	return &meter{doc: doc, limit: limit, counts: map[visitKey]int{}}
}

// steps estimates what applying a node to a value costs. Sums are kept for
// each pair of the two, and it stops above the limit, so it is itself cheap.
func (m *meter) steps(id int, value *instance) int {
	key := visitKey{id, value}
	if n, ok := m.counts[key]; ok {
		return n
	}
	n := &m.doc.nodes[id]
	total := own(n, value)
	for _, e := range n.edges {
		if len(m.counts) > m.limit || total > m.limit {
			total = m.limit + 1
			break
		}
		total += m.applied(e, value)
	}
	m.counts[key] = saturate(total, m.limit)
	return m.counts[key]
}

func (m *meter) applied(e edge, value *instance) int {
	if e.applies == toNothing {
		return 0
	}
	if e.applies == toItself {
		return m.steps(e.to, value)
	}
	total := 0
	for _, child := range value.members {
		switch {
		case e.applies == toNames:
			total += m.steps(e.to, child.name)
		case e.applies == toChildren, child.name.value == e.member:
			total += m.steps(e.to, child.value)
		}
		if total > m.limit {
			break
		}
	}
	return total
}

// own is what the keywords of one schema cost that apply no other schema.
func own(n *node, value *instance) int {
	total := 1 + len(value.members)
	for _, keyword := range []string{"enum", "const", "required", "dependentRequired"} {
		if literal, ok := n.schema[keyword]; ok {
			total += countValues(literal)
		}
	}
	if n.schema["uniqueItems"] == true {
		total += comparisons(len(value.members)) * value.size
	}
	return total + n.patternSize*characters(value)/charactersPerStep
}

// comparisons is how often the library looks at an item for uniqueItems: it
// compares all pairs of up to 20 items, and hashes the items of longer arrays.
func comparisons(items int) int {
	if items <= 20 {
		return items
	}
	return 2
}

// characters counts the text that the patterns of a schema read in a value.
func characters(value *instance) int {
	total := 0
	if s, ok := value.value.(string); ok {
		total = len(s)
	}
	for _, child := range value.members {
		if name, ok := child.name.value.(string); ok {
			total += len(name)
		}
	}
	return total
}

func countValues(value any) int {
	total := 1
	switch v := value.(type) {
	case map[string]any:
		for _, child := range v {
			total += countValues(child)
		}
	case []any:
		for _, child := range v {
			total += countValues(child)
		}
	case json.Number:
		total++ // compared as a fraction
	}
	return total
}
