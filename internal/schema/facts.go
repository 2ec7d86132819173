package schema

import (
	"encoding/json"
	"math/big"
	"regexp"
)

// kinds is a set of kinds of JSON values. Numbers are of two: 1.0 is an integer.
type kinds uint8

const (
	nullKind kinds = 1 << iota
	booleanKind
	integerKind
	fractionKind
	stringKind
	arrayKind
	objectKind

	numberKinds = integerKind | fractionKind
	allKinds    = nullKind | booleanKind | numberKinds | stringKind | arrayKind | objectKind
)

var kindsOfType = map[string]kinds{
	"null":    nullKind,
	"boolean": booleanKind,
	"integer": integerKind,
	"number":  numberKinds,
	"string":  stringKind,
	"array":   arrayKind,
	"object":  objectKind,
}

// kindsOf reads the value of "type".
func kindsOf(declared any) kinds {
	if name, ok := declared.(string); ok {
		return kindsOfType[name]
	}
	var all kinds
	list, _ := declared.([]any)
	for _, item := range list {
		all |= kindsOf(item)
	}
	return all
}

// kindOf is the kind of a value.
func kindOf(value any) kinds {
	switch v := value.(type) {
	case nil:
		return nullKind
	case bool:
		return booleanKind
	case string:
		return stringKind
	case []any:
		return arrayKind
	case json.Number:
		if isIntegerText(v.String()) || rational(v).IsInt() {
			return integerKind
		}
		return fractionKind
	default:
		return objectKind
	}
}

// isIntegerText says that a number is written without a fraction and an exponent.
func isIntegerText(number string) bool {
	for _, c := range []byte(number) {
		if c == '.' || c == 'e' || c == 'E' {
			return false
		}
	}
	return true
}

// facts are what one schema says, in terms that can be compared. References
// and the alternatives of anyOf and the like are left to who asks.
type facts struct {
	kinds    kinds
	numbers  interval
	steps    []*big.Rat // what all numbers are multiples of
	length   span
	items    span
	members  span
	required []string
	// format is what a string is called in messages; it asserts nothing.
	format string
	// lists are those of enum and const: a value is in each of them.
	lists [][]any

	prefix     []int // schemas of the first items
	rest       int   // of the others, or none
	properties map[string]int
	patterns   []patternFact
	additional int // of the members that neither properties nor patterns has, or none

	all     []int // schemas that apply to the same value
	choices []choice
	extras  []extra
	// patternSize is what its regular expressions compile to.
	patternSize int
}

// none stands for a schema that is absent.
const none = -1

type patternFact struct {
	source string
	node   int
}

// choice is a disjunction: a value fits one option at least.
type choice struct {
	keyword string // anyOf, oneOf or if
	options []int
	// then and otherwise are those of if, its only option; or none.
	then, otherwise int
}

// extra is a keyword that is compared by its text only.
type extra struct {
	keyword string
	value   any
	// kinds are those that it restricts.
	kinds kinds
	node  int
}

// facts reads a schema, once.
func (p *Parameters) facts(id int) *facts {
	if f, ok := p.known[id]; ok {
		return f
	}
	n := &p.doc.nodes[id]
	f := &facts{kinds: allKinds, length: anyCount, items: anyCount, members: anyCount, rest: none, additional: none, patternSize: n.patternSize}
	if n.schema == nil && !n.always {
		f.kinds = 0
	}
	for _, name := range sortedNames(n.schema) {
		if read, ok := assertions[name]; ok {
			read(f, n.schema[name])
		}
	}
	for _, e := range n.edges {
		p.readEdge(f, n, e)
	}
	f.readLists(n.schema)
	f.readContains(n)
	p.known[id] = f
	return f
}

// assertions are the keywords that say something without another schema.
var assertions = map[string]func(f *facts, value any){
	"type":             func(f *facts, v any) { f.kinds &= kindsOf(v) },
	"format":           func(f *facts, v any) { f.format, _ = v.(string) },
	"minimum":          func(f *facts, v any) { f.numbers.raise(bound{at: rational(v)}) },
	"exclusiveMinimum": func(f *facts, v any) { f.numbers.raise(bound{at: rational(v), open: true}) },
	"maximum":          func(f *facts, v any) { f.numbers.lower(bound{at: rational(v)}) },
	"exclusiveMaximum": func(f *facts, v any) { f.numbers.lower(bound{at: rational(v), open: true}) },
	"multipleOf":       func(f *facts, v any) { f.step(rational(v)) },
	"minLength":        func(f *facts, v any) { f.count(&f.length, "minLength", v, stringKind) },
	"maxLength":        func(f *facts, v any) { f.count(&f.length, "maxLength", v, stringKind) },
	"minItems":         func(f *facts, v any) { f.count(&f.items, "minItems", v, arrayKind) },
	"maxItems":         func(f *facts, v any) { f.count(&f.items, "maxItems", v, arrayKind) },
	"minProperties":    func(f *facts, v any) { f.count(&f.members, "minProperties", v, objectKind) },
	"maxProperties":    func(f *facts, v any) { f.count(&f.members, "maxProperties", v, objectKind) },
	"required":         func(f *facts, v any) { f.required = texts(v) },
	"pattern":          func(f *facts, v any) { f.extra("pattern", v, stringKind, none) },
	"dependentRequired": func(f *facts, v any) {
		f.extra("dependentRequired", v, objectKind, none)
	},
	"dependencies": func(f *facts, v any) { f.extra("dependencies", v, objectKind, none) },
	"uniqueItems": func(f *facts, v any) {
		if v == true {
			f.extra("uniqueItems", v, arrayKind, none)
		}
	},
}

