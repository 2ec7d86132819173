package jsontree

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/maze-agent/maregister/internal/text"
)

func TestComments(t *testing.T) {
	at := func(line, column int) text.Position { return text.Position{Line: line, Column: column} }
	cases := map[string]struct {
		yaml string
		want []Comment
	}{
		"behind a value":      {"a: 1 # x\nb: 2", []Comment{{at(1, 6), "# x", 1}}},
		"alone":               {"# x\n\n  # y\na: 1", []Comment{{at(1, 1), "# x", 4}, {at(3, 3), "# y", 4}}},
		"the last":            {"a: 1\n# x\n", []Comment{{at(2, 1), "# x", 2}}},
		"no space":            {"a: b#c", nil},
		"in quotes":           {`a: "b # c"` + "\n" + `b: 'it''s # c'`, nil},
		"behind quotes":       {`a: "b # c" # d`, []Comment{{at(1, 12), "# d", 1}}},
		"an escaped quote":    {`a: "b \" # c"`, nil},
		"over lines":          {"a: \"b\n  # c\n  d\" # e", []Comment{{at(3, 6), "# e", 3}}},
		"a quote within":      {"a: it's # x", []Comment{{at(1, 9), "# x", 1}}},
		"a text in a block":   {"a: |\n  # x\n  b\nc: 1 # y", []Comment{{at(4, 6), "# y", 4}}},
		"a folded one":        {"- a: >-\n    # x\n\n    b\n  c: 1 # y", []Comment{{at(5, 8), "# y", 5}}},
		"in a list":           {"- |\n # x\n- 1 # y", []Comment{{at(3, 5), "# y", 3}}},
		"a comment of one":    {"a: | # x\n  # y\n", []Comment{{at(1, 6), "# x", 1}}},
		"of a tag":            {"a: !!str |\n  # y\n", nil},
		"documents":           {"--- |\n# x\n--- # y\na: 1", []Comment{{at(3, 5), "# y", 3}}},
		"flow":                {"{a: [1, # x\n 2], \"b\":\"# c\"} # y", []Comment{{at(1, 9), "# x", 1}, {at(2, 17), "# y", 2}}},
		"JSON":                {`{"a": "# b", "c": ["# d"]}`, nil},
		"an anchor":           {`a: &x "b # c" # d`, []Comment{{at(1, 15), "# d", 1}}},
		"Chinese":             {"名: 图 # x", []Comment{{at(1, 6), "# x", 1}}},
		"lines of Windows":    {"a: 1 # x\r\nb: 2 # y\r\n", []Comment{{at(1, 6), "# x", 1}, {at(2, 6), "# y", 2}}},
		"nothing":             {"", nil},
		"a block at the end":  {"a: |", nil},
		"a dash and a block":  {"- - |\n    # x\n  - 1 # y", []Comment{{at(3, 7), "# y", 3}}},
		"greater than a word": {"a: b > c\nd: 1 # y", []Comment{{at(2, 6), "# y", 2}}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, Comments([]byte(tc.yaml))); diff != "" {
				t.Errorf("Comments(...) (-want +got):\n%s", diff)
			}
		})
	}
}

// withoutComments returns a text whose comments are empty: nothing but their #.
func withoutComments(content string) string {
	lines := strings.Split(content, "\n")
	for _, c := range Comments([]byte(content)) {
		line := []rune(lines[c.At.Line-1])
		lines[c.At.Line-1] = string(line[:c.At.Column])
	}
	return strings.Join(lines, "\n")
}

// FuzzComments: a text stands for the same when its comments are empty, so that no # of a text was taken for one.
func FuzzComments(f *testing.F) {
	for _, seed := range []string{"a: 1 # x\nb: |\n  # y\n", "- 'a # b' # c\n- \"d\\\" # e\"\n", "{a: [1, # x\n2]}", "a: &b !!str \"c # d\" # e\n", "? a # b\n: c\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, content string) {
		if strings.ContainsAny(content, "\r\u0085\u2028\u2029\ufeff") { // other ends of lines than \n
			t.Skip()
		}
		bare := withoutComments(content)
		want, err := YAMLToJSON([]byte(content))
		if err != nil {
			return
		}
		got, err := YAMLToJSON([]byte(bare))
		if err != nil || string(got) != string(want) {
			t.Errorf("%q stands for %s, and without comments, as %q, for %s (%v)", content, want, bare, got, err)
		}
	})
}
