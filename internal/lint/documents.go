package lint

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"unicode/utf8"

	utiljson "k8s.io/apimachinery/pkg/util/json"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	"github.com/maze-agent/maregister/internal/finding"
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
	switch {
	case len(content) > MaxFile:
		f.report(finding.ManifestTooLarge, finding.Position{}, "", "the file has more than %d bytes, and an API server takes less: split it, "+
			"or check that it is the right file", MaxFile)
		return
	case !utf8.Valid(content):
		f.report(finding.MalformedManifest, firstInvalid(content), "", "this is not UTF-8; save the file as UTF-8")
		return
	}
	content = bytes.TrimPrefix(content, []byte("\ufeff"))
	at := newCursor(content)
	for start := 0; start < len(content) && len(f.findings) < maxFindings; {
		c := nextChunk(content, start)
		above := at.to(start).Line - 1
		if text := content[start:c.end]; !f.readJSON(text, at) {
			f.readYAML(text, above)
		}
		if c.trailing {
			f.report(finding.MalformedManifest, at.to(c.end+len(separator)), "",
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

// readJSON reads a text of JSON values. It says false where it should be read as YAML instead.
func (f *file) readJSON(text []byte, at *cursor) bool {
	if !utilyaml.IsJSONBuffer(text) {
		return false
	}
	start := at.offset
	decoder := json.NewDecoder(bytes.NewReader(text))
	for n := 0; decoder.More(); n++ {
		var raw json.RawMessage
		if err := decoder.Decode(&raw); err != nil {
			if n == 0 && looksLikeYAML(text) {
				return false
			}
			f.reportJSON(err, start, len(text), at)
			return true
		}
		at.to(start + int(decoder.InputOffset()) - len(raw))
		begin := at.place
		f.add(raw, jsonTree(raw, at), begin)
	}
	return true
}

// looksLikeYAML says whether a text that begins as JSON, but is none, is YAML, or was meant to be.
func looksLikeYAML(text []byte) bool {
	if _, err := yaml.YAMLToJSON(text); err == nil {
		return true
	}
	inner := bytes.TrimSpace(bytes.TrimPrefix(bytes.TrimSpace(text), []byte("{")))
	return len(inner) == 0 || inner[0] != '"'
}

func (f *file) reportJSON(err error, start, length int, at *cursor) {
	offset := start + length // it ends too early
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		offset = start + int(syntax.Offset) - 1
	}
	f.report(finding.MalformedManifest, at.to(offset), "", "this is not JSON: %s", oneLine(err.Error()))
}

func (f *file) readYAML(text []byte, above int) {
	converted, err := yaml.YAMLToJSON(text)
	if err != nil {
		at, message := locateYAML(text, err)
		at.Line += above
		f.report(finding.MalformedManifest, at, "", "this is not YAML: %s", oneLine(message))
		return
	}
	if string(converted) == "null" { // nothing, or comments only
		return
	}
	at := firstText(text, 1)
	at.Line += above
	f.add(converted, yamlTree(text, above), at)
}

// add decodes a document that is JSON by now, numbers as the API server does.
func (f *file) add(text []byte, tree *node, at finding.Position) {
	var value any
	if err := utiljson.Unmarshal(text, &value); err != nil {
		f.report(finding.MalformedManifest, at, "", "this cannot be read: %s", oneLine(err.Error()))
		return
	}
	f.documents = append(f.documents, document{value, root(tree, at)})
}

// firstInvalid is where a content stops being UTF-8.
func firstInvalid(content []byte) finding.Position {
	c := newCursor(content)
	for c.offset < len(content) {
		if r, size := utf8.DecodeRune(content[c.offset:]); r == utf8.RuneError && size == 1 {
			break
		}
		c.to(c.offset + 1)
	}
	return c.place
}

// maxMessage is how long a message may be, in characters: a manifest may have megabytes where a number should be.
const maxMessage = 500

// oneLine makes one line of a text, and leaves out the middle where it is long.
func oneLine(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if len(text) <= maxMessage {
		return text
	}
	runes := []rune(text)
	if len(runes) <= maxMessage {
		return text
	}
	return string(runes[:maxMessage/2]) + "…" + string(runes[len(runes)-maxMessage/2:])
}
