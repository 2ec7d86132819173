package registry

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

func TestOwned(t *testing.T) {
	managedBy := func(managers ...string) []metav1.ManagedFieldsEntry {
		var out []metav1.ManagedFieldsEntry
		for _, manager := range managers {
			out = append(out, metav1.ManagedFieldsEntry{Manager: manager, Operation: metav1.ManagedFieldsOperationUpdate})
		}
		return out
	}
	cases := map[string]struct {
		meta metav1.ObjectMeta
		want bool
	}{
		"An index":                        {meta: metav1.ObjectMeta{Labels: Labels(RoleIndex)}, want: true},
		"A shard":                         {meta: metav1.ObjectMeta{Labels: Labels(RoleShard)}, want: true},
		"A role that there is not":        {meta: metav1.ObjectMeta{Labels: map[string]string{RoleLabel: "later"}}},
		"The label lost, but we wrote it": {meta: metav1.ObjectMeta{ManagedFields: managedBy("kubectl-edit", FieldOwner)}, want: true},
		"Nothing":                         {},
		"The label without a value":       {meta: metav1.ObjectMeta{Labels: map[string]string{RoleLabel: ""}}},
		"Other labels":                    {meta: metav1.ObjectMeta{Labels: map[string]string{"app.kubernetes.io/managed-by": "maregister"}}},
		"Our name as an annotation":       {meta: metav1.ObjectMeta{Annotations: map[string]string{RoleLabel: RoleIndex}}},
		"Other writers":                   {meta: metav1.ObjectMeta{ManagedFields: managedBy("kubectl-client-side-apply", "manager", "registry.mazeagent.net/mazectl")}},
		"The registry's name":             {meta: metav1.ObjectMeta{Name: ConfigMapName}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := Owned(&corev1.ConfigMap{ObjectMeta: tc.meta}); got != tc.want {
				t.Errorf("Owned(...): want %t, got %t", tc.want, got)
			}
		})
	}
}

func TestWroteLast(t *testing.T) {
	at := func(seconds int64) *metav1.Time { return &metav1.Time{Time: time.Unix(seconds, 0)} }
	entry := func(manager string, when *metav1.Time, fields string) metav1.ManagedFieldsEntry {
		return metav1.ManagedFieldsEntry{Manager: manager, Time: when, FieldsV1: metav1.NewFieldsV1(fields)}
	}
	const data, binary, labels = `{"f:data":{"f:k":{}}}`, `{"f:binaryData":{"f:k":{}}}`, `{"f:metadata":{"f:labels":{"f:team":{}}}}`
	ours := entry(FieldOwner, at(5), data)
	cases := map[string]struct {
		managers []metav1.ManagedFieldsEntry
		want     bool
	}{
		"We alone":                      {managers: []metav1.ManagedFieldsEntry{ours}, want: true},
		"Others earlier":                {managers: []metav1.ManagedFieldsEntry{ours, entry("kubectl", at(4), data)}, want: true},
		"Others in the same second":     {managers: []metav1.ManagedFieldsEntry{ours, entry("kubectl", at(5), data)}},
		"Others later":                  {managers: []metav1.ManagedFieldsEntry{entry("kubectl", at(6), data), ours}},
		"Others' binary data later":     {managers: []metav1.ManagedFieldsEntry{ours, entry("kubectl", at(6), binary)}},
		"Others' labels later":          {managers: []metav1.ManagedFieldsEntry{ours, entry("kubectl", at(6), labels)}, want: true},
		"Others' fields cannot be read": {managers: []metav1.ManagedFieldsEntry{ours, entry("kubectl", at(6), `{`)}},
		"Others' fields are not told":   {managers: []metav1.ManagedFieldsEntry{ours, {Manager: "kubectl", Time: at(6)}}},
		"Our labels alone":              {managers: []metav1.ManagedFieldsEntry{entry(FieldOwner, at(5), labels)}},
		"No time":                       {managers: []metav1.ManagedFieldsEntry{entry(FieldOwner, nil, data)}},
		"Nobody":                        {},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := WroteLast(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{ManagedFields: tc.managers}}); got != tc.want {
				t.Errorf("WroteLast(...): want %t, got %t", tc.want, got)
			}
		})
	}
}

func TestShardConfigMap(t *testing.T) {
	shard := Split(itemsOf(2, Capacity(MinShardSize)), MinShardSize)[0]
	want := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: "vision", Name: shard.Name, Labels: map[string]string{
			"app.kubernetes.io/managed-by": "maregister", "registry.mazeagent.net/registry": "shard",
		}},
		Immutable: ptr.To(true),
		Data:      texts(shard.Items),
	}
	if diff := cmp.Diff(want, shard.ConfigMap("vision")); diff != "" {
		t.Errorf("ConfigMap(...): -want, +got:\n%s", diff)
	}
}

