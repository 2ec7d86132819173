package terminal

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"unicode"
)

// WriteJSON writes a value for people and programs, with < and > as they are. Characters that a terminal would obey, or that hide what
// stands there, are written as escapes, which stand for the same.
func WriteJSON(w io.Writer, value any) error {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(value); err != nil {
		return err
	}
	_, err := w.Write(VisibleJSON(out.Bytes()))
	return err
}

// VisibleJSON returns JSON with escapes for all characters of its texts that cannot be seen.
func VisibleJSON(content []byte) []byte {
	hidden := func(r rune) bool { return r >= 0x7f && !unicode.IsPrint(r) && !unicode.Is(unicode.Zs, r) }
	if bytes.IndexFunc(content, hidden) < 0 {
		return content
	}
	var out bytes.Buffer
	for _, r := range string(content) {
		switch {
		case !hidden(r):
			out.WriteRune(r)
		case r < 1<<16:
			fmt.Fprintf(&out, `\u%04x`, r)
		default: // a pair of surrogates, as JSON has it
			fmt.Fprintf(&out, `\u%04x\u%04x`, 0xd800+(r-0x10000)>>10, 0xdc00+(r-0x10000)&0x3ff)
		}
	}
	return out.Bytes()
}
