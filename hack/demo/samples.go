package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/test/testutil"
)

const (
	samplesDir = "config/samples"
	// kustomization lists the samples' files.
	kustomization = "kustomization.yaml"
	namespace     = metav1.NamespaceDefault
)

// state is what is expected of a sample, and what is observed.
type state struct {
	ready                                        metav1.ConditionStatus
	readyReason, acceptedReason, placeableReason string
}

func (s state) String() string {
	if s == (state{}) {
		return "no conditions"
	}
	return fmt.Sprintf("Ready is %s (%s), Accepted or Valid says %s, Placeable says %s", s.ready, s.readyReason, s.acceptedReason, s.placeableReason)
}

// expected has the state of each object in config/samples, by its name.
var expected = map[string]state{
	"answer-question": {metav1.ConditionTrue, v1alpha1.ReasonReady, v1alpha1.ReasonValid, v1alpha1.ReasonFeasible},
	"image-caption":   {metav1.ConditionTrue, v1alpha1.ReasonReady, v1alpha1.ReasonValid, v1alpha1.ReasonFeasible},
	"speech-to-text":  {metav1.ConditionTrue, v1alpha1.ReasonReady, v1alpha1.ReasonValid, v1alpha1.ReasonFeasible},
	"split-pdf":       {metav1.ConditionTrue, v1alpha1.ReasonReady, v1alpha1.ReasonValid, v1alpha1.ReasonFeasible},
	"fetch-url":       {metav1.ConditionTrue, v1alpha1.ReasonReady, v1alpha1.ReasonValid, v1alpha1.ReasonFeasible},
	"geocode-address": {metav1.ConditionFalse, v1alpha1.ReasonRemoteRefForbidden, v1alpha1.ReasonRemoteRefForbidden, v1alpha1.ReasonNotJudged},
	"ocr-page-v1":     {metav1.ConditionFalse, v1alpha1.ReasonNameConflict, v1alpha1.ReasonNameConflict, v1alpha1.ReasonFeasible},
	"ocr-page-v2":     {metav1.ConditionTrue, v1alpha1.ReasonReady, v1alpha1.ReasonValid, v1alpha1.ReasonFeasible},
	// The workflow.
	"answer-from-meeting": {metav1.ConditionTrue, v1alpha1.ReasonReady, v1alpha1.ReasonValid, v1alpha1.ReasonFeasible},
}

func stateOf(conditions []metav1.Condition) state {
	var s state
	if c := meta.FindStatusCondition(conditions, v1alpha1.ConditionReady); c != nil {
		s.ready, s.readyReason = c.Status, c.Reason
	}
	for _, conditionType := range []string{v1alpha1.ConditionAccepted, v1alpha1.ConditionValid} { // a task has the one, a workflow the other
		if c := meta.FindStatusCondition(conditions, conditionType); c != nil {
			s.acceptedReason = c.Reason
		}
	}
	if c := meta.FindStatusCondition(conditions, v1alpha1.ConditionPlaceable); c != nil {
		s.placeableReason = c.Reason
	}
	return s
}

// readSamples reads the samples in the order in which they are listed.
func readSamples() ([]*unstructured.Unstructured, error) {
	listed, err := decode[struct{ Resources []string }](kustomization)
	if err != nil {
		return nil, err
	}
	var samples []*unstructured.Unstructured
	for _, file := range listed[0].Resources {
		objects, err := decode[map[string]any](file)
		if err != nil {
			return nil, err
		}
		for _, object := range objects {
			sample := &unstructured.Unstructured{Object: object}
			if _, known := expected[sample.GetName()]; !known {
				return nil, fmt.Errorf("%s/%s has %s, and hack/demo/samples.go does not say what to expect of it", samplesDir, file, sample.GetName())
			}
			sample.SetNamespace(namespace)
			samples = append(samples, sample)
		}
	}
	return samples, nil
}

