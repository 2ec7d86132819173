package syntax_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/maze-agent/maregister/internal/discover/syntax"
	"github.com/maze-agent/maregister/internal/finding"
)

func parse(source string) *syntax.Module {
	all := func(*syntax.Module, *syntax.Function, *syntax.Expr) bool { return true }
	return syntax.NewParser(all).Parse("m.py", "m", []byte(source))
}

// TestImport has import statements and the names that they bind.
func TestImport(t *testing.T) {
	for source, want := range map[string]map[string]syntax.Import{
		"import a, b.c":          {"a": {Module: "a"}, "b": {Module: "b.c"}},
		"import a.b as c":        {"c": {Module: "a.b", Alias: "c"}},
		"from a import b":        {"b": {Module: "a", Name: "b"}},
		"from ..a import b as c": {"c": {Module: "..a", Name: "b", Alias: "c"}},
		"from . import (a, b)":   {"a": {Module: ".", Name: "a"}, "b": {Module: ".", Name: "b"}},
	} {
		got := map[string]syntax.Import{}
		for name, bindings := range parse(source).Bindings {
			got[name] = *bindings[0].Imported
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", source, diff)
		}
	}
	if got := parse("from .a import *\nfrom b import *").Wildcards; !cmp.Equal(got, []string{".a", "b"}) {
		t.Errorf("wildcards: %q", got)
	}
}

// TestFunction has decorated functions, and what is known of them.
func TestFunction(t *testing.T) {
	at := func(line, column int) finding.Position { return finding.Position{Line: line, Column: column} }
	nothing := syntax.Obstacle{Reason: syntax.ReturnsNothing, At: at(1, 1)}
	ends := syntax.Obstacle{Reason: syntax.MayEnd, At: at(1, 1)}
	for source, want := range map[string]syntax.Function{
		"@d\ndef f():\n  return {'a': 1, 'b': 2}\n":   {Returned: syntax.Returned{Keys: []string{"a", "b"}}},
		"@d\ndef f(): pass\n":                         {Returned: syntax.Returned{Unclear: nothing, Strict: ends}},
		"@d\nasync def f():\n  return {}\n":           {IsAsync: true, Returned: syntax.Returned{Unclear: nothing}},
		"class C:\n  @d\n  def f():\n    return {}\n": {Within: "the class C", Returned: syntax.Returned{Unclear: syntax.Obstacle{Reason: syntax.ReturnsNothing, At: at(2, 3)}}},
		"@d\nclass f: pass\n":                         {IsClass: true, Returned: syntax.Returned{Unclear: nothing, Strict: ends}},
	} {
		f := parse(source).Functions[0]
		got := syntax.Function{IsClass: f.IsClass, IsAsync: f.IsAsync, Within: f.Within, Returned: f.Returned}
		if diff := cmp.Diff(want, got); diff != "" || f.Name != "f" {
			t.Errorf("%q (-want +got):\n%s", source, diff)
		}
	}
}

