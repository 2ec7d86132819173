package schema

import (
	"fmt"
	"slices"
	"strings"
)

// Pasted is what stands where parameters should be declared, and is the declaration of tools in the form of another framework.
type Pasted struct {
	// One and Many are what it is: "an MCP tool", "MCP tools".
	One, Many string
	// Count is how many there are.
	Count int
	// Parts say where what is in it belongs.
	Parts []PastedPart
	// Advice says what to do where the parts do not tell. Empty for nothing.
	Advice string
}

// PastedPart is a part of a tool's declaration.
type PastedPart struct {
	// Path is how it is called in it: function.parameters.
	Path string
	// Field is the field of a MazeTask that it belongs into.
	Field string
}

// Sentence returns what this is, and which part of it belongs where. place is what it should be.
func (p Pasted) Sentence(place string) string {
	out := "this is " + p.One + ", and not " + place
	if p.Count > 1 {
		out = fmt.Sprintf("these are %d %s, and not %s", p.Count, p.Many, place)
		if p.Advice == "" {
			out += "; each needs a MazeTask of its own"
		}
	}
	var moves []string
	for _, part := range p.Parts {
		moves = append(moves, part.Path+" belongs into "+part.Field)
	}
	if len(moves) > 0 {
		out += ": " + strings.Join(moves, ", ")
	}
	if p.Advice != "" {
		out += "; " + p.Advice
	}
	return out
}

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
	// sure says that the schemas are told by their paths alone.
	sure   bool
	advice string
}

// toolFormats are in the order in which they are tried: those with more to go by first.
var toolFormats = []toolFormat{
	{one: "an OpenAI tool", many: "OpenAI tools", inside: "function", input: []string{"parameters"}},
	{one: "a tool of Amazon Bedrock", many: "tools of Amazon Bedrock", inside: "toolSpec", input: []string{"inputSchema.json", "inputSchema"}},
	{one: "an MCP tool", many: "MCP tools", input: []string{"inputSchema"}, output: []string{"outputSchema"}, abouts: []string{"description", "title"}},
	{one: "an Anthropic tool", many: "Anthropic tools", input: []string{"input_schema"}},
	{one: "a tool of Cohere", many: "tools of Cohere", input: []string{"parameter_definitions"}},
	{one: "a LangChain tool", many: "LangChain tools", input: []string{"args_schema", "tool_call_schema", "args"}},
	{one: "a LlamaIndex tool", many: "LlamaIndex tools", input: []string{"fn_schema"}},
	{one: "a tool of smolagents", many: "tools of smolagents", input: []string{"inputs"}, needs: "output_type"},
	{
		one: "an operation of OpenAPI", many: "operations of OpenAPI",
		input: []string{"requestBody.content.*.schema"}, output: []string{"responses.*.content.*.schema"},
		names: []string{"operationId"}, abouts: []string{"description", "summary"}, sure: true,
	},
	{one: "a request body of OpenAPI", many: "request bodies of OpenAPI", input: []string{"content.*.schema"}, sure: true},
	{one: "a response format of OpenAI", many: "response formats of OpenAI", inside: "json_schema", output: []string{"schema"}},
	{
		one: "a function declaration, as of OpenAI or Gemini", many: "function declarations, as of OpenAI or Gemini",
		input: []string{"parameters", "parametersJsonSchema", "parameters_json_schema"}, output: []string{"response"},
	},
	{
		one: "a parameter of OpenAPI", many: "parameters of OpenAPI", input: []string{"schema"}, needs: "in",
		advice: "declare it by its name and its schema, as in q: {type: string}",
	},
	{one: "a schema of OpenAPI in its wrapper", many: "schemas of OpenAPI in their wrappers", input: []string{"schema"}},
}

// toolLists are the members that hold lists of tools.
var toolLists = []string{"tools", "functions", "functionDeclarations", "function_declarations"}

