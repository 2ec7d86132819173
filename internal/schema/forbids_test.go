package schema

import "testing"

// TestForbids: C6, a name that a schema forbids is told apart from one that it does not declare.
func TestForbids(t *testing.T) {
	tests := map[string]struct {
		schema             string
		forbidden, allowed []string
		wantNothing        bool
	}{
		"says nothing":           {schema: `{"type":"object"}`, allowed: []string{"a"}},
		"closed":                 {schema: `{"type":"object","additionalProperties":false}`, forbidden: []string{"a"}, wantNothing: true},
		"closed, of two":         {schema: `{"type":"object","properties":{"a":{}},"additionalProperties":false}`, forbidden: []string{"b"}, allowed: []string{"a"}},
		"closed in allOf":        {schema: `{"type":"object","allOf":[{"additionalProperties":false}]}`, forbidden: []string{"a"}, wantNothing: true},
		"closed in a reference":  {schema: `{"$ref":"#/$defs/x","$defs":{"x":{"additionalProperties":false}}}`, forbidden: []string{"a"}, wantNothing: true},
		"all declared forbidden": {schema: `{"type":"object","properties":{"a":false},"additionalProperties":false}`, forbidden: []string{"a", "b"}, wantNothing: true},
		"by a pattern":           {schema: `{"type":"object","patternProperties":{"^_":false}}`, forbidden: []string{"_a"}, allowed: []string{"a"}},
		"by a pattern's allOf":   {schema: `{"type":"object","patternProperties":{"^_":{"allOf":[false]}}}`, forbidden: []string{"_a"}, allowed: []string{"a"}},
		"open by a pattern":      {schema: `{"type":"object","patternProperties":{"^x":{}},"additionalProperties":false}`, forbidden: []string{"a"}, allowed: []string{"x"}},
		"by names":               {schema: `{"type":"object","propertyNames":{"maxLength":1}}`, forbidden: []string{"ab"}, allowed: []string{"a"}},
		"no names":               {schema: `{"type":"object","propertyNames":false}`, forbidden: []string{"a"}},
		"no members":             {schema: `{"type":"object","maxProperties":0}`, forbidden: []string{"a"}, wantNothing: true},
		"one member":             {schema: `{"type":"object","maxProperties":1}`, allowed: []string{"a"}},
		"unevaluated":            {schema: `{"type":"object","anyOf":[{"properties":{"a":{}}}],"unevaluatedProperties":false}`, forbidden: []string{"b"}, allowed: []string{"a"}},
		"under a condition":      {schema: `{"type":"object","anyOf":[{"additionalProperties":false},{}]}`, allowed: []string{"a"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			p, err := Open([]byte(tc.schema))
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range tc.forbidden {
				if !p.Forbids(name) {
					t.Errorf("Forbids(%q): want true", name)
				}
				if err := p.Validate([]byte(`{"` + name + `":1}`)); err == nil {
					t.Errorf("an object with %q is valid, so it is not forbidden", name)
				}
			}
			for _, name := range tc.allowed {
				if p.Forbids(name) {
					t.Errorf("Forbids(%q): want false", name)
				}
			}
			if got := p.TakesNothing(); got != tc.wantNothing {
				t.Errorf("TakesNothing: want %t, got %t", tc.wantNothing, got)
			}
		})
	}
}
