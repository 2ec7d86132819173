package schema

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
)

// Types are often written as Python, TypeScript or a docstring has them: List[str], int | None, string[], list of str. None of these is
// a value of "type". What they are as a schema is told, so that nobody has to look it up.

const (
	// maxNotation is how long such a text may be, in bytes, and maxNotationDepth how deep its brackets may be.
	maxNotation      = 200
	maxNotationDepth = 8
)

// meaning is what a type in another notation is as a schema.
type meaning struct {
	types []string
	// more are other members of the schema, as JSON. They restrict values of the types alone.
	more string
	// values are those that are listed, as JSON. There are no types then.
	values []string
	// either are the alternatives that no single list of types can express.
	either []meaning
}

var (
	anyMeaning  = meaning{}
	nullMeaning = meaning{types: []string{"null"}}
	someValues  = meaning{values: []string{`"…"`}}
)

func typed(jsonType string) meaning { return meaning{types: []string{jsonType}} }

func formatted(format string) meaning {
	return meaning{types: []string{"string"}, more: `"format":"` + format + `"`}
}

// simpleNotation has what a name stands for, in lower case and without the module that it is in.
var simpleNotation = map[string]meaning{
	"array": typed("array"), "collection": typed("array"), "frozenset": typed("array"), "iterable": typed("array"), "iterator": typed("array"),
	"list": typed("array"), "sequence": typed("array"), "tuple": typed("array"), "vector": typed("array"), "ndarray": typed("array"),
	"bool": typed("boolean"), "boolean": typed("boolean"),
	"bigint": typed("integer"), "int": typed("integer"), "int32": typed("integer"), "int64": typed("integer"), "integer": typed("integer"),
	"byte": typed("integer"), "int8": typed("integer"), "int16": typed("integer"), "uint8": typed("integer"), "uint16": typed("integer"),
	"long": typed("integer"), "short": typed("integer"), "uint": typed("integer"), "uint32": typed("integer"), "uint64": typed("integer"),
	"decimal": typed("number"), "double": typed("number"), "float": typed("number"), "float32": typed("number"), "float64": typed("number"),
	"number": typed("number"), "numeric": typed("number"), "real": typed("number"),
	"dict": typed("object"), "dictionary": typed("object"), "hashmap": typed("object"), "json": typed("object"), "map": typed("object"),
	"mapping": typed("object"), "mutablemapping": typed("object"), "object": typed("object"), "record": typed("object"), "struct": typed("object"),
	"char": typed("string"), "character": typed("string"), "str": typed("string"), "string": typed("string"), "text": typed("string"), "varchar": typed("string"),
	"none": nullMeaning, "nonetype": nullMeaning, "null": nullMeaning, "nil": nullMeaning, "undefined": nullMeaning, "void": nullMeaning,
	"any": anyMeaning, "unknown": anyMeaning,
	"choice": someValues, "dropdown": someValues, "enum": someValues, "select": someValues,
	"checkbox": typed("boolean"), "toggle": typed("boolean"),
	"audio": typed("filepath"), "document": typed("filepath"), "image": typed("filepath"), "pdf": typed("filepath"), "video": typed("filepath"),
	"html": typed("string"), "markdown": typed("string"), "password": typed("string"), "textarea": typed("string"),

	"set":   {types: []string{"array"}, more: `"uniqueItems":true`},
	"bytes": {types: []string{"string"}, more: `"contentEncoding":"base64"`}, "bytearray": {types: []string{"string"}, more: `"contentEncoding":"base64"`},
	"base64": {types: []string{"string"}, more: `"contentEncoding":"base64"`}, "binary": {types: []string{"string"}, more: `"contentEncoding":"base64"`},
	"datetime": formatted("date-time"), "timestamp": formatted("date-time"), "date": formatted("date"), "time": formatted("time"),
	"timedelta": formatted("duration"), "duration": formatted("duration"), "uuid": formatted("uuid"), "uuid4": formatted("uuid"),
	"anyurl": formatted("uri"), "httpurl": formatted("uri"), "uri": formatted("uri"), "url": formatted("uri"),
	"email": formatted("email"), "emailstr": formatted("email"),
	"hostname": formatted("hostname"), "ip": formatted("ipv4"), "ipv4": formatted("ipv4"), "ipv6": formatted("ipv6"), "regex": formatted("regex"),
	"file": typed("filepath"), "path": typed("filepath"), "purepath": typed("filepath"), "filename": typed("filepath"),
	"dir": typed("folderpath"), "directory": typed("folderpath"), "folder": typed("folderpath"),
	"filepath": typed("filepath"), "folderpath": typed("folderpath"),
}

