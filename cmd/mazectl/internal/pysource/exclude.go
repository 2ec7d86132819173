package pysource

import (
	"fmt"
	"path"
	"strings"
)

// pattern says which files and folders not to look into: by name if it has no slash, and otherwise by path. In a path, ** stands
// for any number of folders.
type pattern struct {
	segments []string
	isPath   bool
}

func newPattern(text string) (pattern, error) {
	if _, err := path.Match(text, ""); err != nil || strings.Trim(text, "/") == "" {
		return pattern{}, fmt.Errorf("--exclude %q is not a pattern such as test_*, tools/old or tools/**/demo_*.py", text)
	}
	p := pattern{isPath: strings.Contains(strings.TrimSuffix(text, "/"), "/")}
	for segment := range strings.SplitSeq(strings.Trim(text, "/"), "/") {
		if segment == "" || segment == "." || segment == "**" && len(p.segments) > 0 && p.segments[len(p.segments)-1] == "**" {
			continue
		}
		p.segments = append(p.segments, segment)
	}
	return p, nil
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
		return matchSegments(p.segments, []string{path.Base(name)})
	}
	return matchSegments(p.segments, strings.Split(name, "/"))
}

func matchSegments(patterns, segments []string) bool {
	if len(patterns) == 0 {
		return len(segments) == 0
	}
	if patterns[0] == "**" {
		for skipped := range len(segments) + 1 {
			if matchSegments(patterns[1:], segments[skipped:]) {
				return true
			}
		}
		return false
	}
	if len(segments) == 0 {
		return false
	}
	ok, err := path.Match(patterns[0], segments[0])
	return err == nil && ok && matchSegments(patterns[1:], segments[1:])
}
