package schema

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/maze-agent/maregister/internal/jsontree"
)

// placeKind is what stands at a place of a document, by the keywords on the way there.
type placeKind int

const (
	// schemaPlace is a place where 2020-12 or an older draft expects a schema.
	schemaPlace placeKind = iota
	// collectionPlace is the object or the list of a keyword that holds several schemas, such as "properties".
	collectionPlace
	// valuePlace is in the value of a keyword that holds no schema, such as "default".
	valuePlace
	// otherPlace is below a member that is no keyword: JSON Schema says nothing of it.
	otherPlace
)

// placeOf returns what a JSON pointer leads to, and the member that decides it. The document itself is not needed for that.
func placeOf(pointer string) (kind placeKind, decides string) {
	tokens := jsontree.Tokens(pointer)
	for len(tokens) > 0 {
		name := tokens[0]
		tokens = tokens[1:]
		k, known := keywords[name]
		if !known {
			return otherPlace, name
		}
		switch k.shape {
		case oneSchema:
			if name == "items" && len(tokens) > 0 && isIndex(tokens[0]) { // a list in older drafts
				tokens = tokens[1:]
			}
		case schemaList, schemaMap, patternMap, dependencyMap:
			if len(tokens) == 0 {
				return collectionPlace, name
			}
			tokens = tokens[1:]
		default:
			return valuePlace, name
		}
	}
	return schemaPlace, ""
}

func isIndex(token string) bool {
	_, err := strconv.ParseUint(token, 10, 32)
	return err == nil
}

// leadsElsewhere reports whether a reference leads to a place that JSON Schema says nothing of.
func leadsElsewhere(value any) bool {
	text, _ := value.(string)
	if !strings.HasPrefix(text, "#/") {
		return false
	}
	pointer, err := url.PathUnescape(text[1:])
	kind, _ := placeOf(pointer)
	return err == nil && kind == otherPlace
}

// lookUp returns what a JSON pointer leads to in a value. It reports false if it leads nowhere.
func lookUp(value any, pointer string) (found any, ok bool) {
	for _, token := range jsontree.Tokens(pointer) {
		switch v := value.(type) {
		case map[string]any:
			value, ok = v[token]
		case []any:
			i, err := strconv.Atoi(token)
			if ok = err == nil && i >= 0 && i < len(v); ok {
				value = v[i]
			}
		default:
			ok = false
		}
		if !ok {
			return nil, false
		}
	}
	return value, true
}

// moveTargets moves schemas below "$defs" that references lead to, and that stand below members which are no keywords, such as
// OpenAPI's "components": JSON Schema does not say what such a reference means, and whoever follows it reads a schema there.
func (t *translation) moveTargets() {
	var moved []string
	for from := 0; from < len(t.references); { // what is moved may have references
		batch := t.references[from:]
		from = len(t.references)
		var targets []string
		for _, ref := range batch {
			target, ok := t.target(ref)
			if kind, _ := placeOf(target); !ok || t.schemas[target] || kind != otherPlace {
				continue
			}
			if value, there := lookUp(t.declaredRoot, target); there && isObjectOrBool(value) {
				targets = append(targets, target)
			}
		}
		slices.SortStableFunc(targets, func(a, b string) int { return len(a) - len(b) }) // with one moves what is in it
		for _, target := range targets {
			if t.schemas[target] {
				continue
			}
			moved = slices.DeleteFunc(moved, func(part string) bool { return isBelow(part, target) && t.takeBack(part) })
			if t.moveTarget(target) {
				moved = append(moved, target)
			}
		}
	}
	for _, target := range moved {
		t.dropMoved(target)
	}
}

// moveTarget moves one schema below "$defs". It reports false if there is no place for it, of which another error tells.
func (t *translation) moveTarget(declared string) bool {
	definitions, ok := t.root["$defs"].(map[string]any)
	if !ok {
		if t.root["$defs"] != nil {
			return false
		}
		definitions = map[string]any{}
		t.root["$defs"] = definitions
	}
	tokens := jsontree.Tokens(declared)
	name := tokens[len(tokens)-1]
	for _, taken := definitions[name]; taken; _, taken = definitions[name] {
		name += "_"
	}
	now, to := "/$defs/"+token(name), t.resourceAt(declared)
	t.moved(declared, now)
	value, _ := lookUp(t.declaredRoot, declared)
	definitions[name] = nil // so that no other takes the name
	definitions[name] = t.schema(value, spot{declared: declared, now: now, draft: t.resources[to].draft, resource: to})
	_, decides := placeOf(declared)
	t.warn(declared, `%q is no keyword of JSON Schema, so nothing below it counts as a schema: read as "#%s", and the references with it`, decides, now)
	return true
}

// takeBack undoes the move of a schema, which now moves with what it is a part of. It reports true.
func (t *translation) takeBack(declared string) bool {
	now := t.nowAt(declared)
	if definitions, ok := t.root["$defs"].(map[string]any); ok {
		tokens := jsontree.Tokens(now)
		delete(definitions, tokens[len(tokens)-1])
	}
	maps.DeleteFunc(t.now, func(pointer, _ string) bool { return isBelow(pointer, declared) })
	maps.DeleteFunc(t.declared, func(pointer, _ string) bool { return isBelow(pointer, now) })
	t.warnings = slices.DeleteFunc(t.warnings, func(w Warning) bool { return isBelow(w.Pointer, declared) })
	maps.DeleteFunc(t.byURI, func(_ string, resource int) bool { return isBelow(t.resources[resource].declared, declared) })
	for i := range t.references {
		ref := &t.references[i]
		ref.gone = ref.gone || isBelow(ref.at.declared, declared)
	}
	return true
}

// resourceAt returns the resource that a place is in: the one that begins nearest above it.
func (t *translation) resourceAt(declared string) int {
	nearest := 0
	for i, r := range t.resources {
		if isBelow(declared, r.declared) && len(r.declared) > len(t.resources[nearest].declared) {
			nearest = i
		}
	}
	return nearest
}

// dropMoved removes a schema from where it was declared, and the members that hold nothing else.
func (t *translation) dropMoved(declared string) {
	for kind := otherPlace; kind == otherPlace; kind, _ = placeOf(declared) {
		end := strings.LastIndexByte(declared, '/')
		name := jsontree.Tokens(declared[end:])[0]
		declared = declared[:end]
		holder, _ := lookUp(t.root, t.nowAt(declared))
		object, ok := holder.(map[string]any)
		if !ok {
			return
		}
		if delete(object, name); len(object) > 0 {
			return
		}
	}
}
