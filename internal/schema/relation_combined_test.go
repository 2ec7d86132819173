package schema

import "testing"

func TestFeedsCombinations(t *testing.T) {
	runFeedsCases(t, map[string]feedsCase{
		"allOf: all together": {
			from: `{"type":"integer","allOf":[{"minimum":0},{"maximum":5}]}`,
			to:   `{"type":"integer","minimum":-1,"maximum":9}`,
			want: Compatible, wantBack: Unknown},
		"allOf: to each": {
			from: `{"type":"integer","minimum":2,"maximum":3}`,
			to:   `{"allOf":[{"minimum":0},{"maximum":5}]}`,
			want: Compatible, wantBack: Unknown},
		"allOf: apart": {
			from: `{"allOf":[{"type":"string"}]}`,
			to:   `{"allOf":[true,{"type":["integer","null"]}]}`,
			want: Incompatible, wantBack: Incompatible, wantReason: "string, not integer or null"},
		"allOf: empty": {
			from: `{"allOf":[{"type":"string"},{"type":"integer"}]}`,
			to:   `{"type":"string"}`,
			want: Incompatible, wantBack: Incompatible, wantReason: "the output allows no value"},
		"anyOf: each fits": {
			from: `{"anyOf":[{"type":"string"},{"type":"integer"}]}`,
			to:   `{"type":["string","number"]}`,
			want: Compatible, wantBack: Unknown},
		"anyOf: one fits": {
			from: `{"anyOf":[{"type":"string"},{"type":"integer"}]}`,
			to:   `{"type":"string"}`,
			want: Unknown, wantBack: Compatible},
		"anyOf: none fits": {
			from: `{"anyOf":[{"type":"string"},{"type":"integer"}]}`,
			to:   `{"anyOf":[{"type":"array"},{"type":"null"}]}`,
			want: Incompatible, wantBack: Incompatible, wantReason: "string or integer, not array or null"},
		"anyOf: one bound each": {
			from: `{"type":"integer","minimum":5}`,
			to:   `{"anyOf":[{"maximum":3},{"minimum":4}]}`,
			want: Compatible, wantBack: Unknown},
		"anyOf: only both together": {
			from: `{"type":"integer"}`,
			to:   `{"anyOf":[{"maximum":3},{"minimum":4}]}`,
			want: Unknown, wantBack: Unknown},
		"anyOf: optional list": {
			from: `{"type":"array","items":{"type":"string"}}`,
			to:   `{"anyOf":[{"type":"array","items":{"type":"string"}},{"type":"null"}]}`,
			want: Compatible, wantBack: Unknown},
		"anyOf: behind three schemas": {
			from: `{"type":"object","allOf":[{"required":["a"]},{"title":"t"}],"anyOf":[{"properties":{"a":{"type":"string"}}},{"properties":{"a":{"type":"integer"}}}]}`,
			to:   `{"type":"object","properties":{"a":{"type":"integer"}},"required":["a"]}`,
			want: Unknown, wantBack: Compatible},
		"anyOf: behind three patterns": {
			from: `{"type":"string","allOf":[{"pattern":"x"},{"pattern":"y"},{"pattern":"z"}],"anyOf":[{"pattern":"a"},{"pattern":"b"}]}`,
			to:   `{"type":"string","pattern":"b"}`,
			want: Unknown, wantBack: Unknown},
		"anyOf: too many": {from: `{"allOf":[MANY]}`, to: `{"type":"string"}`, want: Unknown, wantBack: Unknown},
		"oneOf: options apart": {
			from: `{"type":"string"}`,
			to:   `{"oneOf":[{"type":"string"},{"type":"integer"}]}`,
			want: Compatible, wantBack: Unknown},
		"oneOf: from apart": {
			from: `{"oneOf":[{"type":"string"},{"type":"integer"}]}`,
			to:   `{"type":["string","integer"]}`,
			want: Compatible, wantBack: Compatible},
		"oneOf: options overlap": {
			from: `{"type":"integer"}`,
			to:   `{"oneOf":[{"type":"integer"},{"type":"number"}]}`,
			want: Unknown, wantBack: Unknown},
		"oneOf: overlap elsewhere": {
			from: `{"type":"integer","minimum":9}`,
			to:   `{"oneOf":[{"minimum":5},{"maximum":6}]}`,
			want: Compatible, wantBack: Unknown},
		"oneOf: none": {
			from: `{"type":"boolean"}`,
			to:   `{"oneOf":[{"type":"string"},{"type":"integer"}]}`,
			want: Incompatible, wantBack: Incompatible, wantReason: "boolean, not string or integer"},
		"oneOf: by a member": {
			from: `{"type":"object","properties":{"k":{"const":"a"}},"required":["k"]}`,
			to:   `{"oneOf":[{"type":"object","properties":{"k":{"const":"a"}},"required":["k"]},{"type":"object","properties":{"k":{"const":"b"}},"required":["k"]}]}`,
			want: Compatible, wantBack: Unknown},
		"not: a type":       {from: `{"not":{"type":"null"}}`, to: `{"type":"null"}`, want: Incompatible, wantBack: Incompatible, wantReason: "any value but null, not null"},
		"not: another type": {from: `{"type":"string"}`, to: `{"not":{"type":"null"}}`, want: Compatible, wantBack: Unknown},
		"not: all":          {from: `{"not":{}}`, to: `{"type":"string"}`, want: Unknown, wantBack: Unknown},
		"not: false":        {from: `{"type":"string"}`, to: `{"not":false}`, want: Compatible, wantBack: Unknown},
		"not: true":         {from: `{"not":true}`, to: `true`, want: Incompatible, wantBack: Incompatible, wantReason: "the output allows no value"},
		"not: a value":      {from: `{"type":"string"}`, to: `{"not":{"const":"a"}}`, want: Unknown, wantBack: Unknown},
		"not: the value":    {from: `{"const":"a"}`, to: `{"not":{"const":"a"}}`, want: Incompatible, wantBack: Incompatible, wantReason: `"a", which the input does not allow`},
		"not: the same": {
			from: `{"type":"string","not":{"const":"a"}}`,
			to:   `{"not":{"const":"a"}}`,
			want: Compatible, wantBack: Unknown},
		"if: then apart, else apart": {
			from: `{"type":"boolean"}`,
			to:   `{"if":{"type":"string"},"then":{"minLength":1},"else":{"type":"integer"}}`,
			want: Incompatible, wantBack: Incompatible, wantReason: "boolean, not string or integer"},
		"if: then fits": {
			from: `{"type":"string","minLength":2}`,
			to:   `{"if":{"type":"string"},"then":{"minLength":1},"else":{"type":"integer"}}`,
			want: Compatible, wantBack: Unknown},
		"if: else fits, but is not meant": {
			from: `{"type":"string"}`, to: `{"if":{"type":"string"},"then":{"minLength":5},"else":true}`, want: Unknown, wantBack: Unknown},
		"if: from": {
			from: `{"if":{"type":"string"},"then":{"minLength":1},"else":{"type":"integer"}}`,
			to:   `{"type":["string","integer"]}`,
			want: Compatible, wantBack: Unknown},
		"if: then without if":   {from: `{"type":"string"}`, to: `{"then":{"type":"integer"}}`, want: Compatible, wantBack: Unknown},
		"references: to a type": {from: `{"$ref":"#/$defs/s"}`, to: `{"type":"string"}`, want: Compatible, wantBack: Compatible},
		"references: apart":     {from: `{"$ref":"#/$defs/s"}`, to: `{"type":"integer"}`, want: Incompatible, wantBack: Incompatible, wantReason: "string, not integer"},
		"references: with more beside them": {
			from: `{"$ref":"#/$defs/s","maxLength":2}`,
			to:   `{"$ref":"#/$defs/s","minLength":3}`,
			want: Incompatible, wantBack: Incompatible, wantReason: "at most 2 characters, not at least 3"},
		"references: to an anchor": {from: `{"$ref":"#n"}`, to: `{"type":"number"}`, want: Compatible, wantBack: Unknown},
		"references: dynamic":      {from: `{"$dynamicRef":"#/$defs/s"}`, to: `{"type":"string"}`, want: Compatible, wantBack: Compatible},
		"recursion: tree to itself": {
			from: `{"$ref":"#/$defs/tree"}`,
			to:   `{"$ref":"#/$defs/tree"}`,
			want: Compatible, wantBack: Compatible},
		"recursion: tree to a looser one": {
			from: `{"$ref":"#/$defs/tree"}`,
			to:   `{"$ref":"#/$defs/loose"}`,
			want: Compatible, wantBack: Unknown},
		"recursion: tree to another": {
			from: `{"$ref":"#/$defs/tree"}`,
			to:   `{"$ref":"#/$defs/texts"}`,
			want: Incompatible, wantBack: Incompatible, wantReason: "at /v: integer, not string"},
		"recursion: one level, then a tree": {
			from: `{"type":"object","properties":{"v":{"type":"integer"},"next":{"$ref":"#/$defs/tree"}},"required":["v"]}`,
			to:   `{"$ref":"#/$defs/tree"}`,
			want: Compatible, wantBack: Compatible},
		"recursion: without an end": {
			from: `{"$ref":"#/$defs/endless"}`,
			to:   `{"$ref":"#/$defs/endless"}`,
			want: Compatible, wantBack: Compatible},
		"recursion: nested lists": {
			from: `{"$ref":"#/$defs/lists"}`,
			to:   `{"$ref":"#/$defs/lists2"}`,
			want: Compatible, wantBack: Unknown},
		"default: changes nothing": {
			from: `{"type":"integer"}`,
			to:   `{"type":"string","default":"a"}`,
			want: Incompatible, wantBack: Incompatible, wantReason: "integer, not string"},
		"default: does not fill in": {
			from: `{"type":"object"}`,
			to:   `{"type":"object","properties":{"a":{"default":1}},"required":["a"]}`,
			want: Unknown, wantBack: Compatible},
		"annotations: change nothing": {
			from: `{"type":"string","title":"a","description":"b","examples":[1],"x-y":1}`,
			to:   `{"type":"string","deprecated":true}`,
			want: Compatible, wantBack: Compatible},
	})
}

