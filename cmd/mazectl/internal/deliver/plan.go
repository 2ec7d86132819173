package deliver

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/maze-agent/maregister/cmd/mazectl/internal/diff"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/pysource"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/terminal"
	"github.com/maze-agent/maregister/internal/discover"
)

// verb is what becomes of an object.
type verb string

const (
	verbCreate    verb = "create"
	verbChange    verb = "change"
	verbUnchanged verb = "unchanged"
	verbPrune     verb = "prune"
	// verbKeep is for what would be pruned if it were sure that it is gone.
	verbKeep verb = "keep"
)

// step is a part of a plan.
type step struct {
	verb verb
	// name is that of the object.
	name string
	// place is where the function is, or was.
	place string
	// note says which fields change, or why it is kept.
	note string
	// meaning is what a change means to those who use the task.
	meaning diff.Meaning
	// refusal is why the API server would not take it. Empty if it would.
	refusal string

	manifest *pysource.Manifest         // to apply
	existing *unstructured.Unstructured // what is there, or nil
}

// title begins a message about a step, without the plan around it.
func (s *step) title() string { return fmt.Sprintf("%s: MazeTask %s: ", s.place, s.name) }

// plan asks the cluster, in a dry run, what would come of the tasks.
func (o *Options) plan(ctx context.Context, c *clusterTasks, f *pysource.Found) ([]step, error) {
	existing, err := c.all(ctx)
	if err != nil {
		return nil, err
	}
	manifests := pysource.Manifests(f.Tasks, c.namespace, o.SourceName)
	steps := make([]step, len(manifests))
	errs := make([]error, len(manifests))
	var requests errgroup.Group
	requests.SetLimit(maxRequests)
	for i := range manifests {
		requests.Go(func() error {
			steps[i], errs[i] = o.planOne(ctx, c, &manifests[i], existing[manifests[i].Object.Name])
			return nil // that of the first task is told, and not that of the fastest
		})
	}
	_ = requests.Wait()
	for i, m := range manifests {
		if errs[i] != nil {
			return nil, fmt.Errorf("%s: MazeTask %s/%s: %w", m.Place(), c.namespace, m.Object.Name, errs[i])
		}
		delete(existing, m.Object.Name)
	}
	if o.Prune {
		gone, err := o.planPrune(ctx, c, f, existing)
		if err == nil {
			err = o.checkStranger(f, steps, gone, c.namespace)
		}
		if err != nil {
			return nil, err
		}
		steps = append(steps, gone...)
	}
	o.chooseSteps(f, steps)
	return steps, nil
}

// planOne returns what becomes of a task.
func (o *Options) planOne(ctx context.Context, c *clusterTasks, m *pysource.Manifest, existing *unstructured.Unstructured) (step, error) {
	s := step{verb: verbCreate, name: m.Object.Name, place: m.Place(), manifest: m, existing: existing}
	if existing != nil {
		s.verb = verbChange
	}
	if existing != nil && !o.ForceConflicts && !o.isOurs(existing) {
		s.refusal = "it is there already, and was not made by this discovery" + origin(existing) +
			": rename the function's task or the object, or take it over with --force-conflicts"
		return s, nil
	}
	after, err := c.apply(ctx, m.Object, true)
	switch {
	case err != nil && isRefusal(err):
		s.refusal = refusalText(err)
		return s, nil
	case err != nil || existing == nil:
		return s, err
	}
	if fields := changedFields(existing, after); len(fields) > 0 {
		s.note = strings.Join(fields, ", ")
		s.meaning = meaningOf(existing, after)
	} else {
		s.verb = verbUnchanged
	}
	return s, nil
}

// isOurs reports whether an object was applied by this discovery, or by one that did not say of which source it was. Labels alone
// do not tell: the manifests that others apply have them, too.
func (o *Options) isOurs(object *unstructured.Unstructured) bool {
	source, ok := object.GetLabels()[pysource.LabelSource]
	return len(managedByUs(object)) > 0 && (!ok || source == o.SourceName)
}

// origin says who made an object that is not this discovery's: another discovery, or another field manager.
func origin(object *unstructured.Unstructured) string {
	if source, ok := object.GetLabels()[pysource.LabelSource]; ok && len(managedByUs(object)) > 0 {
		return ", but by that with --source-name " + source
	}
	var managers []string
	for _, entry := range object.GetManagedFields() {
		if entry.Subresource == "" && !slices.Contains(managers, entry.Manager) {
			managers = append(managers, entry.Manager)
		}
	}
	if len(managers) == 0 {
		return ""
	}
	return ", but by the field manager " + strings.Join(managers, " and ")
}

