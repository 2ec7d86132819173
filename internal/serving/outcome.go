package serving

import (
	"errors"
	"fmt"
	"maps"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/placement"
	"github.com/maze-agent/maregister/internal/registry"
	"github.com/maze-agent/maregister/internal/text"
)

// Outcome is what became of one generation of a task. Nobody changes it.
type Outcome struct {
	// UID and Generation are the task's, and Type is what it mainly uses.
	UID        types.UID
	Generation int64
	Type       v1alpha1.ResourceType
	// Accepted and Registered are the contents of these conditions.
	Accepted, Registered Finding
	// Placement is what a Pod needs: the one of the entry that stands for the task. Nil if there is none.
	Placement *v1alpha1.Placement
	// Placeable holds whether some node can host it, and why not. Empty if there is no placement.
	Placeable placement.Verdict
	// Predictor is malearn's tool type, of the same entry. Empty if it has none.
	Predictor string
	// Entry is where the registry serves the task. Nil while it does not.
	Entry *v1alpha1.EntryReference
	// Overwrote is the name of the MazeTask whose entry this one replaced. Empty if there was none.
	Overwrote string
}

// Finding is the content of a condition.
type Finding struct {
	OK              bool
	Reason, Message string
}

// Equal reports whether two outcomes differ in nothing that needs a write of the status.
func (o *Outcome) Equal(other *Outcome) bool {
	return o.UID == other.UID && o.Generation == other.Generation && o.Type == other.Type &&
		o.Accepted == other.Accepted && o.Registered == other.Registered && o.Overwrote == other.Overwrote &&
		o.Predictor == other.Predictor && sameEntry(o.Entry, other.Entry) && o.Placeable.SameButCounts(other.Placeable) &&
		samePlacement(o.Placement, other.Placement)
}

func sameEntry(a, b *v1alpha1.EntryReference) bool {
	return a == b || a != nil && b != nil && *a == *b
}

// Outcomes returns what became of the tasks that the pass concerns: those that have changed, and those that other changes have moved. It
// is nil for a task that is gone. Without a decision there are none.
func (p *Pass) Outcomes() map[string]*Outcome {
	if p.behind && p.contested {
		return p.heldUp()
	}
	if p.behind || !p.decided && !p.decideForOutcomes() {
		return nil
	}
	all := map[string]*Outcome{}
	p.waiting = map[string]struct{}{}
	for name := range p.concerned() {
		all[name] = nil
		if r := p.record(name); r != nil {
			all[name] = p.outcomeOf(name, r)
			if reason := all[name].Registered.Reason; reason == v1alpha1.ReasonPublishing || reason == v1alpha1.ReasonRegistryConflict {
				p.waiting[name] = struct{}{}
			}
		}
	}
	return all
}

// heldUp returns the outcomes of the tasks while a pass is behind for long. They repeat what the statuses have, and report that others
// change the registry, so that nobody knows whether it still serves that.
func (p *Pass) heldUp() map[string]*Outcome {
	all := map[string]*Outcome{}
	p.waiting = map[string]struct{}{}
	maps.Copy(p.waiting, p.memory.waiting) // one of these may be gone, which is told once there is a decision
	for name, t := range p.seen.Tasks {
		r := p.record(name)
		if t == nil || r == nil || r.terminating {
			continue
		}
		all[name] = &Outcome{
			UID: r.uid, Generation: r.generation, Type: r.kind, Accepted: r.accepted, Registered: *contested(),
			Placement: t.Status.Placement, Placeable: LastVerdict(t.Status.Conditions), Predictor: t.Status.Predictor, Entry: t.Status.Entry,
		}
		p.waiting[name] = struct{}{}
	}
	return all
}

// decideForOutcomes decides where the registry cannot be read, if enough is known of it.
func (p *Pass) decideForOutcomes() bool {
	if p.served == nil || p.failure == nil && !p.published {
		return false
	}
	failure := p.failure
	p.settle()
	p.failure = failure
	return p.decided
}

