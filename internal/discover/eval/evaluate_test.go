package eval

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/maze-agent/maregister/internal/discover/imports"
	"github.com/maze-agent/maregister/internal/discover/syntax"
)

// FuzzEvaluate: no expression ends the program or becomes a value out of bounds, and the value of what is written as Python's
// constants is that value again.
func FuzzEvaluate(f *testing.F) {
	for _, seed := range []string{
		"1 + 2 * 3 ** 4 // 5 % 6 - ~7", "-1 >> 1 | 2 & 3 ^ 4", "1.5e300 * 1e300 / 3", "0x_ff + 0b1 + 0o7 + 1_000", "'a' 'b' + 'c' * 3", "'%s' % 1", "f'{1}{2!r:>3}{{}}'",
		"[1, *[2, (3,)], *()]", "{'a': 1, **{'b': 2, 'a': 3}, 'c': [None, True, ...]}", "{'a': {'b': [1]}}['a']['b'][-1]", "y\ny = [str, int, float]",
		"r'\\n' b'x' '\\N{DASH} \\u00e9 \\x41 \\101 \\\n'", "not 1 and 2 or 3 if 4 else 5", "1 < 2", "'\\ud800'", "x", "9 ** 9 ** 9", "'x' * 10 ** 9", "TYPE_FILEPATH",
		"1e999 - 1e999", "-0.0", "1j", "0 ** -1", "5 % -3.5", "(1, 2) + (3,) * 2", "y * 2\ny = z * 999\nz = 'a' * 999",
	} {
		f.Add(seed)
	}
	parser := syntax.NewParser(func(*syntax.Module, *syntax.Function, *syntax.Expr) bool { return true })
	f.Fuzz(func(t *testing.T, expression string) {
		value, ok := evaluated(parser, expression)
		if !ok {
			return
		}
		text, size := python3(value)
		if size > maxSteps+textStep*maxSteps {
			t.Fatalf("a value of size %d", size)
		}
		if again, ok := evaluated(parser, text); !ok && size < 1000 || ok && !cmp.Equal(value, again, cmpopts.EquateEmpty(), cmpopts.EquateNaNs(), equalInts, cmp.AllowUnexported(Entry{})) {
			t.Errorf("%s is %#v (%s), and that is %#v, %t", expression, value, text, again, ok)
		}
	})
}

var equalInts = cmp.Comparer(func(a, b *big.Int) bool { return a.Cmp(b) == 0 })

// evaluated returns what x is bound to by "x = " and a text.
func evaluated(parser *syntax.Parser, text string) (any, bool) {
	m := parser.Parse("a.py", "a", []byte("x = "+text))
	if m.Problem != nil {
		return nil, false
	}
	v := Evaluator{
		Resolver:  imports.Resolver{Load: func(string) *syntax.Module { return nil }, Library: []string{"maze"}},
		Constants: map[string]string{"TYPE_FILEPATH": "filepath", "TYPE_FOLDERPATH": "folderpath"},
	}
	value, why := v.Evaluate(m, &syntax.Expr{Kind: syntax.Name, Text: "x"})
	return value, why == nil
}

// python3 writes a value as an expression of constants. The size is its number of values, and of bytes in its texts.
func python3(value any) (text string, size int) {
	size = 1
	all := func(values []any) string {
		var out strings.Builder
		for _, one := range values {
			text, n := python3(one)
			size += n
			out.WriteString(text + ",")
		}
		return out.String()
	}
	switch value := value.(type) {
	case string:
		return strconv.QuoteToASCII(value), len(value) + 1
	case float64:
		return fmt.Sprintf("(%s)", strings.NewReplacer("+Inf", "1e999", "Inf", "1e999", "NaN", "1e999-1e999").Replace(strconv.FormatFloat(value, 'e', -1, 64))), 1
	case *big.Int:
		return "(" + value.String() + ")", 1
	case List:
		return "[" + all(value) + "]", size
	case Tuple:
		return "(" + all(value) + ")", size
	case Dict:
		var out strings.Builder
		for _, e := range value {
			out.WriteString(strings.TrimSuffix(all([]any{e.Key}), ",") + ":" + all([]any{e.Value}))
		}
		return "{" + out.String() + "}", size
	case syntax.Bytes:
		return string(value), len(value)
	case Type:
		return string(value), 1
	default:
		text, _ := textOf(value)
		return text, 1
	}
}
