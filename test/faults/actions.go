package faults

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	resourcev1 "k8s.io/api/resource/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/test/testutil"
)

// edit changes a task.
type edit func(*v1alpha1.MazeTask)

// badSchemas are parameters that README.md says are refused, by reason.
var badSchemas = map[string]string{
	v1alpha1.ReasonRemoteRefForbidden: `{"x":{"$ref":"https://example.com/x.json"}}`,
	v1alpha1.ReasonUnsupportedPattern: `{"x":{"type":"string","pattern":"(?=a)"}}`,
	v1alpha1.ReasonInvalidSchema:      `{"x":{"type":"strange"}}`,
}

// spoil makes a spec one that is refused for a reason.
func spoil(reason string) edit {
	return func(t *v1alpha1.MazeTask) {
		t.Spec.InputParameters = &apiextensionsv1.JSON{Raw: []byte(badSchemas[reason])}
		t.Spec.Source = &v1alpha1.Source{Path: reason}
	}
}

// mend makes a spec valid.
func mend(t *v1alpha1.MazeTask) {
	t.Spec.InputParameters = &apiextensionsv1.JSON{Raw: []byte(`{"image":{"type":"filepath"},"rows":{"type":"integer","minimum":1}}`)}
	t.Spec.Source = &v1alpha1.Source{Path: valid}
}

// describe gives a task a description of so many bytes that begins with a word.
func describeAs(word string, size int) edit {
	return func(t *v1alpha1.MazeTask) {
		t.Spec.Description = word + " " + strings.Repeat("so that shards split early ", size/27+1)[:size]
	}
}

// named sets the name of a task in the registry.
func named(name string) edit { return func(t *v1alpha1.MazeTask) { t.Spec.Name = name } }

// onGPUs makes a task need GPU memory.
func onGPUs(memory string) edit {
	return func(t *v1alpha1.MazeTask) {
		t.Spec.Resources.Type = v1alpha1.ResourceTypeGPU
		t.Spec.Resources.GPUMemory = ptr.To(resource.MustParse(memory))
	}
}

// tooLargeFor makes the entry of a task too large for the smallest shards.
func tooLargeFor(t *v1alpha1.MazeTask) {
	describeAs("large", 16000)(t)
	t.Spec.Source = &v1alpha1.Source{Path: tooLarge}
}

// create creates a task.
func (r *run) create(ctx context.Context, object string, edits ...edit) error {
	name := strings.ReplaceAll(object, "-", "_")
	t := &v1alpha1.MazeTask{
		ObjectMeta: metav1.ObjectMeta{Namespace: r.namespace, Name: object},
		Spec:       v1alpha1.MazeTaskSpec{Name: name, Description: "a task", EntryPoint: "tools.test:" + name},
	}
	mend(t)
	for _, edit := range edits {
		edit(t)
	}
	if err := r.h.k8s.Create(ctx, t); err != nil {
		return err
	}
	r.expectVersion(t)
	return nil
}

// edit changes the spec of a task by a patch, which nobody's status can be in the way of.
func (r *run) edit(ctx context.Context, object string, edits ...edit) error {
	t := &v1alpha1.MazeTask{}
	if err := r.h.k8s.Get(ctx, client.ObjectKey{Namespace: r.namespace, Name: object}, t); err != nil {
		return err
	}
	before := client.MergeFrom(t.DeepCopy())
	for _, edit := range edits {
		edit(t)
	}
	if err := r.h.k8s.Patch(ctx, t, before); err != nil {
		return err
	}
	r.expectVersion(t)
	return nil
}

// expectVersion has settles wait until the observer has seen what was just written.
func (r *run) expectVersion(written *v1alpha1.MazeTask) {
	goes := !written.DeletionTimestamp.IsZero() && len(written.Finalizers) == 0
	r.expected[written.Name] = func(seen *v1alpha1.MazeTask) bool {
		return seen == nil && goes || seen != nil && !goes && versionOf(seen) >= versionOf(written)
	}
}

// remove deletes a task.
func (r *run) remove(ctx context.Context, object string) error {
	t := &v1alpha1.MazeTask{}
	if err := r.h.k8s.Get(ctx, client.ObjectKey{Namespace: r.namespace, Name: object}, t); err != nil {
		return err
	}
	r.expected[object] = func(seen *v1alpha1.MazeTask) bool {
		return seen == nil || seen.UID != t.UID || !seen.DeletionTimestamp.IsZero()
	}
	return r.h.k8s.Delete(ctx, t)
}

