package schema

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// warningsOf are those of a valid document, one a line.
func warningsOf(t *testing.T, raw string) []string {
	t.Helper()
	_, warnings, err := Parse([]byte(raw))
	if err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	texts := []string{}
	for _, w := range warnings {
		texts = append(texts, w.Kind+" "+w.String())
	}
	return texts
}

// TestA4Keywords: a name that is nearly a keyword is told, with the keyword (row A4 of the field cases).
func TestA4Keywords(t *testing.T) {
	tests := map[string]struct{ raw, pointer, want string }{
		"requried":               {`{"type":"object","properties":{"a":true},"requried":["a"]}`, "/requried", "required"},
		"maxLenght":              {`{"x":{"type":"string","maxLenght":5}}`, "/x/maxLenght", "maxLength"},
		"addtionalProperties":    {`{"x":{"type":"object","addtionalProperties":false}}`, "/x/addtionalProperties", "additionalProperties"},
		"propertes":              {`{"type":"object","propertes":{"a":{"type":"string"}}}`, "/propertes", "properties"},
		"minimun":                {`{"x":{"minimun":1}}`, "/x/minimun", "minimum"},
		"case":                   {`{"x":{"maxlength":1}}`, "/x/maxlength", "maxLength"},
		"snake case":             {`{"x":{"additional_properties":false}}`, "/x/additional_properties", "additionalProperties"},
		"snake case of oneOf":    {`{"x":{"one_of":[{}]}}`, "/x/one_of", "oneOf"},
		"without $":              {`{"x":{"ref":"#/$defs/a"}}`, "/x/ref", "$ref"},
		"defs":                   {`{"type":"object","defs":{"a":{}}}`, "/defs", "$defs"},
		"def":                    {`{"type":"object","$def":{"a":{}}}`, "/$def", "$defs"},
		"item":                   {`{"x":{"type":"array","item":{"type":"string"}}}`, "/x/item", "items"},
		"types":                  {`{"x":{"types":["string"]}}`, "/x/types", "type"},
		"tyep":                   {`{"x":{"tyep":"string"}}`, "/x/tyep", "type"},
		"descripton":             {`{"x":{"descripton":"d"}}`, "/x/descripton", "description"},
		"defualt":                {`{"x":{"defualt":1}}`, "/x/defualt", "default"},
		"eunm":                   {`{"x":{"eunm":["a"]}}`, "/x/eunm", "enum"},
		"patern":                 {`{"x":{"patern":"a"}}`, "/x/patern", "pattern"},
		"nulable":                {`{"x":{"type":"string","nulable":true}}`, "/x/nulable", "nullable"},
		"min of a number":        {`{"x":{"type":"integer","min":1}}`, "/x/min", "minimum"},
		"max of a string":        {`{"x":{"type":"string","max":1}}`, "/x/max", "maxLength"},
		"max of an array":        {`{"x":{"type":"array","max":1}}`, "/x/max", "maxItems"},
		"max_len":                {`{"x":{"type":"string","max_len":5}}`, "/x/max_len", "maxLength"},
		"minLen":                 {`{"x":{"minLen":5}}`, "/x/minLen", "minLength"},
		"regex":                  {`{"x":{"type":"string","regex":"a"}}`, "/x/regex", "pattern"},
		"choices":                {`{"x":{"type":"string","choices":["a"]}}`, "/x/choices", "enum"},
		"in a definition":        {`{"$defs":{"a":{"items":{"uniqeItems":true}}}}`, "/$defs/a/items/uniqeItems", "uniqueItems"},
		"in an older draft":      {`{"$schema":"http://json-schema.org/draft-07/schema#","definitions":{"a":{"minLenght":1}}}`, "/definitions/a/minLenght", "minLength"},
		"a keyword of the whole": {`{"type":"object","patternProperites":{"a":true}}`, "/patternProperites", "patternProperties"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			last := tc.pointer[strings.LastIndexByte(tc.pointer, '/')+1:]
			want := KindUnknownKeyword + " " + tc.pointer + `: JSON Schema has no keyword "` + last + `", so it says nothing; did you mean "` + tc.want + `"?`
			got := warningsOf(t, tc.raw)
			if i := len(got) - 1; i < 0 || got[len(got)-1] != want && got[0] != want {
				t.Errorf("%s: want %s, got %q", tc.raw, want, got)
			}
		})
	}
}

