package config

import (
	"bytes"
	"regexp"

	"github.com/maze-agent/maregister/api/config/v1alpha1"
	"github.com/maze-agent/maregister/internal/jsontree"
	"github.com/maze-agent/maregister/internal/text"
)

const (
	// maxSize, in bytes, is what a ConfigMap can hold.
	maxSize = 1 << 20

	header = "apiVersion: " + v1alpha1.APIVersion + " and kind: " + v1alpha1.Kind
)

const noAnchors = "anchors and aliases are not read: write the value out, or put a text that begins with & or * in quotes"

// adviceOn holds the advice on each kind of YAML that no configuration needs. Aliases could make a small file large, and with tags a text
// could be a number.
var adviceOn = map[jsontree.Feature]string{
	jsontree.Anchor: noAnchors,
	jsontree.Alias:  noAnchors,
	jsontree.Merge:  "merge keys are not read: write the fields out",
	jsontree.Tag:    "tags are not read: remove it, or put a text that begins with ! in quotes",
}

// directive matches to the first directive of YAML, if there is one before the first document.
var directive = regexp.MustCompile(`^(?:[ \t\r]*(?:#.*)?\n)*%`)

// parse returns the mapping that the file is. It is nil after a finding.
func (f *file) parse(content []byte) *jsontree.Node {
	content = bytes.TrimPrefix(content, []byte("\ufeff"))
	if len(content) > maxSize {
		f.report(text.Start, "", "the file has %d bytes: a configuration has at most %d; check that it is the right file", len(content), maxSize)
		return nil
	}
	positions := text.NewPositions(content)
	if invalid := text.FirstInvalid(content); invalid >= 0 {
		f.report(positions.At(invalid), "", "this is not UTF-8: save the file as UTF-8")
		return nil
	}
	if found := directive.Find(content); found != nil {
		f.report(positions.At(len(found)-1), "", "directives are not read: remove the line")
		return nil
	}
	document, err := jsontree.ParseYAML(content)
	switch root := document.Root; {
	case document.Beyond != nil:
		f.report(document.Beyond.At, "", "%s", adviceOn[document.Beyond.Feature])
	case document.Second != nil:
		f.report(*document.Second, "", "a second YAML document begins here: keep one configuration in the file")
	case err != nil:
		at, problem := err.Explain(content)
		f.report(at, "", "this is not YAML: %s", problem)
	case root == nil || root.Kind == jsontree.Null && root.YAML.Text == "":
		f.report(text.Start, "", "the file is empty: begin it with %s", header)
	case root.Kind != jsontree.Object:
		f.report(root.YAML.At, "", "the file is %s: write fields, beginning with %s", describe(root), header)
	default:
		return root
	}
	return nil
}
