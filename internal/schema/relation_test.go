package schema

import (
	"strings"
	"testing"
)

// definitions are what the pairs below refer to.
const definitions = `{
	"s": {"type": "string"},
	"n": {"$anchor": "n", "type": "integer"},
	"tree": {"type": "object", "properties": {"v": {"type": "integer"}, "next": {"$ref": "#/$defs/tree"}}, "required": ["v"]},
	"loose": {"type": "object", "properties": {"v": {"type": "number"}, "next": {"$ref": "#/$defs/loose"}}},
	"texts": {"type": "object", "properties": {"v": {"type": "string"}, "next": {"$ref": "#/$defs/texts"}}, "required": ["v"]},
	"endless": {"type": "object", "properties": {"next": {"$ref": "#/$defs/endless"}}, "required": ["next"]},
	"lists": {"type": "array", "items": {"anyOf": [{"type": "integer"}, {"$ref": "#/$defs/lists"}]}},
	"twice": {"properties": {"a": {"allOf": [{"$ref": "#/$defs/twice"}, {"$ref": "#/$defs/twice"}]}}},
	"lists2": {"type": ["array", "number"], "items": {"$ref": "#/$defs/lists2"}}
}`

// partOf is a parameter's part.
func partOf(t *testing.T, schema string) Part {
	t.Helper()
	s, _, refusal := Parse([]byte(`{"type":"object","properties":{"x":` + schema + `},"$defs":` + definitions + `}`))
	if refusal != nil {
		t.Fatalf("%s: %v", schema, refusal)
	}
	p, err := s.Parameters()
	if err != nil {
		t.Fatal(err)
	}
	part, ok := p.Part("x")
	if !ok {
		t.Fatalf("%s: no part", schema)
	}
	return part
}

// expandMany writes out schemas with more alternatives than are compared, and lists of more values than the library is asked about.
func expandMany(schema string) string {
	schema = strings.Replace(schema, "MANY", numbered(7, `{"anyOf":[{"minLength":%d},{"maxLength":%d}]}`), 1)
	return strings.Replace(schema, "LIST", numbered(60, `[%d,"a"]`), 1)
}

// feedsCase is a pair of schemas and how they relate, in both orders.
type feedsCase struct {
	from, to       string
	want, wantBack Relation
	// wantReason is what Explain says.
	wantReason string
}

func runFeedsCases(t *testing.T, cases map[string]feedsCase) {
	t.Helper()
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			from, to := partOf(t, expandMany(tc.from)), partOf(t, expandMany(tc.to))
			if got := Feeds(from, to); got != tc.want {
				t.Errorf("Feeds(%s, %s): want %s, got %s", tc.from, tc.to, tc.want, got)
			}
			if got := Feeds(to, from); got != tc.wantBack {
				t.Errorf("Feeds(%s, %s): want %s, got %s", tc.to, tc.from, tc.wantBack, got)
			}
			if got := Explain(from, to); got != tc.wantReason {
				t.Errorf("Explain(%s, %s): want %q, got %q", tc.from, tc.to, tc.wantReason, got)
			}
		})
	}
}

