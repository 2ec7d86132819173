package discover

import (
	"cmp"
	"slices"

	"github.com/maze-agent/maregister/internal/discover/imports"
	"github.com/maze-agent/maregister/internal/discover/syntax"
	"github.com/maze-agent/maregister/internal/finding"
)

// applied is a decorator as a function gets it: what it names, and the arguments that this got on the way, in variables and by
// functools.partial.
type applied struct {
	// callee is what the decorator names in the end, such as task, and module has it.
	callee *syntax.Expr
	module *syntax.Module
	// ref and from say where the callee comes from.
	ref  imports.Reference
	from imports.Origin
	// given are the arguments, the first ones first.
	given []given
	// calls is how often it is called before it gets the function.
	calls int
	// isVariable means that a variable holds it, or a partial, with its arguments.
	isVariable bool
	// unclear means that it is one of several, and only running the code tells which.
	unclear bool
}

// given is an argument with the module that has it.
type given struct {
	name   string
	value  *syntax.Expr
	module *syntax.Module
	// layer counts the calls: of a keyword that several give, that of the last call counts, as functools.partial has it.
	layer int
}

const (
	// maxUnfolded is how many values, each standing for the next, a decorator is followed through.
	maxUnfolded = 20
	// maxParts is how many expressions are looked at for one decorator.
	maxParts = 200
)

// unfolding follows the decorator of a function.
type unfolding struct {
	*storeys
	module   *syntax.Module
	function *syntax.Function
	// parts is how many expressions may still be looked at.
	parts int
}

// expr follows an expression of a module. at is where it is used: a variable has the value that it got before.
func (u *unfolding) expr(m *syntax.Module, e *syntax.Expr, at finding.Position, depth int) applied {
	u.parts--
	if depth < maxUnfolded && u.parts > 0 {
		switch e.Kind {
		case syntax.Call:
			return u.call(m, e, at, depth)
		case syntax.Name, syntax.Attribute:
			if a, ok := u.variable(m, e, at, depth); ok {
				return a
			}
		case syntax.Subscript:
			if value := u.entry(m, e); value != nil {
				a := u.expr(m, value, value.At, depth+1)
				a.isVariable = true
				return a
			}
		}
	}
	a := applied{callee: e, module: m}
	a.ref, a.from = u.resolver.OriginOf(u.seenAt(m, e), e)
	return a
}

// seenAt returns the module as an expression sees it.
func (u *unfolding) seenAt(m *syntax.Module, e *syntax.Expr) *syntax.Module {
	if m != u.module {
		return m
	}
	return seenFrom(m, u.function, e)
}

// seenFrom returns the module as a decorator of a function sees it: of the first name in it, what functions and classes around the
// function bind, or what the name was bound to last when the decorator runs.
func seenFrom(m *syntax.Module, f *syntax.Function, callee *syntax.Expr) *syntax.Module {
	for callee.Kind == syntax.Attribute {
		callee = callee.Operands[0]
	}
	if local := f.Scope.Lookup(callee.Text); local != nil && callee.Kind == syntax.Name {
		return &syntax.Module{Path: m.Path, Name: m.Name, Bindings: map[string][]*syntax.Binding{callee.Text: local}}
	}
	all := m.Bindings[callee.Text]
	if f.Within != "" || len(all) < 2 {
		return m
	}
	for i := len(all) - 1; i > 0; i-- {
		b := all[i]
		isBefore := cmp.Or(cmp.Compare(b.At.Line, callee.At.Line), cmp.Compare(b.At.Column, callee.At.Column)) < 0
		if isBefore && !b.Conditional && b.Value == nil { // a def, a class or an import: what was bound before is gone
			return &syntax.Module{Path: m.Path, Name: m.Name, Bindings: map[string][]*syntax.Binding{callee.Text: all[i:]}}
		}
	}
	return m
}

// call follows a call, of a decorator or of functools.partial.
func (u *unfolding) call(m *syntax.Module, e *syntax.Expr, at finding.Position, depth int) applied {
	a := u.expr(m, e.Operands[0], at, depth+1)
	rest := 1
	if isPartial := a.ref == (imports.Reference{Module: "functools", Name: "partial"}); isPartial && a.calls == 0 && len(e.Operands) > 1 && e.Names[1] == "" {
		a = u.expr(m, e.Operands[1], at, depth+1)
		a.isVariable = true
		rest = 2
	} else {
		a.calls++
	}
	a.given = slices.Clone(a.given)
	layer := 0
	if n := len(a.given); n > 0 {
		layer = a.given[n-1].layer + 1
	}
	for i := rest; i < len(e.Operands); i++ {
		a.given = append(a.given, given{e.Names[i], e.Operands[i], m, layer})
	}
	return a
}

// variable follows a name to the value that a module gives it. It reports whether that is a decorator with arguments.
func (u *unfolding) variable(m *syntax.Module, e *syntax.Expr, at finding.Position, depth int) (applied, bool) {
	if ref, ok := imports.ModuleOf(m, e); ok && ref.Name != "" { // of another module
		other := u.resolver.Module(ref.Module)
		if other == nil || other == m || u.resolver.Claims(ref) {
			return applied{}, false
		}
		return u.variable(other, &syntax.Expr{Kind: syntax.Name, Text: ref.Name, At: e.At}, finding.Position{}, depth+1)
	}
	if e.Kind != syntax.Name || u.resolver.Claims(imports.Reference{Module: m.Name, Name: e.Text}) {
		return applied{}, false
	}
	var best applied
	found := false
	for _, b := range u.values(m, e.Text, at) {
		if b.Value == nil {
			continue
		}
		a := u.expr(m, b.Value, b.At, depth+1)
		switch isSame := a.calls == 0 && len(a.given) == 0; {
		case isSame || !u.isDecorator(a): // which OriginOf follows
		case found:
			best.unclear = true
		default:
			best, found = a, true
			best.isVariable = true
		}
	}
	return best, found
}

