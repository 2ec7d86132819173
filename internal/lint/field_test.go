package lint

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/maze-agent/maregister/internal/finding"
)

// told lints a file and returns its findings as place, rule and what the message has to contain of the wanted text.
func told(t *testing.T, name, content string) []finding.Finding {
	t.Helper()
	return newLinter(t).Lint([]Source{{name, []byte(content)}}).Findings
}

// TestA3 (field case A3): everything that is wrong with a task is told at once, in the order of the file, whoever refuses it.
func TestA3(t *testing.T) {
	cases := map[string]struct {
		spec string
		want []string
	}{
		"Four wrong types in inputs and outputs": {
			"spec:\n  name: a\n  outputParameters:\n    d: {type: flaot}\n    c: {type: strnig}\n  inputParameters:\n    b: {type: intger}\n    a: {type: 7}\n",
			[]string{"MZ121 at 7:15", "MZ121 at 8:15", "MZ121 at 10:15", "MZ121 at 11:15"},
		},
		"A wrong name, an unknown field, a rule and a schema": {
			"spec:\n  name: a/b\n  nme: a\n  resources: {gpuMemory: 4Gi}\n  inputParameters: {x: {type: strnig}}\n",
			[]string{"MZ109 at 5:9", "MZ105 at 6:3", "MZ111 at 7:26", "MZ121 at 8:31"},
		},
		"No name": {
			"spec:\n  inputParameters: {x: {type: strnig}, w: {pattern: '(?=a)'}}\n",
			[]string{"MZ106 at 4:1", "MZ121 at 5:31", "MZ125 at 5:53"},
		},
		"A wrong form, and rules of the CRD": {
			"spec:\n  name: a\n  description: [x]\n  entryPoint: x\n  resources: {cpu: 500000, memory: 5}\n",
			[]string{"MZ107 at 6:16", "MZ112 at 7:15", "MZ110 at 8:20", "MZ110 at 8:36"},
		},
		"Metadata and a schema": {
			"spec:\n  name: a\n  inputParameters: {x: {type: strnig}, w: 1}\n  outputParameters: []\n",
			[]string{"MZ121 at 6:31", "MZ121 at 6:43", "MZ107 at 7:21"},
		},
		"A type that decides a rule": { // whether gpuMemory may be there depends on what the type should be
			"spec:\n  name: a\n  resources: {type: GPU, gpuMemory: 4Gi}\n",
			[]string{"MZ113 at 6:21"},
		},
		"A spec that is none": {"spec: x\n", []string{"MZ107 at 4:7"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, lintText(t, manifest(tc.spec))); diff != "" {
				t.Errorf("findings (-want +got):\n%s%v", diff, told(t, "file.yaml", manifest(tc.spec)))
			}
		})
	}
}

