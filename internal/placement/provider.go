package placement

import (
	"fmt"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/maze-agent/maregister/api/v1alpha1"
)

// Provider is the scheduler or device plugin that hands out shares of a GPU by memory.
type Provider int

const (
	// ProviderNone is for clusters without.
	ProviderNone Provider = iota
	// ProviderHAMi is HAMi: a Pod limits the memory, in MiB, that it gets of each GPU as a resource beside the GPUs. HAMi's webhook sends such a Pod
	// to HAMi's scheduler, which takes nodes that HAMi has registered only (https://github.com/Project-HAMi/HAMi: README.md,
	// pkg/scheduler/webhook.go, docs/config.md, docs/gpu-memory-factor.md).
	ProviderHAMi
	// ProviderKAI is KAI Scheduler: a Pod annotates the memory, in MiB, that it takes of one GPU, in place of a request for a GPU. Whole GPUs are
	// requested as elsewhere (https://github.com/NVIDIA/KAI-Scheduler: docs/gpu-sharing/README.md, docs/gpu-sharing/gpu-memory.yaml).
	ProviderKAI
)

// String returns what people call it.
func (p Provider) String() string {
	return [...]string{ProviderNone: "nobody", ProviderHAMi: "HAMi", ProviderKAI: "KAI Scheduler"}[p]
}

const (
	hamiMemory corev1.ResourceName = "nvidia.com/gpumem"

	kaiMemory    = "gpu-memory"
	kaiScheduler = "kai-scheduler"
)

// provide writes down what the provider of shares needs of a Pod with GPUs. MIG slices have no provider.
func (c *Config) provide(p *plan, out *v1alpha1.Placement) {
	if p.resource != c.ResourceName || p.labels != gpuLabels {
		return
	}
	switch c.Provider {
	case ProviderNone:
	case ProviderHAMi:
		if p.memory > 0 {
			each := *resource.NewQuantity(p.perGPU(), resource.DecimalSI)
			out.Requests[hamiMemory], out.Limits[hamiMemory] = each, each
		}
	case ProviderKAI:
		out.SchedulerName = kaiScheduler
		if p.memory > 0 && p.count == 1 {
			delete(out.Requests, p.resource)
			out.Limits = nil
			out.Annotations = map[string]string{kaiMemory: strconv.FormatInt(p.memory, 10)}
		}
	}
}

// unmanaged says why a supply is not used where a provider gives all shares, and only of nodes that it knows. It is empty if there is no such
// provider, or if it knows them.
func (c *Config) unmanaged(s *supply) string {
	if s.devices && s.resource == c.ResourceName && c.Provider != ProviderNone {
		return fmt.Sprintf("%s gives shares of GPUs that a device plugin gives; its devices can be asked for by the name of their DeviceClass", c.Provider)
	}
	if c.Provider != ProviderHAMi || s.resource != c.ResourceName || s.labels != gpuLabels || s.sharing == sharingHAMi {
		return ""
	}
	return "HAMi does not manage its GPUs: it has no annotation " + hamiAnnotation
}