// TestReturned has bodies of functions, the keys that they return, and why Maze's decorators refuse them.
func TestReturned(t *testing.T) {
	for name, tc := range map[string]struct {
		body            string
		keys            []string
		unclear, strict syntax.Unclear
		bare            bool
	}{
		"a dict":                    {body: "return {'a': 1}", keys: []string{"a"}},
		"parentheses":               {body: "return (({'a': 1}))", keys: []string{"a"}},
		"texts in a row":            {body: "return {'a' r'b': 1}", keys: []string{"ab"}},
		"an empty dict":             {body: "return {}", unclear: syntax.ReturnsNothing},
		"nothing":                   {body: "pass", unclear: syntax.ReturnsNothing, strict: syntax.MayEnd},
		"an exception":              {body: "raise ValueError", unclear: syntax.ReturnsNothing, strict: syntax.ReturnsNothing},
		"a bare return":             {body: "return", unclear: syntax.ReturnsNothing, strict: syntax.ReturnsNothingHere, bare: true},
		"a bare return beside":      {body: "if x: return\nreturn {'a': 1}", keys: []string{"a"}, strict: syntax.ReturnsNothingHere, bare: true},
		"None":                      {body: "return None", unclear: syntax.ReturnsNoDict, strict: syntax.ReturnsNoDict},
		"a name":                    {body: "x = {'a': 1}\nreturn x", unclear: syntax.ReturnsNoDict, strict: syntax.ReturnsNoDict},
		"a call":                    {body: "return dict(a=1)", unclear: syntax.ReturnsNoDict, strict: syntax.ReturnsNoDict},
		"a comprehension":           {body: "return {k: 1 for k in x}", unclear: syntax.ReturnsNoDict, strict: syntax.ReturnsNoDict},
		"a condition":               {body: "return {'a': 1} if x else {'a': 2}", unclear: syntax.ReturnsNoDict, strict: syntax.ReturnsNoDict},
		"a spread":                  {body: "return {**x, 'a': 1}", unclear: syntax.ReturnsOtherKey, strict: syntax.ReturnsOtherKey},
		"a key that is a name":      {body: "return {K: 1}", unclear: syntax.ReturnsOtherKey, strict: syntax.ReturnsOtherKey},
		"a key that is an f-string": {body: "return {f'a': 1}", unclear: syntax.ReturnsOtherKey, strict: syntax.ReturnsOtherKey},
		"an f-string in a row":      {body: "return {'a' f'b': 1}", unclear: syntax.ReturnsOtherKey, strict: syntax.ReturnsOtherKey},
		"a key of bytes":            {body: "return {b'a': 1}", unclear: syntax.ReturnsOtherKey, strict: syntax.ReturnsOtherKey},
		"a generator":               {body: "yield {'a': 1}", unclear: syntax.Yields, strict: syntax.Yields},
		"a generator that returns":  {body: "for i in x:\n    y = yield i\nreturn {'a': 1}", unclear: syntax.Yields, strict: syntax.Yields},
		"yield from":                {body: "yield from x\nreturn {'a': 1}", unclear: syntax.Yields, strict: syntax.Yields},
		"yield in a text":           {body: "x = 'yield 1'  # yield\nreturn {'yield': f'yield {x}'}", keys: []string{"yield"}},
		"yield within":              {body: "def g(): yield 1\nh = lambda: (yield)\nreturn {'a': [g, h]}", keys: []string{"a"}},
		"returns within":            {body: "def g(): return 1\nclass A:\n    def m(self): return 2\nreturn {'a': 1}", keys: []string{"a"}},

		"both branches":         {body: "if x: return {'a': 1}\nelse: return {'a': 2}", keys: []string{"a"}},
		"one branch":            {body: "if x: return {'a': 1}", keys: []string{"a"}, strict: syntax.MayEnd},
		"elif without else":     {body: "if x: return {'a': 1}\nelif y: return {'a': 1}", keys: []string{"a"}, strict: syntax.MayEnd},
		"elif and else":         {body: "if x: return {'a': 1}\nelif y: raise E\nelse: return {'a': 1}", keys: []string{"a"}},
		"other keys":            {body: "if x: return {'a': 1}\nreturn {'b': 1}", keys: []string{"a", "b"}, strict: syntax.ReturnsOthers},
		"keys in another order": {body: "if x: return {'a': 1, 'b': 2}\nreturn {'b': 1, 'a': 2}", keys: []string{"a", "b"}},
		"a key twice":           {body: "return {'a': 1, 'a': 2}", keys: []string{"a"}, strict: syntax.ReturnsKeyTwice},
		"a loop":                {body: "while True:\n    return {'a': 1}", keys: []string{"a"}, strict: syntax.MayEnd},
		"a loop with else":      {body: "for i in x:\n    pass\nelse:\n    return {'a': 1}", keys: []string{"a"}, strict: syntax.MayEnd},
		"with":                  {body: "with x as y:\n    return {'a': 1}", keys: []string{"a"}},
		"try":                   {body: "try:\n    return {'a': 1}\nexcept E:\n    raise", keys: []string{"a"}},
		"try that goes on":      {body: "try:\n    return {'a': 1}\nexcept E:\n    pass", keys: []string{"a"}, strict: syntax.MayEnd},
		"try with else":         {body: "try:\n    x()\nexcept E:\n    raise\nelse:\n    return {'a': 1}", keys: []string{"a"}},
		"finally":               {body: "try:\n    x()\nfinally:\n    return {'a': 1}", keys: []string{"a"}},
		"all cases":             {body: "match x:\n    case 1: return {'a': 1}\n    case _: return {'a': 2}", keys: []string{"a"}},
		"some cases":            {body: "match x:\n    case 1: return {'a': 1}\n    case y: return {'a': 2}", keys: []string{"a"}, strict: syntax.MayEnd},
		"a case with a guard":   {body: "match x:\n    case _ if y: return {'a': 1}", keys: []string{"a"}, strict: syntax.MayEnd},
		"code behind the end":   {body: "return {'a': 1}\nreturn x()", keys: []string{"a"}, unclear: syntax.ReturnsNoDict},
	} {
		t.Run(name, func(t *testing.T) {
			m := parse("@d\ndef f():\n    " + strings.ReplaceAll(tc.body, "\n", "\n    ") + "\n")
			if m.Problem != nil {
				t.Fatal(m.Problem.Message)
			}
			r := m.Functions[0].Returned
			if r.Unclear.Reason != tc.unclear || r.Strict.Reason != tc.strict || (r.Bare != finding.Position{}) != tc.bare {
				t.Errorf("%+v, want %d, %d, bare: %t", r, tc.unclear, tc.strict, tc.bare)
			}
			if diff := cmp.Diff(tc.keys, r.Keys); diff != "" {
				t.Errorf("keys (-want +got):\n%s", diff)
			}
		})
	}
}
