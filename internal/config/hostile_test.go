package config

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/maze-agent/maregister/internal/text"
)

// maxTokens is how many words and signs the hostile files have.
const maxTokens = 1 << 15

// TestHostileFilesAreCheap reads files that are small enough to be read and made to take long.
func TestHostileFilesAreCheap(t *testing.T) {
	const limit = 30 * time.Second // some take a second, and ten with the race detector; none may take minutes
	laughs := "a0: &a0 [lol, lol]\n"
	for i := range 64 {
		laughs += fmt.Sprintf("a%d: &a%d [*a%d, *a%d, *a%d]\n", i+1, i+1, i, i, i)
	}
	many := lines(maxTokens/4, "k%d: v")
	tests := map[string]string{
		"a billion laughs":       begin + laughs,
		"an exponent":            begin + "registry: {shardSize: 1e-10000000}\n",
		"a long number":          begin + "registry: {shardSize: " + strings.Repeat("9", maxSize/2) + "}\n",
		"lists in lists":         strings.Repeat("[", maxSize),
		"fewer lists in lists":   strings.Repeat("[", maxTokens/2) + strings.Repeat("]", maxTokens/2),
		"mappings in mappings":   strings.Repeat("{a: ", maxTokens/4),
		"blocks in blocks":       strings.Repeat("- ", maxTokens),
		"keys of keys":           strings.Repeat("? ", maxTokens),
		"many fields":            begin + many,
		"many documents":         strings.Repeat("---\n", maxSize/4),
		"one field, many values": begin + "nodes: " + strings.Repeat("a: ", maxTokens/3),
		"one long name":          strings.Repeat("x", maxSize-2) + ": ",
		"one long text":          begin + "nodes: |\n" + strings.Repeat("  x\n", 200_000),
		"quotes":                 strings.Repeat(`"`, maxTokens),
		"zeros":                  strings.Repeat("\x00", maxSize),
	}
	for name, content := range tests {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			if _, err := Load("operator.yaml", []byte(content)); err == nil {
				t.Error("want an error")
			} else if len(err.Error()) > 1<<16 {
				t.Errorf("the error has %d bytes", len(err.Error()))
			}
			if took := time.Since(began); took > limit {
				t.Errorf("took %s", took)
			} else {
				t.Logf("took %s", took)
			}
		})
	}
}

// FuzzLoad never panics, and every error says where in the file it is.
func FuzzLoad(f *testing.F) {
	sample, err := os.ReadFile("../../config/manager/operator.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{string(sample), begin, full, profile, "", "null", "- a", "a: [1, 2", "? [a]\n: b", "<<: *a", "a: &a [*a]", "gpu: |\n", "%YAML",
		begin + "gpu:\n\tmatch: Exact", begin + `nodes: "\x00` + "\n", begin + "registry: {shardSize: 1e-9999999}", begin + "gpu: {profiles: [~, {}, 1, .inf]}",
		begin + "gpu: {tolerations: [{tolerationSeconds: 0x7fffffffffffffff}]}", begin + "gpu: {match: >-\n  a\n  b\n}", "{: }", "'", "---\n...\n---"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		c, err := Load("operator.yaml", content)
		if (c == nil) == (err == nil) {
			t.Fatalf("want a value or an error, got %v and %v", c, err)
		}
		if err == nil {
			Placement(c)
			PredictorRules(c)
			return
		}
		for _, line := range strings.Split(err.Error(), "\n") {
			var at text.Position
			_, scanned := fmt.Sscanf(line, "operator.yaml:%d:%d: ", &at.Line, &at.Column)
			if !strings.HasPrefix(line, "operator.yaml: correct these first") && (scanned != nil || at.Line < 1 || at.Column < 1) {
				t.Errorf("no place in %q", line)
			}
			if i := strings.IndexFunc(line, func(r rune) bool { return r < ' ' }); i >= 0 {
				t.Errorf("a control character in %q", line)
			}
		}
	})
}
