package schema

import (
	"fmt"
	"slices"
)

// translation reads a schema of an older draft, or one that mixes drafts, as 2020-12. Which draft a schema is of decides only
// where 2020-12 would accept the same text and read it differently: a form that 2020-12 does not have is read as the draft that had it.
type translation struct {
	moves
	// root is what the document becomes, and declaredRoot what it was.
	root, declaredRoot map[string]any
	warnings           []Warning
	// faults are the reasons why there is no translation.
	faults []*Error

	resources  []resource
	byURI      map[string]int
	references []pendingRef
	// schemas are the pointers of all schemas, as declared.
	schemas map[string]bool
	// unevaluatedItems reports whether the document has that keyword, which other keywords matter to.
	unevaluatedItems bool
	// unicodeClasses counts the classes such as \p{L} in the patterns so far.
	unicodeClasses int
}

// spot is where a schema is.
type spot struct {
	// declared and now are its JSON pointers before and after.
	declared, now string
	draft         draft
	// resource is the schema resource that it belongs to.
	resource int
}

// translate returns a document as 2020-12 has it. One that is written so already is left as it is, to the byte.
func translate(root map[string]any) *translation {
	t := &translation{root: root, declaredRoot: root}
	if !needsTranslation(root) {
		return t
	}
	t.moves = moves{now: map[string]string{}, declared: map[string]string{}}
	t.schemas, t.byURI = map[string]bool{}, map[string]int{}
	t.unevaluatedItems = mentions(root, "unevaluatedItems")
	t.resources = []resource{newResource(unnamed, "")}
	t.root, _ = t.schema(root, spot{draft: draft2020}).(map[string]any)
	t.moveTargets()
	t.resolve()
	return t
}

// needsTranslation reports whether a document has anything that is not 2020-12, or that only a translation can tell to be.
func needsTranslation(value any) bool {
	switch v := value.(type) {
	case []any:
		return slices.ContainsFunc(v, needsTranslation)
	case map[string]any:
		for name, child := range v {
			if isOlder, ok := olderForms[name]; ok && isOlder(child) || needsTranslation(child) {
				return true
			}
		}
	}
	return false
}

func always(any) bool { return true }

// olderForms are the members that make a document one to be translated, if their value fits.
var olderForms = map[string]func(value any) bool{
	"$id":               always,
	"$recursiveAnchor":  always,
	"$recursiveRef":     always,
	"$schema":           always,
	"dependencies":      always,
	"nullable":          func(v any) bool { return v == true },
	"exclusiveMaximum":  isA[bool],
	"exclusiveMinimum":  isA[bool],
	"items":             isA[[]any],
	"$ref":              func(v any) bool { return isForeign(v) || leadsElsewhere(v) },
	"$dynamicRef":       isForeign,
	"pattern":           func(v any) bool { source, ok := v.(string); return ok && mayBeECMA(source) },
	"patternProperties": func(v any) bool { o, _ := v.(map[string]any); return slices.ContainsFunc(sortedNames(o), mayBeECMA) },
}

// isForeign reports whether a reference is more than a fragment.
func isForeign(value any) bool {
	text, ok := value.(string)
	return ok && (text == "" || text[0] != '#')
}

// mentions reports whether a value has a member of a name, anywhere.
func mentions(value any, name string) bool {
	switch v := value.(type) {
	case []any:
		return slices.ContainsFunc(v, func(child any) bool { return mentions(child, name) })
	case map[string]any:
		for key, child := range v {
			if key == name || mentions(child, name) {
				return true
			}
		}
	}
	return false
}

func (t *translation) warn(pointer, format string, args ...any) {
	t.warnings = append(t.warnings, Warning{Kind: KindTranslated, Pointer: pointer, Message: fmt.Sprintf(format, args...)})
}

func (t *translation) refuse(err *Error) { t.faults = append(t.faults, err) }

// rewrite is the translation of one schema.
type rewrite struct {
	*translation
	spot
	from map[string]any
	// to is what the schema becomes, and outer what it becomes apart from what restricts values. They are one, unless the schema is
	// wrapped, so that null is allowed besides.
	to, outer map[string]any
	outerNow  string
	// conjuncts go to the end of "allOf".
	conjuncts []any
	// ignored are the keywords that the draft does not read beside a reference, unknown those that it does not have.
	ignored, unknown []string
	nullable         nullability
}

// schema returns a schema as 2020-12 has it. What is no schema is left to be refused later.
func (t *translation) schema(value any, at spot) any {
	declared, ok := value.(map[string]any)
	if t.schemas[at.declared] = true; !ok {
		return value
	}
	at = t.identify(declared, at)
	r := &rewrite{translation: t, spot: at, from: declared, outer: map[string]any{}, outerNow: at.now}
	r.to = r.outer
	r.readNullable()
	for _, name := range sortedNames(declared) {
		r.keyword(name)
	}
	r.finish()
	return r.outer
}

