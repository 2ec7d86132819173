package syntax

import (
	"strings"

	"github.com/maze-agent/maregister/internal/discover/python"
	"github.com/maze-agent/maregister/internal/finding"
	plaintext "github.com/maze-agent/maregister/internal/text"
)

// QuotedParser reads annotations that are in quotes. It makes its parser when it is first needed.
type QuotedParser struct{ python *python.Parser }

// maxAnnotation, in bytes, bounds annotations in quotes.
const maxAnnotation = 2000

// Parse returns one expression, which gets a position with all its parts. It returns nil if the text is none.
func (p *QuotedParser) Parse(text string, at finding.Position) *Expr {
	if p.python == nil {
		p.python = python.NewParser()
	}
	if len(text) > maxAnnotation || strings.ContainsAny(text, "\x00\n\r") {
		return nil
	}
	source := []byte("_: " + strings.TrimSpace(text) + "\n")
	var e *Expr
	err := p.python.Read(source, func(tree *python.Tree) {
		statements := tree.Root().Children()
		if len(statements) != 1 || len(statements[0].Children()) != 1 {
			return
		}
		if annotation := statements[0].Children()[0].Child("type"); !annotation.IsZero() {
			e = (&reader{positions: plaintext.NewPositions(source)}).expr(annotation)
		}
	})
	if err != nil || e == nil {
		return nil
	}
	relocate(e, at)
	return e
}

// relocate sets the position of an expression and its operands: where it stands in quotes.
func relocate(e *Expr, at finding.Position) {
	e.At = at
	for _, operand := range e.Operands {
		relocate(operand, at)
	}
}
