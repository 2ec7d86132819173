package faults

import (
	"slices"
	"sync"
	"time"
)

// injector knows which faults are to strike, and has the proxies of a plan do them.
type injector struct {
	mu          sync.Mutex
	armed       []*armed
	incarnation map[string]int
	rules       map[Target]*watchRule
	change      chan struct{} // closed when a rule changes
	stale       map[Target]string
	staleHold   time.Duration
	streams     map[*stream]bool
	opened      map[Target]time.Time // when a watch was opened last
	refusals    []refusal
	healed      bool
	hook        func(*call)

	// killProcess ends an incarnation of a process.
	killProcess func(process string, incarnation int)
	// holding counts the writes that faults are striking: after heal, the plan waits for them. It grows only with mu held, and
	// never after heal, so that nothing is added while the plan waits.
	holding sync.WaitGroup
}

// armed is a fault of one write that waits for it.
type armed struct {
	Fault
	waits bool
	seen  int
	fired bool
}

// refusal has writes refused for a time.
type refusal struct {
	kind  Kind
	until time.Time
}

func newInjector(faults []Fault) *injector {
	i := &injector{
		incarnation: map[string]int{}, rules: map[Target]*watchRule{}, change: make(chan struct{}), stale: map[Target]string{},
		streams: map[*stream]bool{}, opened: map[Target]time.Time{}, killProcess: func(string, int) {},
	}
	for _, f := range faults {
		i.armed = append(i.armed, &armed{Fault: f})
	}
	return i
}

// arm has the faults of one write wait that are armed at a step.
func (i *injector) arm(step int) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, a := range i.armed {
		if a.ofOneWrite() && a.Step == step {
			a.waits = true
		}
	}
}

// strike returns the fault that a write is struck by, if any.
func (i *injector) strike(c *call) *Fault {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.healed {
		return nil
	}
	for _, a := range i.armed {
		if !a.waits || a.fired || a.Target != c.target {
			continue
		}
		if a.seen++; a.seen >= a.Nth {
			a.fired = true
			i.holding.Add(1)
			return &a.Fault
		}
	}
	return nil
}

// fire marks the fault that has struck.
func (i *injector) fire(f Fault) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, a := range i.armed {
		if !a.fired && a.String() == f.String() {
			a.fired = true
			return
		}
	}
}

// fired returns the faults that have struck.
func (i *injector) fired() []Fault {
	i.mu.Lock()
	defer i.mu.Unlock()
	var out []Fault
	for _, a := range i.armed {
		if a.fired {
			out = append(out, a.Fault)
		}
	}
	return out
}

// heal ends all faults but requests that are held.
func (i *injector) heal() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.healed = true
	i.refusals, i.stale = nil, map[Target]string{}
	i.rules = map[Target]*watchRule{}
	i.changeLocked()
}

func (i *injector) changeLocked() {
	close(i.change)
	i.change = make(chan struct{})
}

// changed returns a channel that is closed when a rule changes.
func (i *injector) changed() <-chan struct{} {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.change
}

// rule changes what is done to the watches of a kind of objects.
func (i *injector) rule(target Target, change func(*watchRule)) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.rules[target] == nil {
		i.rules[target] = &watchRule{}
	}
	change(i.rules[target])
	i.changeLocked()
}

func (i *injector) ruleOf(target Target) watchRule {
	i.mu.Lock()
	defer i.mu.Unlock()
	if rule := i.rules[target]; rule != nil {
		return *rule
	}
	return watchRule{}
}

func (i *injector) refusesReads(c *call) bool { return time.Now().Before(i.ruleOf(c.target).refuse) }

func (i *injector) addStream(s *stream) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.streams[s] = true
	i.opened[s.target] = time.Now()
}

// openedSince reports whether a watch of a kind of objects was opened after a time.
func (i *injector) openedSince(target Target, since time.Time) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.opened[target].After(since)
}

func (i *injector) removeStream(s *stream) {
	i.mu.Lock()
	defer i.mu.Unlock()
	delete(i.streams, s)
}

// hasStreams reports whether a kind of objects is watched.
func (i *injector) hasStreams(target Target) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	for s := range i.streams {
		if s.target == target {
			return true
		}
	}
	return false
}

// endStreams ends the open watches of a kind of objects, and returns how many there were.
func (i *injector) endStreams(target Target, kind Kind) int {
	i.mu.Lock()
	defer i.mu.Unlock()
	ended := 0
	for s := range i.streams {
		if s.target == target {
			s.ended <- kind
			ended++
		}
	}
	return ended
}

// setStale has the next list of each kind be answered as of a resourceVersion, and its watch be held for a time after that.
func (i *injector) setStale(targets []Target, version string, hold time.Duration) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, target := range targets {
		i.stale[target] = version
	}
	i.staleHold = hold
}

// staleLeft reports whether a list is still to be answered so.
func (i *injector) staleLeft() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return len(i.stale) > 0
}

func (i *injector) isStale(c *call) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.stale[c.target] != ""
}

func (i *injector) takeStale(c *call) string {
	i.mu.Lock()
	defer i.mu.Unlock()
	version := i.stale[c.target]
	if version != "" {
		delete(i.stale, c.target)
		i.rules[c.target] = &watchRule{hold: time.Now().Add(i.staleHold)}
	}
	return version
}

// refuse has writes be refused for a time, of a kind that the kind of fault tells.
func (i *injector) refuse(kind Kind, length time.Duration) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.refusals = append(i.refusals, refusal{kind, time.Now().Add(length)})
}

// refusal returns the kind of fault by which a write is refused now, "" if it is not.
func (i *injector) refusal(c *call) Kind {
	i.mu.Lock()
	defer i.mu.Unlock()
	configMap := []Target{IndexWrite, ShardCreate, ShardUpdate, ShardDelete}
	for _, r := range i.refusals {
		if time.Now().After(r.until) {
			continue
		}
		switch {
		case r.kind == WritesRefused && slices.Contains(configMap, c.target),
			r.kind == QuotaExceeded && (c.target == ShardCreate || c.target == IndexWrite && c.method == "POST"),
			r.kind == StatusRefused && c.target == StatusWrite,
			r.kind == LeaseBlocked && c.target == LeaseWrite:
			return r.kind
		}
	}
	return ""
}

func (i *injector) hookOf() func(*call) {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.hook
}

// setHook has a function be called before every write; nil ends it.
func (i *injector) setHook(hook func(*call)) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.hook = hook
}

func (i *injector) incarnationOf(process string) int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.incarnation[process]
}

func (i *injector) setIncarnation(process string, incarnation int) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.incarnation[process] = incarnation
}

// kill ends the process that sent a request.
func (i *injector) kill(c *call) { i.killProcess(c.process, c.incarnation) }
