package main

import (
	"maps"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/maze-agent/maregister/internal/registry"
)

// published returns the ConfigMaps of a registry with some entries, the index last.
func published(t *testing.T, previous registry.Index, names ...string) ([]*corev1.ConfigMap, registry.Index) {
	t.Helper()
	var items []registry.Item
	for _, name := range names {
		item, err := registry.Entry{TaskMeta: registry.TaskMeta{Name: name, InputParameters: []byte(`"` + strings.Repeat("x", 9000) + `"`)}}.Encode()
		if err != nil {
			t.Fatal(err)
		}
		items = append(items, item)
	}
	shards := registry.Split(items, registry.MinShardSize)
	index := registry.NewIndex(shards, previous)
	indexObject, err := registry.Render("default", shards, index, nil, "1")
	if err != nil {
		t.Fatal(err)
	}
	var objects []*corev1.ConfigMap
	for _, shard := range shards {
		if shard.Name != registry.ConfigMapName {
			objects = append(objects, shard.ConfigMap("default"))
		}
	}
	return append(objects, indexObject), index
}

func TestAuditOfSoundHistory(t *testing.T) {
	first, index := published(t, registry.Index{}, "a")
	second, _ := published(t, index, "a", "b", "c")
	configMaps, checks := map[string]*corev1.ConfigMap{}, newAudit()
	for _, configMap := range slices.Concat(first, second) {
		configMaps[configMap.Name] = configMap
		checks.observe(configMaps, configMap)
	}
	if err := checks.conclude(); err != nil {
		t.Error(err)
	}
	if got := slices.Sorted(maps.Keys(checks.served)); !slices.Equal(got, []string{"a", "b", "c"}) {
		t.Errorf("served %v", got)
	}
}

func TestAuditFinds(t *testing.T) {
	objects, index := published(t, registry.Index{Generation: 6}, "a", "b", "c")
	if len(objects) < 3 {
		t.Fatalf("%d ConfigMaps are too few to test with", len(objects))
	}
	last := len(objects) - 1
	damaged := objects[0].DeepCopy()
	damaged.Data = map[string]string{"a": "{}"}
	older, _ := published(t, registry.Index{}, "a")
	huge := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: "maze-registry-new"}, Data: map[string]string{"a": strings.Repeat("x", registry.DefaultShardSize)},
	}
	for name, tc := range map[string]struct {
		change *corev1.ConfigMap
		gone   bool
		want   string
	}{
		"ShardDeletedBeforeIndex": {change: objects[0], gone: true, want: "is not there"},
		"ShardChanged":            {change: damaged, want: "has the digest"},
		"IndexDeleted":            {change: objects[last], gone: true, want: "there is no index"},
		"GenerationDecreased":     {change: older[len(older)-1], want: "generation went from 7 to 1"},
		"ShardTooLarge":           {change: huge, want: "bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			configMaps, checks := map[string]*corev1.ConfigMap{}, newAudit()
			for _, configMap := range objects {
				configMaps[configMap.Name] = configMap
				checks.observe(configMaps, configMap)
			}
			if err := checks.conclude(); err != nil {
				t.Fatalf("before the change: %v", err)
			}
			configMaps[tc.change.Name] = tc.change
			if tc.gone {
				delete(configMaps, tc.change.Name)
			}
			checks.observe(configMaps, tc.change)
			if err := checks.conclude(); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("found %v, want %q; the index is %+v", err, tc.want, index)
			}
		})
	}
}

func TestAuditOfOrder(t *testing.T) {
	checks := newAudit()
	checks.served = map[string]string{"early": "10", "late": "30"}
	checks.compareOrder(&watcher{ready: map[string]readyTask{
		"early": {key: "early", since: "20"}, "late": {key: "late", since: "20"}, "never": {key: "never", since: "20"},
	}})
	if len(checks.findings) != 2 {
		t.Errorf("findings are %q, want those of late and never", checks.findings)
	}
}
