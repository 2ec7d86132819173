package discover

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// FuzzParse: no source ends the program, finds tasks or findings outside of it, or changes what the same parser makes of another.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"", "\ufeff@task\ndef f(a: int = 1): return {'b': 1}\n", "# coding: latin-1\nx = '\xe9'\n", "\xff\xfe@\x00", "print 'x'\n", "@a\nclass B: 1",
		"from maze import task as t\n@t(name='x' f'{1}', resources={**{}, 'type': 'gpu'})\nasync def f(*a, b, **c) -> Optional['int']: return {}\n",
		"class A(TypedDict):\n\ta: 'list[A]'\n@maze.gpu(gpu_mem=1 << 3)\ndef f(x: A): ...\n", "if 1:\n  x\n y\n", "x = \"\"\"\n@task\n", "((((\n\\\n",
		"global a, b\nmatch x:\n case {'a': 1}: pass\nexcept* E:\n`a`\n", "def f():\n  '''d\n\nArgs:\n  a: b\n'''\n",
	} {
		f.Add([]byte(seed))
	}
	parser := NewParser()
	const other = "from maze import task\n\n@task\ndef good(a: int):\n    return {\"b\": a}\n"
	wantOther := linked(NewParser(), []byte(other))
	f.Fuzz(func(t *testing.T, source []byte) {
		result := linked(parser, source)
		lines := 1 + strings.Count(strings.ReplaceAll(string(source), "\r", "\n"), "\n")
		for _, one := range result.Findings {
			if one.Message == "" || !utf8.ValidString(one.Message) || one.Position.Line < 0 || one.Position.Line > lines {
				t.Errorf("of %d lines: %+v", lines, one)
			}
		}
		for _, task := range result.Tasks {
			if task.Spec.Name == "" || task.Position.Line < 1 || task.Position.Line > lines || !utf8.ValidString(task.Spec.Description) {
				t.Errorf("of %d lines: %+v", lines, task)
			}
		}
		if diff := cmp.Diff(result, linked(parser, source)); diff != "" {
			t.Errorf("the second time is another (-first +second):\n%s", diff)
		}
		if diff := cmp.Diff(wantOther, linked(parser, []byte(other))); diff != "" {
			t.Errorf("the next file suffers (-want +got):\n%s", diff)
		}
	})
}

func linked(parser *Parser, source []byte) Result {
	m := parser.Parse("a.py", "a", source)
	return Link([]*Module{m}, func(name string) *Module { return map[string]*Module{"a": m}[name] })
}

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
	parser := NewParser()
	f.Fuzz(func(t *testing.T, expression string) {
		value, ok := evaluated(parser, expression)
		if !ok {
			return
		}
		text, size := python3(value)
		if size > maxSteps+textStep*maxSteps {
			t.Fatalf("a value of size %d", size)
		}
		if again, ok := evaluated(parser, text); !ok && size < 1000 || ok && !cmp.Equal(value, again, cmpopts.EquateEmpty(), cmpopts.EquateNaNs(), equalInts, cmp.AllowUnexported(entry{})) {
			t.Errorf("%s is %#v (%s), and that is %#v, %t", expression, value, text, again, ok)
		}
	})
}

var equalInts = cmp.Comparer(func(a, b *big.Int) bool { return a.Cmp(b) == 0 })

// evaluated gives what x is bound to by "x = " and a text.
func evaluated(parser *Parser, text string) (any, bool) {
	m := parser.Parse("a.py", "a", []byte("x = "+text))
	if m.Broken() {
		return nil, false
	}
	v := evaluator{resolver: resolver{load: func(string) *Module { return nil }, library: mazeRoots}, constants: mazeConstants}
	value, why := v.evaluate(m, &expr{kind: exprName, text: "x"})
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
	case list:
		return "[" + all(value) + "]", size
	case tuple:
		return "(" + all(value) + ")", size
	case dict:
		var out strings.Builder
		for _, e := range value {
			out.WriteString(strings.TrimSuffix(all([]any{e.key}), ",") + ":" + all([]any{e.value}))
		}
		return "{" + out.String() + "}", size
	case bytesLiteral:
		return string(value), len(value)
	case pyType:
		return string(value), 1
	default:
		text, _ := textOf(value)
		return text, 1
	}
}