// TestA4Values: values that the type does not allow are told, with what was meant.
func TestA4Values(t *testing.T) {
	tests := map[string]struct {
		raw  string
		want []string
	}{
		"yes and no": {`{"x":{"type":"string","enum":[true,false]}}`, []string{
			`/x/enum/0: true is not of the type "string", so it never fits; YAML reads yes, on and true without quotes as true: put the text in quotes, or make the type boolean`,
			`/x/enum/1: false is not of the type "string", so it never fits; YAML reads no, off and false without quotes as false: put the text in quotes, or make the type boolean`}},
		"yes of a path":     {`{"x":{"type":"filepath","enum":["a",true]}}`, []string{`/x/enum/1: true is not of the type "string", so it never fits; YAML reads yes, on and true without quotes as true: put the text in quotes, or make the type boolean`}},
		"text of a number":  {`{"x":{"type":"integer","enum":["1",2]}}`, []string{`/x/enum/0: "1" is not of the type "integer", so it never fits; write it without quotes, 1, or make the type string`}},
		"text of a boolean": {`{"x":{"type":"boolean","enum":["true"]}}`, []string{`/x/enum/0: "true" is not of the type "boolean", so it never fits; write it without quotes, true, or make the type string`}},
		"yes of a boolean":  {`{"x":{"type":"boolean","const":"yes"}}`, []string{`/x/const: "yes" is not of the type "boolean", so it never fits; write true or false, or make the type string`}},
		"number of a text":  {`{"x":{"type":"string","const":1.5}}`, []string{`/x/const: 1.5 is not of the type "string", so it never fits; put it in quotes, "1.5", or make the type number`}},
		"null":              {`{"x":{"type":"string","enum":["a",null]}}`, []string{`/x/enum/1: null is not of the type "string", so it never fits; add "null" to the types, or remove it`}},
		"several types":     {`{"x":{"type":["string","null"],"enum":["a",null,{}]}}`, []string{`/x/enum/2: {} is not of the type ["string","null"], so it never fits; correct it, or the type`}},
		"a fraction":        {`{"x":{"type":"integer","enum":[1.5]}}`, []string{`/x/enum/0: 1.5 is not of the type "integer", so it never fits; correct it, or the type`}},
		"beyond a bound":    {`{"x":{"enum":[1,12],"maximum":10}}`, []string{`/x/enum/1: 12 never fits, as the other keywords of the schema do not allow it; correct it, or them`}},
		"too long":          {`{"x":{"const":"abc","maxLength":2}}`, []string{`/x/const: "abc" never fits, as the other keywords of the schema do not allow it; correct it, or them`}},
		"no match":          {`{"x":{"enum":["A","b"],"pattern":"^[a-z]$"}}`, []string{`/x/enum/0: "A" never fits, as it does not match the "pattern"; correct one of the two`}},
		"const not listed": {`{"x":{"enum":["a","b"],"const":"c"}}`, []string{`/x/const: "c" never fits, as the other keywords of the schema do not allow it; correct it, or them`,
			`/x/enum/0: "a" never fits, as the other keywords of the schema do not allow it; correct it, or them`, `/x/enum/1: "b" never fits, as the other keywords of the schema do not allow it; correct it, or them`}},
		"an empty list": {`{"x":{"enum":[]}}`, []string{`/x/enum: the list is empty, so no value fits; list the values, or remove it`}},
		"many":          {`{"x":{"type":"string","enum":[1,2,3,4,5,6,7]}}`, nil},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got := warningsOf(t, tc.raw)
			if tc.want == nil {
				if len(got) != maxToldValues {
					t.Errorf("want %d warnings, got %q", maxToldValues, got)
				}
				return
			}
			for i := range tc.want {
				tc.want[i] = KindContradiction + " " + tc.want[i]
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: -want +got:\n%s", tc.raw, diff)
			}
		})
	}
}

