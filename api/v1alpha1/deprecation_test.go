package v1alpha1

import "testing"

func TestDeprecationString(t *testing.T) {
	for message, want := range map[string]string{
		"Use b.":                        "Use b",
		"Use b":                         "Use b",
		" Use b,\nwhich\tknows more.\n": "Use b, which knows more",
		"Goes in May...":                "Goes in May",
		"Use b!":                        "Use b!",
		"用 b。":                          "用 b。",
		"":                              "",
	} {
		if got := (&Deprecation{Message: message}).String(); got != want {
			t.Errorf("%q: want %q, got %q", message, want, got)
		}
		if got := (&Deprecation{Message: message, Replacement: "b"}).String(); got != want+"; replacement: b" {
			t.Errorf("%q, with a replacement: want %q, got %q", message, want+"; replacement: b", got)
		}
	}
}
