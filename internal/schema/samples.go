package schema

import (
	"encoding/json"
	"math/big"
	"regexp/syntax"
	"slices"
	"strings"
)

// numberSamples returns numbers at the bounds of both sides, and beside them.
func numberSamples(kind kinds, f *alternative, targets []alternative) []any {
	points := []*big.Rat{big.NewRat(0, 1), big.NewRat(1, 1)}
	steps := slices.Clone(f.steps)
	for _, a := range append([]alternative{*f}, targets...) {
		for _, b := range []bound{a.numbers.low, a.numbers.high} {
			if b.at != nil {
				points = append(points, b.at)
			}
		}
		points = append(points, a.steps...)
	}
	half := big.NewRat(1, 2)
	if kind == integerKind {
		steps = append(steps, big.NewRat(1, 1))
	}
	var all []any
	for _, point := range points {
		for _, away := range []int64{0, 1, -1} {
			value := new(big.Rat).Add(point, big.NewRat(away, 1))
			if kind == fractionKind {
				value.Add(value, half)
			}
			for _, step := range steps { // the multiple below it
				n, _ := floorQuotient(value, step)
				value = new(big.Rat).Mul(new(big.Rat).SetInt(n), step)
			}
			if number, ok := decimal(value); ok && f.numbers.contains(value) && !slices.Contains(all, any(number)) {
				all = append(all, number)
			}
		}
	}
	return all
}

// decimal returns a number as JSON writes it. False if that would take more than 20 digits after the point.
func decimal(n *big.Rat) (json.Number, bool) {
	digits, exact := n.FloatPrec()
	if !exact || digits >= 20 {
		return "", false
	}
	return json.Number(n.FloatString(digits)), true
}

// stringSamples returns texts at the bounds of both sides' lengths, and those that their patterns match.
func (s *sampler) stringSamples(f *alternative, targets []alternative) []any {
	lengths := []int{f.length.min, 1, 0}
	if f.length.max < sampleText {
		lengths = append(lengths, f.length.max)
	}
	for _, t := range targets {
		lengths = append(lengths, t.length.min-1)
		if t.length.max < sampleText {
			lengths = append(lengths, t.length.max+1)
		}
	}
	var all []any
	for _, n := range lengths {
		switch {
		case !f.length.contains(n):
		case n <= sampleLength:
			all = append(all, strings.Repeat("a", n), strings.Repeat("0", n))
		case n <= sampleText && s.texts > 0:
			s.texts--
			all = append(all, strings.Repeat("a", n))
		}
	}
	for _, e := range f.extras {
		if source, ok := e.value.(string); ok && e.keyword == "pattern" {
			for _, text := range matching(source) {
				all = append(all, text)
				if short := f.length.min - len([]rune(text)); short > 0 && short <= sampleLength {
					all = append(all, text+strings.Repeat("a", short), text+strings.Repeat("0", short))
				}
			}
		}
	}
	return all
}

// matching returns some texts that a regular expression matches, or nearly does.
func matching(source string) []string {
	tree, err := syntax.Parse(source, syntax.Perl)
	if err != nil {
		return nil
	}
	var texts []string
	for _, choice := range []int{0, 1, 2} {
		var b strings.Builder
		writeMatch(&b, tree.Simplify(), choice)
		texts = append(texts, b.String())
	}
	slices.Sort(texts)
	return slices.Compact(texts)
}

// writeMatch writes a text that matches. choice tells which of several: option, character, number of repetitions.
func writeMatch(b *strings.Builder, re *syntax.Regexp, choice int) {
	if b.Len() > sampleLength {
		return
	}
	switch re.Op {
	case syntax.OpLiteral:
		b.WriteString(string(re.Rune))
	case syntax.OpCharClass:
		if n := len(re.Rune) / 2; n > 0 {
			b.WriteRune(re.Rune[2*(choice%n)])
		}
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		b.WriteByte('a')
	case syntax.OpStar, syntax.OpQuest:
		for range min(choice, 1) {
			writeMatch(b, re.Sub[0], choice)
		}
	case syntax.OpPlus, syntax.OpCapture:
		writeMatch(b, re.Sub[0], choice)
	case syntax.OpAlternate:
		writeMatch(b, re.Sub[choice%len(re.Sub)], choice)
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			writeMatch(b, sub, choice)
		}
	}
}
