package controllers

import (
	"context"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/placement"
	"github.com/maze-agent/maregister/internal/registry"
	"github.com/maze-agent/maregister/internal/task"
)

// observe reads the namespace from the caches. A view that is older than what the registry was made from,
// such as a manager may have after a restart, is no ground to decide on.
func (r *registryReconciler) observe(ctx context.Context, s *scope) error {
	seen := r.view(s.namespace) // before the list, which may only be newer
	var tasks v1alpha1.MazeTaskList
	if err := r.client.List(ctx, &tasks, client.InNamespace(s.namespace), client.UnsafeDisableDeepCopy); err != nil {
		return err
	}
	s.tasks, s.source = tasks.Items, r.view(s.namespace) // after the list, which may only be older

	index := &corev1.ConfigMap{}
	switch err := r.indexes.Get(ctx, client.ObjectKey{Namespace: s.namespace, Name: registry.ConfigMapName}, index); {
	case err == nil:
		s.index = index
	case !apierrors.IsNotFound(err):
		return err
	}
	var shards corev1.ConfigMapList
	if err := r.client.List(ctx, &shards, client.InNamespace(s.namespace), client.UnsafeDisableDeepCopy); err != nil {
		return err
	}
	s.shards = make(map[string]*corev1.ConfigMap, len(shards.Items))
	for i := range shards.Items {
		if shard := &shards.Items[i]; registry.IsShardName(shard.Name) {
			s.shards[shard.Name] = shard
		}
	}
	return r.refuseStale(ctx, s, seen)
}

// refuseStale returns errBehind if the cache lacks our last write, or is older than the view of the tasks that the
// registry was made from.
func (r *registryReconciler) refuseStale(ctx context.Context, s *scope, seen string) error {
	if s.index == nil {
		return nil
	}
	if older(s.index.ResourceVersion, s.memory.written) {
		return errBehind
	}
	source := s.index.Annotations[registry.SourceAnnotation]
	if !older(seen, source) {
		return nil
	}
	// A registry that was copied from another cluster, or edited, may name a version that is still to come here.
	var now v1alpha1.MazeTaskList
	if err := r.live.List(ctx, &now, client.InNamespace(s.namespace), client.Limit(1)); err != nil {
		return err
	}
	if older(seen, now.ResourceVersion) {
		return errBehind
	}
	return nil
}

// judge judges each task by itself, once for each generation.
func (r *registryReconciler) judge(ctx context.Context, s *scope) error {
	s.survey = r.inventory.survey()
	s.judged = make(map[types.UID]*judgement, len(s.tasks))
	for i := range s.tasks {
		t := &s.tasks[i]
		last := s.memory.judged[t.UID]
		if last != nil && last.generation == t.Generation {
			s.judged[t.UID] = last
			continue
		}
		next, err := r.judgeTask(t, s.survey)
		if err != nil {
			return err
		}
		switch {
		case next.served != nil:
		case last != nil:
			next.served = last.served
		default:
			if next.served, err = r.salvaged(ctx, s, t); err != nil {
				return err
			}
		}
		s.judged[t.UID] = next
	}
	s.memory.judged = s.judged
	return nil
}

// judgement is what is known of one generation of a task from the task alone.
type judgement struct {
	generation int64
	verdict    task.Verdict
	// tooLarge says that the spec is valid, but the entry does not fit into a shard. size is the entry's, in bytes.
	tooLarge bool
	size     int
	// served is the entry that stands for the task: this generation's or, where there is none, the last
	// accepted one's. Nil if there never was any.
	served *placed
}

// placed is an entry, and what its placement comes from.
type placed struct {
	registry.Item
	requirement placement.Requirement
	resolution  *placement.Resolution
}

func (r *registryReconciler) judgeTask(t *v1alpha1.MazeTask, nodes *survey) (*judgement, error) {
	j := &judgement{generation: t.Generation, verdict: task.Judge(&t.Spec)}
	if !j.verdict.Accepted {
		return j, nil
	}
	requirement := placement.RequirementOf(&t.Spec.Resources)
	resolution := nodes.resolve(requirement)
	parameters := registry.Interface{Input: j.verdict.Input.JSON(), Output: j.verdict.Output.JSON()}
	entry, err := registry.NewEntry(t, parameters, resolution.Placement, r.predictors)
	if err != nil {
		return nil, err
	}
	item, err := entry.Encode()
	if err != nil {
		return nil, err
	}
	j.verdict.Input, j.verdict.Output = nil, nil // they are in the item
	j.verdict.Warnings = nil                     // the message has them
	j.size = len(item.Name) + len(item.Text)
	if j.tooLarge = !registry.Fits(item, r.shardSize); !j.tooLarge {
		j.served = &placed{item, requirement, resolution}
	}
	return j, nil
}

