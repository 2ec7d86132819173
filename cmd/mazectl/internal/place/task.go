package place

import (
	"cmp"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/maze-agent/maregister/internal/lint"
	"github.com/maze-agent/maregister/internal/placement"
)

// task is what of a MazeTask decides about its placement.
type task struct {
	// namespace and name are the object's; key is its name in the registry.
	namespace, name, key string
	requirement          placement.Requirement
	// refused says why the API server would not take the object. Empty if it would.
	refused string
}

// readTask reads a manifest. namespace is that of manifests without one.
func readTask(m Manifest, namespace string, admission *lint.Admission) task {
	key, _, _ := unstructured.NestedString(m.Object, "spec", "name")
	t := task{namespace: cmp.Or(m.GetNamespace(), namespace), name: cmp.Or(m.GetName(), key, "unnamed in "+m.source), key: key}
	admitted, refusal := admission.Admit(m.DeepCopy().Object)
	if admitted == nil {
		t.refused = strings.Join(refusal.Messages(), "; ")
		return t
	}
	t.requirement = placement.RequirementOf(&admitted.Spec.Resources)
	return t
}

// title returns the object's name as kubectl writes it, with its namespace if it has one.
func (t *task) title() string {
	if t.namespace == "" {
		return t.name
	}
	return t.namespace + "/" + t.name
}