// wrapperNotation are names whose first argument is what counts.
var wrapperNotation = []string{"annotated", "awaitable", "classvar", "final", "notrequired", "promise", "readonly", "required"}

// notationMeant returns what a text that is no type stands for, as in another notation. It reports false if that is not known.
func notationMeant(text string) (meaning, bool) {
	if len(text) > maxNotation {
		return meaning{}, false
	}
	n := notation{}
	text = optionalWords.ReplaceAllString(text, "")
	if class := pythonClass.FindStringSubmatch(text); class != nil {
		text = class[1]
	}
	for text = strings.TrimSpace(text); text != ""; text = strings.TrimSpace(text) {
		token := notationToken.FindString(text)
		if token == "" {
			return meaning{}, false
		}
		n.tokens = append(n.tokens, token)
		text = text[len(token):]
	}
	m, ok := n.union(0, "|", "or", "/", ",")
	return m, ok && len(n.tokens) == 0
}

var (
	notationToken = regexp.MustCompile(`^(?:[A-Za-z_][A-Za-z0-9_.]*|'[^']*'|"[^"]*"|-?[0-9]+(?:\.[0-9]+)?|\.\.\.|[][<>(),|?/])`)
	// optionalWords are what docstrings have behind a type.
	optionalWords = regexp.MustCompile(`(?i)\s*=.*$|,\s*(?:optional|default.*)$|\s*\((?:optional|required)\)$|^(?:optional|required)\s+`)
	pythonClass   = regexp.MustCompile(`^<class '([^']*)'>$`)
)

// notation reads a text token by token.
type notation struct{ tokens []string }

func (n *notation) peek() string {
	if len(n.tokens) == 0 {
		return ""
	}
	return n.tokens[0]
}

// take reports whether the next token is one of some, and takes it.
func (n *notation) take(tokens ...string) bool {
	if next := n.peek(); next == "" || !slices.Contains(tokens, next) {
		return false
	}
	n.tokens = n.tokens[1:]
	return true
}

// union reads alternatives, which one of the separators is between.
func (n *notation) union(depth int, separators ...string) (meaning, bool) {
	all, ok := n.term(depth)
	for ok && n.take(separators...) {
		var next meaning
		next, ok = n.term(depth)
		all = all.or(next)
	}
	return all, ok
}

// term reads one alternative, with the [] and ? behind it.
func (n *notation) term(depth int) (meaning, bool) {
	if depth > maxNotationDepth || n.peek() == "" {
		return meaning{}, false
	}
	m, ok := n.atom(depth)
	for ok {
		switch {
		case n.take("?"):
			m = m.or(nullMeaning)
		case n.peek() == "[" && len(n.tokens) > 1 && n.tokens[1] == "]":
			n.tokens = n.tokens[2:]
			m = listOf(m)
		default:
			return m, true
		}
	}
	return m, false
}

func (n *notation) atom(depth int) (meaning, bool) {
	closing := map[string]string{"(": ")", "[": "]"}
	token := n.peek()
	n.tokens = n.tokens[1:]
	switch {
	case token == "(" || token == "[":
		m, ok := n.union(depth+1, "|", "or")
		if token == "[" {
			m = listOf(m)
		}
		return m, ok && n.take(closing[token])
	case token[0] == '\'' || token[0] == '"': // as Python quotes what is declared below
		inner := notation{}
		if m, ok := inner.named(token[1:len(token)-1], depth+1); ok {
			return m, true
		}
		value, _ := json.Marshal(token[1 : len(token)-1]) // a text can be encoded
		return meaning{values: []string{string(value)}}, true
	}
	return n.named(token, depth)
}

// named reads what is behind a name: its arguments, or the word of.
func (n *notation) named(token string, depth int) (meaning, bool) {
	name := strings.ToLower(token[strings.LastIndexByte(token, '.')+1:])
	switch {
	case n.peek() == "[" && len(n.tokens) > 1 && n.tokens[1] != "]", n.peek() == "<":
		closing := map[string]string{"[": "]", "<": ">"}[n.peek()]
		n.tokens = n.tokens[1:]
		if name == "literal" {
			return n.literal(closing)
		}
		return n.arguments(name, closing, depth+1)
	case n.take("of"):
		m, ok := n.term(depth + 1)
		base, known := simpleNotation[name]
		return listOf(m), ok && known && slices.Equal(base.types, []string{"array"})
	}
	for _, spelling := range []string{name, strings.TrimSuffix(name, "s")} { // list of strings
		if m, ok := simpleNotation[spelling]; ok {
			return m, true
		}
	}
	return meaning{}, false
}

