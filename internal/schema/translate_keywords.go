package schema

import (
	"fmt"
	"slices"
	"strings"
)

// rewrites are the keywords that are not taken over as they are. Each writes what it becomes, or reports false if it is to be
// taken over after all.
var rewrites map[string]func(r *rewrite, name string, value any) bool

func init() { // they translate subschemas, which have such keywords
	rewrites = map[string]func(r *rewrite, name string, value any) bool{
		"$schema": drop,
		"$id":     drop, // what it names is known, see identify
		"id":      (*rewrite).id,
		"$anchor": (*rewrite).anchor, "$dynamicAnchor": (*rewrite).anchor,
		"$ref": (*rewrite).reference, "$dynamicRef": (*rewrite).reference,
		"$recursiveRef":    (*rewrite).recursiveRef,
		"$recursiveAnchor": (*rewrite).recursiveAnchor,

		"definitions":       (*rewrite).definitions,
		"dependencies":      (*rewrite).dependencies,
		"dependentRequired": (*rewrite).dependent,
		"dependentSchemas":  (*rewrite).dependent,

		"items":           (*rewrite).items,
		"additionalItems": (*rewrite).additionalItems,
		"contains":        (*rewrite).contains,
		"minContains":     (*rewrite).containsCount,
		"maxContains":     (*rewrite).containsCount,

		"exclusiveMinimum": (*rewrite).exclusive,
		"exclusiveMaximum": (*rewrite).exclusive,
		"minimum":          (*rewrite).bound,
		"maximum":          (*rewrite).bound,

		"pattern":           (*rewrite).pattern,
		"patternProperties": (*rewrite).patternProperties,
		"nullable":          (*rewrite).dropNullable,
	}
}

func drop(*rewrite, string, any) bool { return true }

// definitions moves what older drafts define to "$defs". Where 2020-12 or no draft is declared it stays, as its references lead there
// all the same.
func (r *rewrite) definitions(name string, value any) bool {
	declared, ok := value.(map[string]any)
	_, isObject := r.outer["$defs"].(map[string]any) // which is translated before, by its name
	if _, there := r.outer["$defs"]; !ok || there && !isObject || r.draft == draft2020 {
		return false
	}
	if !isObject {
		r.outer["$defs"] = map[string]any{}
		r.moved(r.declared+"/definitions", r.outerNow+"/$defs")
	}
	definitions := r.outer["$defs"].(map[string]any)
	for _, member := range sortedNames(declared) {
		free := member
		for isTaken := true; isTaken; {
			_, isTaken = definitions[free]
			if _, comes := declared[free]; comes && free != member {
				isTaken = true
			}
			if isTaken {
				free += "_"
			}
		}
		definitions[free] = r.child(declared[member], r.declared+"/definitions/"+token(member), r.outerNow+"/$defs/"+token(free))
	}
	r.warn(r.declared+"/"+name, `"definitions" is called "$defs" since 2019-09: moved there, and the references with it`)
	return true
}

// dependencies splits the keyword by what its members are, and takes in what is written in the way of 2019-09 beside it.
func (r *rewrite) dependencies(name string, value any) bool {
	declared, ok := value.(map[string]any)
	if !ok {
		return false
	}
	required, schemas := map[string]any{}, map[string]any{}
	for _, member := range sortedNames(declared) {
		pointer := r.declared + "/" + name + "/" + token(member)
		keyword := "dependentSchemas"
		if list, isList := declared[member].([]any); isList {
			keyword = "dependentRequired"
			required[member] = union(list, r.beside(keyword, member))
			r.moved(pointer, r.now+"/"+keyword+"/"+token(member))
		} else {
			schemas[member] = r.dependentSchema(member, declared[member], pointer)
		}
		r.warn(pointer, `"dependencies" is read as %q, as it is called since 2019-09`, keyword)
	}
	r.merge("dependentRequired", required)
	r.merge("dependentSchemas", schemas)
	return true
}

// merge writes what "dependencies" has become, and what is declared beside it by the keyword itself.
func (r *rewrite) merge(keyword string, merged map[string]any) {
	others, isObject := r.from[keyword].(map[string]any)
	if !isObject || since[keyword] > r.draft {
		others = nil
	}
	for _, member := range sortedNames(others) {
		if _, done := merged[member]; done {
			continue
		}
		merged[member] = others[member]
		if keyword == "dependentSchemas" {
			pointer := "/" + keyword + "/" + token(member)
			merged[member] = r.child(others[member], r.declared+pointer, r.now+pointer)
		}
	}
	if len(merged) > 0 {
		r.to[keyword] = merged
	}
}

// beside returns the member of an object keyword of the same schema, nil if the draft does not have the keyword.
func (r *rewrite) beside(keyword, member string) any {
	object, _ := r.from[keyword].(map[string]any)
	if since[keyword] > r.draft {
		return nil
	}
	return object[member]
}

// dependentSchema is that of "dependencies", and of "dependentSchemas" if that has one of the same name.
func (r *rewrite) dependentSchema(member string, schema any, declared string) any {
	now := r.now + "/dependentSchemas/" + token(member)
	other := r.beside("dependentSchemas", member)
	if other == nil {
		return r.child(schema, declared, now)
	}
	return map[string]any{"allOf": []any{
		r.child(schema, declared, now+"/allOf/0"),
		r.child(other, r.declared+"/dependentSchemas/"+token(member), now+"/allOf/1"),
	}}
}

// dependent leaves what dependencies has taken in.
func (r *rewrite) dependent(_ string, value any) bool {
	return isA[map[string]any](r.from["dependencies"]) && isA[map[string]any](value)
}

