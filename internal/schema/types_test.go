package schema

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTypes(t *testing.T) {
	invalidAt := func(pointer string) parsed { return parsed{Reason: ReasonInvalidSchema, Pointer: pointer} }
	x := func(schema string, warnings ...string) parsed {
		return parsed{JSON: `{"properties":{"x":` + schema + `},"type":"object"}`, Warnings: warnings}
	}
	runParseCases(t, map[string]parseCase{
		"filepath":   {raw: `{"x":{"type":"filepath"}}`, want: x(`{"format":"filepath","type":"string"}`)},
		"folderpath": {raw: `{"x":{"type":"folderpath"}}`, want: x(`{"format":"folderpath","type":"string"}`)},
		"optional filepath": {raw: `{"x":{"type":["filepath","null"]}}`,
			want: x(`{"format":"filepath","type":["string","null"]}`)},
		"filepath with its own format":   {raw: `{"x":{"type":"filepath","format":"filepath"}}`, want: x(`{"format":"filepath","type":"string"}`)},
		"filepath with another format":   {raw: `{"x":{"type":"filepath","format":"uri"}}`, want: invalidAt("/x/type"), wantMessage: `remove one of the two`},
		"filepath or string":             {raw: `{"x":{"type":["filepath","string"]}}`, want: invalidAt("/x/type"), wantMessage: "only one of them"},
		"filepath or str":                {raw: `{"x":{"type":["str","filepath"]}}`, want: invalidAt("/x/type")},
		"filepath or folderpath":         {raw: `{"x":{"type":["filepath","folderpath"]}}`, want: invalidAt("/x/type")},
		"filepath in a format that maps": {raw: `{"x":{"type":"string","format":"uri"}}`, want: x(`{"format":"uri","type":"string"}`)},
		"list":                           {raw: `{"x":{"type":"list"}}`, want: x(`{"type":"array"}`, `/x/type: Python type name "list" read as "array"`)},
		"any":                            {raw: `{"x":{"type":"any","title":"t"}}`, want: x(`{"title":"t"}`, `/x/type: Python type name "any" read as any type`)},
		"any in a list":                  {raw: `{"x":{"type":["filepath","Any"]}}`, want: x(`{}`, `/x/type/1: Python type name "Any" read as any type`)},
		"array of types":                 {raw: `{"x":{"type":["string","null"]}}`, want: x(`{"type":["string","null"]}`)},
		"two names for one type":         {raw: `{"x":{"type":["int","integer"]}}`, want: x(`{"type":["integer"]}`, `/x/type/0: Python type name "int" read as "integer"`)},
		"the rest of Python": {raw: `{"x":{"type":["str","float","bool","dict","tuple","None","NoneType"]}}`,
			want: x(`{"type":["string","number","boolean","object","array","null"]}`,
				`/x/type/0: Python type name "str" read as "string"`,
				`/x/type/1: Python type name "float" read as "number"`,
				`/x/type/2: Python type name "bool" read as "boolean"`,
				`/x/type/3: Python type name "dict" read as "object"`,
				`/x/type/4: Python type name "tuple" read as "array"`,
				`/x/type/5: Python type name "None" read as "null"`,
				`/x/type/6: Python type name "NoneType" read as "null"`)},
		"no types":         {raw: `{"x":{"type":[]}}`, want: invalidAt("/x/type")},
		"type is a number": {raw: `{"x":{"type":5}}`, want: invalidAt("/x/type"), wantMessage: "found the number 5"},
		"type in a list is null": {raw: `{"x":{"type":["string",null]}}`, want: invalidAt("/x/type/1"),
			wantMessage: "found null"},
		"date-time":       {raw: `{"x":{"type":"date-time"}}`, want: invalidAt("/x/type"), wantMessage: `unknown type "date-time"; as a schema, that is {"type":"string","format":"date-time"}`},
		"idn-email":       {raw: `{"x":{"type":"idn-email"}}`, want: invalidAt("/x/type"), wantMessage: `unknown type "idn-email"; as a schema, that is {"type":"string","format":"idn-email"}`},
		"uri-reference":   {raw: `{"x":{"type":"uri-reference"}}`, want: invalidAt("/x/type"), wantMessage: `unknown type "uri-reference"; as a schema, that is {"type":"string","format":"uri-reference"}`},
		"date_time":       {raw: `{"x":{"type":"date_time"}}`, want: invalidAt("/x/type"), wantMessage: `unknown type "date_time"; as a schema, that is {"type":"string","format":"date-time"}`},
		"long":            {raw: `{"x":{"type":"long"}}`, want: invalidAt("/x/type"), wantMessage: `unknown type "long"; did you mean "integer"?`},
		"int32":           {raw: `{"x":{"type":"int32"}}`, want: invalidAt("/x/type"), wantMessage: `unknown type "int32"; did you mean "integer"?`},
		"float32":         {raw: `{"x":{"type":"float32"}}`, want: invalidAt("/x/type"), wantMessage: `unknown type "float32"; did you mean "number"?`},
		"base64":          {raw: `{"x":{"type":"base64"}}`, want: invalidAt("/x/type"), wantMessage: `unknown type "base64"; as a schema, that is {"type":"string","contentEncoding":"base64"}`},
		"regex":           {raw: `{"x":{"type":"regex"}}`, want: invalidAt("/x/type"), wantMessage: `unknown type "regex"; as a schema, that is {"type":"string","format":"regex"}`},
		"in another case": {raw: `{"x":{"type":"STRING"}}`, want: invalidAt("/x/type"), wantMessage: `unknown type "STRING"; did you mean "string"?`},
		"unknown": {raw: `{"x":{"type":"strnig"}}`, want: invalidAt("/x/type"),
			wantMessage: `/x/type: unknown type "strnig"; did you mean "string"? (accepted: array, boolean, filepath, folderpath, integer,`},
	})
}

