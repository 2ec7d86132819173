package caches

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/schema"
)

func schemaOf(size int) *apiextensionsv1.JSON {
	const rest = `{"x": {"description": ""}}`
	return &apiextensionsv1.JSON{Raw: []byte(strings.Replace(rest, `""`, `"`+strings.Repeat("a", size-len(rest))+`"`, 1))}
}

func fullTask(parameters *apiextensionsv1.JSON) *v1alpha1.MazeTask {
	return &v1alpha1.MazeTask{
		TypeMeta: metav1.TypeMeta{Kind: "MazeTask"},
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "vision", Name: "caption", UID: "u", ResourceVersion: "7", Generation: 3, Finalizers: []string{"x"},
			Labels: map[string]string{"a": "b"}, Annotations: map[string]string{"note": strings.Repeat("a", 1000)},
			CreationTimestamp: metav1.NewTime(time.Unix(1, 0)), ManagedFields: []metav1.ManagedFieldsEntry{{Manager: "kubectl"}},
		},
		Spec: v1alpha1.MazeTaskSpec{Name: "caption", InputParameters: parameters, OutputParameters: parameters.DeepCopy()},
		Status: v1alpha1.MazeTaskStatus{
			ObservedGeneration: 2, Placement: &v1alpha1.Placement{}, Entry: &v1alpha1.EntryReference{Digest: "d"},
			Conditions: []metav1.Condition{{Type: "Ready", Status: "True", Reason: "Ready", Message: "m"}},
		},
	}
}

// A task has the same verdict before and after, however large its declarations are, and slimming it again changes nothing.
func TestSlimKeepsTheVerdict(t *testing.T) {
	slimmer := newTaskSlimmer()
	for _, size := range []int{30, schema.MaxBytes - 1, schema.MaxBytes, schema.MaxBytes + 1, 100_000, 1_250_000, 1_250_001, 70_000} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			whole := fullTask(schemaOf(size))
			_, _, want := schema.Parse(whole.Spec.InputParameters.Raw)
			slimmed, err := slimmer.slim(whole.DeepCopy())
			if err != nil {
				t.Fatal(err)
			}
			got := slimmed.(*v1alpha1.MazeTask)
			_, _, verdict := schema.Parse(got.Spec.InputParameters.Raw)
			if diff := cmp.Diff(want, verdict); diff != "" {
				t.Errorf("the verdict (-want +got)\n%s", diff)
			}
			kept := size <= schema.MaxBytes
			if bytes.Equal(got.Spec.InputParameters.Raw, whole.Spec.InputParameters.Raw) != kept {
				t.Errorf("the declaration is kept: %t, want %t", !kept, kept)
			}
			again, err := slimmer.slim(got.DeepCopy())
			if diff := cmp.Diff(got, again); diff != "" || err != nil {
				t.Errorf("slimmed again: %v (-once +twice)\n%s", err, diff)
			}
		})
	}
}

// What is large and nobody reads is dropped; what tells the object apart, and the status, stay.
func TestSlimTask(t *testing.T) {
	whole := fullTask(schemaOf(30))
	want := whole.DeepCopy()
	want.TypeMeta = metav1.TypeMeta{}
	want.Labels, want.Annotations, want.ManagedFields, want.Finalizers = nil, nil, nil, nil
	got, err := newTaskSlimmer().slim(whole)
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got)\n%s", err, diff)
	}
}

// 150 declarations, each larger than all before, share a few arrays.
func TestSlimSharesWhatItPutsInPlace(t *testing.T) {
	slimmer := newTaskSlimmer()
	arrays := map[*byte]int{}
	for i := range 150 {
		slimmed, err := slimmer.slim(fullTask(schemaOf(1_000_000 + i*1000)))
		if err != nil {
			t.Fatal(err)
		}
		raw := slimmed.(*v1alpha1.MazeTask).Spec.InputParameters.Raw
		arrays[unsafe.SliceData(raw)] = len(raw)
	}
	if len(arrays) > 2 {
		t.Errorf("the cache holds %d arrays, want at most 2", len(arrays))
	}
}

func TestSlimMetadata(t *testing.T) {
	deleted := metav1.NewTime(time.Unix(1, 0))
	for _, tc := range []struct {
		name     string
		of, want metav1.ObjectMeta
	}{
		{
			"others' is dropped",
			metav1.ObjectMeta{Name: "a", UID: "u", ResourceVersion: "7", Labels: map[string]string{"a": "b"}, Annotations: map[string]string{"a": "b"},
				ManagedFields: []metav1.ManagedFieldsEntry{{Manager: "kubectl"}}},
			metav1.ObjectMeta{Name: "a", UID: "u", ResourceVersion: "7"},
		},
		{"its deletion", metav1.ObjectMeta{DeletionTimestamp: &deleted}, metav1.ObjectMeta{DeletionTimestamp: &deleted}},
		{"any finalizer", metav1.ObjectMeta{Finalizers: make([]string, 10_000)}, metav1.ObjectMeta{Finalizers: heldByOthers}},
		{"any owner", metav1.ObjectMeta{OwnerReferences: make([]metav1.OwnerReference, 100)}, metav1.ObjectMeta{Finalizers: heldByOthers}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			object := &metav1.PartialObjectMetadata{ObjectMeta: tc.of}
			for range 2 {
				if _, err := slimMetadata(object); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(tc.want, object.ObjectMeta); diff != "" {
					t.Errorf("(-want +got)\n%s", diff)
				}
			}
		})
	}
}
