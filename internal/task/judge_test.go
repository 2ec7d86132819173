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
	return judged{verdict.Accepted, verdict.Reason, verdict.Message(), text(verdict.Input), text(verdict.Output)}
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
		"A deprecated task is valid, and says what to do in one line": {
			spec: v1alpha1.MazeTaskSpec{
				Name: "a", Deprecated: &v1alpha1.Deprecation{Message: "Use b,\nwhich knows more. ", Replacement: "b"}, InputParameters: declaration(`{"a":"int"}`),
			},
			want: judged{
				Accepted: true, Reason: "Valid",
				Message: `the spec is valid; the task is deprecated: Use b, which knows more; replacement: b` +
					`; warning: spec.inputParameters/a/type: Python type name "int" read as "integer"`,
				Input:  `{"properties":{"a":{"type":"integer"}},"type":"object"}`,
				Output: anyObject,
			},
		},
		"A deprecated task without a replacement": {
			spec: v1alpha1.MazeTaskSpec{Name: "a", Deprecated: &v1alpha1.Deprecation{Message: "Goes in May."}},
			want: judged{
				Accepted: true, Reason: "Valid", Message: "the spec is valid; the task is deprecated: Goes in May", Input: anyObject, Output: anyObject,
			},
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
			want: judged{Reason: "UnsupportedPattern", Message: `spec.inputParameters/x/pattern: the regular expression "(?=a)" has a lookahead, (?=, which RE2 cannot run; leave it out, and check that in the task`},
		},
		"A number that consumers would round": {
			spec: v1alpha1.MazeTaskSpec{Name: "a", InputParameters: declaration(`{"x":{"maximum":9007199254740993}}`)},
			want: judged{Reason: "NumberOutOfRange", Message: "spec.inputParameters/x/maximum: the integer 9007199254740993 is outside ±2^53, where consumers would round it; use a smaller number or a string"},
		},

		"All are told, the name first": {
			spec: v1alpha1.MazeTaskSpec{Name: ".a", InputParameters: declaration(`{"y":{"type":8},"x":{"type":7}}`), OutputParameters: declaration(`[]`)},
			want: judged{Reason: "InvalidName", Message: invalidName +
				`; spec.inputParameters/x/type: a type is a name such as "string", found the number 7` +
				`; spec.inputParameters/y/type: a type is a name such as "string", found the number 8` +
				`; spec.outputParameters: parameters are declared by an object such as {"image": {"type": "filepath"}}, found an array`},
		},
		"The first has the reason": {
			spec: v1alpha1.MazeTaskSpec{Name: "a", InputParameters: declaration(`{"x":{"pattern":"(?=a)"}}`), OutputParameters: declaration(`{"x":{"type":7}}`)},
			want: judged{Reason: "UnsupportedPattern", Message: `spec.inputParameters/x/pattern: the regular expression "(?=a)" has a lookahead, (?=, which RE2 cannot run; leave it out, and check that in the task` +
				`; spec.outputParameters/x/type: a type is a name such as "string", found the number 7`},
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

// TestJudgeCountsWhatItLeavesOut: a message names the first problems or warnings, and says how many others there are.
func TestJudgeCountsWhatItLeavesOut(t *testing.T) {
	const warning, problem = `{"type":"int"}`, `{"type":7}`
	cases := map[string]struct {
		inputs, outputs int
		parameter       string
		wantShown       int
		wantMore        string
	}{
		"One warning":                 {inputs: 1, parameter: warning, wantShown: 1},
		"Ten warnings":                {inputs: 4, outputs: 6, parameter: warning, wantShown: 10},
		"Eleven warnings":             {inputs: 11, parameter: warning, wantShown: 10, wantMore: "; and 1 more warning"},
		"Hundreds of warnings":        {inputs: 300, outputs: 300, parameter: warning, wantShown: 10, wantMore: "; and 590 more warnings"},
		"Only of the output":          {outputs: 12, parameter: warning, wantShown: 10, wantMore: "; and 2 more warnings"},
		"One problem":                 {outputs: 1, parameter: problem, wantShown: 1},
		"Five problems":               {inputs: 3, outputs: 2, parameter: problem, wantShown: 5},
		"Six problems":                {inputs: 3, outputs: 3, parameter: problem, wantShown: 5, wantMore: "; and 1 more problem"},
		"Hundreds of problems":        {inputs: 300, outputs: 300, parameter: problem, wantShown: 5, wantMore: "; and 595 more problems"},
		"Only problems of the output": {outputs: 12, parameter: problem, wantShown: 5, wantMore: "; and 7 more problems"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := Judge(&v1alpha1.MazeTaskSpec{
				Name: "a", InputParameters: declaration(declared(tc.inputs, tc.parameter)), OutputParameters: declaration(declared(tc.outputs, tc.parameter)),
			})
			var want []string
			if tc.parameter == warning {
				want = append(want, "the spec is valid")
			}
			for i := range tc.wantShown {
				field, n := "input", i
				if i >= tc.inputs {
					field, n = "output", i-tc.inputs
				}
				text := `warning: spec.%sParameters/p%02d/type: Python type name "int" read as "integer"`
				if tc.parameter == problem {
					text = `spec.%sParameters/p%02d/type: a type is a name such as "string", found the number 7`
				}
				want = append(want, fmt.Sprintf(text, field, n))
			}
			if diff := cmp.Diff(strings.Join(want, "; ")+tc.wantMore, got.Message()); diff != "" {
				t.Errorf("message (-want +got):\n%s", diff)
			}
			if n := len(got.Warnings) + len(got.Problems); n != tc.inputs+tc.outputs {
				t.Errorf("want all %d as values, got %d", tc.inputs+tc.outputs, n)
			}
		})
	}
}

