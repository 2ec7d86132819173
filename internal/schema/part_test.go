package schema

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestPartString(t *testing.T) {
	tests := map[string]struct{ schema, want string }{
		"string":            {`{"type":"string"}`, "string"},
		"another format":    {`{"type":"string","format":"uri"}`, "string"},
		"filepath":          {`{"type":"filepath"}`, "filepath"},
		"folderpath":        {`{"type":["null","folderpath"]}`, "folderpath or null"},
		"integer or null":   {`{"type":["null","integer"]}`, "integer or null"},
		"number":            {`{"type":["number","integer"]}`, "number"},
		"optional":          {`{"anyOf":[{"type":"null"},{"type":"array","items":{"type":"filepath"}}]}`, "array of filepath or null"},
		"any":               {`{}`, "any value"},
		"true":              {`true`, "any value"},
		"false":             {`false`, "no value"},
		"contradiction":     {`{"allOf":[{"type":"string"},{"type":"null"}]}`, "no value"},
		"all types":         {`{"type":["null","boolean","number","string","array","object"]}`, "any value"},
		"all but null":      {`{"not":{"type":"null"}}`, "any value but null"},
		"const":             {`{"const":"a"}`, `"a"`},
		"enum":              {`{"enum":["b","a"]}`, `one of "b", "a"`},
		"enum and null":     {`{"anyOf":[{"enum":["a"]},{"type":"null"}]}`, `"a" or null`},
		"enum of a type":    {`{"type":"string","enum":["a",1,null]}`, `"a"`},
		"long enum":         {`{"enum":[1,2,3,4,5,6]}`, `one of 1, 2, 3, 4, 5, …`},
		"long value":        {`{"const":"` + strings.Repeat("x", 100) + `"}`, `"xxxxxxxxxxx…xxxxxxxxxx"`},
		"array":             {`{"type":"array"}`, "array"},
		"array of anything": {`{"type":"array","items":{}}`, "array"},
		"array of nothing":  {`{"type":"array","items":false}`, "array"},
		"array of two":      {`{"type":"array","items":{"type":["integer","string"]}}`, "array of (string or integer)"},
		"array by position": {`{"type":"array","prefixItems":[{"type":"string"}]}`, "array"},
		"nested arrays":     {`{"type":"array","items":{"type":"array","items":{"type":"object"}}}`, "array of array of object"},
		"deeply nested":     {`{"$ref":"#/$defs/lists"}`, "array of (integer or array of (integer or array of (integer or array)))"},
		"too many":          {`{"type":"string","allOf":[MANY]}`, "string"},
		"then":              {`{"if":{"type":"string"},"then":{"maxLength":1},"else":{"type":"integer"}}`, "string or integer"},
		"long":              {`{"enum":["aaaaaaaaaaaaaaaaaaaaaa","bbbbbbbbbbbbbbbbbbbbbb","cccccccccccccccccccccc","dddddddddddddddddddddd"]}`, `one of "aaaaaaaaaaaaaaaaaaaaaa", "bbbbbb…cccccccccccc", "dddddddddddddddddddddd"`},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got := partOf(t, expandMany(tc.schema)).String()
			if got != tc.want {
				t.Errorf("%s: want %s, got %s", tc.schema, tc.want, got)
			}
			if n := utf8.RuneCountInString(got); n > maxNaming {
				t.Errorf("%d characters", n)
			}
		})
	}
	if got := (Part{}).String(); got != "any value" {
		t.Errorf("the zero Part: got %s", got)
	}
}

