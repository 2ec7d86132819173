package evolution

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/maze-agent/maregister/internal/registry"
	"github.com/maze-agent/maregister/internal/schema"
)

var update = flag.Bool("update", false, "write what the pairs come to into testdata/*.txt")

// TestPairs compares the pairs of testdata/pairs.txt, which go through what a schema can say, and those of testdata/edits.txt, which are such
// as teams make. Each begins with "== " and its name, followed by the old and the new schema as "- " and
// "+ ", behind the side. What follows is the verdict and the changes.
func TestPairs(t *testing.T) {
	for path, least := range map[string]int{"testdata/pairs.txt": 150, "testdata/edits.txt": 60} {
		t.Run(path, func(t *testing.T) { comparePairs(t, path, least) })
	}
}

func comparePairs(t *testing.T, path string, least int) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	pairs := 0
	for _, block := range strings.Split(string(content), "== ")[1:] {
		pairs++
		lines := strings.Split(block, "\n")
		name, side, _ := strings.Cut(lines[0], " | ")
		old, next := strings.TrimPrefix(lines[1], "- "), strings.TrimPrefix(lines[2], "+ ")
		fmt.Fprintf(&out, "== %s | %s\n- %s\n+ %s\n%s\n", name, side, old, next, describe(t, name, Side(side), old, next))
	}
	if *update {
		if err := os.WriteFile(path, []byte(out.String()), 0o644); err != nil { //nolint:gosec // test data that everyone may read
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(string(content), out.String()); diff != "" && !*update {
		t.Error(diff)
	}
	if pairs < least {
		t.Errorf("want %d pairs at least, got %d", least, pairs)
	}
}

// describe returns the verdict and the changes of one pair.
func describe(t *testing.T, name string, side Side, old, next string) string {
	t.Helper()
	report, err := Compare(entryOf(t, name, side, old), entryOf(t, name, side, next))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	text := report.Verdict.String() + "\n"
	for _, change := range report.Changes {
		text += "    " + change.Verdict.String() + ": " + change.String() + "\n"
	}
	return text
}

// entryOf returns an entry of which one side is declared.
func entryOf(t *testing.T, name string, side Side, declared string) *registry.Entry {
	t.Helper()
	s, _, refusal := schema.Parse([]byte(declared))
	if refusal != nil {
		t.Fatalf("%s: %s: %v", name, declared, refusal)
	}
	e := &registry.Entry{}
	e.Schema.Input, e.Schema.Output = []byte(`{"type":"object"}`), []byte(`{"type":"object"}`)
	if side == Input {
		e.Schema.Input = s.JSON()
	} else {
		e.Schema.Output = s.JSON()
	}
	return e
}
