package schema

import "testing"

func TestFullSchemaOrShorthand(t *testing.T) {
	str := `{"type":"string"}`
	runParseCases(t, map[string]parseCase{
		"the original's shorthand": {raw: `{"image":{"type":"filepath"}}`,
			want: parsed{JSON: `{"properties":{"image":{"format":"filepath","type":"string"}},"type":"object"}`}},
		"parameters called like keywords": {
			raw: `{"type":` + str + `,"properties":{"type":"object"},"required":` + str + `,"items":` + str + `,"enum":true,"allOf":` + str + `}`,
			want: parsed{JSON: `{"properties":{"allOf":` + str + `,"enum":true,"items":` + str + `,"properties":{"type":"object"},"required":` + str +
				`,"type":` + str + `},"type":"object"}`}},
		"a parameter called properties of two types": {raw: `{"properties":{"type":["object","null"]}}`,
			want: parsed{JSON: `{"properties":{"properties":{"type":["object","null"]}},"type":"object"}`}},
		"a property called type": {raw: `{"properties":{"type":` + str + `}}`,
			want: parsed{JSON: `{"properties":{"type":` + str + `},"type":"object"}`}},
		"properties of nothing": {raw: `{"properties":{}}`,
			want: parsed{JSON: `{"properties":{},"type":"object"}`}},
		"required keeps unknown names": {raw: `{"properties":{"a":true},"required":["a","gone"]}`,
			want: parsed{JSON: `{"properties":{"a":true},"required":["a","gone"],"type":"object"}`,
				Warnings: []string{`/required/1: "gone" is required, and not declared below "properties"; declare it there, or remove it`}}},
		"no required is invented": {raw: `{"type":"object","properties":{"a":true}}`,
			want: parsed{JSON: `{"properties":{"a":true},"type":"object"}`}},
		"allOf":                {raw: `{"allOf":[{}]}`, want: parsed{JSON: `{"allOf":[{}],"type":"object"}`}},
		"additionalProperties": {raw: `{"additionalProperties":false}`, want: parsed{JSON: `{"additionalProperties":false,"type":"object"}`}},
		"dollar":               {raw: `{"$defs":{}}`, want: parsed{JSON: `{"$defs":{},"type":"object"}`}},
		"bare types": {raw: `{"a":"integer","b":"int","c":"filepath"}`,
			want: parsed{JSON: `{"properties":{"a":{"type":"integer"},"b":{"type":"integer"},"c":{"format":"filepath","type":"string"}},"type":"object"}`,
				Warnings: []string{`/b/type: Python type name "int" read as "integer"`}}},
		"boolean schemas": {raw: `{"a":true,"b":false}`, want: parsed{JSON: `{"properties":{"a":true,"b":false},"type":"object"}`,
			Warnings: []string{`/b: false is a schema that no value fits, so "b" can never be passed; declare it as in {"type": "boolean", "default": false}, or remove it`}}},
		"number for a schema": {raw: `{"a":5}`, want: parsed{Reason: ReasonInvalidSchema, Pointer: "/a"}, wantMessage: "found the number 5"},
		"null for a schema":   {raw: `{"a":null}`, want: parsed{Reason: ReasonInvalidSchema, Pointer: "/a"}},
		"array for a schema":  {raw: `{"a~/b":["int"]}`, want: parsed{Reason: ReasonInvalidSchema, Pointer: "/a~0~1b"}},
		"title alone":         {raw: `{"title":"My tool"}`, want: parsed{Reason: ReasonInvalidSchema, Pointer: "/title/type"}},
		"bare type in a full schema": {raw: `{"properties":{"image":"filepath"}}`,
			want: parsed{Reason: ReasonInvalidSchema, Pointer: "/properties/image"}, wantMessage: `an object such as {"type": "string"}`},
		"parameter beside properties": {raw: `{"image":{"type":"filepath"},"required":["image"],"x-note":{"a":1}}`,
			want: parsed{JSON: `{"image":{"type":"filepath"},"required":["image"],"type":"object","x-note":{"a":1}}`,
				Warnings: []string{`/image: this is no keyword of JSON Schema and declares nothing; a parameter of this name belongs below "properties"`}}},
	})
}
