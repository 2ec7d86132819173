package jsontree

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/maze-agent/maregister/internal/text"
)

func positionOf(content string, offset int) string {
	at := text.NewPositions([]byte(content)).At(offset)
	return fmt.Sprintf("%d:%d", at.Line, at.Column)
}

// TestJSONSlip (A8): each mistake is told at its place.
func TestJSONSlip(t *testing.T) {
	cases := map[string]string{
		`{"a": 1}`: "", `[1, 2.5e3, "\u00e9\n", {}]`: "", ` -0 `: "",
		"{\"a\": 1, // c\n\"b\": 2}":      "1:10 JSON has no comments",
		"{/* c */ \"a\": 1}":              "1:2 JSON has no comments",
		"{\"a\": 1 # c\n}":                "1:9 JSON has no comments",
		`{"a": 1,}`:                       "1:8 JSON has no comma before }",
		"[1,\n2,\n]":                      "2:2 JSON has no comma before ]",
		`{'a': 1}`:                        "1:2 JSON has no strings in '",
		`{"a": 'b'}`:                      "1:7 JSON has no strings in '",
		"{\"a\": `b`}":                    "1:7 JSON has no strings in `",
		`{"a": NaN}`:                      "1:7 JSON has no NaN, only numbers that are finite",
		`[-Infinity]`:                     "1:2 JSON has no -Infinity, only numbers that are finite",
		`[True]`:                          "1:2 JSON has no True",
		`[None]`:                          "1:2 JSON has no None",
		`[undefined]`:                     "1:2 JSON has no undefined",
		`[yes]`:                           "1:2 JSON has no yes",
		`[abc]`:                           "1:2 the text abc has no quotes",
		`{a: 1}`:                          "1:2 the key a has no quotes",
		`{"a": 1, b: 2}`:                  "1:10 the key b has no quotes",
		`[012]`:                           "1:2 012 is no number of JSON",
		`[0x1F]`:                          "1:2 0x1F is no number of JSON",
		`[.5]`:                            "1:2 .5 is no number of JSON",
		`[5.]`:                            "1:2 5. is no number of JSON",
		`[+1]`:                            "1:2 +1 is no number of JSON",
		`[1_000]`:                         "1:2 1_000 is no number of JSON",
		`{"a" 1}`:                         "1:6 a colon is missing before this",
		`{"a" = 1}`:                       "1:6 a colon is missing before this",
		`{"a": }`:                         "1:7 a value is missing before this",
		`[,1]`:                            "1:2 a value is missing before this",
		`{"a": 1 "b": 2}`:                 "1:9 a comma is missing before this",
		`[1 2]`:                           "1:4 a comma is missing before this",
		`{"a": 1; "b": 2}`:                "1:8 JSON has no semicolon between members",
		`{"a": [1}`:                       "1:9 this } does not close the [ of line 1",
		"{\"a\": [1, 2\n":                 "1:7 the text ends, and this [ is not closed",
		"{\"a\": \"b\nc\"}":               "1:7 this string is not closed: one that begins with \" ends in its line",
		`{"a": "b`:                        "1:7 this string is not closed",
		"{\"a\": \"b\tc\"}":               "1:9 in a string, there is the control character U+0009",
		`{"a": "\d+"}`:                    "1:8 in a string, \\ begins an escape, and this is none",
		`{"a": "\u12"}`:                   "1:8 in a string, \\ begins an escape, and this is none",
		`{“a”: 1}`:                        "1:2 the character “ (U+201C) is not what it looks like",
		`{"a"：1}`:                         "1:5 the character ： (U+FF1A) is not what it looks like",
		`{"a": {{ .Values.a }}}`:          "1:8 it is a template, of Helm, Jinja or Go, and not what is made of it",
		`{{ .Values }}`:                   "1:2 it is a template, of Helm, Jinja or Go, and not what is made of it",
		`{"a": {% if b %}1}`:              "1:8 it is a template, of Helm, Jinja or Go, and not what is made of it",
		strings.Repeat("[", 10_001):       "1:10001 this is nested deeper than 10000 levels",
		`[` + strings.Repeat("9", 500):    "1:1 the text ends, and this [ is not closed",
		`[1` + strings.Repeat("a", 9_000): "1:2 1" + strings.Repeat("a", 29) + "…" + strings.Repeat("a", 29) + " is no number of JSON",
		``:                                "1:1 the text ends where a value should be",
	}
	for content, want := range cases {
		slip, ok := JSONSlip([]byte(content), 0)
		got := ""
		if ok {
			got = positionOf(content, slip.Offset) + " " + slip.What
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%.60q (-want +got):\n%s", content, diff)
		}
	}
}

