package schema

import (
	"encoding/json"
	"math/rand"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func open(t *testing.T, raw string) *Parameters {
	t.Helper()
	s, _, refusal := Parse([]byte(raw))
	if refusal != nil {
		t.Fatalf("%s: %v", raw, refusal)
	}
	p, err := Open(s.JSON())
	if err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	return p
}

func TestParameterNames(t *testing.T) {
	tests := map[string]struct {
		raw          string
		wantNames    []string
		wantRequired []string
	}{
		"nothing":     {raw: ``},
		"shorthand":   {raw: `{"b":"string","a":{"type":"filepath"}}`, wantNames: []string{"a", "b"}},
		"full schema": {raw: `{"properties":{"b":true,"a":false},"required":["b","a"]}`, wantNames: []string{"a", "b"}, wantRequired: []string{"a", "b"}},
		"required, not declared": {raw: `{"properties":{"a":true},"required":["z"]}`,
			wantNames: []string{"a"}, wantRequired: []string{"z"}},
		"allOf": {raw: `{"properties":{"a":true},"required":["a"],"allOf":[{"properties":{"b":true,"a":true},"required":["b","a"]}]}`,
			wantNames: []string{"a", "b"}, wantRequired: []string{"a", "b"}},
		"reference": {raw: `{"$ref":"#/$defs/p","$defs":{"p":{"allOf":[{"$ref":"#/$defs/q"}]},"q":{"properties":{"a":true},"required":["a"]},"r":{"properties":{"x":true}}}}`,
			wantNames: []string{"a"}, wantRequired: []string{"a"}},
		"anyOf":            {raw: `{"anyOf":[{"properties":{"a":true},"required":["a"]},{"properties":{"b":true}}]}`, wantNames: []string{"a", "b"}},
		"oneOf":            {raw: `{"oneOf":[{"properties":{"a":true},"required":["a"]}]}`, wantNames: []string{"a"}},
		"if":               {raw: `{"type":"object","if":{"properties":{"a":true}},"then":{"properties":{"b":true},"required":["b"]},"else":{"properties":{"c":true}}}`, wantNames: []string{"a", "b", "c"}},
		"not":              {raw: `{"type":"object","not":{"properties":{"a":true},"required":["a"]}}`},
		"dependentSchemas": {raw: `{"type":"object","dependentSchemas":{"a":{"properties":{"b":true},"required":["b"]}}}`, wantNames: []string{"b"}},
		"dependencies":     {raw: `{"type":"object","dependencies":{"a":{"properties":{"b":true}},"c":["d"]}}`, wantNames: []string{"b"}},
		"not those inside": {raw: `{"properties":{"a":{"properties":{"b":true},"required":["b"]}},"additionalProperties":{"properties":{"c":true}}}`, wantNames: []string{"a"}},
		"recursive":        {raw: `{"properties":{"a":{"$ref":"#"}},"required":["a"]}`, wantNames: []string{"a"}, wantRequired: []string{"a"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			p := open(t, tc.raw)
			if diff := cmp.Diff(append([]string{}, tc.wantNames...), p.Names()); diff != "" {
				t.Errorf("Names of %s: -want +got:\n%s", tc.raw, diff)
			}
			if diff := cmp.Diff(append([]string{}, tc.wantRequired...), p.Required()); diff != "" {
				t.Errorf("Required of %s: -want +got:\n%s", tc.raw, diff)
			}
		})
	}
}

func TestParametersPart(t *testing.T) {
	tests := map[string]struct {
		raw  string
		name string
		// want is the part's name; empty where there is none.
		want string
	}{
		"declared":                    {raw: `{"a":"string"}`, name: "a", want: "string"},
		"not declared":                {raw: `{"a":"string"}`, name: "b"},
		"nothing declared":            {raw: ``, name: "b"},
		"others allowed":              {raw: `{"additionalProperties":true}`, name: "b", want: "any value"},
		"others allowed by a schema":  {raw: `{"properties":{"a":true},"additionalProperties":{"type":"integer"}}`, name: "b", want: "integer"},
		"an empty schema":             {raw: `{"additionalProperties":{}}`, name: "b", want: "any value"},
		"others forbidden":            {raw: `{"properties":{"a":{"type":"integer"}},"additionalProperties":false}`, name: "b"},
		"unevaluated allowed":         {raw: `{"unevaluatedProperties":{"type":"integer"}}`, name: "b", want: "any value"},
		"unevaluated forbidden":       {raw: `{"unevaluatedProperties":false}`, name: "b"},
		"pattern":                     {raw: `{"patternProperties":{"^x_":{"type":"integer"}}}`, name: "x_1", want: "integer"},
		"no match":                    {raw: `{"patternProperties":{"^x_":{"type":"integer"}}}`, name: "x1"},
		"pattern that forbids":        {raw: `{"patternProperties":{"^x_":false},"additionalProperties":true}`, name: "x_1"},
		"pattern, others forbidden":   {raw: `{"patternProperties":{"^x_":{"type":"integer"}},"additionalProperties":false}`, name: "x_1", want: "integer"},
		"declared, and a pattern":     {raw: `{"properties":{"x_1":{"type":["integer","string"]}},"patternProperties":{"^x_":{"type":["string","null"]}}}`, name: "x_1", want: "string"},
		"allowed in one, not another": {raw: `{"additionalProperties":true,"allOf":[{"additionalProperties":false}]}`, name: "b"},
		"allowed under a condition":   {raw: `{"anyOf":[{"additionalProperties":{"type":"integer"}}]}`, name: "b", want: "any value"},
		"declared under a condition":  {raw: `{"anyOf":[{"properties":{"a":{"type":"integer"}}}]}`, name: "a", want: "any value"},
		"declared twice":              {raw: `{"properties":{"a":{"type":["integer","null"]}},"allOf":[{"properties":{"a":{"type":["string","null"]}}}]}`, name: "a", want: "null"},
		"declared by a reference":     {raw: `{"$ref":"#/$defs/p","$defs":{"p":{"properties":{"a":{"type":"integer"}}}}}`, name: "a", want: "integer"},
		"declared as false":           {raw: `{"properties":{"a":false}}`, name: "a", want: "no value"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			p := open(t, tc.raw)
			part, ok := p.Part(tc.name)
			if allowed := p.Allows(tc.name); ok != (tc.want != "") || allowed != ok {
				t.Fatalf("%s in %s: want a part: %t, got %t; Allows says %t", tc.name, tc.raw, tc.want != "", ok, allowed)
			}
			if ok && part.String() != tc.want {
				t.Errorf("%s in %s: want %s, got %s", tc.name, tc.raw, tc.want, part)
			}
		})
	}
}