// keyword translates one keyword.
func (r *rewrite) keyword(name string) {
	value := r.from[name]
	switch {
	case r.ignores(name):
		r.ignored = append(r.ignored, name)
	case since[name] > r.draft && !r.keepsNewer(name, value):
		r.unknown = append(r.unknown, name)
	default:
		if translated, ok := rewrites[name]; !ok || !translated(r, name, value) {
			r.keep(name, value)
		}
	}
}

// ignores reports whether the draft does not read a keyword because it stands beside a reference. Definitions are reached by
// reference all the same, and annotations still say what they say.
func (r *rewrite) ignores(name string) bool {
	if _, isReference := r.from["$ref"].(string); !isReference || r.draft >= draft2019 {
		return false
	}
	_, known := keywords[name]
	if name == "type" && r.declared == "" && r.from[name] == "object" {
		return false // which the whole has to be anyway
	}
	return known && !annotations[name] && name != "$ref" && name != "$defs" && name != "definitions" && name != "$schema" && name != "$id"
}

// keepsNewer reports whether a keyword that the draft does not have is kept: one that restricts nothing, and is written as in 2020-12.
func (*rewrite) keepsNewer(name string, value any) bool {
	if !annotations[name] {
		return false
	}
	if keywords[name].shape == oneSchema {
		return isObjectOrBool(value)
	}
	return plainShapes[keywords[name].shape].ok(value)
}

// keep takes a keyword over with its name.
func (r *rewrite) keep(name string, value any) {
	target, base := r.to, r.now
	if k, known := keywords[name]; !known || annotations[name] || k.shape == anchor || name == "$defs" || name == "definitions" {
		target, base = r.outer, r.outerNow // of which there is something to say for null as well
	}
	pointer := "/" + token(name)
	target[name] = r.children(name, value, r.declared+pointer, base+pointer)
}

// children translates the subschemas in the value of a keyword.
func (r *rewrite) children(name string, value any, declared, now string) any {
	k, known := keywords[name]
	if !known {
		return value
	}
	switch v := value.(type) {
	case []any:
		if k.shape == schemaList {
			return r.list(v, declared, now)
		}
	case map[string]any:
		switch k.shape {
		case oneSchema:
			return r.child(v, declared, now)
		case schemaMap, patternMap:
			schemas := make(map[string]any, len(v))
			for _, member := range sortedNames(v) {
				schemas[member] = r.child(v[member], declared+"/"+token(member), now+"/"+token(member))
			}
			r.moved(declared, now)
			return schemas
		}
	case bool:
		if k.shape == oneSchema {
			return r.child(v, declared, now)
		}
	}
	return value
}

func (r *rewrite) list(schemas []any, declared, now string) []any {
	translated := make([]any, len(schemas))
	for i, schema := range schemas {
		index := fmt.Sprintf("/%d", i)
		translated[i] = r.child(schema, declared+index, now+index)
	}
	r.moved(declared, now)
	return translated
}

// child translates a subschema.
func (r *rewrite) child(schema any, declared, now string) any {
	r.moved(declared, now)
	return r.schema(schema, spot{declared: declared, now: now, draft: r.draft, resource: r.resource})
}

// moved notes where something is, unless that is plain from where it is in.
func (t *translation) moved(declared, now string) {
	if t.nowAt(declared) != now || t.declaredAt(now) != declared {
		t.add(declared, now)
	}
}

// conjoin adds a schema that applies as well, and returns the pointer to where it will be.
func (r *rewrite) conjoin(schema map[string]any) (now string) {
	others, _ := r.from["allOf"].([]any)
	now = fmt.Sprintf("%s/allOf/%d", r.now, len(others)+len(r.conjuncts))
	r.conjuncts = append(r.conjuncts, schema)
	r.moves.declared[now] = r.declared
	return now
}

// finish writes what depends on several keywords, and tells what was left out.
func (r *rewrite) finish() {
	r.writeNullable()
	if len(r.conjuncts) > 0 {
		switch all := r.to["allOf"].(type) {
		case nil:
			r.to["allOf"] = r.conjuncts
		case []any:
			r.to["allOf"] = append(all, r.conjuncts...)
		}
	}
	if len(r.ignored) > 0 {
		r.warn(r.declared+"/$ref", `%s reads nothing that stands beside "$ref": %s left out; put them and the reference into "allOf" if they are meant`,
			r.draft, quoteAll(r.ignored, ", "))
	}
	for _, name := range r.unknown {
		r.warn(r.declared+"/"+token(name), `%s has no %q, so it says nothing: left out; declare %s in "$schema" if it is meant`,
			r.draft, name, since[name])
	}
}
