package registry

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/maze-agent/maregister/api/v1alpha1"
)

// TaskMeta holds the fields of the original registry's _task_meta.
type TaskMeta struct {
	// Name is the task's spec.name, by which a DAG names it.
	Name string `json:"name"`
	// Description is nil where the task has none.
	Description *string `json:"description"`
	// InputParameters and OutputParameters are as declared: a JSON Schema, or the original's map of name to property
	// schema. {} where nothing is declared.
	InputParameters  json.RawMessage `json:"input_parameters"`
	OutputParameters json.RawMessage `json:"output_parameters"`
	// Resources is what a run needs.
	Resources TaskResources `json:"resources"`
}

// TaskResources is the original's resources.
type TaskResources struct {
	// Type is cpu, gpu or io.
	Type v1alpha1.ResourceType `json:"type"`
	// CPUNum is in whole cores, rounded up.
	CPUNum int64 `json:"cpu_num"`
	// Mem is in MiB, rounded up.
	Mem int64 `json:"mem"`
	// GPUMem is in MiB, rounded up, of all GPUs together. 0 where a task names no size.
	GPUMem int64 `json:"gpu_mem"`
	// ModelName and Backend are nil where the task names none.
	ModelName *string `json:"model_name"`
	Backend   *string `json:"backend"`
}

// Entry is one task as published.
type Entry struct {
	TaskMeta `json:",inline"`

	// Schema holds the parameters, normalised.
	Schema Interface `json:"schema"`
	// EntryPoint is how an executor gets the function: "package.module:function". Nil where the task does not say.
	EntryPoint *string `json:"entry_point"`
	// Predictor is malearn's tool type: spec.predictor or, where that is absent, by the rules of the operator's configuration.
	// Nil if there is none.
	Predictor *string `json:"predictor"`
	// Run says how a Pod runs the task, in the form of spec.run. Absent where the task does not say.
	Run *v1alpha1.Run `json:"run,omitempty"`
	// Deprecated says why the task should no longer be used, and what to use instead. Absent for a task that is here to stay.
	Deprecated *Deprecation `json:"deprecated,omitempty"`
	// Digest shows whether what was learnt of the task still holds.
	Digest Digests `json:"digest"`
	// Kubernetes is the MazeTask that the entry was made from, and what a Pod for it needs.
	Kubernetes Origin `json:"kubernetes"`
}

// Deprecation is a task's spec.deprecated.
type Deprecation = v1alpha1.Deprecation

// Interface holds the parameters as normalised JSON Schemas (2020-12), of an object each.
type Interface struct {
	Input  json.RawMessage `json:"input"`
	Output json.RawMessage `json:"output"`
}

// Digests tell a consumer that keeps something about a task whether it still holds. Each is "sha256:" and 64
// hexadecimal digits. They are of the task alone: what an entry also depends on, the nodes and the rules for Predictor, leaves
// them as they are, and changes only the digest of the whole entry, which Item and the task's status have.
type Digests struct {
	// Interface changes exactly when the normalised parameters do.
	Interface string `json:"interface"`
	// Spec changes when anything in the spec does, but not when a quantity or a duration is only written differently. Quantities
	// count as Kubernetes counts them: in millicores and bytes, rounded up.
	Spec string `json:"spec"`
}

// Origin is the object that an entry was made from.
type Origin struct {
	// Namespace, Name, UID and Generation are the MazeTask's metadata. Generation counts the changes of its spec.
	Namespace  string    `json:"namespace"`
	Name       string    `json:"name"`
	UID        types.UID `json:"uid"`
	Generation int64     `json:"generation"`
	// Placement goes into a Pod that runs the task, as it is.
	Placement v1alpha1.Placement `json:"placement"`
	// GPUCounts are the numbers of GPUs that the task's model allows. Absent for any.
	GPUCounts []int32 `json:"gpuCounts,omitempty"`
	// GPURequirements say what the GPUs must be, besides their memory. Absent for any.
	GPURequirements *v1alpha1.GPURequirements `json:"gpuRequirements,omitempty"`
	// PredictorRule is what the name of the task contains, by which a rule of the operator's configuration gives Predictor.
	// Empty if no rule does. By it, the entry of a spec that is no more follows another configuration.
	PredictorRule string `json:"predictorRule,omitempty"`
}

