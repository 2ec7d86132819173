package text

import (
	"testing"
	"unicode/utf8"
)

func TestClip(t *testing.T) {
	cases := map[string]struct {
		text  string
		limit int
		want  string
	}{
		"Short":                   {text: "abc", limit: 3, want: "abc"},
		"Long":                    {text: "abcdefgh", limit: 6, want: "abc…"},
		"Between characters":      {text: "图像说明", limit: 9, want: "图像…"},
		"Within a character":      {text: "图像说明", limit: 8, want: "图…"},
		"Nothing but an ellipsis": {text: "图像说明", limit: 3, want: "…"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := Clip(tc.text, tc.limit); got != tc.want || len(got) > tc.limit {
				t.Errorf("Clip(%q, %d): want %q, got %q", tc.text, tc.limit, tc.want, got)
			}
		})
	}
}

func TestFirstLine(t *testing.T) {
	for text, want := range map[string]string{"": "", "a": "a", "\n\n  a b \r\nc": "a b", " \t": ""} {
		if got := FirstLine(text); got != want {
			t.Errorf("FirstLine(%q): want %q, got %q", text, want, got)
		}
	}
}

func TestVisible(t *testing.T) {
	cases := map[string]string{
		"plain, 说明 and 😀":        "plain, 说明 and 😀",
		"a\u3000b\u00a0c":        "a\u3000b\u00a0c",
		"bell\x07":               `bell\u0007`,
		"escape\x1b[31m":         `escape\u001b[31m`,
		"C1\u009b31m":            `C1\u009b31m`,
		"bidi\u202eevil":         `bidi\u202eevil`,
		"two\nlines\tand\r":      `two\u000alines\u0009and\u000d`,
		"zero width\u200bspace":  `zero width\u200bspace`,
		"not UTF-8\xff":          `not UTF-8\xff`,
		"tag\U000e0041":          `tag\U000e0041`,
		"replacement character�": "replacement character�",
	}
	for text, want := range cases {
		got := Visible(text)
		if got != want {
			t.Errorf("Visible(%q): want %q, got %q", text, want, got)
		}
		if Visible(got) != got || !utf8.ValidString(got) {
			t.Errorf("Visible(%q) is not visible: %q", text, got)
		}
	}
}
