package syntax

import (
	"math/big"
	"strconv"
	"strings"

	"github.com/maze-agent/maregister/internal/discover/python"
	"github.com/maze-agent/maregister/internal/finding"
	plaintext "github.com/maze-agent/maregister/internal/text"
)

// Kind is what an expression is.
type Kind int

const (
	// Other is what cannot be evaluated. Text says what it is, such as "a comprehension". Its operands are those of its parts that may be its value.
	Other Kind = iota
	// Constant has a value: nil, a bool, a *big.Int, a float64, a string, or bytes.
	Constant
	// Name is a name, which is in Text.
	Name
	// Attribute is the attribute in Text of the one operand.
	Attribute
	// Call calls the first operand with the others.
	Call
	// List has its items as operands. So have Tuple and Set.
	List
	// Tuple is one with or without parentheses.
	Tuple
	// Set is one in braces.
	Set
	// Dict has a key for each operand. A key that is nil stands for **.
	Dict
	// Unary applies the operator in Text to the one operand.
	Unary
	// Binary applies the operator in Text to two operands.
	Binary
	// Text joins its operands, as an f-string does, or has a string as its value, and no operands.
	Text
	// Subscript is the first operand at the others.
	Subscript
	// Starred is *operand, or **operand of a call.
	Starred
)

// Expr is an expression.
type Expr struct {
	Kind Kind
	At   finding.Position
	// Text and Value are what the kind says.
	Text     string
	Value    any
	Operands []*Expr
	// Keys are those of a dict, by operand.
	Keys []*Expr
	// Names are those of a call's keyword arguments, by operand: empty for others.
	Names []string
}

// Parts returns what a text joins.
func (e *Expr) Parts() []*Expr {
	if e.Value == nil {
		return e.Operands
	}
	return []*Expr{{Kind: Constant, At: e.At, Value: e.Value}}
}

// Callee returns what a call calls, or the expression itself if it is none.
func (e *Expr) Callee() *Expr {
	if e.Kind == Call {
		return e.Operands[0]
	}
	return e
}

// Dotted returns a dotted name such as tools.image for messages, or "a function" for what has no name.
func (e *Expr) Dotted() string {
	switch e.Kind {
	case Name:
		return e.Text
	case Attribute:
		if of := e.Operands[0].Dotted(); of != "a function" {
			return of + "." + e.Text
		}
		return e.Text
	default:
		return "a function"
	}
}

// Bytes is the value of a bytes literal, as it is written.
type Bytes string

// MaxDepth is how deep expressions may be nested: each link of a chain such as a + b + c is a level. CPython stops at 200 brackets.
const MaxDepth = 500

// reader makes expressions of nodes.
type reader struct {
	positions *plaintext.Positions
	depth     int
}

// exprReader reads a kind of node. It may fill in the expression, whose position is known.
type exprReader func(r *reader, n python.Node, e *Expr)

var exprReaders map[string]exprReader

func init() { //nolint:gochecknoinits // the readers need each other
	exprReaders = map[string]exprReader{
		"identifier":               func(_ *reader, n python.Node, e *Expr) { e.Kind, e.Text = Name, n.Text() },
		"none":                     func(_ *reader, _ python.Node, e *Expr) { e.Kind = Constant },
		"true":                     func(_ *reader, _ python.Node, e *Expr) { e.Kind, e.Value = Constant, true },
		"false":                    func(_ *reader, _ python.Node, e *Expr) { e.Kind, e.Value = Constant, false },
		"ellipsis":                 func(_ *reader, _ python.Node, e *Expr) { e.Kind, e.Text = Name, "..." },
		"integer":                  readInteger,
		"float":                    readFloat,
		"string":                   readString,
		"concatenated_string":      func(r *reader, n python.Node, e *Expr) { e.Kind, e.Operands = Text, r.all(n.Children()) },
		"parenthesized_expression": readInner,
		"type":                     readInner,
		"list":                     func(r *reader, n python.Node, e *Expr) { e.Kind, e.Operands = List, r.all(n.Children()) },
		"tuple":                    func(r *reader, n python.Node, e *Expr) { e.Kind, e.Operands = Tuple, r.all(n.Children()) },
		"expression_list":          func(r *reader, n python.Node, e *Expr) { e.Kind, e.Operands = Tuple, r.all(n.Children()) },
		"set":                      func(r *reader, n python.Node, e *Expr) { e.Kind, e.Operands = Set, r.all(n.Children()) },
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
		"lambda":                   readValues,
		"conditional_expression":   readValues,
		"boolean_operator":         readValues,
		"named_expression":         readValues,
	}
}

// others holds what is not evaluated, by kind of node, for messages.
var others = map[string]string{
	"lambda": "a lambda", "conditional_expression": "a conditional expression", "boolean_operator": "a boolean expression",
	"comparison_operator": "a comparison", "list_comprehension": "a comprehension", "dictionary_comprehension": "a comprehension",
	"set_comprehension": "a comprehension", "generator_expression": "a generator expression", "await": "an await",
	"named_expression": "an assignment expression", "interpolation": "a part of an f-string with a conversion or a format",
}

// expr returns the expression of a node. It is Other for what is not evaluated, or nested too deeply.
func (r *reader) expr(n python.Node) *Expr {
	e := &Expr{At: r.positions.At(n.Start), Text: "this"}
	if name, ok := others[n.Kind]; ok {
		e.Text = name
	}
	if r.depth++; r.depth > MaxDepth {
		e.Text = "an expression nested too deeply"
	} else if read := exprReaders[n.Kind]; read != nil {
		read(r, n, e)
	}
	r.depth--
	return e
}

