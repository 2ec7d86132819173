package health

import (
	"context"
	"errors"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/test/testutil"
)

// verdict is what a tool says of a task's health, in kstatus' words.
type verdict string

const (
	current    verdict = "Current"
	inProgress verdict = "InProgress"
	failed     verdict = "Failed"
)

// states are the states of a MazeTask. Each has a fixture of its name among Argo CD's test data.
var states = map[string]struct {
	want verdict
	// reached says how a task comes into the state.
	reached func(ctx context.Context, s *stage)
}{
	"progressing_created": {inProgress, func(ctx context.Context, s *stage) {
		s.create(ctx)
	}},
	"progressing_publishing": {inProgress, func(ctx context.Context, s *stage) {
		s.start(testutil.OperatorOptions{Fault: registryFault})
		s.create(ctx)
		s.expect(ctx, v1alpha1.ConditionReady, "False/Publishing")
	}},
	"progressing_edited": {inProgress, func(ctx context.Context, s *stage) {
		s.start(testutil.OperatorOptions{})
		s.create(ctx)
		s.expect(ctx, v1alpha1.ConditionReady, "True/Ready")
		s.stop()
		s.edit(ctx, describe("Says what a picture shows."))
	}},
	"progressing_corrected": {inProgress, func(ctx context.Context, s *stage) {
		s.start(testutil.OperatorOptions{})
		invalidate(s.task)
		s.create(ctx)
		s.expect(ctx, v1alpha1.ConditionStalled, "True/UnsupportedPattern")
		s.stop()
		s.edit(ctx, func(t *v1alpha1.MazeTask) { t.Spec.InputParameters = parameters })
	}},
	"progressing_deleted": {inProgress, func(ctx context.Context, s *stage) {
		s.start(testutil.OperatorOptions{})
		s.task.Finalizers = []string{finalizer}
		s.create(ctx)
		s.expect(ctx, v1alpha1.ConditionReady, "True/Ready")
		s.remove(ctx)
		s.expect(ctx, v1alpha1.ConditionReady, "False/Terminating")
	}},
	"progressing_deletedInvalid": {inProgress, func(ctx context.Context, s *stage) {
		s.start(testutil.OperatorOptions{})
		s.task.Finalizers = []string{finalizer}
		invalidate(s.task)
		s.create(ctx)
		s.expect(ctx, v1alpha1.ConditionStalled, "True/UnsupportedPattern")
		s.remove(ctx)
		s.expect(ctx, v1alpha1.ConditionRegistered, "False/Terminating")
	}},
	"healthy_ready": {current, func(ctx context.Context, s *stage) {
		s.addNode(ctx, testutil.NewGPUNode("l4", "NVIDIA-L4", 23034, 1))
		s.start(testutil.OperatorOptions{})
		s.create(ctx)
		s.expect(ctx, v1alpha1.ConditionPlaceable, "True/Feasible")
	}},
	"healthy_noFeasibleNode": {current, func(ctx context.Context, s *stage) {
		s.addNode(ctx, testutil.NewGPUNode("t4", "Tesla-T4", 15360, 1))
		s.start(testutil.OperatorOptions{})
		s.task.Spec.Resources.GPUMemory = quantity("20Gi")
		s.create(ctx)
		s.expect(ctx, v1alpha1.ConditionPlaceable, "False/NoFeasibleNode")
	}},
	"healthy_noInventory": {current, func(ctx context.Context, s *stage) {
		s.start(testutil.OperatorOptions{})
		s.create(ctx)
		s.expect(ctx, v1alpha1.ConditionPlaceable, "Unknown/NoInventory")
	}},
	"degraded_invalid": {failed, func(ctx context.Context, s *stage) {
		s.start(testutil.OperatorOptions{})
		invalidate(s.task)
		s.create(ctx)
		s.expect(ctx, v1alpha1.ConditionRegistered, "False/InvalidSpec")
	}},
	"degraded_servingLastAccepted": {failed, func(ctx context.Context, s *stage) {
		s.start(testutil.OperatorOptions{})
		s.create(ctx)
		s.expect(ctx, v1alpha1.ConditionReady, "True/Ready")
		s.edit(ctx, invalidate)
		s.expect(ctx, v1alpha1.ConditionRegistered, "False/ServingLastAccepted")
	}},
	"degraded_nameConflict": {failed, func(ctx context.Context, s *stage) {
		s.start(testutil.OperatorOptions{})
		s.create(ctx)
		newer := s.task.DeepCopy()
		newer.ObjectMeta = s.named("image-caption-v2") // of two from one second, the name decides
		s.createObject(ctx, newer)
		s.expect(ctx, v1alpha1.ConditionReady, "False/NameConflict")
	}},
	"degraded_registryConflict": {failed, func(ctx context.Context, s *stage) {
		s.createObject(ctx, foreignConfigMap(s.namespace))
		s.start(testutil.OperatorOptions{})
		s.create(ctx)
		s.expect(ctx, v1alpha1.ConditionReady, "False/RegistryConflict")
	}},
	"degraded_taskTooLarge": {failed, func(ctx context.Context, s *stage) {
		s.start(testutil.OperatorOptions{ShardSize: shardSize})
		s.task.Spec.Description = tooLong
		s.create(ctx)
		s.expect(ctx, v1alpha1.ConditionReady, "False/TaskTooLarge")
	}},
	"degraded_taskTooLargeServingLast": {failed, func(ctx context.Context, s *stage) {
		s.start(testutil.OperatorOptions{ShardSize: shardSize})
		s.create(ctx)
		s.expect(ctx, v1alpha1.ConditionReady, "True/Ready")
		s.edit(ctx, describe(tooLong))
		s.expect(ctx, v1alpha1.ConditionReady, "False/TaskTooLarge")
	}},
}

// finalizer keeps a deleted task.
const finalizer = "example.com/hold"

// shardSize keeps the fixtures short: an entry of more bytes is too large.
const shardSize = 3 << 10

var (
	tooLong    = strings.Repeat("Writes a caption for an image. ", shardSize/31)
	parameters = &apiextensionsv1.JSON{Raw: []byte(`{"image": {"type": "filepath"}}`)}
)

// invalidate makes a task one that the API server admits and the operator refuses.
func invalidate(t *v1alpha1.MazeTask) {
	t.Spec.InputParameters = &apiextensionsv1.JSON{Raw: []byte(`{"image": {"type": "string", "pattern": "(?=a)b"}}`)}
}

func describe(text string) func(*v1alpha1.MazeTask) {
	return func(t *v1alpha1.MazeTask) { t.Spec.Description = text }
}

func quantity(text string) *resource.Quantity {
	q := resource.MustParse(text)
	return &q
}

// registryFault fails every write to the registry.
func registryFault(_ context.Context, kind testutil.Kind, object client.Object) error {
	if kind == testutil.RegistryWrite {
		return apierrors.NewForbidden(corev1.Resource("configmaps"), object.GetName(), errors.New("exceeded quota"))
	}
	return nil
}