// TestOpenRefuses what Parse refuses, for the same reason.
func TestOpenRefuses(t *testing.T) {
	for name, raw := range map[string]string{
		"no JSON":         `{"type":`,
		"no object":       `[]`,
		"wrong type":      `{"properties":{"x":{"type":"strnig"}},"type":"object"}`,
		"wrong default":   `{"properties":{"x":{"default":1,"type":"string"}},"type":"object"}`,
		"wrong reference": `{"$ref":"#/$defs/x","type":"object"}`,
		"too large":       `{"properties":{"x":{"title":"` + strings.Repeat("x", 70_000) + `"}},"type":"object"}`,
		"would be":        `{"type":"object","title":"` + strings.Repeat("\u2028", 20_000) + `"}`,
		"too many":        fanOut(40, `{"type":"string"}`, `true`),
	} {
		t.Run(name, func(t *testing.T) {
			_, _, want := Parse([]byte(raw))
			if want == nil {
				t.Fatal("Parse accepts it")
			}
			if _, err := Open([]byte(raw)); err == nil || err.Error() != want.Error() {
				t.Errorf("want %v, got %v", want, err)
			}
		})
	}
	if _, err := Open([]byte(benign)); err != nil {
		t.Errorf("a usual one: %v", err)
	}
}

func TestParametersValidate(t *testing.T) {
	const raw = `{"properties":{"a":{"type":"integer","maximum":5},"tags":{"type":"array","uniqueItems":true}},"required":["a"]}`
	tests := map[string]struct{ value, want string }{
		"fits":               {value: `{"a":5}`},
		"fits, says library": {value: `{"a":5,"tags":[1,2]}`},
		"missing":            {value: `{}`, want: "missing property 'a'"},
		"too large":          {value: `{"a":6}`, want: "at /a: maximum: got 6, want 5"},
		"not unique":         {value: `{"a":1,"tags":[1,1]}`, want: "at /tags: items at 0 and 1 are equal"},
		"no object":          {value: `[]`, want: "got array, want object"},
		"no JSON":            {value: `{"a":`, want: "the document is not JSON: unexpected end of JSON input, at byte 5"},
		"a number too large": {value: `{"a":1e999}`, want: "/a: the number 1e999 has an exponent beyond ±308, the limit; use a smaller number"},
	}
	s, _, refusal := Parse([]byte(raw))
	if refusal != nil {
		t.Fatal(refusal)
	}
	p, err := s.Parameters()
	if err != nil {
		t.Fatal(err)
	}
	validator, err := s.Validator()
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got := textOf(p.Validate([]byte(tc.value)))
			if got != tc.want {
				t.Errorf("want %q, got %q", tc.want, got)
			}
			if same := textOf(validator.Validate("", []byte(tc.value))); same != got {
				t.Errorf("want the text of Validator, %q, got %q", same, got)
			}
		})
	}
}

