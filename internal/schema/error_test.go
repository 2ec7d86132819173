package schema

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestClip(t *testing.T) {
	tests := map[string]struct {
		text string
		max  int
		want string
	}{
		"fits":       {"abcdef", 6, "abcdef"},
		"too long":   {"abcdefgh", 6, "abc…gh"},
		"characters": {"日本語日本語", 6, "日本語日本語"},
		"not bytes":  {"日本語日本語日", 5, "日本…語日"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, clip(tc.text, tc.max)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestErrorsAreShort repeats long user text in every place where a message quotes it.
func TestErrorsAreShort(t *testing.T) {
	long := strings.Repeat("長<", 600)
	for _, raw := range []string{
		`{"` + long + `":{"type":"x"}}`,
		`{"x":{"type":"` + long + `"}}`,
		`{"x":{"$ref":"` + long + `"}}`,
		`{"x":{"pattern":"(` + long[:900] + `"}}`,
		`{"x":{"default":"y` + long + `","enum":["` + long + `"]}}`,
		`{"x":{"default":{"` + long + `":1},"additionalProperties":false}}`,
		`{"x":{"$anchor":"` + long + `"}}`,
		`{"$schema":"` + long + `"}`,
		`{"` + long + `":1,"` + long + `":2}`,
		`{"$defs":{"` + long[:700] + `":{"$ref":"#/$defs/` + long[:700] + `"}}}`,
		`"` + long + `"`,
	} {
		_, _, err := Parse([]byte(raw))
		if err == nil {
			t.Errorf("want an error for %s", clip(raw, 80))
			continue
		}
		if n := utf8.RuneCountInString(err.Error()); n > maxErrorLength {
			t.Errorf("%d characters: %s", n, err)
		}
	}
}

func TestErrorIsClipped(t *testing.T) {
	long := strings.Repeat("長", 600)
	for _, text := range []string{(&Error{Pointer: "/" + long, Message: long}).Error(), Warning{Pointer: "/" + long, Message: long}.String()} {
		if n := utf8.RuneCountInString(text); n != maxErrorLength {
			t.Errorf("want %d characters, got %d", maxErrorLength, n)
		}
	}
}

func TestErrorNamesPointerAndAdvice(t *testing.T) {
	_, _, err := Parse([]byte(`{"type":"object","properties":{"image":{"type":"strnig"}}}`))
	want := &Error{
		Reason:  ReasonInvalidSchema,
		Pointer: "/properties/image/type",
		Message: `unknown type "strnig"; did you mean "string"? (accepted: array, boolean, filepath, folderpath, integer, null, number, object, string` +
			` and Python's Any, None, NoneType, any, bool, dict, float, int, list, str, tuple)`,
	}
	if diff := cmp.Diff(want, err); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if diff := cmp.Diff(want.Pointer+": "+want.Message, err.Error()); diff != "" {
		t.Errorf("Error(): -want +got:\n%s", diff)
	}
}
