package devices

import (
	"regexp"
	"slices"

	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
	resourcev1 "k8s.io/api/resource/v1"
	"k8s.io/utils/ptr"
)

// longExponent matches quantities with an exponent of three digits or more. 1e-99999999 takes minutes to read: CEL counts that as little, and
// nothing ends it.
var longExponent = regexp.MustCompile(`^[-+]?[0-9.]*[eE][-+]?[0-9]{3,}$`)

// isLong reports whether a text may take long to be read as a quantity.
func isLong(text string) bool { return longExponent.MatchString(text) }

// quantityUse is how a selector reads texts as quantities.
type quantityUse int

const (
	// shortQuantities is for a selector that reads none, or only those in its own text, which are short.
	shortQuantities quantityUse = iota
	// readQuantities is for one that may read attributes of a device as quantities.
	readQuantities
	// longQuantities is for one that has a long one in its text, or makes the texts that it reads.
	longQuantities
)

// quantitiesOf returns how a selector reads texts as quantities.
func quantitiesOf(tree *ast.AST) quantityUse {
	var reads, fromElsewhere, makesTexts, long bool
	ast.PostOrderVisit(tree.Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		switch e.Kind() {
		case ast.LiteralKind:
			text, ok := e.AsLiteral().Value().(string)
			long = long || ok && isLong(text)
		case ast.CallKind:
			call := e.AsCall()
			switch call.FunctionName() {
			case "quantity", "isQuantity":
				reads = true
				fromElsewhere = fromElsewhere || slices.ContainsFunc(call.Args(), func(a ast.Expr) bool { return a.Kind() != ast.LiteralKind })
			case operators.Index, operators.OptIndex, operators.OptSelect, operators.Conditional, "orValue", "value": // returns a text that there is
			default:
				makesTexts = makesTexts || tree.GetType(e.ID()).IsExactType(types.StringType)
			}
		}
	}))
	switch {
	case reads && (long || fromElsewhere && makesTexts):
		return longQuantities
	case reads && fromElsewhere:
		return readQuantities
	default:
		return shortQuantities
	}
}

// longAttribute returns the name of an attribute that may take long to be read as a quantity, the first by name. It is empty if there is none.
func longAttribute(attributes map[resourcev1.QualifiedName]resourcev1.DeviceAttribute) resourcev1.QualifiedName {
	var long []resourcev1.QualifiedName
	for name, a := range attributes {
		if isLong(ptr.Deref(a.StringValue, "")) || slices.ContainsFunc(a.StringValues, isLong) {
			long = append(long, name)
		}
	}
	if len(long) == 0 {
		return ""
	}
	return slices.Min(long)
}