// configMap reads a ConfigMap of the registry, nil where it is not there.
func (r *run) configMap(ctx context.Context, name string) (*corev1.ConfigMap, error) {
	c := &corev1.ConfigMap{}
	err := r.h.k8s.Get(ctx, client.ObjectKey{Namespace: r.namespace, Name: name}, c)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	return c, err
}

// shard returns the name of one of the registry's shards, "" where there is none.
func (r *run) shard(ctx context.Context, number int) (string, error) {
	head, err := r.configMap(ctx, indexName)
	if err != nil || head == nil {
		return "", err
	}
	i, err := decodeIndex(head)
	if err != nil || len(i.Shards) < 2 {
		return "", nil //nolint:nilerr // a fault may have left none
	}
	return i.Shards[number%len(i.Shards)].Name, nil
}

// harmConfigMap has a user change a ConfigMap, if it is there.
func (r *run) harmConfigMap(ctx context.Context, name string, change func(*corev1.ConfigMap)) error {
	for range 20 {
		c, err := r.configMap(ctx, name)
		if c == nil || err != nil {
			return err
		}
		change(c)
		err = r.h.k8s.Update(ctx, c, client.FieldOwner("someone"))
		if apierrors.IsConflict(err) || apierrors.IsNotFound(err) {
			continue // the operator was quicker
		}
		if err == nil {
			r.hand.wrote(c)
		}
		return err
	}
	return nil
}

// deleteConfigMap has a user delete a ConfigMap, if it is there.
func (r *run) deleteConfigMap(ctx context.Context, name string) error {
	c, err := r.configMap(ctx, name)
	if c == nil || err != nil {
		return err
	}
	r.hand.deletes(c.UID)
	return client.IgnoreNotFound(r.h.k8s.Delete(ctx, c, client.Preconditions{UID: &c.UID}))
}

// createForeign has a user create a ConfigMap with a name that the registry uses.
func (r *run) createForeign(ctx context.Context, name string) error {
	c := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: r.namespace, Name: name, Labels: map[string]string{"owner": "someone"}},
		Data:       map[string]string{"key": "of someone else"},
	}
	err := r.h.k8s.Create(ctx, c, client.FieldOwner("someone"))
	if err == nil {
		r.hand.wrote(c)
	}
	return err
}

