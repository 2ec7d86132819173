package faults

import (
	"encoding/json"
	"reflect"
	"regexp"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/utils/ptr"

	"github.com/maze-agent/maregister/api/v1alpha1"
)

var digestPattern = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

// judgeEntry checks what an entry says of the generation of a task that it is of.
func (w *world) judgeEntry(v *verdict, e *entry, t *v1alpha1.MazeTask) {
	r := &t.Spec.Resources
	fields := []struct {
		name      string
		want, got any
	}{
		{"name", t.Spec.Name, e.Name},
		{"description", t.Spec.Description, ptr.Deref(e.Description, "")},
		{"input_parameters", declared(t.Spec.InputParameters), value(e.InputParameters)},
		{"output_parameters", declared(t.Spec.OutputParameters), value(e.OutputParameters)},
		{"resources.type", string(r.Type), e.Resources.Type},
		{"resources.cpu_num", wholeUnits(r.CPU, 1), e.Resources.CPUNum},
		{"resources.mem", wholeUnits(r.Memory, 1<<20), e.Resources.Mem},
		{"resources.gpu_mem", wholeUnits(r.GPUMemory, 1<<20), e.Resources.GPUMem},
		{"resources.model_name", r.ModelName, ptr.Deref(e.Resources.ModelName, "")},
		{"resources.backend", r.Backend, ptr.Deref(e.Resources.Backend, "")},
		{"entry_point", t.Spec.EntryPoint, ptr.Deref(e.EntryPoint, "")},
		{"predictor", w.predictorOf(t), ptr.Deref(e.Predictor, "")},
		{"schema.input", normalised(t.Spec.InputParameters), value(e.Schema["input"])},
		{"schema.output", normalised(t.Spec.OutputParameters), value(e.Schema["output"])},
		{"kubernetes.namespace", t.Namespace, e.Kubernetes.Namespace},
		{"kubernetes.name", t.Name, e.Kubernetes.Name},
		{"digest.interface is a digest", true, digestPattern.MatchString(e.Digest["interface"])},
		{"digest.spec is a digest", true, digestPattern.MatchString(e.Digest["spec"])},
		{"canonical", true, canonical(e.text)},
	}
	for _, f := range fields {
		if !reflect.DeepEqual(f.want, f.got) {
			v.differ("entry %s: %s is %v, and should be %v", e.Name, f.name, f.got, f.want)
		}
	}
	w.judgePlacement(v, e, t)
}

func declared(parameters *apiextensionsv1.JSON) any {
	if parameters == nil {
		return map[string]any{}
	}
	return value(parameters.Raw)
}

func value(raw []byte) any {
	var v any
	_ = json.Unmarshal(raw, &v) // nil is none that is wanted
	return v
}

// normalised returns the JSON Schema that design and README give for the shorthand that scenarios use: types of properties, of which
// filepath is a string of that format.
func normalised(parameters *apiextensionsv1.JSON) any {
	properties, _ := declared(parameters).(map[string]any)
	if len(properties) == 0 {
		return map[string]any{"type": "object"}
	}
	out := map[string]any{}
	for name, of := range properties {
		of, _ := of.(map[string]any)
		if of["type"] == "filepath" {
			of = map[string]any{"type": "string", "format": "filepath"}
		}
		out[name] = of
	}
	return map[string]any{"type": "object", "properties": out}
}

// wholeUnits returns a quantity in units, rounded up.
func wholeUnits(q *resource.Quantity, unit int64) int64 {
	if q == nil {
		return 0
	}
	whole := q.Value() // rounded up to one
	return (whole + unit - 1) / unit
}

// predictorOf returns malearn's tool type: the spec's or, where it names none, that of the first rule whose text is in the name.
func (w *world) predictorOf(t *v1alpha1.MazeTask) string {
	if t.Spec.Predictor != "" {
		return t.Spec.Predictor
	}
	for _, rule := range w.config.predictors {
		if strings.Contains(t.Spec.Name, rule.contains) {
			return rule.toolType
		}
	}
	return ""
}

// nodeShape is what a plan's nodes are like.
type nodeShape struct {
	name    string
	product string // of the GPUs; "" for a node without
	memory  int64  // of one GPU, in MiB
	gpus    int64
	// published says that Dynamic Resource Allocation hands the GPUs out, while the plan has a class.
	published bool
}

// choice returns how many GPUs a task gets, and with how much memory each: the fewest of one node. 0 if no node has them.
func (w *world) choice(t *v1alpha1.MazeTask) (count, each int64) {
	need := wholeUnits(t.Spec.Resources.GPUMemory, 1<<20)
	for _, n := range w.nodes {
		if n.published && !w.class {
			continue
		}
		for k := int64(1); k <= n.gpus; k++ {
			if k*n.memory >= need && (count == 0 || k < count) {
				count, each = k, (need+k-1)/k
			}
		}
	}
	return count, each
}

// judgePlacement checks the part of the placement that docs/placement.md tells in numbers.
func (w *world) judgePlacement(v *verdict, e *entry, t *v1alpha1.MazeTask) {
	var p placement
	if err := json.Unmarshal(e.Kubernetes.Placement, &p); err != nil {
		v.differ("entry %s: the placement cannot be read: %v", e.Name, err)
		return
	}
	r := &t.Spec.Resources
	if cpu := p.Requests[corev1.ResourceCPU]; cpu.Cmp(*r.CPU) != 0 {
		v.differ("entry %s: the placement requests %s cores, and the task %s", e.Name, cpu.String(), r.CPU)
	}
	if memory := p.Requests[corev1.ResourceMemory]; memory.Cmp(*r.Memory) != 0 {
		v.differ("entry %s: the placement requests %s of memory, and the task %s", e.Name, memory.String(), r.Memory)
	}
	if r.Type != v1alpha1.ResourceTypeGPU {
		if p.GPU != nil {
			v.differ("entry %s: the placement has GPUs, and the task none", e.Name)
		}
		return
	}
	count, each := w.choice(t)
	if w.config.ignoreNodes || !w.hasGPUs() {
		count, each = 1, wholeUnits(r.GPUMemory, 1<<20)
	}
	if count == 0 {
		return // docs do not say what the placement is that no node has
	}
	requested := p.Requests["nvidia.com/gpu"]
	if p.GPU == nil || p.GPU.Count != count || p.GPU.MemoryPerGPU != each || requested.Value() != count {
		v.differ("entry %s: the placement is %s, and should have %d GPUs of %dMi", e.Name, e.Kubernetes.Placement, count, each)
	}
}

func (w *world) hasGPUs() bool {
	for _, n := range w.nodes {
		if n.gpus > 0 {
			return true
		}
	}
	return false
}
