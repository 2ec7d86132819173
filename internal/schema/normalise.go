package schema

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// document is a full schema while it is read, and all of its subschemas as a graph.
type document struct {
	root map[string]any
	moves
	// nodes are the subschemas, each before those inside it; the root is the first.
	nodes []node
	// references, anchors and defaults are what is judged once all nodes are known.
	references []ref
	anchors    map[string]int
	defaults   []int
	// patternSize counts what all patterns of the document compile to.
	patternSize int
	warnings    []Warning
	errors      []*Error
	// stopped says that an error ended the reading: what follows would cost too much, or mean nothing.
	stopped bool
	// pasted is what the document is, if it is the declaration of a tool of another framework. Nil if it is none.
	pasted *Pasted
}

// node is one subschema.
type node struct {
	pointer string
	// schema is nil for a boolean schema, and always is which of the two.
	schema map[string]any
	always bool
	edges  []edge
	// patternSize counts what the patterns of this schema compile to.
	patternSize int
}

// edge says that a schema applies another one.
type edge struct {
	to      int
	applies application
	// keyword is the one by which it does; $ref stands for $dynamicRef too.
	keyword string
	// member is the name of the subschema in a keyword's object: what a toMember edge applies to.
	member string
}

// ref is a $ref or $dynamicRef. With one schema resource, which forbidding
// $id ensures, both lead to the same place.
type ref struct {
	from    int
	pointer string
	// target is the decoded fragment: a JSON pointer, or the name of an anchor.
	target string
}

// site is one keyword of one schema.
type site struct {
	node   int
	schema map[string]any
	name   string
	value  any
	// base is the pointer of the schema.
	base string
}

func (s site) pointer() string { return s.base + "/" + token(s.name) }

func (s site) item(i int) string { return s.pointer() + "/" + strconv.Itoa(i) }

func (s site) member(name string) string { return s.pointer() + "/" + token(name) }

// readSchema normalises a full schema in place and checks everything but its
// defaults. It adds to what is known to be wrong with the document.
func readSchema(root map[string]any, errs []*Error) *document {
	t := translate(root)
	d := &document{root: t.root, moves: t.moves, anchors: map[string]int{}, warnings: t.warnings, errors: errs}
	for _, fault := range t.faults {
		fault.Pointer = t.nowAt(fault.Pointer)
		d.note(fault)
	}
	if _, err := d.walk(d.root, ""); err != nil {
		d.note(err)
	}
	d.note(d.requireObject())
	if err := checkSize(d.root, schemaLimits); err != nil {
		d.stop(err)
		return d
	}
	d.connect()
	return d
}

// note adds to what is wrong with the document. Nil is nothing.
func (d *document) note(err *Error) {
	if err != nil {
		d.errors = append(d.errors, err)
	}
}

// stop notes what ends the reading.
func (d *document) stop(err *Error) {
	d.note(err)
	d.stopped = true
}

// err returns the first of what is wrong, as [Check] orders it. It is nil for nothing.
func (d *document) err() *Error {
	if errs := d.toldErrors(""); len(errs) > 0 {
		return errs[0]
	}
	return nil
}

// toldErrors returns what is wrong, as a user sees it: by pointer as it was
// declared, each without what the shorthand leaves out, and what was found
// first where there are several.
func (d *document) toldErrors(shorthandPrefix string) []*Error {
	told := make([]*Error, len(d.errors))
	for i, err := range d.errors {
		told[i] = &Error{Reason: err.Reason, Pointer: strings.TrimPrefix(d.declaredAt(err.Pointer), shorthandPrefix), Message: err.Message}
	}
	slices.SortStableFunc(told, func(a, b *Error) int { return strings.Compare(a.Pointer, b.Pointer) })
	return slices.CompactFunc(told, func(a, b *Error) bool { return a.Pointer == b.Pointer })
}

// toldWarnings returns the warnings as a user sees them.
func (d *document) toldWarnings(shorthandPrefix string) []Warning {
	for i, w := range d.warnings {
		d.warnings[i].Pointer = strings.TrimPrefix(w.Pointer, shorthandPrefix)
	}
	sortWarnings(d.warnings)
	return d.warnings
}

// requireObject sees to it that the root describes an object.
func (d *document) requireObject() *Error {
	switch t := d.root["type"].(type) {
	case nil:
		d.root["type"] = "object"
	case []any:
		if len(t) == 1 && t[0] == "object" {
			d.root["type"] = "object"
		}
	}
	if declared := d.root["type"]; declared != "object" {
		return invalid("/type", `parameters are passed by name, so the type of the whole must be "object", found %s; `+
			`declare each parameter below "properties" (a parameter that is called "type" is written {"type": {"type": "string"}})`,
			describe(declared))
	}
	return nil
}

func (d *document) warn(kind, pointer, format string, args ...any) {
	d.warnings = append(d.warnings, Warning{Kind: kind, Pointer: d.declaredAt(pointer), Message: fmt.Sprintf(format, args...)})
}

// walk normalises the schema at pointer and everything below it, notes what is
// wrong below it, and returns its node. decode has bounded the depth.
func (d *document) walk(schema any, pointer string) (int, *Error) {
	id := len(d.nodes)
	d.nodes = append(d.nodes, node{pointer: pointer})
	object, ok := schema.(map[string]any)
	if !ok && !isA[bool](schema) {
		err := invalid(pointer, `a schema is an object such as {"type": "string"}, or a boolean; found %s`, describe(schema))
		if text, isText := schema.(string); isText && schemaMeant(text) != "" {
			err.Message += "; " + schemaMeant(text)
		}
		return 0, err
	}
	d.nodes[id].schema = object
	d.nodes[id].always = schema == true
	if _, ok := object["default"]; ok {
		d.defaults = append(d.defaults, id)
	}
	for _, name := range sortedNames(object) {
		k, known := keywords[name]
		if !known {
			continue
		}
		at := site{node: id, schema: object, name: name, value: object[name], base: pointer}
		d.note(d.keyword(at, k))
	}
	return id, nil
}

