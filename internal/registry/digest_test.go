package registry

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/utils/ptr"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/schema"
)

func normalised(t *testing.T, declared *apiextensionsv1.JSON) json.RawMessage {
	t.Helper()
	var raw []byte
	if declared != nil {
		raw = declared.Raw
	}
	parsed, _, err := schema.Parse(raw)
	if err != nil {
		t.Fatalf("schema.Parse(%s): %v", raw, err)
	}
	return parsed.JSON()
}

func TestInterfaceDigestChangesExactlyWithTheNormalisedSchemas(t *testing.T) {
	const (
		input  = `{"image":{"type":"filepath","description":"a photo"},"count":{"type":"integer","minimum":1}}`
		output = `{"caption":{"type":"string"}}`
	)
	cases := map[string]struct {
		input, output string // as above where empty
		edit          func(*v1alpha1.MazeTask)
		wantChanged   bool
	}{
		"Nothing": {},
		"White space and order": {
			input: `{ "count":{"minimum":1,"type":"integer"},` + "\n" + `"image":{"description":"a photo","type":"filepath"} }`,
		},
		"Escaped text":      {input: `{"image":{"type":"filepath","description":"\u0061 photo"},"count":{"type":"integer","minimum":1}}`},
		"Python's type":     {input: `{"image":{"type":"filepath","description":"a photo"},"count":{"type":"int","minimum":1}}`},
		"A bare type name":  {output: `{"caption":"string"}`},
		"The full schema":   {output: `{"type":"object","properties":{"caption":{"type":"string"}}}`},
		"The schema's name": {output: `{"$schema":"https://json-schema.org/draft/2020-12/schema","properties":{"caption":{"type":"string"}}}`},
		"The type in full": {
			input: `{"image":{"type":"string","format":"filepath","description":"a photo"},"count":{"type":"integer","minimum":1}}`,
		},
		"Metadata": {edit: func(t *v1alpha1.MazeTask) {
			t.UID, t.Generation, t.Name, t.Namespace, t.Labels = "z", 9, "z", "z", map[string]string{"a": "b"}
		}},
		"The rest of the spec": {edit: func(t *v1alpha1.MazeTask) {
			t.Spec.Name, t.Spec.Description, t.Spec.EntryPoint, t.Spec.Predictor, t.Spec.Source = "z", "z", "z:z", "z", nil
			t.Spec.Resources = v1alpha1.Resources{Type: "io"}
			t.Spec.Deprecated = &v1alpha1.Deprecation{Message: "z", Replacement: "z"}
		}},

		"One more argument":        {input: `{"image":{"type":"filepath","description":"a photo"},"count":{"type":"integer","minimum":1},"x":{}}`, wantChanged: true},
		"One less argument":        {input: `{"image":{"type":"filepath","description":"a photo"}}`, wantChanged: true},
		"An argument's name":       {input: `{"images":{"type":"filepath","description":"a photo"},"count":{"type":"integer","minimum":1}}`, wantChanged: true},
		"An argument's type":       {input: `{"image":{"type":"folderpath","description":"a photo"},"count":{"type":"integer","minimum":1}}`, wantChanged: true},
		"An argument's text":       {input: `{"image":{"type":"filepath","description":"A photo"},"count":{"type":"integer","minimum":1}}`, wantChanged: true},
		"An argument's bound":      {input: `{"image":{"type":"filepath","description":"a photo"},"count":{"type":"integer","minimum":2}}`, wantChanged: true},
		"No arguments":             {input: `{}`, wantChanged: true},
		"A required argument":      {output: `{"properties":{"caption":{"type":"string"}},"required":["caption"]}`, wantChanged: true},
		"Another result":           {output: `{"text":{"type":"string"}}`, wantChanged: true},
		"No results":               {output: `{}`, wantChanged: true},
		"Input and output swapped": {input: output, output: input, wantChanged: true},
	}
	digestOf := func(t *testing.T, input, output string, edit func(*v1alpha1.MazeTask)) (digest, normal string) {
		task := fullTask()
		task.Spec.InputParameters, task.Spec.OutputParameters = declaration(input), declaration(output)
		if edit != nil {
			edit(task)
		}
		parameters := Interface{Input: normalised(t, task.Spec.InputParameters), Output: normalised(t, task.Spec.OutputParameters)}
		entry, err := NewEntry(task, parameters, gpuPlacement(), DefaultPredictorRules())
		if err != nil {
			t.Fatalf("NewEntry(...): %v", err)
		}
		return entry.Digest.Interface, string(parameters.Input) + "\n" + string(parameters.Output)
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			before, normalBefore := digestOf(t, input, output, nil)
			after, normalAfter := digestOf(t, orElse(tc.input, input), orElse(tc.output, output), tc.edit)
			if got := before != after; got != tc.wantChanged {
				t.Errorf("digest.interface changed: want %t, got %t", tc.wantChanged, got)
			}
			if got := normalBefore != normalAfter; got != tc.wantChanged {
				t.Errorf("the normalised schemas changed: want %t, got %t:\n%s\n%s", tc.wantChanged, got, normalBefore, normalAfter)
			}
		})
	}
}

