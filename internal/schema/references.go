package schema

import (
	"slices"
	"strings"

	"github.com/maze-agent/maregister/internal/jsontree"
	"github.com/maze-agent/maregister/internal/nearest"
)

// connect adds the references to the graph, and bounds what following them costs.
func (d *document) connect() {
	if len(d.references) == 0 {
		return // a tree
	}
	d.resolve()
	if err := d.refuseCycles(); err != nil {
		d.stop(err)
		return
	}
	if err := d.boundExpansion(); err != nil {
		d.stop(err)
	}
}

// resolve adds an edge for each reference. A reference leads to an anchor or
// to where 2020-12 expects a schema; anything else is not normalised, and
// other tools read it differently.
func (d *document) resolve() {
	byPointer := make(map[string]int, len(d.nodes))
	for id, n := range d.nodes {
		byPointer[n.pointer] = id
	}
	for _, r := range d.references {
		targets := d.anchors
		if r.target == "" || strings.HasPrefix(r.target, "/") {
			targets = byPointer
		}
		to, found := targets[r.target]
		if !found {
			d.note(leadsNowhere(d.root, d.moves, r.pointer, "#"+r.target))
			continue
		}
		d.nodes[r.from].edges = append(d.nodes[r.from].edges, edge{to: to, applies: toItself, keyword: "$ref"})
	}
}

// leadsNowhere refuses a reference into its own document that leads to no schema, and says what was probably meant.
func leadsNowhere(root map[string]any, m moves, pointer, text string) *Error {
	kind, decides := placeOf(strings.TrimPrefix(text, "#"))
	isPointer := strings.HasPrefix(text, "#/")
	guess := definitionMeant(root, m, text)
	switch name := lastName(text); {
	case isPointer && kind == valuePlace:
		return invalid(pointer, `the reference %s leads into %q, which holds no schema; define the schema below "$defs" and refer to it as "#/$defs/name"`,
			quote(text), decides)
	case isPointer && kind == collectionPlace && isThere(root, text[1:]):
		return invalid(pointer, `the reference %s leads to all of %q, which is no schema itself; refer to one of those in it, as in %s`,
			quote(text), decides, quote(text+"/name"))
	case guess != "":
		return invalid(pointer, `the reference %s leads to no schema in the document; did you mean %s?`, quote(text), quote(guess))
	case isPointer && isOfDefinitions(text):
		return invalid(pointer, `the reference %s leads to no schema in the document; where this was copied from defines %s: copy that, too, below "$defs", `+
			`and refer to it as %s`, quote(text), quote(name), quote("#/$defs/"+token(name)))
	}
	return invalid(pointer, `the reference %s leads to no schema in the document; define it below "$defs" and refer to it as "#/$defs/name"`, quote(text))
}

func isThere(root map[string]any, pointer string) bool {
	_, ok := lookUp(root, pointer)
	return ok
}

// isOfDefinitions reports whether a reference leads to where other formats have the definitions of a document.
func isOfDefinitions(text string) bool {
	return slices.ContainsFunc([]string{"#/definitions/", "#/components/"}, func(prefix string) bool { return strings.HasPrefix(text, prefix) })
}

// lastName returns the last name of a reference, which most often is that of a definition, without the ending of a file.
func lastName(text string) string {
	name := text[strings.LastIndexAny(text, "/#")+1:]
	for _, ending := range []string{".json", ".yaml", ".yml", ".schema"} {
		name = strings.TrimSuffix(name, ending)
	}
	return jsontree.Tokens("/" + name)[0]
}

// definitionMeant returns the reference to a definition of the document that was probably meant by another one. Empty if there is none.
func definitionMeant(root map[string]any, m moves, text string) string {
	byName := map[string]string{}
	for _, keyword := range []string{"definitions", "$defs"} {
		definitions, _ := root[keyword].(map[string]any)
		for name := range definitions {
			byName[name] = "#" + m.declaredAt("/"+keyword+"/"+token(name))
		}
	}
	name := lastName(text)
	if guess, ok := byName[name]; ok {
		return guess
	}
	return byName[nearest.Name(name, sortedNames(byName))]
}

// visit is how far a depth-first search has come with a node.
type visit int

const (
	unseen visit = iota
	active       // on the path from the start to where the search stands
	done
)

// refuseCycles finds schemas that apply themselves to the same value, which a
// validator would follow for ever. A cycle through properties or items ends
// with the value, and is how trees are described.
func (d *document) refuseCycles() *Error {
	state := make([]visit, len(d.nodes))
	var path []int
	var search func(id int) *Error
	search = func(id int) *Error {
		state[id] = active
		path = append(path, id)
		for _, e := range d.nodes[id].edges {
			if e.applies != toItself || state[e.to] == done {
				continue
			}
			if state[e.to] == active {
				return d.cycle(path, e.to)
			}
			if err := search(e.to); err != nil {
				return err
			}
		}
		path = path[:len(path)-1]
		state[id] = done
		return nil
	}
	for id := range d.nodes {
		if state[id] == unseen {
			if err := search(id); err != nil {
				return err
			}
		}
	}
	return nil
}

// cycle words the end of path that begins at a node which the path has reached again.
func (d *document) cycle(path []int, again int) *Error {
	for path[0] != again {
		path = path[1:]
	}
	var shown []string
	for _, id := range append(path, again) {
		shown = append(shown, "#"+d.declaredAt(d.nodes[id].pointer))
	}
	return refuse(ReasonRefCycle, d.nodes[again].pointer,
		`the schema applies itself to the same value for ever (%s); remove a reference of the cycle, or move it below "properties" or "items"`,
		clip(strings.Join(shown, " → "), maxShownPointer))
}

// boundExpansion counts the subschemas that there would be if every reference
// were replaced by its target: what a validator may visit for one value, and
// what a consumer that inlines references builds. Where a reference leads back
// to a schema above it, the count stops. Each node is counted once and its
// sum kept, so that 2^40 takes no longer than 40.
func (d *document) boundExpansion() *Error {
	state := make([]visit, len(d.nodes))
	sums := make([]int, len(d.nodes))
	var sum func(id int) *Error
	sum = func(id int) *Error {
		state[id] = active
		total := 1
		for _, e := range d.nodes[id].edges {
			if e.applies == toNothing {
				continue // a definition counts where it is referred to
			}
			if state[e.to] == unseen {
				if err := sum(e.to); err != nil {
					return err
				}
			}
			if state[e.to] == done {
				total += sums[e.to]
			}
			if total > maxExpansion {
				return tooLarge(d.nodes[id].pointer, "following all references gives more than %d subschemas, the limit; refer to the same schema less often", maxExpansion)
			}
		}
		sums[id], state[id] = total, done
		return nil
	}
	for id := range d.nodes {
		if state[id] == unseen {
			if err := sum(id); err != nil {
				return err
			}
		}
	}
	return nil
}
