package schema

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// parsed is what a test compares of the outcome of Parse.
type parsed struct {
	JSON     string
	Warnings []string
	Reason   string
	Pointer  string
}

func parse(raw string) (parsed, *Error) {
	s, warnings, err := Parse([]byte(raw))
	if err != nil {
		return parsed{Reason: err.Reason, Pointer: err.Pointer}, err
	}
	var texts []string
	for _, w := range warnings {
		texts = append(texts, w.String())
	}
	return parsed{JSON: string(s.JSON()), Warnings: texts}, nil
}

// parseCase is one document and what Parse makes of it.
type parseCase struct {
	raw  string
	want parsed
	// wantMessage is a part of the error's text.
	wantMessage string
}

func runParseCases(t *testing.T, cases map[string]parseCase) {
	t.Helper()
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := parse(tc.raw)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("Parse(%s): -want +got:\n%s\nerror: %v", clip(tc.raw, 300), diff, err)
			}
			if err != nil && !strings.Contains(err.Error(), tc.wantMessage) {
				t.Errorf("error: want %q in it, got %q", tc.wantMessage, err)
			}
			if err != nil {
				return
			}
			again, err := parse(got.JSON)
			if err != nil || again.JSON != got.JSON {
				t.Errorf("Parse of its result: want the same, got %s, %v", again.JSON, err)
			}
			s, _, _ := Parse([]byte(tc.raw))
			if _, err := s.Validator(); err != nil {
				t.Errorf("Validator: %v", err)
			}
		})
	}
}

func TestParseRoot(t *testing.T) {
	object := parsed{JSON: `{"type":"object"}`}
	runParseCases(t, map[string]parseCase{
		"nothing":        {raw: "", want: object},
		"white space":    {raw: " \n", want: object},
		"null":           {raw: "null", want: object},
		"empty object":   {raw: "{}", want: object},
		"array":          {raw: "[]", want: parsed{Reason: ReasonInvalidSchema}, wantMessage: "found an array"},
		"string":         {raw: `"object"`, want: parsed{Reason: ReasonInvalidSchema}, wantMessage: `found the string "object"`},
		"boolean":        {raw: "true", want: parsed{Reason: ReasonInvalidSchema}, wantMessage: "found true"},
		"number":         {raw: "5", want: parsed{Reason: ReasonInvalidSchema}, wantMessage: "found the number 5"},
		"other type":     {raw: `{"type":"string"}`, want: parsed{Reason: ReasonInvalidSchema, Pointer: "/type"}, wantMessage: "passed by name"},
		"or null":        {raw: `{"type":["object","null"]}`, want: parsed{Reason: ReasonInvalidSchema, Pointer: "/type"}},
		"list of object": {raw: `{"type":["object"]}`, want: object},
		"dict": {raw: `{"type":"dict"}`, want: parsed{JSON: `{"type":"object"}`,
			Warnings: []string{`/type: Python type name "dict" read as "object"`}}},
		"any": {raw: `{"type":"any"}`, want: parsed{JSON: `{"type":"object"}`,
			Warnings: []string{`/type: Python type name "any" read as any type`}}},
		"reference": {raw: `{"$ref":"#/$defs/p","$defs":{"p":{"properties":{"x":true}}}}`,
			want: parsed{JSON: `{"$defs":{"p":{"properties":{"x":true}}},"$ref":"#/$defs/p","type":"object"}`}},
		"2020-12 and id are dropped": {raw: `{"$schema":"https://json-schema.org/draft/2020-12/schema#","$id":"https://example.com/x","type":"object"}`,
			want: object},
		"draft-07": {raw: `{"$schema":"http://json-schema.org/draft-07/schema#"}`, want: object},
		"draft-03": {raw: `{"$schema":"http://json-schema.org/draft-03/schema#"}`,
			want: parsed{Reason: ReasonInvalidSchema, Pointer: "/$schema"}, wantMessage: `remove "$schema"`},
		"schema is no string": {raw: `{"$schema":1}`, want: parsed{Reason: ReasonInvalidSchema, Pointer: "/$schema"}},
		"id is no string":     {raw: `{"$id":1}`, want: parsed{Reason: ReasonInvalidSchema, Pointer: "/$id"}},
	})
}

