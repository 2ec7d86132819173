package registry

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/utils/ptr"

	"github.com/maze-agent/maregister/api/v1alpha1"
)

// The canonical texts that the digests of fullTask are taken of.
const (
	fullInterfaceText = `{"input":{"properties":{"count":{"maximum":12345678901234567890,"minimum":1.50,"type":"integer"},` +
		`"image":{"format":"filepath","type":"string"}},"type":"object"},` +
		`"output":{"properties":{"说明":{"pattern":"<b>&","type":"string"}},"type":"object"}}`
	fullSpecText = `{"description":"Writes a <caption> & \"more\".\n为图像写说明 😀","entryPoint":"tools.image:image_caption",` +
		`"inputParameters":{"count":{"maximum":12345678901234567890,"minimum":1.50,"type":"integer"},"image":{"type":"filepath"}},` +
		`"name":"image_caption","outputParameters":{"说明":{"pattern":"<b>&","type":"string"}},"predictor":"vlm_process",` +
		`"resources":{"backend":"vllm","cpu":"1500m","gpuMemory":"4Gi","memory":"1Gi","modelName":"llava-v1.6","type":"gpu"},` +
		`"source":{"digest":"sha256:0000000000000000000000000000000000000000000000000000000000000000","line":12,"path":"tools/image.py"}}`
)

