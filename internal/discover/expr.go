package discover

import (
	"math/big"
	"strconv"
	"strings"

	"github.com/maze-agent/maregister/internal/discover/python"
	"github.com/maze-agent/maregister/internal/finding"
)

// exprKind says what an expr is.
type exprKind int

const (
	// exprOther is what cannot be evaluated; text says what it is, such as "a comprehension".
	exprOther exprKind = iota
	// exprConstant has a value: nil, a bool, a *big.Int, a float64, a string, or bytes.
	exprConstant
	// exprName is a name, in text.
	exprName
	// exprAttribute is text of the one operand.
	exprAttribute
	// exprCall calls the first operand with the others.
	exprCall
	exprList
	exprTuple
	exprSet
	// exprDict has a key for each operand. A key that is nil stands for **.
	exprDict
	// exprUnary and exprBinary apply the operator that is in text.
	exprUnary
	exprBinary
	// exprText joins its operands, as an f-string does.
	exprText
	// exprSubscript is the first operand at the others.
	exprSubscript
	// exprStarred is *operand, or **operand of a call.
	exprStarred
)

// expr is an expression.
type expr struct {
	kind     exprKind
	at       finding.Position
	text     string
	value    any
	operands []*expr
	keys     []*expr
	// names are those of a call's keyword arguments, by operand: empty for others.
	names []string
}

type bytesLiteral string

// maxDepth is how deep expressions may be nested: each link of a chain such as a + b + c is a level. CPython stops at 200 brackets.
const maxDepth = 500

// reader makes expressions of nodes.
type reader struct {
	places *places
	depth  int
}

// exprReader reads a kind of node. It may fill in the expression, whose place is known.
type exprReader func(r *reader, n python.Node, e *expr)

var exprReaders map[string]exprReader

func init() { //nolint:gochecknoinits // the readers need each other
	exprReaders = map[string]exprReader{
		"identifier":               func(_ *reader, n python.Node, e *expr) { e.kind, e.text = exprName, n.Text() },
		"none":                     func(_ *reader, _ python.Node, e *expr) { e.kind = exprConstant },
		"true":                     func(_ *reader, _ python.Node, e *expr) { e.kind, e.value = exprConstant, true },
		"false":                    func(_ *reader, _ python.Node, e *expr) { e.kind, e.value = exprConstant, false },
		"ellipsis":                 func(_ *reader, _ python.Node, e *expr) { e.kind, e.text = exprName, "..." },
		"integer":                  readInteger,
		"float":                    readFloat,
		"string":                   readString,
		"concatenated_string":      func(r *reader, n python.Node, e *expr) { e.kind, e.operands = exprText, r.all(n.Children()) },
		"parenthesized_expression": readInner,
		"type":                     readInner,
		"list":                     func(r *reader, n python.Node, e *expr) { e.kind, e.operands = exprList, r.all(n.Children()) },
		"tuple":                    func(r *reader, n python.Node, e *expr) { e.kind, e.operands = exprTuple, r.all(n.Children()) },
		"expression_list":          func(r *reader, n python.Node, e *expr) { e.kind, e.operands = exprTuple, r.all(n.Children()) },
		"set":                      func(r *reader, n python.Node, e *expr) { e.kind, e.operands = exprSet, r.all(n.Children()) },
		"list_splat":               readStarred,
		"dictionary_splat":         readStarred,
		"dictionary":               readDict,
		"attribute":                readAttribute,
		"member_type":              readMemberType,
		"call":                     readCall,
		"subscript":                readSubscript,
		"generic_type":             readGenericType,
		"unary_operator":           readUnary,
		"not_operator":             readUnary,
		"binary_operator":          readBinary,
		"union_type":               readUnionType,
	}
}

// others names what is not evaluated, for messages.
var others = map[string]string{
	"lambda": "a lambda", "conditional_expression": "a conditional expression", "boolean_operator": "a boolean expression",
	"comparison_operator": "a comparison", "list_comprehension": "a comprehension", "dictionary_comprehension": "a comprehension",
	"set_comprehension": "a comprehension", "generator_expression": "a generator expression", "await": "an await",
	"named_expression": "an assignment expression", "interpolation": "a part of an f-string with a conversion or a format",
}

func (r *reader) expr(n python.Node) *expr {
	e := &expr{at: r.places.at(n.Start), text: "this"}
	if name, ok := others[n.Kind]; ok {
		e.text = name
	}
	if r.depth++; r.depth > maxDepth {
		e.text = "an expression nested too deeply"
	} else if read := exprReaders[n.Kind]; read != nil {
		read(r, n, e)
	}
	r.depth--
	return e
}

func (r *reader) all(nodes []python.Node) []*expr {
	out := make([]*expr, len(nodes))
	for i, n := range nodes {
		out[i] = r.expr(n)
	}
	return out
}

