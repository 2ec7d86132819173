package schema

import "testing"

// partOf is a parameter's part, with definitions beside it.
func partOf(t *testing.T, schema, defs string) Part {
	t.Helper()
	if defs == "" {
		defs = "{}"
	}
	s, _, refusal := Parse([]byte(`{"type":"object","properties":{"x":` + schema + `},"$defs":` + defs + `}`))
	if refusal != nil {
		t.Fatalf("%s: %v", schema, refusal)
	}
	p, err := s.Parameters()
	if err != nil {
		t.Fatal(err)
	}
	part, ok := p.Part("x")
	if !ok {
		t.Fatalf("%s: no part", schema)
	}
	return part
}

// mirrored is what the relation is with the two parts exchanged, where that is Incompatible.
func mirrored(r Relation) bool { return r == Incompatible }

func TestFeeds(t *testing.T) {
	tests := map[string]struct {
		from, to string
		// defs are those of both documents.
		defs string
		want Relation
		// wantReason is what Explain says; not compared if empty.
		wantReason string
	}{
		"string, string":    {from: `{"type":"string"}`, to: `{"type":"string"}`, want: Compatible},
		"integer, string":   {from: `{"type":"integer"}`, to: `{"type":"string"}`, want: Incompatible, wantReason: "integer, not string"},
		"integer, number":   {from: `{"type":"integer"}`, to: `{"type":"number"}`, want: Compatible},
		"number, integer":   {from: `{"type":"number"}`, to: `{"type":"integer"}`, want: Unknown},
		"filepath, string":  {from: `{"type":"filepath"}`, to: `{"type":"string"}`, want: Compatible},
		"filepath, folder":  {from: `{"type":"filepath"}`, to: `{"type":"folderpath"}`, want: Compatible},
		"list of integers":  {from: `{"type":"array","items":{"type":"integer"}}`, to: `{"type":"array","items":{"type":"string"}}`, want: Unknown},
		"a list's integers": {from: `{"type":"array","items":{"type":"integer"},"minItems":1}`, to: `{"type":"array","items":{"type":"string"}}`, want: Incompatible, wantReason: "at /items: integer, not string"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			from, to := partOf(t, tc.from, tc.defs), partOf(t, tc.to, tc.defs)
			if got := Feeds(from, to); got != tc.want {
				t.Errorf("Feeds(%s, %s): want %s, got %s", tc.from, tc.to, tc.want, got)
			}
			if got := Feeds(to, from); mirrored(got) != mirrored(tc.want) {
				t.Errorf("Feeds(%s, %s), exchanged: want not %s", tc.to, tc.from, got)
			}
			if reason := Explain(from, to); tc.wantReason != "" && reason != tc.wantReason {
				t.Errorf("Explain: want %q, got %q", tc.wantReason, reason)
			}
		})
	}
}
