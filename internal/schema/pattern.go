package schema

import (
	"regexp"
	"regexp/syntax"
	"strings"
)

// caseInsensitive finds the flag i of a regular expression.
var caseInsensitive = regexp.MustCompile(`\(\?[msU]*i`)

// beyondASCII finds characters outside ASCII, written out or as \x{…}.
var beyondASCII = regexp.MustCompile(`[^\x00-\x7F]|\\x\{`)

// patternSize gives the number of instructions that a regular expression
// compiles to, or an error if RE2 cannot run it or parsing it would be slow.
//
// Go's regexp bounds one repetition ({1000}), not the product with what is
// repeated, so that a pattern of 1 KiB compiles to 10^6 instructions in a
// second; and it folds the cases of a range character by character, so that
// (?i) and 1 KiB of ranges up to U+1E943 take a second to parse.
func patternSize(pointer, source string) (int, *Error) {
	if len(source) > maxPatternLength {
		return 0, tooLarge(pointer, "the regular expression has %d bytes; at most %d are allowed, so split or shorten it", len(source), maxPatternLength)
	}
	if caseInsensitive.MatchString(source) && beyondASCII.MatchString(source) && strings.Contains(source, "-") {
		return 0, refuse(ReasonUnsupportedPattern, pointer,
			"the regular expression %s has both (?i) and a range beyond ASCII, which takes too long to compile; list both cases instead of (?i)", quote(source))
	}
	tree, err := syntax.Parse(source, syntax.Perl)
	if err != nil {
		return 0, refuse(ReasonUnsupportedPattern, pointer,
			"the regular expression %s is not one that RE2 can run (%s); RE2 has no lookahead, lookbehind or backreferences, "+
				"see https://github.com/google/re2/wiki/Syntax",
			quote(source), clip(strings.TrimPrefix(err.Error(), "error parsing regexp: "), maxQuoted*2))
	}
	classes := strings.Count(source, `\p`) + strings.Count(source, `\P`)
	return saturate(classes*unicodeClassSize+instructions(tree), maxPatternSize), nil
}

// instructions estimates the length of a compiled program, and stops counting
// above maxPatternSize.
func instructions(re *syntax.Regexp) int {
	subs := 0
	for _, sub := range re.Sub {
		subs = saturate(subs+instructions(sub), maxPatternSize)
	}
	own := 1
	switch re.Op {
	case syntax.OpLiteral:
		own = len(re.Rune)
	case syntax.OpCapture:
		own = 2
	case syntax.OpRepeat:
		copies := max(re.Min, re.Max)
		own = copies - re.Min + 1 // each optional copy has a branch around it
		subs *= copies
	}
	return saturate(own+subs, maxPatternSize)
}

// saturate keeps sums of untrusted counts from overflowing: everything above
// the limit is as good as limit+1.
func saturate(n, limit int) int { return min(n, limit+1) }
