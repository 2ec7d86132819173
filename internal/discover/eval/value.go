package eval

import (
	"math/big"
	"slices"

	"github.com/maze-agent/maregister/internal/discover/syntax"
)

// A value is one of these: nil, bool, *big.Int, float64, string, syntax.Bytes, List, Tuple, Dict or Type. Bounds of the evaluator keep it small.
type (
	// List is a list.
	List []any
	// Tuple is a tuple.
	Tuple []any
	// Dict is in order. Its keys are values, too.
	Dict []Entry
	// Type is one of Python's own types, such as str.
	Type string
)

// Entry is a key of a dict with its value.
type Entry struct{ Key, Value any }

// jsonTypes holds JSON Schema's types for Python's own.
var jsonTypes = map[string]string{
	"str": "string", "int": "integer", "float": "number", "bool": "boolean", "list": "array", "tuple": "array", "dict": "object", "set": "array",
}

// with sets a key. Keys that are not strings stay apart from each other: a dict that has some is no JSON.
func (d Dict) with(key, value any) Dict {
	if i := slices.IndexFunc(d, func(e Entry) bool { _, text := key.(string); return text && e.Key == key }); i >= 0 {
		out := slices.Clone(d)
		out[i].Value = value
		return out
	}
	return append(d, Entry{key, value})
}

// get returns the value of a key.
func (d Dict) get(key string) (any, bool) {
	for _, e := range d {
		if e.Key == key {
			return e.Value, true
		}
	}
	return nil, false
}

// Elements returns the items of a list or a tuple. It reports whether the value is one.
func Elements(value any) ([]any, bool) {
	switch value := value.(type) {
	case List:
		return value, true
	case Tuple:
		return value, true
	default:
		return nil, false
	}
}

// textOf returns what str() does. It reports whether that is known.
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

// KindOf returns what a value is, such as "a string", for messages. A number is itself.
func KindOf(value any) string {
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
	case List:
		return "a list"
	case Tuple:
		return "a tuple"
	case Dict:
		return "a dict"
	case syntax.Bytes:
		return "bytes"
	case Type:
		return "the type " + string(value)
	default:
		return "something else"
	}
}
