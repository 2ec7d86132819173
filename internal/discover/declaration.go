package discover

import (
	"cmp"
	"slices"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/discover/annotation"
	"github.com/maze-agent/maregister/internal/discover/eval"
	"github.com/maze-agent/maregister/internal/discover/imports"
	"github.com/maze-agent/maregister/internal/discover/syntax"
	"github.com/maze-agent/maregister/internal/finding"
)

// declaration is a function with one of Maze's decorators.
type declaration struct {
	module   *syntax.Module
	function *syntax.Function
	// applied is the decorator as it stands at the function. decorator is the same as if all arguments stood there.
	applied, decorator *syntax.Expr
	// made is how a decorator came to be that a variable holds. It is nil for others.
	made *applied
	// homes are the other modules in which some of its arguments are written.
	homes map[*syntax.Expr]*syntax.Module
	form  *form
	// evaluate returns the value of an expression of the module.
	evaluate func(e *syntax.Expr) (any, *eval.Unknown)
	storeys  *storeys
	// reader reads annotations of the module.
	reader *annotation.Reader
	// arguments are the decorator's, by keyword.
	arguments map[string]argument
	// layer is that of the arguments that are read.
	layer    int
	spec     v1alpha1.MazeTaskSpec
	findings []finding.Finding
	// refused means that there is no task.
	refused bool
}

// form is a way to declare a task.
type form struct {
	// keywords are what the decorator takes. The first ones, as many as positional, may be given without keyword in this order.
	keywords   []string
	positional int
	// read fills in the spec.
	read func(d *declaration)
	// mustBeCalled means that the decorator takes its arguments, if only (), before the function.
	mustBeCalled bool
	// strict is whose decorator it is, if that raises an error for how a task is run where Maze's takes anything. Empty for others.
	strict string
}

// storeys are what declarations stand on. All modules share them.
type storeys struct {
	resolver  imports.Resolver
	evaluator eval.Evaluator
	quoted    syntax.QuotedParser
	// classes are what is known of the classes of a module.
	classes map[*syntax.Module]*annotation.Classes
	// written counts the bytes of the schemas and descriptions of a module's tasks.
	written map[*syntax.Module]int
	// hasRootFlag is that of the options.
	hasRootFlag bool
}

// newStoreys returns storeys that know Maze's packages and constants, and load other modules of the package root.
func newStoreys(options Options) *storeys {
	find := imports.Resolver{Library: mazeRoots, Load: func(name string) *syntax.Module {
		if m := options.Load(name); m != nil {
			return m.file
		}
		return nil
	}}
	for _, d := range options.Claims {
		find.Claimed = append(find.Claimed, imports.Reference{Module: d.Module, Name: d.Name})
	}
	return &storeys{
		resolver: find, evaluator: eval.Evaluator{Resolver: find, Constants: mazeConstants},
		classes: map[*syntax.Module]*annotation.Classes{}, written: map[*syntax.Module]int{}, hasRootFlag: options.HasRootFlag,
	}
}

// declarationOf returns what a decorator declares. It returns nil if it is not one of Maze's. Then unclaimed is a finding if it may be one all
// the same: it is imported from elsewhere and takes what only Maze's take, or it is made of one of Maze's by code.
func (s *storeys) declarationOf(m *syntax.Module, f *syntax.Function, decorator *syntax.Expr) (_ *declaration, unclaimed *finding.Finding) {
	callee := decorator.Callee()
	u := &unfolding{storeys: s, module: m, function: f, parts: maxParts}
	a := u.expr(m, decorator, decorator.At, 0)
	d := &declaration{module: m, function: f, applied: decorator, decorator: decorator, storeys: s, arguments: map[string]argument{}}
	d.evaluate = func(e *syntax.Expr) (any, *eval.Unknown) { return s.evaluator.Evaluate(m, e) }
	if a.isVariable {
		d.take(a)
	}
	switch {
	case a.from == imports.Library:
		if d.form = d.formOf(a.ref, s.resolver.Claims(a.ref)); d.form == nil {
			return nil, nil
		}
		return d, nil
	case a.ref.Module == "" && callee.Kind == syntax.Name && len(m.Bindings[callee.Text]) == 0 && f.Scope.Lookup(callee.Text) == nil:
		return d.ofUnboundName(callee.Text)
	case a.ref.Module != "" && a.ref.Module != m.Name:
		if unclaimed = d.unclaimed(a.ref); unclaimed != nil {
			return nil, unclaimed
		}
	}
	return nil, d.wrapper(u, callee, a.ref)
}

// take has the declaration read a decorator with the arguments that it got before.
func (d *declaration) take(a applied) {
	d.decorator, d.made = a.written(d.applied), &a
	homes := map[*syntax.Expr]*syntax.Module{}
	for _, g := range a.given {
		if g.module != d.module {
			homes[g.value], homes[spreadOf(g.value)] = g.module, g.module
		}
	}
	if len(homes) == 0 {
		return
	}
	d.homes = homes
	d.evaluate = func(e *syntax.Expr) (any, *eval.Unknown) {
		return d.storeys.evaluator.Evaluate(cmp.Or(homes[e], d.module), e)
	}
}

