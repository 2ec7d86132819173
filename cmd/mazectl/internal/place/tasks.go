package place

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/cli-runtime/pkg/genericclioptions"

	"github.com/maze-agent/maregister/cmd/mazectl/internal/cluster"
)

// ClusterTasks returns the MazeTasks of all namespaces of the cluster that kubectl would take.
func ClusterTasks(ctx context.Context, flags *genericclioptions.ConfigFlags) ([]Manifest, error) {
	connection, err := cluster.Connect(flags)
	if err != nil {
		return nil, fmt.Errorf("%w; %s, or give files of MazeTasks", err, cluster.Advice)
	}
	tasks, err := connection.AllTasks()
	if err != nil {
		return nil, err
	}
	list := func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
		return tasks.List(ctx, options)
	}
	var found []Manifest
	err = cluster.Each(ctx, list, func(task *unstructured.Unstructured) error {
		found = append(found, Manifest{Unstructured: task, source: "the cluster"})
		return nil
	})
	switch {
	case apierrors.IsNotFound(err):
		return nil, fmt.Errorf("the cluster does not serve MazeTasks: %w; install the CRD, %s, or give files", err, cluster.Advice)
	case apierrors.IsForbidden(err):
		return nil, fmt.Errorf("list MazeTasks: %w; whoever reads them needs the right to list mazetasks in all namespaces", err)
	case err != nil:
		return nil, fmt.Errorf("list MazeTasks: %w; %s, or give files of MazeTasks", err, cluster.Advice)
	}
	return found, nil
}