// RecognisePasted reports whether a value, as it is decoded from JSON, is the declaration of tools in the form of another framework.
func RecognisePasted(value any) (Pasted, bool) {
	switch v := value.(type) {
	case []any:
		return recogniseList(v)
	case map[string]any:
		if result, ok := v["result"].(map[string]any); ok && v["jsonrpc"] != nil {
			v = result
		}
		for _, name := range toolLists {
			if list, ok := v[name].([]any); ok {
				return recogniseList(list)
			}
		}
		if isA[string](v["openapi"]) || isA[string](v["swagger"]) {
			return Pasted{One: "a description of an API by OpenAPI", Count: 1, Advice: "each of its operations would be a MazeTask"}, true
		}
		return recogniseTool(v)
	}
	return Pasted{}, false
}

// recogniseList takes a list for what its first item is.
func recogniseList(list []any) (Pasted, bool) {
	if len(list) == 0 {
		return Pasted{}, false
	}
	found, ok := RecognisePasted(list[0])
	found.Count *= len(list)
	return found, ok
}

func recogniseTool(declared map[string]any) (Pasted, bool) {
	if declared["type"] == "object" || isA[map[string]any](declared["properties"]) {
		return Pasted{}, false // a schema
	}
	for _, format := range toolFormats {
		if found, ok := format.recognise(declared); ok {
			return found, true
		}
	}
	return Pasted{}, false
}

func (f *toolFormat) recognise(declared map[string]any) (Pasted, bool) {
	holder, prefix := declared, ""
	if f.inside != "" {
		inner, ok := declared[f.inside].(map[string]any)
		if !ok {
			return Pasted{}, false
		}
		holder, prefix = inner, f.inside+"."
	}
	if text, ok := holder[f.needs].(string); f.needs != "" && (!ok || text == "") {
		return Pasted{}, false
	}
	found := Pasted{One: f.one, Many: f.many, Count: 1}
	if !hasFirst(holder, f.input) && !hasFirst(holder, f.output) {
		return Pasted{}, false // which is so for nearly all
	}
	if path := schemaIn(holder, f.input); path != "" {
		found.Parts = append(found.Parts, PastedPart{prefix + path, "spec.inputParameters"})
	}
	if path := schemaIn(holder, f.output); path != "" {
		found.Parts = append(found.Parts, PastedPart{prefix + path, "spec.outputParameters"})
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
			if text, ok := holder[name].(string); ok && !isTypeName(text) {
				found.Parts = append(found.Parts, PastedPart{prefix + name, one.field})
				break
			}
		}
	}
	told := f.sure || len(found.Parts) > schemas || f.inside == "" && isOnlyMember(declared, f.input)
	if f.advice != "" {
		found.Parts, found.Advice = nil, f.advice
	}
	return found, schemas > 0 && told
}

// isOnlyMember reports whether an object has one member, which is a whole schema of an object, where a format has one.
func isOnlyMember(declared map[string]any, paths []string) bool {
	for name, value := range declared {
		inner, ok := value.(map[string]any)
		return len(declared) == 1 && slices.Contains(paths, name) && ok && isA[map[string]any](inner["properties"])
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

// schemaIn returns the first of some paths that leads to an object. Empty if none does.
func schemaIn(holder map[string]any, paths []string) string {
	for _, path := range paths {
		shown, object := "", holder
		for step, rest, more := strings.Cut(path, "."); object != nil; step, rest, more = strings.Cut(rest, ".") {
			if step == "*" && len(object) > 0 {
				step = sortedNames(object)[0]
			}
			object, _ = object[step].(map[string]any)
			if shown += clip(step, maxQuoted); !more {
				break
			}
			shown += "."
		}
		if object != nil {
			return shown
		}
	}
	return ""
}

// inParameters says of what stands where parameters are declared what it is.
func (p Pasted) inParameters() string {
	return p.Sentence("the schema of parameters")
}

// tellPasted reports what the document is if it is no schema, and nothing of what follows from that. Whatever could be read as a schema stays
// one, with a warning.
func (d *document) tellPasted() {
	switch {
	case d.pasted == nil:
	case len(d.errors) > 0:
		d.errors, d.warnings = []*Error{invalid("", "%s", d.pasted.inParameters())}, nil
	default:
		d.warnings = []Warning{{Kind: KindPasted, Message: d.pasted.inParameters() + readAsNames}}
	}
}

const readAsNames = "; it is read as a declaration of parameters with these names"
