// Package mazecode looks at the Python code that the nodes of a workflow bring along for Maze. It is apart from package dag, so that
// what checks workflows without code compiles no grammar of Python.
package mazecode

import (
	"errors"

	"github.com/maze-agent/maregister/internal/discover/python"
)

const (
	// maxCode and maxCodes bound, in bytes, the code of a node and of a workflow that is looked at. Equal code counts once.
	maxCode  = 128 << 10
	maxCodes = 2 << 20
)

// Reader looks at the code of one workflow as Maze's Runner does, which runs all imports, and then the first function. The zero
// value is ready for use. It is a dag.CodeReader.
type Reader struct {
	parser *python.Parser
	// seen is how much code was looked at, in bytes, and known has what was found, by the name of the function and the code.
	seen  int
	known map[[2]string]string
}

// Fault returns why code surely fails in Maze. Empty if it need not, or if there is too much of it. wanted is the name of the
// function that is meant.
func (r *Reader) Fault(source, wanted string) string {
	key := [2]string{wanted, source}
	fault, ok := r.known[key]
	if ok || len(source) > maxCode || r.seen+len(source) > maxCodes {
		return fault
	}
	if r.parser == nil {
		r.parser, r.known = python.NewParser(), map[[2]string]string{}
	}
	r.seen += len(source)
	err := r.parser.Read([]byte(source), func(t *python.Tree) { fault = readModule(t.Root()).fault(wanted) })
	if _, ok := errors.AsType[*python.SyntaxError](err); ok {
		fault = "the code is no Python; Maze compiles it when the node runs"
	}
	r.known[key] = fault
	return fault
}
