package lint

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"

	"github.com/maze-agent/maregister/internal/finding"
	"github.com/maze-agent/maregister/internal/jsontree"
	texts "github.com/maze-agent/maregister/internal/text"
)

// MaxFile is how large a file may be, in bytes. An API server reads no more than 3 MiB at a time.
const MaxFile = 4 << 20

// document is a value of a file.
type document struct {
	value any
	place place
}

// read takes a file apart as kubectl does, and has each document judged. Nothing of one is kept for the next.
func (f *file) read(content []byte, judge func(document)) {
	if len(content) > MaxFile {
		f.report(finding.ManifestTooLarge, finding.Position{}, "", "the file has more than %d bytes, and an API server takes less: split it, "+
			"or check that it is the right file", MaxFile)
		return
	}
	if invalid := texts.FirstInvalid(content); invalid >= 0 {
		f.report(finding.MalformedManifest, texts.NewPositions(content).At(invalid), "", "%s", notUTF8(content))
		return
	}
	content = bytes.TrimPrefix(content, []byte("\ufeff"))
	positions := texts.NewPositions(content)
	for part := range jsontree.Parts(content, jsontree.IsNamedJSON(f.name)) {
		switch {
		case part.Err != nil:
			f.reportJSON(content[:part.End], part.Start, positions, part.Err)
		case part.JSON:
			f.readJSON(content[:part.End], part.Start, positions, judge)
		default:
			f.readYAML(content[part.Start:part.End], part.Start, positions, judge)
		}
		if part.Trailing > 0 {
			f.report(finding.MalformedManifest, positions.At(part.Trailing), "",
				"kubectl takes nothing behind the --- that begins a document; put what follows on a line of its own")
		}
	}
}

// notUTF8 returns what is to be done with a file in another encoding.
func notUTF8(content []byte) string {
	if bytes.HasPrefix(content, []byte("\xff\xfe")) || bytes.HasPrefix(content, []byte("\xfe\xff")) {
		return "this is UTF-16, as > of Windows PowerShell writes it; save the file as UTF-8"
	}
	return "this is not UTF-8; save the file as UTF-8"
}

// readJSON reads the JSON value that ends a text, and begins at an offset.
func (f *file) readJSON(content []byte, start int, positions *texts.Positions, judge func(document)) {
	tree, _ := jsontree.ParseJSON(content, start, jsontree.Limits{}) // the decoder has a limit of its own
	at := root(jsontree.Source{Positions: positions}, content, tree)
	value, beyond := tree.Value(content)
	if beyond != nil {
		f.reportBeyond(at.source.At(beyond), beyond.Written(content))
		return
	}
	judge(document{value, at})
}

// reportBeyond reports a number that no float64 holds.
func (f *file) reportBeyond(at finding.Position, written string) {
	f.report(finding.MalformedManifest, at, "", "the number %s is larger than any that a float64 holds; write a smaller one, or "+
		"leave it out if it is a bound", oneLine(written))
}

// reportJSON reports why what begins at an offset is not JSON.
func (f *file) reportJSON(content []byte, begin int, positions *texts.Positions, err error) {
	if slip, ok := jsontree.JSONSlip(content, begin); ok {
		f.report(finding.MalformedManifest, positions.At(slip.Offset), "", "this is not JSON: %s", oneLine(slip.String()))
		return
	}
	offset := len(content) // it ends too early
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		offset = begin + int(syntax.Offset) - 1
	}
	f.report(finding.MalformedManifest, positions.At(offset), "", "this is not JSON: %s", oneLine(err.Error()))
}

// readYAML reads the document that a part of the file is, which begins at an offset.
func (f *file) readYAML(content []byte, start int, positions *texts.Positions, judge func(document)) {
	above := positions.At(start).Line - 1
	value, tree, err := jsontree.DecodeYAML(content)
	switch {
	case err != nil && err.TooLarge:
		f.report(finding.ManifestTooLarge, positions.At(start), "", "a document in YAML is not read if %s", err)
	case err != nil:
		f.reportYAML(content, start, positions, err)
	case value == nil: // nothing, or comments only
	case tree.Root == nil: // version 2 of the library may take what version 3 does not
		source := jsontree.Source{Above: above}
		judge(document{value, place{source: source, at: source.Begin(content)}})
	default:
		judge(document{value, root(jsontree.Source{Above: above}, nil, tree.Root)})
	}
	if err == nil && tree.Second != nil {
		f.report(finding.MalformedManifest, finding.Position{Line: tree.Second.Line + above, Column: tree.Second.Column}, "",
			"kubectl takes nothing of a second document that begins without a line of --- above it; write that line")
	}
}

// reportYAML reports why the part of the file that begins at an offset is not YAML, or not JSON if the file should have that.
func (f *file) reportYAML(content []byte, start int, positions *texts.Positions, err *jsontree.YAMLError) {
	if begin := bytes.TrimLeft(content, " \t\r\n"); jsontree.IsNamedJSON(f.name) && len(begin) > 0 && (begin[0] == '/' || begin[0] == '[') {
		if slip, ok := jsontree.JSONSlip(content, 0); ok {
			f.report(finding.MalformedManifest, positions.At(start+slip.Offset), "", "this is not JSON: %s", oneLine(slip.String()))
			return
		}
	}
	at, problem := err.Explain(content)
	at.Line += positions.At(start).Line - 1
	f.report(finding.MalformedManifest, at, "", "this is not YAML: %s", oneLine(problem))
}

// maxMessage is how long a message may be, in characters: a manifest may have megabytes where a number should be.
const maxMessage = 501

// oneLine makes one line of a text, and leaves out the middle where it is long.
func oneLine(text string) string {
	return texts.ClipMiddle(strings.Join(strings.Fields(text), " "), maxMessage)
}
