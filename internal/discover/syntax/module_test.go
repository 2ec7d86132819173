package syntax_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/maze-agent/maregister/internal/discover/syntax"
	"github.com/maze-agent/maregister/internal/finding"
)

func parse(source string) *syntax.Module {
	all := func(*syntax.Module, *syntax.Expr) bool { return true }
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
	for source, want := range map[string]syntax.Function{
		"@d\ndef f():\n  return {'a': 1, 'b': 2}\n":   {Returned: syntax.Returned{Keys: []string{"a", "b"}}},
		"@d\ndef f(): pass\n":                         {Returned: syntax.Returned{Unclear: syntax.ReturnsNothing, At: at(1, 1)}},
		"@d\ndef f():\n  return\n":                    {Returned: syntax.Returned{Unclear: syntax.ReturnsNothingHere, At: at(3, 3)}},
		"@d\ndef f():\n  return 1\n":                  {Returned: syntax.Returned{Keys: []string{}, Unclear: syntax.ReturnsNoDict, At: at(3, 10)}},
		"@d\ndef f():\n  return {1: 1}\n":             {Returned: syntax.Returned{Keys: []string{}, Unclear: syntax.ReturnsOtherKey, At: at(3, 10)}},
		"@d\nasync def f():\n  return {}\n":           {IsAsync: true, Returned: syntax.Returned{Keys: []string{}}},
		"class C:\n  @d\n  def f():\n    return {}\n": {Within: "the class C", Returned: syntax.Returned{Keys: []string{}}},
		"@d\nclass f: pass\n":                         {IsClass: true, Returned: syntax.Returned{Unclear: syntax.ReturnsNothing, At: at(1, 1)}},
	} {
		f := parse(source).Functions[0]
		got := syntax.Function{IsClass: f.IsClass, IsAsync: f.IsAsync, Within: f.Within, Returned: f.Returned}
		if diff := cmp.Diff(want, got); diff != "" || f.Name != "f" {
			t.Errorf("%q (-want +got):\n%s", source, diff)
		}
	}
}
