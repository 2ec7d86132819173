package jsontree

import (
	"encoding/json"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// Value returns what the API server reads in a tree: objects, arrays, strings, booleans, nil, and numbers as int64 where they are integers,
// also written 1.0 or 1e3, and as float64 otherwise. Of two members with one name the last counts. text is that of a JSON tree.
//
// If there is a number that no float64 holds, Value returns its node and no value.
func (n *Node) Value(text []byte) (value any, beyond *Node) {
	d := decoder{text: text}
	value = d.value(n)
	if d.beyond != nil {
		return nil, d.beyond
	}
	return value, nil
}

type decoder struct {
	text   []byte
	beyond *Node
}

// value returns what a node stands for, and notes the first number that no float64 holds.
func (d *decoder) value(n *Node) any {
	switch n.Kind {
	case Object:
		out := make(map[string]any, len(n.Children))
		for _, child := range n.Children {
			out[child.Name] = d.value(child)
		}
		return out
	case Array:
		out := make([]any, len(n.Children))
		for i, child := range n.Children {
			out[i] = d.value(child)
		}
		return out
	}
	value, ok := n.scalar(d.text)
	if !ok && d.beyond == nil {
		d.beyond = n
	}
	return value
}

// scalar returns the value of a scalar. It reports false for a number that no float64 holds.
func (n *Node) scalar(text []byte) (any, bool) {
	if n.YAML != nil {
		if !n.YAML.Plain {
			return n.YAML.Text, true
		}
		value := readPlain(n.YAML.Text)
		f, isFloat := value.(float64)
		return value, !isFloat || !math.IsInf(f, 0) && !math.IsNaN(f)
	}
	switch n.Kind {
	case Text:
		return DecodeText(text[n.Start:n.End]), true
	case Number:
		return readNumber(string(text[n.Start:n.End]))
	case Null:
		return nil, true
	default:
		return n.Kind == True, true
	}
}

// Written returns a scalar as it is written, without quotes. Empty for objects and arrays.
func (n *Node) Written(text []byte) string {
	switch {
	case n.Kind == Object || n.Kind == Array:
		return ""
	case n.YAML != nil:
		return n.YAML.Text
	case n.Kind == Text:
		return DecodeText(text[n.Start:n.End])
	default:
		return string(text[n.Start:n.End])
	}
}

// Read returns what the API server reads in a scalar that has no quotes, as JSON has it, and whether that is something else than is
// written: true for yes, 10 for 012, 1000 for 1e3.
func (n *Node) Read(text []byte) (read string, other bool) {
	if n.Kind == Object || n.Kind == Array || n.YAML == nil && n.Kind != Number || n.YAML != nil && !n.YAML.Plain {
		return "", false
	}
	value, ok := n.scalar(text)
	if s, isText := value.(string); !ok || isText || value == nil {
		return s, false
	}
	out, _ := json.Marshal(value) // a number or a boolean
	return string(out), string(out) != n.Written(text)
}

// IsJSON reports whether AppendJSON appends a value as it is written: all but words and numbers that only YAML has.
func (n *Node) IsJSON(text []byte) bool {
	return n.Kind == Object || n.Kind == Array || n.Kind == Text || jsonLiteral.MatchString(n.Written(text))
}

// readNumber returns the value of a JSON number. It reports false for one that no float64 holds.
func readNumber(text string) (any, bool) {
	if i, err := strconv.ParseInt(text, 10, 64); err == nil {
		return i, true
	}
	f, err := strconv.ParseFloat(text, 64)
	return f, err == nil
}

// fromFloat returns a float64 as it comes back from JSON.
func fromFloat(f float64) any {
	const small, large = 1e-6, 1e21 // between them, JSON has no exponents
	if size := math.Abs(f); size >= large || size < small && f != 0 || math.IsNaN(f) {
		return f
	}
	value, _ := readNumber(strconv.FormatFloat(f, 'f', -1, 64))
	return value
}

// yamlFloat is what version 2 of the YAML library takes for a decimal number.
var yamlFloat = regexp.MustCompile(`^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`)

// readPlain returns what Kubernetes reads in a YAML scalar without quotes and without a tag. It follows version 2 of the YAML library,
// for which yes is true, 012 is ten and a date is a text: https://yaml.org/type/. FuzzYAMLValue compares.
func readPlain(text string) any {
	if text == "" {
		return nil
	}
	switch c := text[0]; {
	case strings.IndexByte("yYnNtTfFoO~", c) >= 0:
		return readWord(text)
	case c == '.':
		return readDot(text)
	case c == '+' || c == '-' || c >= '0' && c <= '9':
		return readDigits(text)
	default:
		return text
	}
}

func readWord(text string) any {
	switch text {
	case "~", "null", "Null", "NULL":
		return nil
	}
	if meant, ok := booleans[strings.ToLower(text)]; ok && isBoolean(text) {
		return meant == "true"
	}
	return text
}

// readDot reads what begins with a dot.
func readDot(text string) any {
	switch text {
	case ".nan", ".NaN", ".NAN":
		return math.NaN()
	case ".inf", ".Inf", ".INF":
		return math.Inf(1)
	}
	if f, err := strconv.ParseFloat(text, 64); err == nil {
		return fromFloat(f)
	}
	return text
}

// readDigits reads what begins with a digit or a sign.
func readDigits(text string) any {
	switch strings.TrimLeft(text, "+-") {
	case ".inf", ".Inf", ".INF":
		if len(text) == len("+.inf") {
			return math.Inf(int(',' - text[0])) // a comma is between + and - in ASCII
		}
	}
	plain := strings.ReplaceAll(text, "_", "")
	if i, err := strconv.ParseInt(plain, 0, 64); err == nil {
		return i
	}
	if u, err := strconv.ParseUint(plain, 0, 64); err == nil {
		return float64(u) // it is more than an int64 holds
	}
	if yamlFloat.MatchString(plain) {
		if f, err := strconv.ParseFloat(plain, 64); err == nil {
			return fromFloat(f)
		}
	}
	return text
}

// AppendJSON appends a tree as JSON, with numbers as they are written where JSON writes them so. text is that of a JSON tree.
func AppendJSON(out []byte, n *Node, text []byte) []byte {
	switch n.Kind {
	case Object:
		out = append(out, '{')
		for i, child := range n.Children {
			if i > 0 {
				out = append(out, ',')
			}
			out = append(appendText(out, child.Name), ':')
			out = AppendJSON(out, child, text)
		}
		return append(out, '}')
	case Array:
		out = append(out, '[')
		for i, child := range n.Children {
			if i > 0 {
				out = append(out, ',')
			}
			out = AppendJSON(out, child, text)
		}
		return append(out, ']')
	}
	value, _ := n.scalar(text)
	if s, ok := value.(string); ok {
		return appendText(out, s)
	}
	if written := n.Written(text); jsonLiteral.MatchString(written) {
		return append(out, written...)
	}
	raw, _ := json.Marshal(value) // a boolean, null or a finite number
	return append(out, raw...)
}

func appendText(out []byte, s string) []byte {
	raw, _ := json.Marshal(s) // cannot fail
	return append(out, raw...)
}
