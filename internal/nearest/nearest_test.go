package nearest

import (
	"strings"
	"testing"
)

func TestName(t *testing.T) {
	candidates := []string{"array", "filepath", "int", "string", "str"}
	tests := map[string]struct{ name, want string }{
		"swap":           {"strnig", "string"},
		"case":           {"String", "string"},
		"plural":         {"strings", "string"},
		"path":           {"file_path", "filepath"},
		"short":          {"it", "int"},
		"the first":      {"strin", "string"},
		"nothing near":   {"tensor", ""},
		"one character":  {"x", ""},
		"empty":          {"", ""},
		"a long text":    {strings.Repeat("string", 1000), ""},
		"not ASCII only": {"bööl", ""},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if got := Name(tc.name, candidates); got != tc.want {
				t.Errorf("Name(%q): want %q, got %q", tc.name, tc.want, got)
			}
		})
	}
}
