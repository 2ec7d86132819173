package schema

import (
	"strings"
	"testing"
)

// TestA4Forms: a value in another form than a keyword has is told with how to write it.
func TestA4Forms(t *testing.T) {
	for raw, want := range map[string]string{
		`{"x":{"type":"string","minLength":"5"}}`:                       "write it without quotes, 5",
		`{"x":{"type":"integer","minimum":"-1.5"}}`:                     "write it without quotes, -1.5",
		`{"x":{"uniqueItems":"true"}}`:                                  "write it without quotes, true",
		`{"type":"object","additionalProperties":"false"}`:              "write it without quotes, false",
		`{"x":{"type":"string","enum":"a, b"}}`:                         `write a list, ["a", "b"]`,
		`{"x":{"type":"string","examples":"a"}}`:                        `write a list, ["a"]`,
		`{"x":{"type":"array","items":"string"}}`:                       `write {"type":"string"}`,
		`{"x":{"type":"array","items":"List[int]"}}`:                    `write {"type":"array","items":{"type":"integer"}}`,
		`{"x":{"anyOf":{"type":"string"}}}`:                             "put it into a list, as in [{…}]",
		`{"x":{"anyOf":"string"}}`:                                      `write [{"type":"string"}]`,
		`{"type":"object","properties":{"a":"str"}}`:                    `write {"type":"string"}`,
		`{"x":{"type":"array","items":["int"]}}`:                        `write {"type":"integer"}`,
		`{"type":"object","properties":[{"name":"a","type":"string"}]}`: "declare each by its name, as in a: {type: string}",
		`{"type":"object","properties":["a"]}`:                          "write an object, with the name of each",
		`{"x":{"type":null}}`:                                           `put it in quotes, "null"`,
		`{"x":{"type":["string",null]}}`:                                `put it in quotes, "null"`,
		`{"x":{"type":"integer","default":"5"}}`:                        "write it without quotes, 5, or correct the schema",
		`{"x":{"type":"boolean","default":"true"}}`:                     "write it without quotes, true, or correct the schema",
		`{"x":{"type":"string","default":1.10}}`:                        `put it in quotes, "1.10", or correct the schema`,
		`{"x":{"type":"string","default":[]}}`:                          "correct the default or the schema",
		`{"x":{"type":"string","minLength":"many"}}`:                    `found the string "many"`,
		`{"x":{"type":"array","items":"Foo"}}`:                          `schemas by position are called "prefixItems" in 2020-12`,
	} {
		_, _, err := Parse([]byte(raw))
		if err == nil || !strings.HasSuffix(err.Message, want) {
			t.Errorf("%s: want an error that ends with %s, got %v", raw, want, err)
		}
	}
}