func union(list []any, other any) []any {
	others, _ := other.([]any)
	for _, name := range others {
		if isScalar(name) && !slices.ContainsFunc(list, func(n any) bool { return isScalar(n) && n == name }) {
			list = append(slices.Clip(list), name)
		}
	}
	return list
}

// items is a list of schemas by position until 2019-09.
func (r *rewrite) items(name string, value any) bool {
	list, isList := value.([]any)
	if _, both := r.from["prefixItems"]; !isList || both && r.draft == draft2020 {
		return false
	}
	r.warn(r.declared+"/"+name, `"items" as a list is called "prefixItems" in 2020-12`)
	if len(list) > 0 {
		r.to["prefixItems"] = r.list(list, r.declared+"/items", r.now+"/prefixItems")
	}
	return true
}

// additionalItems are those behind a list of items. Without one they say nothing in any draft, and stay.
func (r *rewrite) additionalItems(name string, value any) bool {
	if _, both := r.from["prefixItems"]; !isA[[]any](r.from["items"]) || both && r.draft == draft2020 {
		return false
	}
	r.warn(r.declared+"/"+name, `"additionalItems" is called "items" in 2020-12`)
	r.to["items"] = r.child(value, r.declared+"/additionalItems", r.now+"/items")
	return true
}

// contains counts as evaluated for "unevaluatedItems" since 2020-12 only. What is below "not" never does.
func (r *rewrite) contains(name string, _ any) bool {
	if !r.hidesContains() {
		return false
	}
	inner := map[string]any{}
	now := r.conjoin(map[string]any{"not": map[string]any{"not": inner}}) + "/not/not"
	r.moves.declared[now] = r.declared
	for _, keyword := range []string{name, "minContains", "maxContains"} {
		if declared, ok := r.from[keyword]; ok {
			pointer := "/" + keyword
			inner[keyword] = r.children(keyword, declared, r.declared+pointer, now+pointer)
		}
	}
	r.warn(r.declared+"/"+name, `items that match "contains" are not evaluated for "unevaluatedItems" in 2019-09: put below "not" twice, which keeps that`)
	return true
}

func (r *rewrite) containsCount(string, any) bool { return r.hidesContains() }

func (r *rewrite) hidesContains() bool {
	_, ok := r.from["contains"]
	return ok && r.draft == draft2019 && r.unevaluatedItems
}

// exclusive is a flag beside the bound in draft-04 and in OpenAPI 3.0.
func (r *rewrite) exclusive(name string, value any) bool {
	plain := boundOf(name)
	declared, isBounded := r.from[plain]
	switch pointer := r.declared + "/" + name; {
	case value == false:
		r.warn(pointer, `%q is the bound itself since draft-06; false says nothing: left out`, name)
	case value == true && isBounded:
		r.warn(pointer, `%q is the bound itself since draft-06: with %q, read as %q: %s`, name, plain, name, brief(declared))
		r.to[name] = declared
		r.moved(r.declared+"/"+plain, r.now+"/"+name)
	default:
		return false
	}
	return true
}

// bound leaves a bound that exclusive has taken.
func (r *rewrite) bound(name string, _ any) bool {
	return r.from["exclusive"+strings.ToUpper(name[:1])+name[1:]] == true
}

// boundOf returns the bound that an exclusive one was a flag of.
func boundOf(exclusive string) string {
	return strings.ToLower(strings.TrimPrefix(exclusive, "exclusive"))
}

// pattern writes a regular expression of ECMA-262 as RE2 has it.
func (r *rewrite) pattern(name string, value any) bool {
	source, _ := value.(string)
	translated, ok := r.asRE2(source)
	if ok {
		r.to[name] = translated
		r.warnPattern(r.declared+"/"+name, translated)
	}
	return ok
}

// asRE2 is the function of that name, until the patterns of the document have more classes than are allowed: parsing them takes long,
// and the document is refused anyway.
func (t *translation) asRE2(source string) (string, bool) {
	t.unicodeClasses += unicodeClasses(source)
	if t.unicodeClasses*unicodeClassSize > maxPatternSize || !mayBeECMA(source) {
		return "", false
	}
	return asRE2(source)
}

func (r *rewrite) warnPattern(pointer, translated string) {
	r.warn(pointer, "this is a regular expression of ECMA-262, written for RE2 as %s", quote(translated))
}

// patternProperties writes the names as RE2 has them. If two become one, both schemas apply.
func (r *rewrite) patternProperties(name string, value any) bool {
	declared, ok := value.(map[string]any)
	if !ok {
		return false
	}
	byPattern := map[string][]string{}
	for _, source := range sortedNames(declared) {
		translated, ok := r.asRE2(source)
		if ok {
			r.warnPattern(r.declared+"/"+name+"/"+token(source), translated)
		} else {
			translated = source
		}
		byPattern[translated] = append(byPattern[translated], source)
	}
	schemas := make(map[string]any, len(byPattern))
	for _, pattern := range sortedNames(byPattern) {
		now, sources := r.now+"/"+name+"/"+token(pattern), byPattern[pattern]
		if len(sources) == 1 {
			schemas[pattern] = r.child(declared[sources[0]], r.declared+"/"+name+"/"+token(sources[0]), now)
			continue
		}
		both := make([]any, len(sources))
		for i, source := range sources {
			both[i] = r.child(declared[source], r.declared+"/"+name+"/"+token(source), fmt.Sprintf("%s/allOf/%d", now, i))
		}
		schemas[pattern] = map[string]any{"allOf": both}
	}
	r.to[name] = schemas
	return true
}