// isDecorator reports whether something is one of Maze's decorators, or may be one.
func (u *unfolding) isDecorator(a applied) bool {
	return a.from == imports.Library || a.ref.Module != "" && a.ref.Module != u.module.Name
}

// values returns what a name may be bound to at a position: the last binding before it for certain, and those after that. The zero position is
// that of whoever imports the name.
func (u *unfolding) values(m *syntax.Module, name string, at finding.Position) []*syntax.Binding {
	all, isLocal := m.Bindings[name], false
	if m == u.module {
		if local := u.function.Scope.Lookup(name); local != nil {
			all, isLocal = local, true
		}
	}
	isLate := at == (finding.Position{}) || m == u.module && u.function.Within != "" && !isLocal
	for i, b := range slices.Backward(all) {
		if u.parts--; u.parts < 0 {
			return nil
		}
		switch isAfter := cmp.Or(cmp.Compare(b.At.Line, at.Line), cmp.Compare(b.At.Column, at.Column)) >= 0; {
		case isAfter && !isLate:
			all = all[:i]
		case !b.Conditional:
			return all[i:]
		}
	}
	return all
}

// entry returns the value at a key of a dict that a module writes. It is nil if that is not known.
func (u *unfolding) entry(m *syntax.Module, e *syntax.Expr) *syntax.Expr {
	if len(e.Operands) != 2 || e.Operands[0].Kind != syntax.Name {
		return nil
	}
	all := m.Bindings[e.Operands[0].Text]
	if len(all) != 1 || all[0].Value == nil || all[0].Value.Kind != syntax.Dict {
		return nil
	}
	if u.parts -= len(all[0].Value.Keys); u.parts < 0 {
		return nil
	}
	wanted, why := u.evaluator.Evaluate(m, e.Operands[1])
	text, isText := wanted.(string)
	for i, key := range slices.Backward(all[0].Value.Keys) {
		if why != nil || !isText || key == nil {
			return nil
		}
		switch value, unknown := u.evaluator.Evaluate(m, key); {
		case unknown != nil:
			return nil
		case value == any(text):
			return all[0].Value.Operands[i]
		}
	}
	return nil
}

// written returns the decorator as if it were written at the function with all of its arguments. Its places are those of the module, as far
// as the arguments are there.
func (a *applied) written(decorator *syntax.Expr) *syntax.Expr {
	if a.calls == 0 && len(a.given) == 0 {
		return decorator
	}
	e := &syntax.Expr{Kind: syntax.Call, At: decorator.At, Text: "a call", Operands: []*syntax.Expr{a.callee}, Names: []string{""}}
	for _, g := range a.given {
		e.Operands, e.Names = append(e.Operands, g.value), append(e.Names, g.name)
	}
	return e
}

// wrapped returns where an expression takes one of Maze's decorators, which it may return with any arguments: in a function that wraps it, or
// where the code chooses one. ok reports whether it does.
func (u *unfolding) wrapped(m *syntax.Module, e *syntax.Expr, depth int) (at *syntax.Expr, in *syntax.Module, ok bool) {
	if u.parts--; u.parts < 0 || depth > maxUnfolded {
		return nil, nil, false
	}
	switch e.Kind {
	case syntax.Name, syntax.Attribute:
		if ref, from := u.resolver.OriginOf(u.seenAt(m, e), e); from == imports.Library && slices.Contains(decorators, ref.Name) {
			return e, m, true
		}
		return u.wrappedByName(m, e, depth)
	case syntax.Call, syntax.Subscript, syntax.Dict, syntax.List, syntax.Tuple, syntax.Other:
		if ref, from := u.resolver.OriginOf(u.seenAt(m, e.Callee()), e.Callee()); from == imports.Foreign && imports.Root(ref.Module) != "functools" {
			return nil, nil, false // another framework's own affair
		}
		for _, operand := range e.Operands {
			if at, in, ok := u.wrapped(m, operand, depth+1); ok {
				return at, in, true
			}
		}
	}
	return nil, nil, false
}

// wrappedByName looks into what a name stands for.
func (u *unfolding) wrappedByName(m *syntax.Module, e *syntax.Expr, depth int) (at *syntax.Expr, in *syntax.Module, ok bool) {
	if ref, isImported := imports.ModuleOf(m, e); isImported && ref.Name != "" {
		if m = u.resolver.Module(ref.Module); m == nil {
			return nil, nil, false
		}
		e = &syntax.Expr{Kind: syntax.Name, Text: ref.Name, At: e.At}
	}
	if e.Kind != syntax.Name {
		return nil, nil, false
	}
	bindings := m.Bindings[e.Text]
	if m != u.module { // whoever imports a name gets what it was bound to last
		bindings = u.values(m, e.Text, finding.Position{})
	}
	for _, b := range bindings {
		var values []*syntax.Expr
		switch {
		case b.Value != nil:
			values = []*syntax.Expr{b.Value}
		case b.Plain != nil:
			values = b.Plain.Makes
		}
		for _, value := range values {
			if value == e {
				continue
			}
			if at, in, ok := u.wrapped(m, value, depth+1); ok {
				return at, in, true
			}
		}
	}
	return nil, nil, false
}
