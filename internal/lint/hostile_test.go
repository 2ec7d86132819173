package lint

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"
)

// hostile makes files of a size that would cost much if anything were done again for each part.
var hostile = map[string]func(size int) string{
	"one line of JSON with many findings": func(size int) string {
		return `{"apiVersion":"registry.mazeagent.net/v1alpha1","kind":"MazeTask","metadata":{"name":"a"},"spec":{"name":"a",` +
			repeated(size/16, `"u%07d":"x"`, ",") + `}}`
	},
	"unknown fields": func(size int) string { return manifest("spec:\n  name: a\n" + repeated(size/16, "  u%07d: x\n", "")) },
	"labels that are none": func(size int) string {
		return header + "metadata:\n  name: a\n  labels:\n" + repeated(size/20, "    l%07d: '-x-'\n", "") + "spec: {name: a}\n"
	},
	"keys that are given twice": func(size int) string {
		return manifest("spec:\n  name: a\n  inputParameters:\n" + strings.Repeat("    key: {}\n", size/12))
	},
	"words that are booleans": func(size int) string {
		return manifest("spec:\n  name: a\n  inputParameters:\n    x:\n      enum: [" + strings.Repeat("no, ", size/4) + "]\n")
	},
	"numbers": func(size int) string {
		return manifest("spec: {name: a, inputParameters: {x: [" + strings.Repeat("1e3,", size/4) + "]}}\n")
	},
	"marks of templates in one line": func(size int) string { return manifest("spec: {name: a, x: \"" + strings.Repeat("{{ ", size/3) + "\n") },
	"lines of which the last is none": func(size int) string {
		return manifest("spec:\n  name: a\n" + strings.Repeat("  # x\n", size/6) + " x: y\n")
	},
	"brackets": func(size int) string {
		return manifest("spec:\n  name: a\n  x: " + strings.Repeat("[{a: ", size/5) + "\n")
	},
	"JSON that is open":     func(size int) string { return `{"a": ` + strings.Repeat("[", 9000) + strings.Repeat(`1, `, size/3) },
	"a string that is open": func(size int) string { return `{"a": "` + strings.Repeat("x", size) },
	"documents":             func(size int) string { return strings.Repeat("a: b\n---\n", size/9) },
	"aliases":               func(size int) string { return "a: &a {b: c}\nl:\n" + strings.Repeat("- *a\n", size/5) },
	"tools": func(size int) string {
		return manifest("spec: {name: a, inputParameters: [" + strings.Repeat("{name: a b, inputSchema: {}}, ", size/30) + "]}\n")
	},
	"ends of lines of old": func(size int) string { return strings.Repeat("a: b\r", size/5) },
}

func repeated(n int, format, separator string) string {
	var out strings.Builder
	for i := range n {
		if i > 0 {
			out.WriteString(separator)
		}
		fmt.Fprintf(&out, format, i)
	}
	return out.String()
}

// TestHostileFiles (security row 8): what a file costs grows with its size, and no faster. Of four times the text, the memory is four times
// as much, and sixteen times if something is quadratic. The time is generous for a busy machine.
func TestHostileFiles(t *testing.T) {
	const size, times, tolerance, patience = 64 << 10, 4, 2, 30 * time.Second
	l := newLinter(t)
	measure := func(text string) uint64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		l.Lint([]Source{{"file.yaml", []byte(text)}})
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	for name, text := range hostile {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			measure(text(size)) // what is made once
			small, large := measure(text(size)), measure(text(times*size))
			if large > small*times*tolerance+(8<<20) {
				t.Errorf("want about %d times %d bytes for %d times the text, got %d", times, small, times, large)
			}
			if took := time.Since(start); took > patience {
				t.Errorf("want seconds at most, got %s", took)
			}
		})
	}
}
