package pysource

import (
	"fmt"
	"path"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// pattern says which files and folders not to look into: by name if it has no slash, and otherwise by path. In a path, ** stands
// for any number of folders.
type pattern struct {
	glob   string
	isPath bool
}

func newPattern(text string) (pattern, error) {
	trimmed := strings.Trim(text, "/")
	if trimmed == "" || !doublestar.ValidatePattern(trimmed) {
		return pattern{}, fmt.Errorf("--exclude %q is not a pattern such as test_*, tools/old or tools/**/demo_*.py", text)
	}
	return pattern{glob: path.Clean(trimmed), isPath: strings.Contains(strings.TrimSuffix(text, "/"), "/")}, nil
}

// newPatterns refuses them all if one is none.
func newPatterns(texts []string) ([]pattern, error) {
	var out []pattern
	for _, text := range texts {
		p, err := newPattern(text)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

// matches judges a path relative to the package root, with slashes.
func (p pattern) matches(name string) bool {
	if !p.isPath {
		name = path.Base(name)
	}
	return doublestar.MatchUnvalidated(p.glob, name)
}
