package schema

import (
	"testing"
)

// TestA1OlderDrafts: schemas of older drafts are accepted, and published as 2020-12 (row A1 of the field cases).
func TestA1OlderDrafts(t *testing.T) {
	const draft7 = `"$schema":"http://json-schema.org/draft-07/schema#",`
	x := func(schema string, warnings ...string) parsed {
		return parsed{JSON: `{"properties":{"x":` + schema + `},"type":"object"}`, Warnings: warnings}
	}
	plain := parsed{JSON: `{"additionalProperties":false,"properties":{"x":{"type":"string"}},"required":["x"],"type":"object"}`}
	const generated = `"type":"object","properties":{"x":{"type":"string"}},"required":["x"],"additionalProperties":false}`
	runParseCases(t, map[string]parseCase{
		"as zod writes it": {raw: `{` + draft7 + generated, want: plain},
		"draft-04":         {raw: `{"$schema":"http://json-schema.org/draft-04/schema#",` + generated, want: plain},
		"draft-06, https":  {raw: `{"$schema":"https://json-schema.org/draft-06/schema",` + generated, want: plain},
		"2019-09, http, #": {raw: `{"$schema":"http://json-schema.org/draft/2019-09/schema#",` + generated, want: plain},
		"upper case":       {raw: `{"$schema":"HTTP://JSON-Schema.org/draft-07/schema#",` + generated, want: plain},
		"the latest":       {raw: `{"$schema":"http://json-schema.org/schema#",` + generated, want: plain},
		"hyper-schema":     {raw: `{"$schema":"http://json-schema.org/draft-07/hyper-schema#",` + generated, want: plain},
		"OpenAPI 3.1":      {raw: `{"$schema":"https://spec.openapis.org/oas/3.1/dialect/base",` + generated, want: plain},
		"draft-03": {raw: `{"$schema":"http://json-schema.org/draft-03/schema#",` + generated, want: parsed{Reason: ReasonInvalidSchema, Pointer: "/$schema"},
			wantMessage: `the string "http://json-schema.org/draft-03/schema#" names no draft that can be read`},
		"a metaschema of one's own": {raw: `{"$schema":"https://example.com/meta",` + generated, want: parsed{Reason: ReasonInvalidSchema, Pointer: "/$schema"}},
		"of a parameter": {raw: `{"x":{` + draft7 + `"items":[{"type":"string"}]}}`,
			want: x(`{"prefixItems":[{"type":"string"}]}`, `/x/items: "items" as a list is called "prefixItems" in 2020-12`)},
		"of a parameter, with references into it": {raw: `{"x":{` + draft7 + `"$ref":"#/definitions/a","definitions":{"a":{"type":"string"}}}}`,
			want: x(`{"$defs":{"a":{"type":"string"}},"$ref":"#/properties/x/$defs/a"}`,
				`/x/definitions: "definitions" is called "$defs" since 2019-09: moved there, and the references with it`)},
	})
}