// checkStranger refuses to delete all that came from a source, and nothing of it is here: another repository has the same --source-name.
func (o *Options) checkStranger(f *pysource.Found, steps, gone []step, namespace string) error {
	isKnown := func(s step) bool {
		return s.existing != nil && s.existing.GetLabels()[pysource.LabelSource] == o.SourceName && o.isOurs(s.existing)
	}
	isHere := func(s step) bool { // its file is, at least
		_, err := os.Stat(filepath.Join(f.Root, filepath.FromSlash(s.place)))
		return s.verb != verbPrune || s.place != "" && err == nil
	}
	if o.AllowEmpty || len(gone) == 0 || slices.ContainsFunc(steps, isKnown) || slices.ContainsFunc(gone, isHere) {
		return nil
	}
	return fmt.Errorf("nothing of --source-name %s in namespace %s is in %s, neither a task nor a file of one, so --prune would delete all of it (%s): "+
		"does another repository have this name? Give each its own; if that is meant, give --allow-empty", o.SourceName, namespace,
		strings.Join(o.Dirs, ", "), terminal.Plural(len(gone), "MazeTask"))
}

// planPrune returns what becomes of objects that no function was found for.
func (o *Options) planPrune(
	ctx context.Context, c *clusterTasks, f *pysource.Found, left map[string]*unstructured.Unstructured,
) ([]step, error) {
	var steps []step
	for _, name := range slices.Sorted(maps.Keys(left)) {
		object := left[name]
		if !o.isOurs(object) || object.GetLabels()[pysource.LabelSource] != o.SourceName || object.GetDeletionTimestamp() != nil {
			continue
		}
		s := step{verb: verbPrune, name: name, existing: object}
		path, _, _ := unstructured.NestedString(object.Object, "spec", "source", "path")
		entryPoint, _, _ := unstructured.NestedString(object.Object, "spec", "entryPoint")
		s.place = path
		if s.note = whyKeep(f, path, entryPoint); s.note != "" {
			s.verb = verbKeep
		} else if err := c.planRemoval(ctx, f, &s); err != nil {
			return nil, fmt.Errorf("delete MazeTask %s/%s: %w", c.namespace, name, err)
		}
		steps = append(steps, s)
	}
	count := len(slices.DeleteFunc(slices.Clone(steps), func(s step) bool { return s.verb != verbPrune }))
	what := fmt.Sprintf("%s of --source-name %s in namespace %s", terminal.Plural(count, "MazeTask"), o.SourceName, c.namespace)
	return steps, o.checkEmpty(f, "--prune", what, count)
}

// planRemoval completes a step that deletes an object.
func (c *clusterTasks) planRemoval(ctx context.Context, f *pysource.Found, s *step) error {
	err := c.remove(ctx, s.existing, true)
	switch {
	case isRefusal(err) || apierrors.IsForbidden(err): // by a policy such as the deletion guard, or for want of the right
		s.refusal = refusalText(err)
	case err != nil:
		return err
	}
	name, _, _ := unstructured.NestedString(s.existing.Object, "spec", "name")
	if !slices.ContainsFunc(f.Tasks, func(t discover.Task) bool { return t.Spec.Name == name }) { // no other object has it now
		s.meaning = meaningOf(s.existing, nil)
	}
	return nil
}

// changedFields names the fields that an apply changes, without "spec." before them. That a function moved within its file is no
// change: otherwise an edit would change every task below it, too.
func changedFields(before, after *unstructured.Unstructured) []string {
	old, now := before.DeepCopy(), after.DeepCopy()
	for _, object := range []*unstructured.Unstructured{old, now} {
		unstructured.RemoveNestedField(object.Object, "spec", "source", "line")
	}
	fields := differences("", old.Object["spec"], now.Object["spec"], 2)
	if !maps.Equal(old.GetLabels(), now.GetLabels()) {
		fields = append(fields, "metadata.labels")
	}
	if len(fields) == 0 && !reflect.DeepEqual(managedByUs(old), managedByUs(now)) {
		fields = append(fields, "metadata.managedFields")
	}
	return fields
}

// managedByUs returns the fields that discover manages.
func managedByUs(object *unstructured.Unstructured) map[string]string {
	out := map[string]string{}
	for _, entry := range object.GetManagedFields() {
		if entry.Manager == fieldManager && entry.FieldsV1 != nil {
			out[string(entry.Operation)+entry.Subresource] = entry.FieldsV1.String()
		}
	}
	return out
}

// differences names the fields of two values that differ, down to a depth.
func differences(path string, before, after any, depth int) []string {
	old, isMap := before.(map[string]any)
	now, areMaps := after.(map[string]any)
	if !isMap || !areMaps || depth == 0 {
		if reflect.DeepEqual(before, after) {
			return nil
		}
		return []string{strings.TrimPrefix(path, ".")}
	}
	keys := map[string]bool{}
	for key := range old {
		keys[key] = true
	}
	for key := range now {
		keys[key] = true
	}
	var out []string
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		out = append(out, differences(path+"."+key, old[key], now[key], depth-1)...)
	}
	return out
}
