package deliver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/cluster"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/terminal"
)

const (
	// fieldManager owns what discover applies.
	fieldManager = "registry.mazeagent.net/mazectl-discover"
	// maxRequests is how many requests wait for an answer at a time.
	maxRequests = 8
)

// clusterTasks are the MazeTasks of a namespace.
type clusterTasks struct {
	dynamic.ResourceInterface
	namespace string
	force     bool
}

// connect does not ask the cluster for anything yet.
func (o *Options) connect(t terminal.Terminal) (*clusterTasks, error) {
	connection, err := cluster.Connect(o.Cluster)
	if err != nil {
		return nil, fmt.Errorf("%w; %s", err, cluster.Advice)
	}
	connection.Config.QPS = -1 // the API server says itself when it is too much
	connection.Config.WarningHandler = rest.NewWarningWriter(t.ErrOut, rest.WarningWriterOptions{Deduplicate: true})
	tasks, err := connection.Tasks()
	if err != nil {
		return nil, err
	}
	return &clusterTasks{tasks, connection.Namespace, o.ForceConflicts}, nil
}

// all returns the tasks that there are, by the name of the object.
func (c *clusterTasks) all(ctx context.Context) (map[string]*unstructured.Unstructured, error) {
	out := map[string]*unstructured.Unstructured{}
	list := func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
		return c.List(ctx, options)
	}
	err := cluster.Each(ctx, list, func(task *unstructured.Unstructured) error {
		out[task.GetName()] = task
		return nil
	})
	switch {
	case apierrors.IsNotFound(err):
		return nil, errors.New("the cluster has no MazeTasks: install the CRD, as with: make install")
	case err != nil:
		return nil, fmt.Errorf("list the MazeTasks in namespace %s: %w", c.namespace, err)
	}
	return out, nil
}

// apply sends a task, and returns the object as the API server then has it, or would have it. The API server reads what is applied as YAML.
func (c *clusterTasks) apply(ctx context.Context, task *v1alpha1.MazeTask, dryRun bool) (*unstructured.Unstructured, error) {
	content, err := json.Marshal(task)
	if err != nil {
		return nil, err
	}
	return c.Patch(ctx, task.Name, types.ApplyPatchType, escapeControls(content),
		metav1.PatchOptions{FieldManager: fieldManager, Force: &c.force, DryRun: dryRunOption(dryRun)})
}

// remove deletes an object, and no other that may have got its name since.
func (c *clusterTasks) remove(ctx context.Context, object *unstructured.Unstructured, dryRun bool) error {
	uid := object.GetUID()
	err := c.Delete(ctx, object.GetName(), metav1.DeleteOptions{
		Preconditions: &metav1.Preconditions{UID: &uid}, DryRun: dryRunOption(dryRun),
	})
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return nil // it is gone
	}
	return err
}

func dryRunOption(dryRun bool) []string {
	if dryRun {
		return []string{metav1.DryRunAll}
	}
	return nil
}

// isRefusal reports whether the API server found something wrong with an object, rather than being unable to take any.
func isRefusal(err error) bool {
	return apierrors.IsInvalid(err) || apierrors.IsConflict(err) || apierrors.IsBadRequest(err) || apierrors.IsRequestEntityTooLargeError(err)
}

// refusalText returns why the API server does not take an object, and what to do.
func refusalText(err error) string {
	var status apierrors.APIStatus
	if !errors.As(err, &status) || status.Status().Details == nil || len(status.Status().Details.Causes) == 0 {
		return err.Error()
	}
	var parts []string
	conflict := false
	for _, cause := range status.Status().Details.Causes {
		field := strings.TrimPrefix(cause.Field, ".")
		if field == "" { // a policy says no more than the error itself
			return err.Error()
		}
		if cause.Type == metav1.CauseTypeFieldManagerConflict {
			conflict = true
			parts = append(parts, field+" is in "+cause.Message)
			continue
		}
		parts = append(parts, field+": "+cause.Message)
	}
	text := strings.Join(parts, "; ")
	if conflict {
		text += ": set it there, or take it over with --force-conflicts"
	}
	return text
}
