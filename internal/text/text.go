// Package text is the one room for text: what is UTF-8, where something is in it, and how it is shortened and shown to people.
package text

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

const ellipsis = "…"

// Clip returns a text of at most limit bytes, which ends in an ellipsis if something is left out. It cuts no character in two. The limit
// must leave room for the ellipsis: 3 bytes.
func Clip(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	end := limit - len(ellipsis)
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + ellipsis
}

// ClipCharacters returns a text of at most limit characters, which ends in an ellipsis if something is left out. It reads no more of a long
// text than it needs.
func ClipCharacters(text string, limit int) string {
	end, characters := 0, 0 // end is where the last character begins that an ellipsis can stand for
	for i := range text {
		if characters == limit-1 {
			end = i
		}
		if characters == limit {
			return text[:end] + ellipsis
		}
		characters++
	}
	return text
}

// ClipMiddle returns a text of at most limit characters, with an ellipsis in its middle if something is left out: both the beginning of a
// text and its end, such as the last name of a pointer or the advice of a message, tell the most.
func ClipMiddle(text string, limit int) string {
	if len(text) <= limit || utf8.RuneCountInString(text) <= limit {
		return text
	}
	runes := []rune(text)
	head := limit / 2
	tail := limit - head - 1
	return string(runes[:head]) + ellipsis + string(runes[len(runes)-tail:])
}

// ClipMiddleBytes is [ClipMiddle] with a limit in bytes. It cuts no character in two. The limit must leave room for the ellipsis: 3 bytes.
func ClipMiddleBytes(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	head := (limit - len(ellipsis)) / 2
	tail := len(text) - (limit - len(ellipsis) - head)
	for head > 0 && !utf8.RuneStart(text[head]) {
		head--
	}
	for tail < len(text) && !utf8.RuneStart(text[tail]) {
		tail++
	}
	return text[:head] + ellipsis + text[tail:]
}

// FirstLine returns the first line that is not blank, without the white space around it.
func FirstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return strings.TrimSpace(line)
}

// Visible returns a text in which every character can be seen: control characters, those that change the direction of writing, and
// bytes that are not UTF-8 are written as Go escapes, such as \u0007. A terminal that shows it does nothing else.
func Visible(text string) string {
	if strings.IndexFunc(text, isHidden) < 0 && utf8.ValidString(text) {
		return text
	}
	var out strings.Builder
	for len(text) > 0 {
		r, size := utf8.DecodeRuneInString(text)
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&out, `\x%02x`, text[0])
		case !isHidden(r):
			out.WriteString(text[:size])
		case r < 1<<16:
			fmt.Fprintf(&out, `\u%04x`, r)
		default:
			fmt.Fprintf(&out, `\U%08x`, r)
		}
		text = text[size:]
	}
	return out.String()
}

// isHidden reports whether a character is no letter, mark, number, punctuation, symbol or space.
func isHidden(r rune) bool { return !unicode.IsPrint(r) && !unicode.Is(unicode.Zs, r) }