// NewEntry returns the entry of an accepted task from its object, its normalised parameters, its placement, and the rules that
// tell its predictor where the spec does not.
func NewEntry(task *v1alpha1.MazeTask, parameters Interface, placement v1alpha1.Placement, rules PredictorRules) (Entry, error) {
	spec := canonical(task.Spec)
	specText, err := canonicalJSON(spec)
	if err != nil {
		return Entry{}, fmt.Errorf("encode the spec: %w", err)
	}
	interfaceText, err := canonicalJSON(parameters)
	if err != nil {
		return Entry{}, fmt.Errorf("encode the parameters: %w", err)
	}
	entry := Entry{
		TaskMeta: TaskMeta{
			Name:             spec.Name,
			Description:      text(spec.Description),
			InputParameters:  declared(spec.InputParameters),
			OutputParameters: declared(spec.OutputParameters),
			Resources:        ResourcesOf(&spec.Resources),
		},
		Schema:     parameters,
		EntryPoint: text(spec.EntryPoint),
		Predictor:  text(spec.Predictor),
		Run:        spec.Run,
		Deprecated: spec.Deprecated,
		Digest:     Digests{Interface: digest(interfaceText), Spec: digest(specText)},
		Kubernetes: Origin{
			Namespace: task.Namespace, Name: task.Name, UID: task.UID, Generation: task.Generation, Placement: placement,
			GPUCounts: slices.Sorted(slices.Values(spec.Resources.GPUCounts)), GPURequirements: spec.Resources.GPURequirements,
		},
	}
	if entry.Predictor == nil {
		entry.applyPredictorRules(rules)
	}
	return entry, nil
}

// ResourcesOf returns a task's resources as an entry has them.
func ResourcesOf(r *v1alpha1.Resources) TaskResources {
	return TaskResources{
		Type:      r.Type,
		CPUNum:    cores(r.CPU),
		Mem:       v1alpha1.Mebibytes(r.Memory),
		GPUMem:    v1alpha1.Mebibytes(r.GPUMemory),
		ModelName: text(r.ModelName),
		Backend:   text(r.Backend),
	}
}

// SpecResources returns what the task's spec.resources say, as far as an entry has it: the inverse of NewEntry. CPU and memory are exactly
// those of the placement's requests, and in whole cores and MiB of an entry without. What a task does not name is nil or empty.
func (e *Entry) SpecResources() *v1alpha1.Resources {
	out := &v1alpha1.Resources{
		Type:      e.Resources.Type,
		CPU:       e.requested(corev1.ResourceCPU, e.Resources.CPUNum, resource.DecimalSI),
		Memory:    e.requested(corev1.ResourceMemory, e.Resources.Mem<<20, resource.BinarySI),
		ModelName: ptr.Deref(e.Resources.ModelName, ""),
		Backend:   ptr.Deref(e.Resources.Backend, ""),
		GPUCounts: e.Kubernetes.GPUCounts, GPURequirements: e.Kubernetes.GPURequirements,
	}
	if e.Resources.GPUMem != 0 {
		out.GPUMemory = resource.NewQuantity(e.Resources.GPUMem<<20, resource.BinarySI)
	}
	return out
}

// requested returns the request of the placement, or what the entry says otherwise. It is nil for none.
func (e *Entry) requested(name corev1.ResourceName, otherwise int64, format resource.Format) *resource.Quantity {
	if request, ok := e.Kubernetes.Placement.Requests[name]; ok {
		return &request
	}
	if otherwise == 0 {
		return nil
	}
	return resource.NewQuantity(otherwise, format)
}

// Item is an entry, encoded.
type Item struct {
	// Name is the entry's key.
	Name string
	// UID and Generation are those of the task that the entry was made from.
	UID        types.UID
	Generation int64
	// Placement is the entry's.
	Placement *v1alpha1.Placement
	// Predictor is the entry's. Empty where that is null.
	Predictor string
	// Text is the entry as canonical JSON: keys sorted, no white space.
	Text string
	// Digest is the SHA-256 of Text: "sha256:" and 64 hexadecimal digits.
	Digest string
}

// Encode returns the entry's text.
func (e Entry) Encode() (Item, error) {
	encoded, err := canonicalJSON(e)
	if err != nil {
		return Item{}, fmt.Errorf("encode the entry of %s: %w", e.Name, err)
	}
	return newItem(e, string(encoded)), nil
}

// EntryDigest is the digest of an entry's text, as Item has it.
func EntryDigest(encoded string) string { return digest([]byte(encoded)) }

