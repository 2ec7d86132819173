package placement

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
)

// TestProvider: what the documents of HAMi and of KAI Scheduler ask of a Pod. No such scheduler runs in these tests.
func TestProvider(t *testing.T) {
	registered := func(n *corev1.Node) {
		n.Annotations = map[string]string{hamiAnnotation: "GPU-1,10,23034,100,NVIDIA-L4,0,true:"}
	}
	hami := node(gfd("NVIDIA-L4", "23034", "1"), "nvidia.com/gpu=10", registered)
	plain := node(gfd("NVIDIA-L4", "23034", "1"), "nvidia.com/gpu=1")
	several := node(gfd("NVIDIA-L4", "23034", "4"), "nvidia.com/gpu=4")
	slices := node("nvidia.com/mig-1g.10gb.memory=9728 nvidia.com/mig-1g.10gb.count=7", "nvidia.com/mig-1g.10gb=7")
	for name, tc := range map[string]struct {
		provider Provider
		nodes    []*corev1.Node
		memory   int64
		// want are the limits, the annotations and the scheduler.
		want    string
		verdict string
		says    string
	}{
		"none":                         {ProviderNone, some(plain), 4096, "nvidia.com/gpu=1", isTrue, ""},
		"none, on HAMi's nodes":        {ProviderNone, some(hami), 4096, "nvidia.com/gpu=1", isFalse, "gpu.sharing.provider: HAMi"},
		"HAMi":                         {ProviderHAMi, some(hami), 4096, "nvidia.com/gpu=1 nvidia.com/gpumem=4096", isTrue, ""},
		"HAMi, all of a GPU":           {ProviderHAMi, some(hami), 23034, "nvidia.com/gpu=1 nvidia.com/gpumem=23034", isTrue, ""},
		"HAMi, more than a GPU":        {ProviderHAMi, some(hami), 23035, "nvidia.com/gpu=1 nvidia.com/gpumem=23035", isFalse, "do not add up"},
		"HAMi, any size":               {ProviderHAMi, some(hami), 0, "nvidia.com/gpu=1", isTrue, ""},
		"HAMi, nodes that it has not":  {ProviderHAMi, some(plain), 4096, "nvidia.com/gpu=1 nvidia.com/gpumem=4096", isFalse, "HAMi does not manage its GPUs"},
		"HAMi, beside nodes like them": {ProviderHAMi, some(plain, hami), 4096, "nvidia.com/gpu=1 nvidia.com/gpumem=4096", isTrue, ""},
		"HAMi, slices":                 {ProviderHAMi, some(slices), 4096, "nvidia.com/mig-1g.10gb=1", isTrue, ""},
		"KAI":                          {ProviderKAI, some(plain), 4096, "gpu-memory: 4096 by kai-scheduler", isTrue, ""},
		"KAI, more than a GPU":         {ProviderKAI, some(plain), 23035, "gpu-memory: 23035 by kai-scheduler", isFalse, "short 1Mi"},
		"KAI, several GPUs":            {ProviderKAI, some(several), 40000, "nvidia.com/gpu=2 by kai-scheduler", isTrue, ""},
		"KAI, any size":                {ProviderKAI, some(plain), 0, "nvidia.com/gpu=1 by kai-scheduler", isTrue, ""},
		"KAI, slices":                  {ProviderKAI, some(slices), 4096, "nvidia.com/mig-1g.10gb=1", isTrue, ""},
		"KAI, no GPU":                  {ProviderKAI, some(cpuNode()), 4096, "gpu-memory: 4096 by kai-scheduler", isNoNode, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := Resolve(gpuTask(tc.memory), inventory(func(c *Config) { c.Provider = tc.provider }, tc.nodes...))
			var parts []string
			for _, limit := range sortedKeys(got.Placement.Limits) {
				quantity, request := got.Placement.Limits[limit], got.Placement.Requests[limit]
				if quantity.Cmp(request) != 0 {
					t.Errorf("%s: limit %s, request %s", limit, quantity.String(), request.String())
				}
				parts = append(parts, string(limit)+"="+quantity.String())
			}
			for _, key := range sortedKeys(got.Placement.Annotations) {
				parts = append(parts, key+": "+got.Placement.Annotations[key])
			}
			if scheduler := got.Placement.SchedulerName; scheduler != "" {
				parts = append(parts, "by "+scheduler)
			}
			if diff := cmp.Diff(tc.want, strings.Join(parts, " ")); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if verdict := string(got.Verdict.Status) + "/" + got.Verdict.Reason; verdict != tc.verdict || !strings.Contains(got.Verdict.Message(), tc.says) {
				t.Errorf("want %s and %q, got %s: %s", tc.verdict, tc.says, verdict, got.Verdict.Message())
			}
			if cpuOnly := Resolve(Requirement{MilliCPU: 1000}, inventory(func(c *Config) { c.Provider = tc.provider }, tc.nodes...)); cpuOnly.Placement.SchedulerName != "" {
				t.Errorf("a task without GPU is for %s", cpuOnly.Placement.SchedulerName)
			}
		})
	}
}
