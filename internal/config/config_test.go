package config

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/maze-agent/maregister/api/config/v1alpha1"
	"github.com/maze-agent/maregister/internal/placement"
	"github.com/maze-agent/maregister/internal/registry"
)

const begin = "apiVersion: config.registry.mazeagent.net/v1alpha1\nkind: OperatorConfiguration\n"

// full has a value other than the default for every field.
const full = begin + `watchNamespaces: [vision, "42"]
nodes: Ignore
reserve: {cpu: 1500m, memory: 2Gi, daemonSets: Read}
passingTaints: ["example.com/not-ready*"]
gpu:
  evenBackends: [Engine_X]
  accelerators:
  - {label: example.com/gpu, value: a10, memory: 23028Mi}
  - {label: example.com/gpu, value: a10x4, memory: 24152899583, count: 4}
  resourceName: example.com/gpu
  match: Nominal
  dynamicResources: Ignore
  sharing: {timeSlicing: Allow, mps: Allow, provider: KAI}
  tolerations:
  - {key: dedicated, value: vision}
  - {key: example.com/spot, operator: Exists, effect: NoExecute, tolerationSeconds: 60}
  profiles:
  - {name: l4, memory: 23034Mi, count: 1, nodeSelector: {cloud.google.com/gke-accelerator: nvidia-l4}}
  - name: a100
    memory: 24152899583 # one byte less than 23034Mi
    memoryType: Unified
    count: 8
    nodeSelector:
      nvidia.com/gpu.product: "A100"
      pool: ''
    tolerations: [{key: a100, operator: Equal, value: "", effect: PreferNoSchedule}]
registry:
  shardSize: 1048576
predictor:
  rules: [{contains: ocr, toolType: vlm_process}, {toolType: "语音", contains: ".Speech-"}]
`

