package annotation_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/maze-agent/maregister/internal/discover/annotation"
	"github.com/maze-agent/maregister/internal/discover/eval"
	"github.com/maze-agent/maregister/internal/discover/syntax"
	"github.com/maze-agent/maregister/internal/finding"
)

// TestParameter has parameters of a function, the schemas that they get, and the rules of what is wrong with them. It needs neither
// other modules nor a declaration.
func TestParameter(t *testing.T) {
	for parameter, want := range map[string]struct {
		schema string
		rules  []string
	}{
		"a":                          {schema: `{}`},
		"a: int":                     {schema: `{"type":"integer"}`},
		"a: int = 1":                 {schema: `{"default":1,"type":"integer"}`},
		"a: int = None":              {schema: `{"anyOf":[{"type":"integer"},{"type":"null"}],"default":null}`},
		"a: 'list[str]'":             {schema: `{"items":{"type":"string"},"type":"array"}`},
		"a: Literal['x', 'y'] = 'x'": {schema: `{"default":"x","enum":["x","y"]}`},
		"a: int | str | int":         {schema: `{"anyOf":[{"type":"integer"},{"type":"string"}]}`},
		"a: int = N":                 {schema: `{"default":2,"type":"integer"}`},
		"a: int = f()":               {schema: `{"type":"integer"}`, rules: []string{finding.NotStaticallyKnown}},
		"a: int = 'x'":               {schema: `{"type":"integer"}`, rules: []string{finding.WrongDefault}},
		"a: Callable":                {schema: `{}`, rules: []string{finding.UnknownType}},
		"a: Point":                   {schema: `{"properties":{"x":{"type":"integer"},"y":{"type":"number"}},"required":["x"],"type":"object"}`},
	} {
		t.Run(parameter, func(t *testing.T) {
			all := func(*syntax.Module, *syntax.Function, *syntax.Expr) bool { return true }
			source := "N = 2\nclass Point(TypedDict):\n  x: int\n  y: NotRequired[float]\n@f\ndef g(" + parameter + "): pass\n"
			m := syntax.NewParser(all).Parse("m.py", "m", []byte(source))
			var rules []string
			r := annotation.Reader{
				Classes:  annotation.NewClasses(m),
				Evaluate: func(e *syntax.Expr) (any, *eval.Unknown) { return eval.Evaluator{}.Evaluate(m, e) },
				Quoted:   &syntax.QuotedParser{},
				Find:     func(rule string, _ finding.Position, _ string, _ ...any) { rules = append(rules, rule) },
			}
			schema, err := json.Marshal(r.Parameter(&m.Functions[0].Parameters[0]))
			if err != nil || string(schema) != want.schema {
				t.Errorf("%s, %v, want %s", schema, err, want.schema)
			}
			if diff := cmp.Diff(want.rules, rules); diff != "" {
				t.Errorf("rules (-want +got):\n%s", diff)
			}
		})
	}
}
