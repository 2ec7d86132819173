package discover

import (
	"strings"

	"github.com/maze-agent/maregister/internal/discover/python"
	"github.com/maze-agent/maregister/internal/finding"
)

// typeParser reads annotations that are in quotes. It makes its parser when it is first needed.
type typeParser struct{ python *python.Parser }

// maxAnnotation, in bytes, bounds annotations in quotes.
const maxAnnotation = 2000

// parse reads one expression, which is at a place. Nil if it is none.
func (p *typeParser) parse(text string, at finding.Position) *expr {
	if p.python == nil {
		p.python = python.NewParser()
	}
	if len(text) > maxAnnotation || strings.ContainsAny(text, "\x00\n\r") {
		return nil
	}
	source := []byte("_: " + strings.TrimSpace(text) + "\n")
	tree, err := p.python.Parse(source)
	if err != nil {
		return nil
	}
	statements := tree.Root().Children()
	if len(statements) != 1 || len(statements[0].Children()) != 1 {
		return nil
	}
	annotation := statements[0].Children()[0].Child("type")
	if annotation.IsZero() {
		return nil
	}
	e := (&reader{places: newPlaces(source)}).expr(annotation)
	relocate(e, at)
	return e
}

// relocate gives an expression, with all its parts, the place where it stands in quotes.
func relocate(e *expr, at finding.Position) {
	e.at = at
	for _, operand := range e.operands {
		relocate(operand, at)
	}
}
