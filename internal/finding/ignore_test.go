package finding

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestIgnoresOf(t *testing.T) {
	line := func(rules ...string) Ignore {
		return Ignore{File: "a.py", At: Position{Line: 3, Column: 9}, From: Position{Line: 4, Column: 1}, To: Position{Line: 4, Column: lineEnd}, Rules: rules}
	}
	whole := func(rules ...string) Ignore {
		return Ignore{File: "a.py", At: Position{Line: 3, Column: 9}, Rules: rules}
	}
	all := func(i Ignore) Ignore { i.All = true; return i }
	cases := map[string][]Ignore{
		"# maze: ignore[MZ007]":              {line("MZ007")},
		"#maze:ignore[MZ007, MZ1]":           {line("MZ007", "MZ1")},
		"#  maze:  ignore [MZ007]":           {line("MZ007")},
		"# maze: ignore[ MZ007  MZ008, ]":    {line("MZ007", "MZ008")},
		"# maze: ignore[wrong-argument]":     {line("wrong-argument")},
		"# maze: ignore[MZ007] as of today":  {line("MZ007")},
		"# noqa: F401 # maze: ignore[MZ007]": {line("MZ007")},
		"# maze: ignore":                     {all(line())},
		"# maze: ignore # noqa":              {all(line())},
		"# maze: ignore because of that":     {all(line())},
		"# maze: ignore-file":                {all(whole())},
		"# maze: ignore-file[MZ0]":           {whole("MZ0")},
		"# maze: ignore MZ007":               {line()},
		"# maze: ignore: MZ007":              {line()},
		"# maze: ignore[MZ007":               {line()},
		"# maze: ignore[]":                   {line()},
		"# maze: ignored":                    {line()},
		"# maze: is a framework":             nil,
		"# see maze: ignore":                 nil,
		"# Maze: ignore":                     nil,
	}
	for text, want := range cases {
		got := IgnoresOf("a.py", []Comment{{At: Position{Line: 3, Column: 9}, Text: text, Line: 4}})
		for i := range got {
			if len(got[i].Rules) == 0 {
				got[i].Rules = nil
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
}

func TestSilence(t *testing.T) {
	found := []Finding{
		New(WrongArgument, "a.py", Position{Line: 2, Column: 5}, "", "a"),
		New(UnknownType, "a.py", Position{Line: 2, Column: 9}, "", "b"),
		New(UnknownType, "a.py", Position{Line: 3, Column: 9}, "", "c"),
		New(Unreadable, "b.py", Position{}, "", "d"),
		New(UnknownType, "b.py", Position{Line: 2, Column: 9}, "", "e"),
	}
	comment := func(file, text string, line int) Ignore {
		return IgnoresOf(file, []Comment{{At: Position{Line: line, Column: 20}, Text: text, Line: line}})[0]
	}
	object := NewIgnore("a.py", Position{Line: 9, Column: 9}, Position{Line: 2, Column: 6}, Position{Line: 3, Column: 9}, "MZ010")
	cases := map[string]struct {
		ignores []Ignore
		want    string // the messages of those that are left
		useless string // why and what
	}{
		"nothing":             {nil, "abcde", ""},
		"a rule in its line":  {[]Ignore{comment("a.py", "# maze: ignore[MZ010]", 2)}, "acde", ""},
		"all in a line":       {[]Ignore{comment("a.py", "# maze: ignore", 2)}, "cde", ""},
		"another line":        {[]Ignore{comment("a.py", "# maze: ignore[MZ010]", 4)}, "abcde", "0 MZ010"},
		"all in another line": {[]Ignore{comment("a.py", "# maze: ignore", 4)}, "abcde", "0 "},
		"another file":        {[]Ignore{comment("c.py", "# maze: ignore-file", 2)}, "abcde", "0 "},
		"a file":              {[]Ignore{comment("b.py", "# maze: ignore-file", 7)}, "abc", ""},
		"a rule in a file":    {[]Ignore{comment("a.py", "# maze: ignore-file[unknown-type]", 7)}, "ade", ""},
		"a part of a file":    {[]Ignore{object}, "ade", ""},
		"twice":               {[]Ignore{object, comment("a.py", "# maze: ignore[MZ010]", 3)}, "ade", ""},
		"one of two":          {[]Ignore{comment("a.py", "# maze: ignore[MZ010,MZ008,MZ005]", 2)}, "cde", "0 MZ005"},
		"an unknown rule":     {[]Ignore{comment("a.py", "# maze: ignore[MZ0l0]", 2)}, "abcde", "1 MZ0l0"},
		"no rules":            {[]Ignore{comment("a.py", "# maze: ignore: MZ010", 2)}, "abcde", "2 "},
		"by place": {[]Ignore{comment("b.py", "# maze: ignore[MZ003]", 1), comment("a.py", "# maze: ignore[MZ002]", 9), comment("a.py", "# maze: ignore[MZ001]", 5)},
			"abcde", "0 MZ001,0 MZ002,0 MZ003"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			left, useless := Silence(found, tc.ignores)
			var messages strings.Builder
			for _, f := range left {
				messages.WriteString(f.Message)
			}
			var told []string
			for _, u := range useless {
				told = append(told, fmt.Sprintf("%d %s", u.Why, u.Rule))
			}
			if messages.String() != tc.want || strings.Join(told, ",") != tc.useless {
				t.Errorf("left %s, want %s; useless %q, want %q", messages.String(), tc.want, told, tc.useless)
			}
		})
	}
	_, useless := Silence(found, []Ignore{comment("a.py", "# maze: ignore[MZ0l0]", 2)})
	if got := useless[0].Meant(); got != "MZ010" {
		t.Errorf("meant %q, want MZ010", got)
	}
}

// TestSilenceLarge: the time grows with the number of findings and of ignores, and not with both at once.
func TestSilenceLarge(t *testing.T) {
	const n = 50_000
	found, ignores := make([]Finding, n), make([]Ignore, n)
	for i := range n {
		at := Position{Line: n - i, Column: 1}
		found[i] = New(UnknownType, "a.json", at, "", "x")
		ignores[i] = NewIgnore("a.json", at, at, at, "MZ010")
	}
	if left, useless := Silence(found, ignores); len(left) > 0 || len(useless) > 0 {
		t.Errorf("%d findings are left, %d ignores useless", len(left), len(useless))
	}
}
