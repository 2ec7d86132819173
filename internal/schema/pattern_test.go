package schema

import (
	"encoding/json"
	"regexp"
	"regexp/syntax"
	"strings"
	"testing"
)

func TestPatterns(t *testing.T) {
	unsupported := parsed{Reason: ReasonUnsupportedPattern, Pointer: "/x/pattern"}
	tooLarge := parsed{Reason: ReasonSchemaTooLarge, Pointer: "/x/pattern"}
	tests := map[string]struct {
		pattern     string
		want        parsed
		wantMessage string
	}{
		"usual":                     {pattern: `^[a-z][a-z0-9_]{0,62}$`},
		"Unicode class":             {pattern: `^[\p{L}\p{N} ]{1,100}$`},
		"case-insensitive":          {pattern: `(?i)^[a-z]+\.png$`},
		"case-insensitive, Unicode": {pattern: `(?i)straße`},
		"1 KiB":                     {pattern: strings.Repeat("a", 1024)},
		"1 KiB and 1":               {pattern: strings.Repeat("a", 1025), want: tooLarge, wantMessage: "1025 bytes; at most 1024"},
		"lookahead":                 {pattern: `^(?!tmp).*$`, want: unsupported, wantMessage: "has a lookahead, (?!, which RE2 cannot run; leave it out, and check that in the task"},
		"lookbehind":                {pattern: `(?<=a)b`, want: unsupported, wantMessage: "has a lookbehind, (?<="},
		"backreference":             {pattern: `(a)\1`, want: unsupported, wantMessage: `has a backreference, \1`},
		"unbalanced":                {pattern: `(a`, want: unsupported, wantMessage: "is not valid: missing closing )"},
		"swapped bounds":            {pattern: `a{2,1}`, want: unsupported, wantMessage: "{2,1} repeats at least 2 and at most 1 times; swap the two"},
		"repetition of repetition":  {pattern: `(a{1000}){1000}`, want: unsupported, wantMessage: "repeats more than 1,000 times"},
		"repetition of a long text": {pattern: `(?:` + strings.Repeat("a", 1000) + `){1000}`, want: tooLarge, wantMessage: "10000 instructions"},
		"many Unicode classes":      {pattern: strings.Repeat(`\pL`, 101), want: tooLarge},
		"folding of wide ranges":    {pattern: `(?i)[B-` + "\U0001E942" + `]`, want: unsupported, wantMessage: "list both cases"},
		"folding of escaped ranges": {pattern: `(?si:[B-\x{1E942}])`, want: unsupported},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			text, _ := json.Marshal(tc.pattern)
			got, err := parse(`{"x":{"pattern":` + string(text) + `}}`)
			got.JSON = ""
			if got.Reason != tc.want.Reason || got.Pointer != tc.want.Pointer {
				t.Errorf("want %s at %q, got %v", tc.want.Reason, tc.want.Pointer, err)
			}
			if err != nil && !strings.Contains(err.Message, tc.wantMessage) {
				t.Errorf("want %q in the message, got %q", tc.wantMessage, err.Message)
			}
			if err != nil {
				return
			}
			if _, e := regexp.Compile(tc.pattern); e != nil {
				t.Errorf("accepted, but: %v", e)
			}
		})
	}
}

func TestPatternsOfADocument(t *testing.T) {
	runParseCases(t, map[string]parseCase{
		"name of patternProperties": {raw: `{"x":{"patternProperties":{"a/(?=b)":true}}}`,
			want: parsed{Reason: ReasonUnsupportedPattern, Pointer: "/x/patternProperties/a~1(?=b)"}},
		"all together": {raw: `{` + numbered(20, `"p%d":{"pattern":"a{900}"}`) + `}`,
			want: parsed{Reason: ReasonSchemaTooLarge, Pointer: "/p19/pattern"}, wantMessage: "10000 instructions"},
	})
}

// TestInstructions compares the estimate with the programs that Go compiles.
func TestInstructions(t *testing.T) {
	for _, pattern := range []string{`abc`, `a{100}`, `a{3,100}`, `a{50,}`, `(?:ab|c){40}`, `((a)(b)?){30}`, `[a-z]+\d*x?`, `^(?:(?:a{10}){10}){9}$`, ``} {
		tree, err := syntax.Parse(pattern, syntax.Perl)
		if err != nil {
			t.Fatal(err)
		}
		program, err := syntax.Compile(tree.Simplify())
		if err != nil {
			t.Fatal(err)
		}
		got, compiled := instructions(tree), len(program.Inst)
		if got < compiled/2-2 || got > 2*compiled {
			t.Errorf("instructions(%s): %d compiled, %d estimated", pattern, compiled, got)
		}
	}
}
