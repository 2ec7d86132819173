package schema

import (
	"encoding/json"
	"math/rand"
	"testing"
)

// generator makes documents that are nearly always JSON, often a schema and
// sometimes wrong, which mutating bytes seldom gives.
type generator struct{ *rand.Rand }

func pick[T any](g generator, from ...T) T { return from[g.Intn(len(from))] }

func (g generator) name() string {
	return pick(g, "a", "b", "type", "properties", "a%b", "c/d~", "é", "$ref")
}

func (g generator) literal() any {
	return pick[any](g, nil, true, "a", "", 1, 2.5, -3, []any{}, []any{1, "a"}, map[string]any{"a": 1})
}

func (g generator) reference() string {
	return pick(g, "#", "#x", "#y", "#/$defs/a", "#/$defs/b", "#/$defs/c~1d~0", "#/$defs/é", "#/properties/a", "#/properties/a%25b", "#/items")
}

func (g generator) schema(depth int) any {
	if depth <= 0 || g.Intn(12) == 0 {
		return pick(g, true, false)
	}
	names := sortedNames(keywords)
	schema := map[string]any{}
	for range 1 + g.Intn(4) {
		name := pick(g, names...)
		if keywords[name].shape != refused {
			schema[name] = g.value(keywords[name].shape, depth)
		}
	}
	return schema
}

func (g generator) value(s shape, depth int) any {
	if g.Intn(25) == 0 {
		return g.literal()
	}
	switch s {
	case oneSchema:
		return g.schema(depth - 1)
	case schemaList:
		return []any{g.schema(depth - 1), g.schema(depth - 1)}
	case schemaMap:
		return map[string]any{g.name(): g.schema(depth - 1), g.name(): g.schema(depth - 1)}
	case patternMap:
		return map[string]any{pick(g, "^a", "b+", `(?i)\d`): g.schema(depth - 1)}
	case dependencyMap:
		return map[string]any{g.name(): []any{"a"}, g.name(): g.schema(depth - 1)}
	case typeNames:
		names := sortedNames(acceptedTypes)
		return pick[any](g, pick(g, names...), []any{pick(g, names...), pick(g, names...)})
	case reference:
		return g.reference()
	case nameList:
		return []any{"a", "b"}
	case nameListMap:
		return map[string]any{"a": []any{"b"}}
	case anyList:
		return []any{g.literal(), g.literal()}
	case flag:
		return pick(g, true, false)
	case number, positiveNumber, count:
		return pick[any](g, 0, 1, 2, 0.5)
	case anyValue:
		return g.literal()
	default:
		return pick(g, "filepath", "x", "y", "^a|b$")
	}
}

// TestGeneratedSchemas: what Parse accepts, the library compiles, and Parse leaves as it is.
func TestGeneratedSchemas(t *testing.T) {
	const documents = 3_000
	accepted := 0
	for seed := range int64(documents) {
		g := generator{rand.New(rand.NewSource(seed))} //nolint:gosec // the same documents each time
		raw, err := json.Marshal(map[string]any{
			"properties": g.value(schemaMap, 3), "$defs": g.value(schemaMap, 2), pick(g, "allOf", "anyOf"): []any{g.schema(2)},
		})
		if err != nil {
			t.Fatal(err)
		}
		s, _, refusal := Parse(raw)
		if refusal != nil {
			checkError(t, refusal)
			continue
		}
		accepted++
		if again, err := parse(string(s.JSON())); err != nil || again.JSON != string(s.JSON()) {
			t.Errorf("%s: not idempotent: first %s, then %s, %v", raw, s.JSON(), again.JSON, err)
		}
		if _, err := s.Validator(); err != nil {
			t.Errorf("%s: the library does not compile it: %v", raw, err)
		}
	}
	if accepted < documents/10 {
		t.Errorf("want at least a tenth of the documents accepted, got %d of %d", accepted, documents)
	}
	t.Logf("%d of %d documents accepted", accepted, documents)
}
