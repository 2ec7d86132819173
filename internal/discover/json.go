package discover

import (
	"encoding/json"
	"math"
	"math/big"
)

// toJSON makes a value one that json.Marshal takes. Type objects become the names that JSON Schema has for them. It takes from the
// number of values that there may be, for what is small in memory may be large when written. It says what is no JSON.
func toJSON(value any, left *int) (_ any, problem string) {
	if *left--; *left < 0 {
		return nil, "too many values"
	}
	switch value := value.(type) {
	case nil, bool, string:
		return value, ""
	case *big.Int:
		return json.Number(value.String()), ""
	case float64:
		if math.IsInf(value, 0) || math.IsNaN(value) {
			return nil, "a number that is not finite"
		}
		return value, ""
	case pyType:
		return pyTypes[string(value)], ""
	case list:
		return manyToJSON(value, left)
	case tuple:
		return manyToJSON(value, left)
	case dict:
		out := make(object, len(value))
		for _, e := range value {
			key, ok := e.key.(string)
			if !ok {
				return nil, "a key that is not a string"
			}
			if out[key], problem = toJSON(e.value, left); problem != "" {
				return nil, problem
			}
		}
		return out, ""
	default:
		return nil, kindOf(value)
	}
}

func manyToJSON(items []any, left *int) (_ any, problem string) {
	out := make([]any, len(items))
	for i, item := range items {
		if out[i], problem = toJSON(item, left); problem != "" {
			return nil, problem
		}
	}
	return out, ""
}