func TestEncodeGivesCanonicalJSON(t *testing.T) {
	nothing := json.RawMessage(`{"type":"object"}`)
	minimal := fullTask()
	minimal.Spec = v1alpha1.MazeTaskSpec{Name: "ls", Resources: v1alpha1.Resources{
		Type: v1alpha1.ResourceTypeCPU, CPU: quantity("1"), Memory: quantity("1Gi"),
	}}
	ran := fullTask()
	ran.Spec = v1alpha1.MazeTaskSpec{Name: "ran", Run: &v1alpha1.Run{
		Image: "registry.example.com/tools:v1", Timeout: "600s", Retries: ptr.To[int32](0), Backoff: "0s", RetryOn: []string{"node_lost", "Timeout"},
		EnvFrom: []v1alpha1.EnvFromSource{
			{SecretRef: &v1alpha1.EnvFromReference{Name: "keys"}}, {Prefix: "A_", ConfigMapRef: &v1alpha1.EnvFromReference{Name: "a", Optional: ptr.To(true)}},
		},
	}}
	const ranText = `{"backoff":"0s","envFrom":[{"secretRef":{"name":"keys"}},{"configMapRef":{"name":"a","optional":true},"prefix":"A_"}],` +
		`"image":"registry.example.com/tools:v1","retries":0,"retryOn":["Timeout","node_lost"],"timeout":"10m"}`
	deprecated := fullTask()
	deprecated.Spec = v1alpha1.MazeTaskSpec{Name: "old", Deprecated: &v1alpha1.Deprecation{Message: "Use <new>.", Replacement: "new"}}
	named := fullTask()
	named.Spec = v1alpha1.MazeTaskSpec{Name: "x_llm_fuse"}
	cases := map[string]struct {
		task       *v1alpha1.MazeTask
		parameters Interface
		placement  v1alpha1.Placement
		predictor  string
		want       string
	}{
		"A task with everything": {
			task: fullTask(), parameters: fullInterface(), placement: gpuPlacement(), predictor: "vlm_process",
			want: `{"description":"Writes a <caption> & \"more\".\n为图像写说明 😀",` +
				`"digest":{"interface":"` + sha(fullInterfaceText) + `","spec":"` + sha(fullSpecText) + `"},` +
				`"entry_point":"tools.image:image_caption",` +
				`"input_parameters":{"count":{"maximum":12345678901234567890,"minimum":1.50,"type":"integer"},"image":{"type":"filepath"}},` +
				`"kubernetes":{"generation":3,"name":"image-caption","namespace":"vision","placement":{` +
				`"gpu":{"count":1,"memoryPerGPU":4096,"resourceName":"nvidia.com/gpu","tensorParallelSize":1},` +
				`"limits":{"nvidia.com/gpu":"1"},"nodeSelector":{"disk":"ssd","zone":"b"},` +
				`"requests":{"cpu":"1500m","memory":"1Gi","nvidia.com/gpu":"1"},` +
				`"tolerations":[{"effect":"NoSchedule","key":"nvidia.com/gpu","operator":"Exists"}]},"uid":"7d3e"},` +
				`"name":"image_caption","output_parameters":{"说明":{"pattern":"<b>&","type":"string"}},"predictor":"vlm_process",` +
				`"resources":{"backend":"vllm","cpu_num":2,"gpu_mem":4096,"mem":1024,"model_name":"llava-v1.6","type":"gpu"},` +
				`"schema":` + fullInterfaceText + `}`,
		},
		"How a Pod runs it: durations and sets in one form": {
			task: ran, parameters: Interface{Input: nothing, Output: nothing},
			want: `{"description":null,"digest":{"interface":"` + sha(`{"input":{"type":"object"},"output":{"type":"object"}}`) + `",` +
				`"spec":"` + sha(`{"name":"ran","run":`+ranText+`}`) + `"},` +
				`"entry_point":null,"input_parameters":{},` +
				`"kubernetes":{"generation":3,"name":"image-caption","namespace":"vision","placement":{},"uid":"7d3e"},` +
				`"name":"ran","output_parameters":{},"predictor":null,` +
				`"resources":{"backend":null,"cpu_num":0,"gpu_mem":0,"mem":0,"model_name":null,"type":""},` +
				`"run":` + ranText + `,"schema":{"input":{"type":"object"},"output":{"type":"object"}}}`,
		},
		"Why not to use it any more": {
			task: deprecated, parameters: Interface{Input: nothing, Output: nothing},
			want: `{"deprecated":{"message":"Use <new>.","replacement":"new"},` +
				`"description":null,"digest":{"interface":"` + sha(`{"input":{"type":"object"},"output":{"type":"object"}}`) + `",` +
				`"spec":"` + sha(`{"deprecated":{"message":"Use <new>.","replacement":"new"},"name":"old"}`) + `"},` +
				`"entry_point":null,"input_parameters":{},` +
				`"kubernetes":{"generation":3,"name":"image-caption","namespace":"vision","placement":{},"uid":"7d3e"},` +
				`"name":"old","output_parameters":{},"predictor":null,` +
				`"resources":{"backend":null,"cpu_num":0,"gpu_mem":0,"mem":0,"model_name":null,"type":""},` +
				`"schema":{"input":{"type":"object"},"output":{"type":"object"}}}`,
		},
		"Absent text is null, absent parameters are empty, an absent size is 0": {
			task: minimal, parameters: Interface{Input: nothing, Output: nothing},
			want: `{"description":null,"digest":{"interface":"` + sha(`{"input":{"type":"object"},"output":{"type":"object"}}`) + `",` +
				`"spec":"` + sha(`{"name":"ls","resources":{"cpu":"1","memory":"1Gi","type":"cpu"}}`) + `"},` +
				`"entry_point":null,"input_parameters":{},` +
				`"kubernetes":{"generation":3,"name":"image-caption","namespace":"vision","placement":{},"uid":"7d3e"},` +
				`"name":"ls","output_parameters":{},"predictor":null,` +
				`"resources":{"backend":null,"cpu_num":1,"gpu_mem":0,"mem":1024,"model_name":null,"type":"cpu"},` +
				`"schema":{"input":{"type":"object"},"output":{"type":"object"}}}`,
		},
		"A predictor that a rule tells, and which": {
			task: named, parameters: Interface{Input: nothing, Output: nothing}, predictor: "llm_fuse2In1",
			want: `{"description":null,"digest":{"interface":"` + sha(`{"input":{"type":"object"},"output":{"type":"object"}}`) + `",` +
				`"spec":"` + sha(`{"name":"x_llm_fuse"}`) + `"},` +
				`"entry_point":null,"input_parameters":{},` +
				`"kubernetes":{"generation":3,"name":"image-caption","namespace":"vision","placement":{},"predictorRule":"llm_fuse","uid":"7d3e"},` +
				`"name":"x_llm_fuse","output_parameters":{},"predictor":"llm_fuse2In1",` +
				`"resources":{"backend":null,"cpu_num":0,"gpu_mem":0,"mem":0,"model_name":null,"type":""},` +
				`"schema":{"input":{"type":"object"},"output":{"type":"object"}}}`,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			before := tc.task.DeepCopy()
			got := encode(t, tc.task, tc.parameters, tc.placement)
			want := Item{Name: tc.task.Spec.Name, UID: "7d3e", Generation: 3, Placement: &tc.placement, Predictor: tc.predictor, Text: tc.want, Digest: sha(tc.want)}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("Encode(): -want, +got:\n%s", diff)
			}
			if diff := cmp.Diff(before, tc.task); diff != "" {
				t.Errorf("NewEntry(...) changed the task: -before, +after:\n%s", diff)
			}
		})
	}
}

