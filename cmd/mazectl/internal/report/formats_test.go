package report

import (
	"encoding/xml"
	"fmt"
	"strings"
	"testing"

	"github.com/maze-agent/maregister/cmd/mazectl/internal/terminal"
	"github.com/maze-agent/maregister/internal/finding"
)

func TestURIs(t *testing.T) {
	cases := map[string]string{
		"tasks/a.yaml":     "tasks/a.yaml",
		"./a b.yaml":       "a%20b.yaml",
		"c:d.yaml":         "./c:d.yaml",
		"../图.yaml":        "../%E5%9B%BE.yaml",
		"/tmp/100%.yaml":   "file:///tmp/100%25.yaml",
		terminal.StdinName: "stdin",
	}
	for name, want := range cases {
		if got := uriOf(name); got != want {
			t.Errorf("uriOf(%q): want %q, got %q", name, want, got)
		}
	}
}

// hostile is a finding with everything that a format has to escape.
var hostile = []finding.Finding{{
	Rule: finding.UnknownField, Severity: finding.SeverityError, File: "a,b:c%\n.yaml", Position: finding.Position{Line: 1, Column: 2},
	Message: "100%\r\n::error::<b>&\"]]>\x1b[31m\x00",
}}

func TestGitHubEscapes(t *testing.T) {
	var out strings.Builder
	if err := writeGitHub(&out, terminal.Terminal{}, hostile, nil); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(out.String(), "\n"); n != 1 || strings.Contains(out.String(), "\r") {
		t.Errorf("want one line, got %q", out.String())
	}
	properties, message, _ := strings.Cut(strings.TrimPrefix(out.String(), "::error "), "::")
	if want := "title=MZ105 unknown-field,file=a%2Cb%3Ac%25%0A.yaml,line=1,col=2"; properties != want {
		t.Errorf("properties: want %q, got %q", want, properties)
	}
	if !strings.Contains(message, "%0A::error::<b>") || strings.Contains(message, "\x1b") {
		t.Errorf("message: got %q", message)
	}
}

// TestJUnitManyFiles: each file is a suite, and finding its suite takes no time by the number of files. With a search for each finding,
// these took minutes.
func TestJUnitManyFiles(t *testing.T) {
	const files = 100_000
	findings := make([]finding.Finding, files*2)
	for i := range findings {
		findings[i] = finding.New(finding.UnknownField, fmt.Sprintf("%d.yaml", i%files), finding.Position{Line: 1, Column: 1}, "", "x")
	}
	var out strings.Builder
	if err := writeJUnit(&out, terminal.Terminal{}, findings, nil); err != nil {
		t.Fatal(err)
	}
	if suites, failures := strings.Count(out.String(), "<testsuite "), strings.Count(out.String(), "<failure "); suites != files || failures != 2*files {
		t.Errorf("want %d suites and twice as many failures, got %d and %d", files, suites, failures)
	}
}

func TestJUnitEscapes(t *testing.T) {
	var out strings.Builder
	if err := writeJUnit(&out, terminal.Terminal{}, hostile, nil); err != nil {
		t.Fatal(err)
	}
	var got junitSuites
	if err := xml.Unmarshal([]byte(out.String()), &got); err != nil {
		t.Fatalf("%v in %s", err, out.String())
	}
	if message := got.Suites[0].Cases[0].Failure.Message; !strings.Contains(message, "::error::<b>&\"]]>") {
		t.Errorf("got %q", message)
	}
}

// TestWindow: the caret is below its character, whatever is before it.
func TestWindow(t *testing.T) {
	cases := map[string]struct {
		text       string
		character  int
		columns    int
		want       string
		wantColumn int
	}{
		"short":         {"name: x", 6, 40, "name: x", 6},
		"Chinese":       {"图像: x", 4, 40, "图像: x", 6},
		"a tab":         {"a\tb", 2, 40, "a b", 2},
		"steers":        {"\x1b[31mb", 5, 40, "^[[31mb", 6},
		"behind":        {"abc", 99, 40, "abc", 3},
		"before":        {"abc", -1, 40, "abc", 0},
		"empty":         {"", 0, 40, "", 0},
		"cut behind":    {strings.Repeat("x", 30), 0, 10, strings.Repeat("x", 9) + "…", 0},
		"cut on both":   {strings.Repeat("x", 30) + "y" + strings.Repeat("z", 30), 30, 10, "…xx" + "y" + "zzzzz" + "…", 3},
		"cut before":    {strings.Repeat("x", 30) + "y", 30, 10, "…xx" + "y", 3},
		"Chinese, wide": {strings.Repeat("图", 30), 20, 10, "…图图图图…", 3},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, column := measure(1, tc.text).window(tc.character, tc.columns)
			if got != tc.want || column != tc.wantColumn {
				t.Errorf("want %q at %d, got %q at %d", tc.want, tc.wantColumn, got, column)
			}
		})
	}
}
