package evolution

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math/rand"
	"slices"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/maze-agent/maregister/internal/registry"
	"github.com/maze-agent/maregister/internal/schema"
)

var wantPairs = flag.Int("pairs", 2_000, "how many generated pairs TestVerdictIsNeverWrong compares")

// TestVerdictIsNeverWrong edits generated schemas, and has the JSON Schema library judge what callers may pass: a compatible edit refuses
// nothing that passed, and a breaking one shows what it refuses.
func TestVerdictIsNeverWrong(t *testing.T) {
	verdicts := map[Verdict]int{}
	decided := 0
	for seed := int64(0); decided < *wantPairs; seed++ {
		d := dice{rand.New(rand.NewSource(seed))} //nolint:gosec // the same schemas each time
		old := d.object(3)
		next := d.edit(old, 3).(map[string]any)
		before, after := d.entry(t, old), d.entry(t, next)
		if before == nil || after == nil {
			continue
		}
		report, err := Compare(before, after)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		decided++
		verdicts[report.Verdict]++
		for _, change := range report.Changes {
			check(t, seed, change, before, after)
		}
		from, to, names := compile(t, before.Schema.Input), compile(t, after.Schema.Input), declaredNames(next)
		for range 40 {
			value := d.given(old, 4)
			if from.Validate(value) != nil {
				continue
			}
			refused := to.Validate(value) != nil || !onlyHas(value, names)
			if refused && report.Verdict == Compatible {
				t.Fatalf("seed %d: %s\nbecomes %s\nand is compatible, but refuses %s", seed, before.Schema.Input, after.Schema.Input, encodeAny(value))
			}
		}
	}
	t.Logf("%d pairs: %v", decided, verdicts)
	if share := 1 - float64(verdicts[Unknown])/float64(decided); share < 0.85 {
		t.Errorf("want at least 85 of 100 decided, got %.3f", share)
	}
	for verdict := Compatible; verdict <= Breaking; verdict++ {
		if verdict != Unknown && verdicts[verdict] < decided/10 {
			t.Errorf("want more that are %s, got %v", verdict, verdicts)
		}
	}
}

// check checks the instance of a breaking change by the library.
func check(t *testing.T, seed int64, change Change, before, after *registry.Entry) {
	t.Helper()
	if (change.Verdict == Breaking) != (change.Instance != nil) {
		t.Fatalf("seed %d: %+v: want an instance for what is breaking alone", seed, change)
	}
	if change.Instance == nil {
		return
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(change.Instance))
	if err != nil {
		t.Fatal(err)
	}
	var next map[string]any
	if err := json.Unmarshal(after.Schema.Input, &next); err != nil {
		t.Fatal(err)
	}
	if err := compile(t, before.Schema.Input).Validate(value); err != nil {
		t.Fatalf("seed %d: %s: the old version never took it: %v", seed, change, err)
	}
	if compile(t, after.Schema.Input).Validate(value) == nil && onlyHas(value, declaredNames(next)) {
		t.Fatalf("seed %d: %s: the new version takes it", seed, change)
	}
}

func compile(t *testing.T, raw []byte) *jsonschema.Schema {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("urn:test", document); err != nil {
		t.Fatal(err)
	}
	compiled, err := compiler.Compile("urn:test")
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}

// declaredNames are those below a schema's properties. Nil if it allows others in words.
func declaredNames(root map[string]any) []string {
	if others, there := root["additionalProperties"]; there && others != false {
		return nil
	}
	properties, _ := root["properties"].(map[string]any)
	return append([]string{}, slices.Sorted(maps.Keys(properties))...)
}

func onlyHas(value any, names []string) bool {
	if names == nil {
		return true
	}
	for name := range value.(map[string]any) {
		if !slices.Contains(names, name) {
			return false
		}
	}
	return true
}

func encodeAny(value any) string { return fmt.Sprint(string(must(json.Marshal(value)))) }

func must(text []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return text
}

// dice makes schemas, their edits and values of a small domain.
type dice struct{ *rand.Rand }

func (dice) entry(t *testing.T, root map[string]any) *registry.Entry {
	t.Helper()
	s, _, refusal := schema.Parse(must(json.Marshal(root)))
	if refusal != nil {
		return nil
	}
	e := &registry.Entry{}
	e.Schema.Input, e.Schema.Output = s.JSON(), []byte(`{"type":"object"}`)
	return e
}

