package schema

import (
	"strings"
)

// valueMeant says how a value is to be written that a keyword cannot have in this form. Empty if that is not known.
func valueMeant(s shape, value any) string {
	switch v := value.(type) {
	case string:
		return textMeant(s, v)
	case map[string]any:
		if s == schemaList {
			return "put it into a list, as in [{…}]"
		}
	case []any:
		name, named := nameInList(v)
		if (s == schemaMap || s == patternMap) && named {
			return "declare each by its name, as in " + clip(name, maxQuoted) + `: {type: string}`
		}
		if s == schemaMap && len(v) > 0 {
			return "write an object, with the name of each"
		}
	}
	return ""
}

// textMeant says how a text is to be written that stands for another value.
func textMeant(s shape, text string) string {
	if other, err := decode([]byte(text), valueLimits); err == nil && !isA[string](other) && fitsShape(s, other) {
		return "write it without quotes, " + clip(strings.TrimSpace(text), maxQuoted)
	}
	switch s {
	case oneSchema:
		return schemaMeant(text)
	case schemaList:
		if m, ok := notationMeant(text); ok {
			return "write [" + clip(m.String(), 2*maxNotation) + "]"
		}
	case anyList:
		var values []string
		for _, one := range strings.Split(text, ",") {
			values = append(values, quote(strings.TrimSpace(one)))
		}
		return "write a list, [" + clip(strings.Join(values, ", "), 2*maxQuoted) + "]"
	}
	return ""
}

// schemaMeant says what to write for a text that stands where a schema should be. Empty if that is not known.
func schemaMeant(text string) string {
	if m, ok := notationMeant(text); ok {
		return "write " + clip(m.String(), 2*maxNotation)
	}
	return ""
}
