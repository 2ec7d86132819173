package jsontree

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

const manifest = `# a comment
base: &base {n: 1}
list:
- "2"
- ~
-
merged:
  <<: *base
  yes: !!str 3
  图: |
    a
    b
base: 0x1f
`

// TestParseYAML writes each value as position, pointer, kind and what stands there.
func TestParseYAML(t *testing.T) {
	document, err := ParseYAML([]byte(manifest))
	if err != nil || document.Second != nil {
		t.Fatal(err, document.Second)
	}
	var got []string
	source := Source{Above: 10}
	var walk func(*Node)
	walk = func(n *Node) {
		at, key := source.At(n), ""
		if n.YAML.Key != nil {
			key = fmt.Sprintf(" key %d:%d %s", source.KeyAt(n).Line, source.KeyAt(n).Column, n.YAML.Written)
		}
		got = append(got, fmt.Sprintf("%d:%d %s %s %q %s plain=%t block=%t merged=%d%s",
			at.Line, at.Column, n.Pointer(), n.Kind, n.YAML.Text, n.YAML.Feature, n.YAML.Plain, n.YAML.Block, len(n.YAML.Merged), key))
		for _, child := range n.Children {
			walk(child)
		}
	}
	walk(document.Root)
	want := []string{
		`12:1  an object ""  plain=false block=true merged=0`,
		`12:7 /base an object "" anchor plain=false block=false merged=0 key 12:1 `,
		`12:17 /base/false a number "1"  plain=true block=false merged=0 key 12:14 n`,
		`14:1 /list an array ""  plain=false block=true merged=0 key 13:1 `,
		`14:3 /list/0 a string "2"  plain=false block=false merged=0`,
		`15:3 /list/1 null "~"  plain=true block=false merged=0`,
		`16:2 /list/2 null ""  plain=true block=false merged=0`,
		`18:3 /merged an object "" merge key plain=false block=true merged=1 key 17:1 `,
		`19:8 /merged/true a string "3" tag plain=true block=false merged=0 key 19:3 yes`,
		`20:6 /merged/图 a string "a\nb\n"  plain=false block=false merged=0 key 20:3 `,
		`23:7 /base a number "0x1f"  plain=true block=false merged=0 key 23:1 `,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestParseYAMLCountsDocuments(t *testing.T) {
	for content, want := range map[string]string{"": "", "# nothing\n": "", "a: b\n": "", "---\na: b\n...\n": "", "a: b\n---\n": "2:1", "---\n---\na: [\n": "!",
		"a: b\n...\nc: d\n": "3:1!"} {
		document, err := ParseYAML([]byte(content))
		got := ""
		if document.Second != nil {
			got = fmt.Sprintf("%d:%d", document.Second.Line, document.Second.Column)
		}
		if err != nil {
			got += "!"
		}
		if got != want {
			t.Errorf("%q: want a second document at %q, got %q (%v)", content, want, got, err)
		}
	}
}

// TestParseYAMLTellsWhatJSONDoesNotHave finds the first feature, in the order of the text.
func TestParseYAMLTellsWhatJSONDoesNotHave(t *testing.T) {
	for content, want := range map[string]string{
		"a: [b, {c: 1}]\n":              "",
		"a: 1\nb: &c 2\n":               "anchor 2:4",
		"a: 1\n? &c b\n: !d e\n":        "anchor 2:3",
		"a: [b, !c d]\ne: &f g\n":       "tag 1:8",
		"a: 1\n<<: &b {c: d}\n":         "merge key 2:1",
		"<<: [{a: b}, !c {d: e}]\n":     "merge key 1:1",
		"? !a b\n: <<: {c: d}\n":        "tag 1:3",
		"a: {b: {}, c: {<<: {d: e}}}\n": "merge key 1:16",
	} {
		document, err := ParseYAML([]byte(content))
		if err != nil {
			t.Errorf("%q: %v", content, err)
			continue
		}
		got := ""
		if use := document.Beyond; use != nil {
			got = fmt.Sprintf("%s %d:%d", use.Feature, use.At.Line, use.At.Column)
		}
		if got != want {
			t.Errorf("%q: want %q, got %q", content, want, got)
		}
	}
}

func TestYAMLError(t *testing.T) {
	cases := map[string]struct {
		content string
		want    string
	}{
		"a colon":             {"a: 1\nb: c: d\n", "2:1 mapping values are not allowed in this context; " + inLine + " | 2:4 'c'"},
		"a tab":               {"a:\n\tb: c\n", "2:2 found character that cannot start any token; " + inLine + " | 2:1 '\\t'"},
		"a sign":              {"a: 1\nb: @c\n", "2:1 found character that cannot start any token; " + inLine + " | 2:4 '@'"},
		"a bracket":           {"a: 1\n图: [{b: c}, {d: e\nf: g\n", "2:1 did not find expected ',' or '}'; " + inLine + " | 2:13 '{'"},
		"an anchor":           {"a: 1\nb: &\nc: d\n", "2:1 did not find expected alphabetic or numeric character; " + inLine + " | 2:4 '&'"},
		"an alias of nothing": {"a: 1\nb: *c\n", "2:4 unknown anchor 'c' referenced; correct the alias, or write the value out | 2:4 '*'"},
		"a control character": {"a: 1\nb: \x07\n", "2:4 control characters are not allowed; remove it | 2:4 '\\a'"},
		"in the first line":   {"a: b: c\n", "1:1 mapping values are not allowed in this context | 1:4 'b'"},
		"behind the end":      {"a: 'b", "1:1 found unexpected end of stream | 1:4 '\\''"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := ParseYAML([]byte(tc.content))
			if err == nil {
				t.Fatal("want an error")
			}
			slip, _ := YAMLSlip([]byte(tc.content), err)
			sign, _ := utf8.DecodeRuneInString(tc.content[slip.Offset:])
			got := fmt.Sprintf("%d:%d %s | %s %q", err.At.Line, err.At.Column, err, positionOf(tc.content, slip.Offset), sign)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// FuzzParseYAML never panics, and errors are within the text.
func FuzzParseYAML(f *testing.F) {
	for _, seed := range []string{manifest, "a: &a [*a]", "? [a]\n: b", "<<: *a", "a: {<<: [&b {}, *b]}", "a: b: c", "\r\ra: [", "'", "a: &a\nb: *a\nc: {*a : *a}"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		_, err := ParseYAML(content)
		if _, other := YAMLToJSON(content); err == nil {
			err = other
		}
		if err == nil {
			return
		}
		if at := err.At; at.Line < 1 || at.Column < 1 || at.Line > strings.Count(string(content), "\n")+1 {
			t.Errorf("%v: want a position in %q, got %v", err, content, at)
		}
	})
}
