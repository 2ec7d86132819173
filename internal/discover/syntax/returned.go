package syntax

import (
	"bytes"
	"slices"
	"strings"

	"github.com/maze-agent/maregister/internal/discover/python"
	"github.com/maze-agent/maregister/internal/finding"
)

// Returned is what the return statements of a function come to.
type Returned struct {
	// Keys are those of the dict literals that are returned, each once.
	Keys []string
	// Unclear is the first reason for which Maze's own decorator refuses the function, as it reads these keys, too.
	Unclear Obstacle
	// Strict is the first reason for which the one of Ascend-Maze does: there, each way through the function has to end with the same keys.
	Strict Obstacle
	// Bare is where a return statement has no value. The zero value is for none.
	Bare finding.Position
}

// Obstacle is a reason for which outputs are not known, and where it is.
type Obstacle struct {
	Reason Unclear
	At     finding.Position
}

// Unclear is a reason for which the keys of what a function returns are not known.
type Unclear int

const (
	// Clear is no reason: each return statement has a dict literal whose keys are string literals.
	Clear Unclear = iota
	// ReturnsNothing is for a function that returns no dict, or only empty ones.
	ReturnsNothing
	// ReturnsNothingHere is for a return statement without a value.
	ReturnsNothingHere
	// ReturnsNoDict is for a value that is no dict literal.
	ReturnsNoDict
	// ReturnsOtherKey is for a key that is no string literal.
	ReturnsOtherKey
	// ReturnsKeyTwice is for a dict literal with a key twice.
	ReturnsKeyTwice
	// ReturnsOthers is for a dict literal with other keys than an earlier one.
	ReturnsOthers
	// MayEnd is for a way through the function that ends without a return statement.
	MayEnd
	// Yields is for a generator.
	Yields
)

// set notes the reason, unless there is one already.
func (o *Obstacle) set(reason Unclear, at finding.Position) {
	if o.Reason == Clear {
		*o = Obstacle{reason, at}
	}
}

// returned reads what a function returns.
func (s *scanner) returned(f *Function, body python.Node) {
	r := &f.Returned
	if at, ok := s.yields(body); ok {
		r.Unclear.set(Yields, at)
		r.Strict.set(Yields, at)
		return
	}
	s.returns(r, body)
	if len(r.Keys) == 0 {
		r.Unclear.set(ReturnsNothing, f.At)
	}
	strict := strictReader{scanner: s, found: &r.Strict}
	switch ends := strict.block(body); {
	case ends:
		r.Strict.set(MayEnd, f.At)
	case !strict.any:
		r.Strict.set(ReturnsNothing, f.At)
	}
}

// within holds the kinds of nodes with code that does not run as a part of the function around it.
var within = []string{"function_definition", "class_definition", "decorated_definition", "lambda"}

// yields returns where a function yields, which makes it a generator. It looks only where the word is.
func (s *scanner) yields(n python.Node) (finding.Position, bool) {
	if s.depth++; s.depth <= MaxDepth && bytes.Contains(n.Bytes(), []byte("yield")) {
		for _, child := range n.Children() {
			if child.Kind == "yield" {
				s.depth--
				return s.reader.positions.At(child.Start), true
			}
			if slices.Contains(within, child.Kind) || strings.HasPrefix(child.Kind, "string") {
				continue
			}
			if at, ok := s.yields(child); ok {
				s.depth--
				return at, true
			}
		}
	}
	s.depth--
	return finding.Position{}, false
}

// returns notes the keys of each return statement, but for those of functions within.
func (s *scanner) returns(r *Returned, n python.Node) {
	if s.depth++; s.depth <= MaxDepth {
		for _, child := range n.Children() {
			switch {
			case child.Kind == "return_statement":
				s.keys(r, child)
			case slices.Contains(within, child.Kind), child.Kind == "expression_statement",
				child.Kind == "import_statement", child.Kind == "import_from_statement": // which hold no return
			default:
				s.returns(r, child)
			}
		}
	}
	s.depth--
}

// keys notes the keys of what a return statement returns.
func (s *scanner) keys(r *Returned, statement python.Node) {
	keys, o := s.keysOf(statement)
	if o.Reason == ReturnsNothingHere {
		r.Bare = o.At
		return
	}
	r.Unclear.set(o.Reason, o.At)
	for _, key := range keys {
		if !slices.Contains(r.Keys, key) {
			r.Keys = append(r.Keys, key)
		}
	}
}

// maxKeys is how many keys of a dict are looked at.
const maxKeys = 2000

