package schema

import "strings"

// aCall is a call of a tool: it has values for the parameters.
var aCall = Pasted{One: "a call of a tool, which has values for the parameters", Many: "calls of tools, which have values for the parameters", Count: 1,
	Advice: "declare the tool that is called: the types of its parameters, as in city: {type: string}"}

// callMembers are the members that hold calls.
var callMembers = []string{"tool_calls", "toolCalls", "function_call", "functionCall", "toolUse", "tool_use"}

// calledMembers are those that name the tool which is called.
var calledMembers = []string{"name", "tool", "tool_name", "toolName", "action", "function_name"}

// argumentMembers are those that hold the values. That of the last one is a declaration more often.
var argumentMembers = []string{"arguments", "args", "input", "tool_input", "toolInput", "action_input", "kwargs", "parameters"}

// recogniseCall recognises the call of a tool, as models write it, and MCP's clients. inside is the member that it is in, empty for none.
func recogniseCall(declared map[string]any, inside string) (Pasted, bool) {
	for _, name := range callMembers {
		inner := declared[name]
		if list, ok := inner.([]any); ok && len(list) > 0 {
			inner = list[0]
		}
		if call, ok := inner.(map[string]any); ok && inside == "" {
			if _, ok := recogniseCall(call, name); ok {
				return aCall, true
			}
		}
	}
	if inner, ok := declared["function"].(map[string]any); ok && inside != "function" {
		return recogniseCall(inner, "function")
	}
	if inner, ok := declared["params"].(map[string]any); ok && declared["method"] == "tools/call" {
		return recogniseCall(inner, "params")
	}
	if text, ok := declared["description"].(string); ok && text != "" {
		return Pasted{}, false // a declaration
	}
	for _, name := range calledMembers {
		if text, ok := declared[name].(string); ok && text != "" && !isTypeName(text) {
			return aCall, hasArguments(declared)
		}
	}
	return Pasted{}, false
}

// hasArguments reports whether an object has values for parameters, and not what declares these.
func hasArguments(declared map[string]any) bool {
	for _, name := range argumentMembers {
		switch v := declared[name].(type) {
		case string:
			if isJSONObject(v) && name != "parameters" && !strings.Contains(v, `"properties"`) {
				return true
			}
		case map[string]any:
			return areValues(v) && (len(v) > 0 || name == "arguments")
		}
	}
	return false
}

// areValues reports whether none of the members of an object declares a parameter, and the object is no schema.
func areValues(object map[string]any) bool {
	if isFullSchema(object) {
		return false
	}
	for _, value := range object {
		switch v := value.(type) {
		case string:
			if isTypeName(v) {
				return false
			}
		case map[string]any:
			if len(v) == 0 || isStringOrArray(v["type"]) || isFullSchema(v) || isA[string](v["description"]) {
				return false
			}
		}
	}
	return true
}
