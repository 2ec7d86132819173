// Package eval evaluates Python's expressions as far as their values are known without running the code: literals, operators, and names
// of constants, in whichever module they are.
package eval

import (
	"fmt"
	"math/big"
	"strings"

	"github.com/maze-agent/maregister/internal/discover/imports"
	"github.com/maze-agent/maregister/internal/discover/syntax"
	"github.com/maze-agent/maregister/internal/finding"
)

// Unknown is the reason why a value is not known without running the code.
type Unknown struct {
	// file and at are where the code is that cannot be evaluated.
	file string
	at   finding.Position
	// what says what it is, such as "a call of f".
	what string
}

// From returns the reason for a module that uses the value at a position: where to look in that module, and what is not known. What
// is in another file has its position in the text.
func (u *Unknown) From(m *syntax.Module, at finding.Position) (where finding.Position, what string) {
	if u.file == m.Path {
		return u.at, u.what
	}
	return at, fmt.Sprintf("%s at %s:%d:%d", u.what, u.file, u.at.Line, u.at.Column)
}

const (
	// maxNames is how many names, each standing for the next, are followed.
	maxNames = 100
	// maxSteps is how many expressions are evaluated for one value. Texts cost a step for each textStep bytes: names stand for them
	// again and again.
	maxSteps = 50_000
	textStep = 64
	// maxText, in bytes, bounds texts that are joined.
	maxText = 64 << 10
	// maxBits bounds integers that are computed.
	maxBits = 2048
)

// Evaluator evaluates expressions.
type Evaluator struct {
	Resolver imports.Resolver
	// Constants are the library's, by name. A module may use them without an import.
	Constants map[string]string
}

// Evaluate returns the value of an expression of a module, or why it is not known.
func (v Evaluator) Evaluate(m *syntax.Module, e *syntax.Expr) (any, *Unknown) {
	steps := maxSteps
	return (&evaluation{Evaluator: v, module: m, steps: &steps}).value(e)
}

// evaluation is the work for one value.
type evaluation struct {
	Evaluator
	module *syntax.Module
	// steps is how many may still be taken, in all modules.
	steps *int
	// hops is how many names were followed to get here.
	hops int
}

func (v *evaluation) unknown(e *syntax.Expr, format string, args ...any) *Unknown {
	return &Unknown{file: v.module.Path, at: e.At, what: fmt.Sprintf(format, args...)}
}

// value evaluates an expression, at the cost of a step and more for a long text.
func (v *evaluation) value(e *syntax.Expr) (any, *Unknown) {
	if !v.afford(1) {
		return nil, v.unknown(e, "so large a value")
	}
	value, why := v.valueOfKind(e)
	if text, ok := value.(string); ok && why == nil && !v.afford(len(text)/textStep) {
		return nil, v.unknown(e, "so long a text")
	}
	return value, why
}

// valueOfKind evaluates an expression by its kind.
func (v *evaluation) valueOfKind(e *syntax.Expr) (any, *Unknown) {
	switch e.Kind {
	case syntax.Constant:
		return e.Value, nil
	case syntax.Name:
		return v.name(e)
	case syntax.Attribute:
		return v.attribute(e)
	case syntax.List:
		items, why := v.items(e)
		return List(items), why
	case syntax.Tuple:
		items, why := v.items(e)
		return Tuple(items), why
	case syntax.Dict:
		return v.dict(e)
	case syntax.Text:
		return v.text(e)
	case syntax.Unary:
		return v.unary(e)
	case syntax.Binary:
		return v.binary(e)
	case syntax.Subscript:
		return v.subscript(e)
	case syntax.Set:
		return nil, v.unknown(e, "a set, which is no JSON")
	case syntax.Call:
		return nil, v.unknown(e, "a call of %s", e.Operands[0].Dotted())
	default:
		return nil, v.unknown(e, "%s", e.Text)
	}
}

// items evaluates the items of a list or a tuple, those of * included.
func (v *evaluation) items(e *syntax.Expr) ([]any, *Unknown) {
	items := make([]any, 0, len(e.Operands))
	for _, operand := range e.Operands {
		spread := operand.Kind == syntax.Starred
		if spread {
			operand = operand.Operands[0]
		}
		value, why := v.value(operand)
		if why != nil {
			return nil, why
		}
		if !spread {
			items = append(items, value)
			continue
		}
		more, ok := Elements(value)
		if !ok || !v.afford(len(more)) {
			return nil, v.unknown(operand, "what the * stands for")
		}
		items = append(items, more...)
	}
	return items, nil
}

// afford takes steps, and reports whether there were as many.
func (v *evaluation) afford(steps int) bool {
	*v.steps -= steps
	return *v.steps >= 0
}

