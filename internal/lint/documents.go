package lint

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"

	utiljson "k8s.io/apimachinery/pkg/util/json"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"

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

// file is a file that is being read.
type file struct {
	name      string
	documents []document
	findings  []finding.Finding
}

func (f *file) report(rule string, at finding.Position, object, format string, args ...any) {
	f.findings = append(f.findings, finding.New(rule, f.name, at, object, format, args...))
}

// read takes a file apart as kubectl does.
func (f *file) read(content []byte) {
	if len(content) > MaxFile {
		f.report(finding.ManifestTooLarge, finding.Position{}, "", "the file has more than %d bytes, and an API server takes less: split it, "+
			"or check that it is the right file", MaxFile)
		return
	}
	if invalid := texts.FirstInvalid(content); invalid >= 0 {
		f.report(finding.MalformedManifest, texts.NewPositions(content).At(invalid), "", "this is not UTF-8; save the file as UTF-8")
		return
	}
	content = bytes.TrimPrefix(content, []byte("\ufeff"))
	positions := texts.NewPositions(content)
	for start := 0; start < len(content) && len(f.findings) < maxFindings; {
		c := nextChunk(content, start)
		if !f.readJSON(content[:c.end], start, positions) {
			f.readYAML(content[start:c.end], positions.At(start).Line-1)
		}
		if c.trailing {
			f.report(finding.MalformedManifest, positions.At(c.end+len(separator)), "",
				"kubectl takes nothing behind the --- that begins a document; put what follows on a line of its own")
		}
		start = c.next
	}
}

// maxFindings is with how many findings in a file the next document is not looked at: whoever corrects so many tries again.
const maxFindings = 1000

var separator = []byte("---")

// chunk is where a part of a file ends, a line of three hyphens, and where the next one begins.
type chunk struct {
	end, next int
	// trailing says that there is more in the line.
	trailing bool
}

func nextChunk(content []byte, start int) chunk {
	for at := start; at < len(content); {
		line, _, _ := bytes.Cut(content[at:], []byte("\n"))
		next := min(at+len(line)+1, len(content))
		if rest, ok := bytes.CutPrefix(line, separator); ok {
			rest = bytes.TrimSpace(rest)
			return chunk{end: at, next: next, trailing: len(rest) > 0 && rest[0] != '#'}
		}
		at = next
	}
	return chunk{end: len(content), next: len(content)}
}

// readJSON reads the JSON values of a file from an offset on. It reports false where they should be read as YAML instead.
func (f *file) readJSON(content []byte, start int, positions *texts.Positions) bool {
	if !utilyaml.IsJSONBuffer(content[start:]) {
		return false
	}
	decoder := json.NewDecoder(bytes.NewReader(content[start:]))
	for n := 0; decoder.More(); n++ {
		var raw json.RawMessage
		if err := decoder.Decode(&raw); err != nil {
			if n == 0 && looksLikeYAML(content[start:]) {
				return false
			}
			offset := len(content) // it ends too early
			if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
				offset = start + int(syntax.Offset) - 1
			}
			f.report(finding.MalformedManifest, positions.At(offset), "", "this is not JSON: %s", oneLine(err.Error()))
			return true
		}
		end := start + int(decoder.InputOffset())
		root, _ := jsontree.ParseJSON(content[:end], end-len(raw), jsontree.Limits{}) // the decoder has a limit of its own
		f.add(raw, place{jsontree.Source{Positions: positions}, root, positions.At(root.Start)})
	}
	return true
}

// looksLikeYAML reports whether a text that begins as JSON, but is none, is YAML, or was meant to be.
func looksLikeYAML(content []byte) bool {
	if _, err := jsontree.YAMLToJSON(content); err == nil {
		return true
	}
	inner := bytes.TrimSpace(bytes.TrimPrefix(bytes.TrimSpace(content), []byte("{")))
	return len(inner) == 0 || inner[0] != '"'
}

// readYAML reads a document that is so many lines below the beginning of the file.
func (f *file) readYAML(content []byte, above int) {
	converted, err := jsontree.YAMLToJSON(content)
	if err != nil {
		at := err.At
		at.Line += above
		f.report(finding.MalformedManifest, at, "", "this is not YAML: %s", oneLine(err.Error()))
		return
	}
	if string(converted) == "null" { // nothing, or comments only
		return
	}
	source := jsontree.Source{Above: above}
	root := place{source: source, at: source.Begin(content)}
	if document, _ := jsontree.ParseYAML(content); document.Root != nil { // version 2 of the library may take what version 3 does not
		root = place{source, document.Root, source.At(document.Root)}
	}
	f.add(converted, root)
}

// add decodes a document that is JSON by now, numbers as the API server does.
func (f *file) add(content []byte, root place) {
	var value any
	if err := utiljson.Unmarshal(content, &value); err != nil {
		f.report(finding.MalformedManifest, root.at, "", "this cannot be read: %s", oneLine(err.Error()))
		return
	}
	f.documents = append(f.documents, document{value, root})
}

// maxMessage is how long a message may be, in characters: a manifest may have megabytes where a number should be.
const maxMessage = 501

// oneLine makes one line of a text, and leaves out the middle where it is long.
func oneLine(text string) string {
	return texts.ClipMiddle(strings.Join(strings.Fields(text), " "), maxMessage)
}