// TestA5 (field case A5): a pasted tool is one finding, wherever it stands.
func TestA5(t *testing.T) {
	tools := map[string]string{
		"OpenAI":    `{"type": "function", "function": {"name": "get weather", "description": "Tells.", "parameters": {"type": "object", "properties": {"x": {"type": "strnig"}}}}}`,
		"MCP":       `{"name": "search-all", "description": "Searches.", "inputSchema": {"type": "object", "properties": {"q": {"type": "string"}}}}`,
		"Anthropic": `{"name": "search-all", "description": "Searches.", "input_schema": {"type": "object", "properties": {"q": {"type": "string"}}}}`,
		"list":      `{"tools": [{"name": "search-all", "description": "Searches.", "inputSchema": {"type": "object"}}]}`,
		"OpenAPI":   `{"operationId": "listPets", "summary": "Lists.", "requestBody": {"content": {"application/json": {"schema": {"type": "object"}}}}}`,
		"Qwen":      `{"name": "search-all", "description": "Searches.", "parameters": [{"name": "q", "type": "string", "required": true}]}`,
		"as a text": `{"name": "search-all", "description": "Searches.", "parameters": "{\"type\": \"object\"}"}`,
		"Gemini":    `{"functionDeclarations": [{"name": "search-all", "parameters": {"type": "OBJECT", "properties": {}}}]}`,
	}
	places := map[string]struct {
		format string
		rule   string
		at     string
	}{
		"input":    {manifest("spec:\n  name: a\n  inputParameters: %s\n"), finding.InvalidSchema, "6:20"},
		"output":   {manifest("spec:\n  name: a\n  outputParameters: %s\n"), finding.InvalidSchema, "6:21"},
		"items":    {manifest("spec:\n  name: a\n  inputParameters: [%s]\n"), finding.PastedTool, "6:20"},
		"spec":     {manifest("spec: %s\n"), finding.PastedTool, "4:7"},
		"document": {"%s\n", finding.PastedTool, "1:1"},
		"array":    {"[%s]\n", finding.PastedTool, "1:1"},
	}
	for toolName, tool := range tools {
		for placeName, place := range places {
			t.Run(toolName+", "+placeName, func(t *testing.T) {
				findings := told(t, "file.yaml", fmt.Sprintf(place.format, tool))
				if len(findings) != 1 {
					t.Fatalf("want one finding, got %v", findings)
				}
				f := findings[0]
				if got := fmt.Sprintf("%d:%d", f.Position.Line, f.Position.Column); f.Rule != place.rule || got != place.at || !strings.Contains(f.Message, "belongs into spec.") {
					t.Errorf("want %s at %s, got %v", place.rule, place.at, f)
				}
			})
		}
	}
}

// TestA5Others (field case A5): calls, lists of parameters, and schemas in texts are one finding, too, in words of their own.
func TestA5Others(t *testing.T) {
	const call = "this is a call of a tool, which has values for the parameters, and not "
	for value, want := range map[string]string{
		`{"name": "get-weather", "arguments": {"city": "Berlin"}}`:                              "MZ121 spec.inputParameters: " + call,
		`{"type": "function", "function": {"name": "get-weather", "arguments": "{}"}}`:          "MZ121 spec.inputParameters: " + call,
		`[{"type": "tool_use", "id": "a", "name": "get-weather", "input": {"city": "Berlin"}}]`: "MZ117 spec.inputParameters: " + call,
		`[{"name": "prompt", "type": "string"}, {"name": n, "type": "integer"}]`:                "MZ117 spec.inputParameters: this is a list of parameters, and not ",
		`'{"type": "object", "properties": {}}'`:                                                "MZ107 spec.inputParameters: must be of type object, not string; it is JSON in a text: ",
		"|\n    type: object\n    properties: {}\n":                                             "MZ107 spec.inputParameters: must be of type object, not string; it is YAML in a text: ",
		`"[1, 2]"`:                  "MZ107 spec.inputParameters: must be of type object, not string; it is JSON in a text: ",
		`{a: '{"type": "string"}'}`: "MZ121 spec.inputParameters/a/type: this is JSON in a text, and no type: ",
		`{"tool": {"name": "search-all", "parameters": {"type": "object", "properties": {}}}}`: "MZ117 spec.inputParameters: this is a function declaration, ",
	} {
		findings := told(t, "file.yaml", manifest("spec:\n  name: a\n  inputParameters: "+value+"\n"))
		if len(findings) != 1 || !strings.HasPrefix(findings[0].Rule+" "+findings[0].Message, want) {
			t.Errorf("%s: want one finding that begins with %s, got %v", value, want, findings)
		}
	}
}

