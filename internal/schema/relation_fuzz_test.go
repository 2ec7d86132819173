package schema

import (
	"strings"
	"testing"
	"time"
)

// opened are the parameters of two documents that Parse accepts.
func opened(raw []byte) *Parameters {
	s, _, refusal := Parse(raw)
	if refusal != nil {
		return nil
	}
	p, err := s.Parameters()
	if err != nil {
		return nil
	}
	return p
}

// whole is the part that all arguments together are.
func (p *Parameters) whole() Part { return Part{of: p, any: [][]int{{0}}} }

// checkRelation compares two parts in both orders, and says what is wrong with the answers.
func checkRelation(t *testing.T, a, b Part) {
	t.Helper()
	forth, back := newComparison(), newComparison()
	reason, apart := forth.disjoint(a, b)
	if _, again := back.disjoint(b, a); again != apart && forth.steps >= 0 && back.steps >= 0 && forth.calls >= 0 && back.calls >= 0 {
		t.Errorf("disjoint: %t one way, %t the other", apart, again)
	}
	if (reason != "") != apart {
		t.Errorf("disjoint: %t with the reason %q", apart, reason)
	}
	if relation := Feeds(a, b); (relation == Incompatible) != apart {
		t.Errorf("disjoint %t, but %s", apart, relation)
	}
}

// FuzzFeeds: whatever two documents declare, comparing them ends soon and without contradictions.
func FuzzFeeds(f *testing.F) {
	for i, seed := range seeds {
		f.Add([]byte(seed), []byte(seeds[(i*7+3)%len(seeds)]))
		f.Add([]byte(seed), []byte(seed))
	}
	for _, name := range sortedNames(costly) {
		f.Add([]byte(costly[name]), []byte(costly[name]))
	}
	f.Fuzz(func(t *testing.T, raw, other []byte) {
		a, b := opened(raw), opened(other)
		if a == nil || b == nil {
			return
		}
		begin := time.Now()
		checkRelation(t, a.whole(), b.whole())
		checkRelation(t, a.whole(), a.whole())
		for _, name := range a.Names()[:min(len(a.Names()), 3)] {
			part, ok := a.Part(name)
			if !ok {
				continue
			}
			_ = part.Validate([]byte(`{"a":[1,"a"]}`))
			if item, ok := part.Item(1); ok {
				_ = item.String()
			}
			for _, other := range b.Names()[:min(len(b.Names()), 3)] {
				if target, ok := b.Part(other); ok {
					checkRelation(t, part, target)
				}
			}
			if checkRelation(t, part, part); Feeds(part, part) == Incompatible && part.Validate([]byte(`1`)) == nil {
				t.Errorf("%s is incompatible with itself, and allows 1", name)
			}
		}
		if took := time.Since(begin); took > 20*time.Second { // some 30 comparisons, the fuzzer's instrumentation, and a busy machine
			t.Errorf("took %s", took)
		}
	})
}

// costly are schemas that Parse accepts and that are much work to compare.
var costly = map[string]string{
	"2^20 alternatives": `{"properties":{"x":{"allOf":[` + numbered(20, `{"anyOf":[{"required":["a%d"]},{"required":["b%d"]}]}`) + `]}}}`,
	"2^10 references":   fanOut(10, `{"anyOf":[{"type":"string"},{"type":"integer"}]}`, `{"$ref":"#/$defs/d0"}`),
	"nested anyOf":      `{"properties":{"x":` + nested(9, `{"anyOf":[{"minItems":1},{"items":`, "true", "}]}") + `}}`,
	"all of a tree": `{"$defs":{"t":{"anyOf":[` + numbered(9, `{"required":["a","b"],"properties":{"k":{"const":%d},"a":{"$ref":"#/$defs/t"},"b":{"$ref":"#/$defs/t"}}}`) +
		`]}},"properties":{"x":{"$ref":"#/$defs/t"}}}`,
	"oneOf of oneOf": `{"$defs":{"t":{"oneOf":[` + numbered(9, `{"items":{"$ref":"#/$defs/t"},"minItems":%d}`) + `]}},"properties":{"x":{"$ref":"#/$defs/t"}}}`,
	"600 positions":  `{"properties":{"x":{"minItems":600,"prefixItems":[` + numbered(600, `{"type":"string"}`) + `]}}}`,
	"900 members":    `{"properties":{"x":{"required":["p0"],"properties":{` + numbered(900, `"p%d":{"type":"string"}`) + `}}}}`,
	"long lists":     `{"properties":{"x":{"enum":[` + numbered(900, `[%d]`) + `]}}}`,
	"patterns": `{"properties":{"x":{"required":["` + strings.Repeat("a", 2000) + `"],"patternProperties":{` +
		numbered(60, `"(a*)*(a*)*(a*)*%d$":true`) + `}}}}`,
	"many for the library": `{"properties":{"x":{"uniqueItems":true,"enum":[` + numbered(490, `[[%d],1]`) + `]}}}`,
	"large numbers": `{"properties":{"x":{"type":"number","allOf":[` +
		numbered(400, `{"multipleOf":1.0%d1e-300,"minimum":-1.0%d1e308,"maximum":1.0%d1e308}`) + `]}}}`,
}

// TestCostlySchemas fails where a comparison takes far more than the 0.1 s of the slowest. The race detector and a busy machine multiply
// that by six or more.
func TestCostlySchemas(t *testing.T) {
	const patience = 10 * time.Second
	parts := map[string]Part{}
	for name, raw := range costly {
		p := opened([]byte(raw))
		if p == nil {
			_, _, err := Parse([]byte(raw))
			t.Fatalf("%s: %v", name, err)
		}
		parts[name], _ = p.Part("x")
	}
	for _, from := range sortedNames(parts) {
		for _, to := range sortedNames(parts) {
			begin := time.Now()
			relation := Feeds(parts[from], parts[to])
			if took := time.Since(begin); took > patience {
				t.Errorf("%s, %s: %s took %s", from, to, relation, took)
			} else if took > 100*time.Millisecond {
				t.Logf("%s, %s: %s took %s", from, to, relation, took)
			}
			checkRelation(t, parts[from], parts[to])
		}
	}
}