// TestA4Contradictions: keywords that contradict each other, or say nothing, are told.
func TestA4Contradictions(t *testing.T) {
	tests := map[string]struct{ raw, want string }{
		"minimum and maximum": {`{"x":{"type":"integer","minimum":10,"maximum":1}}`, `/x/minimum: no integer fits "minimum": 10 and "maximum": 1; swap or correct them`},
		"exclusive bounds":    {`{"x":{"exclusiveMinimum":1,"exclusiveMaximum":1}}`, `/x/exclusiveMinimum: no number fits "exclusiveMinimum": 1 and "exclusiveMaximum": 1; swap or correct them`},
		"no integer":          {`{"x":{"type":"integer","exclusiveMinimum":0,"exclusiveMaximum":1}}`, `/x/exclusiveMinimum: no integer fits "exclusiveMinimum": 0 and "exclusiveMaximum": 1; correct them`},
		"no multiple":         {`{"x":{"type":"number","minimum":1,"maximum":4,"multipleOf":5}}`, `/x/minimum: no number fits "minimum": 1, "maximum": 4 and "multipleOf": 5; correct them`},
		"lengths":             {`{"x":{"type":"string","minLength":5,"maxLength":2}}`, `/x/minLength: "minLength": 5 is above "maxLength": 2, so no text fits; swap them, or correct one`},
		"items":               {`{"x":{"minItems":2,"maxItems":1}}`, `/x/minItems: "minItems": 2 is above "maxItems": 1, so no array fits; swap them, or correct one`},
		"properties":          {`{"x":{"minProperties":2,"maxProperties":1}}`, `/x/minProperties: "minProperties": 2 is above "maxProperties": 1, so no object fits; swap them, or correct one`},
		"contains":            {`{"x":{"contains":{},"minContains":2,"maxContains":1}}`, `/x/minContains: "minContains": 2 is above "maxContains": 1, so no array fits; swap them, or correct one`},
		"required, forbidden": {`{"properties":{"image":true},"required":["image","imgae"],"additionalProperties":false}`,
			`/required/1: "imgae" is required, and "additionalProperties": false forbids it, so no object fits; declare it below "properties"`},
		"required, misspelt":   {`{"properties":{"image":true},"required":["imgae"]}`, `/required/0: "imgae" is required, and not declared below "properties"; did you mean "image"?`},
		"required, inside":     {`{"x":{"type":"object","properties":{"a_b":true},"required":["aB"],"additionalProperties":false}}`, `/x/required/0: "aB" is required, and "additionalProperties": false forbids it, so no object fits; declare it below "properties"; did you mean "a_b"?`},
		"length of an integer": {`{"x":{"type":"integer","maxLength":3}}`, `/x/maxLength: "maxLength" is for the type string, and the type is "integer", so it says nothing; did you mean "maximum"?`},
		"maximum of a text":    {`{"x":{"type":"string","maximum":3}}`, `/x/maximum: "maximum" is for the type number, and the type is "string", so it says nothing; did you mean "maxLength"?`},
		"length of an array":   {`{"x":{"type":"array","minLength":3}}`, `/x/minLength: "minLength" is for the type string, and the type is "array", so it says nothing; did you mean "minItems"?`},
		"items of an object":   {`{"x":{"type":"object","items":{"type":"string"}}}`, `/x/items: "items" is for the type array, and the type is "object", so it says nothing; remove it, or add "array" to the types`},
		"properties of a text": {`{"x":{"type":["string","null"],"properties":{"a":{}}}}`, `/x/properties: "properties" is for the type object, and the type is ["string","null"], so it says nothing; remove it, or add "object" to the types`},
		"then without if":      {`{"x":{"then":{}}}`, `/x/then: "then" says nothing without "if"; add it, or remove "then"`},
		"if alone":             {`{"x":{"if":{"const":1}}}`, `/x/if: "if" says nothing without "then" or "else"; add it, or remove "if"`},
		"minContains alone":    {`{"x":{"minContains":1}}`, `/x/minContains: "minContains" says nothing without "contains"; add it, or remove "minContains"`},
		"additionalItems":      {`{"x":{"items":{"type":"string"},"additionalItems":false}}`, `/x/additionalItems: "additionalItems" says nothing without a list of "items", and is called "items" in 2020-12; remove it, or use "prefixItems" and "items"`},
		"slashes":              {`{"x":{"type":"string","pattern":"/^[a-z]+$/i"}}`, `/x/pattern: the slashes around "/^[a-z]+$/i" are part of the regular expression here, so hardly any text matches; leave them out`},
		"allOf":                {`{"x":{"allOf":[{"type":"string"},{"type":"integer"}]}}`, `/x: no value fits, as what is combined here contradicts itself; correct one of the schemas`},
		"a type and anyOf":     {`{"x":{"type":"boolean","anyOf":[{"type":"string"},{"type":"integer"}]}}`, `/x: no value fits, as what is combined here contradicts itself; correct one of the schemas`},
		"a bound and $ref":     {`{"$defs":{"a":{"type":"integer","maximum":5}},"properties":{"x":{"$ref":"#/$defs/a","minimum":6}}}`, `/properties/x: no value fits, as what is combined here contradicts itself; correct one of the schemas`},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff([]string{KindContradiction + " " + tc.want}, warningsOf(t, tc.raw)); diff != "" {
				t.Errorf("%s: -want +got:\n%s", tc.raw, diff)
			}
		})
	}
}

