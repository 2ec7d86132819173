package diff

import (
	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/placement"
	"github.com/maze-agent/maregister/internal/registry"
	taskjudge "github.com/maze-agent/maregister/internal/task"
)

// nowhere are the nodes of no cluster: what a task asks for is then all that a placement has.
var nowhere = placement.NewBuilder(placement.DefaultConfig()).Inventory()

// EntryOf returns the entry of a task that no operator has seen, from its object with the CRD's defaults and its verdict. What depends on
// a cluster, or on the operator's configuration, is not in it.
func EntryOf(object *v1alpha1.MazeTask, verdict *taskjudge.Verdict) (*registry.Entry, error) {
	parameters := registry.Interface{Input: verdict.Input.JSON(), Output: verdict.Output.JSON()}
	resolution := placement.Resolve(placement.RequirementOf(&object.Spec.Resources), nowhere)
	entry, err := registry.NewEntry(object, parameters, resolution.Placement, nil)
	if err != nil {
		return nil, err
	}
	entry.Kubernetes.UID = "" // of an object that was read from a cluster
	return &entry, nil
}
