package task

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/schema"
)

func declaration(text string) *apiextensionsv1.JSON { return &apiextensionsv1.JSON{Raw: []byte(text)} }

// judged is a verdict with the schemas as text.
type judged struct {
	Accepted        bool
	Reason, Message string
	Input, Output   string
}

func judge(spec *v1alpha1.MazeTaskSpec) judged {
	verdict := Judge(spec)
	text := func(s *schema.Schema) string {
		if s == nil {
			return ""
		}
		return string(s.JSON())
	}
	return judged{verdict.Accepted, verdict.Reason, verdict.Message, text(verdict.Input), text(verdict.Output)}
}

// anyObject is what nothing declared is normalised to.
const anyObject = `{"type":"object"}`

// declared joins n declarations of parameters p00, p01, ….
func declared(n int, parameter string) string {
	parameters := make([]string, n)
	for i := range parameters {
		parameters[i] = fmt.Sprintf(`"p%02d":%s`, i, parameter)
	}
	return "{" + strings.Join(parameters, ",") + "}"
}

func TestJudge(t *testing.T) {
	cases := map[string]struct {
		spec v1alpha1.MazeTaskSpec
		want judged
	}{
		"A name is enough": {
			spec: v1alpha1.MazeTaskSpec{Name: "ls"},
			want: judged{Accepted: true, Reason: "Valid", Message: "the spec is valid", Input: anyObject, Output: anyObject},
		},
		"Parameters are normalised": {
			spec: v1alpha1.MazeTaskSpec{
				Name: "a", InputParameters: declaration(`{"image":{"type":"filepath"}}`), OutputParameters: declaration(`{"properties":{"x":true}}`),
			},
			want: judged{
				Accepted: true, Reason: "Valid", Message: "the spec is valid",
				Input:  `{"properties":{"image":{"format":"filepath","type":"string"}},"type":"object"}`,
				Output: `{"properties":{"x":true},"type":"object"}`,
			},
		},
		"null declares nothing": {
			spec: v1alpha1.MazeTaskSpec{Name: "a", InputParameters: declaration("null"), OutputParameters: &apiextensionsv1.JSON{}},
			want: judged{Accepted: true, Reason: "Valid", Message: "the spec is valid", Input: anyObject, Output: anyObject},
		},
		"Warnings of both, in order": {
			spec: v1alpha1.MazeTaskSpec{
				Name: "a", InputParameters: declaration(`{"b":{"type":"str"},"a":{"type":"int"}}`), OutputParameters: declaration(`{"c":{"type":"any"}}`),
			},
			want: judged{
				Accepted: true, Reason: "Valid",
				Message: `the spec is valid; warning: spec.inputParameters/a/type: Python type name "int" read as "integer"` +
					`; warning: spec.inputParameters/b/type: Python type name "str" read as "string"` +
					`; warning: spec.outputParameters/c/type: Python type name "any" read as any type`,
				Input:  `{"properties":{"a":{"type":"integer"},"b":{"type":"string"}},"type":"object"}`,
				Output: `{"properties":{"c":{}},"type":"object"}`,
			},
		},

		"No name": {
			want: judged{Reason: "InvalidName", Message: invalidName},
		},
		"The input is no object": {
			spec: v1alpha1.MazeTaskSpec{Name: "a", InputParameters: declaration(`[]`)},
			want: judged{Reason: "InvalidSchema", Message: `spec.inputParameters: parameters are declared by an object such as {"image": {"type": "filepath"}}, found an array`},
		},
		"The output is no object": {
			spec: v1alpha1.MazeTaskSpec{Name: "a", OutputParameters: declaration(`"x"`)},
			want: judged{Reason: "InvalidSchema", Message: `spec.outputParameters: parameters are declared by an object such as {"image": {"type": "filepath"}}, found the string "x"`},
		},
		"An unknown type of an argument": {
			spec: v1alpha1.MazeTaskSpec{Name: "a", InputParameters: declaration(`{"x":{"type":"strnig"}}`)},
			want: judged{Reason: "InvalidSchema", Message: `spec.inputParameters/x/type: unknown type "strnig"; did you mean "string"? ` +
				`(accepted: array, boolean, filepath, folderpath, integer, null, number, object, string ` +
				`and Python's Any, None, NoneType, any, bool, dict, float, int, list, str, tuple)`},
		},
		"An unknown type of a result, in full": {
			spec: v1alpha1.MazeTaskSpec{Name: "a", OutputParameters: declaration(`{"properties":{"a/b":{"type":7}}}`)},
			want: judged{Reason: "InvalidSchema", Message: `spec.outputParameters/properties/a~1b/type: a type is a name such as "string", found the number 7`},
		},
		"Nested too deeply": {
			spec: v1alpha1.MazeTaskSpec{Name: "a", InputParameters: declaration(strings.Repeat(`{"":`, 33) + "1" + strings.Repeat("}", 33))},
			want: judged{Reason: "SchemaTooLarge", Message: "spec.inputParameters" + strings.Repeat("/", 32) +
				": the document is nested deeper than 32 levels, the limit; flatten it, for instance by moving inner schemas to $defs"},
		},
		"A reference elsewhere": {
			spec: v1alpha1.MazeTaskSpec{Name: "a", OutputParameters: declaration(`{"x":{"$ref":"https://example.com/x"}}`)},
			want: judged{Reason: "RemoteRefForbidden", Message: `spec.outputParameters/x/$ref: the reference "https://example.com/x" leaves the document, and nothing is ever fetched; ` +
				`copy the schema below "$defs" and refer to it as "#/$defs/name"`},
		},
		"A reference to itself": {
			spec: v1alpha1.MazeTaskSpec{Name: "a", InputParameters: declaration(`{"$defs":{"x":{"$ref":"#/$defs/x"}}}`)},
			want: judged{Reason: "RefCycle", Message: "spec.inputParameters/$defs/x: the schema applies itself to the same value for ever (#/$defs/x → #/$defs/x); " +
				`remove a reference of the cycle, or move it below "properties" or "items"`},
		},
		"A lookahead": {
			spec: v1alpha1.MazeTaskSpec{Name: "a", InputParameters: declaration(`{"x":{"pattern":"(?=a)"}}`)},
			want: judged{Reason: "UnsupportedPattern", Message: `spec.inputParameters/x/pattern: the regular expression "(?=a)" is not one that RE2 can run ` +
				"(invalid or unsupported Perl syntax: `(?=`); RE2 has no lookahead, lookbehind or backreferences, see https://github.com/google/re2/wiki/Syntax"},
		},
		"A number that consumers would round": {
			spec: v1alpha1.MazeTaskSpec{Name: "a", InputParameters: declaration(`{"x":{"maximum":9007199254740993}}`)},
			want: judged{Reason: "NumberOutOfRange", Message: "spec.inputParameters/x/maximum: the integer 9007199254740993 is outside ±2^53, where consumers would round it; use a smaller number or a string"},
		},

		"The name is judged before the schemas": {
			spec: v1alpha1.MazeTaskSpec{Name: ".a", InputParameters: declaration(`[]`), OutputParameters: declaration(`[]`)},
			want: judged{Reason: "InvalidName", Message: invalidName},
		},
		"The input is judged before the output": {
			spec: v1alpha1.MazeTaskSpec{Name: "a", InputParameters: declaration(`{"x":{"type":7}}`), OutputParameters: declaration(`[]`)},
			want: judged{Reason: "InvalidSchema", Message: `spec.inputParameters/x/type: a type is a name such as "string", found the number 7`},
		},
		"Warnings are no part of a refusal": {
			spec: v1alpha1.MazeTaskSpec{Name: "a", InputParameters: declaration(`{"x":{"type":"int"}}`), OutputParameters: declaration(`5`)},
			want: judged{Reason: "InvalidSchema", Message: `spec.outputParameters: parameters are declared by an object such as {"image": {"type": "filepath"}}, found the number 5`},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			before := tc.spec.DeepCopy()
			got := judge(&tc.spec)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("Judge(...): -want, +got:\n%s", diff)
			}
			if diff := cmp.Diff(before, &tc.spec); diff != "" {
				t.Errorf("Judge(...) changed the spec: -before, +after:\n%s", diff)
			}
		})
	}
}

