package dag

import (
	"regexp"
	"slices"
	"strings"

	"github.com/maze-agent/maregister/internal/finding"
	"github.com/maze-agent/maregister/internal/jsontree"
)

// A text that is passed as it is, and mentions an output of a node, was probably meant as a reference: in a template, in a
// sentence, inside an object, or in the words of another format. Whether it does is known when all ids are.

// doubt is a text that may be meant as a reference.
type doubt struct {
	node *Node
	at   *jsontree.Node
	// id and output are what it mentions; the output may be empty.
	id, output string
	// why says why it is not a reference.
	why string
}

var (
	// mention is something like a reference, anywhere in a text.
	mention = regexp.MustCompile(`([A-Za-z0-9_-]+)\.outputs?(?:\.([A-Za-z0-9_]+))?`)
	// short is how Maze's own format refers to an output.
	short = regexp.MustCompile(`^([A-Za-z0-9_-]+)\.([A-Za-z0-9_]+)$`)
)

// maxMentions is how many mentions of one text are looked at.
const maxMentions = 20

const (
	notAlone  = `a reference is nothing but "node.output.key" or "node.output.key[n]"`
	notInside = "only an argument itself, or an item of its list, can be a reference"
	notInMaze = `a reference is written {"from": "node.output"}`
	notShort  = `a reference is written "node.output.key"`
)

// doubt remembers what a text of the described format mentions.
func (c *checker) doubt(n *Node, v *jsontree.Node, written string) {
	c.doubtMentions(n, v, written, notAlone)
	if match := short.FindStringSubmatch(written); match != nil && !strings.HasPrefix(match[2], "output") {
		c.doubts = append(c.doubts, doubt{n, v, match[1], match[2], notShort})
	}
}

// doubtInside remembers what the texts in a value mention that is passed as it is.
func (c *checker) doubtInside(n *Node, v *jsontree.Node) {
	for _, child := range v.Children {
		if child.Kind == jsontree.Text && v.Kind == jsontree.Array && v.Parent == n.argsAt {
			continue // an item of an argument's list
		}
		if child.Kind == jsontree.Text {
			c.doubtMentions(n, child, c.text(child), notInside)
		} else {
			c.doubtInside(n, child)
		}
	}
}

// doubtValue remembers what a value of Maze's own format mentions: it is never a reference.
func (c *checker) doubtValue(n *Node, v *jsontree.Node) {
	if v.Kind == jsontree.Text {
		c.doubtMentions(n, v, c.text(v), notInMaze)
	}
	for _, child := range v.Children {
		c.doubtValue(n, child)
	}
}

func (c *checker) doubtMentions(n *Node, v *jsontree.Node, written, why string) {
	if !strings.Contains(written, ".output") {
		return
	}
	for _, at := range mention.FindAllStringSubmatchIndex(written, maxMentions) {
		if isPath(written, at[0], at[1]) {
			continue
		}
		output := ""
		if at[4] >= 0 {
			output = written[at[4]:at[5]]
		}
		c.doubts = append(c.doubts, doubt{n, v, written[at[2]:at[3]], output, why})
	}
}

// isPath reports whether a part of a text is one of a file's name or an address.
func isPath(written string, start, end int) bool {
	return start > 0 && strings.IndexByte(`/\.:@`, written[start-1]) >= 0 || end < len(written) && strings.IndexByte(`/\:@-`, written[end]) >= 0
}

// reportDoubts tells of the texts that mention a node of the workflow, each once.
func (c *checker) reportDoubts() {
	var told *jsontree.Node
	for _, d := range c.doubts {
		i, ok := c.graph.find(d.id)
		if !ok || d.at == told {
			continue
		}
		outputs := c.outputNames(c.graph.Nodes[i])
		if d.why == notShort && !slices.Contains(outputs, d.output) { // a file's name, more likely
			continue
		}
		told = d.at
		advice := "write %s to pass that output"
		if d.why == notInside {
			advice = "let the task take that output by an argument of its own, and write %s there"
		}
		c.report(finding.DoubtfulReference, d.at, d.node, "%s is passed as it is, although there is a node %s: %s; "+advice,
			c.quote(d.at), quote(d.id), d.why, c.asReference(d, outputs))
	}
}

// asReference is how the reference would be written that a doubt is about.
func (c *checker) asReference(d doubt, outputs []string) string {
	output := d.output
	if !slices.Contains(outputs, output) && len(outputs) > 0 {
		output = outputs[0]
	}
	if output == "" {
		output = "key"
	}
	if c.form == &mazeV1 {
		return `{"from": ` + quote(d.id+"."+output) + "}"
	}
	return quote(d.id + ".output." + output)
}
