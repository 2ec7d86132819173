package schema

import (
	"fmt"
	"strings"
)

// Pasted is what stands where parameters should be declared, and is the declaration of tools in the form of another framework.
type Pasted struct {
	// One and Many are what it is: "an MCP tool", "MCP tools".
	One, Many string
	// Count is how many there are.
	Count int
	// Parts say where what is in it belongs.
	Parts []PastedPart
	// Advice says what to do where the parts do not tell. Empty for nothing.
	Advice string
	// Schema says what else is to be done with the schema in it. Empty for nothing.
	Schema string
}

// PastedPart is a part of a tool's declaration.
type PastedPart struct {
	// Path is how it is called in it: function.parameters.
	Path string
	// Field is the field of a MazeTask that it belongs into.
	Field string
}

// Sentence returns what this is, and which part of it belongs where. place is what it should be.
func (p Pasted) Sentence(place string) string {
	out := "this is " + p.One + ", and not " + place
	if p.Count > 1 {
		out = fmt.Sprintf("these are %d %s, and not %s", p.Count, p.Many, place)
		if p.Advice == "" {
			out += "; each needs a MazeTask of its own"
		}
	}
	var moves []string
	for _, part := range p.Parts {
		moves = append(moves, part.Path+" belongs into "+part.Field)
	}
	if len(moves) > 0 {
		out += ": " + strings.Join(moves, ", ")
	}
	for _, more := range []string{p.Schema, p.Advice} {
		if more != "" {
			out += "; " + more
		}
	}
	return out
}

// inParameters says of what stands where parameters are declared what it is.
func (p Pasted) inParameters() string {
	return p.Sentence("the schema of parameters")
}

// tellPasted reports what the document is if it is no schema, and nothing of what follows from that. Whatever could be read as a schema stays
// one, with a warning.
func (d *document) tellPasted() {
	switch {
	case d.pasted == nil:
	case len(d.errors) > 0:
		d.errors, d.warnings = []*Error{invalid("", "%s", d.pasted.inParameters())}, nil
	default:
		d.warnings = []Warning{{Kind: KindPasted, Message: d.pasted.inParameters() + readAsNames}}
	}
}

const readAsNames = "; it is read as a declaration of parameters with these names"