// FuzzJSONSlip: there is a slip in a text if, and only if, it is not JSON, and it is in the text.
func FuzzJSONSlip(f *testing.F) {
	for _, seed := range []string{example, `{"a": [1, 2.5e3, "\u00e9\n", {}]}`, `{a: 1}`, "[1,]", `"\ud800"`, "[1}", "[-0.0e-0, 00]", "nul", `{"":{"":[[]]}}`, "[1,\x00]"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		if !utf8.Valid(content) {
			return
		}
		slip, ok := JSONSlip(content, 0)
		if valid := Check(content) == nil; valid && ok {
			t.Fatalf("%q is JSON, got %v", content, slip)
		}
		if ok && (slip.Offset < 0 || slip.Offset > len(content) || slip.What == "") {
			t.Errorf("%q: got %v", content, slip)
		}
	})
}

// TestYAMLSlip (A8): each mistake is told at its place, also where there is more than one line.
func TestYAMLSlip(t *testing.T) {
	cases := map[string]string{
		"a:\n\tb: c\n":                        "2:1 YAML is indented with spaces, and this is a tab",
		"a:\n  b: c\n\t\td: e\n":              "3:1 YAML is indented with spaces, and this is a tab",
		"a:\n  - b\n\t- c\n":                  "3:1 YAML is indented with spaces, and this is a tab",
		"a: {{ .Values.a }}\n":                "1:4 it is a template, of Helm, Jinja or Go, and not what is made of it",
		"a: b\n{{ include \"x\" . }}\nc: d\n": "2:1 it is a template, of Helm, Jinja or Go, and not what is made of it",
		"a: b\n{% for x in y %}\nc: d\n":      "2:1 it is a template, of Helm, Jinja or Go, and not what is made of it",
		"- {{ x }}\n":                         "1:3 it is a template, of Helm, Jinja or Go, and not what is made of it",
		"a: @b\n":                             "1:4 no text may begin with @",
		"a: {\"b\" \"c\"}\n":                  "1:9 a colon or a comma is missing before this",
		"a:\n  b: {c: 'd' e: f}\n":            "2:14 a colon or a comma is missing before this",
		"a: [\"b\" \"c\"]\nd: e\n":            "1:9 a colon or a comma is missing before this",
		"a: {b: list[str], c: d}\n":           "1:8 this text has a bracket, which ends it among other values in brackets",
		"a: {b: string?, c: d}\n":             "1:14 this ? ends the text before it, as it is among values in brackets",
		"a: {b?: string}\n":                   "1:6 this ? ends the text before it, as it is among values in brackets",
		"a: [Any?]\n":                         "1:8 this ? ends the text before it, as it is among values in brackets",
		"a: {b: string; c: number}\n":         "1:14 this semicolon is part of the text before it",
		"a: {b: string; c?: number}\n":        "1:14 this semicolon is part of the text before it",
		"a: [x, dict{y}]\nb: c\n":             "1:8 this text has a bracket, which ends it among other values in brackets",
		"a:\n  b: {c: d},\n  e: f\n":          "2:12 a comma is behind the bracket that ends the value",
		"a: [b, c], # d\ne: f\n":              "1:10 a comma is behind the bracket that ends the value",
		"a:\n  b: c\n  d： {e: {f: g}}\n":      "3:4 the character ： (U+FF1A) is not what it looks like",
		"- `b`\n":                             "1:3 no text may begin with `",
		"a: %b\n":                             "1:4 no text may begin with %",
		"a: *b\n":                             "1:4 *b stands for what has the anchor &b, and nothing above has it",
		"a: **\n":                             "1:4 & and * begin the name of an anchor, and this is none",
		"a: b: c\n":                           "1:4 this value has a colon and a space, which begin another value",
		"a: b\n  c: d\n":                      "2:3 this line is indented deeper than line 1, whose key has a value already",
		"a:b\nc: d\n":                         "1:2 a space is missing behind this colon",
		"a: b\nc:d\ne: f\n":                   "2:2 a space is missing behind this colon",
		"a: b\nc\nd: e\n":                     "2:1 this line has no key",
		"a: \"b\nc: d\n":                      "1:4 this quote is not closed",
		"x: y\na: 'b\nc: d\n":                 "2:4 this quote is not closed",
		"a: \"b\" c\n":                        "1:8 this is behind the quote that ends the value",
		"a: 'it's'\n":                         "1:8 this is behind the quote that ends the value",
		"a: [b] c\n":                          "1:8 this is behind the bracket that ends the value",
		"a:\n  b: c\n d: e\n":                 "3:2 this line is indented by 1 space, and those that it can belong to by 0, 2",
		"a:\n  b:\n    c: d\n   e: f\n":       "4:4 this line is indented by 3 spaces, and those that it can belong to by 0, 2, 4",
		"a:\n- b\n- c\nd\n- e\n":              "4:1 this line has no key",
		"a: {b: c\nd: e\n":                    "1:4 this { is not closed, or a comma is missing behind it",
		"a: [b, c\nd: e\n":                    "1:4 this [ is not closed, or a comma is missing behind it",
		"a: \"\\d\"\n":                        "1:5 in double quotes, \\ begins an escape, and this is none",
		"a: \"C:\\Users\"\n":                  "1:7 in double quotes, \\ begins an escape, and this is none",
		"a: - b\n":                            "1:4 the items of a list cannot begin behind its key",
		"a: |b\n":                             "1:4 this sign stands for a text on the next lines, and nothing may be behind it",
		"a: >b\n":                             "1:4 this sign stands for a text on the next lines, and nothing may be behind it",
		"a: b\x07\n":                          "1:5 YAML does not allow the character U+0007",
		"a: b\u0080c\n":                       "1:5 YAML does not allow the character U+0080",
		"a: b\n# \ufffe\n":                    "2:3 YAML does not allow the character U+FFFE",
		"a：b\nc: d\n":                         "1:2 the character ： (U+FF1A) is not what it looks like",
		"<<<<<<< HEAD\na: b\n=======\n":       "1:1 this marks a conflict of git",
		"~: b\n":                              "1:1 a key is null, and keys of Kubernetes are strings",
		"a: b\n? [c]\n: d\n":                  "2:3 a key is an array, and keys of Kubernetes are strings",
		"a: [1, .inf]\n":                      "1:8 JSON, and with it Kubernetes, has no .inf, only numbers that are finite",
		"%a\nb: c\n":                          "1:1 a percent sign that begins a line begins a directive of YAML",
		"a: b\n}\n":                           "2:1 this } closes nothing",
		"a: {b: {c: d}}}\n":                   "1:15 this } closes nothing",
		"a: b\nc: [d]]\ne: f\n":               "2:7 this ] closes nothing",
		"a: {b:{c: d}}\n":                     "1:6 a space is missing behind this colon",
		"a:\n  b: {c: 1, d:[e]}\n":            "2:14 a space is missing behind this colon",
		"a: {b: ${B}}\n":                      "1:8 this { is among values in brackets, and begins another one",
		"a: b\n// c\nd: e\n":                  "2:1 this is no comment of YAML",
		"a:\n  b: c\n  /* d */\n":             "3:3 this is no comment of YAML",
		"a:\n  b:\n  -c\n  -d\n":              "3:3 a space is missing behind this hyphen",
		"%YAML 1.1\n":                         "1:1 a percent sign that begins a line begins a directive of YAML",
	}
	for content, want := range cases {
		_, _, err := DecodeYAML([]byte(content))
		if err == nil {
			t.Errorf("%q is YAML", content)
			continue
		}
		slip, ok := YAMLSlip([]byte(content), err)
		got := ""
		if ok {
			got = positionOf(content, slip.Offset) + " " + slip.What
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q, refused at %v: %v (-want +got):\n%s", content, err.At, err.Problem, diff)
		}
	}
}

// FuzzYAMLSlip: a slip is in the text, and never a crash.
func FuzzYAMLSlip(f *testing.F) {
	for _, seed := range []string{manifest, "a: {{ b }}", "a:\n\tb", "a: 'b", "a: [b", "\r: \u2028'", "a: \"\\d", "{%\n<<<<<<< ", "? [a]\n: b"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		if !utf8.Valid(content) {
			return
		}
		if _, _, err := DecodeYAML(content); err != nil {
			if slip, ok := YAMLSlip(content, err); ok && (slip.Offset < 0 || slip.Offset > len(content) || slip.What == "") {
				t.Errorf("%q: got %v", content, slip)
			}
		}
	})
}
