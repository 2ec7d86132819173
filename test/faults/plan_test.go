package faults

import (
	"fmt"
	"slices"
	"testing"
)

func TestDrawFollowsFromSeedAndNumber(t *testing.T) {
	other := 0
	for number := range uint64(300) {
		first, again := Draw(5, number).String(), Draw(5, number).String()
		if first != again {
			t.Fatalf("Draw(5, %d): %q, then %q", number, first, again)
		}
		if a, b := Draw(5, number).random(2).Uint64(), Draw(5, number).random(2).Uint64(); a != b {
			t.Fatalf("Draw(5, %d).random: %d, then %d", number, a, b)
		}
		if Draw(6, number).String()[1:] != first[1:] {
			other++
		}
	}
	if other < 250 {
		t.Errorf("another seed gave other plans %d times in 300", other)
	}
}

func TestDrawGoesThroughAllFaults(t *testing.T) {
	all := cells()
	counts, pairs := map[string]int{}, 0
	const rounds = 4
	for number := range uint64(rounds * len(all)) {
		p := Draw(1, number)
		for i := range p.Faults {
			f := &p.Faults[i]
			counts[f.Cell()]++
			if f.Step >= len(p.Scenario.Steps) || !p.Scenario.fits(*f) {
				t.Errorf("plan %s: %s cannot strike", p, f)
			}
		}
		if len(p.Faults) > 1 {
			pairs++
		}
	}
	for i := range all {
		if counts[all[i].Cell()] < rounds {
			t.Errorf("%s was drawn %d times in %d rounds", all[i].Cell(), counts[all[i].Cell()], rounds)
		}
	}
	if pairs < len(all) {
		t.Errorf("%d plans of %d have two faults", pairs, rounds*len(all))
	}
}

func TestEveryFaultFitsAScenario(t *testing.T) {
	for _, f := range cells() {
		if !slices.ContainsFunc(scenarios(), func(s *Scenario) bool { return s.fits(f) }) {
			t.Errorf("no scenario fits %s", f.Cell())
		}
	}
}

func TestNamesAreUnique(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range scenarios() {
		if seen[s.Name] || s.About == "" || len(s.Steps) < 3 {
			t.Errorf("scenario %q is there twice, is not described or is too short", s.Name)
		}
		seen[s.Name] = true
	}
	for _, n := range namedPlans() {
		if seen[n.Name] || n.Why == "" {
			t.Errorf("plan %q has a name that is taken, or no reason", n.Name)
		}
		seen[n.Name] = true
		if p := namedPlan(n.Name); p == nil || p.ID() != n.Name || fmt.Sprint(p.Faults) != fmt.Sprint(n.Faults) {
			t.Errorf("namedPlan(%q): got %v", n.Name, p)
		}
	}
	if namedPlan("1/2") != nil {
		t.Error("namedPlan(1/2): want nil")
	}
}