// TestFeedsWhatHasNoEffect: keywords that are compared by their text alone, where the other schema keeps what they refuse from coming.
func TestFeedsWhatHasNoEffect(t *testing.T) {
	const closed = `{"type":"object","properties":{"b":{"type":"integer"}},"additionalProperties":false}`
	runFeedsCases(t, map[string]feedsCase{
		"dependentRequired of one that cannot come": {
			from: closed, to: `{"type":"object","dependentRequired":{"a":["b"]}}`, want: Compatible, wantBack: Unknown},
		"dependentRequired of one that is there": {
			from: `{"type":"object","required":["b","c"]}`, to: `{"type":"object","dependentRequired":{"a":["b"]}}`, want: Compatible, wantBack: Unknown},
		"dependentRequired of one that may be missing": {
			from: `{"type":"object","required":["c"]}`, to: `{"type":"object","dependentRequired":{"a":["b"]}}`, want: Unknown, wantBack: Unknown},
		"dependentSchemas of one that cannot come": {
			from: closed, to: `{"type":"object","dependentSchemas":{"a":{"required":["b"]}}}`, want: Compatible, wantBack: Unknown},
		"dependentSchemas of one that may": {
			from: closed, to: `{"type":"object","dependentSchemas":{"b":{"required":["a"]}}}`, want: Unknown, wantBack: Unknown},
		"propertyNames that all are":       {from: closed, to: `{"type":"object","propertyNames":{"maxLength":1}}`, want: Compatible, wantBack: Unknown},
		"propertyNames that one is not":    {from: closed, to: `{"type":"object","propertyNames":{"minLength":2}}`, want: Unknown, wantBack: Unknown},
		"propertyNames of others":          {from: `{"type":"object"}`, to: `{"type":"object","propertyNames":{"maxLength":1}}`, want: Unknown, wantBack: Compatible},
		"not with one that cannot come":    {from: closed, to: `{"type":"object","not":{"required":["a"]}}`, want: Compatible, wantBack: Unknown},
		"not with one that may":            {from: closed, to: `{"type":"object","not":{"required":["b"]}}`, want: Unknown, wantBack: Unknown},
		"not a value of another type":      {from: `{"type":"integer"}`, to: `{"not":{"const":"a"}}`, want: Compatible, wantBack: Unknown},
		"not a value of the type":          {from: `{"type":"integer"}`, to: `{"not":{"const":3}}`, want: Unknown, wantBack: Unknown},
		"not a number above the bound":     {from: `{"type":"integer","maximum":4}`, to: `{"not":{"type":"number","minimum":5}}`, want: Compatible, wantBack: Unknown},
		"not a number that may come, too":  {from: `{"type":"integer","maximum":5}`, to: `{"not":{"type":"number","minimum":5}}`, want: Unknown, wantBack: Unknown},
		"not what the other has forbidden": {from: `{"not":{"minLength":1}}`, to: `{"not":{"minLength":1}}`, want: Compatible, wantBack: Compatible},
	})
}