func TestTypesWhereSchemasAre(t *testing.T) {
	// Every keyword that holds subschemas, so that one that is forgotten shows.
	const declared, normalised = `{"type":"filepath"}`, `{"format":"filepath","type":"string"}`
	documents := []string{
		`{"$defs":{"a":§},"type":"object"}`,
		`{"definitions":{"a":§},"type":"object"}`,
		`{"properties":{"a":§},"type":"object"}`,
		`{"patternProperties":{"a":§},"type":"object"}`,
		`{"additionalProperties":§,"type":"object"}`,
		`{"type":"object","unevaluatedProperties":§}`,
		`{"propertyNames":§,"type":"object"}`,
		`{"dependentSchemas":{"a":§},"type":"object"}`,
		`{"allOf":[§],"type":"object"}`,
		`{"anyOf":[true,§],"type":"object"}`,
		`{"oneOf":[§],"type":"object"}`,
		`{"not":§,"type":"object"}`,
		`{"else":§,"if":§,"then":§,"type":"object"}`,
		`{"properties":{"a":{"items":§}},"type":"object"}`,
		`{"properties":{"a":{"items":{"properties":{"b":{"items":§}}}}},"type":"object"}`,
		`{"properties":{"a":{"prefixItems":[true,§]}},"type":"object"}`,
		`{"properties":{"a":{"additionalItems":§}},"type":"object"}`,
		`{"properties":{"a":{"unevaluatedItems":§}},"type":"object"}`,
		`{"properties":{"a":{"contains":§}},"type":"object"}`,
		`{"properties":{"a":{"contentSchema":§}},"type":"object"}`,
		`{"properties":{"default":§,"enum":§,"properties":§},"type":"object"}`,
	}
	for _, document := range documents {
		got, err := parse(strings.ReplaceAll(document, "§", declared))
		if diff := cmp.Diff(strings.ReplaceAll(document, "§", normalised), got.JSON); diff != "" {
			t.Errorf("%s: -want +got:\n%s\nerror: %v", document, diff, err)
		}
	}
	for _, untouched := range []string{
		`{"properties":{"a":{"enum":[§]}},"type":"object"}`,
		`{"properties":{"a":{"const":§}},"type":"object"}`,
		`{"properties":{"a":{"default":§}},"type":"object"}`,
		`{"properties":{"a":{"examples":[§]}},"type":"object"}`,
		`{"properties":{"a":{"x-ui":§}},"type":"object"}`,
	} {
		raw := strings.ReplaceAll(untouched, "§", declared)
		got, err := parse(raw)
		if diff := cmp.Diff(raw, got.JSON); diff != "" {
			t.Errorf("%s: -want +got:\n%s\nerror: %v", untouched, diff, err)
		}
	}
}