func TestParseIsCanonical(t *testing.T) {
	runParseCases(t, map[string]parseCase{
		"sorted, no white space": {raw: "{ \"type\" : \"object\" ,\n \"properties\": {\"b\": true, \"a\": false} }",
			want: parsed{JSON: `{"properties":{"a":false,"b":true},"type":"object"}`, Warnings: []string{
				`/properties/a: false is a schema that no value fits, so "a" can never be passed; declare it as in {"type": "boolean", "default": false}, or remove it`}}},
		"no HTML escapes": {raw: `{"x":{"description":"a <b> & c"}}`,
			want: parsed{JSON: `{"properties":{"x":{"description":"a <b> & c"}},"type":"object"}`}},
		"numbers as declared": {raw: `{"x":{"enum":[12345678901,0,-1,2.50,1e5,9007199254740992]}}`,
			want: parsed{JSON: `{"properties":{"x":{"enum":[12345678901,0,-1,2.50,1e5,9007199254740992]}},"type":"object"}`}},
		"Unicode names": {raw: `{"图像":{"type":"filepath"},"caf\u00e9 \ud83d\ude00":{"type":"string"}}`,
			want: parsed{JSON: `{"properties":{"café 😀":{"type":"string"},"图像":{"format":"filepath","type":"string"}},"type":"object"}`}},
	})
}

func TestParseGrowth(t *testing.T) {
	nest := func(levels int) string { return nested(levels, `{"items":`, "true", "}") }
	tests := map[string]parseCase{
		"depth fits only as it was declared":   {raw: `{"x":` + nest(31) + `}`, want: parsed{Reason: ReasonSchemaTooLarge, Pointer: "/x" + strings.Repeat("/items", 30)}},
		"values fit only as they were":         {raw: `{` + numbered(1200, `"p%d":"string"`) + `}`, want: parsed{Reason: ReasonSchemaTooLarge}},
		"bytes fit only as they were":          {raw: `{` + numbered(700, `"p%d":"string"`) + `,"x":{"title":"` + strings.Repeat("x", 50000) + `"}}`, want: parsed{Reason: ReasonSchemaTooLarge}, wantMessage: "normalised"},
		"escapes that canonical JSON enlarges": {raw: `{"x":{"title":"` + strings.Repeat("\u2028", 20000) + `"}}`, want: parsed{Reason: ReasonSchemaTooLarge}, wantMessage: "normalised"},
	}
	runParseCases(t, tests)
}

func TestParseIsDeterministic(t *testing.T) {
	documents := map[string]string{
		"several errors":   `{"a":{"type":"x"},"b":{"type":"y"},"c":{"$ref":"http://x"},"d":{"pattern":"("}}`,
		"several warnings": `{"a":{"type":["int","str"]},"b":{"type":"list"},"c":"dict"}`,
		"wrong default": `{"x":{"type":"object","additionalProperties":false,"properties":{"a":{"type":"string"},"b":{"type":"string"}},` +
			`"default":{"a":1,"b":2,"c":3,"d":4,"e":5}}}`,
		"several cycles": `{"$defs":{"a":{"$ref":"#/$defs/b"},"b":{"$ref":"#/$defs/a"},"c":{"$ref":"#/$defs/c"}}}`,
	}
	outcome := func(raw string) []string {
		got, err := parse(raw)
		if err != nil {
			return []string{err.Reason, err.Error()}
		}
		return append(got.Warnings, got.JSON)
	}
	for name, raw := range documents {
		t.Run(name, func(t *testing.T) {
			want := outcome(raw)
			for range 50 {
				if diff := cmp.Diff(want, outcome(raw)); diff != "" {
					t.Fatalf("a second time: -first +second:\n%s", diff)
				}
			}
		})
	}
}