func orElse(text, instead string) string {
	if text == "" {
		return instead
	}
	return text
}

// specEdits are edits of fullTask. field is the JSON path of what is edited, for those that change the spec's digest.
var specEdits = map[string]struct {
	field       string
	edit        func(*v1alpha1.MazeTask)
	wantChanged bool
}{
	"name":                  {field: "name", edit: func(t *v1alpha1.MazeTask) { t.Spec.Name = "z" }, wantChanged: true},
	"description":           {field: "description", edit: func(t *v1alpha1.MazeTask) { t.Spec.Description += " " }, wantChanged: true},
	"no description":        {field: "description", edit: func(t *v1alpha1.MazeTask) { t.Spec.Description = "" }, wantChanged: true},
	"inputParameters":       {field: "inputParameters", edit: func(t *v1alpha1.MazeTask) { t.Spec.InputParameters = declaration(`{"x":{}}`) }, wantChanged: true},
	"no inputParameters":    {field: "inputParameters", edit: func(t *v1alpha1.MazeTask) { t.Spec.InputParameters = nil }, wantChanged: true},
	"inputParameters' form": {field: "inputParameters", edit: func(t *v1alpha1.MazeTask) { t.Spec.InputParameters = declaration(string(fullInterface().Input)) }, wantChanged: true},
	"outputParameters":      {field: "outputParameters", edit: func(t *v1alpha1.MazeTask) { t.Spec.OutputParameters = declaration(`{"x":{}}`) }, wantChanged: true},
	"no outputParameters":   {field: "outputParameters", edit: func(t *v1alpha1.MazeTask) { t.Spec.OutputParameters = nil }, wantChanged: true},
	"parameters swapped": {field: "inputParameters", edit: func(t *v1alpha1.MazeTask) {
		t.Spec.InputParameters, t.Spec.OutputParameters = t.Spec.OutputParameters, t.Spec.InputParameters
	}, wantChanged: true},
	"resources.type":         {field: "resources.type", edit: func(t *v1alpha1.MazeTask) { t.Spec.Resources.Type = "io" }, wantChanged: true},
	"resources.cpu":          {field: "resources.cpu", edit: func(t *v1alpha1.MazeTask) { t.Spec.Resources.CPU = quantity("1501m") }, wantChanged: true},
	"resources.memory":       {field: "resources.memory", edit: func(t *v1alpha1.MazeTask) { t.Spec.Resources.Memory = quantity("1G") }, wantChanged: true},
	"resources.gpuMemory":    {field: "resources.gpuMemory", edit: func(t *v1alpha1.MazeTask) { t.Spec.Resources.GPUMemory = quantity("4294967297") }, wantChanged: true},
	"no resources.gpuMemory": {field: "resources.gpuMemory", edit: func(t *v1alpha1.MazeTask) { t.Spec.Resources.GPUMemory = nil }, wantChanged: true},
	"resources.gpuCounts":    {field: "resources.gpuCounts", edit: func(t *v1alpha1.MazeTask) { t.Spec.Resources.GPUCounts = []int32{1, 7} }, wantChanged: true},
	"resources.gpuRequirements": {field: "resources.gpuRequirements.minComputeCapability", edit: func(t *v1alpha1.MazeTask) {
		t.Spec.Resources.GPURequirements = &v1alpha1.GPURequirements{MinComputeCapability: "8.9"}
	}, wantChanged: true},
	"resources.gpuRequirements.architecture": {field: "resources.gpuRequirements.architecture", edit: func(t *v1alpha1.MazeTask) {
		t.Spec.Resources.GPURequirements = &v1alpha1.GPURequirements{Architecture: "arm64"}
	}, wantChanged: true},
	"resources.gpuRequirements.products": {field: "resources.gpuRequirements.products", edit: func(t *v1alpha1.MazeTask) {
		t.Spec.Resources.GPURequirements = &v1alpha1.GPURequirements{Products: []string{"NVIDIA-L4"}}
	}, wantChanged: true},
	"memories swapped": {field: "resources.memory", edit: func(t *v1alpha1.MazeTask) {
		r := &t.Spec.Resources
		r.Memory, r.GPUMemory = r.GPUMemory, r.Memory
	}, wantChanged: true},
	"resources.modelName": {field: "resources.modelName", edit: func(t *v1alpha1.MazeTask) { t.Spec.Resources.ModelName = "" }, wantChanged: true},
	"resources.backend":   {field: "resources.backend", edit: func(t *v1alpha1.MazeTask) { t.Spec.Resources.Backend = "VLLM" }, wantChanged: true},
	"entryPoint":          {field: "entryPoint", edit: func(t *v1alpha1.MazeTask) { t.Spec.EntryPoint = "a:b" }, wantChanged: true},
	"predictor":           {field: "predictor", edit: func(t *v1alpha1.MazeTask) { t.Spec.Predictor = "" }, wantChanged: true},
	"deprecated": {field: "deprecated.message", edit: func(t *v1alpha1.MazeTask) {
		t.Spec.Deprecated = &v1alpha1.Deprecation{Message: "Use z."}
	}, wantChanged: true},
	"deprecated, with another task": {field: "deprecated.replacement", edit: func(t *v1alpha1.MazeTask) {
		t.Spec.Deprecated = &v1alpha1.Deprecation{Message: "Use z.", Replacement: "z"}
	}, wantChanged: true},
	"run.image":     {field: "run.image", edit: withRun(v1alpha1.Run{Image: "tools:v1"}), wantChanged: true},
	"run.timeout":   {field: "run.timeout", edit: withRun(v1alpha1.Run{Timeout: "10m"}), wantChanged: true},
	"run.retries":   {field: "run.retries", edit: withRun(v1alpha1.Run{Retries: ptr.To[int32](0)}), wantChanged: true},
	"run.backoff":   {field: "run.backoff", edit: withRun(v1alpha1.Run{Backoff: "0s"}), wantChanged: true},
	"run.retryOn":   {field: "run.retryOn", edit: withRun(v1alpha1.Run{RetryOn: []string{"Timeout"}}), wantChanged: true},
	"run.envFrom":   {field: "run.envFrom", edit: withRun(v1alpha1.Run{EnvFrom: []v1alpha1.EnvFromSource{{Prefix: "A_"}}}), wantChanged: true},
	"no source":     {field: "source.path", edit: func(t *v1alpha1.MazeTask) { t.Spec.Source = nil }, wantChanged: true},
	"source.path":   {field: "source.path", edit: func(t *v1alpha1.MazeTask) { t.Spec.Source.Path = "z" }, wantChanged: true},
	"source.line":   {field: "source.line", edit: func(t *v1alpha1.MazeTask) { t.Spec.Source.Line++ }, wantChanged: true},
	"source.digest": {field: "source.digest", edit: func(t *v1alpha1.MazeTask) { t.Spec.Source.Digest = "" }, wantChanged: true},

	"nothing": {edit: func(*v1alpha1.MazeTask) {}},
	"quantities written differently": {edit: func(t *v1alpha1.MazeTask) {
		r := &t.Spec.Resources
		r.CPU, r.Memory, r.GPUMemory = quantity("1.5"), quantity("1024Mi"), quantity("4294967296")
	}},
	"parameters in another order": {edit: func(t *v1alpha1.MazeTask) {
		t.Spec.InputParameters = declaration(`{"count":{"minimum":1.50,"maximum":12345678901234567890,"type":"integer"},"image":{"type":"filepath"}}`)
	}},
	"metadata": {edit: func(t *v1alpha1.MazeTask) {
		t.UID, t.Generation, t.Name, t.Namespace, t.ResourceVersion = "z", 9, "z", "z", "9"
		t.Labels, t.Annotations = map[string]string{"a": "b"}, map[string]string{"a": "b"}
	}},
	"status": {edit: func(t *v1alpha1.MazeTask) {
		t.Status = v1alpha1.MazeTaskStatus{ObservedGeneration: 9, Placement: ptr.To(gpuPlacement())}
	}},
}