func (d dice) object(depth int) map[string]any {
	properties, required := map[string]any{}, []any{}
	for _, name := range []string{"a", "b", "c"}[:1+d.Intn(3)] {
		properties[name] = d.value(depth - 1)
		if d.Intn(2) == 0 {
			required = append(required, name)
		}
	}
	out := map[string]any{"type": "object", "properties": properties, "required": required}
	if d.Intn(6) == 0 {
		out["additionalProperties"] = d.Intn(2) == 0
	}
	return out
}

func (d dice) value(depth int) map[string]any {
	switch n := d.Intn(9); {
	case n < 2:
		out := map[string]any{"type": []string{"integer", "number"}[d.Intn(2)]}
		if d.Intn(2) == 0 {
			out["minimum"] = d.Intn(3)
		}
		if d.Intn(3) == 0 {
			out["maximum"] = 2 + d.Intn(3)
		}
		return out
	case n < 4:
		out := map[string]any{"type": "string"}
		if d.Intn(3) == 0 {
			out["maxLength"] = 1 + d.Intn(3)
		}
		if d.Intn(4) == 0 {
			out["minLength"] = d.Intn(2)
		}
		return out
	case n == 4:
		return map[string]any{"enum": []any{"a", "b", 1, nil}[:1+d.Intn(4)]}
	case n == 5:
		return map[string]any{"type": []any{"integer", []string{"null", "string", "boolean"}[d.Intn(3)]}}
	case n == 6 && depth > 0:
		return map[string]any{"type": "array", "items": d.value(depth - 1), "minItems": d.Intn(2)}
	case n == 7 && depth > 0:
		return d.object(depth)
	case n == 8 && depth > 0:
		return map[string]any{"anyOf": []any{d.value(depth - 1), map[string]any{"type": "null"}}}
	default:
		return map[string]any{"type": "boolean"}
	}
}

// edit changes a schema in few places.
func (d dice) edit(value any, depth int) any {
	root, ok := value.(map[string]any)
	if !ok {
		return value
	}
	root = maps.Clone(root)
	if properties, ok := root["properties"].(map[string]any); ok {
		properties = maps.Clone(properties)
		for _, name := range slices.Sorted(maps.Keys(properties)) {
			switch d.Intn(9) {
			case 0:
				properties[name] = d.value(depth - 1)
			case 1:
				delete(properties, name)
			case 2, 3, 4:
				properties[name] = d.edit(properties[name], depth-1)
			}
		}
		if d.Intn(5) == 0 {
			properties["d"] = d.value(depth - 1)
		}
		root["properties"] = properties
		if d.Intn(4) == 0 {
			root["required"] = []any{"a"}[:d.Intn(2)]
		}
		return root
	}
	for _, name := range slices.Sorted(maps.Keys(root)) {
		switch number, isNumber := root[name].(int); {
		case isNumber:
			root[name] = max(0, number+d.Intn(3)-1)
		case name == "items":
			root[name] = d.edit(root[name], depth-1)
		}
	}
	return root
}

// given returns a value that a caller may pass: only with members that a schema declares.
func (d dice) given(declared any, depth int) any {
	root, _ := declared.(map[string]any)
	if options, ok := root["anyOf"].([]any); ok {
		return d.given(options[d.Intn(len(options))], depth)
	}
	if values, ok := root["enum"].([]any); ok {
		return jsonValue(values[d.Intn(len(values))])
	}
	if properties, ok := root["properties"].(map[string]any); ok {
		out := map[string]any{}
		required, _ := root["required"].([]any)
		for _, name := range slices.Sorted(maps.Keys(properties)) {
			if slices.Contains(required, any(name)) || d.Intn(2) == 0 {
				out[name] = d.given(properties[name], depth-1)
			}
		}
		return out
	}
	kind := root["type"]
	if kinds, ok := kind.([]any); ok {
		kind = kinds[d.Intn(len(kinds))]
	}
	switch kind {
	case "integer":
		return jsonValue(d.Intn(6))
	case "number":
		return jsonValue(float64(d.Intn(12)) / 2)
	case "string":
		return "abcdef"[:d.Intn(5)]
	case "boolean":
		return d.Intn(2) == 0
	case "array":
		out := []any{}
		for range d.Intn(3) {
			out = append(out, d.given(root["items"], depth-1))
		}
		return out
	}
	return nil
}

// jsonValue returns a value as the library reads it.
func jsonValue(value any) any {
	out, err := jsonschema.UnmarshalJSON(bytes.NewReader(must(json.Marshal(value))))
	if err != nil {
		panic(err)
	}
	return out
}