func TestPartItem(t *testing.T) {
	tests := map[string]struct {
		schema string
		index  int
		// want is the item's name; empty where there is none.
		want string
	}{
		"of a list":                 {`{"type":"array","items":{"type":"integer"}}`, 7, "integer"},
		"of any list":               {`{"type":"array"}`, 0, "any value"},
		"of anything":               {`{}`, 0, "any value"},
		"of a string":               {`{"type":"string"}`, 0, ""},
		"negative":                  {`{"type":"array"}`, -1, ""},
		"by position":               {`{"prefixItems":[{"type":"string"},{"type":"integer"}],"items":{"type":"null"}}`, 1, "integer"},
		"behind the positions":      {`{"prefixItems":[{"type":"string"},{"type":"integer"}],"items":{"type":"null"}}`, 2, "null"},
		"none behind the positions": {`{"prefixItems":[{"type":"string"}],"items":false}`, 1, ""},
		"the last one":              {`{"type":"array","maxItems":3}`, 2, "any value"},
		"too far":                   {`{"type":"array","maxItems":3}`, 3, ""},
		"nothing may stand there":   {`{"type":"array","items":{"type":"string","enum":[1]}}`, 0, ""},
		"of an optional list":       {`{"anyOf":[{"type":"array","items":{"type":"string"}},{"type":"null"}]}`, 0, "string"},
		"of one of two lists":       {`{"anyOf":[{"type":"array","items":{"type":"string"}},{"type":"array","items":{"type":"null"}}]}`, 0, "string or null"},
		"of two alike":              {`{"anyOf":[{"type":"array","minItems":1},{"type":"array","maxItems":2}],"items":{"type":"string"}}`, 0, "string"},
		"of one of two lengths":     {`{"anyOf":[{"type":"array","items":{"type":"string"},"maxItems":1},{"type":"array","items":{"type":"null"}}]}`, 1, "null"},
		"through a reference":       {`{"$ref":"#/$defs/lists"}`, 0, "integer or array of (integer or array of (integer or array of (integer or array)))"},
		"of all":                    {`{"allOf":[{"type":"array","items":{"type":["string","null"]}}],"items":{"type":["string","integer"]}}`, 0, "string"},
		"of an enumeration":         {`{"enum":[[1],[2]]}`, 0, "any value"},
		"behind an enumeration":     {`{"enum":[[1],[2]]}`, 1, ""},
		"of too many alternatives":  {`{"items":{"type":"string"},"allOf":[MANY]}`, 0, "string"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			item, ok := partOf(t, expandMany(tc.schema)).Item(tc.index)
			if ok != (tc.want != "") {
				t.Fatalf("%s: want an item: %t, got %t", tc.schema, tc.want != "", ok)
			}
			if want := clip(tc.want, maxNaming); ok && item.String() != want {
				t.Errorf("%s: want %s, got %s", tc.schema, want, item)
			}
		})
	}
}

// TestPartValidate compares what a part says with the library's words.
func TestPartValidate(t *testing.T) {
	tests := map[string]struct {
		schema, value string
		want          string
	}{
		"fits":                  {schema: `{"type":"string"}`, value: `"a"`},
		"wrong type":            {schema: `{"type":"string"}`, value: `1`, want: "got number, want string"},
		"1.0 is an integer":     {schema: `{"type":"integer"}`, value: `1.0`},
		"too long":              {schema: `{"type":"string","maxLength":1}`, value: `"éé"`, want: "maxLength: got 2, want 1"},
		"inside":                {schema: `{"type":"array","items":{"type":"integer"}}`, value: `[1,"a"]`, want: "at /1: got string, want integer"},
		"library: fits":         {schema: `{"uniqueItems":true}`, value: `[1,2]`},
		"library: does not fit": {schema: `{"uniqueItems":true}`, value: `[1,1.0]`, want: "items at 0 and 1 are equal"},
		"false":                 {schema: `false`, value: `1`, want: "false schema"},
		"reference":             {schema: `{"$ref":"#/$defs/tree"}`, value: `{"v":1,"next":{"v":"a"}}`, want: "at /next/v: got string, want integer"},
		"too many steps": {schema: `{"$ref":"#/$defs/twice"}`, value: nested(30, `{"a":`, "1", "}"),
			want: "checking the value takes more than 200000 steps, the limit"},
		"no JSON": {schema: `true`, value: `'a'`, want: "the document is not JSON: invalid character '\\'' looking for beginning of value, at byte 1"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if got := textOf(partOf(t, tc.schema).Validate([]byte(tc.value))); got != tc.want {
				t.Errorf("want %q, got %q", tc.want, got)
			}
		})
	}
	if err := (Part{}).Validate([]byte(`1`)); err != nil {
		t.Errorf("the zero Part: %v", err)
	}
}
