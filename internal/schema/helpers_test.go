package schema

import (
	"strconv"
	"strings"
)

// numbered joins n copies of a JSON text, with %d in it replaced by 0, 1, ….
func numbered(n int, text string) string {
	copies := make([]string, n)
	for i := range copies {
		copies[i] = strings.ReplaceAll(text, "%d", strconv.Itoa(i))
	}
	return strings.Join(copies, ",")
}

// nested wraps a JSON text n times.
func nested(n int, open, inner, end string) string {
	return strings.Repeat(open, n) + inner + strings.Repeat(end, n)
}

// fanOut has levels definitions that refer to the next one twice each: 2^levels
// times the leaf. The parameter x is what begins with a reference to the first.
func fanOut(levels int, leaf, x string) string {
	var b strings.Builder
	for i := range levels {
		next := strconv.Itoa(i + 1)
		b.WriteString(`"d` + strconv.Itoa(i) + `":{"allOf":[{"$ref":"#/$defs/d` + next + `"},{"$ref":"#/$defs/d` + next + `"}]},`)
	}
	return `{"properties":{"x":` + x + `},"$defs":{` + b.String() + `"d` + strconv.Itoa(levels) + `":` + leaf + `}}`
}
