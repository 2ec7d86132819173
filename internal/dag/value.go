package dag

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// kind is the first character of a JSON value: one of { [ " 0 t f n, where 0 stands for all numbers.
type kind byte

const (
	object kind = '{'
	array  kind = '['
	text   kind = '"'
	number kind = '0'
	truth  kind = 't'
	lie    kind = 'f'
	null   kind = 'n'
)

// kindNames are for messages.
var kindNames = map[kind]string{
	object: "an object", array: "an array", text: "a string", number: "a number", truth: "true", lie: "false", null: "null",
}

// value is a JSON value that knows where it is written.
type value struct {
	kind kind
	// start and end bound its text, in bytes.
	start, end int
	parent     *value
	// name is that of a member of an object; nameAt is where it is written.
	name   string
	nameAt int
	// index is that of an item of an array.
	index    int
	children []*value
}

// member gives the member of a name, the last one as all readers of JSON have it. Nil if there is none.
func (v *value) member(name string) *value {
	if v == nil || v.kind != object {
		return nil
	}
	for i := len(v.children) - 1; i >= 0; i-- {
		if v.children[i].name == name {
			return v.children[i]
		}
	}
	return nil
}

// pointer is the JSON pointer to the value.
func (v *value) pointer() string {
	var tokens []string
	for ; v.parent != nil; v = v.parent {
		token := strconv.Itoa(v.index)
		if v.parent.kind == object {
			token = strings.NewReplacer("~", "~0", "/", "~1").Replace(v.name)
		}
		tokens = append(tokens, token)
	}
	var out strings.Builder
	for i := len(tokens) - 1; i >= 0; i-- {
		out.WriteByte('/')
		out.WriteString(tokens[i])
	}
	return out.String()
}

const (
	// maxBytes, maxValues and maxDepth bound a workflow: a hundred thousand nodes fit.
	maxBytes  = 64 << 20
	maxValues = 2_000_000
	maxDepth  = 100
)

// tooLarge says that a text exceeds a limit, and where.
type tooLarge struct {
	at      int
	message string
}

// parse makes the tree of a text that is known to be JSON.
func parse(content []byte) (*value, *tooLarge) {
	p := parser{content: content}
	root := p.value(nil)
	return root, p.failure
}

type parser struct {
	content []byte
	next    int
	depth   int
	count   int
	failure *tooLarge
	// slab holds values that are not used yet: one allocation for many.
	slab []value
}

func (p *parser) allocate() *value {
	const slabSize = 256
	if len(p.slab) == 0 {
		p.slab = make([]value, slabSize)
	}
	v := &p.slab[0]
	p.slab = p.slab[1:]
	return v
}

func (p *parser) fail(format string, args ...any) {
	if p.failure == nil {
		p.failure = &tooLarge{at: p.next, message: fmt.Sprintf(format, args...)}
	}
}

// value reads a value. After a failure it reads no further, and what it gives is of no use.
func (p *parser) value(parent *value) *value {
	first := p.peek()
	v := p.allocate()
	*v = value{kind: kind(first), start: p.next, parent: parent}
	if p.count++; p.count > maxValues {
		p.fail("the workflow has more than %d JSON values; split it", maxValues)
	}
	switch v.kind {
	case object, array:
		p.children(v)
	case text:
		p.skipText()
	default:
		if first == '-' || (first >= '0' && first <= '9') {
			v.kind = number
		}
		p.skipLiteral()
	}
	v.end = p.next
	return v
}

// children reads the members of an object or the items of an array.
func (p *parser) children(v *value) {
	if p.depth++; p.depth > maxDepth {
		p.fail("the workflow is nested deeper than %d levels; flatten it", maxDepth)
	}
	p.next++
	for p.failure == nil && p.peek() != byte(v.kind)+2 { // in ASCII, ] is [ and 2, as } is { and 2
		name, nameAt := "", p.next
		if v.kind == object {
			p.skipText()
			name = decodeText(p.content[nameAt:p.next])
			p.skip(':')
		}
		child := p.value(v)
		child.name, child.nameAt, child.index = name, nameAt, len(v.children)
		v.children = append(v.children, child)
		p.skip(',')
	}
	if p.failure == nil {
		p.next++
	}
	p.depth--
}

// peek skips white space and gives the byte behind it.
func (p *parser) peek() byte {
	for strings.IndexByte(" \t\r\n", p.content[p.next]) >= 0 {
		p.next++
	}
	return p.content[p.next]
}

func (p *parser) skip(separator byte) {
	if p.failure == nil && p.peek() == separator {
		p.next++
		p.peek()
	}
}

func (p *parser) skipText() {
	for p.next++; p.content[p.next] != '"'; p.next++ {
		if p.content[p.next] == '\\' {
			p.next++
		}
	}
	p.next++
}

func (p *parser) skipLiteral() {
	for p.next < len(p.content) && strings.IndexByte(" \t\r\n,]}", p.content[p.next]) < 0 {
		p.next++
	}
}

// decodeText gives what a JSON string stands for.
func decodeText(raw []byte) string {
	if plain := raw[1 : len(raw)-1]; !strings.Contains(string(plain), `\`) {
		return string(plain)
	}
	var out string
	_ = json.Unmarshal(raw, &out) // cannot fail: it is part of valid JSON
	return out
}