// TestA4LegalAndCommon: what is legal and common is not told.
func TestA4LegalAndCommon(t *testing.T) {
	for _, raw := range []string{
		benign,
		`{"x":{"type":"string","x-maxlenght":5,"x-requried":true,"example":"a","examples":["a"],"markdownDescription":"m","enumNames":["a"],"id":"x"}}`,
		`{"x":{"type":"number","unit":"s","cost":1,"note":"n","label":"l","order":1,"group":"g","ui:widget":"w","format":"int32","name":"n","value":5}}`,
		`{"x":{"type":"string","options":["a"],"values":["a"],"tags":["t"],"hidden":false,"placeholder":"p","help":"h","optional":"maybe","menu":["a"],"form":"f"}}`,
		`{"x":{"type":"object","discriminator":{"propertyName":"a"},"xml":{"name":"x"},"externalDocs":{"url":"u"},"properties":{"a":{"type":"string"}}}}`,
		`{"x":{"type":"string","enum":["yes","no","1"]},"y":{"type":"integer","enum":[1,2.0]},"z":{"enum":[1,"a",null,true]},"w":{"type":["boolean","null"],"enum":[true,null]}}`,
		`{"x":{"type":"integer","minimum":1,"maximum":1},"y":{"minLength":2,"maxLength":2},"z":{"type":"number","exclusiveMinimum":0,"exclusiveMaximum":1}}`,
		`{"x":{"minimum":10,"maxLength":1},"y":{"type":["string","integer"],"maxLength":3,"minimum":1}}`,
		`{"x":{"type":"string","additionalProperties":false,"items":{},"minItems":0,"required":[],"uniqueItems":false}}`,
		`{"properties":{"x":{"anyOf":[{"type":"string"},{"type":"null"}],"default":null},"y":{"allOf":[{"$ref":"#/$defs/a"}],"description":"d"}},"$defs":{"a":{"type":"string"}}}`,
		`{"properties":{"a":{"type":"string"}},"anyOf":[{"required":["a"]},{"required":["b"]}],"patternProperties":{"^b":true}}`,
		`{"properties":{"a":true},"required":["b"],"additionalProperties":{"type":"string"}}`,
		`{"properties":{"a":true},"allOf":[{"properties":{"b":true}}],"required":["b"]}`,
		`{"properties":{"a":{"type":"object","properties":{"start":true},"required":["end"]}}}`,
		`{"properties":{"a":true,"ab":true},"required":["a","ab"],"additionalProperties":false}`,
		`{"properties":{"c":{"allOf":[false]},"d":{"not":false},"e":{"not":{"type":"string"}},"f":{"additionalProperties":{"not":{}},"items":{"not":false}}}}`,
		`{"properties":{"k":true},"anyOf":[{"properties":{"a":{"not":{}},"b":false}},{"properties":{"c":{"type":"string"}}}],"if":{"required":["k"]},"then":{"properties":{"b":false}}}`,
		`{"x":{"anyOf":[{"not":{}},{"type":"string"}]},"y":{"type":"object","fields":["a"],"parameters":{"temperature":0.5},"options":[{"label":"A"}],"element":"div","gt":"x"}}`,
		`{"x":{"type":"string","format":"color"},"y":{"type":"integer","format":"uint8"},"z":{"format":"ipv5"},"w":{"format":"yyyy-mm-dd"},"v":{"format":"textarea"}}`,
		`{"x":{"type":"string","pattern":"/api/"},"y":{"pattern":"^/a/$"}}`,
		`{"x":{"widget":{"type":"select"},"x-ui":{"type":"string"}},"y":{"type":"string","ui":{"type":"string"}},"z":{"properties":{"a":true},"ui":{"type":"string"}}}`,
		`{"x":{"oneOf":[{"type":"object","properties":{"k":{"const":"a"}},"required":["k"]},{"type":"object","properties":{"k":{"const":"b"}},"required":["k"]}]}}`,
		`{"x":{"if":{"required":["a"]},"then":{"required":["b"]}},"y":{"contains":{},"minContains":0}}`,
		`{"requried":{"type":"boolean"},"maxLenght":"int","min":{"type":"number"}}`,
		`{"x":{"default":{"requried":1},"const":{"requried":1}},"y":{"enum":[{"maxLenght":1}]}}`,
	} {
		for _, w := range warningsOf(t, raw) {
			if !strings.HasPrefix(w, KindPythonType) {
				t.Errorf("%s: want nothing, got %s", raw, w)
			}
		}
	}
}

