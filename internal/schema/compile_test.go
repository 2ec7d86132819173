package schema

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDefaults(t *testing.T) {
	wrong := func(raw, pointer, message string) parseCase {
		return parseCase{raw: raw, want: parsed{Reason: ReasonInvalidSchema, Pointer: pointer}, wantMessage: message}
	}
	kept := func(schema string) parseCase {
		return parseCase{raw: `{"x":` + schema + `}`, want: parsed{JSON: `{"properties":{"x":` + schema + `},"type":"object"}`}}
	}
	runParseCases(t, map[string]parseCase{
		"fits":                    kept(`{"default":3,"type":"integer"}`),
		"fits a path":             kept(`{"default":"/data","format":"folderpath","type":"string"}`),
		"no type":                 kept(`{"default":{"any":["thing"]}}`),
		"format is no assertion":  kept(`{"default":"no URI","format":"uri","type":"string"}`),
		"null where it may be":    kept(`{"default":null,"type":["string","null"]}`),
		"integer for a number":    kept(`{"default":1,"type":"number"}`),
		"1.0 for an integer":      kept(`{"default":1.0,"type":"integer"}`),
		"default in a default":    kept(`{"default":{"default":1},"properties":{"default":{"type":"integer"}}}`),
		"percent sign in a name":  {raw: `{"$defs":{"%c":true},"properties":{"a%b":{"$ref":"#/$defs/%25c","default":1}},"type":"object"}`, want: parsed{JSON: `{"$defs":{"%c":true},"properties":{"a%b":{"$ref":"#/$defs/%25c","default":1}},"type":"object"}`}},
		"wrong type":              wrong(`{"properties":{"x":{"type":"integer","default":"three"}}}`, "/properties/x/default", `/properties/x/default: the default, "three", does not fit its schema (got string, want integer); correct the default or the schema`),
		"wrong after normalising": wrong(`{"x":{"type":"int","default":"three"}}`, "/x/default", "got string, want integer"),
		"wrong path":              wrong(`{"x":{"type":"filepath","default":5}}`, "/x/default", "got number, want string"),
		"not in enum":             wrong(`{"x":{"enum":["a","b"],"default":"c"}}`, "/x/default", "value must be one of 'a', 'b'"),
		"above maximum":           wrong(`{"x":{"maximum":1e308,"default":1.1e308}}`, "/x/default", "maximum: got 1.1×10³⁰⁸, want 1×10³⁰⁸"),
		"no match":                wrong(`{"x":{"pattern":"^a","default":"b"}}`, "/x/default", "does not match pattern"),
		"false schema":            wrong(`{"x":{"not":{},"default":1}}`, "/x/default", "'not' failed"),
		"inside an object":        wrong(`{"x":{"properties":{"a":{"type":"string"}},"default":{"a":1}}}`, "/x/default", `(at /a: got number, want string)`),
		"through a reference":     wrong(`{"$defs":{"t":{"type":"string"}},"properties":{"a%b":{"$ref":"#/$defs/t","default":1}}}`, "/properties/a%b/default", "got number, want string"),
		"in a definition":         wrong(`{"$defs":{"t":{"type":"string","default":1}}}`, "/$defs/t/default", ""),
		"at the root":             wrong(`{"type":"object","required":["a"],"default":{}}`, "/default", "missing property 'a'"),
		"below one that fits":     wrong(`{"x":{"default":{},"properties":{"y":{"type":"string","default":1}}}}`, "/x/properties/y/default", ""),
		"second of two":           wrong(`{"x":{"type":"string","default":""},"xy":{"type":"string","default":1}}`, "/xy/default", ""),
		"unwanted names, sorted": wrong(`{"x":{"additionalProperties":false,"default":{"c":1,"a":1,"b":1}}}`, "/x/default",
			"additional properties 'a', 'b', 'c' not allowed"),
		"alternatives": wrong(`{"x":{"anyOf":[{"type":"integer"},{"type":"null"},{"maxLength":1}],"default":"ab"}}`, "/x/default",
			"(got string, want integer; got string, want null; maxLength: got 2, want 1)"),
	})
}