func TestFeedsTypes(t *testing.T) {
	runFeedsCases(t, map[string]feedsCase{
		"types: same":               {from: `{"type":"string"}`, to: `{"type":"string"}`, want: Compatible, wantBack: Compatible},
		"types: integer to string":  {from: `{"type":"integer"}`, to: `{"type":"string"}`, want: Incompatible, wantBack: Incompatible, wantReason: "integer, not string"},
		"types: integer to number":  {from: `{"type":"integer"}`, to: `{"type":"number"}`, want: Compatible, wantBack: Unknown},
		"types: boolean to integer": {from: `{"type":"boolean"}`, to: `{"type":"integer"}`, want: Incompatible, wantBack: Incompatible, wantReason: "boolean, not integer"},
		"types: boolean":            {from: `{"type":"boolean"}`, to: `{"type":"boolean"}`, want: Compatible, wantBack: Compatible},
		"types: boolean to both values": {
			from: `{"type":"boolean"}`,
			to:   `{"enum":[true,false]}`,
			want: Compatible, wantBack: Compatible},
		"types: boolean to one value": {from: `{"type":"boolean"}`, to: `{"const":true}`, want: Unknown, wantBack: Compatible},
		"types: null":                 {from: `{"type":"null"}`, to: `{"const":null}`, want: Compatible, wantBack: Compatible},
		"types: null to string":       {from: `{"type":"null"}`, to: `{"type":"string"}`, want: Incompatible, wantBack: Incompatible, wantReason: "null, not string"},
		"types: optional":             {from: `{"type":"string"}`, to: `{"type":["string","null"]}`, want: Compatible, wantBack: Unknown},
		"types: optional by anyOf": {
			from: `{"type":["null","integer"]}`,
			to:   `{"anyOf":[{"type":"number"},{"type":"null"}]}`,
			want: Compatible, wantBack: Unknown},
		"types: two lists": {
			from: `{"type":["string","null"]}`,
			to:   `{"type":["integer","boolean"]}`,
			want: Incompatible, wantBack: Incompatible, wantReason: "string or null, not integer or boolean"},
		"types: two lists that overlap": {
			from: `{"type":["string","null"]}`,
			to:   `{"type":["integer","null"]}`,
			want: Unknown, wantBack: Unknown},
		"types: any to string":          {from: `{}`, to: `{"type":"string"}`, want: Unknown, wantBack: Compatible},
		"types: anything":               {from: `{}`, to: `{}`, want: Compatible, wantBack: Compatible},
		"types: Python's names":         {from: `{"type":"str"}`, to: `{"type":"any"}`, want: Compatible, wantBack: Unknown},
		"types: Python's int and float": {from: `{"type":"int"}`, to: `{"type":"float"}`, want: Compatible, wantBack: Unknown},
		"types: list to dict":           {from: `{"type":"list"}`, to: `{"type":"dict"}`, want: Incompatible, wantBack: Incompatible, wantReason: "array, not object"},
		"formats: filepath to string":   {from: `{"type":"filepath"}`, to: `{"type":"string"}`, want: Compatible, wantBack: Compatible},
		"formats: filepath to folderpath": {
			from: `{"type":"filepath"}`,
			to:   `{"type":"folderpath"}`,
			want: Compatible, wantBack: Compatible},
		"formats: filepath to integer": {
			from: `{"type":"filepath"}`,
			to:   `{"type":"integer"}`,
			want: Incompatible, wantBack: Incompatible, wantReason: "filepath, not integer"},
		"formats: assert nothing": {
			from: `{"type":"string","format":"date"}`,
			to:   `{"type":"string","format":"uri"}`,
			want: Compatible, wantBack: Compatible},
		"booleans: true to string": {from: `true`, to: `{"type":"string"}`, want: Unknown, wantBack: Compatible},
		"booleans: true to true":   {from: `true`, to: `true`, want: Compatible, wantBack: Compatible},
		"booleans: false to true":  {from: `false`, to: `true`, want: Incompatible, wantBack: Incompatible, wantReason: "the output allows no value"},
		"booleans: false to false": {from: `false`, to: `false`, want: Incompatible, wantBack: Incompatible, wantReason: "the output allows no value"},
		"booleans: any member to none": {
			from: `{"type":"object","properties":{"a":{}},"additionalProperties":false}`,
			to:   `{"type":"object","additionalProperties":false}`,
			want: Unknown, wantBack: Compatible},
		"booleans: any items to none": {from: `{"type":"array","items":{}}`, to: `{"type":"array","items":false}`, want: Unknown, wantBack: Compatible},
		"const: one of two values":    {from: `{"const":"a"}`, to: `{"enum":["a","b"]}`, want: Compatible, wantBack: Unknown},
		"const: another value":        {from: `{"const":"a"}`, to: `{"const":"b"}`, want: Incompatible, wantBack: Incompatible, wantReason: `"a", not "b"`},
		"const: 1 and 1.0":            {from: `{"const":1}`, to: `{"const":1.0}`, want: Compatible, wantBack: Compatible},
		"const: 1.0 is an integer":    {from: `{"const":1.0}`, to: `{"type":"integer"}`, want: Compatible, wantBack: Unknown},
		"const: 1.5 is none":          {from: `{"const":1.5}`, to: `{"type":"integer"}`, want: Incompatible, wantBack: Incompatible, wantReason: "1.5, not integer"},
		"const: an object": {
			from: `{"const":{"a":1}}`,
			to:   `{"type":"object","properties":{"a":{"type":"integer"}},"required":["a"]}`,
			want: Compatible, wantBack: Unknown},
		"const: an object that lacks a member": {
			from: `{"const":{"b":1}}`,
			to:   `{"type":"object","required":["a"]}`,
			want: Incompatible, wantBack: Incompatible, wantReason: `{"b":1}, which the input does not allow`},
		"enum: overlap":       {from: `{"enum":["a","b"]}`, to: `{"enum":["b","c"]}`, want: Unknown, wantBack: Unknown},
		"enum: no overlap":    {from: `{"enum":["a","b"]}`, to: `{"enum":["c","d"]}`, want: Incompatible, wantBack: Incompatible, wantReason: `one of "a", "b", not one of "c", "d"`},
		"enum: string of any": {from: `{"enum":["a","b"]}`, to: `{"type":"string"}`, want: Compatible, wantBack: Unknown},
		"enum: mixed":         {from: `{"enum":["a",1]}`, to: `{"type":"string"}`, want: Unknown, wantBack: Unknown},
		"enum: empty":         {from: `{"enum":[]}`, to: `{}`, want: Incompatible, wantBack: Incompatible, wantReason: "the output allows no value"},
		"enum: beside a type": {
			from: `{"type":"string","enum":["a",1]}`,
			to:   `{"type":"integer"}`,
			want: Incompatible, wantBack: Incompatible, wantReason: `"a", not integer`},
		"enum: beside const":             {from: `{"enum":["a","b"],"const":"a"}`, to: `{"const":"b"}`, want: Incompatible, wantBack: Incompatible, wantReason: `"a", not "b"`},
		"enum: judged by pattern":        {from: `{"enum":["ab","ac"]}`, to: `{"pattern":"^a"}`, want: Compatible, wantBack: Unknown},
		"enum: refused by pattern":       {from: `{"enum":["ab","ac"]}`, to: `{"pattern":"^b"}`, want: Incompatible, wantBack: Incompatible, wantReason: `one of "ab", "ac", which the input does not allow`},
		"enum: too many for the library": {from: `{"enum":[LIST,[1,1]]}`, to: `{"uniqueItems":true}`, want: Unknown, wantBack: Unknown},
		"enum: judged by the library":    {from: `{"enum":[[1,2],[1]]}`, to: `{"uniqueItems":true}`, want: Compatible, wantBack: Unknown},
		"enum: refused by the library": {
			from: `{"enum":[[1,1],[2,2]]}`,
			to:   `{"uniqueItems":true}`,
			want: Incompatible, wantBack: Incompatible, wantReason: "one of [1,1], [2,2], which the input does not allow"},
	})
}