// TestA1Keywords: what is not the same in 2020-12 is translated, with a warning that names place and result.
func TestA1Keywords(t *testing.T) {
	x := func(schema string, warnings ...string) parsed {
		return parsed{JSON: `{"properties":{"x":` + schema + `},"type":"object"}`, Warnings: warnings}
	}
	runParseCases(t, map[string]parseCase{
		"definitions": {raw: `{"$schema":"http://json-schema.org/draft-07/schema#","definitions":{"a b":{"properties":{"y":{"$ref":"#/definitions/c"}}},"c":{}},` +
			`"properties":{"x":{"$ref":"#/definitions/a%20b/properties/y"}}}`,
			want: parsed{JSON: `{"$defs":{"a b":{"properties":{"y":{"$ref":"#/$defs/c"}}},"c":{}},"properties":{"x":{"$ref":"#/$defs/a%20b/properties/y"}},"type":"object"}`,
				Warnings: []string{`/definitions: "definitions" is called "$defs" since 2019-09: moved there, and the references with it`}}},
		"definitions beside $defs": {raw: `{"$schema":"https://json-schema.org/draft/2019-09/schema","$defs":{"a":{"type":"string"}},"definitions":{"a":{"type":"integer"}},` +
			`"properties":{"x":{"$ref":"#/definitions/a"},"y":{"$ref":"#/$defs/a"}}}`,
			want: parsed{JSON: `{"$defs":{"a":{"type":"string"},"a_":{"type":"integer"}},"properties":{"x":{"$ref":"#/$defs/a_"},"y":{"$ref":"#/$defs/a"}},"type":"object"}`,
				Warnings: []string{`/definitions: "definitions" is called "$defs" since 2019-09: moved there, and the references with it`}}},
		"definitions without a draft stay": {raw: `{"definitions":{"a":true},"properties":{"x":{"$ref":"#/definitions/a"}}}`,
			want: parsed{JSON: `{"definitions":{"a":true},"properties":{"x":{"$ref":"#/definitions/a"}},"type":"object"}`}},
		"items and additionalItems": {raw: `{"x":{"items":[{"type":"string"},{"$ref":"#/properties/x/additionalItems"}],"additionalItems":{"type":"integer"}}}`,
			want: x(`{"items":{"type":"integer"},"prefixItems":[{"type":"string"},{"$ref":"#/properties/x/items"}]}`,
				`/x/additionalItems: "additionalItems" is called "items" in 2020-12`, `/x/items: "items" as a list is called "prefixItems" in 2020-12`)},
		"no items": {raw: `{"x":{"items":[],"additionalItems":false}}`, want: x(`{"items":false}`,
			`/x/additionalItems: "additionalItems" is called "items" in 2020-12`, `/x/items: "items" as a list is called "prefixItems" in 2020-12`)},
		"a wrong item": {raw: `{"x":{"items":[true,{"type":"strnig"}]}}`, want: parsed{Reason: ReasonInvalidSchema, Pointer: "/x/items/1/type"}},
		"exclusive bounds": {raw: `{"x":{"minimum":1,"exclusiveMinimum":true,"maximum":9.5,"exclusiveMaximum":false}}`,
			want: x(`{"exclusiveMinimum":1,"maximum":9.5}`,
				`/x/exclusiveMaximum: "exclusiveMaximum" is the bound itself since draft-06; false says nothing: left out`,
				`/x/exclusiveMinimum: "exclusiveMinimum" is the bound itself since draft-06: with "minimum", read as "exclusiveMinimum": 1`)},
		"dependencies": {raw: `{"x":{"dependencies":{"a":["b"],"c":{"required":["d"]}},"dependentRequired":{"a":["e","b"],"f":["g"]},"dependentSchemas":{"c":{"minProperties":2}}}}`,
			want: x(`{"dependentRequired":{"a":["b","e"],"f":["g"]},"dependentSchemas":{"c":{"allOf":[{"required":["d"]},{"minProperties":2}]}}}`,
				`/x/dependencies/a: "dependencies" is read as "dependentRequired", as it is called since 2019-09`,
				`/x/dependencies/c: "dependencies" is read as "dependentSchemas", as it is called since 2019-09`)},
		"beside $ref": {raw: `{"$schema":"http://json-schema.org/draft-07/schema#","$ref":"#/definitions/a","type":"object","title":"t","minProperties":1,"definitions":{"a":{}}}`,
			want: parsed{JSON: `{"$defs":{"a":{}},"$ref":"#/$defs/a","title":"t","type":"object"}`, Warnings: []string{
				`/$ref: draft-07 reads nothing that stands beside "$ref": "minProperties" left out; put them and the reference into "allOf" if they are meant`,
				`/definitions: "definitions" is called "$defs" since 2019-09: moved there, and the references with it`}}},
		"beside $ref in 2019-09": {raw: `{"$schema":"https://json-schema.org/draft/2019-09/schema","$defs":{"a":{}},"$ref":"#/$defs/a","minProperties":1}`,
			want: parsed{JSON: `{"$defs":{"a":{}},"$ref":"#/$defs/a","minProperties":1,"type":"object"}`}},
		"a newer keyword": {raw: `{"$schema":"http://json-schema.org/draft-04/schema#","properties":{"x":{"const":1,"examples":[1],"readOnly":"no"}}}`,
			want: x(`{"examples":[1]}`,
				`/properties/x/const: draft-04 has no "const", so it says nothing: left out; declare draft-06 in "$schema" if it is meant`,
				`/properties/x/readOnly: draft-04 has no "readOnly", so it says nothing: left out; declare draft-07 in "$schema" if it is meant`)},
		"$recursiveRef": {raw: `{"$schema":"https://json-schema.org/draft/2019-09/schema","$recursiveAnchor":true,"properties":{"x":{"$recursiveRef":"#"}}}`,
			want: x(`{"$ref":"#"}`,
				`/$recursiveAnchor: "$recursiveAnchor" is gone since 2020-12: left out, as the document is a single one`,
				`/properties/x/$recursiveRef: "$recursiveRef" is gone since 2020-12: read as "$ref"`)},
		"$recursiveRef of several resources": {raw: `{"$schema":"https://json-schema.org/draft/2019-09/schema","$recursiveAnchor":true,` +
			`"properties":{"x":{"$id":"b","$recursiveAnchor":true,"items":{"$recursiveRef":"#"}}}}`,
			want: parsed{Reason: ReasonInvalidSchema, Pointer: "/properties/x/items/$recursiveRef"}, wantMessage: `"$recursiveRef" has no translation`},
		"$dynamicRef of several resources": {raw: `{"$dynamicAnchor":"a","properties":{"x":{"$id":"b","$dynamicAnchor":"a","items":{"$dynamicRef":"#a"}}}}`,
			want: parsed{Reason: ReasonInvalidSchema, Pointer: "/properties/x/items/$dynamicRef"}, wantMessage: `"$dynamicRef" has no translation`},
		"a pattern that is a name": {raw: `{"x":{"patternProperties":{"^\\u0041":{"items":[true]},"\\cA":true}}}`,
			want: x(`{"patternProperties":{"\\x01":true,"^A":{"prefixItems":[true]}}}`,
				"/x/patternProperties/\\cA: this is a regular expression of ECMA-262, written for RE2 as \"\\\\x01\"",
				"/x/patternProperties/^\\u0041: this is a regular expression of ECMA-262, written for RE2 as \"^A\"",
				`/x/patternProperties/^\u0041/items: "items" as a list is called "prefixItems" in 2020-12`)},
	})
}

