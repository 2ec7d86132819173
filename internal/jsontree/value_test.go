package jsontree

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	utiljson "k8s.io/apimachinery/pkg/util/json"
)

// decoded returns what the API server's own libraries read in YAML.
func decoded(content []byte) (value any, ok bool) {
	converted, err := YAMLToJSON(content)
	return value, err == nil && utiljson.Unmarshal(converted, &value) == nil
}

// TestYAMLValues: each scalar is read as Kubernetes reads it.
func TestYAMLValues(t *testing.T) {
	for _, scalar := range []string{
		"yes", "Yes", "YES", "yES", "y", "N", "no", "on", "Off", "true", "TRUE", "tRUE", "~", "null", "Null", "nUll", "", "'yes'", `"1"`, "'null'", "''",
		"0", "-0", "012", "0o14", "0x1F", "0b101", "-0b11", "1_000", "1__0", "+5", "-7", "18446744073709551615", "18446744073709551616", "9223372036854775807",
		"9223372036854775808", "-9223372036854775809", "1.0", "1.", ".5", "-.5", "1e3", "1E+3", "1e-7", "1e20", "1e21", "1e400", "0.1", "4611686018427387904.0",
		"0.30000000000000004", "1e-400", "2024-01-01", "2024-1-1", "2001-12-14t21:59:43.10-05:00", "1:30", "190:20:30", "0x", "1_", "_1", "+", "-", ".", "..",
		"+.5", "12e03", "0.1e1", "<<", "=", "a b", "a#b", "1 2", "0x1p-2", "1e", "0_7", "08", "09.5", "-012", "+0x1F", "nan", "inf", ".infinity", "--1", "+-1",
	} {
		content := []byte("a: " + scalar + "\n")
		want, ok := decoded(content)
		if !ok {
			continue
		}
		got, document, err := DecodeYAML(content)
		if err != nil {
			t.Errorf("%q: %v", scalar, err)
			continue
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-Kubernetes +here):\n%s", scalar, diff)
		}
		if !document.simple {
			t.Errorf("%q: want it read from the tree", scalar)
		}
	}
}

func TestNumbersThatJSONHasNot(t *testing.T) {
	for content, want := range map[string]string{"a: .inf": "1:4", "a: [1, -.INF]": "1:8", "a:\n  b: .nan": "2:6", "a: +.inf": "1:4"} {
		_, _, err := DecodeYAML([]byte(content))
		if err == nil {
			t.Errorf("%q: want an error", content)
			continue
		}
		slip, ok := YAMLSlip([]byte(content), err)
		if at := positionOf(content, slip.Offset); !ok || at != want {
			t.Errorf("%q: want it at %s, got %s: %s", content, want, at, slip)
		}
	}
}

// FuzzYAMLValue: a text is read from the tree as the API server's own libraries read it.
func FuzzYAMLValue(f *testing.F) {
	for _, seed := range []string{
		manifest, "a: &a [*a]", "? [a]\n: b", "<<: {a: 1}", "a: b: c", "a: 'b\n  c'\nd: |\n  e\n f", "[a, {b: c}, \"d\\u0041\"]", "a: 012\n0x1f: 1\n1.0: x\nyes: no",
		"# c\na:\n# d\n- b # e\n-  - c\n   - d\n", "a: b\n...\nc: d", "%YAML 1.2\n---\na: b", "a: >-\n  b\n\n  c\n", "{a: b, 'c': d,}", "a:\n  - b\n c: d", "a: \"b\\\n  c\"",
		"a: {b: c\n}", "- a\n-\tb", "a : b", "a: b #c", "a: 'b'' c'", "\"a\": 1", "a: [\n1,\n2\n]", "- - - a", "a:\n- b\nc: d", "!!str a: b", "!", "- ! a", "a: !x b", "~: a",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		if !utf8.Valid(content) || strings.Contains(string(content), "\ufffd") {
			return
		}
		want, ok := decoded(content)
		got, document, err := DecodeYAML(content)
		if ok != (err == nil) {
			t.Fatalf("%q: Kubernetes reads it: %t; here %v", content, ok, err)
		}
		if diff := cmp.Diff(want, got); ok && document.simple && diff != "" { // with keys that become one, Kubernetes takes any of them
			t.Errorf("%q (-Kubernetes +here):\n%s", content, diff)
		}
	})
}
