package jsontree

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
	kubernetes "sigs.k8s.io/yaml"

	"github.com/maze-agent/maregister/internal/text"
)

// The API server reads YAML with version 2 of the library, whose trees are not public. Version 3 has the same scanner. No other package of
// ours reads YAML that people write: what a text stands for is YAMLToJSON's to say, and where it is written ParseYAML's.

// YAML is what a value has only in YAML.
type YAML struct {
	// At is where the value begins.
	At text.Position
	// Key is the key of a member of an object. Nil for other values.
	Key *Node
	// Text is what a scalar stands for: a text without its quotes, a number as it is written. Empty where nothing is written, which is null.
	Text string
	// Plain says that a scalar has no quotes.
	Plain bool
	// Block says that it is an object or an array that is told by indentation, so that nothing but its key stands for it.
	Block bool
	// Written is how the name of a member is written if Kubernetes reads it as another word: n is false.
	Written string
	// Merged are the values of <<, and the objects in them if they are lists. Those of the first kind have a key.
	Merged []*Node
	// Feature is what of YAML, and not of JSON, the value uses. Empty for none.
	Feature Feature
}

// Feature is something of YAML that JSON does not have.
type Feature string

// The features.
const (
	Anchor Feature = "anchor"
	Alias  Feature = "alias"
	Tag    Feature = "tag"
	Merge  Feature = "merge key"
)

// Use is where a feature is used: the value that has it or, of a merge key, that key.
type Use struct {
	At      text.Position
	Feature Feature
}

// Document is the first document of a YAML text.
type Document struct {
	// Root is nil if there is no document.
	Root *Node
	// Beyond is the first feature in it that JSON does not have. Nil if there is none.
	Beyond *Use
	// Second is where another document begins. Nil if there is none.
	Second *text.Position
	// simple says that the tree has nothing but what version 2 of the library reads alike, so that its values can be taken from it.
	simple bool
}

// ParseYAML returns the tree of the first document of a text, also if there is an error in the second one. It reads no further than that.
// Aliases share what they stand for.
func ParseYAML(content []byte) (Document, *YAMLError) {
	if err := checkMarks(content); err != nil {
		return Document{}, err
	}
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	var out Document
	var first, second yaml.Node
	err := decoder.Decode(&first)
	if err == nil && len(first.Content) == 1 {
		b := yamlBuilder{at: positionsOf(content)}
		out.Root = b.node(first.Content[0])
		out.simple, out.Beyond = !b.special, b.beyond
	}
	if err == nil {
		if err = decoder.Decode(&second); err == nil {
			out.Second = &text.Position{Line: second.Line, Column: second.Column}
		}
	}
	if err == nil || errors.Is(err, io.EOF) {
		return out, nil
	}
	located := locate(content, err)
	if located.Problem == problemDocument { // what is behind the end of a document is another one, without ---
		out.Second = &located.At
	}
	return out, located
}

// YAMLToJSON returns what the API server and kubectl read in a YAML document, as JSON.
func YAMLToJSON(content []byte) ([]byte, *YAMLError) {
	if err := checkMarks(content); err != nil {
		return nil, err
	}
	converted, err := kubernetes.YAMLToJSON(content)
	if err != nil {
		return nil, locate(content, err)
	}
	return converted, nil
}

// DecodeYAML returns what the API server reads in the first document of a text, and the tree of that, whose root is nil if only version 2
// of the library can read the text. Both are nil for a text without a document.
func DecodeYAML(content []byte) (any, Document, *YAMLError) {
	document, _ := ParseYAML(content)
	if document.readsAlike(content) {
		value, beyond := document.Root.Value(nil)
		if beyond != nil {
			return nil, document, &YAMLError{At: beyond.YAML.At, Problem: "no number of JSON", notJSON: true}
		}
		return value, document, nil
	}
	converted, err := YAMLToJSON(content)
	if err != nil {
		return nil, document, err
	}
	root, _ := ParseJSON(converted, 0, Limits{}) // the library has a limit of its own
	value, _ := root.Value(converted)            // the library writes no number that a float64 does not hold
	return value, document, nil
}

// hidden finds what the tree does not show: directives, and the tag ! that says no more than that.
var hidden = regexp.MustCompile(`(?:^|\n)%|(?:^|[\s\[{,:?-])!`)

// positionsOf returns what turns a place as the library has it into a position. YAML knows more ends of lines than editors do.
func positionsOf(content []byte) func(line, column int) text.Position {
	if !hasOtherBreak(content) {
		return func(line, column int) text.Position { return text.Position{Line: line, Column: column} }
	}
	starts := []int{0}
	for _, at := range anyBreak.FindAllIndex(content, -1) {
		starts = append(starts, at[1])
	}
	positions := text.NewPositions(content)
	return func(line, column int) text.Position {
		offset := starts[max(0, min(line, len(starts))-1)]
		for ; column > 1 && offset < len(content); column-- {
			_, size := utf8.DecodeRune(content[offset:])
			offset += size
		}
		return positions.At(offset)
	}
}

// hasOtherBreak reports whether YAML sees an end of a line where there is no \n.
func hasOtherBreak(content []byte) bool {
	return bytes.Count(content, []byte("\r")) > bytes.Count(content, []byte("\r\n")) ||
		bytes.Contains(content, []byte("\u0085")) || bytes.Contains(content, []byte("\u2028")) || bytes.Contains(content, []byte("\u2029"))
}

