package jsontree

import (
	"bytes"
	"encoding/json"
	"iter"
	"path"
	"slices"
	"strings"

	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
)

// Part is a document of a file, as kubectl takes a file apart: what is between two lines of three hyphens or, of JSON, one value of several.
type Part struct {
	// Start and End bound it, in bytes.
	Start, End int
	// JSON says that it is a value of JSON. All else may be a document of YAML, or nothing but comments.
	JSON bool
	// Err is why what begins at Start as JSON is none. Nil for all else.
	Err error
	// Trailing is where more begins in the line of --- behind it, which kubectl leaves out. 0 for nothing.
	Trailing int
}

// IsNamedJSON reports whether the name of a file says that it has JSON: one value, or, as .jsonl and .ndjson, one in each line.
func IsNamedJSON(name string) bool {
	return slices.Contains([]string{".json", ".jsonl", ".ndjson"}, strings.ToLower(path.Ext(name)))
}

// Parts returns the documents of a text. onlyJSON says that what begins as JSON, and is none, is not meant as YAML.
func Parts(content []byte, onlyJSON bool) iter.Seq[Part] {
	return func(yield func(Part) bool) {
		for start := 0; start < len(content); {
			c := nextChunk(content, start)
			if !c.parts(content, start, onlyJSON, yield) {
				return
			}
			start = c.next
		}
	}
}

// IsBlank reports whether the document has nothing but blank lines and comments.
func (p Part) IsBlank(content []byte) bool {
	if p.JSON || p.Err != nil {
		return false
	}
	for line := range bytes.Lines(content[p.Start:p.End]) {
		if line = bytes.TrimSpace(line); len(line) > 0 && line[0] != '#' {
			return false
		}
	}
	return true
}

var separator = []byte("---")

// chunk is where a part of a file ends, a line of three hyphens, and where the next one begins.
type chunk struct{ end, next, trailing int }

func nextChunk(content []byte, start int) chunk {
	for at := start; at < len(content); {
		line, _, _ := bytes.Cut(content[at:], []byte("\n"))
		next := min(at+len(line)+1, len(content))
		if rest, ok := bytes.CutPrefix(line, separator); ok {
			c := chunk{end: at, next: next}
			if rest = bytes.TrimSpace(rest); len(rest) > 0 && rest[0] != '#' {
				c.trailing = at + len(separator)
			}
			return c
		}
		at = next
	}
	return chunk{end: len(content), next: len(content)}
}

// parts yields the documents of a chunk that begins at an offset. It reports false when no more are wanted.
func (c chunk) parts(content []byte, start int, onlyJSON bool, yield func(Part) bool) bool {
	whole := Part{Start: start, End: c.end, Trailing: c.trailing}
	if !utilyaml.IsJSONBuffer(content[start:c.end]) {
		return yield(whole)
	}
	decoder := json.NewDecoder(bytes.NewReader(content[start:c.end]))
	for begin := start; ; begin = start + int(decoder.InputOffset()) {
		if begin > start && len(bytes.TrimSpace(content[begin:c.end])) == 0 {
			return true
		}
		var raw json.RawMessage
		if err := decoder.Decode(&raw); err != nil {
			if begin == start && !onlyJSON && looksLikeYAML(content[start:c.end]) {
				return yield(whole)
			}
			return yield(Part{Start: begin, End: c.end, Err: err, Trailing: c.trailing})
		}
		part := Part{End: start + int(decoder.InputOffset()), JSON: true}
		part.Start = part.End - len(raw)
		if len(bytes.TrimSpace(content[part.End:c.end])) == 0 { // the last one
			part.Trailing = c.trailing
		}
		if !yield(part) {
			return false
		}
	}
}

// looksLikeYAML reports whether a text that begins as JSON, but is none, is YAML, or was meant to be.
func looksLikeYAML(content []byte) bool {
	if _, err := YAMLToJSON(content); err == nil {
		return true
	}
	inner := bytes.TrimSpace(bytes.TrimPrefix(bytes.TrimSpace(content), []byte("{")))
	return len(inner) == 0 || inner[0] != '"'
}
