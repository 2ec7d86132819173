package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	watchtools "k8s.io/client-go/tools/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/maze-agent/maregister/api/v1alpha1"
)

// nodesOfWorkflow is the number of nodes of each workflow of phase l.
const nodesOfWorkflow = 5

// workflowsResult is what phase l found.
type workflowsResult struct {
	workflows, tasks int
	// judged is the time from the first create until all workflows are valid, and judgedWrites are the writes until then.
	judged       time.Duration
	judgedWrites requests
	// affected is the number of workflows that run the task which is edited.
	affected int
	// broken and mended are the edits of its interface, and described one of its description.
	broken, mended, described editResult
	// restMemory is the operator's at rest with the tasks alone, and fullMemory with the workflows, in MiB.
	restMemory, fullMemory, peakMemory float64
}

// editResult is what an edit of one task cost.
type editResult struct {
	// elapsed is the time until the last status of a workflow that the edit affects.
	elapsed time.Duration
	cpu     usage
	writes  requests
}

// runWorkflows is phase l.
func (b *bench) runWorkflows(ctx context.Context, s *stage) error {
	const namespace = "flows"
	r := &workflowsResult{workflows: b.workflows, tasks: b.tasks}
	w, err := b.serve(ctx, s, namespace)
	if err != nil {
		return err
	}
	w.stop()
	if r.restMemory, err = s.rest(ctx, b.rest); err != nil {
		return err
	}
	flows, err := startFlowWatcher(ctx, s.client, namespace)
	if err != nil {
		return err
	}
	defer flows.stop()
	tasks := newTasks(namespace, 0, b.tasks, b.seed)
	if err := r.judge(ctx, b, s, flows, tasks); err != nil {
		return err
	}
	if r.fullMemory, err = s.rest(ctx, b.rest); err != nil {
		return err
	}
	if err := r.edit(ctx, s, flows, tasks[0]); err != nil {
		return err
	}
	r.peakMemory = peakMemoryOf(s.actor.pid())
	b.results.workflows = r
	return nil
}

// judge creates the workflows, and waits until all are valid.
func (r *workflowsResult) judge(ctx context.Context, b *bench, s *stage, flows *flowWatcher, tasks []*v1alpha1.MazeTask) error {
	progress("%d workflows of %d nodes over %d tasks", b.workflows, nodesOfWorkflow, b.tasks)
	before, err := s.settle(ctx, quiet)
	if err != nil {
		return err
	}
	reached := flows.expect(func(valid, invalid int) bool { return valid == b.workflows && invalid == 0 })
	start := time.Now()
	err = inParallel(ctx, b.workers, b.workflows, func(ctx context.Context, i int) error {
		return s.client.Create(ctx, newWorkflow(tasks, i))
	})
	if err != nil {
		return fmt.Errorf("create a workflow: %w", err)
	}
	end, err := flows.await(ctx, reached)
	if err != nil {
		return err
	}
	r.judged = end.Sub(start)
	after, err := s.settle(ctx, quiet)
	r.judgedWrites = after.since(before)
	for i := range b.workflows {
		runs := func(n v1alpha1.WorkflowNode) bool { return n.Func == tasks[0].Spec.Name }
		if slices.ContainsFunc(newWorkflow(tasks, i).Spec.Nodes, runs) {
			r.affected++
		}
	}
	return err
}

// edit changes what all workflows that run a task depend on, changes it back, and changes what none depends on.
func (r *workflowsResult) edit(ctx context.Context, s *stage, flows *flowWatcher, task *v1alpha1.MazeTask) error {
	valid := task.Spec.InputParameters
	var properties map[string]any
	if err := json.Unmarshal(valid.Raw, &properties); err != nil {
		return err
	}
	properties["added"] = map[string]any{"type": "string"}
	broken := encoded(map[string]any{"type": "object", "properties": properties, "required": []string{"added"}})
	for _, step := range []struct {
		what    string
		edit    func(*v1alpha1.MazeTaskSpec)
		invalid int
		result  *editResult
	}{
		{"requires another argument", func(spec *v1alpha1.MazeTaskSpec) { spec.InputParameters = broken }, r.affected, &r.broken},
		{"is as it was", func(spec *v1alpha1.MazeTaskSpec) { spec.InputParameters = valid }, 0, &r.mended},
		{"has another description", func(spec *v1alpha1.MazeTaskSpec) { spec.Description = "Another one." }, 0, &r.described},
	} {
		progress("a task, which %d workflows run, %s", r.affected, step.what)
		before, err := s.settle(ctx, quiet)
		if err != nil {
			return err
		}
		reached := flows.expect(func(_, invalid int) bool { return invalid == step.invalid })
		usageBefore, start := s.usage(), time.Now()
		if err := s.updateTask(ctx, client.ObjectKeyFromObject(task), step.edit); err != nil {
			return err
		}
		end, err := flows.await(ctx, reached) // at once if nothing changes
		if err != nil {
			return err
		}
		after, err := s.settle(ctx, quiet)
		if err != nil {
			return err
		}
		*step.result = editResult{elapsed: max(0, end.Sub(start)), cpu: s.usage().since(usageBefore), writes: after.since(before)}
	}
	return nil
}

