package syntax

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/maze-agent/maregister/internal/finding"
)

func TestComments(t *testing.T) {
	comment := func(line, column int, text string, about int) finding.Comment {
		return finding.Comment{At: finding.Position{Line: line, Column: column}, Text: text, Line: about}
	}
	cases := map[string]struct {
		python string
		want   []finding.Comment
	}{
		"behind a statement":   {"x = 1  # a\ny = 2", []finding.Comment{comment(1, 8, "# a", 1)}},
		"alone":                {"# a\n\n    # b\nx = 1", []finding.Comment{comment(1, 1, "# a", 4), comment(3, 5, "# b", 4)}},
		"the last":             {"x = 1\n# a", []finding.Comment{comment(2, 1, "# a", 2)}},
		"in strings":           {"x = '# a'\ny = \"# b\"\nz = 'it\\'s # c'", nil},
		"in a long string":     {"x = '''\n# a\n''' # b\n", []finding.Comment{comment(3, 5, "# b", 3)}},
		"a quote in a comment": {"# it's\nx = 1 # \"\"\"\ny = 2 # c", []finding.Comment{comment(1, 1, "# it's", 2), comment(2, 7, `# """`, 2), comment(3, 7, "# c", 3)}},
		"a string not ended":   {"x = 'a\n# b", []finding.Comment{comment(2, 1, "# b", 2)}},
		"an empty string":      {"x = '' # a", []finding.Comment{comment(1, 8, "# a", 1)}},
		"Chinese":              {"x = '图' # a", []finding.Comment{comment(1, 9, "# a", 1)}},
		"lines of Windows":     {"x = 1 # a\r\n# b\r\ny = 2\r\n", []finding.Comment{comment(1, 7, "# a", 1), comment(2, 1, "# b", 3)}},
		"a raw string":         {`x = r'\' # a'` + "\n", nil},
		"brackets":             {"@task(\n    name='a',  # a\n)", []finding.Comment{comment(2, 16, "# a", 2)}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, comments([]byte(tc.python))); diff != "" {
				t.Errorf("comments(...) (-want +got):\n%s", diff)
			}
		})
	}
}

// TestIgnoresOfBrokenFile: a file that is no Python has its comments all the same.
func TestIgnoresOfBrokenFile(t *testing.T) {
	m := NewParser(func(*Module, *Function, *Expr) bool { return true }).Parse("a.py", "a", []byte("# maze: ignore-file[MZ003]\n@task(\n"))
	if m.Problem == nil || len(m.Ignores) != 1 || m.Ignores[0].File != "a.py" {
		t.Errorf("problem %v, ignores %v", m.Problem, m.Ignores)
	}
}
