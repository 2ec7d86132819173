package eval

import (
	"encoding/json"
	"math"
	"math/big"
)

// JSON returns a value as one that json.Marshal takes, or a problem: what of it is no JSON. Type objects become the names that JSON
// Schema has for them.
func JSON(value any) (_ any, problem string) {
	left := maxSteps
	return plain(value, &left)
}

// plain takes from the number of values that there may be: what is small in memory may be large when written.
func plain(value any, left *int) (_ any, problem string) {
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
	case Type:
		return jsonTypes[string(value)], ""
	case List:
		return plainList(value, left)
	case Tuple:
		return plainList(value, left)
	case Dict:
		out := make(map[string]any, len(value))
		for _, e := range value {
			key, ok := e.Key.(string)
			if !ok {
				return nil, "a key that is not a string"
			}
			if out[key], problem = plain(e.Value, left); problem != "" {
				return nil, problem
			}
		}
		return out, ""
	default:
		return nil, KindOf(value)
	}
}

func plainList(items []any, left *int) (_ any, problem string) {
	out := make([]any, len(items))
	for i, item := range items {
		if out[i], problem = plain(item, left); problem != "" {
			return nil, problem
		}
	}
	return out, ""
}
