package faults

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Target is what a fault strikes: a kind of write, or a kind of object that is watched.
type Target string

// Kinds of writes.
const (
	IndexWrite  Target = "index"
	ShardCreate Target = "shard-create"
	ShardUpdate Target = "shard-update"
	ShardDelete Target = "shard-delete"
	StatusWrite Target = "status"
	EventWrite  Target = "event"
	LeaseWrite  Target = "lease"
)

// Kinds of objects that are listed and watched.
const (
	TaskReads  Target = "tasks"
	ShardReads Target = "shards"
	IndexReads Target = "indexes"
	NodeReads  Target = "nodes"
	SliceReads Target = "resourceslices"
	ClassReads Target = "deviceclasses"
	FlowReads  Target = "mazeworkflows"
	otherReads Target = "other"
)

// Kind is a kind of fault.
type Kind string

// Faults of one write.
const (
	CrashBefore Kind = "crash-before" // the process is killed, and the request is lost
	CrashAfter  Kind = "crash-after"  // the request is done, and the process killed before it has the answer
	ResetBefore Kind = "reset-before" // the stream is reset, and the request is lost
	ResetAfter  Kind = "reset-after"  // the request is done, and the answer is lost
	Forbidden   Kind = "403"
	NotFound    Kind = "404"
	Conflict    Kind = "409-conflict"
	Exists      Kind = "409-exists"
	Invalid     Kind = "422"
	TooMany     Kind = "429"
	Internal    Kind = "500"
	Unavailable Kind = "503"
	TimeoutDone Kind = "504-after" // the request is done, and 504 answered
	SlowBefore  Kind = "slow-before"
	SlowAfter   Kind = "slow-after"
	Late        Kind = "late" // the process is killed, and its request arrives later
)

// Faults of watches.
const (
	WatchCut     Kind = "watch-cut"
	WatchGone    Kind = "watch-410"
	WatchDelay   Kind = "watch-delay"   // nothing arrives for a time, then all of it
	WatchLag     Kind = "watch-lag"     // everything arrives so much later, until faults stop
	WatchNewest  Kind = "watch-newest"  // nothing arrives for a time, then only the newest version of each object
	WatchRefused Kind = "watch-refused" // watches are cut, and new ones and lists answered with 503 for a time
)

// Faults of everything.
const (
	StaleLists     Kind = "stale-lists" // the process is killed, and the next one's first lists are old
	Outage         Kind = "outage"      // connections are cut and refused
	Blackhole      Kind = "blackhole"   // connections fall silent
	LeaseBlocked   Kind = "lease-blocked"
	Stopped        Kind = "stopped"     // SIGSTOP, then SIGCONT
	TwoLeaders     Kind = "two-leaders" // a second process that does not wait for the lease
	WritesRefused  Kind = "writes-refused"
	QuotaExceeded  Kind = "quota-exceeded"
	StatusRefused  Kind = "status-refused"
	ProcessKilled  Kind = "killed"     // SIGKILL at no write in particular
	ProcessStopped Kind = "terminated" // SIGTERM, as by a rollout
)

// Fault is one thing that goes wrong.
type Fault struct {
	Kind   Kind
	Target Target
	// Step is the step of the scenario at whose beginning the fault is armed; faults of one write then wait for the Nth write.
	Step int
	Nth  int
	// For is how long it lasts, where it does.
	For time.Duration
	// Stale are the lists that StaleLists makes old, as they were when step Since began.
	Stale []Target
	Since int
}

// Cell is what the summary counts: a kind, and its target.
func (f Fault) Cell() string {
	switch {
	case f.Kind == StaleLists:
		names := make([]string, len(f.Stale))
		for i, target := range f.Stale {
			names[i] = string(target)
		}
		return string(f.Kind) + " " + strings.Join(names, "+")
	case f.Kind == Outage:
		return fmt.Sprintf("%s %s", f.Kind, f.For)
	case f.Target == "":
		return string(f.Kind)
	default:
		return fmt.Sprintf("%s %s", f.Kind, f.Target)
	}
}

// String describes the fault with its trigger.
func (f Fault) String() string {
	text := fmt.Sprintf("%s from step %d", f.Cell(), f.Step)
	if f.ofOneWrite() {
		text += fmt.Sprintf(", write %d", f.Nth)
	}
	if f.For > 0 {
		text += fmt.Sprintf(", for %s", f.For)
	}
	if f.Kind == StaleLists {
		text += fmt.Sprintf(", as of step %d", f.Since)
	}
	return text
}

var writeKinds = []Kind{
	CrashBefore, CrashAfter, ResetBefore, ResetAfter, Forbidden, NotFound, Conflict, Exists, Invalid, TooMany, Internal, Unavailable,
	TimeoutDone, SlowBefore, SlowAfter, Late,
}

var watchKinds = []Kind{WatchCut, WatchGone, WatchDelay, WatchLag, WatchNewest, WatchRefused}

func (f Fault) ofOneWrite() bool { return slices.Contains(writeKinds, f.Kind) }

func (f Fault) ofWatch() bool { return slices.Contains(watchKinds, f.Kind) }

// writeTargets are the writes that a fault of a kind can strike: no update is ever answered that the object exists.
func writeTargets(kind Kind) []Target {
	all := []Target{IndexWrite, ShardCreate, ShardUpdate, ShardDelete, StatusWrite, EventWrite, LeaseWrite}
	if kind == Exists {
		return []Target{ShardCreate}
	}
	return all
}

// How often a cell is drawn, while a fault of one write is drawn once for each of its targets: so all kinds strike often enough.
const (
	drawsOfWatches = 2
	drawsOfOthers  = 3
)

// cells are all faults that plans are drawn from, but for their triggers. A fault may be there several times.
func cells() []Fault {
	var out []Fault
	for _, kind := range writeKinds {
		for _, target := range writeTargets(kind) {
			out = append(out, Fault{Kind: kind, Target: target})
		}
	}
	for range drawsOfOthers - 1 {
		out = append(out, Fault{Kind: Exists, Target: ShardCreate})
	}
	for _, kind := range watchKinds {
		for _, target := range []Target{TaskReads, ShardReads, IndexReads, NodeReads, SliceReads, ClassReads, FlowReads} {
			for range drawsOfWatches {
				out = append(out, Fault{Kind: kind, Target: target})
			}
		}
	}
	reads := []Target{TaskReads, IndexReads, ShardReads, NodeReads}
	for subset := 1; subset < 1<<len(reads); subset++ {
		var stale []Target
		for i, target := range reads {
			if subset>>i&1 == 1 {
				stale = append(stale, target)
			}
		}
		out = append(out, Fault{Kind: StaleLists, Stale: stale})
	}
	for _, stale := range [][]Target{{SliceReads}, {ClassReads}, {SliceReads, ClassReads, NodeReads}, {FlowReads}, {FlowReads, IndexReads}} {
		out = append(out, Fault{Kind: StaleLists, Stale: stale})
	}
	for _, length := range []time.Duration{5 * time.Second, 12 * time.Second, 30 * time.Second} {
		out = append(out, Fault{Kind: Outage, For: length})
	}
	for _, kind := range []Kind{
		Blackhole, LeaseBlocked, Stopped, TwoLeaders, WritesRefused, QuotaExceeded, StatusRefused, ProcessKilled, ProcessStopped,
	} {
		for range drawsOfOthers {
			out = append(out, Fault{Kind: kind})
		}
	}
	return out
}
