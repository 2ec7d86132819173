package serving

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/resourceversion"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/placement"
	"github.com/maze-agent/maregister/internal/registry"
)

// Options are the part of the operator's configuration that a decision depends on.
type Options struct {
	// ShardSize is the largest size of a registry ConfigMap's data, in bytes.
	ShardSize int
	// Predictors tell malearn's tool type of a task whose spec does not.
	Predictors registry.PredictorRules
}

// Resolver returns where a task with a requirement can run. It returns the same pointer as long as that is the same.
type Resolver func(placement.Requirement) *placement.Resolution

// Observation is what is seen of a namespace for one pass. Nothing in it is changed.
type Observation struct {
	// Now is the time.
	Now time.Time

	// Tasks holds every task that may have changed since the last pass, by the object's name: nil where it is gone.
	Tasks map[string]*v1alpha1.MazeTask
	// Complete reports whether Tasks holds all tasks that there are. The first pass needs that.
	Complete bool
	// View is a resourceVersion up to which all changes of tasks have been seen: those that came later may be missing.
	View string
	// Source is a resourceVersion beyond which no change of tasks has been seen.
	Source string

	// Live reports whether Tasks were read from the API server. A cache is no ground to decide on then before it has seen as much.
	Live bool

	// Nodes resolves requirements on the present nodes. NodesRevision differs whenever Nodes could return something else.
	Nodes         Resolver
	NodesRevision uint64

	// Index is the metadata of the ConfigMap maze-registry, whoever made it, as a cache has it that has seen all changes up to
	// IndexView. Nil where there is none.
	Index     *metav1.PartialObjectMetadata
	IndexView string
	// Shards are the metadata of the ConfigMaps with a shard's label, likewise.
	Shards    []*metav1.PartialObjectMetadata
	ShardView string

	// Sweep allows the pass to delete shards that no index names, once the registry is as it should be.
	Sweep bool
}

// older reports whether resourceVersion a is before b. What is not a resourceVersion is not older than anything.
func older(a, b string) bool {
	order, err := resourceversion.CompareResourceVersion(a, b)
	return err == nil && order < 0
}

// newest returns the later of two resourceVersions.
func newest(a, b string) string {
	if a == "" || older(a, b) {
		return b
	}
	return a
}
