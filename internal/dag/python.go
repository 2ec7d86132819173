package dag

import (
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/maze-agent/maregister/internal/jsontree"
)

// What Python makes of a value that json.loads has read. Maze's validator converts rather than judges, so its rules are in these.

// isTrue reports whether Python takes a value for true. Nil stands for a key that is not there.
func (d *document) isTrue(v *jsontree.Node) bool {
	if v == nil {
		return false
	}
	switch v.Kind {
	case jsontree.Object, jsontree.Array:
		return len(v.Children) > 0
	case jsontree.Text:
		return d.text(v) != ""
	case jsontree.Number:
		n, _ := strconv.ParseFloat(string(d.raw(v)), 64) // beyond its range it is not zero
		return n != 0
	default:
		return v.Kind == jsontree.True
	}
}

// first returns the first of some members that Python takes for true. Nil if there is none.
func (d *document) first(v *jsontree.Node, names ...string) *jsontree.Node {
	for _, name := range names {
		if child := v.Member(name); d.isTrue(child) {
			return child
		}
	}
	return nil
}

// str returns what Python's str makes of a scalar. Of an object or an array it is their JSON, which is no name of anything either.
func (d *document) str(v *jsontree.Node) string {
	switch {
	case v == nil, v.Kind == jsontree.Null:
		return "None"
	case v.Kind == jsontree.True:
		return "True"
	case v.Kind == jsontree.False:
		return "False"
	case v.Kind == jsontree.Text:
		return d.text(v)
	default:
		return string(d.raw(v))
	}
}

var (
	pythonFloat = regexp.MustCompile(`(?i)^[+-]?(?:(?:\d+(?:_\d+)*\.?(?:\d+(?:_\d+)*)?|\.\d+(?:_\d+)*)(?:e[+-]?\d+(?:_\d+)*)?|inf|infinity|nan)$`)
	pythonInt   = regexp.MustCompile(`^[+-]?\d+(?:_\d+)*$`)
)

// float returns what Python's float makes of a value, and reports whether that raises no error.
func (d *document) float(v *jsontree.Node) (float64, bool) {
	if v == nil {
		return 0, false
	}
	switch v.Kind {
	case jsontree.True:
		return 1, true
	case jsontree.False:
		return 0, true
	case jsontree.Number:
		written := string(d.raw(v))
		n, _ := strconv.ParseFloat(written, 64)
		return n, !math.IsInf(n, 0) || !pythonInt.MatchString(written) // an int beyond the range raises OverflowError, a float is inf
	case jsontree.Text:
		written := strings.TrimSpace(d.text(v))
		if !pythonFloat.MatchString(written) {
			return 0, false
		}
		n, _ := strconv.ParseFloat(strings.ReplaceAll(written, "_", ""), 64)
		return n, true
	default:
		return 0, false
	}
}

// isInt reports whether Python's int raises no error.
func (d *document) isInt(v *jsontree.Node) bool {
	switch v.Kind {
	case jsontree.True, jsontree.False:
		return true
	case jsontree.Number:
		n, ok := d.float(v)
		return !ok || !math.IsInf(n, 0) // an int is one, however large
	case jsontree.Text:
		return pythonInt.MatchString(strings.TrimSpace(d.text(v)))
	default:
		return false
	}
}

// count returns int(float(v)), or a default where that raises TypeError or ValueError. It reports whether nothing else is raised.
func (d *document) count(v *jsontree.Node, otherwise float64) (float64, bool) {
	n, ok := d.float(v)
	switch {
	case !ok && v.Kind == jsontree.Number, math.IsInf(n, 0):
		return 0, false // OverflowError
	case !ok, math.IsNaN(n):
		return otherwise, true
	}
	return math.Trunc(n), true
}
