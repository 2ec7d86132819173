package config

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/maze-agent/maregister/api/config/v1alpha1"
	"github.com/maze-agent/maregister/internal/jsontree"
	"github.com/maze-agent/maregister/internal/text"
)

const (
	// maxSize, in bytes, is what a ConfigMap can hold.
	maxSize = 1 << 20

	header = "apiVersion: " + v1alpha1.APIVersion + " and kind: " + v1alpha1.Kind
)

// parse returns the mapping that the file is. It is nil after a finding.
func (f *file) parse(content []byte) *jsontree.Node {
	content = bytes.TrimPrefix(content, []byte("\ufeff"))
	if len(content) > maxSize {
		f.report(text.Start, "the file has %d bytes: a configuration has at most %d; check that it is the right file", len(content), maxSize)
		return nil
	}
	if invalid := text.FirstInvalid(content); invalid >= 0 {
		f.report(text.NewPositions(content).At(invalid), "this is not UTF-8: save the file as UTF-8")
		return nil
	}
	if line := directive(content); line > 0 {
		f.report(text.Position{Line: line, Column: 1}, "directives are not read: remove the line")
		return nil
	}
	document, err := jsontree.ParseYAML(content)
	root := document.Root
	if unwanted := firstUnwanted(root); unwanted != nil {
		at := start(unwanted)
		if unwanted.YAML.Feature == jsontree.Merge {
			at = start(unwanted.YAML.Merged[0].YAML.Key)
		}
		f.report(at, "%s", adviceOn[unwanted.YAML.Feature])
		return nil
	}
	switch {
	case err != nil:
		f.reportSyntax(err)
		return nil
	case document.Second != nil:
		f.report(*document.Second, "%s", secondDocument)
		return nil
	case root == nil || root.Kind == jsontree.Null && root.YAML.Text == "":
		f.report(text.Start, "the file is empty: begin it with %s", header)
		return nil
	case root.Kind != jsontree.Object:
		f.report(start(root), "the file is %s: write fields, beginning with %s", describe(root), header)
		return nil
	}
	f.places[""] = start(root)
	return root
}

// directive returns the line of the first directive of YAML. It is 0 if there is none before the first document.
func directive(content []byte) int {
	number := 0
	for line := range bytes.Lines(content) {
		number++
		switch trimmed := bytes.TrimSpace(line); {
		case line[0] == '%':
			return number
		case len(trimmed) > 0 && trimmed[0] != '#':
			return 0
		}
	}
	return 0
}

const (
	secondDocument = "a second YAML document begins here: keep one configuration in the file"
	noAnchors      = "anchors and aliases are not read: write the value out, or put a text that begins with & or * in quotes"
)

// adviceOn holds the advice on each kind of YAML that no configuration needs. Aliases could make a small file large, and with tags a text
// could be a number.
var adviceOn = map[jsontree.Feature]string{
	jsontree.Anchor: noAnchors,
	jsontree.Alias:  noAnchors,
	jsontree.Merge:  "merge keys are not read: write the fields out",
	jsontree.Tag:    "tags are not read: remove it, or put a text that begins with ! in quotes",
}

// firstUnwanted returns the first value of a kind of YAML that no configuration needs. It is nil if there is none.
func firstUnwanted(n *jsontree.Node) *jsontree.Node {
	if n == nil {
		return nil
	}
	if n.YAML.Feature != "" {
		return n
	}
	for _, child := range n.Children {
		if key := firstUnwanted(child.YAML.Key); key != nil {
			return key
		}
		if unwanted := firstUnwanted(child); unwanted != nil {
			return unwanted
		}
	}
	return nil
}

// reportSyntax reports why the file is not YAML: in words of its own where the library's are not clear.
func (f *file) reportSyntax(err *jsontree.YAMLError) {
	at, sign := err.Culprit()
	message := string(err.Problem)
	switch err.Problem {
	case jsontree.ProblemDocument:
		f.report(err.At, "%s", secondDocument)
		return
	case jsontree.ProblemAnchor:
		f.report(at, "%s", noAnchors)
		return
	case jsontree.ProblemColon:
		message = "mapping value is not allowed in this context"
	case jsontree.ProblemSign:
		message = "found character '" + string(sign) + "' that cannot start any token"
	case jsontree.ProblemMapping:
		message = "could not find flow mapping end token '}'"
	case jsontree.ProblemList:
		message = "could not find flow sequence end token ']'"
	default: // the library's words
	}
	message = strings.NewReplacer("\t", `\t`, "\n", `\n`, "\r", `\r`).Replace(message)
	f.report(at, "this is not YAML: %s; check indentation, quotes and brackets, here and in the line above", message)
}

// start returns where a value begins. A value that is not written is where its key ends, with the colon.
func start(n *jsontree.Node) text.Position {
	key := n.YAML.Key
	if n.Kind != jsontree.Null || n.YAML.Text != "" || key == nil {
		return n.YAML.At
	}
	at := key.YAML.At
	at.Column += utf8.RuneCountInString(key.YAML.Text) + 1
	if !key.YAML.Plain {
		at.Column += len(`""`)
	}
	return at
}