// TestA5Beside (field case A5): a tool that is pasted beside apiVersion and kind is one finding, too.
func TestA5Beside(t *testing.T) {
	for content, want := range map[string]string{
		header + "name: a\ndescription: d\ninputSchema: {type: object}\n":                                 "1:1 MZ117 this is an MCP tool, and not a MazeTask, which has all of it below spec: ",
		header + "metadata: {name: a}\ntype: function\nfunction: {name: a, parameters: {type: object}}\n": "1:1 MZ117 this is an OpenAI tool, and not a MazeTask, which has all of it below spec: ",
	} {
		findings := told(t, "file.yaml", content)
		if len(findings) != 1 || !strings.HasPrefix(fmt.Sprintf("%d:%d %s %s", findings[0].Position.Line, findings[0].Position.Column, findings[0].Rule, findings[0].Message), want) {
			t.Errorf("%s: want one finding that begins with %s, got %v", content, want, findings)
		}
	}
}

// TestA8 (field case A8): what YAML reads as another value than is written is explained where it matters.
func TestA8(t *testing.T) {
	cases := map[string]struct{ content, want string }{
		"NO for a text":           {manifest("spec: {name: a, description: NO}\n"), "4:30 MZ107 spec.description: must be of type string, not boolean; NO is read as false: put it in quotes if it is a text"},
		"on for a label":          {header + "metadata: {name: a, labels: {served: on}}\nspec: {name: a}\n", "3:38 MZ108 metadata.labels[served]: must be a string, not bool; on is read as true: put it in quotes if it is a text"},
		"an octal number":         {manifest("spec: {name: 012}\n"), "4:14 MZ107 spec.name: must be of type string, not integer; 012 is read as 10: put it in quotes if it is a text"},
		"hexadecimal":             {manifest("spec: {name: a, predictor: 0x1F}\n"), "4:28 MZ107 spec.predictor: must be of type string, not integer; 0x1F is read as 31: put it in quotes if it is a text"},
		"digits with underscores": {manifest("spec: {name: a, predictor: 1_000}\n"), "4:28 MZ107 spec.predictor: must be of type string, not integer; 1_000 is read as 1000: put it in quotes if it is a text"},
		"an exponent":             {manifest("spec: {name: 1e3}\n"), "4:14 MZ107 spec.name: must be of type string, not integer; 1e3 is read as 1000: put it in quotes if it is a text"},
		"a variable":              {manifest("spec:\n  name: a\n  resources: {memory: \"${MEMORY}\"}\n"), "6:23 MZ110 spec.resources.memory: must be a quantity that is not negative, such as 512Mi or 2Gi; ${MEMORY} is to be replaced by another program: lint what is made of it"},
		"a template in quotes":    {manifest("spec:\n  name: '{{ .Values.name }}'\n"), "5:9 MZ109 spec.name: must start and end with an ASCII letter or digit and hold only letters, digits, '-', '_' and '.', such as image_caption; {{ .Values.name }} is to be replaced by another program: lint what is made of it"},
		"a word processor":        {manifest("spec: {name: “a”}\n"), "4:14 MZ109 spec.name: must start and end with an ASCII letter or digit and hold only letters, digits, '-', '_' and '.', such as image_caption; the character “ (U+201C) is not what it looks like; write \" for it"},
		"a date is a text":        {manifest("spec: {name: a, description: 2024-01-01}\n"), ""},
		"minutes are a text":      {manifest("spec: {name: a, description: 1:30}\n"), ""},
		"NO in a schema":          {manifest("spec: {name: a, inputParameters: {enabled: NO}}\n"), "4:44 MZ116 NO is read as false; put it in quotes if it is a text, or write false"},
		"yes in an enum":          {manifest("spec: {name: a, inputParameters: {x: {enum: [yes, maybe]}}}\n"), "4:46 MZ116 yes is read as true; put it in quotes if it is a text, or write true"},
		"y as an example":         {manifest("spec: {name: a, inputParameters: {x: {type: string, examples: [y]}}}\n"), "4:64 MZ116 y is read as true; put it in quotes if it is a text, or write true"},
		"no for a boolean":        {manifest("spec: {name: a, inputParameters: {x: {type: boolean, default: no}, z: {type: [bool, 'null'], enum: [yes, no]}}}\n"), "4:79 MZ129 "},
		"no for a keyword":        {manifest("spec: {name: a, inputParameters: {type: object, additionalProperties: no}}\n"), ""},
		"a missing space":         {manifest("spec:\n  name: a\n  resources:\n    type:gpu\n"), "7:5 MZ107 spec.resources: must be of type object, not string; a space is missing behind the colon of type:gpu"},
		"UTF-16":                  {"\xff\xfea\x00", "1:1 MZ101 this is UTF-16, as > of Windows PowerShell writes it; save the file as UTF-8"},
		"a byte order mark":       {"\ufeff" + manifest("spec: {name: 5}\n"), "4:14 MZ107 spec.name: must be of type string, not integer"},
		"ends of lines of DOS":    {strings.ReplaceAll(manifest("spec: {name: 5}\n"), "\n", "\r\n"), "4:14 MZ107 spec.name: must be of type string, not integer"},
		"a line separator":        {manifest("spec:\n  description: \"a\u2028b\"\n  name: 5\n"), "6:9 MZ107 spec.name: must be of type string, not integer"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := ""
			for _, f := range told(t, "file.yaml", tc.content) {
				got += fmt.Sprintf("%d:%d %s %s", f.Position.Line, f.Position.Column, f.Rule, f.Message)
			}
			if strings.HasSuffix(tc.want, " ") {
				got = got[:min(len(got), len(tc.want))]
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
		})
	}
}

