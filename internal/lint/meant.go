package lint

import (
	"maps"
	"reflect"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/maze-agent/maregister/internal/nearest"
)

// fromPython are the original's names, where they are not nearly the same, and those of run and deprecated, which are easily written one level too high.
var fromPython = map[string]string{
	"task_type": "resources.type", "cpu_num": "resources.cpu", "mem": "resources.memory", "cpu_mem": "resources.memory", "gpu_mem": "resources.gpuMemory",
	"timeout_seconds": "run.timeout", "max_retries": "run.retries", "retry_backoff_seconds": "run.backoff", "retry_on": "run.retryOn",
	"image": "run.image", "timeout": "run.timeout", "retries": "run.retries", "backoff": "run.backoff", "retryOn": "run.retryOn", "envFrom": "run.envFrom",
	"replacement": "deprecated.replacement",
}

// meant guesses which field was meant where there is none of that name. Empty if there is no guess.
func (a *Admission) meant(path string) string {
	path = strings.TrimPrefix(path, ".")
	if name, ok := strings.CutPrefix(path, "metadata."); ok {
		return nearest.Name(name, metaFields())
	}
	fields := a.structural.Properties
	for top := true; ; top = false {
		name, rest, deeper := strings.Cut(path, ".")
		name, _, _ = strings.Cut(name, "[")
		next, ok := fields[name]
		if !deeper || !ok {
			if known := fromPython[path]; known != "" {
				return known
			}
			if _, ok := a.structural.Properties["spec"].Properties[path]; ok && top {
				return "spec." + path
			}
			return nearest.Name(path, slices.Sorted(maps.Keys(fields)))
		}
		if next.Items != nil {
			next = *next.Items
		}
		fields, path = next.Properties, rest
	}
}

func metaFields() []string {
	var names []string
	for _, one := range reflect.VisibleFields(reflect.TypeFor[metav1.ObjectMeta]()) {
		if name, _, _ := strings.Cut(one.Tag.Get("json"), ","); name != "" {
			names = append(names, name)
		}
	}
	return names
}
