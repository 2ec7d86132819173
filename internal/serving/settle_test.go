package serving_test

import (
	"maps"
	"slices"
	"time"

	"github.com/maze-agent/maregister/internal/registry"
	"github.com/maze-agent/maregister/internal/serving"
)

// settle lets all faults stop, and checks what comes out in the end.
func (w *world) settle() {
	survivor := w.procs[0]
	if w.procs[1] != nil && w.dice.one(2) {
		survivor = w.procs[1]
	}
	for _, p := range w.procs {
		if p != nil && p != survivor {
			for _, c := range p.batch {
				if !c.sent {
					w.keep(c)
				}
			}
		}
	}
	if w.dice.one(4) {
		survivor = w.newProcess(0)
	}
	w.logf("all faults stop: %s goes on", survivor)
	w.calm, w.faults, w.stale, w.procs = true, false, false, [2]*process{survivor, nil}
	if survivor.pass != nil {
		w.runPass(survivor)
	}
	for len(w.late) > 0 {
		w.deliver()
	}
	served := w.served()
	w.quieten(survivor)
	exact := !w.touched && w.isVouchedFor(served)
	if !exact {
		served = w.served()
	}
	w.checkEnd(survivor, served)
	w.checkRestart(survivor)
}

// served returns the entries of the registry, if it is the operator's.
func (w *world) served() map[string]string {
	index := w.api.configMaps[registry.ConfigMapName]
	if index == nil || !registry.Owned(index) {
		return map[string]string{}
	}
	return w.audit.entriesOf(index)
}

// quieten runs passes until they write nothing.
func (w *world) quieten(p *process) {
	quiet := 0
	for i := 0; quiet < 3; i++ {
		if i > 25 {
			w.failf("%s writes without end", p)
		}
		w.now = w.now.Add(3 * time.Second)
		version := w.api.version
		w.sweepPass(p)
		if w.api.version == version {
			quiet++
		} else {
			quiet = 0
		}
	}
}

// sweepPass runs a pass that may delete shards, and reports its outcomes.
func (w *world) sweepPass(p *process) {
	last := w.dice
	w.dice = &dice{bytes: slices.Repeat([]byte{0}, 8), next: 0}
	seen := w.observe(p)
	w.dice = &dice{}
	seen.Sweep = true
	pass, err := serving.Begin(namespace, w.options(), p.memory, seen)
	if err != nil {
		w.failf("Begin: %v", err)
	}
	p.pass = pass
	w.logf("%s begins: view %s, source %s, complete %t, tasks %v", p, seen.View, seen.Source, seen.Complete, slices.Sorted(maps.Keys(seen.Tasks)))
	w.runPass(p)
	if failure := pass.Failure(); failure != nil {
		w.failf("%s: a pass fails without a fault: %v", p, failure)
	}
	for _, name := range slices.Sorted(maps.Keys(p.outcomes)) { // again, where another process has written a status
		w.report(p, name)
	}
	w.dice = last
}

// foreignIndex reports whether the index is someone else's.
func (w *world) foreignIndex() bool {
	index := w.api.configMaps[registry.ConfigMapName]
	return index != nil && !registry.Owned(index)
}

// blocking returns the number of others' ConfigMaps that have a name that may be a shard's.
func (w *world) blocking() int {
	n := 0
	for name, object := range w.api.configMaps {
		if registry.IsShardName(name) && !registry.Owned(object) {
			n++
		}
	}
	return n
}

// checkRestart starts another process on what there is. It writes nothing, and says the same.
func (w *world) checkRestart(p *process) {
	next := w.newProcess(1)
	writes, index := len(w.api.mapsLog), w.api.configMaps[registry.ConfigMapName]
	if w.blocking() > 0 { // it has to find out whose ConfigMaps are there: nothing shows them
		w.quieten(next)
		if now := w.api.configMaps[registry.ConfigMapName]; now != nil && index != nil && !maps.Equal(now.Data, index.Data) {
			w.failf("a restart writes another index")
		}
	} else {
		for range 2 {
			w.now = w.now.Add(2 * time.Second)
			w.sweepPass(next)
		}
		if len(w.api.mapsLog) != writes {
			w.failf("a restart writes")
		}
	}
	for name, o := range p.outcomes {
		if w.foreignIndex() && w.hasRefused(w.api.tasks[name].Spec.Name) {
			continue
		}
		again := next.outcomes[name]
		if again == nil {
			w.failf("a restart has no outcome of %s", name)
		}
		same := *again
		same.Overwrote = o.Overwrote
		if diff := outcomeDiff(o, &same); diff != "" {
			w.failf("a restart: the outcome of %s: -before, +after:\n%s", name, diff)
		}
	}
	if len(next.outcomes) != len(p.outcomes) {
		w.failf("a restart has %d outcomes, before there were %d", len(next.outcomes), len(p.outcomes))
	}
}