func (d *document) keyword(at site, k keyword) *Error {
	switch k.shape {
	case oneSchema:
		return d.oneSchema(at, k)
	case schemaList:
		return d.schemaList(at, k)
	case schemaMap, patternMap, dependencyMap:
		return d.schemaMap(at, k)
	case typeNames:
		return d.normaliseType(at)
	case reference:
		return d.reference(at)
	case anchor:
		return d.anchor(at)
	case pattern:
		return d.pattern(at)
	case nameList, nameListMap:
		return d.nameLists(at, k)
	case refused:
		return invalid(at.pointer(), "%s", k.hint)
	}
	if plain := plainShapes[k.shape]; !plain.ok(at.value) {
		return mismatch(at, k, plain.want)
	}
	return nil
}

func mismatch(at site, k keyword, want string) *Error {
	hint := ""
	if k.hint != "" {
		hint = "; " + k.hint
	}
	if meant := valueMeant(k.shape, at.value); meant != "" {
		hint = "; " + meant
	}
	return invalid(at.pointer(), "%q must be %s, found %s%s", at.name, want, describe(at.value), hint)
}

// apply normalises a subschema of a keyword, and says so in the graph.
func (d *document) apply(at site, k keyword, member string, schema any, pointer string) {
	to, err := d.walk(schema, pointer)
	if err != nil {
		d.note(err)
		return
	}
	d.nodes[at.node].edges = append(d.nodes[at.node].edges, edge{to: to, applies: k.applies, keyword: at.name, member: member})
}

func (d *document) oneSchema(at site, k keyword) *Error {
	if !isObjectOrBool(at.value) {
		return mismatch(at, k, "a schema: an object or a boolean")
	}
	d.apply(at, k, "", at.value, at.pointer())
	return nil
}

func (d *document) schemaList(at site, k keyword) *Error {
	list, ok := at.value.([]any)
	if !ok || len(list) == 0 {
		return mismatch(at, k, "an array of at least one schema")
	}
	for i, schema := range list {
		d.apply(at, k, "", schema, at.item(i))
	}
	return nil
}

func (d *document) schemaMap(at site, k keyword) *Error {
	object, ok := at.value.(map[string]any)
	if !ok {
		return mismatch(at, k, "an object of schemas")
	}
	for _, name := range sortedNames(object) {
		if k.shape == dependencyMap && isNameList(object[name]) {
			continue
		}
		if k.shape == patternMap {
			d.note(d.addPattern(at.node, at.member(name), name))
		}
		d.apply(at, k, name, object[name], at.member(name))
	}
	return nil
}

func (d *document) pattern(at site) *Error {
	source, ok := at.value.(string)
	if !ok {
		return mismatch(at, keywords[at.name], "a regular expression in a string")
	}
	return d.addPattern(at.node, at.pointer(), source)
}

func (d *document) addPattern(id int, pointer, source string) *Error {
	if d.patternSize > maxPatternSize {
		return nil // that is told, and reading more would take long
	}
	size, err := patternSize(pointer, source)
	if err != nil {
		return err
	}
	d.nodes[id].patternSize += size
	if d.patternSize += size; d.patternSize > maxPatternSize {
		return tooLarge(pointer, `the regular expressions up to here compile to more than %d instructions, the limit for a document; `+
			`shorten repetitions such as {1000}, or use fewer of \p{…}`, maxPatternSize)
	}
	return nil
}

func (d *document) anchor(at site) *Error {
	name, ok := at.value.(string)
	if !ok || !anchorName.MatchString(name) {
		return invalid(at.pointer(), `%q must be a name of ASCII letters, digits, "-", "_" and ".", found %s`, at.name, describe(at.value))
	}
	if other, taken := d.anchors[name]; taken && other != at.node {
		return invalid(at.pointer(), "the anchor %s is already at %s; rename one of them", quote(name), clip(d.declaredAt(d.nodes[other].pointer), maxShownPointer))
	}
	d.anchors[name] = at.node
	return nil
}

func (d *document) reference(at site) *Error {
	text, ok := at.value.(string)
	if !ok {
		return invalid(at.pointer(), `%q must be a string such as "#/$defs/name", found %s`, at.name, describe(at.value))
	}
	fragment, local := strings.CutPrefix(text, "#")
	if !local {
		if guess := definitionMeant(d.root, d.moves, text); guess != "" && !strings.Contains(text, ":") {
			return refuse(ReasonRemoteRefForbidden, at.pointer(),
				`the reference %s leaves the document, and nothing is ever fetched; did you mean %s?`, quote(text), quote(guess))
		}
		return refuse(ReasonRemoteRefForbidden, at.pointer(),
			`the reference %s leaves the document, and nothing is ever fetched; copy the schema below "$defs" and refer to it as "#/$defs/name"`, quote(text))
	}
	target, err := url.PathUnescape(fragment)
	if err != nil || strings.Contains(text, `\`) {
		return invalid(at.pointer(), `the reference %s is no valid URI fragment; write "%%25" for "%%" and "%%5C" for "\"`, quote(text))
	}
	d.references = append(d.references, ref{from: at.node, pointer: at.pointer(), target: target})
	return nil
}

// sortWarnings puts warnings into the order in which a user sees them.
func sortWarnings(warnings []Warning) {
	slices.SortStableFunc(warnings, func(a, b Warning) int { return strings.Compare(a.Pointer, b.Pointer) })
}
