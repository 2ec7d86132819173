package caches

import (
	"math/bits"
	"slices"
	"sync"
	"unique"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/schema"
)

// taskSlimmer makes tasks small for a cache. It may be given what it returned before.
type taskSlimmer struct {
	placements interner[v1alpha1.Placement]

	mu sync.Mutex
	// blank stands for declarations of parameters that are too large to be looked at. All share it.
	blank []byte
}

func newTaskSlimmer() *taskSlimmer { return &taskSlimmer{} }

// slim drops what no controller reads of a task, and shares what many tasks have the same.
func (s *taskSlimmer) slim(object any) (any, error) {
	task, ok := object.(*v1alpha1.MazeTask)
	if !ok {
		return object, nil // a tombstone of the watch
	}
	m := &task.ObjectMeta
	task.ObjectMeta = metav1.ObjectMeta{
		Namespace: shared(m.Namespace), Name: m.Name, UID: m.UID, ResourceVersion: m.ResourceVersion, Generation: m.Generation,
		CreationTimestamp: m.CreationTimestamp, DeletionTimestamp: m.DeletionTimestamp,
	}
	task.TypeMeta = metav1.TypeMeta{}
	for _, parameters := range []*apiextensionsv1.JSON{task.Spec.InputParameters, task.Spec.OutputParameters} {
		if parameters != nil && len(parameters.Raw) > schema.MaxBytes {
			parameters.Raw = s.blankOf(len(parameters.Raw))
		}
	}
	task.Status.Placement = s.placements.intern(task.Status.Placement)
	task.Status.Conditions = slices.Clone(task.Status.Conditions) // which decoding has left room for more in
	for i := range task.Status.Conditions {
		c := &task.Status.Conditions[i]
		c.Type, c.Reason, c.Message = shared(c.Type), shared(c.Reason), shared(c.Message)
		c.Status = metav1.ConditionStatus(shared(string(c.Status)))
	}
	return task, nil
}

// blankOf returns so many bytes, in place of a declaration that is refused for its size alone: the verdict on it is the same. Lengths grow
// by doubling, so that declarations of growing sizes do not keep an array each.
func (s *taskSlimmer) blankOf(size int) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.blank) < size {
		s.blank = make([]byte, 1<<bits.Len(uint(size)))
	}
	return s.blank[:size:size]
}

// maxShared is the length in bytes up to which a text is looked for among those that are known: longer ones differ.
const maxShared = 256

// shared returns the one copy of a text that many objects have.
func shared(text string) string {
	if len(text) > maxShared {
		return text
	}
	return unique.Make(text).Value()
}

// slimMetadata drops all metadata of a ConfigMap but what identifies it, and what others can hold it by.
func slimMetadata(object any) (any, error) {
	m, ok := object.(*metav1.PartialObjectMetadata)
	if !ok {
		return object, nil
	}
	slim := metav1.ObjectMeta{
		Namespace: shared(m.Namespace), Name: m.Name, UID: m.UID, ResourceVersion: m.ResourceVersion,
		DeletionTimestamp: m.DeletionTimestamp,
	}
	if len(m.Finalizers) > 0 || len(m.OwnerReferences) > 0 {
		slim.Finalizers = heldByOthers
	}
	m.ObjectMeta = slim
	return m, nil
}

// heldByOthers stands for finalizers and owners, of which others can set thousands. The operator sets none.
var heldByOthers = []string{"held"}
