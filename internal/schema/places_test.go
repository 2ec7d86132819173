package schema

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPlaceOf(t *testing.T) {
	for pointer, want := range map[string]string{
		"":                                 "0 ",
		"/properties/a":                    "0 ",
		"/properties/default":              "0 ",
		"/properties/a/items/0/anyOf/1":    "0 ",
		"/$defs/a~1b/additionalProperties": "0 ",
		"/dependencies/a":                  "0 ",
		"/properties":                      "1 properties",
		"/items/allOf":                     "1 allOf",
		"/default":                         "2 default",
		"/properties/a/enum/0/foo":         "2 enum",
		"/type":                            "2 type",
		"/foo":                             "3 foo",
		"/components/schemas/X":            "3 components",
		"/properties/a/x-b/items":          "3 x-b",
		"/0":                               "3 0",
	} {
		kind, decides := placeOf(pointer)
		if got := fmt.Sprintf("%d %s", kind, decides); got != want {
			t.Errorf("%s: want %s, got %s", pointer, want, got)
		}
	}
}

// TestA1Elsewhere: a reference may lead to a place that JSON Schema says nothing of, as OpenAPI's do (row A1 of the field cases).
func TestA1Elsewhere(t *testing.T) {
	moved := func(pointer, member, now string) string {
		return fmt.Sprintf(`%s: %q is no keyword of JSON Schema, so nothing below it counts as a schema: read as %q, and the references with it`, pointer, member, "#/$defs/"+now)
	}
	const draft7 = `"$schema":"http://json-schema.org/draft-07/schema#",`
	runParseCases(t, map[string]parseCase{
		"OpenAPI's components": {raw: `{"properties":{"x":{"$ref":"#/components/schemas/X"}},"components":{"schemas":{"X":{"type":"string","nullable":true},"Y":{}}}}`,
			want: parsed{JSON: `{"$defs":{"X":{"type":["string","null"]}},"components":{"schemas":{"Y":{}}},"properties":{"x":{"$ref":"#/$defs/X"}},"type":"object"}`,
				Warnings: []string{moved("/components/schemas/X", "components", "X"),
					`/components/schemas/X/nullable: "nullable" is OpenAPI's: read as "type": ["string","null"]`}}},
		"at the root, and nothing is left": {raw: `{"$ref":"#/components/schemas/X","components":{"schemas":{"X":{"properties":{"x":{"type":"str"}}}}}}`,
			want: parsed{JSON: `{"$defs":{"X":{"properties":{"x":{"type":"string"}}}},"$ref":"#/$defs/X","type":"object"}`,
				Warnings: []string{moved("/components/schemas/X", "components", "X"),
					`/components/schemas/X/properties/x/type: Python type name "str" read as "string"`}}},
		"a part first, and then what it is a part of": {raw: `{"properties":{"x":{"$ref":"#/foo/a/items"}},` +
			`"foo":{"a":{"items":{"properties":{"z":{"$ref":"#/foo/a"},"n":{"type":"string","nullable":true}}}}}}`,
			want: parsed{JSON: `{"$defs":{"a":{"items":{"properties":{"n":{"type":["string","null"]},"z":{"$ref":"#/$defs/a"}}}}},` +
				`"properties":{"x":{"$ref":"#/$defs/a/items"}},"type":"object"}`,
				Warnings: []string{moved("/foo/a", "foo", "a"),
					`/foo/a/items/properties/n/nullable: "nullable" is OpenAPI's: read as "type": ["string","null"]`}}},
		"several, one in the other, and to itself": {raw: `{"properties":{"x":{"$ref":"#/foo/a/items"},"y":{"$ref":"#/foo/a"}},` +
			`"foo":{"a":{"items":{"properties":{"z":{"$ref":"#/foo/a"}}}}}}`,
			want: parsed{JSON: `{"$defs":{"a":{"items":{"properties":{"z":{"$ref":"#/$defs/a"}}}}},` +
				`"properties":{"x":{"$ref":"#/$defs/a/items"},"y":{"$ref":"#/$defs/a"}},"type":"object"}`,
				Warnings: []string{moved("/foo/a", "foo", "a")}}},
		"one that another leads to": {raw: `{"properties":{"x":{"$ref":"#/models/a"}},"models":{"a":{"$ref":"#/models/b~1c"},"b/c":{"type":"string"}}}`,
			want: parsed{JSON: `{"$defs":{"a":{"$ref":"#/$defs/b~1c"},"b/c":{"type":"string"}},"properties":{"x":{"$ref":"#/$defs/a"}},"type":"object"}`,
				Warnings: []string{moved("/models/a", "models", "a"), moved("/models/b~1c", "models", "b~1c")}}},
		"a name that is taken": {raw: `{"properties":{"x":{"$ref":"#/defs/a"},"y":{"$ref":"#/$defs/a"}},"defs":{"a":{"type":"string"}},"$defs":{"a":{"type":"integer"}}}`,
			want: parsed{JSON: `{"$defs":{"a":{"type":"integer"},"a_":{"type":"string"}},"properties":{"x":{"$ref":"#/$defs/a_"},"y":{"$ref":"#/$defs/a"}},"type":"object"}`,
				Warnings: []string{moved("/defs/a", "defs", "a_")}}},
		"of the draft that is declared": {raw: `{` + draft7 + `"properties":{"x":{"$ref":"#/x-types/pair"}},"x-types":{"pair":{"items":[{"type":"string"}]}}}`,
			want: parsed{JSON: `{"$defs":{"pair":{"prefixItems":[{"type":"string"}]}},"properties":{"x":{"$ref":"#/$defs/pair"}},"type":"object"}`,
				Warnings: []string{moved("/x-types/pair", "x-types", "pair"), `/x-types/pair/items: "items" as a list is called "prefixItems" in 2020-12`}}},
		"in a schema": {raw: `{"properties":{"x":{"$ref":"#/properties/y/x-of"},"y":{"type":"string","x-of":{"type":"integer"}}}}`,
			want: parsed{JSON: `{"$defs":{"x-of":{"type":"integer"}},"properties":{"x":{"$ref":"#/$defs/x-of"},"y":{"type":"string"}},"type":"object"}`,
				Warnings: []string{moved("/properties/y/x-of", "x-of", "x-of")}}},
		"a fault is told where it is declared": {raw: `{"properties":{"x":{"$ref":"#/foo/a"}},"foo":{"a":{"type":"strnig"}}}`,
			want: parsed{Reason: ReasonInvalidSchema, Pointer: "/foo/a/type"}},
		"a cycle":         {raw: `{"$ref":"#/foo","foo":{"$ref":"#/foo"}}`, want: parsed{Reason: ReasonRefCycle, Pointer: "/foo"}, wantMessage: "(#/foo → #/foo)"},
		"no schema there": {raw: `{"properties":{"x":{"$ref":"#/foo/a"}},"foo":{"a":"string"}}`, want: parsed{Reason: ReasonInvalidSchema, Pointer: "/properties/x/$ref"}},
	})
}

