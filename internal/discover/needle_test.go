package discover

import (
	"bytes"
	"testing"
)

// FuzzNeedle finds texts where bytes.Index does.
func FuzzNeedle(f *testing.F) {
	source := []byte("import os\n@task\ndef f(input_parameters=1, x=\xff): ...\nimport\tmaze")
	for _, text := range []string{"import ", "i", "task", "@", "\xff", "maze", "zz", "import\tmaze", "import\tmazes", "(input", "\n", " "} {
		f.Add([]byte(text), source, 0)
		f.Add([]byte(text), source, 1)
	}
	f.Fuzz(func(t *testing.T, text, source []byte, from int) {
		if len(text) == 0 || from < 0 || from > len(source) {
			return
		}
		want := bytes.Index(source[from:], text)
		if want >= 0 {
			want += from
		}
		if n := newNeedle(text); n.index(source, from) != want {
			t.Errorf("%q in %q from %d: %d, want %d", text, source, from, n.index(source, from), want)
		}
	})
}