func (f *facts) extra(keyword string, value any, restricts kinds, id int) {
	f.extras = append(f.extras, extra{keyword: keyword, value: value, kinds: restricts, node: id})
}

func (f *facts) step(n *big.Rat) {
	f.steps = append(f.steps, n)
	if n.IsInt() {
		f.kinds &^= fractionKind
	}
}

// count reads one bound of a span. The library cannot hold counts beyond
// 2^63, and what it makes of them is not for this package to say.
func (f *facts) count(s *span, keyword string, value any, restricts kinds) {
	n := rational(value)
	if !n.Num().IsInt64() {
		f.extra(keyword, value, restricts, none)
		return
	}
	if count := int(n.Num().Int64()); keyword[:3] == "min" {
		s.min = count
	} else {
		s.max = count
	}
}

// readEdge reads a keyword that applies a schema.
func (p *Parameters) readEdge(f *facts, n *node, e edge) {
	switch e.keyword {
	case "$ref", "allOf":
		f.all = append(f.all, e.to)
	case "anyOf", "oneOf":
		f.option(e)
	case "if":
		if c := (choice{keyword: e.keyword, options: []int{e.to}, then: n.child("then"), otherwise: n.child("else")}); c.then != none || c.otherwise != none {
			f.choices = append(f.choices, c)
		}
	case "not":
		p.readNot(f, e)
	case "properties":
		if f.properties == nil {
			f.properties = map[string]int{}
		}
		f.properties[e.member] = e.to
	case "patternProperties":
		f.patterns = append(f.patterns, patternFact{source: e.member, node: e.to})
	case "additionalProperties":
		f.additional = e.to
	case "prefixItems":
		f.prefix = append(f.prefix, e.to)
	case "items":
		f.rest = e.to
	case "dependentSchemas":
		f.extra(e.keyword+" "+e.member, n.schema["dependentSchemas"].(map[string]any)[e.member], objectKind, none)
	case "propertyNames":
		f.extra(e.keyword, n.schema[e.keyword], objectKind, e.to)
	case "unevaluatedProperties":
		f.unevaluated(e.keyword, n.schema[e.keyword], objectKind)
	case "unevaluatedItems":
		f.unevaluated(e.keyword, n.schema[e.keyword], arrayKind)
	}
}

// unevaluated notes a keyword that depends on those beside it, so that its own text never tells enough.
func (f *facts) unevaluated(keyword string, value any, restricts kinds) {
	if value != true {
		f.extra(keyword, nil, restricts, none)
	}
}

// child is the schema of a keyword that holds a single one.
func (n *node) child(keyword string) int {
	for _, e := range n.edges {
		if e.keyword == keyword {
			return e.to
		}
	}
	return none
}

func (f *facts) option(e edge) {
	last := len(f.choices) - 1
	if last < 0 || f.choices[last].keyword != e.keyword {
		f.choices = append(f.choices, choice{keyword: e.keyword, then: none, otherwise: none})
		last++
	}
	f.choices[last].options = append(f.choices[last].options, e.to)
}

// readNot understands the negation of types, as in {"not": {"type": "null"}}.
func (p *Parameters) readNot(f *facts, e edge) {
	negated := &p.doc.nodes[e.to]
	switch declared, ok := negated.schema["type"]; {
	case negated.schema == nil && negated.always:
		f.kinds = 0
	case negated.schema == nil:
	case ok && len(negated.schema) == 1:
		f.kinds &^= kindsOf(declared)
	default:
		f.extra(e.keyword, negated.schema, allKinds, e.to)
	}
}

func (f *facts) readLists(schema map[string]any) {
	if value, ok := schema["const"]; ok {
		f.lists = append(f.lists, []any{value})
	}
	if values, ok := schema["enum"].([]any); ok {
		f.lists = append(f.lists, values)
	}
	for _, values := range f.lists {
		var listed kinds
		for _, value := range values {
			listed |= kindOf(value)
		}
		f.kinds &= listed
	}
}

func (f *facts) readContains(n *node) {
	schema, ok := n.schema["contains"]
	if !ok {
		return
	}
	least := rational(n.schema["minContains"])
	most, bounded := n.schema["maxContains"]
	if least == nil {
		least = big.NewRat(1, 1)
	}
	if least.Sign() > 0 || bounded {
		f.extra("contains", []any{schema, n.schema["minContains"], most}, arrayKind, n.child("contains"))
	}
	if least.Num().IsInt64() {
		f.items.min = max(f.items.min, int(least.Num().Int64()))
	}
}

// member returns the schemas of a member.
func (f *facts) member(p *Parameters, name string) []int {
	var ids []int
	if id, ok := f.properties[name]; ok {
		ids = append(ids, id)
	}
	for _, pattern := range f.patterns {
		if p.matches(pattern.source, name) {
			ids = append(ids, pattern.node)
		}
	}
	if len(ids) == 0 && f.additional != none {
		ids = append(ids, f.additional)
	}
	return ids
}

// item returns the schema of an item, or none.
func (f *facts) item(i int) int {
	if i < len(f.prefix) {
		return f.prefix[i]
	}
	return f.rest
}

// matches applies a regular expression, which Parse has seen to be a valid one.
func (p *Parameters) matches(source, text string) bool {
	re, ok := p.patterns[source]
	if !ok {
		re = regexp.MustCompile(source)
		p.patterns[source] = re
	}
	return re.MatchString(text)
}

// texts returns the strings of a list.
func texts(list any) []string {
	var all []string
	values, _ := list.([]any)
	for _, value := range values {
		if text, ok := value.(string); ok {
			all = append(all, text)
		}
	}
	return all
}
