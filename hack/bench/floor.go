package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/maze-agent/maregister/api/v1alpha1"
)

// rehearse lets the operator write some statuses, for the floor to write ones of the same size, and stops it again. It returns one
// for each type of task.
func (b *bench) rehearse(ctx context.Context, s *stage) (map[v1alpha1.ResourceType]v1alpha1.MazeTaskStatus, error) {
	if err := s.startOperator(b.options); err != nil {
		return nil, err
	}
	if err := s.warmUp(ctx); err != nil {
		return nil, err
	}
	var tasks v1alpha1.MazeTaskList
	if err := s.client.List(ctx, &tasks); err != nil {
		return nil, fmt.Errorf("list the tasks: %w", err)
	}
	templates := map[v1alpha1.ResourceType]v1alpha1.MazeTaskStatus{}
	for i := range tasks.Items {
		if tasks.Items[i].Status.Entry == nil {
			return nil, errors.New("the operator wrote a status without an entry")
		}
		templates[tasks.Items[i].Spec.Resources.Type] = tasks.Items[i].Status
	}
	return templates, s.stopActor(false)
}

// statusPatches returns the patch of each task's status: the template of its type with the task's own key.
func statusPatches(tasks []*v1alpha1.MazeTask, templates map[v1alpha1.ResourceType]v1alpha1.MazeTaskStatus) ([]client.Patch, error) {
	patches := make([]client.Patch, len(tasks))
	for i, task := range tasks {
		template, known := templates[task.Spec.Resources.Type]
		if !known {
			return nil, fmt.Errorf("the operator wrote no status of a task of type %s", task.Spec.Resources.Type)
		}
		status := template.DeepCopy()
		status.Entry.Key = task.Spec.Name
		encodedPatch, err := json.Marshal(map[string]any{"status": status})
		if err != nil {
			return nil, fmt.Errorf("encode a status: %w", err)
		}
		patches[i] = client.RawPatch(types.MergePatchType, encodedPatch)
	}
	return patches, nil
}
