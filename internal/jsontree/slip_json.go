package jsontree

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/maze-agent/maregister/internal/text"
)

// JSONSlip returns the first mistake in the JSON value that begins at an offset of a text in UTF-8. It reports false if there is none.
func JSONSlip(content []byte, start int) (Slip, bool) {
	s := jsonScanner{text: content, next: start}
	for now := wantValue; now != wantNothing; {
		s.skipSpace()
		if s.next == len(s.text) {
			return s.end(), true
		}
		after, ok := s.step(now, s.text[s.next])
		if !ok {
			return s.mistake(now), true
		}
		now = after
	}
	return Slip{}, false
}

// jsonScanner reads JSON that may be wrong, as far as it is right.
type jsonScanner struct {
	text []byte
	next int
	// open are the offsets of the brackets that are not closed yet.
	open []int
	// last is where the last token begins.
	last int
}

// maxJSONDepth is how deep encoding/json reads.
const maxJSONDepth = 10_000

// jsonState is what may come next.
type jsonState int

const (
	wantValue jsonState = iota
	wantItemOrEnd
	wantKey
	wantKeyOrEnd
	wantColon
	wantCommaOrEnd
	wantNothing
)

func (s *jsonScanner) skipSpace() {
	for s.next < len(s.text) && strings.IndexByte(" \t\r\n", s.text[s.next]) >= 0 {
		s.next++
	}
}

// step reads one token, which begins with a byte. It reports false, and reads nothing, if that is not what may come.
func (s *jsonScanner) step(now jsonState, c byte) (jsonState, bool) {
	start := s.next
	var after jsonState
	isValue, isKey := now == wantValue || now == wantItemOrEnd, now == wantKey || now == wantKeyOrEnd
	switch {
	case isValue && (c == '{' || c == '[') && len(s.open) < maxJSONDepth:
		s.open = append(s.open, start)
		s.next++
		if after = wantKeyOrEnd; c == '[' {
			after = wantItemOrEnd
		}
	case (now == wantCommaOrEnd || now == wantKeyOrEnd && c == '}' || now == wantItemOrEnd && c == ']') && c == s.closing():
		s.open = s.open[:len(s.open)-1]
		s.next++
		after = s.behindValue()
	case isValue && (c == '"' && s.quoted() || c != '"' && s.literal()):
		after = s.behindValue()
	case isKey && c == '"' && s.quoted():
		after = wantColon
	case now == wantColon && c == ':':
		s.next++
		after = wantValue
	case now == wantCommaOrEnd && c == ',':
		s.next++
		if after = wantValue; s.closing() == '}' {
			after = wantKey
		}
	default:
		return now, false
	}
	s.last = start
	return after, true
}

// closing returns the bracket that closes the innermost one, and 0 if none is open.
func (s *jsonScanner) closing() byte {
	if len(s.open) == 0 {
		return 0
	}
	return s.text[s.open[len(s.open)-1]] + 2 // in ASCII, ] is [ and 2, as } is { and 2
}

func (s *jsonScanner) behindValue() jsonState {
	if len(s.open) == 0 {
		return wantNothing
	}
	return wantCommaOrEnd
}

// quoted goes behind a string. It reports false, and stays, if that is wrong.
func (s *jsonScanner) quoted() bool {
	end, _, ok := s.quotedEnd()
	if ok {
		s.next = end
	}
	return ok
}

