package schema

import "testing"

func TestFeedsContent(t *testing.T) {
	runFeedsCases(t, map[string]feedsCase{
		"numbers: inside": {
			from: `{"type":"integer","minimum":1,"maximum":5}`,
			to:   `{"type":"integer","minimum":0,"maximum":9}`,
			want: Compatible, wantBack: Unknown},
		"numbers: overlap": {
			from: `{"type":"integer","minimum":1,"maximum":5}`,
			to:   `{"type":"integer","minimum":3}`,
			want: Unknown, wantBack: Unknown},
		"numbers: apart": {
			from: `{"type":"number","maximum":1}`,
			to:   `{"type":"number","minimum":2}`,
			want: Incompatible, wantBack: Incompatible, wantReason: "numbers at most 1, not at least 2"},
		"numbers: touching": {
			from: `{"type":"number","maximum":1}`,
			to:   `{"type":"number","minimum":1}`,
			want: Unknown, wantBack: Unknown},
		"numbers: touching, open": {
			from: `{"type":"number","exclusiveMaximum":1}`,
			to:   `{"type":"number","minimum":1}`,
			want: Incompatible, wantBack: Incompatible, wantReason: "numbers below 1, not at least 1"},
		"numbers: no integer between": {
			from: `{"type":"integer","exclusiveMinimum":1}`,
			to:   `{"exclusiveMaximum":2,"type":"number"}`,
			want: Incompatible, wantBack: Incompatible, wantReason: "no value fits both"},
		"numbers: between 1 and 2": {
			from: `{"type":"number","exclusiveMinimum":1}`,
			to:   `{"exclusiveMaximum":2,"type":"number"}`,
			want: Unknown, wantBack: Unknown},
		"numbers: above 0 is 1 or more": {
			from: `{"type":"integer","exclusiveMinimum":0}`,
			to:   `{"type":"integer","minimum":1}`,
			want: Compatible, wantBack: Compatible},
		"numbers: above 0 is less than 1": {
			from: `{"type":"number","exclusiveMinimum":0}`,
			to:   `{"type":"number","minimum":1}`,
			want: Unknown, wantBack: Compatible},
		"numbers: open bound in a closed one": {
			from: `{"type":"number","exclusiveMinimum":0}`,
			to:   `{"type":"number","minimum":0}`,
			want: Compatible, wantBack: Unknown},
		"numbers: bounds of any type": {from: `{"minimum":5}`, to: `{"maximum":1}`, want: Unknown, wantBack: Unknown},
		"numbers: bound beside another type": {
			from: `{"type":"string","minimum":5}`,
			to:   `{"type":"string","maximum":1}`,
			want: Compatible, wantBack: Compatible},
		"numbers: both bounds at one number": {from: `{"type":"number","minimum":1}`, to: `{"minimum":1,"allOf":[{"exclusiveMinimum":1,"type":"number"}]}`, want: Unknown, wantBack: Compatible},
		"numbers: both upper bounds":         {from: `{"type":"number","maximum":1}`, to: `{"maximum":1,"allOf":[{"exclusiveMaximum":1,"type":"number"}]}`, want: Unknown, wantBack: Compatible},
		"numbers: empty": {
			from: `{"type":"number","minimum":5,"maximum":1}`,
			to:   `{"type":"number"}`,
			want: Incompatible, wantBack: Incompatible, wantReason: "the output allows no value"},
		"numbers: multiples": {
			from: `{"type":"number","multipleOf":4}`,
			to:   `{"type":"number","multipleOf":2}`,
			want: Compatible, wantBack: Unknown},
		"numbers: multiples of a half": {
			from: `{"type":"integer"}`,
			to:   `{"type":"number","multipleOf":0.5}`,
			want: Compatible, wantBack: Unknown},
		"numbers: no multiple in range": {
			from: `{"type":"number","multipleOf":5}`,
			to:   `{"type":"number","minimum":6,"maximum":9}`,
			want: Incompatible, wantBack: Incompatible, wantReason: "no value fits both"},
		"numbers: multiples of 1": {
			from: `{"type":"number","multipleOf":1}`,
			to:   `{"type":"integer"}`,
			want: Compatible, wantBack: Compatible},
		"numbers: other multiples": {
			from: `{"type":"integer","multipleOf":3}`,
			to:   `{"type":"integer","multipleOf":2}`,
			want: Unknown, wantBack: Unknown},
		"numbers: large": {
			from: `{"type":"number","minimum":1e300}`,
			to:   `{"type":"number","maximum":1e299}`,
			want: Incompatible, wantBack: Incompatible, wantReason: "numbers at least 1e+300, not at most 1e+299"},
		"strings: lengths inside": {
			from: `{"type":"string","minLength":2,"maxLength":3}`,
			to:   `{"type":"string","maxLength":9}`,
			want: Compatible, wantBack: Unknown},
		"strings: lengths apart": {
			from: `{"type":"string","maxLength":2}`,
			to:   `{"type":"string","minLength":3}`,
			want: Incompatible, wantBack: Incompatible, wantReason: "at most 2 characters, not at least 3"},
		"strings: same pattern": {
			from: `{"type":"string","pattern":"^a"}`,
			to:   `{"type":"string","pattern":"^a"}`,
			want: Compatible, wantBack: Compatible},
		"strings: same pattern, and more": {
			from: `{"type":"string","pattern":"^a","maxLength":3}`,
			to:   `{"type":"string","pattern":"^a","title":"t"}`,
			want: Compatible, wantBack: Unknown},
		"strings: other pattern": {
			from: `{"type":"string","pattern":"^a"}`,
			to:   `{"type":"string","pattern":"^b"}`,
			want: Unknown, wantBack: Unknown},
		"strings: length of any type": {from: `{"minLength":1}`, to: `{"maxLength":0}`, want: Unknown, wantBack: Unknown},
		"strings: count beyond 2^63": {
			from: `{"type":"string","minLength":1e30}`,
			to:   `{"type":"string","maxLength":5}`,
			want: Unknown, wantBack: Unknown},
		"arrays: of integers to numbers": {
			from: `{"type":"array","items":{"type":"integer"}}`,
			to:   `{"type":"array","items":{"type":"number"}}`,
			want: Compatible, wantBack: Unknown},
		"arrays: of integers to strings": {
			from: `{"type":"array","items":{"type":"integer"}}`,
			to:   `{"type":"array","items":{"type":"string"}}`,
			want: Unknown, wantBack: Unknown},
		"arrays: not empty": {
			from: `{"type":"array","items":{"type":"integer"},"minItems":1}`,
			to:   `{"type":"array","items":{"type":"string"}}`,
			want: Incompatible, wantBack: Incompatible, wantReason: "at /items: integer, not string"},
		"arrays: counts apart": {
			from: `{"type":"array","minItems":3}`,
			to:   `{"type":"array","maxItems":2}`,
			want: Incompatible, wantBack: Incompatible, wantReason: "at least 3 items, not at most 2"},
		"arrays: by position": {
			from: `{"type":"array","prefixItems":[{"type":"integer"},{"type":"string"}],"minItems":2}`,
			to:   `{"type":"array","items":{"type":["integer","string"]}}`,
			want: Unknown, wantBack: Unknown},
		"arrays: second position apart": {
			from: `{"type":"array","prefixItems":[true,{"type":"string"}],"minItems":2}`,
			to:   `{"type":"array","items":{"type":"integer"}}`,
			want: Incompatible, wantBack: Incompatible, wantReason: "at /1: string, not integer"},
		"arrays: no further items": {
			from: `{"type":"array","prefixItems":[{"type":"integer"}],"items":false}`,
			to:   `{"type":"array","maxItems":1}`,
			want: Compatible, wantBack: Unknown},
		"arrays: further items": {
			from: `{"type":"array","prefixItems":[{"type":"integer"}],"minItems":2}`,
			to:   `{"type":"array","prefixItems":[true],"items":false}`,
			want: Incompatible, wantBack: Incompatible, wantReason: "at least 2 items, not at most 1"},
		"arrays: to any array": {
			from: `{"type":"array","items":{"type":"integer"}}`,
			to:   `{"type":"array"}`,
			want: Compatible, wantBack: Unknown},
		"arrays: to string": {from: `{"type":"array"}`, to: `{"type":"string"}`, want: Incompatible, wantBack: Incompatible, wantReason: "array, not string"},
		"arrays: unique":    {from: `{"type":"array","uniqueItems":true}`, to: `{"type":"array"}`, want: Compatible, wantBack: Unknown},
		"arrays: unique, both": {
			from: `{"type":"array","uniqueItems":true,"minItems":1}`,
			to:   `{"type":"array","uniqueItems":true}`,
			want: Compatible, wantBack: Unknown},
		"arrays: contains": {
			from: `{"type":"array","contains":{"type":"integer"}}`,
			to:   `{"type":"array","minItems":1}`,
			want: Compatible, wantBack: Unknown},
		"arrays: contains two": {
			from: `{"type":"array","contains":true,"minContains":2}`,
			to:   `{"type":"array","maxItems":1}`,
			want: Incompatible, wantBack: Incompatible, wantReason: "at least 2 items, not at most 1"},
		"arrays: contains nothing": {
			from: `{"type":"array","contains":false,"minContains":0}`,
			to:   `{"type":"array"}`,
			want: Compatible, wantBack: Compatible},
		"arrays: contains, both": {
			from: `{"type":"array","contains":{"const":1},"maxContains":2}`,
			to:   `{"type":"array","contains":{"const":1},"maxContains":2,"title":"t"}`,
			want: Compatible, wantBack: Compatible},
		"arrays: unevaluated": {
			from: `{"type":"array"}`,
			to:   `{"type":"array","unevaluatedItems":false}`,
			want: Unknown, wantBack: Compatible},
		"arrays: of arrays": {
			from: `{"type":"array","items":{"type":"array","items":{"type":"string"}}}`,
			to:   `{"type":"array","items":{"type":"array"}}`,
			want: Compatible, wantBack: Unknown},
		"objects: member inside": {
			from: `{"type":"object","properties":{"a":{"type":"integer"}},"required":["a"]}`,
			to:   `{"type":"object","properties":{"a":{"type":"number"}}}`,
			want: Compatible, wantBack: Unknown},
		"objects: member apart": {
			from: `{"type":"object","properties":{"a":{"type":"integer"}},"required":["a"]}`,
			to:   `{"type":"object","properties":{"a":{"type":"string"}}}`,
			want: Incompatible, wantBack: Incompatible, wantReason: "at /a: integer, not string"},
		"objects: member apart, not required": {
			from: `{"type":"object","properties":{"a":{"type":"integer"}}}`,
			to:   `{"type":"object","properties":{"a":{"type":"string"}}}`,
			want: Unknown, wantBack: Unknown},
		"objects: lacks": {
			from: `{"type":"object","properties":{"a":true},"additionalProperties":false}`,
			to:   `{"type":"object","required":["path"]}`,
			want: Incompatible, wantBack: Incompatible, wantReason: `lacks "path", which the input requires`},
		"objects: has": {
			from: `{"type":"object","required":["path"]}`,
			to:   `{"type":"object","properties":{"a":true},"additionalProperties":false}`,
			want: Incompatible, wantBack: Incompatible, wantReason: `has "path", which the input does not allow`},
		"objects: may lack": {
			from: `{"type":"object"}`,
			to:   `{"type":"object","required":["path"]}`,
			want: Unknown, wantBack: Compatible},
		"objects: other members": {
			from: `{"type":"object","additionalProperties":{"type":"integer"}}`,
			to:   `{"type":"object","additionalProperties":{"type":"number"}}`,
			want: Compatible, wantBack: Unknown},
		"objects: other members, by name": {
			from: `{"type":"object","properties":{"a":{"type":"string"}},"additionalProperties":{"type":"integer"}}`,
			to:   `{"type":"object","additionalProperties":{"type":["integer","string"]}}`,
			want: Compatible, wantBack: Unknown},
		"objects: closed in open": {
			from: `{"type":"object","properties":{"a":{"type":"string"}},"additionalProperties":false}`,
			to:   `{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"integer"}}}`,
			want: Compatible, wantBack: Unknown},
		"objects: closed in closed": {
			from: `{"type":"object","properties":{"a":{"type":"string"}},"additionalProperties":false}`,
			to:   `{"type":"object","properties":{"a":{"type":"string"},"b":true},"additionalProperties":false}`,
			want: Compatible, wantBack: Unknown},
		"objects: few members": {
			from: `{"type":"object","maxProperties":1}`,
			to:   `{"type":"object","required":["a","b"]}`,
			want: Incompatible, wantBack: Incompatible, wantReason: "at most 1 members, not at least 2"},
		"objects: counts of members": {
			from: `{"type":"object","properties":{"a":true,"b":true},"additionalProperties":false,"required":["a"]}`,
			to:   `{"type":"object","minProperties":1,"maxProperties":2}`,
			want: Compatible, wantBack: Unknown},
		"objects: too few for both": {
			from: `{"type":"object","required":["a"],"maxProperties":1}`,
			to:   `{"type":"object","required":["b"]}`,
			want: Incompatible, wantBack: Incompatible, wantReason: "no value fits both"},
		"objects: pattern": {
			from: `{"type":"object","patternProperties":{"^a":{"type":"integer"}},"required":["ab"]}`,
			to:   `{"type":"object","properties":{"ab":{"type":"string"}}}`,
			want: Incompatible, wantBack: Incompatible, wantReason: "at /ab: integer, not string"},
		"objects: pattern, closed": {
			from: `{"type":"object","patternProperties":{"^a":{"type":"integer"}},"additionalProperties":false}`,
			to:   `{"type":"object","required":["b"]}`,
			want: Incompatible, wantBack: Incompatible, wantReason: `lacks "b", which the input requires`},
		"objects: pattern inside": {
			from: `{"type":"object","patternProperties":{"^a":{"type":"integer"}},"additionalProperties":{"type":"number"}}`,
			to:   `{"type":"object","additionalProperties":{"type":"number"}}`,
			want: Compatible, wantBack: Unknown},
		"objects: members that match a pattern": {
			from: `{"type":"object","additionalProperties":{"type":"integer"}}`,
			to:   `{"type":"object","patternProperties":{"^a":{"type":"number"}}}`,
			want: Compatible, wantBack: Unknown},
		"objects: pattern, counted": {
			from: `{"type":"object","patternProperties":{"^a":true},"additionalProperties":false}`, to: `{"type":"object","maxProperties":0}`,
			want: Unknown, wantBack: Compatible},
		"objects: what matches no pattern": {
			from: `{"type":"object","patternProperties":{"^a":{"type":"integer"}}}`, to: `{"type":"object","additionalProperties":{"type":"integer"}}`,
			want: Unknown, wantBack: Compatible},
		"objects: required by all options": {
			from: `{"type":"object","properties":{"a":true,"b":true},"additionalProperties":false}`,
			to:   `{"type":"object","required":["b","a"],"allOf":[{"required":["a"]}],"anyOf":[{"minProperties":9},{"title":"x"}]}`,
			want: Unknown, wantBack: Unknown},
		"objects: names": {
			from: `{"type":"object","propertyNames":{"maxLength":3}}`,
			to:   `{"type":"object"}`,
			want: Compatible, wantBack: Unknown},
		"objects: same names": {
			from: `{"type":"object","propertyNames":{"maxLength":3},"maxProperties":2}`,
			to:   `{"type":"object","propertyNames":{"maxLength":3}}`,
			want: Compatible, wantBack: Unknown},
		"objects: dependent": {
			from: `{"type":"object"}`,
			to:   `{"type":"object","dependentRequired":{"a":["b"]}}`,
			want: Unknown, wantBack: Compatible},
		"objects: dependent schemas, same": {
			from: `{"type":"object","dependentSchemas":{"a":{"required":["b"]}},"minProperties":1}`,
			to:   `{"type":"object","dependentSchemas":{"a":{"required":["b"]}}}`,
			want: Compatible, wantBack: Unknown},
		"objects: dependencies": {
			from: `{"type":"object"}`,
			to:   `{"type":"object","dependencies":{"a":["b"]}}`,
			want: Unknown, wantBack: Compatible},
		"objects: unevaluated": {
			from: `{"type":"object"}`,
			to:   `{"type":"object","unevaluatedProperties":false}`,
			want: Unknown, wantBack: Compatible},
		"objects: unevaluated, both": {
			from: `{"type":"object","properties":{"a":true},"unevaluatedProperties":false}`, to: `{"type":"object","unevaluatedProperties":false}`,
			want: Unknown, wantBack: Unknown},
		"objects: nested": {
			from: `{"type":"object","properties":{"a":{"type":"object","properties":{"b":{"type":"integer"}},"required":["b"]}},"required":["a"]}`,
			to:   `{"type":"object","properties":{"a":{"type":"object","properties":{"b":{"type":"null"}}}}}`,
			want: Incompatible, wantBack: Incompatible, wantReason: "at /a/b: integer, not null"},
		"objects: lacks, further inside": {
			from: `{"type":"object","properties":{"a":{"type":"object","additionalProperties":false}},"required":["a"]}`,
			to:   `{"type":"object","properties":{"a":{"type":"object","required":["b"]}},"required":["a"]}`,
			want: Incompatible, wantBack: Incompatible, wantReason: `at /a: lacks "b", which the input requires`},
		"objects: in arrays": {
			from: `{"type":"array","items":{"type":"object","properties":{"a":{"type":"integer"}},"required":["a"]},"minItems":1}`,
			to:   `{"type":"array","items":{"type":"object","properties":{"a":{"type":"string"}}}}`,
			want: Incompatible, wantBack: Incompatible, wantReason: "at /items/a: integer, not string"},
		"objects: of two patterns": {
			from: `{"type":"object","patternProperties":{"^a":{"type":"integer"},"b$":{"type":"string"}},"required":["ab"]}`,
			to:   `{"type":"object"}`,
			want: Incompatible, wantBack: Incompatible, wantReason: "at /ab: the output allows no value"},
		"objects: same patterns": {
			from: `{"type":"object","patternProperties":{"^a":{"type":"integer"}}}`,
			to:   `{"type":"object","patternProperties":{"^a":{"type":"integer"}}}`,
			want: Compatible, wantBack: Compatible},
	})
}