// readInner reads what is in parentheses, keeping the place.
func readInner(r *reader, n python.Node, e *expr) {
	if inner := n.Children(); len(inner) == 1 {
		*e = *r.expr(inner[0])
	}
}

// maxDigits bounds integers. Python itself reads no more than 4300 digits.
const maxDigits = 400

func readInteger(_ *reader, n python.Node, e *expr) {
	text := strings.ToLower(strings.ReplaceAll(n.Text(), "_", ""))
	e.text = "the number " + n.Text()
	if len(text) > maxDigits {
		e.text = "a number of so many digits"
		return
	}
	if text != "0" && strings.Trim(text, "0") == "" {
		text = "0"
	}
	if len(text) > 1 && text[0] == '0' && text[1] >= '0' && text[1] <= '9' {
		return // as Python 2 has it
	}
	if value, ok := new(big.Int).SetString(text, 0); ok {
		e.kind, e.value = exprConstant, value
	}
}

func readFloat(_ *reader, n python.Node, e *expr) {
	e.text = "the number " + n.Text()
	if value, err := strconv.ParseFloat(strings.ReplaceAll(n.Text(), "_", ""), 64); err == nil {
		e.kind, e.value = exprConstant, value
	}
}

func readStarred(r *reader, n python.Node, e *expr) {
	e.kind, e.operands = exprStarred, r.all(n.Children())
}

func readDict(r *reader, n python.Node, e *expr) {
	e.kind = exprDict
	for _, child := range n.Children() {
		switch parts := child.Children(); {
		case child.Kind == "pair" && len(parts) == 2:
			e.keys = append(e.keys, r.expr(parts[0]))
			e.operands = append(e.operands, r.expr(parts[1]))
		case child.Kind == "dictionary_splat" && len(parts) == 1:
			e.keys = append(e.keys, nil)
			e.operands = append(e.operands, r.expr(parts[0]))
		default:
			e.kind, e.text = exprOther, "this"
			return
		}
	}
}

func readAttribute(r *reader, n python.Node, e *expr) {
	children := n.All()
	e.kind, e.text = exprAttribute, python.Child(children, "attribute").Text()
	e.operands = []*expr{r.expr(python.Child(children, "object"))}
}

// readMemberType reads an attribute where a type is expected.
func readMemberType(r *reader, n python.Node, e *expr) {
	if parts := n.Children(); len(parts) == 2 {
		e.kind, e.text, e.operands = exprAttribute, parts[1].Text(), []*expr{r.expr(parts[0])}
	}
}

func readCall(r *reader, n python.Node, e *expr) {
	children := n.All()
	function, arguments := python.Child(children, "function"), python.Child(children, "arguments")
	e.kind, e.text = exprCall, "a call"
	e.operands, e.names = []*expr{r.expr(function)}, []string{""}
	if arguments.Kind != "argument_list" {
		e.operands, e.names = append(e.operands, r.expr(arguments)), append(e.names, "")
		return
	}
	for _, argument := range arguments.Children() {
		name, value := "", argument
		switch argument.Kind {
		case "keyword_argument":
			name, value = argument.Child("name").Text(), argument.Child("value")
		case "dictionary_splat":
			name = "**"
		case "list_splat":
			name = "*"
		}
		e.operands, e.names = append(e.operands, r.expr(value)), append(e.names, name)
	}
}

func readSubscript(r *reader, n python.Node, e *expr) {
	e.kind = exprSubscript
	e.operands = r.all(n.Children())
	if len(e.operands) == 2 && e.operands[1].kind == exprTuple {
		e.operands = append(e.operands[:1], e.operands[1].operands...)
	}
}

// readGenericType reads a subscript where a type is expected.
func readGenericType(r *reader, n python.Node, e *expr) {
	children := n.Children()
	if len(children) == 2 && children[1].Kind == "type_parameter" {
		e.kind, e.operands = exprSubscript, append([]*expr{r.expr(children[0])}, r.all(children[1].Children())...)
	}
}

func readUnary(r *reader, n python.Node, e *expr) {
	children := n.All()
	if len(children) < 2 {
		return
	}
	e.kind, e.text, e.operands = exprUnary, children[0].Text(), []*expr{r.expr(python.Child(children, "argument"))}
}

func readBinary(r *reader, n python.Node, e *expr) {
	children := n.All()
	e.kind, e.text = exprBinary, python.Child(children, "operator").Text()
	e.operands = []*expr{r.expr(python.Child(children, "left")), r.expr(python.Child(children, "right"))}
}

func readUnionType(r *reader, n python.Node, e *expr) {
	if parts := n.Children(); len(parts) == 2 {
		e.kind, e.text, e.operands = exprBinary, "|", r.all(parts)
	}
}
