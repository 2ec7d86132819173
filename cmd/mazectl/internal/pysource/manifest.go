package pysource

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/discover"
)

const (
	// LabelSource names the discovery that made an object: the value of --source-name.
	LabelSource    = "registry.mazeagent.net/source"
	labelManagedBy = "app.kubernetes.io/managed-by"
	managedBy      = "mazectl"
)

// Manifest is a discovered task as an object.
type Manifest struct {
	discover.Task
	Object *v1alpha1.MazeTask
}

// Place is where the task is declared: file:line.
func (m *Manifest) Place() string { return fmt.Sprintf("%s:%d", m.File, m.Position.Line) }

// Manifests makes objects of tasks, in their order. Namespace and source may be empty.
func Manifests(tasks []discover.Task, namespace, source string) []Manifest {
	names := objectNames(tasks)
	out := make([]Manifest, len(tasks))
	for i, task := range tasks {
		labels := map[string]string{labelManagedBy: managedBy}
		if source != "" {
			labels[LabelSource] = source
		}
		out[i] = Manifest{Task: task, Object: &v1alpha1.MazeTask{
			TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.SchemeGroupVersion.String(), Kind: "MazeTask"},
			ObjectMeta: metav1.ObjectMeta{Name: names[i], Namespace: namespace, Labels: labels},
			Spec:       task.Spec,
		}}
	}
	return out
}

// objectNames returns a name for the object of each task. Those that would have the same have a hash in it, all of them: which task
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

// CheckSource refuses what cannot be the value of a label.
func CheckSource(name string) error {
	if problems := validation.IsValidLabelValue(name); len(problems) > 0 {
		return fmt.Errorf("--source-name %q cannot be the value of a label: %s", name, strings.Join(slices.Compact(problems), "; "))
	}
	return nil
}
