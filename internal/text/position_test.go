package text

import (
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"
)

// TestPositions compares with a count from the beginning, whichever way the offsets go.
func TestPositions(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	texts := []string{"", "a", "\n", "a\n图b\n\nc", strings.Repeat("x", 3*stride), strings.Repeat("图\n像", 2*stride), strings.Repeat("\n", stride)}
	for _, text := range texts {
		p := NewPositions([]byte(text))
		offsets := []int{-1, 0, len(text), len(text) + 7, 0}
		for range 200 {
			offsets = append(offsets, random.IntN(len(text)+1))
		}
		for _, offset := range offsets {
			for offset > 0 && offset < len(text) && !utf8.RuneStart(text[offset]) {
				offset--
			}
			before := text[:max(0, min(offset, len(text)))]
			want := Position{1 + strings.Count(before, "\n"), 1 + utf8.RuneCountInString(before[strings.LastIndex(before, "\n")+1:])}
			if got := p.At(offset); got != want {
				t.Fatalf("At(%d) of %.20q: want %v, got %v", offset, text, want, got)
			}
		}
	}
}

func TestFirstInvalid(t *testing.T) {
	for text, want := range map[string]int{"": -1, "图": -1, "\ufffd": -1, "\xff": 0, "图a\xe5\x9b": 4, "a\x80b": 1} {
		if got := FirstInvalid([]byte(text)); got != want {
			t.Errorf("FirstInvalid(%q): want %d, got %d", text, want, got)
		}
	}
}

func TestClips(t *testing.T) {
	clips := map[string]struct {
		clip func(string, int) string
		text string
		want string
	}{
		"Characters, short":    {ClipCharacters, "图像说明", "图像说明"},
		"Characters, long":     {ClipCharacters, "图像说明文", "图像说…"},
		"Middle, short":        {ClipMiddle, "图像说明", "图像说明"},
		"Middle, long":         {ClipMiddle, "图像说明文字", "图像…字"},
		"Columns, short":       {ClipColumns, "图像", "图像"},
		"Columns, long":        {ClipColumns, "图像说", "图…"},
		"Columns, marks":       {ClipColumns, "e\u0301e\u0301e\u0301e\u0301", "e\u0301e\u0301e\u0301e\u0301"},
		"Columns, marks, long": {ClipColumns, "e\u0301e\u0301e\u0301e\u0301e\u0301", "e\u0301e\u0301e\u0301…"},
	}
	for name, tc := range clips {
		t.Run(name, func(t *testing.T) {
			if got := tc.clip(tc.text, 4); got != tc.want {
				t.Errorf("want %q, got %q", tc.want, got)
			}
		})
	}
	if got := ClipCharacters("ab", 1); got != "…" {
		t.Errorf("ClipCharacters to 1: got %q", got)
	}
	for text, want := range map[string]string{
		"图像图": "图像图", "abcdefghij": "abc…hij", "图像说明": "图…明", "a图像说明": "a…明", "图像说明bcde": "图…cde", "图像说明b": "图…b",
	} {
		if got := ClipMiddleBytes(text, 9); got != want {
			t.Errorf("ClipMiddleBytes(%q, 9): want %q, got %q", text, want, got)
		}
	}
}

func TestColumns(t *testing.T) {
	for text, want := range map[string]int{"": 0, "abc": 3, "图像": 4, "e\u0301": 1, "…→": 2, "！": 2} {
		if got := Columns(text); got != want {
			t.Errorf("Columns(%q): want %d, got %d", text, want, got)
		}
	}
}

func TestSearchable(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "a\x00b": "a\x00b", "\xff\xfea\x00b\x00": "\xff\xfeab", "\xfe\xff\x00a\x00b": "\xfe\xffab", "\xef\xbb\xbfa": "\xef\xbb\xbfa",
	} {
		if got := string(Searchable([]byte(text))); got != want {
			t.Errorf("Searchable(%q): want %q, got %q", text, want, got)
		}
	}
}
