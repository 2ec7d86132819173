// Registry-reader shows what a scheduler does with MazeTasks: it prints a Pod for each function that it is given, named
// as a DAG node names it.
//
//	go run ./examples/registry-reader [--namespace NAMESPACE] [--image IMAGE] FUNCTION...
//
// read_registry.py, beside it, reads the published registry instead, without a Kubernetes client.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/cli-runtime/pkg/printers"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/maze-agent/maregister/api/v1alpha1"
)

// patience is how long the API server may take to list the tasks. A scheduler would wait without an end.
const patience = 30 * time.Second

func main() {
	if err := run(ctrl.SetupSignalHandler()); err != nil {
		fmt.Fprintln(os.Stderr, "registry-reader:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	namespace := flag.String("namespace", metav1.NamespaceDefault, "Namespace of the tasks.")
	image := flag.String("image", "executor", "Image that runs a Python object reference, given as its argument.")
	flag.Parse()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	config, err := ctrl.GetConfig()
	if err != nil {
		return err
	}
	tasks, err := watchTasks(ctx, config)
	if err != nil {
		return err
	}
	printer := &printers.YAMLPrinter{}
	for _, function := range flag.Args() {
		pod, err := podFor(ctx, tasks, *namespace, function, *image)
		if err != nil {
			return err
		}
		if err := printer.PrintObj(pod, os.Stdout); err != nil {
			return err
		}
	}
	return nil
}

// watchTasks returns a copy of the MazeTasks that follows the API server until ctx ends, and finds them by spec.name.
func watchTasks(ctx context.Context, config *rest.Config) (client.Reader, error) {
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		return nil, err
	}
	tasks, err := cache.New(config, cache.Options{Scheme: scheme})
	if err != nil {
		return nil, err
	}
	if err := tasks.IndexField(ctx, &v1alpha1.MazeTask{}, "spec.name", specName); err != nil {
		return nil, err
	}
	go func() { _ = tasks.Start(ctx) }() // it ends with ctx
	if !tasks.WaitForCacheSync(ctx) {
		return nil, fmt.Errorf("list the MazeTasks: %w", ctx.Err())
	}
	return tasks, nil
}

func specName(task client.Object) []string { return []string{task.(*v1alpha1.MazeTask).Spec.Name} }

// README: begin

// podFor returns a Pod that runs the task which a DAG node names as its "func". tasks is a client or, better for a
// scheduler, a cache that watches MazeTasks.
func podFor(ctx context.Context, tasks client.Reader, namespace, function, image string) (*corev1.Pod, error) {
	var found v1alpha1.MazeTaskList
	err := tasks.List(ctx, &found, client.InNamespace(namespace), client.MatchingFields{"spec.name": function})
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(found.Items, schedulable)
	switch {
	case i >= 0:
		return newPod(&found.Items[i], image), nil
	case len(found.Items) == 0:
		return nil, fmt.Errorf("no MazeTask in namespace %s has spec.name %s", namespace, function)
	default:
		return nil, fmt.Errorf("task %s cannot be scheduled now: kubectl -n %s describe mazetask %s", function, namespace, found.Items[0].Name)
	}
}

// schedulable says whether the registry serves the task as it is now, and no verdict on the nodes speaks against it.
// Where there is no verdict, Placeable is Unknown, and it is for kube-scheduler to find a node.
func schedulable(task v1alpha1.MazeTask) bool {
	return task.Status.ObservedGeneration == task.Generation &&
		meta.IsStatusConditionTrue(task.Status.Conditions, v1alpha1.ConditionReady) &&
		!meta.IsStatusConditionFalse(task.Status.Conditions, v1alpha1.ConditionPlaceable)
}

// newPod puts the task's placement into a Pod, as it is.
func newPod(task *v1alpha1.MazeTask, image string) *corev1.Pod {
	placement := task.Status.Placement.DeepCopy()
	pod := &corev1.Pod{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"},
		ObjectMeta: metav1.ObjectMeta{Namespace: task.Namespace, GenerateName: task.Name + "-"},
		Spec: corev1.PodSpec{
			RestartPolicy: corev1.RestartPolicyNever,
			NodeSelector:  placement.NodeSelector,
			Tolerations:   placement.Tolerations,
			Containers: []corev1.Container{{
				Name:      "task",
				Image:     image,
				Args:      []string{task.Spec.EntryPoint},
				Resources: corev1.ResourceRequirements{Requests: placement.Requests, Limits: placement.Limits},
			}},
		},
	}
	if placement.Affinity != nil {
		pod.Spec.Affinity = &corev1.Affinity{NodeAffinity: placement.Affinity.NodeAffinity}
	}
	return pod
}

// README: end