func (r *reader) all(nodes []python.Node) []*Expr {
	out := make([]*Expr, len(nodes))
	for i, n := range nodes {
		out[i] = r.expr(n)
	}
	return out
}

// readInner reads what is in parentheses. The position becomes that of the inside.
func readInner(r *reader, n python.Node, e *Expr) {
	if inner := n.Children(); len(inner) == 1 {
		*e = *r.expr(inner[0])
	}
}

// readValues reads the parts of what cannot be evaluated, of which one may be its value.
func readValues(r *reader, n python.Node, e *Expr) {
	for _, child := range n.Children() {
		if child.Field != "parameters" && child.Field != "name" {
			e.Operands = append(e.Operands, r.expr(child))
		}
	}
}

// maxDigits bounds integers. Python itself reads no more than 4300 digits.
const maxDigits = 400

// readInteger reads an integer as Python 3 does: one such as 012 is none.
func readInteger(_ *reader, n python.Node, e *Expr) {
	text := strings.ToLower(strings.ReplaceAll(n.Text(), "_", ""))
	e.Text = "the number " + n.Text()
	if len(text) > maxDigits {
		e.Text = "a number of so many digits"
		return
	}
	if text != "0" && strings.Trim(text, "0") == "" {
		text = "0"
	}
	if len(text) > 1 && text[0] == '0' && text[1] >= '0' && text[1] <= '9' {
		return // as Python 2 has it
	}
	if value, ok := new(big.Int).SetString(text, 0); ok {
		e.Kind, e.Value = Constant, value
	}
}

func readFloat(_ *reader, n python.Node, e *Expr) {
	e.Text = "the number " + n.Text()
	if value, err := strconv.ParseFloat(strings.ReplaceAll(n.Text(), "_", ""), 64); err == nil {
		e.Kind, e.Value = Constant, value
	}
}

func readStarred(r *reader, n python.Node, e *Expr) {
	e.Kind, e.Operands = Starred, r.all(n.Children())
}

// readDict reads the pairs of a dict literal, those of ** included.
func readDict(r *reader, n python.Node, e *Expr) {
	e.Kind = Dict
	for _, child := range n.Children() {
		switch parts := child.Children(); {
		case child.Kind == "pair" && len(parts) == 2:
			e.Keys = append(e.Keys, r.expr(parts[0]))
			e.Operands = append(e.Operands, r.expr(parts[1]))
		case child.Kind == "dictionary_splat" && len(parts) == 1:
			e.Keys = append(e.Keys, nil)
			e.Operands = append(e.Operands, r.expr(parts[0]))
		default:
			e.Kind, e.Text = Other, "this"
			return
		}
	}
}

func readAttribute(r *reader, n python.Node, e *Expr) {
	children := n.All()
	e.Kind, e.Text = Attribute, python.Child(children, "attribute").Text()
	e.Operands = []*Expr{r.expr(python.Child(children, "object"))}
}

// readMemberType reads an attribute where a type is expected.
func readMemberType(r *reader, n python.Node, e *Expr) {
	if parts := n.Children(); len(parts) == 2 {
		e.Kind, e.Text, e.Operands = Attribute, parts[1].Text(), []*Expr{r.expr(parts[0])}
	}
}

// readCall reads a call. Its arguments are named by their keywords, or * and ** for those that are spread.
func readCall(r *reader, n python.Node, e *Expr) {
	children := n.All()
	function, arguments := python.Child(children, "function"), python.Child(children, "arguments")
	e.Kind, e.Text = Call, "a call"
	e.Operands, e.Names = []*Expr{r.expr(function)}, []string{""}
	if arguments.Kind != "argument_list" {
		e.Operands, e.Names = append(e.Operands, r.expr(arguments)), append(e.Names, "")
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
		e.Operands, e.Names = append(e.Operands, r.expr(value)), append(e.Names, name)
	}
}

func readSubscript(r *reader, n python.Node, e *Expr) {
	e.Kind = Subscript
	e.Operands = r.all(n.Children())
	if len(e.Operands) == 2 && e.Operands[1].Kind == Tuple {
		e.Operands = append(e.Operands[:1], e.Operands[1].Operands...)
	}
}

// readGenericType reads a subscript where a type is expected.
func readGenericType(r *reader, n python.Node, e *Expr) {
	children := n.Children()
	if len(children) == 2 && children[1].Kind == "type_parameter" {
		e.Kind, e.Operands = Subscript, append([]*Expr{r.expr(children[0])}, r.all(children[1].Children())...)
	}
}

func readUnary(r *reader, n python.Node, e *Expr) {
	children := n.All()
	if len(children) < 2 {
		return
	}
	e.Kind, e.Text, e.Operands = Unary, children[0].Text(), []*Expr{r.expr(python.Child(children, "argument"))}
}

func readBinary(r *reader, n python.Node, e *Expr) {
	children := n.All()
	e.Kind, e.Text = Binary, python.Child(children, "operator").Text()
	e.Operands = []*Expr{r.expr(python.Child(children, "left")), r.expr(python.Child(children, "right"))}
}

func readUnionType(r *reader, n python.Node, e *Expr) {
	if parts := n.Children(); len(parts) == 2 {
		e.Kind, e.Text, e.Operands = Binary, "|", r.all(parts)
	}
}
