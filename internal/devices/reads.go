package devices

import (
	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
)

// deviceVariable is what selectors call the device.
const deviceVariable = "device"

// treeOf returns the checked syntax tree of a selector that compiles. It is nil for one that does not.
func treeOf(environment *cel.Env, expression string) *ast.AST {
	compiled, issues := environment.Compile(expression)
	if issues.Err() != nil {
		return nil
	}
	return compiled.NativeRep()
}

// distinguishes reports whether a selector can tell devices apart that differ in nothing but which one they are: it reads an attribute that tells
// it, or it does not say by name what it reads. For others, what it says of one device holds for all of its kind.
func distinguishes(tree *ast.AST) bool {
	named := true
	visit(tree.Expr(), func(attribute string, known bool) { named = named && known && !isIdentity(attribute) })
	return !named
}

// visit calls read for each read of the device: with the name of an attribute or a capacity, and with known false if it is not named.
func visit(e ast.Expr, read func(attribute string, known bool)) {
	if name, ok := named(e); ok {
		read(name, true)
		return
	}
	switch e.Kind() {
	case ast.IdentKind:
		if e.AsIdent() == deviceVariable {
			read("", false)
		}
	case ast.SelectKind:
		visit(e.AsSelect().Operand(), read)
	case ast.CallKind:
		call := e.AsCall()
		if call.IsMemberFunction() {
			visit(call.Target(), read)
		}
		for _, argument := range call.Args() {
			visit(argument, read)
		}
	case ast.ListKind:
		for _, element := range e.AsList().Elements() {
			visit(element, read)
		}
	case ast.MapKind:
		for _, entry := range e.AsMap().Entries() {
			visit(entry.AsMapEntry().Key(), read)
			visit(entry.AsMapEntry().Value(), read)
		}
	case ast.StructKind:
		for _, field := range e.AsStruct().Fields() {
			visit(field.AsStructField().Value(), read)
		}
	case ast.ComprehensionKind:
		c := e.AsComprehension()
		for _, part := range []ast.Expr{c.IterRange(), c.AccuInit(), c.LoopCondition(), c.LoopStep(), c.Result()} {
			visit(part, read)
		}
	case ast.LiteralKind, ast.UnspecifiedExprKind:
	}
}

// named returns what an expression reads of the device, if it is that and names it: device.driver, or device.attributes[DOMAIN].NAME in any of the
// ways to write this.
func named(e ast.Expr) (string, bool) {
	of, name, ok := step(e)
	if !ok {
		return "", false
	}
	if isDevice(of) {
		return "", name == "driver" || name == "allowMultipleAllocations"
	}
	of, _, ok = step(of) // the domain
	if !ok {
		return "", false
	}
	of, field, ok := step(of)
	if !ok || !isDevice(of) {
		return "", false
	}
	if field == "capacity" {
		return "", true // an amount tells no device from another
	}
	return name, field == "attributes"
}

func isDevice(e ast.Expr) bool { return e.Kind() == ast.IdentKind && e.AsIdent() == deviceVariable }

// step takes the last step of a path apart: of.name, of["name"], their optional kinds, has(of.name) and "name" in of.
func step(e ast.Expr) (of ast.Expr, name string, ok bool) {
	if e.Kind() == ast.SelectKind {
		return e.AsSelect().Operand(), e.AsSelect().FieldName(), true
	}
	if e.Kind() != ast.CallKind {
		return nil, "", false
	}
	call := e.AsCall()
	const both = 2
	if len(call.Args()) != both || call.IsMemberFunction() {
		return nil, "", false
	}
	of, key := call.Args()[0], call.Args()[1]
	switch call.FunctionName() {
	case operators.In:
		of, key = key, of
	case operators.Index, operators.OptIndex, operators.OptSelect:
	default:
		return nil, "", false
	}
	if key.Kind() != ast.LiteralKind {
		return nil, "", false
	}
	name, ok = key.AsLiteral().Value().(string)
	return of, name, ok
}