func TestLoad(t *testing.T) {
	quantity := func(text string) *resource.Quantity {
		q := resource.MustParse(text)
		return &q
	}
	seconds := int64(60)
	meta := metav1.TypeMeta{APIVersion: "config.registry.mazeagent.net/v1alpha1", Kind: "OperatorConfiguration"}
	defaults := &v1alpha1.OperatorConfiguration{
		TypeMeta: meta,
		Nodes:    "Watch",
		Reserve:  v1alpha1.Reserve{CPU: quantity("200m"), Memory: quantity("256Mi"), DaemonSets: "Ignore"},
		GPU: v1alpha1.GPU{
			EvenBackends:     []string{"vllm", "sglang", "tgi", "text-generation-inference", "tensorrt-llm", "trtllm", "lmdeploy"},
			ResourceName:     "nvidia.com/gpu",
			Match:            "Exact",
			Sharing:          v1alpha1.GPUSharing{TimeSlicing: "Deny", MPS: "Deny", Provider: "None"},
			DynamicResources: "Auto",
		},
		Registry: v1alpha1.Registry{ShardSize: quantity("256Ki")},
		Predictor: v1alpha1.Predictor{Rules: []v1alpha1.PredictorRule{
			{Contains: "llm_process", ToolType: "llm_process"},
			{Contains: "llm_fuse", ToolType: "llm_fuse2In1"},
			{Contains: "vlm_process", ToolType: "vlm_process"},
			{Contains: "speech_process", ToolType: "speech_process"},
		}},
	}
	noRules := *defaults
	noRules.Predictor.Rules = []v1alpha1.PredictorRule{}
	tests := map[string]struct {
		content string
		want    *v1alpha1.OperatorConfiguration
	}{
		"Nothing but what it is":       {begin, defaults},
		"Everything empty":             {begin + "watchNamespaces:\nnodes:\ngpu: {match: ~, sharing: {mps: ''}, tolerations:, profiles: null}\nregistry: {}\npredictor: {rules: ~}\n", defaults},
		"No rules for predictors":      {begin + "predictor: {rules: []}\n", &noRules},
		"A comment and --- before it":  {"# ours\n---\n# more\n" + begin + "...\n# end\n", defaults},
		"A byte order mark and CRLF":   {"\ufeff" + strings.ReplaceAll(begin+"nodes: Watch\n", "\n", "\r\n"), defaults},
		"JSON":                         {`{"apiVersion": "config.registry.mazeagent.net/v1alpha1", "kind": "OperatorConfiguration"}`, defaults},
		"Every field with its default": {begin + "nodes: Watch\ngpu: {resourceName: nvidia.com/gpu, match: Exact}\nregistry: {shardSize: 256Ki}\n", defaults},
		"Every field with another": {full, &v1alpha1.OperatorConfiguration{
			TypeMeta:        meta,
			WatchNamespaces: []string{"vision", "42"},
			Nodes:           "Ignore",
			Reserve:         v1alpha1.Reserve{CPU: quantity("1500m"), Memory: quantity("2Gi"), DaemonSets: "Read"},
			PassingTaints:   []string{"example.com/not-ready*"},
			GPU: v1alpha1.GPU{
				EvenBackends: []string{"Engine_X"},
				Accelerators: []v1alpha1.Accelerator{
					{Label: "example.com/gpu", Value: "a10", Memory: *quantity("23028Mi")},
					{Label: "example.com/gpu", Value: "a10x4", Memory: *quantity("24152899583"), Count: 4},
				},
				ResourceName:     "example.com/gpu",
				Match:            "Nominal",
				Sharing:          v1alpha1.GPUSharing{TimeSlicing: "Allow", MPS: "Allow", Provider: "KAI"},
				DynamicResources: "Ignore",
				Tolerations: []corev1.Toleration{
					{Key: "dedicated", Value: "vision"},
					{Key: "example.com/spot", Operator: "Exists", Effect: "NoExecute", TolerationSeconds: &seconds},
				},
				Profiles: []v1alpha1.GPUProfile{
					{Name: "l4", Memory: *quantity("23034Mi"), Count: 1, MemoryType: "Dedicated", NodeSelector: map[string]string{"cloud.google.com/gke-accelerator": "nvidia-l4"}},
					{
						Name: "a100", Memory: *quantity("24152899583"), Count: 8, MemoryType: "Unified",
						NodeSelector: map[string]string{"nvidia.com/gpu.product": "A100", "pool": ""},
						Tolerations:  []corev1.Toleration{{Key: "a100", Operator: "Equal", Effect: "PreferNoSchedule"}},
					},
				},
			},
			Registry: v1alpha1.Registry{ShardSize: quantity("1048576")},
			Predictor: v1alpha1.Predictor{Rules: []v1alpha1.PredictorRule{
				{Contains: "ocr", ToolType: "vlm_process"}, {Contains: ".Speech-", ToolType: "语音"},
			}},
		}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := Load("operator.yaml", []byte(tc.content))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestDefaultIsAFileThatSaysNothing(t *testing.T) {
	want, err := Load("operator.yaml", []byte(begin))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, Default()); diff != "" {
		t.Errorf("-file +Default:\n%s", diff)
	}
}

func TestSample(t *testing.T) {
	content, err := os.ReadFile("../../config/manager/operator.yaml")
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.WatchNamespaces = []string{}
	want.GPU.Tolerations, want.GPU.Profiles = []corev1.Toleration{}, []v1alpha1.GPUProfile{}
	want.PassingTaints, want.GPU.Accelerators = []string{}, []v1alpha1.Accelerator{}
	got, err := Load("operator.yaml", content)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the sample has something other than the defaults; -want +got:\n%s", diff)
	}

	// The examples in its comments load, too.
	shown := strings.NewReplacer("[] # such as [vision, speech]", "[vision, speech]", `[] # such as ["example.com/not-ready*"]`, `["example.com/not-ready*"]`, "[] # such as:\n  # - ", "\n  - ", "\n  #   ", "\n    ").Replace(string(content))
	got, err = Load("examples.yaml", []byte(shown))
	if err != nil {
		t.Fatalf("%v\n%s", err, shown)
	}
	if len(got.WatchNamespaces) != 2 || len(got.GPU.Tolerations) != 1 || len(got.GPU.Profiles) != 1 || len(got.GPU.Accelerators) != 1 || len(got.PassingTaints) != 1 {
		t.Errorf("want two namespaces, one example of a toleration and one of a profile, got %+v", got)
	}
}

func TestPlacement(t *testing.T) {
	seconds := int64(60)
	with := func(change func(*placement.Config)) placement.Config {
		c := placement.DefaultConfig()
		change(&c)
		return c
	}
	tests := map[string]struct {
		content string
		want    placement.Config
	}{
		"Defaults": {begin, placement.DefaultConfig()},
		"Everything": {full, placement.Config{
			ResourceName:  "example.com/gpu",
			Nominal:       true,
			TimeSlicing:   true,
			MPS:           true,
			Provider:      placement.ProviderKAI,
			IgnoreDevices: true,
			EvenBackends:  []string{"engine-x"},
			Accelerators: []placement.Accelerator{
				{Label: "example.com/gpu", Value: "a10", Memory: 23028}, {Label: "example.com/gpu", Value: "a10x4", Memory: 23033, Count: 4},
			},
			PassingTaints: []string{"example.com/not-ready*"},
			Reserve:       placement.Reserve{MilliCPU: 1500, Memory: 2 << 30},
			DaemonSets:    true,
			Tolerations: []corev1.Toleration{
				{Key: "dedicated", Value: "vision"},
				{Key: "example.com/spot", Operator: "Exists", Effect: "NoExecute", TolerationSeconds: &seconds},
			},
			Profiles: []placement.Profile{
				{Name: "l4", Memory: 23034, Count: 1, NodeSelector: map[string]string{"cloud.google.com/gke-accelerator": "nvidia-l4"}},
				{
					Name: "a100", Memory: 23033, Count: 8, Unified: true,
					NodeSelector: map[string]string{"nvidia.com/gpu.product": "A100", "pool": ""},
					Tolerations:  []corev1.Toleration{{Key: "a100", Operator: "Equal", Effect: "PreferNoSchedule"}},
				},
			},
		}},
		"Only time-slicing":   {begin + "gpu: {sharing: {timeSlicing: Allow}}", with(func(c *placement.Config) { c.TimeSlicing = true })},
		"HAMi":                {begin + "gpu: {sharing: {provider: HAMi}}", with(func(c *placement.Config) { c.Provider = placement.ProviderHAMi })},
		"Devices are ignored": {begin + "gpu: {dynamicResources: Ignore}", with(func(c *placement.Config) { c.IgnoreDevices = true })},
		"Only MPS":            {begin + "gpu: {sharing: {mps: Allow}}", with(func(c *placement.Config) { c.MPS = true })},
		"No engines, no reserve": {begin + "gpu: {evenBackends: []}\nreserve: {cpu: 0, memory: 0}", with(func(c *placement.Config) {
			c.EvenBackends, c.Reserve = nil, placement.Reserve{}
		})},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			c, err := Load("operator.yaml", []byte(tc.content))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, Placement(c)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestPredictorRules(t *testing.T) {
	tests := map[string]struct {
		content string
		want    registry.PredictorRules
	}{
		"Defaults": {begin, registry.DefaultPredictorRules()},
		"Others":   {full, registry.PredictorRules{{Contains: "ocr", ToolType: "vlm_process"}, {Contains: ".Speech-", ToolType: "语音"}}},
		"None":     {begin + "predictor: {rules: []}", registry.PredictorRules{}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			c, err := Load("operator.yaml", []byte(tc.content))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, PredictorRules(c)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}