func TestEncodeDoesNotDependOnHowAQuantityIsWritten(t *testing.T) {
	want := encode(t, fullTask(), fullInterface(), gpuPlacement()).Text
	cases := map[string]v1alpha1.Resources{
		"In Mi":             {CPU: quantity("1500m"), Memory: quantity("1024Mi"), GPUMemory: quantity("4096Mi")},
		"In bytes":          {CPU: quantity("1.5"), Memory: quantity("1073741824"), GPUMemory: quantity("4294967296")},
		"With a fraction":   {CPU: quantity("1.500"), Memory: quantity("0.0009765625Ti"), GPUMemory: quantity("4.0Gi")},
		"In thousand bytes": {CPU: quantity("0.0015k"), Memory: quantity("1073741.824k"), GPUMemory: quantity("4294967.296k")},
		"With an exponent":  {CPU: quantity("15e-1"), Memory: quantity("1073741824e0"), GPUMemory: quantity("4.294967296e9")},
	}
	for name, resources := range cases {
		t.Run(name, func(t *testing.T) {
			task := fullTask()
			task.UID = "11ff"
			task.Spec.Resources.CPU, task.Spec.Resources.Memory, task.Spec.Resources.GPUMemory = resources.CPU, resources.Memory, resources.GPUMemory
			got := encode(t, task, fullInterface(), gpuPlacement()).Text
			if diff := cmp.Diff(want, strings.Replace(got, `"uid":"11ff"`, `"uid":"7d3e"`, 1)); diff != "" {
				t.Errorf("Encode(): -want, +got, but for the UID:\n%s", diff)
			}
			if got == want {
				t.Error("Encode(): want another UID in the text, got the same text")
			}
		})
	}
}

func TestNewEntryRoundsResourcesUp(t *testing.T) {
	cases := map[string]struct {
		resources v1alpha1.Resources
		want      TaskResources
	}{
		"Nothing declared":        {want: TaskResources{}},
		"Half a core":             {resources: v1alpha1.Resources{CPU: quantity("500m")}, want: TaskResources{CPUNum: 1}},
		"A little over two cores": {resources: v1alpha1.Resources{CPU: quantity("2001m")}, want: TaskResources{CPUNum: 3}},
		"No core":                 {resources: v1alpha1.Resources{CPU: quantity("0")}, want: TaskResources{}},
		"One byte over 1Mi":       {resources: v1alpha1.Resources{Memory: quantity("1048577")}, want: TaskResources{Mem: 2}},
		"1M is less than 1Mi":     {resources: v1alpha1.Resources{GPUMemory: quantity("1M")}, want: TaskResources{GPUMem: 1}},
		"The largest allowed sizes": {
			resources: v1alpha1.Resources{CPU: quantity("100k"), Memory: quantity("1Pi"), GPUMemory: quantity("1Pi")},
			want:      TaskResources{CPUNum: 100_000, Mem: 1 << 30, GPUMem: 1 << 30},
		},
		"Text is kept": {
			resources: v1alpha1.Resources{Type: "io", ModelName: "m", Backend: "b"},
			want:      TaskResources{Type: "io", ModelName: ptr.To("m"), Backend: ptr.To("b")},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			task := fullTask()
			task.Spec.Resources = tc.resources
			got, err := NewEntry(task, fullInterface(), v1alpha1.Placement{}, nil)
			if err != nil {
				t.Fatalf("NewEntry(...): %v", err)
			}
			if diff := cmp.Diff(tc.want, got.Resources); diff != "" {
				t.Errorf("NewEntry(...).Resources: -want, +got:\n%s", diff)
			}
		})
	}
}

func TestNewEntryRefusesWhatIsNotJSON(t *testing.T) {
	good, bad := fullInterface(), json.RawMessage(`{`)
	cases := map[string]struct {
		edit       func(*v1alpha1.MazeTaskSpec)
		parameters Interface
		want       string
	}{
		"inputParameters": {
			edit: func(s *v1alpha1.MazeTaskSpec) { s.InputParameters = declaration(`{`) }, parameters: good,
			want: "encode the spec: ",
		},
		"outputParameters": {
			edit: func(s *v1alpha1.MazeTaskSpec) { s.OutputParameters = declaration(`{} {}`) }, parameters: good,
			want: "encode the spec: ",
		},
		"The normalised input":  {parameters: Interface{Input: bad, Output: good.Output}, want: "encode the parameters: "},
		"The normalised output": {parameters: Interface{Input: good.Input, Output: bad}, want: "encode the parameters: "},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			task := fullTask()
			if tc.edit != nil {
				tc.edit(&task.Spec)
			}
			_, err := NewEntry(task, tc.parameters, v1alpha1.Placement{}, nil)
			if err == nil || !strings.HasPrefix(err.Error(), tc.want) {
				t.Errorf("NewEntry(...): want an error that begins with %q, got %v", tc.want, err)
			}
		})
	}
}

