package jsontree

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

const example = `  {"a": [1, -2.50e3, true], "b/~": {"\u56fe": null}, "a": "x\ny"} trailing`

func TestParseJSON(t *testing.T) {
	text := []byte(strings.TrimSuffix(example, " trailing"))
	root, err := ParseJSON(text, 1, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	var walk func(*Node)
	walk = func(n *Node) {
		got[n.Pointer()+" "+n.Kind.String()] = string(text[n.Start:n.End])
		if n.Parent != nil && n.Parent.Kind == Object && text[n.NameStart] != '"' {
			t.Errorf("%s: no name at byte %d", n.Pointer(), n.NameStart)
		}
		for _, child := range n.Children {
			walk(child)
		}
	}
	walk(root)
	want := map[string]string{
		" an object": strings.TrimSpace(string(text)), "/a an array": "[1, -2.50e3, true]", "/a/0 a number": "1", "/a/1 a number": "-2.50e3", "/a/2 true": "true",
		"/b~1~0 an object": `{"\u56fe": null}`, "/b~1~0/图 null": "null", "/a a string": `"x\ny"`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if member := root.Member("a"); member.Kind != Text || root.Duplicates()[member] != root.Children[0] || len(root.Duplicates()) != 1 {
		t.Errorf("want the last of two members, and the first as what it repeats, got %v of %v", member, root.Duplicates())
	}
	if root.Member("c") != nil || root.Children[0].Member("a") != nil || (*Node)(nil).Member("a") != nil {
		t.Error("want no member of a name that is not there")
	}
	if diff := cmp.Diff([]string{"b/~", "图"}, Tokens("/b~1~0/图")); diff != "" || Tokens("") != nil {
		t.Errorf("Tokens: -want +got:\n%s", diff)
	}
}

func TestLimits(t *testing.T) {
	cases := map[string]struct {
		text   string
		limits Limits
		want   *LimitError
	}{
		"values":          {`[1,[2],3]`, Limits{Values: 5}, nil},
		"too many values": {`[1,[2],3]`, Limits{Values: 3}, &LimitError{TooManyValues, 4}},
		"depth":           {`[1,[2],3]`, Limits{Depth: 2}, nil},
		"too deep":        {`[1,[2],3]`, Limits{Depth: 1}, &LimitError{TooDeep, 3}},
		"much too deep":   {strings.Repeat("[", 9_000) + strings.Repeat("]", 9_000), Limits{Depth: 10}, &LimitError{TooDeep, 10}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			root, err := ParseJSON([]byte(tc.text), 0, tc.limits)
			if diff := cmp.Diff(tc.want, err); diff != "" || (root == nil) != (err != nil) {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestCheck(t *testing.T) {
	if err := Check([]byte(` {"a": 1} `)); err != nil {
		t.Errorf("want JSON, got %v", err)
	}
	want := &SyntaxError{Offset: 7, Message: "invalid character '}' looking for beginning of value"}
	if diff := cmp.Diff(want, Check([]byte(`{"a": }`))); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// FuzzParseJSON compares with encoding/json, whatever the text is.
func FuzzParseJSON(f *testing.F) {
	for _, seed := range []string{strings.TrimSuffix(example, " trailing"), "1", `"\ud800"`, "[]", "{}", `{"":{"":[[]]}}`, " null ", "[1 , 2 ]", `["\\"]`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if !utf8.Valid(text) || Check(text) != nil {
			return
		}
		root, err := ParseJSON(text, 0, Limits{})
		if err != nil {
			t.Fatal(err)
		}
		var want any
		if err := json.Unmarshal(text, &want); err != nil {
			return // a number that no float64 can hold
		}
		if diff := cmp.Diff(want, valueOf(text, root)); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	})
}

func valueOf(text []byte, n *Node) any {
	switch n.Kind {
	case Object:
		out := map[string]any{}
		for _, child := range n.Children {
			out[child.Name] = valueOf(text, child)
		}
		return out
	case Array:
		out := []any{}
		for _, child := range n.Children {
			out = append(out, valueOf(text, child))
		}
		return out
	case Text:
		return DecodeText(text[n.Start:n.End])
	default:
		var out any
		_ = json.Unmarshal(text[n.Start:n.End], &out) // it was decoded before
		return out
	}
}

// TestMembers: of several members with one name, the last one counts.
func TestMembers(t *testing.T) {
	for written, want := range map[string]string{
		`{"a": 1, "b": 2}`: "a=1 b=2", `{"a": 1, "b": 2, "a": 3}`: "b=2 a=3", `{"a": 1, "a": 2, "a": 3, "": 4}`: "a=3 =4", `{}`: "", `[1, 2]`: "",
	} {
		root, failure := ParseJSON([]byte(written), 0, Limits{Values: 100, Depth: 10})
		if failure != nil {
			t.Fatal(failure)
		}
		var got []string
		for _, member := range root.Members() {
			got = append(got, member.Name+"="+written[member.Start:member.End])
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: got %q, want %q", written, got, want)
		}
	}
}