// dict evaluates a dict literal, the entries of ** included.
func (v *evaluation) dict(e *syntax.Expr) (any, *Unknown) {
	out := Dict{}
	for i, operand := range e.Operands {
		value, why := v.value(operand)
		if why != nil {
			return nil, why
		}
		if e.Keys[i] == nil {
			more, ok := value.(Dict)
			if !ok || !v.afford(len(more)*(1+len(out))) {
				return nil, v.unknown(operand, "what the ** stands for")
			}
			for _, entry := range more {
				out = out.with(entry.Key, entry.Value)
			}
			continue
		}
		key, why := v.value(e.Keys[i])
		if why != nil {
			return nil, why
		}
		if !v.afford(len(out)) {
			return nil, v.unknown(e, "so large a dict")
		}
		out = out.with(key, value)
	}
	return out, nil
}

// text evaluates a text of several parts, such as an f-string.
func (v *evaluation) text(e *syntax.Expr) (any, *Unknown) {
	var out strings.Builder
	for _, operand := range e.Parts() {
		value, why := v.value(operand)
		if why != nil {
			return nil, why
		}
		text, ok := textOf(value)
		if !ok || out.Len()+len(text) > maxText {
			return nil, v.unknown(operand, "the text of this")
		}
		out.WriteString(text)
	}
	return out.String(), nil
}

// name evaluates a name of the module, or of Python itself.
func (v *evaluation) name(e *syntax.Expr) (any, *Unknown) {
	bindings := v.module.Bindings[e.Text]
	switch {
	case len(bindings) == 0:
		return v.unbound(e)
	case len(bindings) > 1:
		return nil, v.unknown(e, "%s, which is changed or bound more than once", e.Text)
	case bindings[0].Conditional:
		return nil, v.unknown(e, "%s, which depends on how the code runs", e.Text)
	}
	switch b := bindings[0]; {
	case e.At.Line < b.At.Line && v.hops == 0:
		return nil, v.unknown(e, "%s, which is bound only below, in line %d", e.Text, b.At.Line)
	case b.Value != nil:
		if v.hops >= maxNames {
			return nil, v.unknown(e, "%s, which is defined by itself", e.Text)
		}
		inner := *v
		inner.hops++
		return inner.value(b.Value)
	case b.Imported != nil:
		return v.imported(e, imports.ReferenceOf(v.module, b.Imported))
	default:
		return nil, v.unknown(e, "%s, which is no constant", e.Text)
	}
}

// unbound evaluates a name that the module does not bind.
func (v *evaluation) unbound(e *syntax.Expr) (any, *Unknown) {
	for _, wildcard := range imports.Wildcards(v.module) {
		if value, why := v.imported(e, imports.Reference{Module: wildcard, Name: e.Text}); why == nil {
			return value, nil
		}
	}
	if value, ok := v.Constants[e.Text]; ok {
		return value, nil
	}
	if _, ok := jsonTypes[e.Text]; ok {
		return Type(e.Text), nil
	}
	return nil, v.unknown(e, "%s, which is no constant of the module", e.Text)
}

// imported evaluates a name of another module.
func (v *evaluation) imported(e *syntax.Expr, r imports.Reference) (any, *Unknown) {
	if value, ok := v.Constants[r.Name]; ok && v.Resolver.InLibrary(r.Module) {
		return value, nil
	}
	if !v.afford(1) {
		return nil, v.unknown(e, "so large a value")
	}
	other := v.Resolver.Module(r.Module)
	if r.Name == "" || other == nil || v.hops >= maxNames {
		return nil, v.unknown(e, "%s, which is imported from %s, and that is not among the sources", e.Dotted(), r.Module)
	}
	if other.Problem != nil {
		return nil, v.unknown(e, "%s, which is imported from %s, and that is no Python", e.Dotted(), other.Path)
	}
	inner := &evaluation{Evaluator: v.Evaluator, module: other, steps: v.steps, hops: v.hops + 1}
	value, why := inner.name(&syntax.Expr{Kind: syntax.Name, Text: r.Name, At: e.At})
	if why != nil && why.file == other.Path && why.at == e.At { // the position is this module's
		why = v.unknown(e, "%s", why.what)
	}
	return value, why
}

// attribute evaluates module.NAME.
func (v *evaluation) attribute(e *syntax.Expr) (any, *Unknown) {
	if r, ok := imports.ModuleOf(v.module, e.Operands[0]); ok {
		return v.imported(e, r.Member(e.Text))
	}
	return nil, v.unknown(e, "%s, an attribute", e.Dotted())
}

// subscript evaluates an entry of a dict or an item of a list.
func (v *evaluation) subscript(e *syntax.Expr) (any, *Unknown) {
	if len(e.Operands) != 2 {
		return nil, v.unknown(e, "a part of something")
	}
	of, why := v.value(e.Operands[0])
	if why != nil {
		return nil, why
	}
	at, why := v.value(e.Operands[1])
	if why != nil {
		return nil, why
	}
	if key, ok := at.(string); ok {
		if of, ok := of.(Dict); ok {
			if value, ok := of.get(key); ok {
				return value, nil
			}
		}
	}
	if index, ok := at.(*big.Int); ok {
		items, _ := Elements(of)
		i := index.Int64()
		if i < 0 {
			i += int64(len(items))
		}
		if index.IsInt64() && i >= 0 && i < int64(len(items)) {
			return items[i], nil
		}
	}
	return nil, v.unknown(e, "a part of something")
}