// TestA4Nested: a property of an object that is not below "properties" is told.
func TestA4Nested(t *testing.T) {
	const nothing = `: this is no keyword of JSON Schema and declares nothing; a member of this name belongs below "properties"`
	for raw, want := range map[string]string{
		`{"x":{"city":{"type":"string"}}}`:                                                    "UnknownKeyword /x/city" + nothing,
		`{"x":{"type":"object","city":{"type":"string","minLength":1}}}`:                      "UnknownKeyword /x/city" + nothing,
		`{"x":{"type":"array","items":{"city":{"type":"str"}}}}`:                              "UnknownKeyword /x/items/city" + nothing,
		`{"type":"object","properties":{"x":{"type":"object","a/b":{},"c":{"type":"null"}}}}`: "UnknownKeyword /properties/x/c" + nothing,
	} {
		got := warningsOf(t, raw)
		if len(got) != 1 || got[0] != want {
			t.Errorf("%s: want %s, got %v", raw, want, got)
		}
	}
}

// TestSlipsBesideErrors: misspelt keywords are told even where something is wrong.
func TestSlipsBesideErrors(t *testing.T) {
	_, warnings, errs := Check([]byte(`{"x":{"type":"strnig","requried":["a"],"minLength":"a","maxLength":0}}`))
	if len(errs) != 2 || len(warnings) != 1 || warnings[0].Pointer != "/x/requried" {
		t.Errorf("want two errors and a warning at /x/requried, got %v and %v", errs, warnings)
	}
}

// TestMissingSpace (A4, A8): YAML reads {type:string} as one key.
func TestMissingSpace(t *testing.T) {
	for raw, want := range map[string]string{
		`{"x":{"type:string":null}}`:           `UnknownKeyword /x/type:string: JSON Schema has no keyword "type:string", so it says nothing; did you mean "type"?; YAML wants a space behind the colon`,
		`{"x":{"enum:[a]":null}}`:              `UnknownKeyword /x/enum:[a]: JSON Schema has no keyword "enum:[a]", so it says nothing; did you mean "enum"?; YAML wants a space behind the colon`,
		`{"x":{"nullable":"true"}}`:            `Contradiction /x/nullable: "nullable" is true or false, found the string "true", so it says nothing; write it without quotes`,
		`{"x":{"items":{"minimum:3":null}}}`:   `UnknownKeyword /x/items/minimum:3: JSON Schema has no keyword "minimum:3", so it says nothing; did you mean "minimum"?; YAML wants a space behind the colon`,
		`{"x":{"xml:lang":null,"type:a":"b"}}`: "",
	} {
		if got := strings.Join(warningsOf(t, raw), "\n"); got != want {
			t.Errorf("%s: want %s, got %s", raw, want, got)
		}
	}
}

// TestContradictionsBesideErrors (A3, A4): a schema that is wrong hides nothing of another one. What may lead to it is not judged.
func TestContradictionsBesideErrors(t *testing.T) {
	const wrong = `"x":{"type":"strnig"}`
	cases := map[string][]string{
		`{` + wrong + `,"y":{"type":"integer","enum":["1"]}}`:                                             {"/y/enum/0"},
		`{` + wrong + `,"y":{"type":"string","maxItems":3},"z":{"minimum":5,"maximum":1}}`:                {"/y/maxItems", "/z/minimum"},
		`{` + wrong + `,"y":{"items":{"minLength":5,"maxLength":1}}}`:                                     {"/y/items/minLength"},
		`{` + wrong + `,"y":{"type":"string","enum":["a"],"anyOf":[{"type":"strnig"}],"maxLength":0}}`:    nil,
		`{` + wrong + `,"y":{"$ref":"#/properties/x","enum":[1]}}`:                                        nil,
		`{"$defs":{"d":{"pattern":"("}},"properties":{"y":{"allOf":[{"$ref":"#/$defs/d"}],"enum":[]}}}`:   nil,
		`{` + wrong + `,"y":{"type":"integer","minimum":5,"maximum":1,"default":3}}`:                      nil, // which tells as much
		`{"required":"a","type":"object","properties":{"y":{"type":"integer","multipleOf":2,"const":3}}}`: {"/properties/y/const"},
	}
	for text, want := range cases {
		_, warnings, errs := Check([]byte(text))
		var got []string
		for _, w := range warnings {
			got = append(got, w.Pointer)
		}
		if len(errs) == 0 {
			t.Errorf("%s: want errors", text)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: warnings (-want +got):\n%s", text, diff)
		}
	}
}
