package discover

import (
	"slices"
	"strings"

	"github.com/maze-agent/maregister/internal/discover/imports"
	"github.com/maze-agent/maregister/internal/discover/syntax"
	"github.com/maze-agent/maregister/internal/finding"
)

// unclaimed returns a finding if the decorator takes only what Maze's take, and something that no other's do.
func (d *declaration) unclaimed(ref imports.Reference) *finding.Finding {
	given := d.keywords()
	if !slices.ContainsFunc(given, isTelling) {
		return nil
	}
	name := ref.Name
	if !slices.Contains(decorators, name) {
		name = decorators[0]
	}
	form := d.formNamed(name, given)
	if slices.ContainsFunc(given, func(keyword string) bool { return !form.takes(keyword) }) {
		return nil
	}
	from, claim := ref.Module, "give --decorator "+ref.Module+":"+ref.Name
	if strings.HasPrefix(from, ".") { // a relative import of a file that is in no package
		from, claim = "outside of the package root", "have its folders be packages, by an __init__.py in each, and give --decorator with its full name"
		if d.storeys.hasRootFlag {
			claim = "give a --package-root above it, and --decorator with its full name"
		}
	}
	f := finding.New(finding.UnclaimedDecorator, d.module.Path, d.applied.At, d.object(),
		"@%s takes what Maze's decorators take, but comes from %s, which is not known to be Maze's, so this is no task: if it is one, %s",
		d.applied.Callee().Dotted(), from, claim)
	return &f
}

// wrapper returns a finding if a decorator is made of one of Maze's by code: a function that wraps it, or a choice.
func (d *declaration) wrapper(u *unfolding, callee *syntax.Expr, ref imports.Reference) *finding.Finding {
	at, in, ok := u.wrapped(d.module, callee, 0)
	if !ok {
		return nil
	}
	name, claim := "@"+callee.Dotted(), ""
	if callee.Kind != syntax.Name && callee.Kind != syntax.Attribute {
		name = "this"
	}
	if ref.Name != "" && imports.IsModuleName(ref.Module) {
		claim = ", or, if " + callee.Dotted() + " takes what that takes, give --decorator " + ref.Module + ":" + ref.Name
	}
	f := finding.New(finding.UnclaimedDecorator, d.module.Path, d.applied.At, d.object(),
		"%s makes its decorator of Maze's %s at %s:%d, and with which arguments is known only when the code runs, so this is no task: decorate the "+
			"function with Maze's own decorator%s", name, at.Dotted(), in.Path, at.At.Line, claim)
	f.Related = []finding.Related{{File: in.Path, Position: at.At, Message: "Maze's decorator"}}
	return &f
}

// byCall returns a finding if a function without decorators becomes a task by a call of one of Maze's, as in f = task(f).
func (s *storeys) byCall(m *syntax.Module, call *syntax.Assigned) *finding.Finding {
	u := &unfolding{storeys: s, module: m, function: &syntax.Function{}, parts: maxParts}
	function := call.Value.Operands[1].Text
	a := u.expr(m, call.Value.Operands[0], call.Value.At, 0)
	if a.from != imports.Library || a.ref.Name != "" && !slices.Contains(decorators, a.ref.Name) && !s.resolver.Claims(a.ref) {
		return nil
	}
	f := finding.New(finding.UnclaimedDecorator, m.Path, call.Value.At, m.Name+":"+call.Name,
		"%s becomes a task by a call of %s, which is not read, so this is no task: decorate %s where it is defined", function,
		a.callee.Dotted(), function)
	return &f
}
