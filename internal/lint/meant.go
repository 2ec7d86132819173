package lint

import (
	"maps"
	"reflect"
	"slices"
	"strings"

	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
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

// fromWorkflows are what other frameworks call the fields of a workflow's nodes and edges.
var fromWorkflows = map[string]string{
	"function": "func", "task": "func", "task_name": "func", "tool": "func", "name": "id",
	"inputs": "args", "arguments": "args", "params": "args", "parameters": "args", "kwargs": "args",
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
			if known := fromPython[path]; known != "" && a.hasField(known) {
				return known
			}
			if other := fromWorkflows[path]; !top && other != "" && hasMember(fields, other) {
				return other
			}
			if top && a.hasField(path) {
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

func hasMember(fields map[string]structuralschema.Structural, name string) bool {
	_, ok := fields[name]
	return ok
}

// hasField reports whether the spec has a field: the fields of another kind are of no help.
func (a *Admission) hasField(path string) bool {
	at := a.structural.Properties["spec"]
	for name := range strings.SplitSeq(path, ".") {
		next, ok := at.Properties[name]
		if !ok {
			return false
		}
		at = next
	}
	return true
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