// ofUnboundName returns what a decorator declares whose name the file does not bind: its import is missing, or a wildcard brings it.
func (d *declaration) ofUnboundName(name string) (_ *declaration, unclaimed *finding.Finding) {
	if wildcards := imports.Wildcards(d.module); len(wildcards) > 0 {
		return nil, d.unclaimed(imports.Reference{Module: wildcards[0], Name: name})
	}
	if !slices.Contains(decorators, name) {
		return nil, nil
	}
	given := d.keywords()
	if d.form = d.formNamed(name, given); len(given) == 0 || !slices.ContainsFunc(given, d.form.takes) {
		return nil, nil
	}
	return d, nil
}

// keywords returns the keywords of the decorator's arguments, those in ** included as far as they are known.
func (d *declaration) keywords() []string {
	var keywords []string
	for i, name := range d.decorator.Names {
		switch {
		case name == "**":
			value, _ := d.evaluate(spreadOf(d.decorator.Operands[i]))
			entries, _ := value.(eval.Dict)
			for _, e := range entries {
				if keyword, ok := e.Key.(string); ok {
					keywords = append(keywords, keyword)
				}
			}
		case name != "" && name != "*":
			keywords = append(keywords, name)
		}
	}
	return keywords
}

// spreadOf returns what stands behind ** or *.
func spreadOf(operand *syntax.Expr) *syntax.Expr {
	if operand.Kind == syntax.Starred && len(operand.Operands) == 1 {
		return operand.Operands[0]
	}
	return operand
}

// takes reports whether the form has a keyword.
func (f *form) takes(keyword string) bool { return slices.Contains(f.keywords, keyword) }

// object returns the Python object reference, such as tools.image:image_caption.
func (d *declaration) object() string { return d.module.Name + ":" + d.function.Name }

// find notes a finding about the function.
func (d *declaration) find(rule string, at finding.Position, format string, args ...any) {
	d.findings = append(d.findings, finding.New(rule, d.module.Path, at, d.object(), format, args...))
}

// refuse notes a finding for which there is no task.
func (d *declaration) refuse(rule string, at finding.Position, format string, args ...any) {
	d.refused = true
	d.find(rule, at, format, args...)
}

// check reads everything, and reports whether there is a task.
func (d *declaration) check() bool {
	if !imports.Importable(d.module.Path) {
		advice := "rename what is no Python name in it"
		if d.storeys.hasRootFlag {
			advice += ", or give another --package-root"
		}
		d.refuse(finding.NotATask, d.function.At, "%s is no task: Python cannot import its file by the name %s: %s", d.function.Name, d.module.Name, advice)
		return false
	}
	if why := unfit(d.function); why != "" {
		d.refuse(finding.NotATask, d.function.At, "%s is no task: %s", d.function.Name, why)
		return false
	}
	if !d.checkCalls() {
		return false
	}
	d.readArguments()
	if !d.refused {
		d.form.read(d)
	}
	if !d.refused {
		d.readRun()
		d.readDeprecated()
		d.compareParameters()
	}
	return !d.refused
}

// checkCalls reports whether the decorator is called as often as it must be before it gets the function.
func (d *declaration) checkCalls() bool {
	calls, name := 0, d.applied.Callee().Dotted()
	switch {
	case d.made != nil && d.made.unclear:
		d.refuse(finding.NotStaticallyKnown, d.applied.At, "not statically known: which of the decorators that it may be %s is; without that there is no task: "+
			"write Maze's decorator at the function", name)
		return false
	case d.made != nil:
		calls = d.made.calls
	case d.decorator.Kind == syntax.Call:
		calls = 1
	}
	switch {
	case calls > 1:
		d.refuse(finding.WrongArgument, d.applied.At, "%s has got its arguments already where it is made, and takes the function now, so Python would run "+
			"nothing of the file: write @%[1]s", name)
		return false
	case calls == 0 && (d.form.mustBeCalled || d.made != nil && d.form.positional > 0):
		d.refuse(finding.WrongArgument, d.applied.At, "@%s takes its arguments before the function: write @%[1]s()", name)
		return false
	default:
		return true
	}
}

// unfit returns why no executor can call a function as a task, and what to do. It is empty if one can.
func unfit(f *syntax.Function) string {
	switch {
	case f.IsClass:
		return "it is a class, and Maze calls functions: decorate a function that makes the object and calls it"
	case f.Within != "":
		return "it is part of " + f.Within + ", where Maze does not find it: move it to the top level of the module"
	default:
		return ""
	}
}

// isKnown reports whether a keyword was given with a value that is known and not None.
func (d *declaration) isKnown(keyword string) bool {
	a, given := d.arguments[keyword]
	return given && a.why == nil && a.value != nil
}

// text returns the text of a keyword. It is empty without one.
func (d *declaration) text(keyword string) string {
	if !d.isKnown(keyword) {
		return ""
	}
	text, ok := d.arguments[keyword].value.(string)
	if !ok {
		d.wrong(keyword, "a string")
	}
	return text
}

// wrong notes that a keyword has a value of a wrong kind. The field is left out.
func (d *declaration) wrong(keyword, wanted string) {
	d.find(finding.WrongArgument, d.arguments[keyword].at, "%s takes %s, and gets %s; it is left out", keyword, wanted, eval.KindOf(d.arguments[keyword].value))
}

// task returns what was read.
func (d *declaration) task() Task {
	f := d.function
	d.spec.EntryPoint = d.object()
	d.spec.Source = &v1alpha1.Source{Path: d.module.Path, Line: int32(f.At.Line), Digest: f.Digest}
	return Task{Spec: d.spec, File: d.module.Path, Position: f.At, Function: d.object()}
}
