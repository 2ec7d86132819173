package faults

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// Plan is what is done in one namespace.
type Plan struct {
	// Seed and Number are what a drawn plan follows from; Name is a named plan's.
	Seed, Number uint64
	Name         string
	Scenario     *Scenario
	Faults       []Fault
}

// String describes the plan in a line.
func (p *Plan) String() string {
	faults := make([]string, len(p.Faults))
	for i := range p.Faults {
		faults[i] = p.Faults[i].String()
	}
	return fmt.Sprintf("%s: scenario %s; faults: %s", p.ID(), p.Scenario.Name, strings.Join(faults, " and "))
}

// ID is the value of REPLAY that repeats the plan.
func (p *Plan) ID() string {
	if p.Name != "" {
		return p.Name
	}
	return fmt.Sprintf("%d/%d", p.Seed, p.Number)
}

// random returns a source of random numbers that follows from the plan alone. Each use has a stream of its own.
func (p *Plan) random(stream uint64) *rand.Rand {
	return rand.New(rand.NewPCG(p.Seed<<16^stream, p.Number))
}

// Draw returns the plan of a number. Successive numbers go through all kinds of faults in an order that follows from the seed; a
// second fault, in half of the plans, is any that fits.
func Draw(seed, number uint64) *Plan {
	p := &Plan{Seed: seed, Number: number}
	all := cells()
	order := rand.New(rand.NewPCG(seed, 0)).Perm(len(all))
	random := p.random(1)
	first := all[order[number%uint64(len(all))]]
	fitting := slices.DeleteFunc(scenarios(), func(s *Scenario) bool { return s.Named || !s.fits(first) })
	p.Scenario = fitting[random.IntN(len(fitting))]
	p.Faults = []Fault{trigger(first, p.Scenario, random)}
	if random.IntN(2) == 0 {
		others := slices.DeleteFunc(all, func(f Fault) bool { return !p.Scenario.fits(f) || !together(first, f) })
		if len(others) > 0 {
			p.Faults = append(p.Faults, trigger(others[random.IntN(len(others))], p.Scenario, random))
		}
	}
	return p
}

// together reports whether two faults make a useful pair: two long ones only take long, and what a second process does to the rules of
// one lease holder is told apart from other faults.
func together(a, b Fault) bool {
	long := func(f Fault) bool {
		return slices.Contains([]Kind{Outage, Blackhole, LeaseBlocked, Stopped, WritesRefused, QuotaExceeded, StatusRefused, TwoLeaders}, f.Kind)
	}
	return (!long(a) || !long(b)) && a.Kind != TwoLeaders && b.Kind != TwoLeaders
}

// trigger completes a fault by when it strikes and how long it lasts.
func trigger(f Fault, s *Scenario, random *rand.Rand) Fault {
	f.Step = random.IntN(len(s.Steps))
	between := func(low, high time.Duration) time.Duration {
		return low + time.Duration(random.Int64N(int64(high-low)/int64(10*time.Millisecond)))*10*time.Millisecond
	}
	switch {
	case f.ofOneWrite():
		f.Step = random.IntN(max(1, len(s.Steps)-1))
		f.Nth = 1 + random.IntN(writesOf(f.Target))
		if slices.Contains([]Kind{SlowBefore, SlowAfter, Late}, f.Kind) {
			f.For = between(500*time.Millisecond, 4*time.Second)
		}
	case f.Kind == WatchLag:
		f.For = between(100*time.Millisecond, time.Second)
	case f.ofWatch():
		f.For = between(500*time.Millisecond, 3*time.Second)
	case f.Kind == StaleLists:
		f.Step = min(len(s.Steps)-1, 1+random.IntN(len(s.Steps)))
		f.Since = random.IntN(f.Step + 1)
		f.For = between(200*time.Millisecond, 3*time.Second)
	case f.Kind == Blackhole, f.Kind == TwoLeaders:
		f.For = between(2*time.Second, 6*time.Second)
	case f.Kind == LeaseBlocked:
		f.For = between(6*time.Second, 13*time.Second)
	case f.Kind == Stopped:
		f.For = between(2*time.Second, 6*time.Second)
		if s.Second && random.IntN(2) == 0 {
			f.For = 20 * time.Second
		}
	case slices.Contains([]Kind{WritesRefused, QuotaExceeded, StatusRefused}, f.Kind):
		f.For = 5 * time.Second
	}
	return f
}