// place puts each entry where the nodes are now that can host it.
func (r *registryReconciler) place(_ context.Context, s *scope) error {
	for _, j := range s.judged {
		if j.served == nil {
			continue
		}
		next, err := j.served.on(s.survey)
		if err != nil {
			return err
		}
		if !registry.Fits(next.Item, r.shardSize) {
			next.Item = j.served.Item // an entry with the placement from before is better than none
		}
		j.served = next
	}
	return nil
}

// on gives the entry as it is among other nodes: itself if they change nothing.
func (p *placed) on(nodes *survey) (*placed, error) {
	resolution := nodes.resolve(p.requirement)
	if resolution == p.resolution {
		return p, nil
	}
	next := &placed{p.Item, p.requirement, resolution}
	if apiequality.Semantic.DeepEqual(*p.Placement, resolution.Placement) {
		return next, nil
	}
	var err error
	next.Item, err = p.WithPlacement(resolution.Placement)
	return next, err
}

// salvaged gives the published entry of a task of which nothing is remembered, as this operator's rules for predictors make it.
// Nil if there is none.
func (r *registryReconciler) salvaged(ctx context.Context, s *scope, t *v1alpha1.MazeTask) (*placed, error) {
	item, err := s.salvage.entryOf(ctx, t)
	if item == nil || err != nil {
		return nil, err
	}
	entry, err := item.Entry()
	if err != nil {
		return nil, err
	}
	next, err := item.WithPredictorRules(r.predictors)
	if err != nil {
		return nil, err
	}
	if !registry.Fits(next, r.shardSize) {
		next = *item // an entry with the predictor from before is better than none
	}
	return &placed{Item: next, requirement: requirementOf(&entry)}, nil
}

// requirementOf reads from an entry what its task required.
func requirementOf(entry *registry.Entry) placement.Requirement {
	requests := entry.Kubernetes.Placement.Requests
	return placement.RequirementOf(&v1alpha1.Resources{
		Type:      entry.Resources.Type,
		CPU:       requests.Cpu(),
		Memory:    requests.Memory(),
		GPUMemory: resource.NewQuantity(entry.Resources.GPUMem<<20, resource.BinarySI),
		Backend:   ptr.Deref(entry.Resources.Backend, ""),
	})
}

// elect finds the owner of each name, and with it what the registry is to hold.
func (r *registryReconciler) elect(_ context.Context, s *scope) error {
	claims := make([]registry.Claim, 0, len(s.tasks))
	for i := range s.tasks {
		t := &s.tasks[i]
		if s.judged[t.UID].claims(t) {
			claims = append(claims, registry.Claim{Key: t.Spec.Name, Task: t.Name, Created: t.CreationTimestamp.Time})
		}
	}
	s.owners = registry.Owners(claims)
	s.owned = make(map[string]ownership, len(s.owners))
	for name, owner := range s.owners {
		s.owned[name] = ownership{owner: owner.Task}
		if last := s.memory.owned[name]; last.owner == owner.Task {
			s.owned[name] = last
		}
	}
	items := make([]registry.Item, 0, len(s.owners))
	for i := range s.tasks {
		t := &s.tasks[i]
		j := s.judged[t.UID]
		if !j.claims(t) {
			continue
		}
		if owner := s.owners[t.Spec.Name]; owner.Task != t.Name {
			s.overwritten(t)
			continue
		}
		items = append(items, j.served.Item)
	}
	s.wanted = registry.Split(items, r.shardSize)
	s.memory.owned = s.owned
	return nil
}

// overwritten notes that a task lost its name to another, unless it did not have it before.
func (s *scope) overwritten(t *v1alpha1.MazeTask) {
	last, now := s.memory.owned[t.Spec.Name], s.owned[t.Spec.Name]
	if last.owner == t.Name || last.owner == "" {
		now.overwrote = max(now.overwrote, t.Name)
		s.owned[t.Spec.Name] = now
	}
}

// claims says whether a task can be served under its name.
func (j *judgement) claims(t *v1alpha1.MazeTask) bool {
	return j.served != nil && t.DeletionTimestamp.IsZero()
}