// quotedEnd returns the end of a string, or where and how it is wrong.
func (s *jsonScanner) quotedEnd() (end int, wrong Slip, ok bool) {
	for at := s.next + 1; at < len(s.text); at++ {
		switch c := s.text[at]; {
		case c == '"':
			return at + 1, Slip{}, true
		case c == '\\':
			if !jsonEscape.Match(s.text[at:min(at+len(`\uFFFF`), len(s.text))]) {
				return at, Slip{at, `in a string, \ begins an escape, and this is none`, `write \\ for one \`}, false
			}
			at++
		case c == '\n' || c == '\r':
			return at, Slip{s.next, `this string is not closed: one that begins with " ends in its line`, `add the ", and write \n for the end of a line`}, false
		case c < ' ':
			return at, Slip{at, "in a string, there is the control character U+" + fmt.Sprintf("%04X", c), `write it as an escape, such as \t for a tab`}, false
		}
	}
	return len(s.text), Slip{s.next, "this string is not closed", `add the "`}, false
}

var (
	jsonEscape  = regexp.MustCompile(`^\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4})`)
	jsonLiteral = regexp.MustCompile(`^(?:true|false|null|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?)$`)
	// jsonWord is what stands where a value or a key without quotes is.
	jsonWord = regexp.MustCompile(`^[-+.\pL\pN_$]+`)
)

// maxWord bounds what a message repeats of a word, and what is looked at.
const maxWord = 400

func (s *jsonScanner) word() string {
	return string(jsonWord.Find(s.text[s.next:min(s.next+maxWord, len(s.text))]))
}

// literal goes behind a number, true, false or null. It reports false, and stays, if there is none.
func (s *jsonScanner) literal() bool {
	reader := Reader{Text: s.text, Next: s.next}
	if word := s.word(); len(word) == maxWord {
		reader.SkipLiteral() // a number may be long
	} else {
		reader.Next += len(word)
	}
	if !jsonLiteral.Match(s.text[s.next:reader.Next]) {
		return false
	}
	s.next = reader.Next
	return true
}

// end returns the slip of a text that ends too early.
func (s *jsonScanner) end() Slip {
	if len(s.open) == 0 {
		return Slip{s.next, "the text ends where a value should be", "add it"}
	}
	return Slip{s.open[len(s.open)-1], fmt.Sprintf("the text ends, and this %c is not closed", s.closing()-2), fmt.Sprintf("add the %c", s.closing())}
}

// mistake returns what is wrong with the next token.
func (s *jsonScanner) mistake(now jsonState) Slip {
	rest := s.text[s.next:]
	r, _ := utf8.DecodeRune(rest)
	switch {
	case len(s.open) == maxJSONDepth && (r == '{' || r == '['):
		return Slip{s.next, fmt.Sprintf("this is nested deeper than %d levels", maxJSONDepth), "flatten it"}
	case bytes.HasPrefix(rest, []byte("//")) || bytes.HasPrefix(rest, []byte("/*")) || r == '#':
		return Slip{s.next, "JSON has no comments", "remove this one, or write YAML"}
	case r == '"': // a string that is wrong, or one too many
		if _, wrong, ok := s.quotedEnd(); !ok {
			return wrong
		}
	case r == '\'' || r == '`':
		return Slip{s.next, fmt.Sprintf(`JSON has no strings in %c`, r), `write " at both ends`}
	case r == '{' && s.next > 0 && s.text[s.next-1] == '{' || bytes.HasPrefix(rest, []byte("{{")) || bytes.HasPrefix(rest, []byte("{%")) || r == '%':
		return templateAt(s.next)
	}
	if slip, ok := lookalikeAt(s.next, r); ok {
		return slip
	}
	return s.misplaced(now, r)
}

// misplaced returns what is wrong with a token that has no place here, or is none.
func (s *jsonScanner) misplaced(now jsonState, r rune) Slip {
	wordHere := s.word()
	if len(s.open) == 0 && now == wantValue && (r == ',' || r == '}' || r == ']') {
		return Slip{s.next, fmt.Sprintf("this %c is behind the end of the document", r), "remove it; documents follow each other without a comma"}
	}
	switch isValue := now == wantValue || now == wantItemOrEnd; {
	case (now == wantKey || now == wantValue) && (r == '}' || r == ']') && s.text[s.last] == ',':
		return Slip{s.last, fmt.Sprintf("JSON has no comma before %c", r), "remove it"}
	case isValue && wordHere != "":
		return s.wrongWord(wordHere)
	case (now == wantKey || now == wantKeyOrEnd) && wordHere != "":
		return Slip{s.next, fmt.Sprintf("the key %s has no quotes", text.ClipMiddle(wordHere, maxShown)), `write "` + text.ClipMiddle(wordHere, maxShown) + `"`}
	case isValue && r == ',' || now == wantValue:
		return Slip{s.next, "a value is missing before this", "add it"}
	case now == wantColon:
		return Slip{s.next, "a colon is missing before this", "write : between a key and its value"}
	case (r == '}' || r == ']') && len(s.open) > 0:
		at := text.NewPositions(s.text).At(s.open[len(s.open)-1])
		return Slip{s.next, fmt.Sprintf("this %c does not close the %c of line %d", r, s.closing()-2, at.Line),
			fmt.Sprintf("write %c, or close what is open", s.closing())}
	case now == wantCommaOrEnd && r == ';':
		return Slip{s.next, "JSON has no semicolon between members", "write a comma"}
	case now == wantCommaOrEnd && (r == '"' || r == '{' || r == '[' || wordHere != ""):
		return Slip{s.next, "a comma is missing before this", "add it"}
	}
	return Slip{s.next, nameOf(r) + " has no place here", "remove it, or correct what is before it"}
}

const maxShown = 60

// words are those of other languages for values of JSON.
var words = map[string]string{
	"True": "true", "False": "false", "TRUE": "true", "FALSE": "false", "yes": "true", "no": "false", "on": "true", "off": "false",
	"None": "null", "nil": "null", "undefined": "null", "NULL": "null", "Null": "null",
}

// wrongWord returns what is wrong with a word where a value should be.
func (s *jsonScanner) wrongWord(written string) Slip {
	shown := text.ClipMiddle(written, maxShown)
	digits := strings.TrimLeft(written, "+-")
	switch meant := words[written]; {
	case meant != "":
		return Slip{s.next, "JSON has no " + shown, "write " + meant}
	case isInfinite(written):
		return Slip{s.next, "JSON has no " + shown + ", only numbers that are finite", `leave the value out, or write a number`}
	case digits != "" && digits[0] >= '0' && digits[0] <= '9' || strings.HasPrefix(digits, ".") || strings.ContainsAny(written[:1], "+"):
		return Slip{s.next, shown + " is no number of JSON", `a number is written in decimal, as in 0.5, 12 or -1e3, and all else is in "quotes"`}
	default:
		return Slip{s.next, "the text " + shown + " has no quotes", `write "` + shown + `"`}
	}
}

// isInfinite reports whether a word stands for what is no finite number, in any of the languages that have a word for it.
func isInfinite(written string) bool {
	switch strings.ToLower(strings.TrimLeft(written, "+-.")) {
	case "nan", "inf", "infinity":
		return true
	}
	return false
}
