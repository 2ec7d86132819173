package jsontree

import (
	"fmt"
	"unicode"
)

// Slip is a mistake for which a text is refused as JSON or YAML. Readers of these say what they expected, often at a place far behind the
// mistake; a slip says what is there.
type Slip struct {
	// Offset is where the mistake is, in bytes.
	Offset int
	// What is a clause: "a comma is missing before this".
	What string
	// Advice says what to do. Empty if What says it all.
	Advice string
}

// String returns the slip as a message has it.
func (s Slip) String() string {
	if s.Advice == "" {
		return s.What
	}
	return s.What + "; " + s.Advice
}

// Template is What of a text that a template engine has not read yet. What to do depends on what is made of it.
const Template = "it is a template, of Helm, Jinja or Go, and not what is made of it"

// templateAt returns that slip.
func templateAt(offset int) Slip {
	return Slip{
		offset, Template,
		`lint what is made of it, as in "helm template . | mazectl lint -"; a text that begins with { has to be in quotes`,
	}
}

// lookalikes are characters that word processors and input methods write for those of JSON and YAML. Empty stands for none.
var lookalikes = map[rune]string{
	'“': `"`, '”': `"`, '„': `"`, '«': `"`, '»': `"`, '＂': `"`, '‘': "'", '’': "'", '＇': "'",
	'：': ":", '，': ",", '、': ",", '；': ";", '｛': "{", '｝': "}", '［': "[", '］': "]", '【': "[", '】': "]", '－': "-", '–': "-", '—': "-", '＃': "#",
	'\u00a0': " ", '\u2002': " ", '\u2003': " ", '\u2009': " ", '\u202f': " ", '\u3000': " ", '\u200b': "", '\u2060': "", '\ufeff': "",
}

// lookalikeAt returns the slip of a character that looks like one of JSON's or YAML's. It reports false for all others.
func lookalikeAt(offset int, r rune) (Slip, bool) {
	meant, ok := lookalikes[r]
	advice := "write " + meant + " for it"
	switch meant {
	case "":
		advice = "remove it"
	case " ":
		advice = "write a space for it"
	}
	return Slip{offset, nameOf(r) + " is not what it looks like", advice}, ok
}

// Lookalike returns the first character in a text that looks like one of JSON's or YAML's. It reports false if there is none.
func Lookalike(text string) (Slip, bool) {
	for at, r := range text {
		if slip, ok := lookalikeAt(at, r); ok {
			return slip, true
		}
	}
	return Slip{}, false
}

// nameOf returns a character as a message shows it.
func nameOf(r rune) string {
	if unicode.IsGraphic(r) && !unicode.IsSpace(r) {
		return fmt.Sprintf("the character %c (U+%04X)", r, r)
	}
	return fmt.Sprintf("the character U+%04X", r)
}
