package schema

import (
	"math"
	"math/big"
)

// bound is one end of an interval of numbers; nil for none.
type bound struct {
	at *big.Rat
	// open says that the number itself is outside.
	open bool
}

// interval is a range of numbers.
type interval struct{ low, high bound }

// raise cuts off what is below a bound.
func (i *interval) raise(b bound) {
	if b.at == nil {
		return
	}
	if i.low.at != nil {
		if order := b.at.Cmp(i.low.at); order < 0 || order == 0 && !b.open {
			return
		}
	}
	i.low = b
}

// lower cuts off what is above a bound.
func (i *interval) lower(b bound) {
	if b.at == nil {
		return
	}
	if i.high.at != nil {
		if order := b.at.Cmp(i.high.at); order > 0 || order == 0 && !b.open {
			return
		}
	}
	i.high = b
}

func (i *interval) intersect(other interval) {
	i.raise(other.low)
	i.lower(other.high)
}

func (i *interval) contains(n *big.Rat) bool {
	if low := i.low; low.at != nil {
		if order := n.Cmp(low.at); order < 0 || order == 0 && low.open {
			return false
		}
	}
	if high := i.high; high.at != nil {
		if order := n.Cmp(high.at); order > 0 || order == 0 && high.open {
			return false
		}
	}
	return true
}

// within says that every number of the interval is in the other one.
func (i *interval) within(other *interval) bool {
	return isWithinLow(i.low, other.low) && isWithinHigh(i.high, other.high)
}

func isWithinLow(b, other bound) bool {
	if other.at == nil || b.at == nil {
		return other.at == nil
	}
	order := b.at.Cmp(other.at)
	return order > 0 || order == 0 && (b.open || !other.open)
}

func isWithinHigh(b, other bound) bool {
	if other.at == nil || b.at == nil {
		return other.at == nil
	}
	order := b.at.Cmp(other.at)
	return order < 0 || order == 0 && (b.open || !other.open)
}

// isEmpty says that there is no number in the interval.
func (i *interval) isEmpty() bool {
	if i.low.at == nil || i.high.at == nil {
		return false
	}
	order := i.low.at.Cmp(i.high.at)
	return order > 0 || order == 0 && (i.low.open || i.high.open)
}

// rounded is the interval from the lowest multiple of a step in this interval to the highest.
func (i *interval) rounded(step *big.Rat) interval {
	var result interval
	if low := i.low; low.at != nil {
		n, exact := floorQuotient(low.at, step)
		if !exact || low.open {
			n.Add(n, big.NewInt(1))
		}
		result.low.at = new(big.Rat).Mul(new(big.Rat).SetInt(n), step)
	}
	if high := i.high; high.at != nil {
		n, exact := floorQuotient(high.at, step)
		if exact && high.open {
			n.Sub(n, big.NewInt(1))
		}
		result.high.at = new(big.Rat).Mul(new(big.Rat).SetInt(n), step)
	}
	return result
}

// floorQuotient is a/b, rounded down, and whether it was an integer.
func floorQuotient(a, b *big.Rat) (*big.Int, bool) {
	q := new(big.Rat).Quo(a, b)
	return new(big.Int).Div(q.Num(), q.Denom()), q.IsInt() // Div is Euclidean, and a denominator positive
}

// isMultiple says that n is a multiple of a step.
func isMultiple(n, step *big.Rat) bool { return new(big.Rat).Quo(n, step).IsInt() }

// span is a range of counts: characters, items or members.
type span struct{ min, max int }

// anyCount is the span without bounds.
var anyCount = span{max: math.MaxInt}

func (s *span) intersect(other span) { s.min, s.max = max(s.min, other.min), min(s.max, other.max) }

func (s span) contains(n int) bool { return s.min <= n && n <= s.max }

func (s span) isEmpty() bool { return s.min > s.max }

// within says that every count of the span is in the other one.
func (s span) within(other span) bool { return s.isEmpty() || other.min <= s.min && s.max <= other.max }