// arguments reads those of a name, as in List[str].
func (n *notation) arguments(name, closing string, depth int) (meaning, bool) {
	var all []meaning
	open := false // as in Tuple[int, ...]
	for {
		if n.take("...") {
			open = true
		} else {
			m, ok := n.union(depth, "|", "or")
			if !ok {
				return meaning{}, false
			}
			all = append(all, m)
		}
		if n.take(closing) {
			break
		}
		if slices.Contains(wrapperNotation, name) { // what is behind the type may be anyMeaning
			return meaning{}, false
		}
		if !n.take(",") {
			return meaning{}, false
		}
	}
	if len(all) == 0 {
		return meaning{}, false
	}
	base, last := simpleNotation[name], all[len(all)-1]
	switch {
	case name == "optional":
		return all[0].or(nullMeaning), true
	case name == "union":
		for _, m := range all[1:] {
			all[0] = all[0].or(m)
		}
		return all[0], true
	case slices.Contains(wrapperNotation, name):
		return all[0], true
	case name == "tuple" && !open:
		return tupleOf(all), true
	case slices.Equal(base.types, []string{"array"}):
		m := listOf(last)
		m.more = strings.Trim(m.more+","+base.more, ",")
		return m, true
	case slices.Equal(base.types, []string{"object"}):
		return mapOf(last), true
	}
	return meaning{}, false
}

// literal reads the values of Literal['a', 1].
func (n *notation) literal(closing string) (meaning, bool) {
	var values []string
	for {
		token := n.peek()
		switch {
		case token == "":
			return meaning{}, false
		case token[0] == '\'' || token[0] == '"':
			value, _ := json.Marshal(token[1 : len(token)-1]) // a text can be encoded
			values = append(values, string(value))
		case json.Valid([]byte(token)):
			values = append(values, token)
		case token == "True" || token == "False" || token == "None":
			values = append(values, map[string]string{"True": "true", "False": "false", "None": "null"}[token])
		default:
			return meaning{}, false
		}
		n.tokens = n.tokens[1:]
		if n.take(closing) {
			return meaning{values: values}, true
		}
		if !n.take(",") {
			return meaning{}, false
		}
	}
}

func listOf(item meaning) meaning {
	m := typed("array")
	if !item.isAnything() {
		m.more = `"items":` + item.String()
	}
	return m
}

func mapOf(value meaning) meaning {
	m := typed("object")
	if !value.isAnything() {
		m.more = `"additionalProperties":` + value.String()
	}
	return m
}

func tupleOf(items []meaning) meaning {
	texts := make([]string, len(items))
	for i, item := range items {
		texts[i] = item.String()
	}
	return meaning{types: []string{"array"}, more: `"prefixItems":[` + strings.Join(texts, ",") + "]"}
}

func (m meaning) isAnything() bool {
	return len(m.types)+len(m.values)+len(m.either) == 0 && m.more == ""
}

// or returns what either of two types is.
func (m meaning) or(other meaning) meaning {
	switch {
	case m.isAnything() || other.isAnything():
		return anyMeaning
	case len(m.either) > 0:
		return meaning{either: append(slices.Clip(m.either), other)}
	case len(m.values) > 0 && len(other.values) > 0:
		return meaning{values: append(slices.Clip(m.values), other.values...)}
	case len(m.values)+len(other.values) > 0 || slices.ContainsFunc(m.types, func(t string) bool { return slices.Contains(other.types, t) }):
		if m.String() == other.String() {
			return m
		}
		return meaning{either: []meaning{m, other}}
	}
	return meaning{types: append(slices.Clip(m.types), other.types...), more: strings.Trim(m.more+","+other.more, ",")}
}

// String returns the schema as JSON, with its type first.
func (m meaning) String() string {
	var members []string
	switch len(m.types) {
	case 0:
	case 1:
		members = append(members, `"type":"`+m.types[0]+`"`)
	default:
		members = append(members, `"type":["`+strings.Join(m.types, `","`)+`"]`)
	}
	if m.more != "" {
		members = append(members, m.more)
	}
	if len(m.values) > 0 {
		members = append(members, `"enum":[`+strings.Join(m.values, ",")+"]")
	}
	if len(m.either) > 0 {
		var texts []string
		for _, one := range m.either {
			texts = append(texts, one.String())
		}
		members = append(members, `"anyOf":[`+strings.Join(texts, ",")+"]")
	}
	return "{" + strings.Join(members, ",") + "}"
}

// advice says what to write for a text that is no type. Empty if that is not known.
func (m meaning) advice() string {
	switch {
	case m.isAnything():
		return `; for any type, leave "type" out`
	case len(m.types) == 1 && m.more == "":
		return "; did you mean " + quote(m.types[0]) + "?"
	}
	return "; as a schema, that is " + clip(m.String(), 2*maxNotation)
}