func TestRender(t *testing.T) {
	whole := Split(itemsOf(2, 100), MinShardSize)
	parts := Split(itemsOf(2, Capacity(MinShardSize)), MinShardSize)
	encoded := func(shards []*Shard) string {
		text, err := NewIndex(shards, Index{}).Encode()
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	ourLabels := map[string]string{"app.kubernetes.io/managed-by": "maregister", "registry.mazeagent.net/registry": "index"}
	ourMeta := metav1.ObjectMeta{
		Namespace: "vision", Name: "maze-registry", Labels: ourLabels,
		Annotations: map[string]string{"registry.mazeagent.net/source-resource-version": "42"},
	}
	wholeData := texts(whole[0].Items)
	wholeData[IndexKey] = encoded(whole)
	stale := map[string]string{"gone": "{}", "task-0": "{}", IndexKey: "{"}

	cases := map[string]struct {
		shards   []*Shard
		previous *corev1.ConfigMap
		want     *corev1.ConfigMap
	}{
		"The first, with its entries": {
			shards: whole,
			want:   &corev1.ConfigMap{ObjectMeta: ourMeta, Data: wholeData},
		},
		"The first, with shards": {
			shards: parts,
			want:   &corev1.ConfigMap{ObjectMeta: ourMeta, Data: map[string]string{IndexKey: encoded(parts)}},
		},
		"Without entries": {
			shards: Split(nil, MinShardSize),
			want:   &corev1.ConfigMap{ObjectMeta: ourMeta, Data: map[string]string{IndexKey: encoded(Split(nil, MinShardSize))}},
		},
		"Other data goes": {
			shards:   whole,
			previous: &corev1.ConfigMap{ObjectMeta: ourMeta, Data: stale, BinaryData: map[string][]byte{"b": {1}}, Immutable: ptr.To(false)},
			want:     &corev1.ConfigMap{ObjectMeta: ourMeta, Data: wholeData},
		},
		"Entries go once there are shards": {
			shards:   parts,
			previous: &corev1.ConfigMap{ObjectMeta: ourMeta, Data: wholeData},
			want:     &corev1.ConfigMap{ObjectMeta: ourMeta, Data: map[string]string{IndexKey: encoded(parts)}},
		},
		"Labels and annotations of others stay, ours are healed, and nobody else holds it": {
			shards: whole,
			previous: &corev1.ConfigMap{Data: stale, ObjectMeta: metav1.ObjectMeta{
				Namespace: "vision", Name: "maze-registry", UID: "u", ResourceVersion: "7", Finalizers: []string{"example.com/f"},
				OwnerReferences: []metav1.OwnerReference{{Name: "o"}},
				Labels:          map[string]string{"team": "x", "registry.mazeagent.net/registry": "shard", "app.kubernetes.io/managed-by": "Helm"},
				Annotations:     map[string]string{"note": "y", "registry.mazeagent.net/source-resource-version": "41", "registry.mazeagent.net/fence": "6"},
			}},
			want: &corev1.ConfigMap{Data: wholeData, ObjectMeta: metav1.ObjectMeta{
				Namespace: "vision", Name: "maze-registry", UID: "u", ResourceVersion: "7",
				Labels:      map[string]string{"team": "x", "registry.mazeagent.net/registry": "index", "app.kubernetes.io/managed-by": "maregister"},
				Annotations: map[string]string{"note": "y", "registry.mazeagent.net/source-resource-version": "42"},
			}},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			before := tc.previous.DeepCopy()
			got, err := Render("vision", tc.shards, NewIndex(tc.shards, Index{}), tc.previous, "42")
			if err != nil {
				t.Fatalf("Render(...): %v", err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("Render(...): -want, +got:\n%s", diff)
			}
			if diff := cmp.Diff(before, tc.previous); diff != "" {
				t.Errorf("Render(...) changed the previous ConfigMap: -before, +after:\n%s", diff)
			}
		})
	}
}

func TestIsShardName(t *testing.T) {
	cases := map[string]struct {
		name string
		want bool
	}{
		"A shard":                      {name: Split(itemsOf(2, Capacity(MinShardSize)), MinShardSize)[0].Name, want: true},
		"The index":                    {name: ConfigMapName},
		"Of many bits":                 {name: "maze-registry-0110-0123456789", want: true},
		"A copy that is kept":          {name: "maze-registry-0110-0123456789-backup"},
		"Without bits":                 {name: "maze-registry-0123456789"},
		"A digest of the wrong length": {name: "maze-registry-0-012345678"},
		"Nothing":                      {name: ""},
		"A name that goes on":          {name: "maze-registry2"},
		"A name that ends so":          {name: "my-maze-registry-0-a"},
		"A name that is similar":       {name: "maze_registry-0-a"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := IsShardName(tc.name); got != tc.want {
				t.Errorf("IsShardName(%q): want %t, got %t", tc.name, tc.want, got)
			}
		})
	}
}
