package schema

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestDeclared: which parameters there are in any case, what they are without a value, and where there are paths among them.
func TestDeclared(t *testing.T) {
	tests := map[string]struct {
		schema       string
		wantDeclared []string
		wantDefaults []Default
		wantPlaces   []Place
	}{
		"nothing": {schema: `{}`, wantDeclared: []string{}},
		"one after the other": {
			schema:       `{"b": {"default": 1.50}, "a": {"type": "filepath", "default": "<&"}, "c": {"type": "folderpath"}}`,
			wantDeclared: []string{"a", "b", "c"},
			wantDefaults: []Default{{"a", []byte(`"<&"`)}, {"b", []byte(`1.50`)}},
			wantPlaces:   []Place{{"a"}, {"c"}},
		},
		"what applies in any case, and what does not": {
			schema: `{"properties": {"a": {"default": 1}}, "allOf": [{"properties": {"a": {"default": 2}, "b": {"default": null}}}, {"$ref": "#/$defs/d"}],
				"anyOf": [{"properties": {"e": {"default": "x", "type": "filepath"}}}], "$defs": {"d": {"properties": {"d": {"default": [3]}}}}}`,
			wantDeclared: []string{"a", "b", "d"},
			wantDefaults: []Default{{"a", []byte(`1`)}, {"b", []byte(`null`)}, {"d", []byte(`[3]`)}},
			wantPlaces:   []Place{{"e"}},
		},
		"paths within": {
			schema: `{"list": {"items": {"type": "filepath"}}, "pair": {"prefixItems": [{}, {"type": "filepath"}]}, "map": {"additionalProperties": {"type": "folderpath"}},
				"either": {"anyOf": [{"type": "filepath"}, {"type": "null"}]}, "patterns": {"patternProperties": {"^x": {"type": "filepath"}}},
				"deep": {"properties": {"a": {"items": {"properties": {"b": {"type": "filepath"}}}}}}, "not": {"not": {"type": "filepath"}}}`,
			wantDeclared: []string{"deep", "either", "list", "map", "not", "pair", "patterns"},
			wantPlaces:   []Place{{"deep", "a", nil, "b"}, {"either"}, {"list", nil}, {"map", nil}, {"pair", 1}, {"patterns", nil}},
		},
		"a tree": {
			schema:       `{"properties": {"root": {"$ref": "#/$defs/n"}}, "$defs": {"n": {"type": "object", "properties": {"file": {"type": "filepath"}, "next": {"$ref": "#/$defs/n"}}}}}`,
			wantDeclared: []string{"root"},
			wantPlaces: []Place{
				{"root", "file"}, {"root", "next", "file"}, {"root", "next", "next", "file"}, {"root", "next", "next", "next", "file"},
				{"root", "next", "next", "next", "next", "file"}, {"root", "next", "next", "next", "next", "next", "file"},
				{"root", "next", "next", "next", "next", "next", "next", "file"},
			},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			p := open(t, tc.schema)
			if diff := cmp.Diff(tc.wantDeclared, p.Declared()); diff != "" {
				t.Errorf("declared (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.wantDefaults, p.Defaults()); diff != "" {
				t.Errorf("defaults (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.wantPlaces, p.Places("filepath", "folderpath")); diff != "" {
				t.Errorf("places (-want +got):\n%s", diff)
			}
		})
	}
}
