package jsontree

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"
	kubernetes "sigs.k8s.io/yaml"

	"github.com/maze-agent/maregister/internal/text"
)

// The API server reads YAML with version 2 of the library, whose trees are not public. Version 3 has the same scanner. Both are used here
// and nowhere else: what a text stands for is YAMLToJSON's to say, and where it is written ParseYAML's.

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

// Document is the first document of a YAML text.
type Document struct {
	// Root is nil if there is no document.
	Root *Node
	// Second is where another document begins. Nil if there is none.
	Second *text.Position
}

// ParseYAML returns the tree of the first document of a text, also if there is an error in the second one. It reads no further than that.
// Aliases share what they stand for.
func ParseYAML(content []byte) (Document, *YAMLError) {
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	var out Document
	var first, second yaml.Node
	err := decoder.Decode(&first)
	if err == nil && len(first.Content) == 1 {
		b := yamlBuilder{built: map[*yaml.Node]*Node{}}
		out.Root = b.node(first.Content[0])
	}
	if err == nil {
		if err = decoder.Decode(&second); err == nil {
			out.Second = &text.Position{Line: second.Line, Column: second.Column}
		}
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return out, locate(content, err)
	}
	return out, nil
}

// YAMLToJSON returns what the API server and kubectl read in a YAML document, as JSON.
func YAMLToJSON(content []byte) ([]byte, *YAMLError) {
	converted, err := kubernetes.YAMLToJSON(content)
	if err != nil {
		return nil, locate(content, err)
	}
	return converted, nil
}

type yamlBuilder struct {
	// built has each node once, however many aliases there are of it.
	built map[*yaml.Node]*Node
}

func (b *yamlBuilder) node(n *yaml.Node) *Node {
	if n.Kind == yaml.AliasNode {
		// The value is where the anchor is, but whoever looks for it should see where it is used.
		used := *b.node(n.Alias)
		facts := *used.YAML
		facts.At, facts.Feature = text.Position{Line: n.Line, Column: n.Column}, Alias
		used.YAML = &facts
		return &used
	}
	if out := b.built[n]; out != nil {
		return out
	}
	out := &Node{Kind: kindOf(n), YAML: &YAML{At: text.Position{Line: n.Line, Column: n.Column}}}
	b.built[n] = out
	switch {
	case n.Anchor != "":
		out.YAML.Feature = Anchor
	case n.Style&yaml.TaggedStyle != 0:
		out.YAML.Feature = Tag
	}
	switch n.Kind {
	case yaml.MappingNode:
		out.YAML.Block = n.Style&yaml.FlowStyle == 0
		b.members(out, n.Content)
	case yaml.SequenceNode:
		out.YAML.Block = n.Style&yaml.FlowStyle == 0
		for i, item := range n.Content {
			child := b.node(item)
			child.Parent, child.Index = out, i
			out.Children = append(out.Children, child)
		}
	default:
		const quoted = yaml.DoubleQuotedStyle | yaml.SingleQuotedStyle | yaml.LiteralStyle | yaml.FoldedStyle
		out.YAML.Text, out.YAML.Plain = n.Value, n.Style&quoted == 0
	}
	return out
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

func (b *yamlBuilder) members(out *Node, content []*yaml.Node) {
	for i := 0; i+1 < len(content); i += 2 {
		key, value := content[i], b.node(content[i+1])
		value.YAML.Key = b.node(key)
		if key.Tag == "!!merge" {
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
		}
		out.Children = append(out.Children, value)
	}
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