// updateTask edits the spec of a task.
func (s *stage) updateTask(ctx context.Context, key client.ObjectKey, edit func(*v1alpha1.MazeTaskSpec)) error {
	task := &v1alpha1.MazeTask{}
	if err := s.client.Get(ctx, key, task); err != nil {
		return fmt.Errorf("read a task: %w", err)
	}
	edit(&task.Spec)
	if err := s.client.Update(ctx, task); err != nil {
		return fmt.Errorf("edit a task: %w", err)
	}
	return nil
}

// literals are values of the arguments that tasks take.
var literals = map[string]any{
	"input_file": "/data/in.txt", "prompt": "Sum it up.", "language": "en", "temperature": 0.5, "max_tokens": 100, "output_folder": "/data/out",
	"stream": true, "keywords": []string{"a", "b"},
}

// newWorkflow returns the workflow of a number. Its nodes run as many tasks, which others run, too, and each but the first one waits for
// the one before it. A prompt is what that one puts out.
func newWorkflow(tasks []*v1alpha1.MazeTask, number int) *v1alpha1.MazeWorkflow {
	w := &v1alpha1.MazeWorkflow{ObjectMeta: metav1.ObjectMeta{Namespace: tasks[0].Namespace, Name: fmt.Sprintf("flow-%05d", number)}}
	for i := range nodesOfWorkflow {
		task := tasks[(number+i*(len(tasks)/nodesOfWorkflow+1))%len(tasks)]
		var takes map[string]any
		if err := json.Unmarshal(task.Spec.InputParameters.Raw, &takes); err != nil {
			panic(err) // newInput has encoded it
		}
		arguments := map[string]any{}
		for name := range takes {
			arguments[name] = literals[name]
			if name == "prompt" && i > 0 {
				arguments[name] = fmt.Sprintf("n%d.output.result", i-1)
			}
		}
		w.Spec.Nodes = append(w.Spec.Nodes, v1alpha1.WorkflowNode{ID: fmt.Sprintf("n%d", i), Func: task.Spec.Name, Args: encoded(arguments)})
		if i > 0 {
			w.Spec.Edges = append(w.Spec.Edges, v1alpha1.WorkflowEdge{Source: fmt.Sprintf("n%d", i-1), Target: fmt.Sprintf("n%d", i)})
		}
	}
	return w
}

// flowWatcher sees from outside which workflows of a namespace are valid.
type flowWatcher struct {
	cancel  context.CancelFunc
	running sync.WaitGroup

	mu sync.Mutex
	// valid has the workflows that are judged, and whether they are valid.
	valid   map[string]bool
	invalid int
	goal    func(valid, invalid int) bool
	reached chan time.Time
	failed  chan error
}

// startFlowWatcher watches a namespace without workflows.
func startFlowWatcher(ctx context.Context, from client.WithWatch, namespace string) (*flowWatcher, error) {
	list := &v1alpha1.MazeWorkflowList{}
	if err := from.List(ctx, list, client.InNamespace(namespace)); err != nil {
		return nil, fmt.Errorf("list the workflows: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	source := &cache.ListWatch{WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
		return from.Watch(ctx, list, client.InNamespace(namespace), &client.ListOptions{Raw: &options})
	}}
	stream, err := watchtools.NewRetryWatcherWithContext(ctx, list.GetResourceVersion(), source)
	if err != nil {
		cancel()
		return nil, fmt.Errorf("watch the workflows: %w", err)
	}
	w := &flowWatcher{cancel: cancel, valid: map[string]bool{}, failed: make(chan error, 1)}
	w.running.Go(func() {
		for change := range stream.ResultChan() {
			w.handle(change)
		}
	})
	return w, nil
}