// concerned returns the tasks whose outcome can differ from the last one.
func (p *Pass) concerned() map[string]bool {
	names := map[string]bool{}
	for name := range p.memory.waiting { // one that is gone may be known to nothing else: see heldUp
		names[name] = true
	}
	if p.memory.tasks == nil || p.memory.trouble != p.trouble() || p.memory.contested != p.contested {
		for _, name := range p.taskNames() {
			names[name] = true
		}
		return names
	}
	for name := range p.records {
		names[name] = true
	}
	for key, reelected := range p.reelected {
		if h := p.holdings[key]; reelected && h != nil {
			for _, name := range h.tasks {
				names[name] = true
			}
		}
	}
	owner := func(key string) {
		if h := p.holding(key); h != nil && h.owner != "" {
			names[h.owner] = true
		}
	}
	now := p.nowServed()
	for _, before := range append(p.earlier, p.memory.published, p.served, p.wanted) {
		if before != nil {
			registry.Diff(before, now, owner)
		}
	}
	return names
}

// nowServed returns what the registry serves at the end of the pass.
func (p *Pass) nowServed() *registry.Tree {
	if p.published {
		return p.target
	}
	return p.served
}

// Served is what a registry serves.
type Served struct {
	// Tree holds the entries. Nil where there is a conflict, or it is not known.
	Tree *registry.Tree
	// Conflict says why nobody knows what the registry serves, and what to do: a ConfigMap of someone else is in its place, or others change
	// it again and again. A person has to mend that. Empty where it is known, and while another pass may find out.
	Conflict string
}

// IsKnown reports whether something is known of the registry. Otherwise another pass follows.
func (s Served) IsKnown() bool { return s.Conflict != "" || s.Tree != nil }

// Served returns what the registry serves at the end of the pass.
func (p *Pass) Served() Served {
	switch trouble := p.trouble(); {
	case p.contested:
		return Served{Conflict: contested().Message}
	case p.behind:
		return Served{}
	case p.published:
		return Served{Tree: p.target}
	case trouble == foreignIndex:
		return Served{Conflict: foreign(registry.ConfigMapName, "at once").Message}
	case trouble == brokenIndex: // the failure is left out, as it may be another one each time
		return Served{Conflict: "others have changed ConfigMap " + registry.ConfigMapName + ", and it could not be put right yet: the operator goes on " +
			"trying, and its log says what is in the way"}
	case p.maps.index == nil || len(p.assumed) > 0:
		return Served{}
	}
	return Served{Tree: p.served}
}

// isAssumed reports whether the registry does not have what nowServed has under a name: see Memory.
func (p *Pass) isAssumed(key string) bool { return !p.published && p.assumed[key] }

// outcomeOf returns what became of a task.
func (p *Pass) outcomeOf(name string, r *record) *Outcome {
	o := &Outcome{UID: r.uid, Generation: r.generation, Type: r.kind, Accepted: r.accepted}
	owner := p.holding(r.key).owner
	entry := r.entry()
	if r.terminating || entry == nil || r.own == nil && owner != name {
		o.Registered = p.unserved(r)
		return o
	}
	o.Placement, o.Placeable, o.Predictor = entry.item.Placement, entry.resolution.Verdict, entry.item.Predictor
	if owner != name {
		o.supersede(r.key, owner)
		return o
	}
	if failure := p.unpublished(entry.item); failure != nil {
		o.Registered, o.Entry = *failure, p.entryServed(r)
		return o
	}
	o.Entry = reference(entry.item)
	o.Registered = p.servedAs(r, entry.item)
	if o.Registered.OK {
		o.Overwrote = p.holding(r.key).overwrote
	}
	return o
}

// entryServed returns the entry, of whichever generation, that the registry serves of a task. Nil if there is none.
func (p *Pass) entryServed(r *record) *v1alpha1.EntryReference {
	item := p.nowServed().Get(r.key)
	if item == nil || item.UID != r.uid || p.trouble() != noTrouble || p.isAssumed(r.key) {
		return nil
	}
	return reference(item)
}

func reference(item *registry.Item) *v1alpha1.EntryReference {
	return &v1alpha1.EntryReference{
		ConfigMap: registry.ConfigMapName, Key: item.Name, Generation: item.Generation, Digest: item.Digest,
	}
}