func TestDefaultsAreBounded(t *testing.T) {
	const twice = `{"properties":{"a":{"allOf":[{"$ref":"#/$defs/t"},{"$ref":"#/$defs/t"}]}}}`
	tree := func(value string) string {
		return `{"$defs":{"t":` + twice + `},"properties":{"x":{"$ref":"#/$defs/t","default":` + value + `}}}`
	}
	tests := map[string]struct {
		raw    string
		wantOK bool
	}{
		"2^9 visits":                {tree(nested(9, `{"a":`, "1", "}")), true},
		"2^27 visits":               {tree(nested(27, `{"a":`, "1", "}")), false},
		"2^10 times a long default": {fanOut(10, `{"items":true}`, `{"$ref":"#/$defs/d0","default":[`+numbered(50, "%d")+`]}`), false},
		"2^6 times a long enum":     {fanOut(6, `{"enum":[`+numbered(500, "%d")+`]}`, `{"$ref":"#/$defs/d0","default":1}`), false},
		"2^6 times a slow pattern":  {fanOut(6, `{"pattern":"(x+x+){50}y"}`, `{"$ref":"#/$defs/d0","default":"`+strings.Repeat("x", 1000)+`"}`), false},
		"slow names":                {fanOut(6, `{"patternProperties":{"(x+x+){50}y":true}}`, `{"$ref":"#/$defs/d0","default":{"`+strings.Repeat("x", 1000)+`":1}}`), false},
		"slow property names":       {fanOut(6, `{"propertyNames":{"pattern":"(x+x+){50}y"}}`, `{"$ref":"#/$defs/d0","default":{"`+strings.Repeat("x", 1000)+`":1}}`), false},
		"1,800 different numbers":   {`{"x":{"uniqueItems":true,"items":{"type":"integer"},"default":[` + numbered(1800, "%d") + `]}}`, true},
		"many defaults":             {`{` + numbered(600, `"p%d":{"type":"integer","default":%d}`) + `}`, true},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			_, _, err := Parse([]byte(tc.raw))
			if (err == nil) != tc.wantOK {
				t.Fatalf("want ok %t, got %v", tc.wantOK, err)
			}
			if err != nil && (err.Reason != ReasonSchemaTooLarge || err.Pointer != "/properties/x/default") {
				t.Errorf("want %s at /properties/x/default, got %s at %s", ReasonSchemaTooLarge, err.Reason, err.Pointer)
			}
		})
	}
}

// TestMeterIsBounded applies 300 schemas to each of 1,500 items: counting that
// must not take as long as doing it.
func TestMeterIsBounded(t *testing.T) {
	value, err := decode([]byte(`{"properties":{"x":{"allOf":[`+numbered(300, `{"items":{"maximum":%d}}`)+`],"items":{"minimum":0}}}}`), schemaLimits)
	if err != nil {
		t.Fatal(err)
	}
	doc := readSchema(value.(map[string]any), nil)
	if err := doc.err(); err != nil {
		t.Fatal(err)
	}
	items, err := decode([]byte("["+numbered(1500, "%d")+"]"), schemaLimits)
	if err != nil {
		t.Fatal(err)
	}
	const limit = 10_000
	m := newMeter(doc, limit)
	if n := m.steps(0, newInstance(map[string]any{"x": items})); n != limit+1 {
		t.Errorf("want %d steps, got %d", limit+1, n)
	}
	if n := len(m.counts); n > 2*limit {
		t.Errorf("want the meter to stop counting soon, it went on to %d", n)
	}
}

func TestValidator(t *testing.T) {
	s, _, err := Parse([]byte(`{"$defs":{
		"t":{"type":"array","items":{"$ref":"#/$defs/t"}},
		"u":{"properties":{"a":{"allOf":[{"$ref":"#/$defs/u"},{"$ref":"#/$defs/u"}]}}}},
		"required":["image"],"properties":{
		"image":{"type":"filepath"},"n":{"type":"integer","minimum":1},"tree":{"$ref":"#/$defs/t"},"a%/b":{"const":"c"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	validator, e := s.Validator()
	if e != nil {
		t.Fatal(e)
	}
	tests := map[string]struct {
		pointer, value string
		want           string
	}{
		"fits":           {"", `{"image":"a.png","n":2,"tree":[[],[[]]]}`, ""},
		"missing":        {"", `{"n":2}`, "missing property 'image'"},
		"several":        {"", `{"image":5,"n":0}`, "at /image: got number, want string; at /n: minimum: got 0, want 1"},
		"one parameter":  {"/properties/n", `3`, ""},
		"wrong":          {"/properties/n", `"3"`, "got string, want integer"},
		"escaped":        {"/properties/a%~1b", `"d"`, "value must be 'c'"},
		"no such":        {"/properties/m", `3`, `the schema has no subschema at "/properties/m"`},
		"not JSON":       {"/properties/n", `3,`, "the document is not JSON: invalid character ',' after top-level value, at byte 2"},
		"huge number":    {"/properties/n", `1e999999`, "the number 1e999999 has an exponent beyond ±308, the limit; use a smaller number"},
		"too deep":       {"/properties/tree", nested(65, "[", "", "]"), strings.Repeat("/0", 64) + ": the document is nested deeper than 64 levels, the limit; flatten it, for instance by moving inner schemas to $defs"},
		"many items":     {"/$defs/t", "[" + numbered(19999, "[]") + "]", ""},
		"too many steps": {"/$defs/u", nested(60, `{"a":`, "1", "}"), "checking the value takes more than 200000 steps, the limit"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got := ""
			if err := validator.Validate(tc.pointer, []byte(tc.value)); err != nil {
				got = err.Error()
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("Validate(%q, %s): -want +got:\n%s", tc.pointer, clip(tc.value, 100), diff)
			}
		})
	}
}
