package discover

import (
	"math/big"
	"slices"

	"github.com/maze-agent/maregister/internal/discover/syntax"
)

// Values are nil, bool, *big.Int, float64, string, bytesLiteral, list, tuple, dict and pyType.
type (
	list  []any
	tuple []any
	// dict is in order. Its keys are values, too.
	dict []entry
	// pyType is one of Python's own types, such as str.
	pyType string
)

type entry struct{ key, value any }

// pyTypes are JSON Schema's types for Python's own.
var pyTypes = map[string]string{
	"str": "string", "int": "integer", "float": "number", "bool": "boolean", "list": "array", "tuple": "array", "dict": "object", "set": "array",
}

// with sets a key. Keys that are not strings stay apart from each other: a dict that has some is no JSON.
func (d dict) with(key, value any) dict {
	if i := slices.IndexFunc(d, func(e entry) bool { _, text := key.(string); return text && e.key == key }); i >= 0 {
		out := slices.Clone(d)
		out[i].value = value
		return out
	}
	return append(d, entry{key, value})
}

// get gives what a text is the key of.
func (d dict) get(key string) (any, bool) {
	for _, e := range d {
		if e.key == key {
			return e.value, true
		}
	}
	return nil, false
}

func elements(value any) ([]any, bool) {
	switch value := value.(type) {
	case list:
		return value, true
	case tuple:
		return value, true
	default:
		return nil, false
	}
}

// textOf gives what str() gives.
func textOf(value any) (string, bool) {
	switch value := value.(type) {
	case string:
		return value, true
	case nil:
		return "None", true
	case bool:
		if value {
			return "True", true
		}
		return "False", true
	case *big.Int:
		return value.String(), true
	case float64:
		return floatText(value), true
	default:
		return "", false
	}
}

// kindOf returns what kind of value it is, for messages.
func kindOf(value any) string {
	switch value := value.(type) {
	case nil:
		return "None"
	case string:
		return "a string"
	case bool:
		return "a bool"
	case *big.Int, float64:
		text, _ := textOf(value)
		return text
	case list:
		return "a list"
	case tuple:
		return "a tuple"
	case dict:
		return "a dict"
	case syntax.Bytes:
		return "bytes"
	case pyType:
		return "the type " + string(value)
	default:
		return "something else"
	}
}