func TestJudgeCapsWarnings(t *testing.T) {
	const more = "; and more"
	cases := map[string]struct {
		inputs, outputs         int
		wantInputs, wantOutputs int
		wantMore                int
	}{
		"One":                {inputs: 1, wantInputs: 1},
		"Ten":                {inputs: 10, wantInputs: 10},
		"Eleven":             {inputs: 11, wantInputs: 10, wantMore: 1},
		"Ten each":           {inputs: 10, outputs: 10, wantInputs: 10, wantOutputs: 10},
		"Hundreds each":      {inputs: 300, outputs: 300, wantInputs: 10, wantOutputs: 10, wantMore: 2},
		"Only of the output": {outputs: 12, wantOutputs: 10, wantMore: 1},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := judge(&v1alpha1.MazeTaskSpec{
				Name: "a", InputParameters: declaration(declared(tc.inputs, `{"type":"int"}`)), OutputParameters: declaration(declared(tc.outputs, `{"type":"int"}`)),
			})
			want := "the spec is valid"
			for _, field := range []struct {
				name         string
				shown, given int
			}{{"inputParameters", tc.wantInputs, tc.inputs}, {"outputParameters", tc.wantOutputs, tc.outputs}} {
				for i := range field.shown {
					want += fmt.Sprintf(`; warning: spec.%s/p%02d/type: Python type name "int" read as "integer"`, field.name, i)
				}
				if field.given > field.shown {
					want += more
				}
			}
			if diff := cmp.Diff(want, got.Message); !got.Accepted || diff != "" {
				t.Errorf("Judge(...): want it accepted, got %s; message: -want, +got:\n%s", got.Reason, diff)
			}
			if n := strings.Count(got.Message, more); n != tc.wantMore {
				t.Errorf("Judge(...): want %d times %q, got %d", tc.wantMore, more, n)
			}
		})
	}
}

// TestJudgeMessageFitsACondition: the API server refuses a condition whose message is longer.
func TestJudgeMessageFitsACondition(t *testing.T) {
	const maxMessage = 32768
	long := `{"` + strings.Repeat("名", 600) + `%d":{"type":"int"}`
	var many strings.Builder
	for i := range 20 {
		fmt.Fprintf(&many, strings.TrimPrefix(long, "{")+",", i)
	}
	warned := declaration("{" + many.String() + `"z":{"type":"int"}}`)
	refused := declaration(fmt.Sprintf(long, 0) + `,"` + strings.Repeat("x", 2000) + `":{"type":"` + strings.Repeat("y", 50000) + `"}}`)
	for name, spec := range map[string]v1alpha1.MazeTaskSpec{
		"Long names with warnings": {Name: "a", InputParameters: warned, OutputParameters: warned},
		"A long name is refused":   {Name: "a", InputParameters: refused},
	} {
		t.Run(name, func(t *testing.T) {
			got := judge(&spec)
			if n := len(got.Message); n > maxMessage {
				t.Errorf("Judge(...) gives %d bytes: want at most %d", n, maxMessage)
			}
			if got.Message != judge(&spec).Message {
				t.Error("Judge(...) a second time gives another message")
			}
		})
	}
}