// TestA1Nullable: OpenAPI's "nullable" allows null.
func TestA1Nullable(t *testing.T) {
	x := func(schema string, warnings ...string) parsed {
		return parsed{JSON: `{"properties":{"x":` + schema + `},"type":"object"}`, Warnings: warnings}
	}
	const wrapped = `/x/nullable: "nullable" is OpenAPI's: read as "anyOf" of the schema and {"type": "null"}`
	runParseCases(t, map[string]parseCase{
		"a type": {raw: `{"x":{"type":"integer","nullable":true,"default":null}}`,
			want: x(`{"default":null,"type":["integer","null"]}`, `/x/nullable: "nullable" is OpenAPI's: read as "type": ["integer","null"]`)},
		"a type of Maze": {raw: `{"x":{"type":"filepath","nullable":true}}`,
			want: x(`{"format":"filepath","type":["string","null"]}`, `/x/nullable: "nullable" is OpenAPI's: read as "type": ["filepath","null"]`)},
		"an enumeration": {raw: `{"x":{"type":"string","enum":["a","b"],"nullable":true}}`,
			want: x(`{"enum":["a","b",null],"type":["string","null"]}`,
				`/x/nullable: "nullable" is OpenAPI's: read as "type": ["string","null"] and "enum": ["a","b",null]`)},
		"null in the enumeration": {raw: `{"x":{"type":"string","enum":["a",null],"nullable":true}}`,
			want: x(`{"enum":["a",null],"type":["string","null"]}`, `/x/nullable: "nullable" is OpenAPI's: read as "type": ["string","null"]`)},
		"a reference": {raw: `{"properties":{"x":{"$ref":"#/$defs/a","nullable":true,"description":"d"}},"$defs":{"a":{"type":"string"}}}`,
			want: parsed{JSON: `{"$defs":{"a":{"type":"string"}},"properties":{"x":{"anyOf":[{"$ref":"#/$defs/a"},{"type":"null"}],"description":"d"}},"type":"object"}`,
				Warnings: []string{`/properties/x/nullable: "nullable" is OpenAPI's: read as "anyOf" of the schema and {"type": "null"}`}}},
		"allOf of one": {raw: `{"x":{"allOf":[{"type":"string"}],"nullable":true}}`,
			want: x(`{"anyOf":[{"allOf":[{"type":"string"}]},{"type":"null"}]}`, wrapped)},
		"a reference into what is wrapped": {raw: `{"properties":{"x":{"anyOf":[{"type":"string"}],"nullable":true},"y":{"$ref":"#/properties/x/anyOf/0"}}}`,
			want: parsed{JSON: `{"properties":{"x":{"anyOf":[{"anyOf":[{"type":"string"}]},{"type":"null"}]},"y":{"$ref":"#/properties/x/anyOf/0/anyOf/0"}},"type":"object"}`,
				Warnings: []string{`/properties/x/nullable: "nullable" is OpenAPI's: read as "anyOf" of the schema and {"type": "null"}`}}},
		"an error in what is wrapped": {raw: `{"x":{"anyOf":[{"type":"strnig"}],"nullable":true}}`, want: parsed{Reason: ReasonInvalidSchema, Pointer: "/x/anyOf/0/type"}},
		"the whole": {raw: `{"type":"object","nullable":true}`,
			want: parsed{JSON: `{"type":"object"}`, Warnings: []string{`/nullable: "nullable" is OpenAPI's, and the whole is always an object: left out`}}},
		"false":              {raw: `{"x":{"type":"string","nullable":false}}`, want: x(`{"nullable":false,"type":"string"}`)},
		"without a type":     {raw: `{"x":{"nullable":true}}`, want: x(`{"nullable":true}`)},
		"null is a type":     {raw: `{"x":{"type":["string","null"],"nullable":true}}`, want: x(`{"nullable":true,"type":["string","null"]}`)},
		"a parameter's name": {raw: `{"nullable":{"type":"boolean"}}`, want: parsed{JSON: `{"properties":{"nullable":{"type":"boolean"}},"type":"object"}`}},
	})
}

