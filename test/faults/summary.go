package faults

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// Report describes what is wrong with a plan's result; "" if nothing is.
func (r *Result) Report() string {
	if r.Err == nil && len(r.Violations) == 0 {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "plan %s\n", r.Plan)
	if r.Err != nil {
		fmt.Fprintf(&b, "  could not be run: %v\n", r.Err)
	}
	told := map[Invariant]int{}
	for _, v := range r.Violations {
		if told[v.Invariant]++; told[v.Invariant] <= 3 {
			fmt.Fprintf(&b, "  %s\n", v)
		}
	}
	for i, n := range told {
		if n > 3 {
			fmt.Fprintf(&b, "  %s: %d more\n", i, n-3)
		}
	}
	const lines = 60
	fmt.Fprintf(&b, "  writes and faults, the last %d of %d:\n    %s\n", min(lines, len(r.Writes)), len(r.Writes),
		strings.Join(r.Writes[max(0, len(r.Writes)-lines):], "\n    "))
	fmt.Fprintf(&b, "  to repeat it: make faults REPLAY=%s\n", r.Plan.ID())
	return b.String()
}

// Summary counts what plans showed.
type Summary struct {
	mu         sync.Mutex
	plans      int
	unfired    int
	failed     int
	broken     int
	took       time.Duration
	settled    []time.Duration
	fired      map[string]int
	pairs      int
	scenarios  map[string]int
	violations map[Invariant]int
}

// Add counts a result, and returns how many there are.
func (s *Summary) Add(r *Result) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fired == nil {
		s.fired, s.scenarios, s.violations = map[string]int{}, map[string]int{}, map[Invariant]int{}
	}
	s.plans++
	s.took += r.Took
	s.settled = append(s.settled, r.Settled)
	s.scenarios[r.Plan.Scenario.Name]++
	for _, f := range r.Fired {
		s.fired[string(f.Kind)]++
		s.fired[f.Cell()]++
	}
	if len(r.Fired) > 1 {
		s.pairs++
	}
	if len(r.Fired) < len(r.Plan.Faults) {
		s.unfired++
	}
	if r.Err != nil {
		s.broken++
	}
	if len(r.Violations) > 0 {
		s.failed++
	}
	seen := map[Invariant]bool{}
	for _, v := range r.Violations {
		if !seen[v.Invariant] {
			s.violations[v.Invariant]++
		}
		seen[v.Invariant] = true
	}
	return s.plans
}

// String returns how many plans there were, which faults struck how often, and what was violated.
func (s *Summary) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var b strings.Builder
	fmt.Fprintf(&b, "%d plans, %.1f s each; in %d two faults struck, in %d one or both did not; %d violated something, %d could not be run\n",
		s.plans, s.took.Seconds()/float64(max(1, s.plans)), s.pairs, s.unfired, s.failed, s.broken)
	slices.Sort(s.settled)
	if n := len(s.settled); n > 0 {
		fmt.Fprintf(&b, "  after faults stopped, all was as it should be within %s in half of them, %s in 99 of 100, %s in all\n",
			s.settled[n/2].Round(time.Millisecond), s.settled[n*99/100].Round(time.Millisecond), s.settled[n-1].Round(time.Millisecond))
	}
	fmt.Fprintf(&b, "  scenarios: %s\n", counts(s.scenarios))
	kinds, targets := map[string]int{}, map[string]int{}
	for _, f := range cells() {
		kinds[string(f.Kind)] = s.fired[string(f.Kind)]
		targets[f.Cell()] = s.fired[f.Cell()]
	}
	fmt.Fprintf(&b, "  faults that struck, by kind: %s\n", counts(kinds))
	fmt.Fprintf(&b, "  and by what they struck: %s\n", counts(targets))
	fmt.Fprintf(&b, "  violations, by plans: %s", counts(s.violations))
	return b.String()
}

func counts[K ~string](of map[K]int) string {
	if len(of) == 0 {
		return "none"
	}
	var out []string
	for _, key := range slices.Sorted(maps.Keys(of)) {
		out = append(out, fmt.Sprintf("%s %d", key, of[key]))
	}
	return strings.Join(out, ", ")
}