// decode reads every YAML document of a file.
func decode[T any](file string) ([]T, error) {
	path := filepath.Join(testutil.Root(), samplesDir, file)
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var documents []T
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(content), 4096)
	for {
		var document T
		switch err := decoder.Decode(&document); {
		case errors.Is(err, io.EOF):
			return documents, nil
		case err != nil:
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		documents = append(documents, document)
	}
}

// nodes are what the demo has instead of machines.
func nodes() []*corev1.Node {
	return []*corev1.Node{
		testutil.NewNode("cpu-1"),
		testutil.NewGPUNode("gpu-t4", "Tesla-T4", 15360, 1),
		testutil.NewGPUNode("gpu-h100", "NVIDIA-H100-80GB-HBM3", 81559, 8),
	}
}

// join makes nodes part of the cluster. No kubelet runs on them, and no Pod will.
func join(ctx context.Context, c client.Client, nodes []*corev1.Node) error {
	for _, node := range nodes {
		if err := testutil.CreateNode(ctx, c, node); err != nil {
			return err
		}
	}
	return nil
}

// apply creates the samples as `kubectl apply` does, so that kubectl finds what it left there: whoever applies them again is not warned.
func apply(ctx context.Context, c client.Client, samples []*unstructured.Unstructured) error {
	for _, sample := range samples {
		if err := noteApplied(sample); err != nil {
			return err
		}
		if err := c.Create(ctx, sample, client.FieldOwner("kubectl-client-side-apply")); err != nil {
			return fmt.Errorf("%s %s: %w", sample.GetKind(), sample.GetName(), err)
		}
	}
	return nil
}

// noteApplied keeps an object in an annotation as it is now, byte by byte as kubectl would.
func noteApplied(object *unstructured.Unstructured) error {
	object.SetAnnotations(map[string]string{})
	applied, err := object.MarshalJSON()
	if err != nil {
		return err
	}
	object.SetAnnotations(map[string]string{corev1.LastAppliedConfigAnnotation: string(applied)})
	return nil
}

// await watches the samples until each of them has its expected state.
func await(ctx context.Context, c client.WithWatch) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tasks, err := c.Watch(ctx, &v1alpha1.MazeTaskList{}, client.InNamespace(namespace))
	if err != nil {
		return err
	}
	defer tasks.Stop()
	workflows, err := c.Watch(ctx, &v1alpha1.MazeWorkflowList{}, client.InNamespace(namespace))
	if err != nil {
		return err
	}
	defer workflows.Stop()
	observed := map[string]state{}
	for !maps.Equal(observed, expected) {
		var event watch.Event
		open := false
		select {
		case <-ctx.Done():
			return fmt.Errorf("these have not after %s:%s", patience, differences(observed))
		case event, open = <-tasks.ResultChan():
		case event, open = <-workflows.ResultChan():
		}
		if !open {
			return fmt.Errorf("the API server ended the watch:%s", differences(observed))
		}
		if err := note(observed, event); err != nil {
			return err
		}
	}
	return nil
}

// note takes over what a watch brought about a sample.
func note(observed map[string]state, event watch.Event) error {
	var name string
	var conditions []metav1.Condition
	switch object := event.Object.(type) {
	case *v1alpha1.MazeTask:
		name, conditions = object.Name, object.Status.Conditions
	case *v1alpha1.MazeWorkflow:
		name, conditions = object.Name, object.Status.Conditions
	default:
		return apierrors.FromObject(event.Object)
	}
	if event.Type == watch.Deleted {
		delete(observed, name)
	} else {
		observed[name] = stateOf(conditions)
	}
	return nil
}

// differences says, a line each, what is not as expected.
func differences(observed map[string]state) string {
	var lines strings.Builder
	for _, name := range slices.Sorted(maps.Keys(expected)) {
		if got, want := observed[name], expected[name]; got != want {
			fmt.Fprintf(&lines, "\n  %s\n    expected: %s\n    observed: %s", name, want, got)
		}
	}
	return lines.String()
}