// TestA10 (field case A10): a number is shown as it is written.
func TestA10(t *testing.T) {
	const schema = `{"apiVersion": "registry.mazeagent.net/v1alpha1", "kind": "MazeTask", "metadata": {"name": "a"}, "spec": {"name": "a", "inputParameters": {"x": %s}}}`
	for parameter, want := range map[string]string{
		`{"maximum": 18446744073709551615}`:                      "the integer 18446744073709551615 is",
		`{"minimum": -18446744073709551616}`:                     "the integer -18446744073709551616 is",
		`{"type": "string", "default": 1.0}`:                     "the default, 1.0, does",
		`{"type": "string", "default": 0.10}`:                    "the default, 0.10, does",
		`{"type": "string", "default": [1.50, 1e2]}`:             "the default, [1.50,1e2], does",
		`{"type": "string", "default": 123456789012345678901.5}`: "; 123456789012345678901.5 is read as 123456789012345680000",
		`{"type": 1.0}`:      "found the number 1.0",
		`1.00`:               "found the number 1.00",
		`{"maximum": 1e20}`:  "; 1e20 is read as 100000000000000000000",
		`{"maximum": 1e400}`: "the number 1e400 is larger",
	} {
		for _, name := range []string{"file.json", "file.yaml"} {
			if name == "file.yaml" && strings.Contains(parameter, "1e400") {
				continue // YAML reads a text there
			}
			content := fmt.Sprintf(schema, parameter)
			if name == "file.yaml" {
				content = "# YAML\n" + content
			}
			findings := told(t, name, content)
			if len(findings) != 1 || !strings.Contains(findings[0].Message, want) {
				t.Errorf("%s in %s: want one finding with %q, got %v", parameter, name, want, findings)
			}
		}
	}
}

// TestFileNames (security row 9): a MazeTask in a file that kustomize reads as its own is told.
func TestFileNames(t *testing.T) {
	for name, want := range map[string]int{
		"kustomization.yaml": 1, "tasks/kustomization.yml": 1, "Kustomization": 1, "kustomization-task.yaml": 0, "tasks.yaml": 0,
	} {
		findings := told(t, name, manifest("spec: {name: kustomization}\n"))
		if len(findings) != want || want > 0 && findings[0].Rule != finding.ReservedFileName {
			t.Errorf("%s: want %d findings of MZ118, got %v", name, want, findings)
		}
	}
	if findings := told(t, "kustomization.yaml", "resources: [a.yaml]\n"); len(findings) > 0 {
		t.Errorf("want nothing of kustomize's own, got %v", findings)
	}
}
