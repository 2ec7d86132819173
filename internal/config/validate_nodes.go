package config

import (
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/maze-agent/maregister/api/config/v1alpha1"
)

const (
	maxPassingTaints = 32
	maxEvenBackends  = 32
	maxAccelerators  = 256
	maxBackend       = 253
	maxTaintKey      = 317
)

// reserveCeiling is more than DaemonSets take of a node.
var reserveCeiling = struct{ cpu, memory resource.Quantity }{resource.MustParse("1k"), memoryCeiling}

func (f *file) reserve(path *field.Path, reserve *v1alpha1.Reserve) {
	if reserve.CPU.Cmp(reserveCeiling.cpu) >= 0 {
		f.invalid(path.Child("cpu"), "is %s: write what DaemonSets take of a node, below 1k cores, such as 200m", reserve.CPU)
	}
	if reserve.Memory.Cmp(reserveCeiling.memory) >= 0 {
		f.invalid(path.Child("memory"), "is %s: write what DaemonSets take of a node, below 1Ti, such as 256Mi", reserve.Memory)
	}
}

// taintPattern is a taint's key in which * may stand for any text.
var taintPattern = regexp.MustCompile(`^[-._/A-Za-z0-9*]+$`)

func (f *file) passingTaints(path *field.Path, patterns []string) {
	if len(patterns) > maxPassingTaints {
		f.invalid(path, "has %d patterns: keep at most %d", len(patterns), maxPassingTaints)
		return
	}
	for i, pattern := range patterns {
		switch first := slices.Index(patterns, pattern); {
		case !taintPattern.MatchString(pattern) || len(pattern) > maxTaintKey:
			f.invalid(path.Index(i), "is %s: write the key of a taint, in which * stands for any text, such as example.com/not-ready*", quote(pattern))
		case strings.Trim(pattern, "*") == "":
			f.invalid(path.Index(i), "is %s, which is every taint: write the key of one, such as example.com/not-ready*", quote(pattern))
		case first < i:
			f.invalid(path.Index(i), "is %s, as is %s: keep one", quote(pattern), path.Index(first))
		}
	}
}

func (f *file) evenBackends(path *field.Path, backends []string) {
	if len(backends) > maxEvenBackends {
		f.invalid(path, "has %d backends: keep at most %d", len(backends), maxEvenBackends)
		return
	}
	for i, backend := range backends {
		switch first := slices.IndexFunc(backends, func(b string) bool { return strings.EqualFold(b, backend) }); {
		case strings.TrimSpace(backend) == "" || len(backend) > maxBackend:
			f.invalid(path.Index(i), "is %s: write the backend of a task, such as vllm", quote(backend))
		case first < i:
			f.invalid(path.Index(i), "is %s, as is %s: keep one", quote(backend), path.Index(first))
		}
	}
}

func (f *file) accelerators(path *field.Path, rows []v1alpha1.Accelerator) {
	if len(rows) > maxAccelerators {
		f.invalid(path, "has %d accelerators: keep at most %d", len(rows), maxAccelerators)
		return
	}
	for i := range rows {
		row, at := &rows[i], path.Index(i)
		if f.wrong[at.String()] {
			continue
		}
		if f.has(at, "label", "the key of a label, such as cloud.google.com/gke-accelerator") && len(validation.IsQualifiedName(row.Label)) > 0 {
			f.invalid(at.Child("label"), "is %s: write the key of a label of nodes, such as cloud.google.com/gke-accelerator", quote(row.Label))
		}
		if f.has(at, "value", "the label's value, such as nvidia-l4") && (row.Value == "" || len(validation.IsValidLabelValue(row.Value)) > 0) {
			f.invalid(at.Child("value"), "is %s: %s", quote(row.Value), labelValueAdvice)
		}
		f.memory(at, &row.Memory)
		if row.Count < 0 || row.Count > maxGPUs {
			f.invalid(at.Child("count"), "is %d: write the number of GPUs on one node, from 1 to %d, or leave it out", row.Count, maxGPUs)
		}
		first := slices.IndexFunc(rows, func(a v1alpha1.Accelerator) bool { return a.Label == row.Label && a.Value == row.Value })
		if first < i && row.Label != "" {
			f.invalid(at.Child("value"), "is %s, as is %s: keep one", quote(row.Value), path.Index(first).Child("value"))
		}
	}
}
