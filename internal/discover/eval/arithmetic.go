package eval

import (
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/maze-agent/maregister/internal/discover/syntax"
)

// unary evaluates an operator before a number or a bool.
func (v *evaluation) unary(e *syntax.Expr) (any, *Unknown) {
	value, why := v.value(e.Operands[0])
	if why != nil {
		return nil, why
	}
	switch value := value.(type) {
	case *big.Int:
		switch e.Text {
		case "-":
			return new(big.Int).Neg(value), nil
		case "+":
			return value, nil
		case "~":
			return new(big.Int).Not(value), nil
		}
	case float64:
		switch e.Text {
		case "-":
			return -value, nil
		case "+":
			return value, nil
		}
	case bool:
		if e.Text == "not" {
			return !value, nil
		}
	}
	return nil, v.unknown(e, "%s of this", e.Text)
}

// binary evaluates an operator between two values.
func (v *evaluation) binary(e *syntax.Expr) (any, *Unknown) {
	a, why := v.value(e.Operands[0])
	if why != nil {
		return nil, why
	}
	b, why := v.value(e.Operands[1])
	if why != nil {
		return nil, why
	}
	if value, ok := v.operate(e.Text, a, b); ok {
		return value, nil
	}
	return nil, v.unknown(e, "what %s gives here", e.Text)
}

// operate applies an operator as Python does. It reports whether there is a result: Python may raise, or the result be out of bounds.
func (v *evaluation) operate(operator string, a, b any) (any, bool) {
	switch x := a.(type) {
	case *big.Int:
		switch y := b.(type) {
		case *big.Int:
			return integers(operator, x, y)
		case float64:
			f, _ := new(big.Float).SetInt(x).Float64()
			return floats(operator, f, y)
		case string, List, Tuple:
			if operator == "*" {
				return v.operate(operator, b, a)
			}
		}
	case float64:
		switch y := b.(type) {
		case *big.Int:
			f, _ := new(big.Float).SetInt(y).Float64()
			return floats(operator, x, f)
		case float64:
			return floats(operator, x, y)
		}
	case string:
		return texts(operator, x, b)
	case List:
		if _, mixed := b.(Tuple); mixed {
			return nil, false
		}
		items, ok := v.sequences(operator, x, b)
		return List(items), ok
	case Tuple:
		if _, mixed := b.(List); mixed {
			return nil, false
		}
		items, ok := v.sequences(operator, x, b)
		return Tuple(items), ok
	case Dict:
		if y, ok := b.(Dict); ok && operator == "|" && v.afford(len(y)*(1+len(x))) {
			out := slices.Clone(x)
			for _, e := range y {
				out = out.with(e.Key, e.Value)
			}
			return out, true
		}
	}
	return nil, false
}

func texts(operator, x string, b any) (any, bool) {
	switch y := b.(type) {
	case string:
		return x + y, operator == "+" && len(x)+len(y) <= maxText
	case *big.Int:
		if n := max(0, y.Int64()); operator == "*" && y.IsInt64() && n <= maxText && n*int64(len(x)) <= maxText {
			return strings.Repeat(x, int(n)), true
		}
	}
	return nil, false
}

// sequences applies + and * to lists or tuples.
func (v *evaluation) sequences(operator string, x []any, b any) ([]any, bool) {
	if times, ok := b.(*big.Int); ok {
		n := max(0, times.Int64())
		if operator != "*" || !times.IsInt64() || n > maxSteps || !v.afford(int(n)*len(x)) {
			return nil, false
		}
		return slices.Repeat(x, int(n)), true
	}
	y, ok := Elements(b)
	if operator != "+" || !ok || !v.afford(len(x)+len(y)) {
		return nil, false
	}
	return slices.Concat(x, y), true
}

// integers applies an operator to two integers.
func integers(operator string, x, y *big.Int) (any, bool) {
	switch operator {
	case "+":
		return bounded(new(big.Int).Add(x, y))
	case "-":
		return bounded(new(big.Int).Sub(x, y))
	case "*":
		return bounded(new(big.Int).Mul(x, y))
	case "|":
		return bounded(new(big.Int).Or(x, y))
	case "&":
		return bounded(new(big.Int).And(x, y))
	case "^":
		return bounded(new(big.Int).Xor(x, y))
	case "//", "%":
		if y.Sign() == 0 {
			return nil, false
		}
		quotient, modulus := floorDivide(x, y)
		if operator == "//" {
			return quotient, true
		}
		return modulus, true
	case "/":
		if y.Sign() == 0 {
			return nil, false
		}
		f, _ := new(big.Rat).SetFrac(x, y).Float64()
		return f, !math.IsInf(f, 0)
	case "**", "<<", ">>":
		return powers(operator, x, y)
	}
	return nil, false
}

func bounded(x *big.Int) (any, bool) { return x, x.BitLen() <= maxBits }

// floorDivide rounds down, as Python does.
func floorDivide(x, y *big.Int) (quotient, modulus *big.Int) {
	quotient, modulus = new(big.Int).QuoRem(x, y, new(big.Int))
	if modulus.Sign() != 0 && modulus.Sign() != y.Sign() {
		quotient.Sub(quotient, big.NewInt(1))
		modulus.Add(modulus, y)
	}
	return quotient, modulus
}

// powers applies ** and shifts, whose results are large soon.
func powers(operator string, x, y *big.Int) (any, bool) {
	if !y.IsInt64() || y.Sign() < 0 || y.Int64() > maxBits {
		return nil, false
	}
	n := uint(y.Int64())
	switch operator {
	case "<<":
		return bounded(new(big.Int).Lsh(x, n))
	case ">>":
		return new(big.Int).Rsh(x, n), true
	}
	if x.BitLen()*int(n) > maxBits {
		return nil, false
	}
	return bounded(new(big.Int).Exp(x, y, nil))
}

// floats applies an operator to two numbers of which one is a float.
func floats(operator string, x, y float64) (any, bool) {
	var out float64
	switch operator {
	case "+":
		out = x + y
	case "-":
		out = x - y
	case "*":
		out = x * y
	case "/":
		out = x / y
	case "//", "%":
		quotient, modulus := floorDivideFloats(x, y)
		if out = modulus; operator == "//" {
			out = quotient
		}
	case "**":
		out = math.Pow(x, y)
	default:
		return nil, false
	}
	return out, !math.IsInf(out, 0) && !math.IsNaN(out)
}

// floorDivideFloats does what CPython's float_divmod does.
func floorDivideFloats(x, y float64) (quotient, modulus float64) {
	modulus = math.Mod(x, y)
	quotient = (x - modulus) / y
	if modulus == 0 {
		modulus = math.Copysign(0, y)
	} else if (y < 0) != (modulus < 0) {
		modulus += y
		quotient--
	}
	if quotient == 0 {
		return math.Copysign(0, x/y), modulus
	}
	floor := math.Floor(quotient)
	if quotient-floor > 0.5 {
		floor++
	}
	return floor, modulus
}

// floatText returns what repr() does.
func floatText(f float64) string {
	const smallest, largest = 1e-4, 1e16
	switch {
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	case f != 0 && (math.Abs(f) < smallest || math.Abs(f) >= largest):
		return strconv.FormatFloat(f, 'e', -1, 64)
	}
	text := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return text
}
