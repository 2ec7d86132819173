package schema

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestPastedTools (A5): one error says what this is, and which part belongs where.
func TestPastedTools(t *testing.T) {
	const parameters = `{"type": "object", "properties": {"q": {"type": "string"}}}`
	const call = "this is a call of a tool, which has values for the parameters, and not the schema of parameters; declare the tool that is called: the types of its " +
		"parameters, as in city: {type: string}"
	move := func(path, field string) string { return path + " belongs into spec." + field }
	cases := map[string]struct {
		raw  string
		want string
	}{
		"OpenAI": {
			`{"type": "function", "function": {"name": "search", "description": "Searches.", "parameters": ` + parameters + `, "strict": true}}`,
			"this is an OpenAI tool, and not the schema of parameters: " + move("function.parameters", "inputParameters") + ", " + move("function.name", "name") +
				", " + move("function.description", "description"),
		},
		"OpenAI, without a name": {
			`{"type": "function", "function": {"description": "Searches.", "parameters": ` + parameters + `}}`,
			"this is an OpenAI tool, and not the schema of parameters: " + move("function.parameters", "inputParameters") + ", " + move("function.description", "description"),
		},
		"OpenAI's responses": {
			`{"type": "function", "name": "search", "parameters": ` + parameters + `}`,
			"this is a function declaration, as of OpenAI or Gemini, and not the schema of parameters: " + move("parameters", "inputParameters") + ", " + move("name", "name"),
		},
		"MCP": {
			`{"name": "search", "title": "Search", "inputSchema": ` + parameters + `, "outputSchema": {"type": "object"}, "annotations": {"readOnlyHint": true}}`,
			"this is an MCP tool, and not the schema of parameters: " + move("inputSchema", "inputParameters") + ", " + move("outputSchema", "outputParameters") +
				", " + move("name", "name") + ", " + move("title", "description"),
		},
		"Anthropic": {
			`{"name": "search", "input_schema": {"type": "object", "properties": {"q": {"type": "strnig"}}}}`,
			"this is an Anthropic tool, and not the schema of parameters: " + move("input_schema", "inputParameters") + ", " + move("name", "name"),
		},
		"Bedrock": {
			`{"toolSpec": {"name": "search", "description": "Searches.", "inputSchema": {"json": ` + parameters + `}}}`,
			"this is a tool of Amazon Bedrock, and not the schema of parameters: " + move("toolSpec.inputSchema.json", "inputParameters") + ", " +
				move("toolSpec.name", "name") + ", " + move("toolSpec.description", "description") + readAsNames,
		},
		"Gemini": {
			`{"functionDeclarations": [{"name": "search", "description": "Searches.", "parameters": {"type": "OBJECT", "properties": {}}}, {"name": "fetch"}]}`,
			"these are 2 function declarations, as of OpenAI or Gemini, and not the schema of parameters; each needs a MazeTask of its own: " +
				move("parameters", "inputParameters") + ", " + move("name", "name") + ", " + move("description", "description"),
		},
		"LangChain": {
			`{"name": "search", "description": "Searches.", "args_schema": ` + parameters + `}`,
			"this is a LangChain tool, and not the schema of parameters: " + move("args_schema", "inputParameters") + ", " + move("name", "name") + ", " +
				move("description", "description"),
		},
		"OpenAPI's components": {
			`{"components": {"schemas": {"Search": ` + parameters + `}}}`,
			"this is a part of an OpenAPI document, and not the schema of parameters: " + move("components.schemas.Search", "inputParameters") + readAsNames,
		},
		"A schema of a CRD": {
			`{"openAPIV3Schema": ` + parameters + `}`,
			"this is a schema in a wrapper, and not the schema of parameters: " + move("openAPIV3Schema", "inputParameters") + readAsNames,
		},
		"The schema of an output": {
			`{"outputSchema": ` + parameters + `}`,
			"this is an MCP tool, and not the schema of parameters: " + move("outputSchema", "outputParameters") + readAsNames,
		},
		"A tool of smolagents without a name": {
			`{"inputs": {"q": {"type": "string", "description": "What to look for."}}, "output_type": "string"}`,
			"this is a tool of smolagents, and not the schema of parameters: " + move("inputs", "inputParameters") + readAsNames,
		},
		"A list of parameters alone": {
			`{"parameters": [{"name": "city", "value": "Rome"}]}`,
			"this is a list of parameters in a wrapper, and not the schema of parameters: " + move("parameters", "inputParameters") + "; " + ofList("city"),
		},
		"A request body": {
			`{"required": true, "content": {"application/json": {"schema": ` + parameters + `}}}`,
			"this is a request body of OpenAPI, and not the schema of parameters: " + move("content.application/json.schema", "inputParameters") + readAsNames,
		},
		"A parameter": {
			`{"name": "limit", "in": "query", "schema": {"type": "integer"}}`,
			"this is a parameter of OpenAPI, and not the schema of parameters; declare it by its name and its schema, as in q: {type: string}",
		},
		"An API": {
			`{"openapi": "3.1.0", "info": {"title": "x"}, "paths": {}}`,
			"this is a description of an API by OpenAPI, and not the schema of parameters; each of its operations would be a MazeTask",
		},
		"An answer to tools/list": {
			`{"jsonrpc": "2.0", "id": 1, "result": {"tools": [{"name": "search", "inputSchema": ` + parameters + `}, {}, {}]}}`,
			"these are 3 MCP tools, and not the schema of parameters; each needs a MazeTask of its own: " + move("inputSchema", "inputParameters") + ", " + move("name", "name"),
		},
		"A list": {
			`[{"type": "function", "function": {"name": "search", "parameters": ` + parameters + `}}]`,
			"this is an OpenAI tool, and not the schema of parameters: " + move("function.parameters", "inputParameters") + ", " + move("function.name", "name"),
		},
		"Its schema alone": {
			`{"inputSchema": ` + parameters + `}`,
			"this is an MCP tool, and not the schema of parameters: " + move("inputSchema", "inputParameters") + readAsNames,
		},
		"A wrapped schema": {
			`{"schema": ` + parameters + `}`,
			"this is a schema of OpenAPI in its wrapper, and not the schema of parameters: " + move("schema", "inputParameters") + readAsNames,
		},

		"Qwen-Agent's list": {
			`[{"name": "prompt", "type": "string", "description": "What to draw.", "required": true}, {"name": false, "type": "integer"}]`,
			`this is a list of parameters, and not the schema of parameters; a schema has no list of parameters: declare each by its name, as in prompt: {type: string}, ` +
				`all of them below "properties" if "required" names some of them`,
		},
		"A list of names that YAML would not read": {
			`[{"name": "a: b", "type": "string"}]`,
			`this is a list of parameters, and not the schema of parameters; a schema has no list of parameters: declare each by its name, as in q: {type: string}, ` +
				`all of them below "properties" if "required" names some of them`,
		},
		"Qwen-Agent": {
			`{"name": "draw", "description": "Draws.", "parameters": [{"name": "prompt", "type": "string", "required": true}]}`,
			"this is a tool of Qwen-Agent, and not the schema of parameters: " + move("parameters", "inputParameters") + ", " + move("name", "name") + ", " +
				move("description", "description") + `; a schema has no list of parameters: declare each by its name, as in prompt: {type: string}, ` +
				`all of them below "properties" if "required" names some of them`,
		},
		"A prompt of MCP": {
			`{"name": "review", "description": "Reviews.", "arguments": [{"name": "code", "description": "c", "required": true}]}`,
			"this is a prompt of MCP, and not the schema of parameters: " + move("arguments", "inputParameters") + ", " + move("name", "name") + ", " +
				move("description", "description") + `; a schema has no list of parameters: declare each by its name, as in code: {type: string}, ` +
				`all of them below "properties" if "required" names some of them`,
		},
		"Dify": {
			`{"identity": {"name": "search"}, "description": {"llm": "Searches."}, "parameters": [{"name": "query", "type": "string", "form": "llm"}]}`,
			"this is a tool of Dify, and not the schema of parameters: " + move("parameters", "inputParameters") + ", " + move("identity.name", "name") + ", " +
				move("description.llm", "description") + `; a schema has no list of parameters: declare each by its name, as in query: {type: string}, ` +
				`all of them below "properties" if "required" names some of them`,
		},
		"A wrapper": {
			`{"tool": {"name": "search", "description": "Searches.", "parameters": ` + parameters + `}}`,
			"this is a function declaration, as of OpenAI or Gemini, and not the schema of parameters: " + move("tool.parameters", "inputParameters") + ", " +
				move("tool.name", "name") + ", " + move("tool.description", "description") + readAsNames,
		},
		"Tools by their names": {
			`{"tools": {"search": {"description": "Searches.", "inputSchema": ` + parameters + `}, "fetch": {"description": "Fetches.", "inputSchema": {}}}}`,
			"these are 2 MCP tools, and not the schema of parameters; each needs a MazeTask of its own: " + move("inputSchema", "inputParameters") + ", " +
				move("description", "description") + readAsNames,
		},
		"Its schema as a text": {
			`{"type": "function", "function": {"name": "search", "parameters": "{\"type\": \"object\"}"}}`,
			"this is an OpenAI tool, and not the schema of parameters: " + move("function.parameters", "inputParameters") + ", " + move("function.name", "name") +
				"; parameters is JSON in a text: write what is in it without the quotes around it",
		},
		"A call of OpenAI":      {`{"id": "c", "type": "function", "function": {"name": "search", "arguments": "{\"q\": 1}"}}`, call},
		"Calls in a message":    {`{"role": "assistant", "tool_calls": [{"function": {"name": "search", "arguments": "{}"}}]}`, call},
		"A call of Anthropic":   {`{"type": "tool_use", "id": "t", "name": "search", "input": {"q": "x"}}`, call},
		"A call of LangChain":   {`{"name": "search", "args": {"q": "x"}, "id": "c", "type": "tool_call"}`, call},
		"A call by MCP":         {`{"jsonrpc": "2.0", "method": "tools/call", "params": {"name": "search", "arguments": {"q": [1]}}}`, call},
		"A call without values": {`{"name": "search", "arguments": {}}`, call},
		"A call of Llama":       {`{"name": "search", "parameters": {"q": "x", "deep": {"a": 1}}}`, call},
		"A call of Gemini":      {`{"functionCall": {"name": "search", "args": {"q": "x"}}}`, call + readAsNames},
		"MCP servers": {
			`{"mcpServers": {"fs": {"command": "npx"}}}`,
			"this is a list of MCP servers, as clients are configured, and not the schema of parameters; each of the tools that a server has would be a MazeTask; " +
				"its answer to tools/list declares them" + readAsNames,
		},

		"Names of a call, declared":                       {`{"name": {"type": "string"}, "arguments": {"type": "object"}}`, ""},
		"A call's names as a short form":                  {`{"name": "string", "arguments": "object"}`, ""},
		"A parameter called tool":                         {`{"tool": {"type": "object", "description": "The tool.", "properties": {"name": {"type": "string"}}}}`, ""},
		"Parameters with a schema inside":                 {`{"mcpServers": {"type": "object"}, "openapi": "string"}`, ""},
		"A schema that has a parameter called function":   {`{"type": "object", "properties": {"function": {"type": "object"}, "name": {"type": "string"}}}`, ""},
		"Parameters that are called name and inputSchema": {`{"name": "str", "description": {"type": "string"}, "inputSchema": {"type": "object"}}`, `Python type name "str" read as "string"`},
		"A parameter called parameters":                   {`{"parameters": {"type": "object"}}`, ""},
		"A parameter called content":                      {`{"content": {"type": "string"}, "in": {"type": "string"}}`, ""},
		"A wrong type beside such names":                  {`{"name": {"type": "strnig"}, "parameters": {"type": "object"}}`, `unknown type "strnig"`},
		"Tools as a parameter":                            {`{"tools": {"type": "array"}}`, ""},
		"An empty list":                                   {`{"tools": []}`, "a parameter is declared by an object"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			_, warnings, errs := Check([]byte(tc.raw))
			var got []string
			for _, err := range errs {
				got = append(got, err.Message)
			}
			for _, w := range warnings {
				got = append(got, w.Message)
			}
			var want []string
			if tc.want != "" {
				want = []string{tc.want}
			}
			for i := range min(len(got), len(want)) {
				if strings.HasPrefix(got[i], tc.want) && !strings.HasPrefix(tc.want, "th") {
					got[i] = tc.want
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("messages (-want +got):\n%s", diff)
			}
		})
	}
}
