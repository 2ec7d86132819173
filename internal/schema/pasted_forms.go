package schema

import (
	"slices"
	"strings"
)

// toolFormat is how a framework declares a tool, or a part of one.
type toolFormat struct {
	one, many string
	// inside is the member that holds everything else, as function does. Empty for none.
	inside string
	// input and output are the paths to the schemas. Several are alternatives. A * stands for the first name.
	input, output []string
	// names and abouts are the members for the name and the description, where they have other names than usual.
	names, abouts []string
	// needs is a member that must be a text. Empty for none.
	needs string
	// listed says that the parameters are a list, each with its name.
	listed bool
	// sure says that the schemas are told by their paths alone.
	sure bool
	// partial says that this is a part of a tool's declaration.
	partial bool
	// alone says that the schema is the only member.
	alone  bool
	advice string
}

const declareByName = "declare it by its name and its schema, as in q: {type: string}"

// toolFormats are in the order in which they are tried: those with more to go by first.
var toolFormats = []toolFormat{
	{one: "an OpenAI tool", many: "OpenAI tools", inside: "function", input: []string{"parameters"}},
	{one: "a tool of Amazon Bedrock", many: "tools of Amazon Bedrock", inside: "toolSpec", input: []string{"inputSchema.json", "inputSchema"}},
	{
		one: "an MCP tool", many: "MCP tools", input: []string{"inputSchema.jsonSchema", "inputSchema"}, output: []string{"outputSchema", "output_schema"},
		abouts: []string{"description", "title"},
	},
	{one: "an Anthropic tool", many: "Anthropic tools", input: []string{"input_schema"}},
	{one: "a tool of Cohere", many: "tools of Cohere", input: []string{"parameter_definitions"}},
	{one: "a LangChain tool", many: "LangChain tools", input: []string{"args_schema", "tool_call_schema", "args"}},
	{one: "a LlamaIndex tool", many: "LlamaIndex tools", input: []string{"fn_schema"}},
	{one: "a tool of smolagents", many: "tools of smolagents", input: []string{"inputs"}, needs: "output_type", sure: true},
	{one: "a tool of Haystack", many: "tools of Haystack", inside: "data", input: []string{"parameters"}},
	{
		one: "an operation of OpenAPI", many: "operations of OpenAPI",
		input: []string{"requestBody.content.*.schema"}, output: []string{"responses.*.content.*.schema"},
		names: []string{"operationId"}, abouts: []string{"description", "summary"}, sure: true,
	},
	{one: "a request body of OpenAPI", many: "request bodies of OpenAPI", input: []string{"content.*.schema"}, sure: true, partial: true},
	{one: "a response format of OpenAI", many: "response formats of OpenAI", inside: "json_schema", output: []string{"schema"}},
	{one: "a list of parameters in a wrapper", many: "lists of parameters in wrappers", input: lists, listed: true, partial: true, alone: true},
	{one: "a tool of ToolBench", many: "tools of ToolBench", input: []string{"required_parameters", "optional_parameters"}, listed: true},
	{one: "a tool of Dify", many: "tools of Dify", input: []string{"parameters"}, needs: "identity.name", names: []string{"identity.name"},
		abouts: []string{"description.llm"}, listed: true, sure: true},
	{one: "a prompt of MCP", many: "prompts of MCP", input: []string{"arguments"}, listed: true},
	{one: "a tool of Qwen-Agent", many: "tools of Qwen-Agent", input: []string{"parameters"}, names: []string{"name", "name_for_model"},
		abouts: []string{"description", "description_for_model"}, listed: true},
	{
		one: "a function declaration, as of OpenAI or Gemini", many: "function declarations, as of OpenAI or Gemini",
		input:  []string{"parameters", "parametersJsonSchema", "parameters_json_schema", "params_json_schema", "paramsJsonSchema"},
		output: []string{"response"},
	},
	{one: "a part of an OpenAPI document", many: "parts of OpenAPI documents", input: []string{"components.schemas.*"}, sure: true, partial: true},
	{one: "a parameter of OpenAPI", many: "parameters of OpenAPI", input: []string{"schema"}, needs: "in", partial: true, advice: declareByName},
	{one: "a schema of OpenAPI in its wrapper", many: "schemas of OpenAPI in their wrappers", input: []string{"schema"}, partial: true},
	{one: "a schema in a wrapper", many: "schemas in wrappers", input: wrappers, partial: true, alone: true},
}

// wrappers are members that hold one schema and nothing else, in a response format, a CRD and the like. lists are those that hold a list of
// parameters.
var (
	wrappers = []string{"json_schema", "jsonSchema", "openAPIV3Schema", "validationSchema", "configSchema"}
	lists    = []string{"parameters", "params", "arguments", "args", "inputs"}
)

