package registry

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/utils/ptr"
)

// Labels are what every ConfigMap of a registry carries.
func Labels(role string) map[string]string {
	return map[string]string{"app.kubernetes.io/managed-by": "maregister", RoleLabel: role}
}

const (
	// maxMetadata is the most that labels and annotations of a ConfigMap may hold for others' ones to be kept, in bytes.
	maxMetadata = 64 << 10
	// maxOwnValue is more than any value that the operator writes into a label or an annotation has, in bytes.
	maxOwnValue = 128
)

// LimitMetadata takes the labels and annotations of others off an object where they are so large that the API server could refuse the
// next write: it takes 256 KiB of annotations (TotalAnnotationSizeLimitB of k8s.io/apimachinery/pkg/api/validation), and about 1.5 MiB
// of all (--max-request-bytes of etcd).
func LimitMetadata(object metav1.Object) {
	size := 0
	for _, values := range []map[string]string{object.GetLabels(), object.GetAnnotations()} {
		for key, value := range values {
			size += len(key) + len(value)
		}
	}
	if size <= maxMetadata {
		return
	}
	isOthers := func(key, value string) bool {
		_, isLabel := Labels("")[key]
		return !isLabel && key != SourceAnnotation && key != FenceAnnotation || len(value) > maxOwnValue
	}
	limited := func(values map[string]string) map[string]string {
		own := maps.Clone(values)
		maps.DeleteFunc(own, isOthers)
		return own
	}
	object.SetLabels(limited(object.GetLabels()))
	object.SetAnnotations(limited(object.GetAnnotations()))
}

// HasRole reports whether an object has the label of a role.
func HasRole(object metav1.Object, role string) bool { return object.GetLabels()[RoleLabel] == role }

// Owned reports whether a ConfigMap is the operator's: by its label, or, should that be lost, because the operator wrote it. Another
// value of the label is someone else's.
func Owned(object metav1.Object) bool {
	return HasRole(object, RoleIndex) || HasRole(object, RoleShard) || Wrote(object)
}

// Wrote reports whether the operator has written an object, as the API server tells.
func Wrote(object metav1.Object) bool {
	return slices.ContainsFunc(object.GetManagedFields(), func(entry metav1.ManagedFieldsEntry) bool { return entry.Manager == FieldOwner })
}

// WroteLast reports whether the operator was the last to write the data of a ConfigMap, as the API server tells. Who edits its labels or
// annotations leaves the data as the operator has written it. The API server notes whole seconds: of two writes in one second, nobody can
// tell which was the later, and the operator's does not count as the last.
func WroteLast(configMap *corev1.ConfigMap) bool {
	ours, others := time.Time{}, time.Time{}
	for _, entry := range configMap.ManagedFields {
		when := time.Time{}
		if entry.Time != nil {
			when = entry.Time.Time
		}
		switch {
		case !wroteData(entry.FieldsV1):
		case entry.Manager == FieldOwner && when.After(ours):
			ours = when
		case entry.Manager != FieldOwner && when.After(others):
			others = when
		}
	}
	return ours.After(others)
}

// wroteData reports whether the fields that someone has written are data of a ConfigMap. Fields that nobody can read may be.
func wroteData(written *metav1.FieldsV1) bool {
	if written == nil {
		return true
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(written.GetRawBytes(), &fields); err != nil {
		return true
	}
	return fields["f:data"] != nil || fields["f:binaryData"] != nil
}

// IsShardName reports whether a name is one that the operator gives to a shard other than maze-registry. A copy that someone keeps has
// another name.
func IsShardName(name string) bool { return shardPrefix(name) != "" }

// shardPrefix returns the prefix in the name of a shard, as newShard makes it: "011" for maze-registry-011-0123456789. Empty for any other
// name. It is no regular expression, as every pass asks for every shard.
func shardPrefix(name string) string {
	parts, isOurs := strings.CutPrefix(name, ConfigMapName+"-")
	prefix, digits, _ := strings.Cut(parts, "-")
	if !isOurs || len(digits) != nameDigits || strings.Trim(prefix, "01") != "" || strings.Trim(digits, "0123456789abcdef") != "" {
		return ""
	}
	return prefix
}

// ConfigMap returns the object of a shard that is not the only one.
func (s *Shard) ConfigMap(namespace string) *corev1.ConfigMap {
	return &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: s.Name, Labels: Labels(RoleShard)},
		Immutable:  ptr.To(true),
		Data:       s.Data(),
	}
}

// Render returns the ConfigMap maze-registry: the previous one (nil at first) with the index, and with the entries where
// it is the only shard. source is the resourceVersion of the tasks that the shards were rendered from. Labels and
// annotations of others are kept, within the limit of LimitMetadata.
func Render(namespace string, shards []*Shard, index Index, previous *corev1.ConfigMap, source string) (*corev1.ConfigMap, error) {
	next := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: ConfigMapName}}
	if previous != nil {
		next.ObjectMeta = *previous.ObjectMeta.DeepCopy()
	}
	LimitMetadata(next)
	next.Data = map[string]string{}
	if shards[0].Name == ConfigMapName {
		next.Data = shards[0].Data()
	}
	encoded, err := index.Encode()
	if err != nil {
		return nil, err
	}
	next.Data[IndexKey] = encoded
	next.Labels = labels.Merge(next.Labels, Labels(RoleIndex))
	next.Annotations = labels.Merge(next.Annotations, map[string]string{SourceAnnotation: source})
	delete(next.Annotations, FenceAnnotation)
	next.Finalizers, next.OwnerReferences = nil, nil // others could hold it by them, or have it deleted
	return next, nil
}

// Parse returns the entries of a registry, by name, from its index and a way to get its other ConfigMaps, which returns nil
// for one that is not there. It is an error if anything is not as the index says.
func Parse(index *corev1.ConfigMap, get func(name string) *corev1.ConfigMap) (map[string]string, error) {
	decoded, err := DecodeIndex(index)
	if err != nil {
		return nil, err
	}
	entries := map[string]string{} // not as large as the index claims: it may be hostile
	for _, ref := range decoded.Shards {
		shard := index
		if ref.Name != index.Name {
			shard = get(ref.Name)
		}
		if shard == nil {
			return nil, fmt.Errorf("ConfigMap %s is not there", ref.Name)
		}
		if got := ContentDigest(shard.Data); got != ref.Digest {
			return nil, fmt.Errorf("ConfigMap %s has the digest %s, the index says %s", ref.Name, got, ref.Digest)
		}
		if got := tasksIn(shard.Data); got != ref.Tasks {
			return nil, fmt.Errorf("ConfigMap %s has %d tasks, the index says %d", ref.Name, got, ref.Tasks)
		}
		maps.Copy(entries, shard.Data)
	}
	delete(entries, IndexKey)
	if len(entries) != decoded.Tasks {
		return nil, fmt.Errorf("ConfigMap %s has an index of %d tasks, the shards have %d", index.Name, decoded.Tasks, len(entries))
	}
	return entries, nil
}

// tasksIn is the number of entries in a ConfigMap's data.
func tasksIn(data map[string]string) int {
	if _, ok := data[IndexKey]; ok {
		return len(data) - 1
	}
	return len(data)
}
