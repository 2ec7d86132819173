package registry

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// contents are the data of ConfigMaps, and the files in the order in which sha256sum * lists them with LC_ALL=C.
var contents = map[string]struct {
	data  map[string]string
	order []string
}{
	"One entry": {data: map[string]string{"a": `{"name":"a"}`}, order: []string{"a"}},
	"An index beside it": {
		data:  map[string]string{"a": `{"name":"a"}`, IndexKey: `{"format":1}`},
		order: []string{"a"},
	},
	"Sorted by byte": {
		data:  map[string]string{"a_b": "1", "a.b": "2", "a-b": "3", "aB": "4", "B": "5", "10": "6", "9": "7", "ab": "8"},
		order: []string{"10", "9", "B", "a-b", "a.b", "aB", "a_b", "ab"},
	},
	"No text, no last newline, Chinese": {
		data:  map[string]string{"empty": "", "newline": "x\n", "none": "x", "说明": "说明"},
		order: []string{"empty", "newline", "none", "说明"},
	},
}

func TestContentDigestIsThatOfSha256sumsLines(t *testing.T) {
	for name, tc := range contents {
		t.Run(name, func(t *testing.T) {
			var lines strings.Builder
			for _, file := range tc.order {
				fmt.Fprintf(&lines, "%x  %s\n", sha256.Sum256([]byte(tc.data[file])), file)
			}
			if want, got := sha(lines.String()), ContentDigest(tc.data); got != want {
				t.Errorf("ContentDigest(...): want %s, got %s", want, got)
			}
		})
	}
	for name, data := range map[string]map[string]string{"Nothing": nil, "Only an index": {IndexKey: "{}"}} {
		t.Run(name, func(t *testing.T) {
			if want, got := sha(""), ContentDigest(data); got != want {
				t.Errorf("ContentDigest(...): want %s, got %s", want, got)
			}
		})
	}
}

// TestContentDigestIsWhatSha256sumPrints runs what ContentDigest's documentation tells a user to run.
func TestContentDigestIsWhatSha256sumPrints(t *testing.T) {
	if _, err := exec.LookPath("sha256sum"); err != nil {
		t.Skip("sha256sum is not on PATH; TestContentDigestIsThatOfSha256sumsLines computes the same in Go")
	}
	for name, tc := range contents {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for file, text := range tc.data {
				if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			command := exec.CommandContext(t.Context(), "sh", "-c", "LC_ALL=C; sha256sum * | sha256sum")
			command.Dir = dir
			out, err := command.Output()
			if err != nil {
				t.Fatalf("sha256sum: %v", err)
			}
			if want, got := "sha256:"+strings.TrimSuffix(string(out), "  -\n"), ContentDigest(tc.data); got != want {
				t.Errorf("ContentDigest(...): want %s, got %s", want, got)
			}
		})
	}
}
