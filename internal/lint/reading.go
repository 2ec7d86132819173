package lint

import (
	"regexp"
	"slices"
	"strings"

	"github.com/maze-agent/maregister/internal/finding"
	"github.com/maze-agent/maregister/internal/jsontree"
)

// reading returns how the value of a place is read, to be appended to a message: nothing if it is read as it is written. It reports whether
// a word is read as true or false.
func (p place) reading() (text string, isBoolean bool) {
	n := p.node
	if n == nil {
		return "", false
	}
	if n.Kind == jsontree.Array { // such as the values of an enum, of which the first tells the most
		if i := slices.IndexFunc(n.Children, isSwitch); i >= 0 {
			n = n.Children[i]
		}
	}
	if read, other := n.Read(p.text); other {
		return "; " + oneLine(n.Written(p.text)) + " is read as " + read, isSwitch(n)
	}
	return "", false
}

// missingSpace returns what a text probably lacks that stands where an object should be.
func (p place) missingSpace() string {
	n := p.node
	if n == nil || n.Kind != jsontree.Text || n.YAML == nil || !n.YAML.Plain || !keyBegins(n.YAML.Text) {
		return ""
	}
	return "; a space is missing behind the colon of " + oneLine(n.YAML.Text)
}

// inText returns what is to be done with a text that has an object or a list in it, where one of these should be.
func (p place) inText() string {
	if p.node == nil || p.node.Kind != jsontree.Text {
		return ""
	}
	written := strings.TrimSpace(p.node.Written(p.text))
	begins := func(with, end string) bool {
		return strings.HasPrefix(written, with) && strings.HasSuffix(written, end)
	}
	first, _, lines := strings.Cut(written, "\n")
	isKey := keyBegins(strings.ReplaceAll(first+" ", ": ", ":x"))
	switch {
	case begins("{", "}") || begins("[", "]"):
		return "; it is JSON in a text: write it without the quotes around it, and without | behind its key"
	case lines && isKey:
		return "; it is YAML in a text: remove the | or > behind its key"
	}
	return ""
}

// maxMarked, in bytes, bounds in which texts marks of templates are looked for: others are no values of fields.
const maxMarked = 200

// marked matches what other programs replace: templates, envsubst, kustomize and pods.
var marked = regexp.MustCompile(`\{\{.*\}\}|\$\{\w.*\}|\$\(\w+\)`)

// notYet returns what is to be done with a text that another program fills in, or that is in quotes of a word processor.
func (p place) notYet() string {
	if p.node == nil || p.node.Kind != jsontree.Text {
		return ""
	}
	written := p.node.Written(p.text)
	text := strings.Trim(written, `"'`)
	if len(text) > maxMarked {
		return ""
	}
	if mark := marked.FindString(text); mark != "" {
		return "; " + oneLine(mark) + " is to be replaced by another program: lint what is made of it"
	}
	if slip, ok := jsontree.Lookalike(text); ok && slip.Offset == 0 {
		return "; " + slip.String()
	}
	return ""
}

// keyBegins reports whether a text is probably meant as a key with its value, and lacks the space behind its colon.
func keyBegins(text string) bool {
	name, value, ok := strings.Cut(text, ":")
	isName := !strings.ContainsFunc(name, func(r rune) bool {
		return r != '_' && r != '-' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	})
	return ok && isName && name != "" && value != "" && !strings.HasPrefix(value, "/") && !strings.Contains(value, ":")
}

// isSwitch reports whether a value is one of the words that Kubernetes reads as true or false, and newer readers of YAML as texts: yes, NO,
// on.
func isSwitch(n *jsontree.Node) bool {
	if n.YAML == nil || !n.YAML.Plain || n.Kind == jsontree.True || n.Kind == jsontree.False {
		return false
	}
	read, other := n.Read(nil)
	return other && (read == "true" || read == "false")
}

// booleanKeywords are those of JSON Schema whose values may be booleans.
var booleanKeywords = []string{
	"additionalProperties", "unevaluatedProperties", "additionalItems", "unevaluatedItems", "items", "propertyNames", "contains", "not", "uniqueItems",
	"deprecated", "readOnly", "writeOnly", "nullable", "exclusiveMinimum", "exclusiveMaximum",
}

// reportSwitches reports the values that are read as true or false although they are not written so, where a text may be meant. Where
// another finding is at a value, that tells it.
func (o *object) reportSwitches(before int) {
	told := map[finding.Position]bool{}
	for _, f := range o.file.findings[before:] {
		told[f.Position] = true
	}
	spec, _ := o.place.member("spec")
	for _, name := range []string{"inputParameters", "outputParameters"} {
		if parameters, ok := spec.member(name); ok && !told[parameters.at] {
			o.reportSwitchesIn(parameters, parameters.node, told, map[*jsontree.Node]bool{})
		}
	}
}

// reportSwitchesIn reports those in a value.
func (o *object) reportSwitchesIn(parameters place, n *jsontree.Node, told map[finding.Position]bool, seen map[*jsontree.Node]bool) {
	if seen[n] { // aliases share nodes
		return
	}
	if len(n.Children) > 0 {
		seen[n] = true
	}
	for _, child := range n.Children {
		o.reportSwitchesIn(parameters, child, told, seen)
		at := parameters.source.At(child)
		if !isSwitch(child) || told[at] || n.Kind == jsontree.Object && slices.Contains(booleanKeywords, child.Name) || mayBeBoolean(n, child) {
			continue
		}
		read, _ := child.Read(nil)
		o.report(finding.BooleanValue, place{at: at, path: child.Pointer()}, "%s is read as %s; put it in quotes if it is a text, or write %s",
			child.YAML.Text, read, read)
	}
}

// mayBeBoolean reports whether a value is one of a schema that says that its values are booleans: a default, a constant or one of a list.
func mayBeBoolean(parent, value *jsontree.Node) bool {
	schema := parent
	if parent.Kind == jsontree.Array && parent.Parent != nil {
		schema, value = parent.Parent, parent
	}
	if !slices.Contains([]string{"default", "const", "enum", "examples", "example"}, value.Name) {
		return false
	}
	declared := schema.Member("type")
	if declared == nil {
		return false
	}
	isBoolean := func(n *jsontree.Node) bool {
		return n.Kind == jsontree.Text && n.YAML != nil && (n.YAML.Text == "boolean" || n.YAML.Text == "bool")
	}
	return isBoolean(declared) || slices.ContainsFunc(declared.Children, isBoolean)
}

// hasOtherNumber reports whether there is a number in a value that the API server would write otherwise.
func hasOtherNumber(n *jsontree.Node, text []byte) bool {
	if n.Kind == jsontree.Object || n.Kind == jsontree.Array {
		return slices.ContainsFunc(n.Children, func(child *jsontree.Node) bool { return hasOtherNumber(child, text) })
	}
	_, other := n.Read(text)
	return other
}
