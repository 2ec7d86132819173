package discover

import (
	"cmp"
	"slices"
	"strings"

	"github.com/maze-agent/maregister/internal/discover/eval"
	"github.com/maze-agent/maregister/internal/discover/syntax"
	"github.com/maze-agent/maregister/internal/finding"
	"github.com/maze-agent/maregister/internal/nearest"
)

// argument is one of a decorator.
type argument struct {
	at    finding.Position
	value any
	// from is the expression. It is nil for an argument that comes from the dict of a **, or of resources.
	from *syntax.Expr
	// why is the reason why the value is not known. It is nil if it is.
	why *eval.Unknown
	// layer is that of the call that gives it.
	layer int
}

// noLayer is the layer of what is given without keyword. No call can give it anew.
const noLayer = -1

// readArguments evaluates the decorator's arguments: those without keyword, and then those of each call, the last call first.
func (d *declaration) readArguments() {
	if d.decorator.Kind != syntax.Call {
		return
	}
	operands, names := d.decorator.Operands[1:], d.decorator.Names[1:]
	d.layer = noLayer
	for i, operand := range operands {
		switch {
		case names[i] == "*" || names[i] == "" && i >= d.form.positional:
			at, _ := d.placed(operand)
			d.refuse(finding.WrongArgument, at, "@%s does not take so many arguments without keyword", d.decorator.Callee().Dotted())
		case names[i] == "":
			d.readArgument(d.form.keywords[i], operand)
		}
	}
	layers := make([]int, len(operands)) // without functools.partial there is but one
	if d.made != nil && len(d.made.given) == len(operands) {
		for i, g := range d.made.given {
			layers[i] = g.layer
		}
	}
	for d.layer = slices.Max(append(layers, 0)); d.layer >= 0; d.layer-- {
		for i, operand := range operands {
			switch {
			case layers[i] != d.layer || names[i] == "" || names[i] == "*":
			case names[i] == "**":
				d.readSpread(operand)
			default:
				d.readArgument(names[i], operand)
			}
		}
	}
}

// readArgument evaluates one argument.
func (d *declaration) readArgument(keyword string, operand *syntax.Expr) {
	at, from := d.placed(operand)
	if !d.takes(keyword, at) {
		return
	}
	value, why := d.evaluate(operand)
	if why != nil {
		value = nil
		d.notKnown(keyword, at, why)
	}
	d.arguments[keyword] = argument{at, value, from, why, d.layer}
}

// placed returns where an argument stands, and the expression, which is nil for one of another module. That stands where the decorator does.
func (d *declaration) placed(operand *syntax.Expr) (finding.Position, *syntax.Expr) {
	if d.homes[operand] != nil {
		return d.applied.At, nil
	}
	return operand.At, operand
}

// notKnown notes that a field is left out, as its value is not known.
func (d *declaration) notKnown(keyword string, at finding.Position, why *eval.Unknown) {
	where, text := why.From(d.module, at)
	effect := keyword + " is left out"
	if keyword == "name" {
		effect = "without a name there is no task"
	}
	d.find(finding.NotStaticallyKnown, where, "not statically known: %s; %s: write a constant", text, effect)
}

// takes reports whether the decorator takes a keyword, which a call may give once. If not, it refuses the task, unless a later call gives
// the keyword anew.
func (d *declaration) takes(keyword string, at finding.Position) bool {
	if d.has(keyword) {
		if d.arguments[keyword].layer > d.layer && d.layer != noLayer {
			return false
		}
		d.refuse(finding.WrongArgument, at, "%s is given twice, so Python would run nothing of the file: take one away", keyword)
		return false
	}
	if d.form.takes(keyword) {
		return true
	}
	all := slices.Concat(named.keywords, listed.keywords, inferred.keywords, ascend.keywords)
	what := "does not take " + keyword
	if slices.Contains(all, keyword) {
		what += " together with its other arguments"
	}
	hint := ""
	if slices.Contains(deprecation, keyword) {
		hint = "; the decorator of the package maregister takes it: from maregister import task"
	} else if near := cmp.Or(nearest.Name(keyword, d.form.keywords), nearest.Name(keyword, all)); near != keyword {
		hint = nearest.Question(near)
	}
	d.refuse(finding.WrongArgument, at, "the decorator %s, so Python would run nothing of the file%s (it takes %s)", what, hint,
		strings.Join(d.form.keywords, ", "))
	return false
}

// readSpread reads the ** of a dict of arguments.
func (d *declaration) readSpread(operand *syntax.Expr) {
	at, _ := d.placed(operand)
	value, why := d.evaluate(spreadOf(operand))
	if why != nil {
		d.notKnown("what it stands for", at, why)
		return
	}
	entries, ok := value.(eval.Dict)
	if !ok {
		d.refuse(finding.WrongArgument, at, "** takes a dict")
		return
	}
	for _, e := range entries {
		if keyword, ok := e.Key.(string); ok && d.takes(keyword, at) {
			d.arguments[keyword] = argument{at, e.Value, nil, nil, d.layer}
		}
	}
}
