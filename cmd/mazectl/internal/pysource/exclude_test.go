package pysource

import (
	"strings"
	"testing"
	"time"
)

func TestPatterns(t *testing.T) {
	cases := map[string]struct {
		pattern string
		want    []string
		wantNot []string
	}{
		"a name":                 {"test_*", []string{"test_a.py", "tools/test_b.py"}, []string{"tools/a_test.py", "test_data/a.py"}},
		"a folder by name":       {"old/", []string{"old", "tools/old"}, []string{"older", "old/a.py"}},
		"a path":                 {"tools/old", []string{"tools/old"}, []string{"old", "a/tools/old", "tools/old/a.py"}},
		"from the root":          {"/tools", []string{"tools"}, []string{"a/tools"}},
		"any folders":            {"tools/**/demo_*.py", []string{"tools/demo_a.py", "tools/a/b/demo_c.py"}, []string{"demo_a.py", "tools/a/demo.py"}},
		"any folders before":     {"**/old", []string{"old", "a/b/old"}, []string{"a/older"}},
		"all in a folder":        {"tools/**", []string{"tools", "tools/a.py", "tools/a/b.py"}, []string{"tool", "a/tools"}},
		"stars in a row":         {"a/**/**/b", []string{"a/b", "a/c/d/b"}, []string{"b"}},
		"a dot":                  {"./tools/./old", []string{"tools/old"}, []string{"tools"}},
		"one star is one folder": {"a/*/b", []string{"a/c/b"}, []string{"a/b", "a/c/d/b"}},
		"characters":             {"[a-c]?.py", []string{"b1.py", "tools/c2.py"}, []string{"d1.py", "b.py"}},
		"alternatives":           {"{old,demo}.py", []string{"old.py", "tools/demo.py"}, []string{"a.py"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			p, err := newPattern(tc.pattern)
			if err != nil {
				t.Fatal(err)
			}
			for _, file := range tc.want {
				if !p.matches(file) {
					t.Errorf("%s does not match %s", tc.pattern, file)
				}
			}
			for _, file := range tc.wantNot {
				if p.matches(file) {
					t.Errorf("%s matches %s", tc.pattern, file)
				}
			}
		})
	}
	for _, text := range []string{"", "/", "[a", "a/[", "{a"} {
		if _, err := newPattern(text); err == nil {
			t.Errorf("%q is a pattern", text)
		}
	}
}

// TestHostilePattern: no pattern takes long, however many ways there are to match it.
func TestHostilePattern(t *testing.T) {
	p, err := newPattern(strings.Repeat("**/a/", 30) + "b")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan bool)
	go func() { done <- p.matches(strings.Repeat("a/", 2000) + "c") }()
	select {
	case matched := <-done:
		if matched {
			t.Error("it matches")
		}
	case <-time.After(time.Minute):
		t.Fatal("it goes on")
	}
}
