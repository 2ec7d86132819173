package schema

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestA4Elsewhere: what other languages and frameworks call a keyword is told, where the value may be one of it.
func TestA4Elsewhere(t *testing.T) {
	for raw, want := range map[string]string{
		`{"x":{"type":"string","allowed_values":["a"]}}`:                  `/x/allowed_values: JSON Schema has no keyword "allowed_values", so it says nothing; did you mean "enum"?`,
		`{"x":{"type":"integer","ge":1}}`:                                 `/x/ge: JSON Schema has no keyword "ge", so it says nothing; did you mean "minimum"?`,
		`{"x":{"type":"integer","lt":1}}`:                                 `/x/lt: JSON Schema has no keyword "lt", so it says nothing; did you mean "exclusiveMaximum"?`,
		`{"x":{"data_type":"List[str]"}}`:                                 `/x/data_type: JSON Schema has no keyword "data_type", so it says nothing; did you mean "type"?`,
		`{"x":{"type":"object","fields":{"a":{"type":"string"}}}}`:        `/x/fields: JSON Schema has no keyword "fields", so it says nothing; did you mean "properties"?`,
		`{"type":"object","parameters":{"a":"string"}}`:                   `/parameters: JSON Schema has no keyword "parameters", so it says nothing; did you mean "properties"?`,
		`{"x":{"type":"array","element_type":"string"}}`:                  `/x/element_type: JSON Schema has no keyword "element_type", so it says nothing; did you mean "items"?`,
		`{"x":{"type":"string","default_value":"a"}}`:                     `/x/default_value: JSON Schema has no keyword "default_value", so it says nothing; did you mean "default"?`,
		`{"x":{"type":"string","desc":"An x."}}`:                          `/x/desc: JSON Schema has no keyword "desc", so it says nothing; did you mean "description"?`,
		`{"x":{"schema":{"type":"string"},"description":"d"},"y":{}}`:     `/x/schema: JSON Schema has no keyword "schema", so what is in it says nothing; write that instead of it, one level up`,
		`{"x":{"type":"string","optional":true}}`:                         `/x/optional: JSON Schema has no keyword "optional", so it says nothing; remove it: a parameter is optional unless "required" beside "properties" names it`,
		`{"x":{"type":"string","isOptional":"true"}}`:                     `/x/isOptional: JSON Schema has no keyword "isOptional", so it says nothing; remove it: a parameter is optional unless "required" beside "properties" names it`,
		`{"x":{"type":"string","optional":false}}`:                        `/x/optional: JSON Schema has no keyword "optional", so it says nothing; remove it, and name it beside "properties", as in {"type": "object", "properties": {…}, "required": ["x"]}`,
		`{"x":{"type":"object","properties":{"y/z":{"mandatory":true}}}}`: `/x/properties/y~1z/mandatory: JSON Schema has no keyword "mandatory", so it says nothing; remove it, and name it beside "properties", as in {"type": "object", "properties": {…}, "required": ["y/z"]}`,
		`{"x":{"type":"string","is_required":false}}`:                     `/x/is_required: JSON Schema has no keyword "is_required", so it says nothing; remove it: a parameter is optional unless "required" beside "properties" names it`,
	} {
		if diff := cmp.Diff([]string{KindUnknownKeyword + " " + want}, warningsOf(t, raw)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", raw, diff)
		}
	}
}

// TestA4Formats: a format that is nearly one of those that others know is told.
func TestA4Formats(t *testing.T) {
	for format, want := range map[string]string{
		"dat-time": "date-time", "datetime": "date-time", "date_time": "date-time", "Date-Time": "date-time", "date time": "date-time", "emial": "email",
		"e-mail": "email", "UUID": "uuid", "guid": "uuid", "url": "uri", "filePath": "filepath", "file-path": "filepath", "path": "filepath",
		"directory-path": "folderpath", "foldrpath": "folderpath", "hostnam": "hostname", "ip": "ipv4", "IPv6": "ipv6",
	} {
		wanted := []string{KindUnknownKeyword + ` /x/format: JSON Schema has no format "` + format + `", so it says nothing; did you mean "` + want + `"?`}
		if diff := cmp.Diff(wanted, warningsOf(t, `{"x":{"type":"string","format":"`+format+`"}}`)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", format, diff)
		}
	}
}