func withRun(run v1alpha1.Run) func(*v1alpha1.MazeTask) {
	return func(t *v1alpha1.MazeTask) { t.Spec.Run = &run }
}

func TestSpecDigestChangesExactlyWithTheSpec(t *testing.T) {
	digestOf := func(t *testing.T, task *v1alpha1.MazeTask) string {
		entry, err := NewEntry(task, fullInterface(), gpuPlacement(), DefaultPredictorRules())
		if err != nil {
			t.Fatalf("NewEntry(...): %v", err)
		}
		return entry.Digest.Spec
	}
	for name, tc := range specEdits {
		t.Run(name, func(t *testing.T) {
			task := fullTask()
			tc.edit(task)
			if got := digestOf(t, task) != digestOf(t, fullTask()); got != tc.wantChanged {
				t.Errorf("digest.spec changed: want %t, got %t", tc.wantChanged, got)
			}
		})
	}
}

// TestSpecEditsCoverTheSpec fails when the spec gets a field for which specEdits has no edit.
func TestSpecEditsCoverTheSpec(t *testing.T) {
	edited := map[string]bool{}
	for _, tc := range specEdits {
		if tc.wantChanged {
			edited[tc.field] = true
		}
	}
	want := leaves(reflect.TypeFor[v1alpha1.MazeTaskSpec](), "")
	var got []string
	for field := range edited {
		got = append(got, field)
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("edited fields: -want, +got:\n%s", diff)
	}
}

// leaves are the JSON paths of the fields of a struct that are no structs of ours.
func leaves(of reflect.Type, path string) []string {
	var out []string
	for field := range of.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		inner := field.Type
		if inner.Kind() == reflect.Pointer {
			inner = inner.Elem()
		}
		opaque := inner == reflect.TypeFor[resource.Quantity]() || inner == reflect.TypeFor[apiextensionsv1.JSON]()
		if inner.Kind() == reflect.Struct && !opaque {
			out = append(out, leaves(inner, path+name+".")...)
			continue
		}
		out = append(out, path+name)
	}
	return out
}
