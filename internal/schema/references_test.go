package schema

import (
	"strconv"
	"strings"
	"testing"
)

func TestReferences(t *testing.T) {
	kept := func(raw string) parseCase { return parseCase{raw: raw, want: parsed{JSON: raw}} }
	remote := func(ref string) parseCase {
		return parseCase{raw: `{"properties":{"x":{"items":{"$ref":"` + ref + `"}}}}`,
			want: parsed{Reason: ReasonRemoteRefForbidden, Pointer: "/properties/x/items/$ref"}, wantMessage: "nothing is ever fetched"}
	}
	unresolved := func(ref string) parseCase {
		return parseCase{raw: `{"$defs":{"a":{"enum":[{}]}},"x-b":{},"properties":{"x":{"$ref":"` + ref + `"}}}`,
			want: parsed{Reason: ReasonInvalidSchema, Pointer: "/properties/x/$ref"}}
	}
	runParseCases(t, map[string]parseCase{
		"definition":         kept(`{"$defs":{"a":{"type":"string"}},"properties":{"x":{"$ref":"#/$defs/a"}},"type":"object"}`),
		"definition, old":    kept(`{"definitions":{"a":true},"properties":{"x":{"$ref":"#/definitions/a"}},"type":"object"}`),
		"another parameter":  kept(`{"properties":{"x":{"$ref":"#/properties/y"},"y":{"items":true}},"type":"object"}`),
		"item of a list":     kept(`{"allOf":[true,{"minProperties":1}],"properties":{"x":{"$ref":"#/allOf/1"}},"type":"object"}`),
		"escaped":            kept(`{"$defs":{"a/b~ %c":true},"properties":{"x":{"$ref":"#/$defs/a~1b~0%20%25c"}},"type":"object"}`),
		"Unicode":            kept(`{"$defs":{"类型":true},"properties":{"x":{"$ref":"#/$defs/类型"},"y":{"$ref":"#/$defs/%E7%B1%BB%E5%9E%8B"}},"type":"object"}`),
		"anchor":             kept(`{"$defs":{"a":{"$anchor":"name"}},"properties":{"x":{"$ref":"#name"}},"type":"object"}`),
		"dynamic anchor":     kept(`{"$defs":{"a":{"$dynamicAnchor":"name"}},"properties":{"x":{"$dynamicRef":"#name"}},"type":"object"}`),
		"both anchors":       kept(`{"$defs":{"a":{"$anchor":"n","$dynamicAnchor":"n"}},"properties":{"x":{"$dynamicRef":"#n"}},"type":"object"}`),
		"$ref in const":      kept(`{"properties":{"x":{"const":{"$ref":"http://example.com"}}},"type":"object"}`),
		"property of a name": kept(`{"properties":{"$ref":{"type":"string"}},"type":"object"}`),
		"http":               remote("http://example.com/schema.json"),
		"https with pointer": remote("https://example.com/schema.json#/$defs/a"),
		"file":               remote("file:///etc/passwd"),
		"relative":           remote("other.json"),
		"metaschema":         remote("https://json-schema.org/draft/2020-12/schema"),
		"urn":                remote("urn:maregister:schema"),
		"missing":            unresolved("#/$defs/b"),
		"missing anchor":     unresolved("#b"),
		"not a schema":       unresolved("#/$defs"),
		"inside enum":        unresolved("#/$defs/a/enum/0"),
		"below no keyword":   unresolved("#/x-b/c"),
		"bad escape":         unresolved("#/$defs/%zz"),
		"backslash":          unresolved(`#/$defs/\\`),
		"reference is no string": {raw: `{"$ref":5}`,
			want: parsed{Reason: ReasonInvalidSchema, Pointer: "/$ref"}},
		"anchor is no name": {raw: `{"properties":{"x":{"$anchor":"a b"}}}`,
			want: parsed{Reason: ReasonInvalidSchema, Pointer: "/properties/x/$anchor"}},
		"anchor twice": {raw: `{"properties":{"x":{"$anchor":"a"},"y":{"$dynamicAnchor":"a"}}}`,
			want: parsed{Reason: ReasonInvalidSchema, Pointer: "/properties/y/$dynamicAnchor"}, wantMessage: "already at /properties/x"},
	})
}

