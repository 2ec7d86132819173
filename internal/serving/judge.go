package serving

import (
	"fmt"
	"time"

	apiequality "k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/types"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/placement"
	"github.com/maze-agent/maregister/internal/registry"
	"github.com/maze-agent/maregister/internal/task"
)

// record is what is known of one generation of a task. It is never changed, only replaced.
type record struct {
	uid        types.UID
	generation int64
	// key is the task's spec.name.
	key         string
	created     time.Time
	terminating bool
	kind        v1alpha1.ResourceType

	accepted Finding
	// own is this generation's entry. Nil where the spec is not accepted, or the entry does not fit into a shard: then large is that.
	own, large *placed
	// last is the last accepted entry, where own is nil and the registry serves one. See lastAccepted.
	last *placed
}

// placed is an entry, and what its placement comes from.
type placed struct {
	item        *registry.Item
	requirement placement.Requirement
	resolution  *placement.Resolution
}

// recordOf judges a task, unless the last record is of the same generation. It returns that where nothing has changed.
func (p *Pass) recordOf(t *v1alpha1.MazeTask, last *record) (*record, error) {
	terminating := !t.DeletionTimestamp.IsZero()
	if last != nil && last.uid == t.UID && last.generation == t.Generation {
		if last.terminating == terminating {
			return last, nil
		}
		next := *last
		next.terminating = terminating
		return &next, nil
	}
	next := &record{
		uid: t.UID, generation: t.Generation, key: t.Spec.Name, created: t.CreationTimestamp.Time, terminating: terminating,
		kind: t.Spec.Resources.Type,
	}
	verdict := task.Judge(&t.Spec)
	next.accepted = Finding{OK: verdict.Accepted, Reason: verdict.Reason, Message: verdict.Message()}
	if !verdict.Accepted {
		return next, nil
	}
	requirement := placement.RequirementOf(&t.Spec.Resources)
	resolution := p.resolve(requirement)
	parameters := registry.Interface{Input: verdict.Input.JSON(), Output: verdict.Output.JSON()}
	entry, err := registry.NewEntry(t, parameters, resolution.Placement, p.options.Predictors)
	if err != nil {
		return nil, err
	}
	item, err := entry.Encode()
	if err != nil {
		return nil, err
	}
	item.Placement = &resolution.Placement // all tasks of one requirement share it
	next.setOwn(&placed{&item, requirement, resolution}, p.options.ShardSize)
	return next, nil
}

// setOwn sets the entry of the present generation.
func (r *record) setOwn(e *placed, shardSize int) {
	if r.own, r.large = e, nil; !registry.Fits(*e.item, shardSize) {
		r.own, r.large = nil, e
	}
}

// resolve returns where a requirement can run on the nodes of this pass.
func (p *Pass) resolve(requirement placement.Requirement) *placement.Resolution {
	if known := p.resolved[requirement]; known != nil {
		return known
	}
	resolution := p.seen.Nodes(requirement)
	p.resolved[requirement] = resolution
	return resolution
}

// on returns the entry with the placement that its requirement is resolved to: itself if that is the one it has, or if the requirement is
// another one.
func (e *placed) on(requirement placement.Requirement, resolution *placement.Resolution) (*placed, error) {
	if e == nil || e.requirement != requirement || e.resolution == resolution {
		return e, nil
	}
	next := &placed{e.item, e.requirement, resolution}
	if apiequality.Semantic.DeepEqual(*e.item.Placement, resolution.Placement) {
		return next, nil
	}
	item, err := e.item.WithPlacement(resolution.Placement)
	if err != nil {
		return nil, err
	}
	item.Placement = &resolution.Placement
	next.item = &item
	return next, nil
}

// placeRecord returns the record with the placement that a requirement is resolved to: itself if that changes nothing.
func (p *Pass) placeRecord(r *record, requirement placement.Requirement, resolution *placement.Resolution) (*record, error) {
	present := r.own
	if present == nil {
		present = r.large
	}
	own, err := present.on(requirement, resolution)
	if err != nil {
		return nil, err
	}
	last, err := p.placeLast(r.last, requirement, resolution)
	if err != nil || own == present && last == r.last {
		return r, err
	}
	next := *r
	next.last = last
	if own != nil {
		next.setOwn(own, p.options.ShardSize)
	}
	return &next, nil
}

// placeLast places a last accepted entry. One that would not fit into a shard any more keeps its placement, which is better than no
// entry.
func (p *Pass) placeLast(last *placed, requirement placement.Requirement, resolution *placement.Resolution) (*placed, error) {
	next, err := last.on(requirement, resolution)
	if err != nil || next == last || registry.Fits(*next.item, p.options.ShardSize) {
		return next, err
	}
	return &placed{last.item, last.requirement, resolution}, nil
}

// lastAccepted returns the entry that is to be served for a task whose present generation has none: the one that the registry serves
// for it already. Nil if it serves none. So a restarted operator, which knows the registry and the statuses and no more, decides the same.
func (p *Pass) lastAccepted(r *record) (*placed, error) {
	item := p.served.Get(r.key)
	switch {
	case item == nil || item.UID != r.uid:
		return nil, nil
	case r.last != nil && r.last.item.Generation >= item.Generation:
		return p.placeLast(r.last, r.last.requirement, p.resolve(r.last.requirement))
	}
	entry, err := item.Entry()
	if err != nil {
		return nil, fmt.Errorf("read the entry of %s: %w", r.key, err)
	}
	renewed, err := item.WithPredictorRules(p.options.Predictors)
	if err != nil {
		return nil, fmt.Errorf("apply the rules for predictors to %s: %w", r.key, err)
	}
	if registry.Fits(renewed, p.options.ShardSize) {
		item = &renewed
	}
	e := &placed{item: item, requirement: placement.RequirementOf(entry.SpecResources())}
	return p.placeLast(e, e.requirement, p.resolve(e.requirement))
}
