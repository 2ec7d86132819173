package main

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/yaml"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/report"
	"github.com/maze-agent/maregister/internal/discover"
	"github.com/maze-agent/maregister/internal/registry"
)

const (
	// labelSource names the discovery that made an object: the value of --source-name.
	labelSource    = "registry.mazeagent.net/source"
	labelManagedBy = "app.kubernetes.io/managed-by"
	managedBy      = "mazectl"
)

// taskManifest is a discovered task as an object.
type taskManifest struct {
	discover.Task
	object *v1alpha1.MazeTask
}

// place is where the task is declared: file:line.
func (m *taskManifest) place() string { return fmt.Sprintf("%s:%d", m.File, m.Position.Line) }

// taskManifests makes objects of tasks, in their order. Namespace and source may be empty.
func taskManifests(tasks []discover.Task, namespace, source string) []taskManifest {
	names := objectNames(tasks)
	out := make([]taskManifest, len(tasks))
	for i, task := range tasks {
		labels := map[string]string{labelManagedBy: managedBy}
		if source != "" {
			labels[labelSource] = source
		}
		out[i] = taskManifest{Task: task, object: &v1alpha1.MazeTask{
			TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.SchemeGroupVersion.String(), Kind: "MazeTask"},
			ObjectMeta: metav1.ObjectMeta{Name: names[i], Namespace: namespace, Labels: labels},
			Spec:       task.Spec,
		}}
	}
	return out
}

// objectNames gives each task a name for its object. Those that would have the same have a hash in it, all of them: which task
// an object is for must not depend on which others there are, as spec.name cannot be changed.
func objectNames(tasks []discover.Task) []string {
	names := make([]string, len(tasks))
	count := map[string]int{}
	for i, task := range tasks {
		names[i] = objectName(task.Spec.Name)
		count[names[i]]++
	}
	for i, task := range tasks {
		if count[names[i]] > 1 {
			names[i] = withHash(names[i], task.Spec.Name)
		}
	}
	return names
}

// objectName makes the name of an object of that of a task: a DNS label, so that Pods and labels can have it, too.
func objectName(task string) string {
	name := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			return r
		case r >= 'A' && r <= 'Z':
			return r - 'A' + 'a'
		}
		return '-'
	}, task)
	name = strings.Trim(name, "-")
	if name == "" || len(name) > validation.DNS1123LabelMaxLength {
		return withHash(cmp.Or(name, "task"), task)
	}
	return name
}

// withHash ends a name with a hash of the task's.
func withHash(name, task string) string {
	sum := sha256.Sum256([]byte(task))
	suffix := "-" + hex.EncodeToString(sum[:4])
	name = name[:min(len(name), validation.DNS1123LabelMaxLength-len(suffix))]
	return strings.TrimRight(name, "-") + suffix
}

// encodeManifests writes objects in one of the forms of -o.
func encodeManifests(all []taskManifest, output string) ([]byte, error) {
	switch output {
	case outputTaskMeta:
		return encodeTaskMeta(all)
	case outputJSON:
		list := struct {
			APIVersion string               `json:"apiVersion"`
			Kind       string               `json:"kind"`
			Items      []*v1alpha1.MazeTask `json:"items"`
		}{"v1", "List", []*v1alpha1.MazeTask{}}
		for _, m := range all {
			list.Items = append(list.Items, m.object)
		}
		return encodeJSON(list)
	}
	var out bytes.Buffer
	for i, m := range all {
		if i > 0 {
			out.WriteString("---\n")
		}
		content, err := yaml.Marshal(m.object)
		if err != nil {
			return nil, fmt.Errorf("encode the manifest of %s: %w", m.Spec.Name, err)
		}
		out.Write(content)
	}
	return out.Bytes(), nil
}

// encodeTaskMeta writes what the registry would publish in the fields of the original's _task_meta, by name of the task.
func encodeTaskMeta(all []taskManifest) ([]byte, error) {
	out := map[string]registry.TaskMeta{}
	for _, m := range all {
		task := m.object.DeepCopy()
		setDefaults(&task.Spec.Resources)
		entry, err := registry.NewEntry(task, registry.Interface{}, v1alpha1.Placement{}, nil)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", m.place(), err)
		}
		out[m.Spec.Name] = entry.TaskMeta
	}
	return encodeJSON(out)
}

// setDefaults sets what the API server would.
func setDefaults(r *v1alpha1.Resources) {
	r.Type = cmp.Or(r.Type, v1alpha1.ResourceTypeCPU)
	if r.CPU == nil {
		r.CPU = resource.NewQuantity(1, resource.DecimalSI)
	}
	if r.Memory == nil {
		r.Memory = resource.NewQuantity(1<<30, resource.BinarySI)
	}
}

func encodeJSON(value any) ([]byte, error) {
	var out bytes.Buffer
	if err := report.WriteJSON(&out, value); err != nil {
		return nil, fmt.Errorf("encode the result: %w", err)
	}
	return out.Bytes(), nil
}

// checkSource refuses what cannot be the value of a label.
func checkSource(name string) error {
	if problems := validation.IsValidLabelValue(name); len(problems) > 0 {
		return fmt.Errorf("--source-name %q cannot be the value of a label: %s", name, strings.Join(slices.Compact(problems), "; "))
	}
	return nil
}
