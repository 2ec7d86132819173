package finding

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestJoin(t *testing.T) {
	// Each word is a finding: its file, its cause if it has one, and how many more places it stands for.
	for name, tc := range map[string]struct{ findings, want string }{
		"nothing":                 {"", ""},
		"a few":                   {"a:x a:x a:x", "a a a"},
		"more":                    {"a:x a:x a:x a:x", "a+3"},
		"others between":          {"a:x a a:x a:y a:x a a:x", "a+3 a a a"},
		"no cause":                {"a a a a a", "a a a a a"},
		"several files":           {"a:x a:x b:x b:x", "a a b b"},
		"several causes":          {"a:x a:y a:x a:y a:x a:y a:x a:y a:y", "a+3 a+4"},
		"some stand for others":   {"a:x a:x:100", "a+101"},
		"one that stands for few": {"a:x:2", "a"},
	} {
		t.Run(name, func(t *testing.T) {
			var findings []Finding
			for word := range strings.FieldsSeq(tc.findings) {
				parts := append(strings.Split(word, ":"), "", "0")
				f := Finding{File: parts[0], Cause: parts[1]}
				if len(parts) > 4 {
					_, _ = fmt.Sscan(parts[2], &f.More)
				}
				findings = append(findings, f)
			}
			before := slices.Clone(findings)
			var got []string
			for _, f := range Join(findings) {
				more := 0
				_, _ = fmt.Sscanf(f.Message, " (so it is in %d more places)", &more)
				got = append(got, strings.TrimSuffix(fmt.Sprintf("%s+%d", f.File, more), "+0"))
			}
			if diff := cmp.Diff(tc.want, strings.Join(got, " ")); diff != "" {
				t.Errorf("-want, +got:\n%s", diff)
			}
			if diff := cmp.Diff(before, findings); diff != "" {
				t.Errorf("what is joined was changed:\n%s", diff)
			}
		})
	}
}
