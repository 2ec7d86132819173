package ecma

import (
	"strings"
	"unicode"
)

// categories are the long names of Unicode's general categories, and of the few other properties that RE2 can express.
var categories = map[string]string{
	"Letter": `\p{L}`, "Uppercase_Letter": `\p{Lu}`, "Lowercase_Letter": `\p{Ll}`, "Titlecase_Letter": `\p{Lt}`, "Modifier_Letter": `\p{Lm}`,
	"Other_Letter": `\p{Lo}`, "Mark": `\p{M}`, "Combining_Mark": `\p{M}`, "Nonspacing_Mark": `\p{Mn}`, "Spacing_Mark": `\p{Mc}`,
	"Enclosing_Mark": `\p{Me}`, "Number": `\p{N}`, "Decimal_Number": `\p{Nd}`, "digit": `\p{Nd}`, "Letter_Number": `\p{Nl}`, "Other_Number": `\p{No}`,
	"Punctuation": `\p{P}`, "punct": `\p{P}`, "Connector_Punctuation": `\p{Pc}`, "Dash_Punctuation": `\p{Pd}`, "Open_Punctuation": `\p{Ps}`,
	"Close_Punctuation": `\p{Pe}`, "Initial_Punctuation": `\p{Pi}`, "Final_Punctuation": `\p{Pf}`, "Other_Punctuation": `\p{Po}`, "Symbol": `\p{S}`,
	"Math_Symbol": `\p{Sm}`, "Currency_Symbol": `\p{Sc}`, "Modifier_Symbol": `\p{Sk}`, "Other_Symbol": `\p{So}`, "Separator": `\p{Z}`,
	"Space_Separator": `\p{Zs}`, "Line_Separator": `\p{Zl}`, "Paragraph_Separator": `\p{Zp}`, "Control": `\p{Cc}`, "cntrl": `\p{Cc}`,
	"Format": `\p{Cf}`, "Private_Use": `\p{Co}`,

	"Any": `\x00-\x{10FFFF}`, "ASCII": `\x00-\x7F`, "ASCII_Hex_Digit": `0-9A-Fa-f`, "AHex": `0-9A-Fa-f`,
	"LC": `\p{Lu}\p{Ll}\p{Lt}`, "Cased_Letter": `\p{Lu}\p{Ll}\p{Lt}`, "White_Space": `\t-\r\x{85}\p{Z}`, "space": `\t-\r\x{85}\p{Z}`,
}

// scripts are the short names of the scripts that are written most.
var scripts = map[string]string{
	"Arab": "Arabic", "Armn": "Armenian", "Beng": "Bengali", "Cyrl": "Cyrillic", "Deva": "Devanagari", "Ethi": "Ethiopic", "Geor": "Georgian",
	"Grek": "Greek", "Gujr": "Gujarati", "Hang": "Hangul", "Hani": "Han", "Hebr": "Hebrew", "Hira": "Hiragana", "Kana": "Katakana", "Khmr": "Khmer",
	"Laoo": "Lao", "Latn": "Latin", "Mlym": "Malayalam", "Mong": "Mongolian", "Mymr": "Myanmar", "Sinh": "Sinhala", "Taml": "Tamil", "Telu": "Telugu",
	"Thai": "Thai", "Tibt": "Tibetan", "Zinh": "Inherited", "Zyyy": "Common",
}

// property reads what is behind \p or \P.
func (t *translator) property(negated bool) (set, *Fault) {
	if rest := t.rest(); rest != "" && rest[0] != '{' { // \pL is RE2's
		name := string(t.rune())
		return propertyClass(name, `\p`+name, negated)
	}
	inner, _, closed := strings.Cut(t.rest(), "}")
	if !closed {
		return set{}, &Fault{Kind: Invalid, Text: `\p`, Detail: `\p lacks the name of a property, as in \p{L}`}
	}
	t.next += len(inner) + 1
	name, value, hasValue := strings.Cut(inner[1:], "=")
	if !hasValue {
		return propertyClass(name, `\p{`+name+`}`, negated)
	}
	text := `\p{` + name + "=" + value + "}"
	switch name {
	case "General_Category", "gc":
		if _, isScript := unicode.Scripts[value]; !isScript {
			return propertyClass(value, text, negated)
		}
	case "Script", "sc":
		if long, ok := scripts[value]; ok {
			value = long
		}
		if _, ok := unicode.Scripts[value]; ok {
			return propertyClass(value, text, negated)
		}
	}
	return set{}, &Fault{Kind: Property, Text: text}
}

// propertyClass returns the class of a property by its name.
func propertyClass(name, text string, negated bool) (set, *Fault) {
	positive, ok := categories[name]
	if !ok {
		_, isCategory := unicode.Categories[name]
		_, isScript := unicode.Scripts[name]
		if !isCategory && !isScript {
			return set{}, &Fault{Kind: Property, Text: text}
		}
		positive = `\p{` + name + "}"
	}
	switch {
	case !negated:
		return class(positive), nil
	case isEscape(positive):
		return class(`\P` + positive[2:]), nil
	default:
		return set{negated: true, classes: []string{positive}}, nil
	}
}