// toolLists are the members that hold lists of tools, or tools by name.
var toolLists = []string{"tools", "functions", "functionDeclarations", "function_declarations"}

// RecognisePasted reports whether a value, as it is decoded from JSON, is the declaration of tools in the form of another framework, a
// call of one, or another thing that is pasted for the schema of parameters.
func RecognisePasted(value any) (Pasted, bool) {
	switch v := value.(type) {
	case []any:
		return recogniseList(v)
	case map[string]any:
		if result, ok := v["result"].(map[string]any); ok && v["jsonrpc"] != nil {
			v = result
		}
		for _, name := range toolLists {
			switch tools := v[name].(type) {
			case []any:
				return recogniseList(tools)
			case map[string]any:
				if found, ok := recogniseNamed(tools); ok {
					return found, true
				}
			}
		}
		if known, ok := recogniseKnown(v); ok {
			return known, true
		}
		return recogniseTool(v)
	}
	return Pasted{}, false
}

// knownDocuments are told by a member that is a text, or an object.
var knownDocuments = []struct {
	member string
	pasted Pasted
}{
	{"openapi", Pasted{One: "a description of an API by OpenAPI", Count: 1, Advice: "each of its operations would be a MazeTask"}},
	{"swagger", Pasted{One: "a description of an API by OpenAPI", Count: 1, Advice: "each of its operations would be a MazeTask"}},
	{"mcpServers", Pasted{One: "a list of MCP servers, as clients are configured", Count: 1,
		Advice: "each of the tools that a server has would be a MazeTask; its answer to tools/list declares them"}},
}

// recogniseKnown recognises documents that have tools elsewhere.
func recogniseKnown(declared map[string]any) (Pasted, bool) {
	for _, known := range knownDocuments {
		switch value := declared[known.member].(type) {
		case string:
			return known.pasted, !isTypeName(value)
		case map[string]any:
			_, isParameter := value["type"].(string)
			return known.pasted, known.member == "mcpServers" && !isParameter
		}
	}
	return Pasted{}, false
}

// recogniseList takes a list for what its first item is.
func recogniseList(list []any) (Pasted, bool) {
	if len(list) == 0 {
		return Pasted{}, false
	}
	if found, ok := RecognisePasted(list[0]); ok {
		found.Count *= len(list)
		return found, true
	}
	if name, ok := nameInList(list); ok {
		return Pasted{One: "a list of parameters", Many: "lists of parameters", Count: 1, Schema: ofList(name)}, true
	}
	return Pasted{}, false
}

// recogniseTool recognises one tool, a call of one, or what has nothing but tools by their names.
func recogniseTool(declared map[string]any) (Pasted, bool) {
	if declared["type"] == "object" || isA[map[string]any](declared["properties"]) || isA[string](declared["$ref"]) {
		return Pasted{}, false // a schema
	}
	if found, ok := recogniseCall(declared, ""); ok {
		return found, true
	}
	for _, format := range toolFormats {
		if found, ok := format.recognise(declared); ok {
			return found, true
		}
	}
	return recogniseNamed(declared)
}

// recogniseNamed recognises an object whose members are tools, by their names; one may be a wrapper, such as tool.
func recogniseNamed(declared map[string]any) (Pasted, bool) {
	var first Pasted
	for i, name := range sortedNames(declared) {
		inner, _ := declared[name].(map[string]any)
		found, ok := recogniseOne(inner)
		if !ok {
			return Pasted{}, false
		}
		if i == 0 {
			first = found
		}
	}
	first.Count = len(declared)
	if len(declared) == 1 {
		prefix := clip(sortedNames(declared)[0], maxQuoted) + "."
		for i := range first.Parts {
			first.Parts[i].Path = prefix + first.Parts[i].Path
		}
	}
	return first, len(declared) > 0
}

// recogniseOne recognises one tool as a whole.
func recogniseOne(declared map[string]any) (Pasted, bool) {
	if declared["type"] == "object" || isA[map[string]any](declared["properties"]) {
		return Pasted{}, false
	}
	for _, format := range toolFormats {
		if found, ok := format.recognise(declared); ok && !format.partial {
			return found, true
		}
	}
	return Pasted{}, false
}

