package main

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/maze-agent/maregister/test/testutil"
)

func TestEverySampleIsExpected(t *testing.T) {
	samples, err := readSamples()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, sample := range samples {
		names = append(names, sample.GetName())
	}
	slices.Sort(names)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(expected)), names); diff != "" {
		t.Errorf("names of the samples (-expected +read):\n%s", diff)
	}
}

func TestEverySampleFileIsListed(t *testing.T) {
	listed, err := decode[struct{ Resources []string }](kustomization)
	if err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(filepath.Join(testutil.Root(), samplesDir))
	if err != nil {
		t.Fatal(err)
	}
	names := slices.Concat(listed[0].Resources, []string{kustomization})
	slices.Sort(names)
	var found []string
	for _, file := range files {
		found = append(found, file.Name())
	}
	if diff := cmp.Diff(found, names); diff != "" {
		t.Errorf("files of the samples (-found +listed):\n%s", diff)
	}
}

func TestWrap(t *testing.T) {
	text := "a sentence of more than one hundred characters is broken where a word would go beyond the hundredth column"
	want := "  a sentence of more than one hundred characters is broken where a word would go beyond the\n  hundredth column\n"
	if diff := cmp.Diff(want, wrap(text)); diff != "" {
		t.Errorf("wrap (-want +got):\n%s", diff)
	}
}

// TestWhatKubectlFinds: the annotation that kubectl apply compares with, to the byte.
func TestWhatKubectlFinds(t *testing.T) {
	sample := &unstructured.Unstructured{Object: map[string]any{
		"kind": "MazeTask", "apiVersion": "registry.mazeagent.net/v1alpha1",
		"metadata": map[string]any{"namespace": "default", "name": "split-pdf"}, "spec": map[string]any{"name": "split_pdf"},
	}}
	if err := noteApplied(sample); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"kubectl.kubernetes.io/last-applied-configuration": `{"apiVersion":"registry.mazeagent.net/v1alpha1","kind":"MazeTask",` +
		`"metadata":{"annotations":{},"name":"split-pdf","namespace":"default"},"spec":{"name":"split_pdf"}}` + "\n"}
	if diff := cmp.Diff(want, sample.GetAnnotations()); diff != "" {
		t.Errorf("annotations (-want +got):\n%s", diff)
	}
}