// TestA4NeverPassed: a parameter that no value fits is told, unless that depends on something.
func TestA4NeverPassed(t *testing.T) {
	const not = `everything fits what is below "not", so no value fits here; remove it, or say what is excluded`
	for raw, want := range map[string]string{
		`{"x":{"not":{}}}`:                                 "/x/not: " + not,
		`{"x":{"not":true,"type":"string"}}`:               "/x/not: " + not,
		`{"x":{"not":{"description":"d"}}}`:                "/x/not: " + not,
		`{"not":{},"type":"object"}`:                       "/not: " + not,
		`{"x":{"items":{"allOf":[{"not":{}}]}}}`:           "/x/items/allOf/0/not: " + not,
		`{"properties":{"x":false}}`:                       `/properties/x: false is a schema that no value fits, so "x" can never be passed; declare it as in {"type": "boolean", "default": false}, or remove it`,
		`{"x":{"type":"object","properties":{"y":false}}}`: `/x/properties/y: false is a schema that no value fits, so "y" can never be passed; declare it as in {"type": "boolean", "default": false}, or remove it`,
	} {
		kind := KindContradiction
		if strings.Contains(want, ": false is") {
			kind = KindFalseSchema
		}
		if diff := cmp.Diff([]string{kind + " " + want}, warningsOf(t, raw)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", raw, diff)
		}
	}
}

// TestA4Twice: what is listed twice is told at the second one: in an enumeration it says nothing, and in "required" no metaschema allows it.
func TestA4Twice(t *testing.T) {
	if diff := cmp.Diff([]string{KindContradiction + ` /x/enum/2: "a" is in the list already; remove one of the two`},
		warningsOf(t, `{"x":{"enum":["a","b","a",1,null]}}`)); diff != "" {
		t.Errorf("enum (-want +got):\n%s", diff)
	}
	for raw, want := range map[string]string{
		`{"properties":{"a":{}},"required":["a","b","a"]}`:      `/required/2: "a" is in the list already, as its item 1; keep one of them`,
		`{"properties":{"a":{}},"required":["a",1]}`:            `/required/1: "required" has names, which are strings; found the number 1`,
		`{"type":"object","dependentRequired":{"a":["b","b"]}}`: `/dependentRequired/a/1: "b" is in the list already, as its item 1; keep one of them`,
		`{"type":"object","dependentRequired":{"a":"b"}}`:       `/dependentRequired/a: "dependentRequired" must be an array of different strings, found the string "b"`,
		`{"type":"object","dependentRequired":["b"]}`:           `/dependentRequired: "dependentRequired" must be an object of arrays of different strings, found an array`,
		`{"x":{"type":"string","required":true}}`:               `/x/required: "required" must be an array of different strings, found true; remove it, and name it beside "properties", as in {"type": "object", "properties": {…}, "required": ["x"]}`,
		`{"x":{"type":"string","required":"false"}}`:            `/x/required: "required" must be an array of different strings, found the string "false"; remove it: a parameter is optional unless "required" beside "properties" names it`,
		`{"x":{"type":"object","required":"a"}}`:                `/x/required: "required" must be an array of different strings, found the string "a"; name the required parameters in one list beside "properties"`,
		`{"properties":{"a":{}},"required":["a","a",null,"a"]}`: `/required/1: "a" is in the list already, as its item 1; keep one of them
/required/2: "required" has names, which are strings; found null
/required/3: "a" is in the list already, as its item 1; keep one of them`,
	} {
		_, _, errs := Check([]byte(raw))
		var got []string
		for _, err := range errs {
			got = append(got, err.Error())
		}
		if diff := cmp.Diff(want, strings.Join(got, "\n")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", raw, diff)
		}
	}
}

// TestA4AdditionalItems: what 2020-12 does not read is told with what was meant, by what is beside it.
func TestA4AdditionalItems(t *testing.T) {
	for raw, want := range map[string]string{
		`{"x":{"type":"object","additionalItems":false}}`:                   `did you mean "additionalProperties"?`,
		`{"x":{"type":"array","prefixItems":[{}],"additionalItems":false}}`: `did you mean "items", which is for what is behind "prefixItems"?`,
		`{"x":{"prefixItems":[{}],"items":{},"additionalItems":false}}`:     `remove it, or use "prefixItems" and "items"`,
	} {
		if got := warningsOf(t, raw); len(got) != 1 || !strings.HasSuffix(got[0], want) {
			t.Errorf("%s: want one that ends with %s, got %q", raw, want, got)
		}
	}
}