// TestA2NullDefault: null as a default means "left out" where the type does not allow it.
func TestA2NullDefault(t *testing.T) {
	const warning = `null does not fit the schema, so the default is read as left out; remove it, or add "null" to the types`
	x := func(schema string, warnings ...string) parsed {
		return parsed{JSON: `{"properties":{"x":` + schema + `},"type":"object"}`, Warnings: warnings}
	}
	runParseCases(t, map[string]parseCase{
		"integer":        {raw: `{"x":{"type":"integer","default":null}}`, want: x(`{"type":"integer"}`, "/x/default: "+warning)},
		"a path":         {raw: `{"x":{"type":"filepath","default":null}}`, want: x(`{"format":"filepath","type":"string"}`, "/x/default: "+warning)},
		"an enumeration": {raw: `{"x":{"enum":["a"],"default":null}}`, want: x(`{"enum":["a"]}`, "/x/default: "+warning)},
		"in an item": {raw: `{"x":{"type":"array","items":{"type":"string","default":null}}}`,
			want: x(`{"items":{"type":"string"},"type":"array"}`, "/x/items/default: "+warning)},
		"in a member": {raw: `{"x":{"type":"object","properties":{"y":{"type":"boolean","default":null}}}}`,
			want: x(`{"properties":{"y":{"type":"boolean"}},"type":"object"}`, "/x/properties/y/default: "+warning)},
		"in a definition": {raw: `{"$defs":{"a":{"type":"string","default":null}}}`,
			want: parsed{JSON: `{"$defs":{"a":{"type":"string"}},"type":"object"}`, Warnings: []string{"/$defs/a/default: " + warning}}},
		"beside a reference": {raw: `{"$defs":{"a":{"type":"string"}},"properties":{"x":{"$ref":"#/$defs/a","default":null}}}`,
			want: parsed{JSON: `{"$defs":{"a":{"type":"string"}},"properties":{"x":{"$ref":"#/$defs/a"}},"type":"object"}`,
				Warnings: []string{"/properties/x/default: " + warning}}},
		"in what has moved": {raw: `{"x":{"items":[{"type":"string","default":null}]}}`,
			want: x(`{"prefixItems":[{"type":"string"}]}`, `/x/items: "items" as a list is called "prefixItems" in 2020-12`, "/x/items/0/default: "+warning)},
		"of the whole":       {raw: `{"type":"object","default":null}`, want: parsed{JSON: `{"type":"object"}`, Warnings: []string{"/default: " + warning}}},
		"null is allowed":    {raw: `{"x":{"anyOf":[{"type":"string"},{"type":"null"}],"default":null}}`, want: x(`{"anyOf":[{"type":"string"},{"type":"null"}],"default":null}`)},
		"another wrong type": {raw: `{"x":{"type":"integer","default":"null"}}`, want: parsed{Reason: ReasonInvalidSchema, Pointer: "/x/default"}},
		"null inside":        {raw: `{"x":{"type":"array","items":{"type":"integer"},"default":[null]}}`, want: parsed{Reason: ReasonInvalidSchema, Pointer: "/x/default"}},
	})
}