// announce notes the outcome of every task and wakes the task controller where it changed.
func (r *registryReconciler) announce(ctx context.Context, s *scope) error {
	if isTransient(s.publishing) {
		return nil // the next try, at once, tells more
	}
	r.ledger.setRegistry(s.namespace, s.state())
	outcomes := make(map[types.NamespacedName]tracked, len(s.tasks))
	for i := range s.tasks {
		t := &s.tasks[i]
		outcomes[client.ObjectKeyFromObject(t)] = tracked{uid: t.UID, resourceType: t.Spec.Resources.Type, outcome: s.outcomeOf(t, r.shardSize)}
	}
	for _, key := range r.ledger.replace(s.namespace, outcomes) {
		select {
		case r.wake <- event.TypedGenericEvent[types.NamespacedName]{Object: key}:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// outcomeOf says what became of a task.
func (s *scope) outcomeOf(t *v1alpha1.MazeTask, shardSize int) outcome {
	j := s.judged[t.UID]
	o := outcome{
		generation: t.Generation,
		accepted:   finding{ok: j.verdict.Accepted, reason: j.verdict.Reason, message: j.verdict.Message},
	}
	if !j.claims(t) {
		o.registered = unserved(t, j, shardSize)
		return o
	}
	o.placement, o.placeable, o.predictor = j.served.Placement, j.served.resolution.Verdict, j.served.Predictor
	if owner := s.owners[t.Spec.Name]; owner.Task != t.Name {
		return superseded(o, owner)
	}
	if failure := s.publishFailure(&j.served.Item); failure != nil {
		o.registered = *failure
		return o
	}
	o.entry = &v1alpha1.EntryReference{
		ConfigMap: registry.ConfigMapName, Key: j.served.Name, Generation: j.served.Generation, Digest: j.served.Digest,
	}
	o.registered = servedAs(j, shardSize)
	if o.registered.ok {
		o.overwrote = s.owned[t.Spec.Name].overwrote
	}
	return o
}

// unserved says why a task has no entry: it goes, never fit, or never was accepted.
func unserved(t *v1alpha1.MazeTask, j *judgement, shardSize int) finding {
	switch {
	case !t.DeletionTimestamp.IsZero():
		return finding{reason: v1alpha1.ReasonTerminating, message: "the task is being deleted and is out of the registry"}
	case j.tooLarge:
		return finding{reason: v1alpha1.ReasonTaskTooLarge, message: tooLargeMessage(j, shardSize)}
	default:
		return finding{reason: v1alpha1.ReasonInvalidSpec, message: "the registry has no entry for this task: correct the spec as the condition Accepted says"}
	}
}

// servedAs says which generation the registry serves for a task.
func servedAs(j *judgement, shardSize int) finding {
	switch {
	case j.served.Generation == j.generation:
		return finding{ok: true, reason: v1alpha1.ReasonServed, message: "ConfigMap maze-registry serves this generation"}
	case j.tooLarge:
		return finding{reason: v1alpha1.ReasonTaskTooLarge, message: fmt.Sprintf(
			"%s; generation %d is still served", tooLargeMessage(j, shardSize), j.served.Generation)}
	default:
		return finding{reason: v1alpha1.ReasonServingLastAccepted, message: fmt.Sprintf(
			"generation %d is still served: correct the spec as the condition Accepted says", j.served.Generation)}
	}
}

func tooLargeMessage(j *judgement, shardSize int) string {
	return fmt.Sprintf("the task's entry has %d bytes, and one ConfigMap of the registry holds %d: shorten the description or the schemas",
		j.size, registry.Capacity(shardSize))
}

// superseded says that another task has the name.
func superseded(o outcome, owner registry.Claim) outcome {
	message := fmt.Sprintf(
		"MazeTask %s has the same spec.name %s and is newer: delete one of the two, or give this one another name in a new object",
		owner.Task, owner.Key)
	if o.accepted.ok {
		o.accepted = finding{reason: v1alpha1.ReasonNameConflict, message: message}
	}
	o.registered = finding{reason: v1alpha1.ReasonSuperseded, message: message}
	return o
}

// publishFailure says why the entry is not served although it should be; nil if it is.
func (s *scope) publishFailure(item *registry.Item) *finding {
	switch {
	case s.publishing == nil || s.memory.published[item.Name] == item.Digest && !errors.Is(s.publishing, errForeign):
		return nil
	case errors.Is(s.publishing, errForeign):
		return &finding{reason: v1alpha1.ReasonRegistryConflict, message: fmt.Sprintf(
			"%v, and the registry needs its name: rename or delete it; the operator then publishes at once", s.publishing)}
	default:
		return &finding{reason: v1alpha1.ReasonPublishing, message: fmt.Sprintf(
			"the registry could not be written (%s); the operator goes on trying, and its log has the details", apierrors.ReasonForError(s.publishing))}
	}
}