// keysOf returns the keys of the dict literal that a return statement returns, or why they are not known.
func (s *scanner) keysOf(statement python.Node) ([]string, Obstacle) {
	value := base(statement)
	for value.Kind == "parenthesized_expression" {
		value = base(value)
	}
	at := s.reader.positions.At(statement.Start)
	if value.IsZero() {
		return nil, Obstacle{ReturnsNothingHere, at}
	}
	at = s.reader.positions.At(value.Start)
	if value.Kind != "dictionary" {
		return nil, Obstacle{ReturnsNoDict, at}
	}
	keys := []string{}
	for _, pair := range value.Children() {
		text, ok := s.keyOf(pair)
		if !ok || len(keys) == maxKeys {
			return nil, Obstacle{ReturnsOtherKey, at}
		}
		keys = append(keys, text)
	}
	return keys, Obstacle{}
}

// keyOf returns the key of a pair, if that is a string literal. An f-string is none, whatever is in it.
func (s *scanner) keyOf(pair python.Node) (string, bool) {
	if pair.Kind != "pair" {
		return "", false
	}
	key := pair.Child("key")
	literals := []python.Node{key}
	if key.Kind == "concatenated_string" {
		literals = key.Children()
	}
	for _, literal := range literals {
		if literal.Kind != "string" || strings.ContainsAny(base(literal).Text(), "fF") {
			return "", false
		}
	}
	return ConstantText(s.reader.expr(key))
}

// strictReader follows the ways through a function, as Ascend-Maze's decorator does.
type strictReader struct {
	*scanner
	found *Obstacle
	// keys are those of the first return statement, sorted. any reports whether there was one.
	keys []string
	any  bool
}

// block reports whether the code goes on behind a block.
func (r *strictReader) block(n python.Node) bool {
	if r.depth >= MaxDepth {
		return true
	}
	r.depth++
	defer func() { r.depth-- }()
	for _, statement := range n.Children() {
		if !r.statement(statement) {
			return false
		}
	}
	return true
}

// statement reports whether the code goes on behind a statement.
func (r *strictReader) statement(n python.Node) bool {
	switch n.Kind {
	case "return_statement":
		r.result(n)
		return false
	case "raise_statement", "break_statement", "continue_statement":
		return false
	case "if_statement":
		return r.branches(n, "else_clause")
	case "match_statement":
		return r.cases(n)
	case "for_statement", "while_statement":
		r.block(n.Child("body"))
		for _, clause := range clauses(n, "else_clause") {
			r.block(bodyOf(clause))
		}
		return true
	case "with_statement":
		return r.block(n.Child("body"))
	case "try_statement":
		return r.try(n)
	default:
		return true
	}
}

// result notes what a return statement returns.
func (r *strictReader) result(n python.Node) {
	keys, o := r.keysOf(n)
	if o.Reason != Clear {
		r.found.set(o.Reason, o.At)
		return
	}
	at := r.reader.positions.At(n.Start)
	slices.Sort(keys)
	if len(slices.Compact(slices.Clone(keys))) != len(keys) {
		r.found.set(ReturnsKeyTwice, at)
	}
	if r.any && !slices.Equal(keys, r.keys) {
		r.found.set(ReturnsOthers, at)
	}
	if !r.any {
		r.keys, r.any = keys, true
	}
}

// branches reports whether the code goes on behind one of the branches, or past them all where the last clause is missing.
func (r *strictReader) branches(n python.Node, last string) bool {
	goesOn := r.block(n.Child("consequence"))
	complete := false
	for _, child := range n.Children() {
		if strings.HasSuffix(child.Kind, "_clause") {
			complete = complete || child.Kind == last
			goesOn = r.block(bodyOf(child)) || goesOn
		}
	}
	return goesOn || !complete
}

// cases reports whether the code goes on behind one of the cases, or past them all where none is case _.
func (r *strictReader) cases(n python.Node) bool {
	goesOn, complete := false, false
	for _, clause := range slices.Concat(clauses(n, "case_clause"), clauses(n.Child("body"), "case_clause")) {
		children := clause.Children()
		isAny := len(children) == 2 && strings.TrimSpace(children[0].Text()) == "_"
		complete = complete || isAny
		goesOn = r.block(clause.Child("consequence")) || goesOn
	}
	return goesOn || !complete
}

// try reports whether the code goes on behind a try statement.
func (r *strictReader) try(n python.Node) bool {
	goesOn := r.block(n.Child("body"))
	for _, child := range n.Children() {
		switch {
		case child.Kind == "else_clause":
			goesOn = goesOn && r.block(bodyOf(child))
		case child.Kind == "finally_clause":
			goesOn = r.block(bodyOf(child)) && goesOn
		case strings.HasSuffix(child.Kind, "_clause"):
			goesOn = r.block(bodyOf(child)) || goesOn
		}
	}
	return goesOn
}

// clauses returns the children of a kind.
func clauses(n python.Node, kind string) []python.Node {
	return slices.DeleteFunc(n.Children(), func(child python.Node) bool { return child.Kind != kind })
}

// bodyOf returns the block of a clause: the last child.
func bodyOf(clause python.Node) python.Node {
	children := clause.Children()
	if len(children) == 0 || children[len(children)-1].Kind != "block" {
		return python.Node{}
	}
	return children[len(children)-1]
}