// TestA7OwnReferences: a reference by the schema's own URI does not leave the document.
func TestA7OwnReferences(t *testing.T) {
	remote := func(raw, pointer string) parseCase {
		return parseCase{raw: raw, want: parsed{Reason: ReasonRemoteRefForbidden, Pointer: pointer}}
	}
	whole := func(ref, defs string) parsed {
		return parsed{JSON: `{"$defs":{"a":` + defs + `},"properties":{"x":{"$ref":"` + ref + `"}},"type":"object"}`}
	}
	doc := func(id, ref, defs string) string {
		return `{` + id + `,"$defs":{"a":` + defs + `},"properties":{"x":{"$ref":"` + ref + `"}}}`
	}
	const id = `"$id":"https://example.com/s/task.json"`
	runParseCases(t, map[string]parseCase{
		"with a pointer":      {raw: doc(id, "https://example.com/s/task.json#/$defs/a", "true"), want: whole("#/$defs/a", "true")},
		"the whole":           {raw: doc(id, "https://example.com/s/task.json", "true"), want: whole("#", "true")},
		"the whole, #":        {raw: doc(id, "https://example.com/s/task.json#", "true"), want: whole("#", "true")},
		"relative":            {raw: doc(id, "task.json#/$defs/a", "true"), want: whole("#/$defs/a", "true")},
		"an absolute path":    {raw: doc(id, "/s/task.json#/$defs/a", "true"), want: whole("#/$defs/a", "true")},
		"the host's case":     {raw: doc(id, "https://EXAMPLE.com/s/task.json#/$defs/a", "true"), want: whole("#/$defs/a", "true")},
		"an anchor":           {raw: doc(id, "https://example.com/s/task.json#b", `{"$anchor":"b"}`), want: whole("#/$defs/a", `{"$anchor":"b"}`)},
		"an anchor, plain":    {raw: doc(id, "#b", `{"$anchor":"b"}`), want: whole("#b", `{"$anchor":"b"}`)},
		"a URN":               {raw: doc(`"$id":"urn:example:task"`, "urn:example:task#/$defs/a", "true"), want: whole("#/$defs/a", "true")},
		"a relative $id":      {raw: doc(`"$id":"task"`, "task#/$defs/a", "true"), want: whole("#/$defs/a", "true")},
		"a definition's $id":  {raw: doc(id, "a.json", `{"$id":"a.json"}`), want: whole("#/$defs/a", `{}`)},
		"inside a definition": {raw: doc(id, "a.json#b", `{"$id":"a.json","$anchor":"b"}`), want: whole("#/$defs/a", `{}`)},
		"from a definition":   {raw: doc(id, "#", `{"$id":"a.json","$defs":{"c":true},"properties":{"y":{"$ref":"#/$defs/c"}}}`), want: whole("#", `{"$defs":{"c":true},"properties":{"y":{"$ref":"#/$defs/a/$defs/c"}}}`)},
		"draft-07's anchor":   {raw: `{"$schema":"http://json-schema.org/draft-07/schema","$id":"http://a/b","properties":{"x":{"$ref":"b#c"},"y":{"$id":"#c"}}}`, want: parsed{JSON: `{"properties":{"x":{"$ref":"#/properties/y"},"y":{}},"type":"object"}`}},
		"the id of no draft":  {raw: `{"type":"object","id":"http://a/b","properties":{"x":{"$ref":"http://a/b#/properties/y"},"y":true}}`, want: parsed{JSON: `{"id":"http://a/b","properties":{"x":{"$ref":"#/properties/y"},"y":true},"type":"object"}`}},
		"another":             remote(doc(id, "https://example.com/s/other.json", "true"), "/properties/x/$ref"),
		"no $id":              remote(doc(`"type":"object"`, "task.json#/$defs/a", "true"), "/properties/x/$ref"),
		"another scheme":      remote(doc(id, "http://example.com/s/task.json", "true"), "/properties/x/$ref"),
		"a metaschema":        remote(doc(id, "http://json-schema.org/draft-07/schema#", "true"), "/properties/x/$ref"),
		"nothing there":       {raw: doc(id, "https://example.com/s/task.json#/$defs/b", "true"), want: parsed{Reason: ReasonInvalidSchema, Pointer: "/properties/x/$ref"}, wantMessage: "leads to no schema"},
		"no anchor there":     {raw: doc(id, "#", `{"$id":"a.json","$ref":"#b"}`), want: parsed{Reason: ReasonInvalidSchema, Pointer: "/$defs/a/$ref"}},
		"one URI twice":       {raw: doc(id, "#", `{"$id":"task.json"}`), want: parsed{Reason: ReasonInvalidSchema, Pointer: "/$defs/a/$id"}},
		"a cycle by the URI":  {raw: doc(id, "#", `{"$ref":"task.json#/$defs/a"}`), want: parsed{Reason: ReasonRefCycle, Pointer: "/$defs/a"}},
	})
}

// TestTranslationLeaves2020: what is 2020-12 is not touched, so that digests do not change.
func TestTranslationLeaves2020(t *testing.T) {
	for _, raw := range append(seeds, benign) {
		value, err := decode([]byte(raw), schemaLimits)
		root, ok := value.(map[string]any)
		if err != nil || !ok {
			continue
		}
		delete(root, "$schema")
		delete(root, "$id")
		before, _ := canonical(root)
		translated := translate(root)
		after, _ := canonical(translated.root)
		if len(translated.warnings) == 0 && string(before) != string(after) {
			t.Errorf("%s: became %s without a word", before, after)
		}
	}
}