// TestA1Meant: where a reference leads nowhere, the message says what was probably meant.
func TestA1Meant(t *testing.T) {
	for ref, want := range map[string]string{
		"#/$defs/Bax":                   `leads to no schema in the document; did you mean "#/$defs/Box"?`,
		"#/definitions/Box":             `leads to no schema in the document; did you mean "#/$defs/Box"?`,
		"#/components/schemas/Box":      `leads to no schema in the document; did you mean "#/$defs/Box"?`,
		"#$defs/Box":                    `leads to no schema in the document; did you mean "#/$defs/Box"?`,
		"#Box":                          `leads to no schema in the document; did you mean "#/$defs/Box"?`,
		"Box":                           `leaves the document, and nothing is ever fetched; did you mean "#/$defs/Box"?`,
		"/$defs/Box":                    `leaves the document, and nothing is ever fetched; did you mean "#/$defs/Box"?`,
		"Box.json":                      `leaves the document, and nothing is ever fetched; did you mean "#/$defs/Box"?`,
		"https://example.com/Box.json":  `leaves the document, and nothing is ever fetched; copy the schema below "$defs" and refer to it as "#/$defs/name"`,
		"#/$defs":                       `leads to all of "$defs", which is no schema itself; refer to one of those in it, as in "#/$defs/name"`,
		"#/properties/y/default":        `leads into "default", which holds no schema; define the schema below "$defs" and refer to it as "#/$defs/name"`,
		"#/properties/y/enum/0":         `leads into "enum", which holds no schema; define the schema below "$defs" and refer to it as "#/$defs/name"`,
		"#/components/schemas/Customer": `leads to no schema in the document; where this was copied from defines "Customer": copy that, too, below "$defs", and refer to it as "#/$defs/Customer"`,
		"#/definitions/Customer":        `leads to no schema in the document; where this was copied from defines "Customer": copy that, too, below "$defs", and refer to it as "#/$defs/Customer"`,
		"#/nowhere":                     `leads to no schema in the document; define it below "$defs" and refer to it as "#/$defs/name"`,
	} {
		_, _, err := Parse([]byte(`{"$defs":{"Box":{}},"properties":{"x":{"$ref":"` + ref + `"},"y":{"type":"object","default":{},"enum":[{}]}}}`))
		if err == nil {
			t.Errorf("%s: no error", ref)
			continue
		}
		if diff := cmp.Diff(`the reference "`+ref+`" `+want, err.Message); diff != "" {
			t.Errorf("%s (-want +got):\n%s", ref, diff)
		}
	}
	// what an older draft calls a definition is what is told
	_, _, err := Parse([]byte(`{"$schema":"http://json-schema.org/draft-07/schema#","definitions":{"Box":{}},"properties":{"x":{"$ref":"#/definitions/Bax"}}}`))
	if err == nil || !strings.HasSuffix(err.Message, `did you mean "#/definitions/Box"?`) {
		t.Errorf("got %v", err)
	}
}

// TestElsewhereLarge: what is moved out of itself, level by level, takes time and space in proportion to the document's limits.
func TestElsewhereLarge(t *testing.T) {
	var refs []string
	inner, pointer := `{"type":"string","title":"`+strings.Repeat("x", 30_000)+`"}`, ""
	for i := range 25 {
		pointer += fmt.Sprintf("/m%d", i)
		refs = append(refs, fmt.Sprintf(`"p%d":{"$ref":"#%s"}`, i, pointer))
	}
	for i := 24; i >= 0; i-- {
		inner = fmt.Sprintf(`{"m%d":%s}`, i, inner)
	}
	raw := `{"properties":{` + strings.Join(refs, ",") + `},` + inner[1:]
	s, _, err := Parse([]byte(raw))
	if err == nil && len(s.JSON()) > MaxBytes {
		t.Errorf("%d bytes", len(s.JSON()))
	}
}