// recognise reports whether an object is a tool in this format, and returns what of it belongs where.
func (f *toolFormat) recognise(declared map[string]any) (Pasted, bool) {
	holder, prefix := declared, ""
	if f.inside != "" {
		inner, ok := declared[f.inside].(map[string]any)
		if !ok {
			return Pasted{}, false
		}
		holder, prefix = inner, f.inside+"."
	}
	if f.needs != "" && textAt(holder, f.needs) == "" || f.alone && len(declared) > 1 {
		return Pasted{}, false
	}
	if !hasFirst(holder, f.input) && !hasFirst(holder, f.output) {
		return Pasted{}, false // which is so for nearly all
	}
	found := Pasted{One: f.one, Many: f.many, Count: 1}
	for _, one := range []struct {
		paths []string
		field string
	}{{f.input, "spec.inputParameters"}, {f.output, "spec.outputParameters"}} {
		if path, form := f.schemaIn(holder, one.paths); path != "" {
			found.Parts = append(found.Parts, PastedPart{prefix + path, one.field})
			found.Schema = form
		}
	}
	schemas := len(found.Parts)
	for _, one := range []struct {
		members []string
		usual   string
		field   string
	}{{f.names, "name", "spec.name"}, {f.abouts, "description", "spec.description"}} {
		if one.members == nil {
			one.members = []string{one.usual}
		}
		for _, name := range one.members {
			if text := textAt(holder, name); text != "" && !isTypeName(text) {
				found.Parts = append(found.Parts, PastedPart{prefix + name, one.field})
				break
			}
		}
	}
	told := f.sure || len(found.Parts) > schemas || f.inside == "" && f.isOnlyMember(declared)
	if f.advice != "" {
		found.Parts, found.Advice = nil, f.advice
	}
	return found, schemas > 0 && told
}

// textAt returns the text that a path leads to. Empty if there is none.
func textAt(holder map[string]any, path string) string {
	for {
		step, rest, more := strings.Cut(path, ".")
		if !more {
			text, _ := holder[step].(string)
			return text
		}
		holder, _ = holder[step].(map[string]any)
		path = rest
	}
}

// isOnlyMember reports whether an object has one member, which is a whole schema of an object where the format has one, or a list of parameters.
func (f *toolFormat) isOnlyMember(declared map[string]any) bool {
	for name, value := range declared {
		isOutput := slices.Contains(f.output, name) && strings.HasSuffix(name, "chema") // others are names of outputs, too
		if len(declared) > 1 || !slices.Contains(f.input, name) && !isOutput {
			return false
		}
		if list, isList := value.([]any); isList {
			_, named := nameInList(list)
			return f.listed && named
		}
		inner, _ := value.(map[string]any)
		return isA[map[string]any](inner["properties"])
	}
	return false
}

func isTypeName(text string) bool {
	_, ok := acceptedTypes[text]
	return ok
}

// hasFirst reports whether an object has the first member of one of some paths.
func hasFirst(holder map[string]any, paths []string) bool {
	return slices.ContainsFunc(paths, func(path string) bool {
		first, _, _ := strings.Cut(path, ".")
		return holder[first] != nil
	})
}

// schemaIn returns the first of some paths that leads to a schema, and what is to be done with that if it is in another form. Empty if
// none does.
func (f *toolFormat) schemaIn(holder map[string]any, paths []string) (shown, form string) {
	for _, path := range paths {
		shown := ""
		var value any = holder
		for step, rest, more := strings.Cut(path, "."); ; step, rest, more = strings.Cut(rest, ".") {
			object, _ := value.(map[string]any)
			if step == "*" && len(object) > 0 {
				step = sortedNames(object)[0]
			}
			value = object[step]
			if shown += clip(step, maxQuoted); !more {
				break
			}
			shown += "."
		}
		switch v := value.(type) {
		case map[string]any:
			if !f.listed {
				return shown, ""
			}
		case []any:
			if name, ok := nameInList(v); f.listed && ok {
				return shown, ofList(name)
			}
		case string:
			if !f.listed && isJSONObject(v) {
				return shown, shown + " is JSON in a text: write what is in it without the quotes around it"
			}
		}
	}
	return "", ""
}

// isJSONObject reports whether a text looks like an object of JSON.
func isJSONObject(text string) bool {
	text = strings.TrimSpace(text)
	return strings.HasPrefix(text, "{") && strings.HasSuffix(text, "}")
}

// membersOfParameters are members of which a parameter in a list has one at least, besides its name.
var membersOfParameters = []string{"type", "description", "required", "default", "schema", "label", "human_description", "value"}

// nameInList returns the name of the first of a list of parameters, each of which has its name in it. It reports false for any other list.
func nameInList(list []any) (string, bool) {
	first := ""
	for _, item := range list {
		parameter, _ := item.(map[string]any)
		name := textAt(parameter, "name")
		if parameter["name"] == nil || first == "" && name == "" || len(parameter) > 1 && !hasFirst(parameter, membersOfParameters) {
			return "", false
		}
		if first == "" {
			first = name
		}
	}
	return first, first != ""
}

// ofList says what to make of a list of parameters.
func ofList(name string) string {
	if strings.ContainsAny(name, " :,{}[]#\"'\n") {
		name = "q"
	}
	return "a schema has no list of parameters: declare each by its name, as in " + clip(name, maxQuoted) +
		`: {type: string}, all of them below "properties" if "required" names some of them`
}
