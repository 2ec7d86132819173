package nearest

import (
	"math/rand/v2"
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

// TestEdits compares the band around the diagonal with the whole matrix.
func TestEdits(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	word := func() string {
		letters := make([]byte, random.IntN(9))
		for i := range letters {
			letters[i] = "abc"[random.IntN(3)]
		}
		return string(letters)
	}
	near := 0
	for range 20_000 {
		a, b := word(), word()
		want, got := matrix(a, b), edits(a, b)
		if want <= maxEdits {
			near++
		}
		if (want <= maxEdits || got <= maxEdits) && want != got {
			t.Fatalf("edits(%q, %q): want %d, got %d", a, b, want, got)
		}
	}
	if near < 100 {
		t.Errorf("only %d of the pairs are near each other", near)
	}
}

// matrix is the optimal string alignment distance by its definition.
func matrix(a, b string) int {
	switch {
	case a == "" || b == "":
		return len(a) + len(b)
	case a[len(a)-1] == b[len(b)-1]:
		return matrix(a[:len(a)-1], b[:len(b)-1])
	}
	best := 1 + min(matrix(a[:len(a)-1], b), matrix(a, b[:len(b)-1]), matrix(a[:len(a)-1], b[:len(b)-1]))
	if n, m := len(a), len(b); n > 1 && m > 1 && a[n-1] == b[m-2] && a[n-2] == b[m-1] {
		best = min(best, 1+matrix(a[:n-2], b[:m-2]))
	}
	return best
}

func BenchmarkName(b *testing.B) {
	candidates := make([]string, 10_000)
	for i := range candidates {
		candidates[i] = strings.Repeat("x", i%7) + "caption_image"
	}
	for b.Loop() {
		Name("image_captions_x", candidates)
	}
}
