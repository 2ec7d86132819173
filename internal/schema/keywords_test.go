package schema

import (
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// TestKeywordsAreComplete compares the table with the metaschema that the library carries.
func TestKeywordsAreComplete(t *testing.T) {
	metaschema, err := newLibrary("", true).compiler.Compile(dialect2020)
	if err != nil {
		t.Fatal(err)
	}
	vocabularies := []*jsonschema.Schema{metaschema}
	for _, vocabulary := range metaschema.AllOf {
		vocabularies = append(vocabularies, vocabulary.Ref)
	}
	count := 0
	for _, vocabulary := range vocabularies {
		for name := range vocabulary.Properties {
			count++
			if _, ok := keywords[name]; !ok {
				t.Errorf("keyword %q of %s is missing", name, vocabulary.Location)
			}
		}
	}
	if count < 50 {
		t.Errorf("want the metaschema's keywords, found only %d", count)
	}
}

// TestKeywordShapes gives each keyword values of every shape, and compares the
// verdict with the metaschema's.
func TestKeywordShapes(t *testing.T) {
	values := []string{`null`, `true`, `"a"`, `""`, `"("`, `"#"`, `"9x"`, `0`, `-1`, `1.0`, `1.5`, `1e2`, `0.0`, `[]`, `["a"]`, `["a","a"]`, `[1]`,
		`[true]`, `[{}]`, `["string"]`, `["string","string"]`, `{}`, `{"a":true}`, `{"a":{}}`, `{"a":1}`, `{"a":["b"]}`, `{"a":["b","b"]}`, `{"(":true}`,
		`{"type":"string"}`, `{"type":1}`, `"string"`, `"#/$defs/x"`, `1.0000000000000000000000001`}
	// Where this package is stricter or more lenient than the metaschema on purpose.
	ownRules := map[string]bool{
		"$schema": true, "$id": true, "$recursiveRef": true, "$recursiveAnchor": true, // translated
		"$vocabulary": true,                      // refused
		"$ref":        true, "$dynamicRef": true, // must resolve, and end
		"type":         true, // has names of its own, and drops duplicates
		"dependencies": true, // becomes other keywords
	}
	library := func(schema any) error {
		_, err := newLibrary("", schema).compile("")
		return err
	}
	for _, name := range sortedNames(keywords) {
		if ownRules[name] {
			continue
		}
		for _, value := range values {
			raw := `{"properties":{"x":{"` + name + `":` + value + `}},"type":"object"}`
			if name == "default" || name == "additionalItems" {
				continue // the one is judged by what stands beside it, the other is unknown to 2020-12
			}
			_, _, err := Parse([]byte(raw))
			declared, e := decode([]byte(raw), schemaLimits)
			if e != nil {
				t.Fatal(e)
			}
			if isOlder, ok := olderForms[name]; ok && isOlder(declared.(map[string]any)["properties"].(map[string]any)["x"].(map[string]any)[name]) && err == nil {
				continue // it is translated
			}
			if want := library(declared); (want == nil) != (err == nil) {
				t.Errorf("%s: want %v, got %v", raw, want, err)
			}
		}
	}
}

func TestKeywordErrors(t *testing.T) {
	at := func(pointer string) parsed { return parsed{Reason: ReasonInvalidSchema, Pointer: pointer} }
	runParseCases(t, map[string]parseCase{
		"required as a flag": {raw: `{"x":{"required":true}}`, want: at("/x/required"), wantMessage: `beside "properties"`},
		"items twice":        {raw: `{"x":{"items":[true],"prefixItems":[true]}}`, want: at("/x/items"), wantMessage: `"prefixItems"`},
		"draft-04 bound":     {raw: `{"x":{"exclusiveMinimum":true}}`, want: at("/x/exclusiveMinimum"), wantMessage: "the bound itself"},
		"negative count":     {raw: `{"x":{"maxLength":-1}}`, want: at("/x/maxLength"), wantMessage: "0 or greater, found the number -1"},
		"null default type":  {raw: `{"x":{"title":null}}`, want: at("/x/title"), wantMessage: "must be a string, found null"},
		"empty anyOf":        {raw: `{"anyOf":[]}`, want: at("/anyOf"), wantMessage: "at least one schema"},
		"nested $id":         {raw: `{"x":{"$id":5}}`, want: at("/x/$id"), wantMessage: "remove it"},
		"nested $schema":     {raw: `{"x":{"$schema":"http://json-schema.org/draft-03/schema#"}}`, want: at("/x/$schema"), wantMessage: "draft-04, draft-06"},
		"$vocabulary":        {raw: `{"$vocabulary":{}}`, want: at("/$vocabulary")},
		"$recursiveRef":      {raw: `{"x":{"$recursiveRef":"#/x"}}`, want: at("/x/$recursiveRef"), wantMessage: `can only be "#"`},
		"$recursiveAnchor":   {raw: `{"x":{"$recursiveAnchor":"a"}}`, want: at("/x/$recursiveAnchor")},
		"schema in a list":   {raw: `{"x":{"allOf":[true,3]}}`, want: at("/x/allOf/1")},
		"schema in a map":    {raw: `{"x":{"$defs":{"a/b":3}}}`, want: at("/x/$defs/a~1b")},
		"boolean subschemas": {raw: `{"x":{"not":false,"items":true}}`,
			want: parsed{JSON: `{"properties":{"x":{"items":true,"not":false}},"type":"object"}`}},
		"unknown keywords": {raw: `{"type":"object","x-a":1,"properties":{"b":{"nullable":true,"example":{"type":5}}}}`,
			want: parsed{JSON: `{"properties":{"b":{"example":{"type":5},"nullable":true}},"type":"object","x-a":1}`}},
	})
}