// TestJudgeTellsAllProblems (A3): whatever is wrong with a task is told at once, each at its place.
func TestJudgeTellsAllProblems(t *testing.T) {
	cases := map[string]struct {
		input, output string
		want          []string
	}{
		"Four wrong types": {
			input: `{"a":{"type":"strnig"},"b":{"items":{"type":"intger"}}}`, output: `{"properties":{"c":{"type":7},"d":{"type":["null","flaot"]}}}`,
			want: []string{
				"InvalidSchema /spec/inputParameters/a/type", "InvalidSchema /spec/inputParameters/b/items/type",
				"InvalidSchema /spec/outputParameters/properties/c/type", "InvalidSchema /spec/outputParameters/properties/d/type/1",
			},
		},
		"Of several kinds": {
			input: `{"$defs":{"n":{"maximum":9007199254740993}},"properties":{"a":{"pattern":"(?=a)"},"b":{"$ref":"#/$defs/m"},"c":{"$ref":"x.json"},` +
				`"d":{"minLength":-1,"required":"x"}},"required":"a"}`,
			want: []string{
				"NumberOutOfRange /spec/inputParameters/$defs/n/maximum", "UnsupportedPattern /spec/inputParameters/properties/a/pattern",
				"InvalidSchema /spec/inputParameters/properties/b/$ref", "RemoteRefForbidden /spec/inputParameters/properties/c/$ref",
				"InvalidSchema /spec/inputParameters/properties/d/minLength", "InvalidSchema /spec/inputParameters/properties/d/required",
				"InvalidSchema /spec/inputParameters/required",
			},
		},
		"Parameters that are none": {
			input: `{"a":1,"b":null,"c":{"type":"int","default":"x"},"d":["string"]}`,
			want: []string{
				"InvalidSchema /spec/inputParameters/a", "InvalidSchema /spec/inputParameters/b", "InvalidSchema /spec/inputParameters/c/default",
				"InvalidSchema /spec/inputParameters/d",
			},
		},
		"Defaults, beside what is wrong": {
			input: `{"a":{"type":"integer","default":"x"},"b":{"type":"object","properties":{"c":{"type":"x"}},"default":1},"d":{"type":"string","default":[]}}`,
			want: []string{
				"InvalidSchema /spec/inputParameters/a/default", "InvalidSchema /spec/inputParameters/b/properties/c/type",
				"InvalidSchema /spec/inputParameters/d/default",
			},
		},
		"A name twice, and a wrong type": {
			input: `{"a":{"type":"string"},"a":{"type":"x"},"b":{"type":"y"}}`,
			want:  []string{"InvalidSchema /spec/inputParameters/a", "InvalidSchema /spec/inputParameters/b/type"},
		},
		"A whole that is no object, and what is in it": {
			input: `{"type":"array","items":{"type":"x"}}`,
			want:  []string{"InvalidSchema /spec/inputParameters/items/type", "InvalidSchema /spec/inputParameters/type"},
		},
		"A limit ends the reading of one, not of the other": {
			input: declared(2000, `{"type":"x"}`), output: `{"a":{"type":"x"}}`,
			want: []string{"SchemaTooLarge /spec/inputParameters", "InvalidSchema /spec/outputParameters/a/type"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			spec := v1alpha1.MazeTaskSpec{Name: "a", InputParameters: declaration(tc.input), OutputParameters: declaration(tc.output)}
			var got []string
			for _, p := range Judge(&spec).Problems {
				got = append(got, p.Reason+" "+p.Pointer)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
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
	var wrong []string
	for i := range 20 {
		wrong = append(wrong, fmt.Sprintf(`"%s%d":{"type":"`+strings.Repeat("型", 300)+`"}`, strings.Repeat("名", 600), i))
	}
	problems := declaration("{" + strings.Join(wrong, ",") + "}")
	for name, spec := range map[string]v1alpha1.MazeTaskSpec{
		"Long names with warnings": {Name: "a", InputParameters: warned, OutputParameters: warned},
		"A long name is refused":   {Name: "a", InputParameters: refused},
		"Many long names, refused": {Name: "a", InputParameters: problems, OutputParameters: problems},
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