func textOf(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// TestGeneratedParameters: what the library allows as a whole has what is
// required, and each argument fits its part.
func TestGeneratedParameters(t *testing.T) {
	documents := int64(1_000)
	if testing.Short() {
		documents = 400
	}
	fitting, arguments := 0, 0
	for seed := range documents {
		g := generator{rand.New(rand.NewSource(seed))} //nolint:gosec // the same documents each time
		p, validator, document := g.parameters(t)
		if p == nil {
			continue
		}
		for range 12 {
			value, ok := g.derived(document, document["$defs"].(map[string]any), 4).(map[string]any)
			if !ok {
				continue
			}
			if g.Intn(2) == 0 {
				value[g.key()] = g.instance(1)
			}
			raw, err := json.Marshal(value)
			if err != nil {
				t.Fatal(err)
			}
			want := textOf(validator.Validate("", raw))
			if got := textOf(p.Validate(raw)); got != want {
				t.Fatalf("%s for %s: want %q, got %q", raw, p.doc.root, want, got)
			}
			if want != "" {
				continue
			}
			fitting++
			arguments += checkArguments(t, p, value)
		}
	}
	if t.Logf("%d objects fit, of %d arguments", fitting, arguments); int64(fitting) < documents || int64(arguments) < documents/2 {
		t.Error("want more of them")
	}
}

// parameters are those of a document that applies several schemas to the whole; nil where Parse refuses it.
func (g generator) parameters(t *testing.T) (*Parameters, *Validator, map[string]any) {
	t.Helper()
	document := g.document(1)
	delete(document, "properties")
	for range 1 + g.Intn(3) {
		keyword := pick(g, "properties", "patternProperties", "allOf", "anyOf", "oneOf", "$ref", "additionalProperties", "required", "if", "then",
			"dependentSchemas", "unevaluatedProperties")
		document[keyword] = constraints[keyword](g, 2)
	}
	raw, err := json.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	s, _, refusal := Parse(raw)
	if refusal != nil {
		return nil, nil, nil
	}
	validator, err := s.Validator()
	if err != nil {
		t.Fatal(err)
	}
	return open(t, string(raw)), validator, document
}

func checkArguments(t *testing.T, p *Parameters, value map[string]any) int {
	t.Helper()
	for _, name := range p.Required() {
		if _, ok := value[name]; !ok {
			t.Fatalf("%s is required, but not in %s", name, brief(value))
		}
	}
	arguments := 0
	for _, name := range sortedNames(value) {
		part, ok := p.Part(name)
		if !ok {
			continue
		}
		raw, err := json.Marshal(value[name])
		if err != nil {
			t.Fatal(err)
		}
		if err := part.Validate(raw); err != nil {
			t.Fatalf("%s of %s: the whole fits, but the argument does not: %v", name, brief(value), err)
		}
		arguments++
	}
	return arguments
}