// addNode adds a node that only this plan's managers see.
func (r *run) addNode(ctx context.Context, n nodeShape) error {
	name := r.namespace + "-" + n.name
	node := testutil.NewNode(name)
	if n.gpus > 0 && !n.published {
		node = testutil.NewGPUNode(name, n.product, n.memory, int(n.gpus))
	}
	node.Labels[planLabel] = r.namespace
	if err := testutil.CreateNode(ctx, r.h.k8s, node); err != nil {
		return err
	}
	if n.published {
		slice := testutil.NewGPUSlice(name, int(n.gpus), n.memory)
		slice.Labels = map[string]string{planLabel: r.namespace}
		if err := r.h.k8s.Create(ctx, slice); err != nil {
			return fmt.Errorf("publish the devices of a node: %w", err)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.nodes = append(append([]nodeShape(nil), r.nodes...), n)
	return nil
}

// removeNode removes a node, and what is published for it.
func (r *run) removeNode(ctx context.Context, name string) error {
	slice := testutil.NewGPUSlice(r.namespace+"-"+name, 0, 0)
	if err := client.IgnoreNotFound(r.h.k8s.Delete(ctx, slice)); err != nil {
		return fmt.Errorf("delete what is published for a node: %w", err)
	}
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: r.namespace + "-" + name}}
	if err := r.h.k8s.Delete(ctx, node); err != nil {
		return fmt.Errorf("delete a node: %w", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	var left []nodeShape
	for _, n := range r.nodes {
		if n.name != name {
			left = append(left, n)
		}
	}
	r.nodes = left
	return nil
}

// createClass creates a DeviceClass of GPUs, which only this plan's managers see.
func (r *run) createClass(ctx context.Context) error {
	class := testutil.NewGPUClass(r.namespace, "nvidia.com/gpu", "")
	class.Labels = map[string]string{planLabel: r.namespace}
	if err := r.h.k8s.Create(ctx, class); err != nil {
		return fmt.Errorf("create a DeviceClass: %w", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.class = true
	return nil
}

// deleteClass deletes it.
func (r *run) deleteClass(ctx context.Context) error {
	if err := r.h.k8s.Delete(ctx, testutil.NewGPUClass(r.namespace, "", "")); err != nil {
		return fmt.Errorf("delete a DeviceClass: %w", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.class = false
	return nil
}

// relabelNode has GPU Feature Discovery find another memory on a node.
func (r *run) relabelNode(ctx context.Context, name string, memory int64) error {
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: r.namespace + "-" + name}}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"labels": map[string]string{"nvidia.com/gpu.memory": formatInt(memory)}}})
	if err != nil {
		return err
	}
	if err := r.h.k8s.Patch(ctx, node, client.RawPatch("application/merge-patch+json", patch)); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	nodes := append([]nodeShape(nil), r.nodes...)
	for i := range nodes {
		if nodes[i].name == name {
			nodes[i].memory = memory
		}
	}
	r.nodes = nodes
	return nil
}

// removeNodes removes all nodes of the plan, and what is published for them.
func (r *run) removeNodes(ctx context.Context) error {
	if len(r.plan.Scenario.Nodes) == 0 && len(r.nodes) == 0 {
		return nil
	}
	var failures []error
	for _, object := range []client.Object{&corev1.Node{}, &resourcev1.ResourceSlice{}, &resourcev1.DeviceClass{}} {
		failures = append(failures, r.h.k8s.DeleteAllOf(ctx, object, client.MatchingLabels{planLabel: r.namespace}))
	}
	return errors.Join(failures...)
}

// deleteAll deletes all objects of a kind in a namespace.
func (h *Harness) deleteAll(ctx context.Context, of client.Object, namespace string) error {
	return client.IgnoreNotFound(h.k8s.DeleteAllOf(ctx, of, client.InNamespace(namespace)))
}

// configure changes the operator's configuration: it counts from the next start on.
func (r *run) configure(change func(*settings)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change(&r.config)
}

// withLabels returns labels of others besides those that a ConfigMap has.
func withLabels(labels map[string]string, more map[string]string) map[string]string {
	out := maps.Clone(more)
	for key, value := range labels {
		if _, newer := more[key]; !newer {
			out[key] = value
		}
	}
	return out
}

// createFalseShard has a user create a ConfigMap that looks like a shard and holds something else, unless the operator was quicker.
func (r *run) createFalseShard(ctx context.Context, name string) error {
	c := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: r.namespace, Name: name, Labels: map[string]string{roleLabel: "shard", managedByLabel: "maregister"},
		},
		Data: map[string]string{"ghost": "{}"},
	}
	err := r.h.k8s.Create(ctx, c, client.FieldOwner("someone"))
	if err == nil {
		r.hand.wrote(c)
	}
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}

// deleteNamespace deletes the namespace, what is in it, and the finalizer by which the API server keeps it until then.
func (r *run) deleteNamespace(ctx context.Context) error {
	clear(r.expected) // the tasks go
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: r.namespace}}
	if err := r.h.k8s.Delete(ctx, namespace); err != nil {
		return fmt.Errorf("delete the namespace: %w", err)
	}
	for ctx.Err() == nil {
		if err := r.h.deleteAll(ctx, &v1alpha1.MazeTask{}, r.namespace); err != nil {
			return err
		}
		_, configMaps := r.observer.state()
		for name := range configMaps {
			if err := r.deleteConfigMap(ctx, name); err != nil {
				return err
			}
		}
		if tasks, left := r.observer.state(); len(tasks) == 0 && len(left) == 0 {
			break
		}
		pause(ctx, 20*time.Millisecond)
	}
	if err := r.h.k8s.Get(ctx, client.ObjectKeyFromObject(namespace), namespace); err != nil {
		return fmt.Errorf("read the namespace: %w", err)
	}
	namespace.Spec.Finalizers = nil
	if err := r.h.k8s.SubResource("finalize").Update(ctx, namespace); err != nil {
		return fmt.Errorf("let the namespace go: %w", err)
	}
	return nil
}

func (r *run) createNamespace(ctx context.Context) error {
	return r.h.k8s.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: r.namespace}})
}