func TestDecodeUndoesEncode(t *testing.T) {
	without := func(edit func(*v1alpha1.MazeTask)) *v1alpha1.MazeTask {
		task := fullTask()
		edit(task)
		return task
	}
	cases := map[string]*v1alpha1.MazeTask{
		"A task with everything": fullTask(),
		"Nothing but a name":     without(func(t *v1alpha1.MazeTask) { t.Spec = v1alpha1.MazeTaskSpec{Name: "x"} }),
		"The largest generation": without(func(t *v1alpha1.MazeTask) { t.Generation = 1<<63 - 1 }),
		"A name with a dot":      without(func(t *v1alpha1.MazeTask) { t.Spec.Name = "a.b-c_D" }),
		"Line separators":        without(func(t *v1alpha1.MazeTask) { t.Spec.Description = "\u2028\u2029\x00\x7f\\\"" }),
	}
	for name, task := range cases {
		t.Run(name, func(t *testing.T) {
			want := encode(t, task, fullInterface(), gpuPlacement())
			got, err := Decode(want.Text)
			if err != nil {
				t.Fatalf("Decode(...): %v", err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("Decode(Encode()): -want, +got:\n%s", diff)
			}
		})
	}
}

func TestDecode(t *testing.T) {
	cases := map[string]struct {
		text      string
		want      Item
		wantError string
	}{
		"A text is kept as it is": {
			text: ` {"name":"a","kubernetes":{"uid":"u","generation":2},"later":1}`,
			want: Item{Name: "a", UID: "u", Generation: 2, Placement: &v1alpha1.Placement{}},
		},
		"Nothing":               {text: "", wantError: "decode an entry: unexpected end of JSON input"},
		"Half an entry":         {text: `{"name":"a"`, wantError: "decode an entry: unexpected end of JSON input"},
		"Two entries":           {text: `{}{}`, wantError: "decode an entry: invalid character '{' after top-level value"},
		"Not an object":         {text: `[]`, wantError: "decode an entry: json: cannot unmarshal array"},
		"A fractional revision": {text: `{"kubernetes":{"generation":1.5}}`, wantError: "decode an entry: json: cannot unmarshal number 1.5"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := Decode(tc.text)
			if tc.wantError != "" {
				if err == nil || !strings.HasPrefix(err.Error(), tc.wantError) {
					t.Fatalf("Decode(...): want an error that begins with %q, got %v", tc.wantError, err)
				}
				return
			}
			if err != nil {
				t.Fatalf("Decode(...): %v", err)
			}
			tc.want.Text, tc.want.Digest = tc.text, sha(tc.text)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("Decode(...): -want, +got:\n%s", diff)
			}
		})
	}
}

// TestWithPlacement: an entry of other nodes is the entry that the task would have got there, to the byte.
func TestWithPlacement(t *testing.T) {
	here, there := gpuPlacement(), gpuPlacement()
	there.NodeSelector, there.GPU.Count = map[string]string{"zone": "c"}, 2
	item, want := encode(t, fullTask(), fullInterface(), here), encode(t, fullTask(), fullInterface(), there)
	for name, from := range map[string]Item{"encoded": item, "decoded": decodeItem(t, item.Text)} {
		got, err := from.WithPlacement(there)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("WithPlacement(...) of an entry that is %s: -want, +got:\n%s", name, diff)
		}
		back, err := got.WithPlacement(here)
		if err != nil || back.Text != item.Text {
			t.Errorf("and back again: %v\n%s", err, cmp.Diff(item.Text, back.Text))
		}
	}
	if _, err := (Item{Name: "x", Text: "{"}).WithPlacement(there); err == nil {
		t.Error("WithPlacement(...) of what is no entry: want an error")
	}
}

func decodeItem(t *testing.T, text string) Item {
	t.Helper()
	item, err := Decode(text)
	if err != nil {
		t.Fatal(err)
	}
	return item
}