// unserved returns why a task has no entry: it goes, never fit, or never was accepted.
func (p *Pass) unserved(r *record) Finding {
	switch {
	case r.terminating:
		return Finding{Reason: v1alpha1.ReasonTerminating, Message: "the task is being deleted and is out of the registry"}
	case r.large != nil:
		return Finding{Reason: v1alpha1.ReasonTaskTooLarge, Message: p.tooLargeMessage(r)}
	default:
		return Finding{Reason: v1alpha1.ReasonInvalidSpec, Message: "the registry has no entry for this task: correct the spec as the condition Accepted says"}
	}
}

// servedAs returns which generation the registry serves for a task.
func (p *Pass) servedAs(r *record, item *registry.Item) Finding {
	switch {
	case item.Generation == r.generation:
		return Finding{OK: true, Reason: v1alpha1.ReasonServed, Message: "ConfigMap maze-registry serves this generation"}
	case r.large != nil:
		return Finding{Reason: v1alpha1.ReasonTaskTooLarge, Message: fmt.Sprintf(
			"%s; generation %d is still served", p.tooLargeMessage(r), item.Generation)}
	default:
		return Finding{Reason: v1alpha1.ReasonServingLastAccepted, Message: fmt.Sprintf(
			"generation %d is still served: correct the spec as the condition Accepted says", item.Generation)}
	}
}

func (p *Pass) tooLargeMessage(r *record) string {
	return fmt.Sprintf("the task's entry has %d bytes, and one ConfigMap of the registry holds %d: shorten the description or the schemas",
		r.large.item.Size(), registry.Capacity(p.options.ShardSize))
}

// supersede notes that another task has the name.
func (o *Outcome) supersede(key, owner string) {
	message := fmt.Sprintf(
		"MazeTask %s has the same spec.name %s and is newer: delete one of the two, or give this one another name in a new object", owner, key)
	o.Accepted = Finding{Reason: v1alpha1.ReasonNameConflict, Message: message}
	o.Registered = Finding{Reason: v1alpha1.ReasonSuperseded, Message: message}
}

// unpublished returns why an entry is not served although it should be. Nil if it is.
func (p *Pass) unpublished(item *registry.Item) *Finding {
	served := p.nowServed().Get(item.Name)
	isServed := served != nil && served.Digest == item.Digest && !p.isAssumed(item.Name)
	switch trouble := p.trouble(); {
	case trouble == foreignIndex:
		return foreign(registry.ConfigMapName, "at once")
	case p.contested:
		return contested()
	case isServed && trouble == noTrouble && (p.published || p.maps.index != nil):
		return nil
	}
	if shard := p.heldBack[item.Name]; shard != "" {
		return foreign(shard, "within seconds")
	}
	return &Finding{Reason: v1alpha1.ReasonPublishing, Message: fmt.Sprintf(
		"the registry could not be written: %s; the operator goes on trying", explain(p.failure))}
}

func foreign(configMap, when string) *Finding {
	return &Finding{Reason: v1alpha1.ReasonRegistryConflict, Message: fmt.Sprintf(
		"ConfigMap %s belongs to someone else, and the registry needs its name: delete it, and create it anew under another name if it is needed; "+
			"the operator then publishes %s", configMap, when)}
}

// contested returns what a task says while others change the registry again and again. It names nobody, as it would change with every
// write.
func contested() *Finding {
	return &Finding{Reason: v1alpha1.ReasonRegistryConflict, Message: "others change the registry's ConfigMaps again and again, and the operator " +
		"puts them right after ever longer pauses: find out who by kubectl get configmap " + registry.ConfigMapName +
		" -o yaml --show-managed-fields, and take the right to write ConfigMaps away"}
}

// maxExplanation bounds the text of an error in a condition, in bytes.
const maxExplanation = 1000

// explain returns what the API server says of a request that it refused.
func explain(err error) string {
	var status apierrors.APIStatus
	switch {
	case err == nil:
		return "another shard of the registry waits"
	case errors.Is(err, ErrContended):
		return ErrContended.Error()
	case !errors.As(err, &status):
		return "the API server does not answer"
	}
	message := text.Clip(status.Status().Message, maxExplanation)
	if reason := apierrors.ReasonForError(err); reason != metav1.StatusReasonUnknown {
		message += " (" + string(reason) + ")"
	}
	return message
}