func TestCycles(t *testing.T) {
	cycle := func(raw, pointer, message string) parseCase {
		return parseCase{raw: raw, want: parsed{Reason: ReasonRefCycle, Pointer: pointer}, wantMessage: message}
	}
	kept := func(raw string) parseCase { return parseCase{raw: raw, want: parsed{JSON: raw}} }
	runParseCases(t, map[string]parseCase{
		"itself":      cycle(`{"$ref":"#"}`, "", "(# → #)"),
		"a, b, a":     cycle(`{"$defs":{"a":{"$ref":"#/$defs/b"},"b":{"$ref":"#/$defs/a"}}}`, "/$defs/a", "(#/$defs/a → #/$defs/b → #/$defs/a)"),
		"allOf":       cycle(`{"$defs":{"a":{"allOf":[{"$ref":"#/$defs/a"}]}}}`, "/$defs/a", "#/$defs/a/allOf/0"),
		"anyOf":       cycle(`{"anyOf":[true,{"$ref":"#"}]}`, "", "#/anyOf/1"),
		"oneOf":       cycle(`{"oneOf":[{"$ref":"#"}]}`, "", ""),
		"not":         cycle(`{"properties":{"x":{"not":{"$ref":"#/properties/x"}}}}`, "/properties/x", ""),
		"if":          cycle(`{"if":{"$ref":"#"},"$defs":{}}`, "", ""),
		"then":        cycle(`{"if":true,"then":{"$ref":"#"},"$defs":{}}`, "", ""),
		"else":        cycle(`{"if":true,"else":{"$ref":"#"},"$defs":{}}`, "", ""),
		"dependent":   cycle(`{"dependentSchemas":{"a":{"$ref":"#"}},"$defs":{}}`, "", ""),
		"old":         cycle(`{"dependencies":{"a":{"$ref":"#"}},"$defs":{}}`, "", ""),
		"$dynamicRef": cycle(`{"$dynamicAnchor":"a","$dynamicRef":"#a"}`, "", ""),
		"behind a property": cycle(`{"properties":{"x":{"$ref":"#/$defs/a"}},"$defs":{"a":{"properties":{"y":{"$ref":"#/properties/x"}},"allOf":[{"$ref":"#/properties/x"}]}}}`,
			"/$defs/a", ""),
		"through properties":      kept(`{"properties":{"child":{"$ref":"#"}},"type":"object"}`),
		"through items":           kept(`{"$defs":{"t":{"items":{"$ref":"#/$defs/t"}}},"properties":{"x":{"$ref":"#/$defs/t"}},"type":"object"}`),
		"binary tree":             kept(`{"$defs":{"t":{"properties":{"l":{"$ref":"#/$defs/t"},"r":{"$ref":"#/$defs/t"}}}},"properties":{"x":{"$ref":"#/$defs/t"}},"type":"object"}`),
		"through a property name": kept(`{"propertyNames":{"$ref":"#"},"type":"object"}`),
	})
}

func TestExpansion(t *testing.T) {
	tests := map[string]struct {
		raw    string
		wantOK bool
	}{
		"2^10":                        {fanOut(10, `{"type":"string"}`, `{"$ref":"#/$defs/d0"}`), true},
		"2^22":                        {fanOut(22, `{"type":"string"}`, `{"$ref":"#/$defs/d0"}`), false},
		"2^40":                        {fanOut(40, `{"type":"string"}`, `{"$ref":"#/$defs/d0"}`), false},
		"2^40, not referred to":       {fanOut(40, `{"type":"string"}`, `true`), false},
		"many references to one":      {`{"$defs":{"a":{"properties":{` + numbered(90, `"p%d":true`) + `}}},"properties":{` + numbered(600, `"q%d":{"$ref":"#/$defs/a"}`) + `}}`, true},
		"600 of 200":                  {`{"$defs":{"a":{"properties":{` + numbered(200, `"p%d":true`) + `}}},"properties":{` + numbered(600, `"q%d":{"$ref":"#/$defs/a"}`) + `}}`, false},
		"through properties":          {`{"$defs":{"d0":{"properties":{"a":{"$ref":"#/$defs/d1"},"b":{"$ref":"#/$defs/d1"}}},` + numbered(1, `"d1":{"items":{"$ref":"#/$defs/d0"}}`) + `}}`, true},
		"a chain of 500":              {chain(500), true},
		"everything refers to it all": {`{"$defs":{` + numbered(20, `"d%d":{"properties":{`+references(20)+`}}`) + `}}`, false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			_, _, err := Parse([]byte(tc.raw))
			if (err == nil) != tc.wantOK {
				t.Fatalf("want ok %t, got %v", tc.wantOK, err)
			}
			if err != nil && err.Reason != ReasonSchemaTooLarge {
				t.Errorf("want %s, got %s", ReasonSchemaTooLarge, err.Reason)
			}
		})
	}
}

// references are n properties, each a reference to one definition.
func references(n int) string {
	text := ""
	for i := range n {
		text += `"p` + strconv.Itoa(i) + `":{"$ref":"#/$defs/d` + strconv.Itoa(i) + `"},`
	}
	return strings.TrimSuffix(text, ",")
}

// chain has n definitions, each a reference to the next.
func chain(n int) string {
	text := ""
	for i := range n {
		text += `"d` + strconv.Itoa(i) + `":{"$ref":"#/$defs/d` + strconv.Itoa(i+1) + `"},`
	}
	return `{"$defs":{` + text + `"d` + strconv.Itoa(n) + `":true},"properties":{"x":{"$ref":"#/$defs/d0","default":1}}}`
}
