package schema

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/maze-agent/maregister/internal/schema/ecma"
)

// caseInsensitive finds the flag i of a regular expression.
var caseInsensitive = regexp.MustCompile(`\(\?[msU]*i`)

// beyondASCII finds characters outside ASCII, written out or as \x{…}.
var beyondASCII = regexp.MustCompile(`[^\x00-\x7F]|\\x\{`)

// isSlow reports whether parsing a regular expression may be slow: Go's regexp
// folds the cases of a range character by character, so that (?i) and 1 KiB of
// ranges up to U+1E943 take a second.
func isSlow(source string) bool {
	return caseInsensitive.MatchString(source) && beyondASCII.MatchString(source) && strings.Contains(source, "-")
}

// asRE2 writes a regular expression of ECMA-262 for RE2. It reports false for
// one that RE2 can run as it is, and for one that it cannot run at all.
func asRE2(source string) (string, bool) {
	if len(source) > maxPatternLength || isSlow(source) {
		return "", false
	}
	if _, err := syntax.Parse(source, syntax.Perl); err == nil {
		return "", false
	}
	translated, fault := ecma.Translate(source)
	if fault != nil {
		return "", false
	}
	if len(translated) > maxPatternLength || isSlow(translated) {
		return translated, true // which patternSize refuses
	}
	_, err := syntax.Parse(translated, syntax.Perl)
	return translated, err == nil
}

// ecmaOnly are in regular expressions of ECMA-262 that RE2 does not run as they are; in others, too.
var ecmaOnly = []string{`\u`, `\c`, `\b`, `\p`, `\P`, `[]`, `[^]`, `(?<`, `-\`}

// mayBeECMA reports whether a regular expression may have to be written anew for RE2, without parsing it.
func mayBeECMA(source string) bool {
	if slices.ContainsFunc(ecmaOnly, func(part string) bool { return strings.Contains(source, part) }) {
		return true
	}
	for at := strings.IndexByte(source, '\\'); at >= 0 && at+1 < len(source); {
		if source[at+1] >= utf8.RuneSelf {
			return true
		}
		next := strings.IndexByte(source[at+2:], '\\')
		if next < 0 {
			break
		}
		at += 2 + next
	}
	return false
}

// unicodeClasses counts the classes of a regular expression that take long to parse.
func unicodeClasses(source string) int {
	return strings.Count(source, `\p`) + strings.Count(source, `\P`)
}

// patternSize returns the number of instructions that a regular expression
// compiles to, or an error if RE2 cannot run it or parsing it would be slow.
//
// Go's regexp bounds one repetition ({1000}), not the product with what is
// repeated, so that a pattern of 1 KiB compiles to 10^6 instructions in a
// second.
func patternSize(pointer, source string) (int, *Error) {
	if len(source) > maxPatternLength {
		return 0, tooLarge(pointer, "the regular expression has %d bytes; at most %d are allowed, so split or shorten it", len(source), maxPatternLength)
	}
	if isSlow(source) {
		return 0, refuse(ReasonUnsupportedPattern, pointer,
			"the regular expression %s has both (?i) and a range beyond ASCII, which takes too long to compile; list both cases instead of (?i)", quote(source))
	}
	tree, err := syntax.Parse(source, syntax.Perl)
	if err != nil {
		return 0, refuse(ReasonUnsupportedPattern, pointer, "the regular expression %s %s", quote(source), whyNotRE2(source, err))
	}
	return saturate(unicodeClasses(source)*unicodeClassSize+instructions(tree), maxPatternSize), nil
}

// whyNotRE2 returns what keeps RE2 from running a regular expression, and what to do. err is what RE2 says.
func whyNotRE2(source string, err error) string {
	_, fault := ecma.Translate(source)
	if fault == nil {
		fault = &ecma.Fault{Kind: ecma.Invalid, Detail: clip(strings.TrimPrefix(err.Error(), "error parsing regexp: "), maxQuoted*2)}
		if wrong, ok := errors.AsType[*syntax.Error](err); ok && wrong.Code == syntax.ErrInvalidRepeatSize {
			fault = &ecma.Fault{Kind: ecma.Repetition, Text: wrong.Expr}
			var low, high int
			if n, _ := fmt.Sscanf(wrong.Expr, "{%d,%d}", &low, &high); n == 2 && low > high { // RE2 has one word for both
				fault = &ecma.Fault{Kind: ecma.Invalid, Detail: fmt.Sprintf("%s repeats at least %d and at most %d times; swap the two", wrong.Expr, low, high)}
			}
		}
	}
	text := clip(fault.Text, maxQuoted)
	switch fault.Kind {
	case ecma.Lookaround:
		direction := "ahead"
		if strings.HasPrefix(text, "(?<") {
			direction = "behind"
		}
		return fmt.Sprintf("has a look%s, %s, which RE2 cannot run; leave it out, and check that in the task", direction, text)
	case ecma.Backreference:
		return fmt.Sprintf("has a backreference, %s, which RE2 cannot run; leave it out, and check that in the task", text)
	case ecma.Repetition:
		return fmt.Sprintf(`repeats more than 1,000 times, %s, and RE2 does not; leave out the upper bound, and bound the length by "maxLength"`, text)
	case ecma.Property:
		return fmt.Sprintf(`has %s, a property of characters that RE2 does not know; use a general category such as \p{L}, or a script such as \p{Han}`, text)
	default:
		return "is not valid: " + fault.Detail + "; see https://github.com/google/re2/wiki/Syntax"
	}
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