var anyBreak = regexp.MustCompile("\r\n|[\r\n\u0085\u2028\u2029]")

type yamlBuilder struct {
	at func(line, column int) text.Position
	// built has the nodes with an anchor once each, however many aliases there are of them.
	built map[*yaml.Node]*Node
	// special says that there is something which the two versions of the library may read differently.
	special bool
	// beyond is the first feature that JSON does not have.
	beyond *Use
	// slab holds nodes that are not used yet: one allocation for many.
	slab []yamlNode
}

// yamlNode is a node with what only YAML has.
type yamlNode struct {
	Node
	yaml YAML
}

func (b *yamlBuilder) allocate(kind Kind, at text.Position) *Node {
	const slabSize = 64
	if len(b.slab) == 0 {
		b.slab = make([]yamlNode, slabSize)
	}
	n := &b.slab[0]
	b.slab = b.slab[1:]
	n.Kind, n.YAML, n.yaml.At = kind, &n.yaml, at
	return &n.Node
}

// node returns the node of a value, and notes what JSON does not have. All aliases of an anchor share what is below it.
func (b *yamlBuilder) node(n *yaml.Node) *Node {
	if n.Kind == yaml.AliasNode {
		// The value is where the anchor is, but whoever looks for it should see where it is used.
		used := *b.node(n.Alias)
		facts := *used.YAML
		facts.At, facts.Feature = b.at(n.Line, n.Column), Alias
		used.YAML = &facts
		b.uses(Alias, facts.At)
		return &used
	}
	if out := b.built[n]; out != nil {
		return out
	}
	out := b.allocate(kindOf(n), b.at(n.Line, n.Column))
	switch {
	case n.Anchor != "":
		if b.built == nil {
			b.built = map[*yaml.Node]*Node{}
		}
		b.built[n] = out
		out.YAML.Feature = Anchor
	case n.Style&yaml.TaggedStyle != 0:
		out.YAML.Feature = Tag
	}
	if out.YAML.Feature != "" {
		b.uses(out.YAML.Feature, out.YAML.At)
	}
	switch n.Kind {
	case yaml.MappingNode:
		out.YAML.Block = n.Style&yaml.FlowStyle == 0
		b.members(out, n.Content)
	case yaml.SequenceNode:
		out.YAML.Block = n.Style&yaml.FlowStyle == 0
		out.Children = make([]*Node, 0, len(n.Content))
		for i, item := range n.Content {
			child := b.node(item)
			child.Parent, child.Index = out, i
			out.Children = append(out.Children, child)
		}
		clear(n.Content)
	default:
		const quoted = yaml.DoubleQuotedStyle | yaml.SingleQuotedStyle | yaml.LiteralStyle | yaml.FoldedStyle
		out.YAML.Text, out.YAML.Plain = n.Value, n.Style&quoted == 0
	}
	return out
}

// uses notes that a feature is used, in the order of the text.
func (b *yamlBuilder) uses(feature Feature, at text.Position) {
	b.special = true
	if b.beyond == nil {
		b.beyond = &Use{At: at, Feature: feature}
	}
}

// kindOf returns which kind of JSON's a value has.
func kindOf(n *yaml.Node) Kind {
	switch n.Kind {
	case yaml.MappingNode:
		return Object
	case yaml.SequenceNode:
		return Array
	default:
	}
	switch n.ShortTag() {
	case "!!null":
		return Null
	case "!!bool":
		if strings.EqualFold(n.Value, "true") {
			return True
		}
		return False
	case "!!int", "!!float":
		return Number
	default:
		return Text
	}
}

// members adds the members of a mapping to its node. Those of a merge key are kept apart.
func (b *yamlBuilder) members(out *Node, content []*yaml.Node) {
	out.Children = make([]*Node, 0, len(content)/2)
	for i := 0; i+1 < len(content); i += 2 {
		key, name := content[i], b.node(content[i])
		merges := key.Tag == "!!merge"
		if merges {
			b.uses(Merge, name.YAML.At)
		}
		value := b.node(content[i+1])
		value.YAML.Key = name
		if merges {
			out.YAML.Feature = Merge
			out.YAML.Merged = append(out.YAML.Merged, value)
			if value.Kind == Array {
				out.YAML.Merged = append(out.YAML.Merged, value.Children...)
			}
			continue
		}
		value.Parent, value.Index, value.Name = out, len(out.Children), key.Value
		if boolean, ok := booleans[strings.ToLower(key.Value)]; ok && key.Style == 0 && isBoolean(key.Value) {
			value.Name, value.YAML.Written = boolean, key.Value
		} else if key.Kind != yaml.ScalarNode || key.Style == 0 && !isText(readPlain(key.Value)) {
			b.special = true
		}
		out.Children = append(out.Children, value)
	}
	clear(content) // what is built of it takes its place, and as much memory
}

func isText(value any) bool {
	_, ok := value.(string)
	return ok
}

// booleans are the words that YAML 1.1, and with it Kubernetes, reads as true and false where they are not in quotes.
var booleans = map[string]string{
	"y": "true", "yes": "true", "on": "true", "true": "true", "n": "false", "no": "false", "off": "false", "false": "false",
}

// isBoolean reports whether the case of a word is one in which it is read so: yes, Yes and YES, but not yES.
func isBoolean(word string) bool {
	lower := strings.ToLower(word)
	return word == lower || word == strings.ToUpper(word) || word == strings.ToUpper(word[:1])+lower[1:]
}
