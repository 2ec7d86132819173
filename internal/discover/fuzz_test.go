package discover

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
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
	parser := NewParser(nil)
	const other = "from maze import task\n\n@task\ndef good(a: int):\n    return {\"b\": a}\n"
	wantOther := linked(NewParser(nil), []byte(other))
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
	return Link([]*Module{m}, Options{Load: func(name string) *Module { return map[string]*Module{"a": m}[name] }})
}
