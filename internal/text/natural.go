package text

import (
	"cmp"
	"strings"
)

const digits = "0123456789"

// CompareNatural orders texts as people count: n2 is before n10. Two texts are equal only if they are the same.
func CompareNatural(a, b string) int {
	x, y := a, b
	for x != "" && y != "" {
		numberX, restX := leadingNumber(x)
		numberY, restY := leadingNumber(y)
		switch {
		case numberX != "" && numberY != "":
			if order := compareNumbers(numberX, numberY); order != 0 {
				return order
			}
			x, y = restX, restY
		case x[0] != y[0]:
			return cmp.Compare(x[0], y[0])
		default:
			x, y = x[1:], y[1:]
		}
	}
	return cmp.Or(cmp.Compare(len(x), len(y)), strings.Compare(a, b)) // n1 and n01 are told apart, too
}

// leadingNumber returns the digits that a text begins with, and what follows.
func leadingNumber(s string) (number, rest string) {
	rest = strings.TrimLeft(s, digits)
	return s[:len(s)-len(rest)], rest
}

// compareNumbers orders numbers of any length.
func compareNumbers(a, b string) int {
	a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b))
}
