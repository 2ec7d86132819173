package jsontree

import (
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestYAMLTooLarge: what may have very many values is refused before it is read, by everything that reads YAML.
func TestYAMLTooLarge(t *testing.T) {
	for name, content := range map[string]string{
		"a list":        "a: [" + strings.Repeat("5,", MaxMarks) + "5]\n",
		"lines":         "a:\n" + strings.Repeat("- 5\n", MaxMarks),
		"empty objects": "[" + strings.Repeat("{},", MaxMarks) + "5]\n",
		"nested":        strings.Repeat("- ", MaxMarks+1) + "5\n",
		"keys":          strings.Repeat("? ", MaxMarks+1) + "5\n",
	} {
		raw := []byte(content)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := ParseYAML(raw)
		_, second := YAMLToJSON(raw)
		_, _, third := DecodeYAML(raw)
		runtime.ReadMemStats(&after)
		if err == nil || !err.TooLarge || second == nil || !second.TooLarge || third == nil || !third.TooLarge {
			t.Errorf("%s: want errors, got %v, %v and %v", name, err, second, third)
		}
		if total := after.TotalAlloc - before.TotalAlloc; total > 1<<20 {
			t.Errorf("%s: %d bytes for an error", name, total)
		}
	}
	for name, content := range map[string]string{
		"many short lines": strings.Repeat("- 5\n", MaxMarks/2-1),
		"a long text":      "a: '" + strings.Repeat("word ", MaxMarks) + "'\n",
	} {
		if _, err := ParseYAML([]byte(content)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestToJSON: the JSON of a document is what the API server reads, whichever way it is made.
func TestToJSON(t *testing.T) {
	for _, content := range []string{
		"a: 1\nb: [yes, 'no', 012, ~, 2024-01-01]\n", "a: &x {b: 1}\nc: *x\n", "a: &x {b: 1}\nc: {<<: *x}\n", "a: !!str 1\n", "%YAML 1.1\n---\na: 1\n",
		"n: 1\ny: 2\n", "1: a\n", "a: \"\\u00e9\\n\"\n", "- - 1\n  - {}\n", "a: 1\na: 2\n", "a: ! 1\n",
	} {
		document, _ := ParseYAML([]byte(content))
		got, gotErr := document.ToJSON([]byte(content))
		want, wantErr := YAMLToJSON([]byte(content))
		if (gotErr == nil) != (wantErr == nil) {
			t.Errorf("%q: want %v, got %v", content, wantErr, gotErr)
			continue
		}
		a, _ := ParseJSON(want, 0, Limits{})
		b, _ := ParseJSON(got, 0, Limits{})
		wanted, _ := a.Value(want)
		value, _ := b.Value(got)
		if diff := cmp.Diff(wanted, value); diff != "" {
			t.Errorf("%q (-want +got):\n%s", content, diff)
		}
	}
	document, _ := ParseYAML([]byte("a: .inf\n"))
	if _, err := document.ToJSON([]byte("a: .inf\n")); err == nil {
		t.Error("want an error for .inf")
	}
}
