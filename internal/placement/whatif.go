package placement

import (
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Change is what becomes of a task when nodes come and go.
type Change string

const (
	// ChangeUnlocked says that some node can host the task only afterwards.
	ChangeUnlocked Change = "unlocked"
	// ChangeStranded says that some node could host it, and afterwards none is known to.
	ChangeStranded Change = "stranded"
	// ChangeMoved says that some node can host it before and after, with another placement.
	ChangeMoved Change = "moved"
	// ChangeJudged says that none is known to, neither before nor after, and that the verdict or the placement is another.
	ChangeJudged Change = "changed"
	// ChangeNone says that the verdict and the placement stay.
	ChangeNone Change = "unchanged"
)

// Comparison is what a what-if finds out about a requirement.
type Comparison struct {
	// Before is nil, and Change empty, where there is nothing to compare with.
	Before *Resolution
	After  Resolution
	Change Change
	// Hint is what the verdict's message tells besides what it tells of each class.
	Hint string
	// Classes has every class once by name, reason and what it was before.
	Classes []ClassFit
}

// ClassFit says how nodes of a class fit. Nodes that share a name and everything said here count as one class.
type ClassFit struct {
	Name string
	// Nodes is how many there are; Unavailable of them are cordoned, not ready, or without their device plugin.
	Nodes, Unavailable int
	// Why says why none of them can host the task. Empty if one can.
	Why string
	// Before is nil where there is nothing to compare with.
	Before *ClassBefore
}

// ClassBefore is what a ClassFit was before nodes came and went.
type ClassBefore struct {
	Nodes int
	Why   string
}

// noneLeft is why a class does not fit that is no more.
const noneLeft = "no node of it is left"

// Compare explains a requirement with the nodes of after, and what is different from the nodes of before, if that is not nil.
func Compare(req Requirement, before, after *Inventory) Comparison {
	resolution, fits := Explain(req, after)
	out := Comparison{After: resolution, Hint: after.hint(req, &resolution.Verdict)}
	if before == nil {
		out.Classes = merge(fits, nil, false)
		return out
	}
	was, wereFits := Explain(req, before)
	out.Before, out.Change = &was, changeOf(&was, &resolution)
	out.Classes = merge(fits, wereFits, true)
	return out
}

func changeOf(before, after *Resolution) Change {
	was, is := before.Verdict.Status == metav1.ConditionTrue, after.Verdict.Status == metav1.ConditionTrue
	same := equality.Semantic.DeepEqual(before.Placement, after.Placement)
	switch {
	case is && !was:
		return ChangeUnlocked
	case was && !is:
		return ChangeStranded
	case is && !same:
		return ChangeMoved
	case !same, before.Verdict.Status != after.Verdict.Status, before.Verdict.Reason != after.Verdict.Reason:
		return ChangeJudged
	default:
		return ChangeNone
	}
}

// hint returns the near miss of a task that can be placed, of an unknown verdict what would make it known, and of one that fits nowhere that it
// needs several nodes.
func (inv *Inventory) hint(req Requirement, verdict *Verdict) string {
	p := inv.plan(req)
	switch verdict.Status {
	case metav1.ConditionTrue:
		if p.count > 0 {
			return inv.nearMiss(p)
		}
	case metav1.ConditionUnknown:
		return verdict.Summary
	case metav1.ConditionFalse:
		if inv.exceedsNodes(p) {
			return severalNodes
		}
	}
	return ""
}

// merge counts together what reads the same: the classes after and, where that is compared, before; those that are gone last.
func merge(after, before []Fit, compared bool) []ClassFit {
	was := map[string]Fit{}
	for _, fit := range before {
		was[fit.Class.key] = fit
	}
	var all []ClassFit
	for _, fit := range after {
		next := ClassFit{Name: fit.Class.Name, Nodes: fit.Class.Nodes, Unavailable: fit.Class.Unavailable(), Why: fit.Why}
		if compared {
			old := was[fit.Class.key]
			next.Before = &ClassBefore{Nodes: old.Class.Nodes, Why: old.Why}
		}
		delete(was, fit.Class.key)
		all = count(all, next)
	}
	for _, fit := range before {
		if _, gone := was[fit.Class.key]; gone {
			all = count(all, ClassFit{Name: fit.Class.Name, Why: noneLeft, Before: &ClassBefore{Nodes: fit.Class.Nodes, Why: fit.Why}})
		}
	}
	return all
}

// Unavailable returns how many nodes take no Pods now, or none with GPUs.
func (c *Class) Unavailable() int { return c.Cordoned + c.NotReady + c.Restarting + c.Unplugged }

func count(all []ClassFit, next ClassFit) []ClassFit {
	for i := range all {
		if all[i].reads(&next) {
			all[i].Nodes += next.Nodes
			all[i].Unavailable += next.Unavailable
			if next.Before != nil {
				all[i].Before.Nodes += next.Before.Nodes
			}
			return all
		}
	}
	return append(all, next)
}

// reads reports whether two classes differ in numbers of nodes at most, and neither came while the other did not.
func (f *ClassFit) reads(other *ClassFit) bool {
	if f.Name != other.Name || f.Why != other.Why || (f.Before == nil) != (other.Before == nil) {
		return false
	}
	return f.Before == nil || f.Before.Why == other.Before.Why && (f.Before.Nodes > 0) == (other.Before.Nodes > 0)
}
