package lint

import (
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/maze-agent/maregister/internal/finding"
)

// The API server reads YAML with version 2 of the library, whose trees are not public. Version 3 has the same scanner.

// yamlTree reads the tree of a YAML document whose first line is so many lines below the file's. Nil where it is none.
func yamlTree(content []byte, above int) *node {
	var document yaml.Node
	if yaml.Unmarshal(content, &document) != nil || len(document.Content) != 1 {
		return nil
	}
	b := yamlBuilder{above: above, built: map[*yaml.Node]*node{}}
	return b.node(document.Content[0])
}

type yamlBuilder struct {
	above int
	// built has each node once, however many aliases there are of it.
	built map[*yaml.Node]*node
}

func (b *yamlBuilder) position(n *yaml.Node) finding.Position {
	return finding.Position{Line: n.Line + b.above, Column: n.Column}
}

func (b *yamlBuilder) node(n *yaml.Node) *node {
	if n.Kind == yaml.AliasNode {
		// The value is where the anchor is, but whoever looks for it should see where it is used.
		used := *b.node(n.Alias)
		used.at = b.position(n)
		return &used
	}
	if out := b.built[n]; out != nil {
		return out
	}
	out := &node{at: b.position(n)}
	b.built[n] = out
	out.block = (n.Kind == yaml.MappingNode || n.Kind == yaml.SequenceNode) && n.Style&yaml.FlowStyle == 0
	switch n.Kind {
	case yaml.MappingNode:
		b.members(out, n.Content)
	case yaml.SequenceNode:
		for _, item := range n.Content {
			out.items = append(out.items, b.node(item))
		}
	default: // a scalar has nothing below it
	}
	return out
}

func (b *yamlBuilder) members(out *node, content []*yaml.Node) {
	for i := 0; i+1 < len(content); i += 2 {
		key, value := content[i], b.node(content[i+1])
		if key.Tag == "!!merge" {
			out.merged = append(append(out.merged, value), value.items...)
			continue
		}
		m := member{name: key.Value, at: b.position(key), value: value}
		if boolean, ok := booleans[strings.ToLower(key.Value)]; ok && key.Style == 0 && isBoolean(key.Value) {
			m.name, m.written = boolean, key.Value
		}
		out.members = append(out.members, m)
	}
}

// booleans are the words that YAML 1.1, and with it Kubernetes, reads as true and false where they are not in quotes.
var booleans = map[string]string{
	"y": "true", "yes": "true", "on": "true", "true": "true", "n": "false", "no": "false", "off": "false", "false": "false",
}

// isBoolean says whether the case of a word is one in which it is read so: yes, Yes and YES, but not yES.
func isBoolean(word string) bool {
	lower := strings.ToLower(word)
	return word == lower || word == strings.ToUpper(word) || word == strings.ToUpper(word[:1])+lower[1:]
}
