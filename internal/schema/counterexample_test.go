package schema

import (
	"math/rand"
	"testing"
)

// TestCounterexampleIsFound compares generated parts. Where a value is known that one part allows and the other refuses, a counterexample has
// to be found for most, and where one is found, the library has to agree.
func TestCounterexampleIsFound(t *testing.T) {
	wantPairs := 4_000
	if testing.Short() {
		wantPairs = 1_000
	}
	pairs, decided, broken, found := 0, 0, 0, 0
	for seed := int64(0); pairs < wantPairs; seed++ {
		g := generator{rand.New(rand.NewSource(seed))} //nolint:gosec // the same schemas each time
		var defs, otherDefs map[string]any
		f, other := newFamily(t, g, &defs), newFamily(t, g, &otherDefs)
		if f == nil || other == nil {
			continue
		}
		values := g.values(t, f, other)
		var count tally
		f.judge(t, values, &count)
		other.judge(t, values, &count)
		for i, from := range f.parts {
			for j, to := range other.parts {
				pairs++
				speaksAgainst := false
				for n := range values {
					speaksAgainst = speaksAgainst || f.fits[i][n] && !other.fits[j][n]
				}
				within := Within(from, to)
				value, ok := Counterexample(from, to)
				if within || ok {
					decided++
				}
				if speaksAgainst {
					broken++
				}
				if ok && speaksAgainst {
					found++
				}
				if within && ok {
					t.Fatalf("%s of %s and %s of %s: within, but %s", partName(i), f.raw, partName(j), other.raw, value)
				}
				if !ok {
					continue
				}
				decoded, refusal := decode(value, valueLimits)
				if refusal != nil || f.libraries[i].Validate(decoded) != nil || other.libraries[j].Validate(decoded) == nil {
					t.Fatalf("%s of %s and %s of %s: %s speaks against nothing (%v)", partName(i), f.raw, partName(j), other.raw, value, refusal)
				}
			}
		}
	}
	t.Logf("%d pairs: %d decided; %d with a value that speaks against them, found of %d", pairs, decided, broken, found)
	if share := float64(found) / float64(broken); share < 0.9 {
		t.Errorf("want a counterexample for most, got %.3f", share)
	}
	if share := float64(decided) / float64(pairs); share < 0.85 {
		t.Errorf("want most pairs decided, got %.3f", share)
	}
}
