// Package registry turns tasks into what a namespace publishes, and back.
//
// Every task becomes an entry: JSON under the key spec.name. Entries are put into shards, and an
// index, under the key ".index" of the ConfigMap maze-registry, names the shards. While all entries fit
// into one ConfigMap, the only shard is maze-registry itself. Otherwise the entries are split by the
// bits of the SHA-256 of their names, each shard that is too large into two: a change of a task writes a whole
// shard, so these have at most half of what a ConfigMap is to hold, or one entry. A shard is an immutable
// ConfigMap whose name ends in its content's digest. A new state is written as new shards first, then the index,
// and old shards go last: whoever follows an index finds exactly the shards that it means, at every moment.
//
// All functions are pure, and the same entries always give the same bytes.
package registry

import "github.com/maze-agent/maregister/api/v1alpha1"

const (
	// ConfigMapName is the name of the ConfigMap that holds the index, in the tasks' namespace.
	ConfigMapName = "maze-registry"

	// IndexKey is the index's key in it. No entry can have it: a task's name begins with a letter or a digit.
	IndexKey = ".index"

	// FieldOwner is the field manager that writes registries.
	FieldOwner = prefix + "manager"

	// RoleLabel is on every ConfigMap of a registry.
	RoleLabel = prefix + "registry"
	// RoleIndex is RoleLabel's value on the ConfigMap maze-registry.
	RoleIndex = "index"
	// RoleShard is RoleLabel's value on every other ConfigMap of a registry.
	RoleShard = "shard"

	// SourceAnnotation is on the index: the highest resourceVersion of the tasks that the registry was rendered from.
	// A view of the tasks that is older never replaces the registry.
	SourceAnnotation = prefix + "source-resource-version"

	// FenceAnnotation is on an index that was written only so that no other process can write it as it was before. Its value is the
	// resourceVersion from before.
	FenceAnnotation = prefix + "fence"

	// Selector selects the ConfigMaps of registries. Another value of the label makes none.
	Selector = RoleLabel + " in (" + RoleIndex + "," + RoleShard + ")"

	// DefaultShardSize is the largest size of a ConfigMap's data in bytes, where nothing else is configured.
	DefaultShardSize = 256 << 10

	// MinShardSize is the least that can be configured: room for a few entries.
	MinShardSize = 16 << 10
	// MaxShardSize is the most that can be configured: the API server's own limit.
	MaxShardSize = 1 << 20

	prefix = v1alpha1.GroupName + "/"
)