// TestNotation: a type in another notation is told as a schema.
func TestNotation(t *testing.T) {
	for text, want := range map[string]string{
		"int | None":                        `; as a schema, that is {"type":["integer","null"]}`,
		"List[str]":                         `; as a schema, that is {"type":"array","items":{"type":"string"}}`,
		"typing.Optional[List[int]]":        `; as a schema, that is {"type":["array","null"],"items":{"type":"integer"}}`,
		"Dict[str, List[int]]":              `; as a schema, that is {"type":"object","additionalProperties":{"type":"array","items":{"type":"integer"}}}`,
		"dict[str, Any]":                    `; did you mean "object"?`,
		"Tuple[int, ...]":                   `; as a schema, that is {"type":"array","items":{"type":"integer"}}`,
		"tuple[int, str | None]":            `; as a schema, that is {"type":"array","prefixItems":[{"type":"integer"},{"type":["string","null"]}]}`,
		"Literal['a', \"b\", 1, True]":      `; as a schema, that is {"enum":["a","b",1,true]}`,
		"Literal['a'] | None":               `; as a schema, that is {"anyOf":[{"enum":["a"]},{"type":"null"}]}`,
		"Union[List[str], List[int]]":       `; as a schema, that is {"anyOf":[{"type":"array","items":{"type":"string"}},{"type":"array","items":{"type":"integer"}}]}`,
		"Set[int]":                          `; as a schema, that is {"type":"array","items":{"type":"integer"},"uniqueItems":true}`,
		"string[]":                          `; as a schema, that is {"type":"array","items":{"type":"string"}}`,
		"(string | number)[]":               `; as a schema, that is {"type":"array","items":{"type":["string","number"]}}`,
		"string?":                           `; as a schema, that is {"type":["string","null"]}`,
		"Array<string>":                     `; as a schema, that is {"type":"array","items":{"type":"string"}}`,
		"Record<string, number>":            `; as a schema, that is {"type":"object","additionalProperties":{"type":"number"}}`,
		"list of str":                       `; as a schema, that is {"type":"array","items":{"type":"string"}}`,
		"string or null":                    `; as a schema, that is {"type":["string","null"]}`,
		"str, optional":                     `; did you mean "string"?`,
		"<class 'int'>":                     `; did you mean "integer"?`,
		"[int]":                             `; as a schema, that is {"type":"array","items":{"type":"integer"}}`,
		"datetime.datetime":                 `; as a schema, that is {"type":"string","format":"date-time"}`,
		"pathlib.Path":                      `; did you mean "filepath"?`,
		"Required[int]":                     `; did you mean "integer"?`,
		"Any | None":                        `; for any type, leave "type" out`,
		"'a' | 'b'":                         `; as a schema, that is {"enum":["a","b"]}`,
		"'str'":                             `; did you mean "string"?`,
		"str = 'a'":                         `; did you mean "string"?`,
		"Optional[int] = None":              `; as a schema, that is {"type":["integer","null"]}`,
		"select":                            `; as a schema, that is {"enum":["…"]}`,
		"image":                             `; did you mean "filepath"?`,
		"'a' | int":                         `; as a schema, that is {"anyOf":[{"enum":["a"]},{"type":"integer"}]}`,
		"enum":                              `; as a schema, that is {"enum":["…"]}`,
		"Foo[int]":                          "",
		"List[Foo]":                         "",
		"list[":                             "",
		"List[]]":                           "",
		"Optional[]":                        "",
		"Literal[]":                         "",
		"Literal[x]":                        "",
		"|":                                 "",
		"int |":                             "",
		"a|b":                               "",
		"str of int":                        "",
		"Dict[str":                          "",
		"{a: string}[]":                     "",
		strings.Repeat("List[", 20) + "int": "",
		strings.Repeat("List[", 9) + "int" + strings.Repeat("]", 9): "",
		strings.Repeat("int|", 100) + "int":                         "",
	} {
		got := ""
		if m, ok := notationMeant(text); ok {
			got = m.advice()
		}
		if got != want {
			t.Errorf("%s: want %q, got %q", text, want, got)
		}
	}
	_, _, err := Parse([]byte(`{"x":"{\"type\": \"string\"}"}`))
	if err == nil || !strings.HasPrefix(err.Message, "this is JSON in a text, and no type") {
		t.Errorf("got %v", err)
	}
}

func FuzzNotation(f *testing.F) {
	for _, text := range []string{"Dict[str, List[int]] | None", "Literal['a', 1]", "(a|b)[]?", "<class 'x'>", "list of str, optional", "Tuple[int, ...]"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		m, ok := notationMeant(text)
		if !ok {
			return
		}
		if _, _, err := Parse([]byte(`{"x":` + strings.ReplaceAll(m.String(), "…", "a") + `}`)); err != nil {
			t.Errorf("%q is %s, which is no schema: %v", text, m, err)
		}
	})
}