func (w *flowWatcher) handle(change watch.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch object := change.Object.(type) {
	case *v1alpha1.MazeWorkflow:
		c := meta.FindStatusCondition(object.Status.Conditions, v1alpha1.ConditionValid)
		if c == nil || c.ObservedGeneration != object.Generation {
			return
		}
		if isValid, known := w.valid[object.Name]; known && !isValid {
			w.invalid--
		}
		w.valid[object.Name] = c.Status == metav1.ConditionTrue
		if !w.valid[object.Name] {
			w.invalid++
		}
		w.decide()
	case *metav1.Status:
		select {
		case w.failed <- apierrors.FromObject(object):
		default:
		}
	}
}

// decide reports when the goal is reached.
func (w *flowWatcher) decide() {
	if w.goal != nil && w.goal(len(w.valid)-w.invalid, w.invalid) {
		w.reached <- time.Now()
		w.goal = nil
	}
}

// expect sets what is waited for. The channel brings the moment at which it was seen.
func (w *flowWatcher) expect(goal func(valid, invalid int) bool) <-chan time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.goal, w.reached = goal, make(chan time.Time, 1)
	w.decide()
	return w.reached
}

// await waits for what expect returned.
func (w *flowWatcher) await(ctx context.Context, reached <-chan time.Time) (time.Time, error) {
	select {
	case at := <-reached:
		return at, nil
	case err := <-w.failed:
		return time.Time{}, fmt.Errorf("watch the workflows: %w", err)
	case <-ctx.Done():
		w.mu.Lock()
		defer w.mu.Unlock()
		return time.Time{}, errors.Join(context.Cause(ctx), fmt.Errorf("%d workflows were valid and %d invalid by then", len(w.valid)-w.invalid, w.invalid))
	}
}

// stop ends the watch.
func (w *flowWatcher) stop() {
	w.cancel()
	w.running.Wait()
}

func (k kind) workflowWrite() bool {
	return k.done() && k.resource == "mazeworkflows" && k.subresource == "status"
}

func (r *workflowsResult) print(p *report) {
	p.line("\nl: %d workflows of %d nodes over %d tasks", r.workflows, nodesOfWorkflow, r.tasks)
	p.line("  %-40s %8.2f s", "from the first create until all are valid", r.judged.Seconds())
	p.line("  %-40s %8s", "memory of the operator, tasks alone", mebibytes(r.restMemory))
	p.line("  %-40s %8s", "  with the workflows", mebibytes(r.fullMemory))
	p.line("  %-40s %8.1f KiB", "  a workflow", r.each())
	p.line("  %-40s %8s", "  peak", mebibytes(r.peakMemory))
	p.printWrites("Writes until all are valid", r.judgedWrites)
	p.line("\n  %-40s %8d", "workflows that run the edited task", r.affected)
	for _, edit := range []struct {
		what   string
		result *editResult
		writes int
	}{
		{"that breaks them", &r.broken, r.affected}, {"that mends them", &r.mended, r.affected}, {"of its description", &r.described, 0},
	} {
		p.line("\n  %-40s %8.2f s", "an edit "+edit.what+", until the last", edit.result.elapsed.Seconds())
		p.line("  %-40s %8.3f s", "  CPU of the operator", edit.result.cpu.actor.Seconds())
		p.printWrites("Writes after an edit "+edit.what, edit.result.writes)
		p.target("l, workflows' statuses written by an edit "+edit.what, float64(edit.result.writes.count(kind.workflowWrite)), float64(edit.writes))
	}
	p.target("l, status writes a new workflow", float64(r.judgedWrites.count(kind.workflowWrite))/float64(max(1, r.workflows)), 1)
	p.target("l, one edit to all affected statuses, seconds", max(r.broken.elapsed, r.mended.elapsed).Seconds(), maxRejudging)
	if r.workflows >= memoryTasks {
		p.target("l, memory a workflow, KiB", r.each(), maxWorkflowMemory)
	}
}

// each returns what a workflow takes of the operator's memory, in KiB.
func (r *workflowsResult) each() float64 {
	return (r.fullMemory - r.restMemory) * 1024 / float64(max(1, r.workflows))
}