// Decode reads an entry's text, which it keeps as it is.
func Decode(encoded string) (Item, error) {
	e, err := DecodeEntry(encoded)
	if err != nil {
		return Item{}, err
	}
	return newItem(e, encoded), nil
}

// DecodeEntry reads an entry's text, which anyone who may edit ConfigMaps can have written.
func DecodeEntry(encoded string) (Entry, error) {
	var guard quantityGuard
	if err := json.Unmarshal([]byte(encoded), &guard); err != nil {
		return Entry{}, fmt.Errorf("decode an entry: %w", err)
	}
	var e Entry
	if err := json.Unmarshal([]byte(encoded), &e); err != nil {
		return Entry{}, fmt.Errorf("decode an entry: %w", err)
	}
	return e, nil
}

// Entry decodes the text.
func (i Item) Entry() (Entry, error) {
	var e Entry
	if err := json.Unmarshal([]byte(i.Text), &e); err != nil {
		return Entry{}, fmt.Errorf("decode the entry of %s: %w", i.Name, err)
	}
	return e, nil
}

// WithPlacement returns the same entry with another placement.
func (i Item) WithPlacement(placement v1alpha1.Placement) (Item, error) {
	e, err := i.Entry()
	if err != nil {
		return Item{}, err
	}
	e.Kubernetes.Placement = placement
	return e.Encode()
}

// quantityGuard is decoded before an Entry, which anyone who may edit ConfigMaps can have written: parsing the quantity
// 1e-10000000 takes seconds.
type quantityGuard struct {
	Kubernetes struct {
		Placement struct {
			Requests map[string]plainQuantity `json:"requests"`
			Limits   map[string]plainQuantity `json:"limits"`
		} `json:"placement"`
	} `json:"kubernetes"`
}

// plainQuantity is a quantity as Encode writes it.
type plainQuantity struct{}

var plainQuantityPattern = regexp.MustCompile(`^"?[0-9]{1,18}([.][0-9]{1,9})?([KMGTPE]i|[mkMGTPE])?"?$`)

// UnmarshalJSON implements json.Unmarshaler.
func (*plainQuantity) UnmarshalJSON(raw []byte) error {
	if !plainQuantityPattern.Match(raw) {
		return errors.New("a quantity has an exponent or is none")
	}
	return nil
}

func newItem(e Entry, encoded string) Item {
	placement := e.Kubernetes.Placement // a pointer into the entry would keep all of it
	return Item{
		Name:       e.Name,
		UID:        e.Kubernetes.UID,
		Generation: e.Kubernetes.Generation,
		Placement:  &placement,
		Predictor:  ptr.Deref(e.Predictor, ""),
		Text:       encoded,
		Digest:     EntryDigest(encoded),
	}
}

// Size returns what the entry takes of a ConfigMap's data, key included, in bytes.
func (i *Item) Size() int { return len(i.Name) + len(i.Text) }

// canonical makes what means the same the same: 4096Mi, 4Gi and 4294967296, and 600s and 10m.
func canonical(spec v1alpha1.MazeTaskSpec) v1alpha1.MazeTaskSpec {
	if spec.Run != nil {
		spec.Run = spec.Run.DeepCopy()
		slices.Sort(spec.Run.RetryOn) // a set
		for _, d := range []*v1alpha1.Duration{&spec.Run.Timeout, &spec.Run.Backoff} {
			if *d != "" {
				*d = v1alpha1.NewDuration(d.Length())
			}
		}
	}
	r := &spec.Resources
	if r.CPU != nil {
		r.CPU = resource.NewMilliQuantity(r.CPU.MilliValue(), resource.DecimalSI)
	}
	if len(r.GPUCounts) > 0 {
		r.GPUCounts = slices.Sorted(slices.Values(r.GPUCounts)) // a set
	}
	if r.GPURequirements != nil && len(r.GPURequirements.Products) > 0 {
		r.GPURequirements = r.GPURequirements.DeepCopy()
		slices.Sort(r.GPURequirements.Products) // a set
	}
	for _, q := range []**resource.Quantity{&r.Memory, &r.GPUMemory} {
		if *q != nil {
			*q = resource.NewQuantity((*q).Value(), resource.BinarySI)
		}
	}
	return spec
}

func digest(content []byte) string {
	sum := sha256.Sum256(content)
	return digestPrefix + hex.EncodeToString(sum[:])
}

const digestPrefix = "sha256:"
