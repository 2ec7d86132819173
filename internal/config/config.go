// Package config reads the operator's configuration file: bytes in, a checked value or everything that is wrong with them out.
package config

import (
	"reflect"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/maze-agent/maregister/api/config/v1alpha1"
	"github.com/maze-agent/maregister/internal/placement"
	"github.com/maze-agent/maregister/internal/registry"
	"github.com/maze-agent/maregister/internal/text"
)

// Load reads a configuration file and sets the defaults of what it leaves out. The name is only for messages. The error has a
// line for each thing that is wrong, in the order of the file: operator.yaml:7:12: gpu.profiles[0].memory is "eight": write …
func Load(name string, content []byte) (*v1alpha1.OperatorConfiguration, error) {
	f := &file{name: name, places: map[string]text.Position{}, wrong: map[string]bool{}}
	root := f.parse(content)
	if root == nil {
		return nil, f.err()
	}
	c := &v1alpha1.OperatorConfiguration{}
	f.read(root, reflect.ValueOf(c).Elem(), "")
	setDefaults(c)
	f.validate(c)
	if err := f.err(); err != nil {
		return nil, err
	}
	return c, nil
}

var typeMeta = metav1.TypeMeta{APIVersion: v1alpha1.APIVersion, Kind: v1alpha1.Kind}

// Default returns the configuration without a file.
func Default() *v1alpha1.OperatorConfiguration {
	c := &v1alpha1.OperatorConfiguration{TypeMeta: typeMeta}
	setDefaults(c)
	return c
}

// setDefaults sets each field that the file leaves out.
func setDefaults(c *v1alpha1.OperatorConfiguration) {
	setDefault(&c.Nodes, v1alpha1.NodesWatch)
	byDefault := placement.DefaultConfig()
	if c.Reserve.CPU == nil {
		c.Reserve.CPU = resource.NewMilliQuantity(byDefault.Reserve.MilliCPU, resource.DecimalSI)
	}
	if c.Reserve.Memory == nil {
		c.Reserve.Memory = resource.NewQuantity(byDefault.Reserve.Memory, resource.BinarySI)
	}
	if c.GPU.EvenBackends == nil { // an empty list is a choice
		c.GPU.EvenBackends = byDefault.EvenBackends
	}
	for i := range c.GPU.Profiles {
		setDefault(&c.GPU.Profiles[i].MemoryType, v1alpha1.MemoryDedicated)
	}
	setDefault(&c.GPU.ResourceName, placement.DefaultResourceName)
	setDefault(&c.GPU.Match, v1alpha1.MatchExact)
	setDefault(&c.GPU.DynamicResources, v1alpha1.DynamicResourcesAuto)
	setDefault(&c.Reserve.DaemonSets, v1alpha1.DaemonSetsIgnore)
	setDefault(&c.GPU.Sharing.TimeSlicing, v1alpha1.SharingDeny)
	setDefault(&c.GPU.Sharing.MPS, v1alpha1.SharingDeny)
	setDefault(&c.GPU.Sharing.Provider, v1alpha1.ProviderNone)
	if c.Registry.ShardSize == nil {
		c.Registry.ShardSize = resource.NewQuantity(registry.DefaultShardSize, resource.BinarySI)
	}
	if c.Predictor.Rules == nil { // an empty list is a choice
		for _, rule := range registry.DefaultPredictorRules() {
			c.Predictor.Rules = append(c.Predictor.Rules, v1alpha1.PredictorRule(rule))
		}
	}
}

func setDefault[T ~string](field *T, value T) {
	if *field == "" {
		*field = value
	}
}

var providers = map[v1alpha1.SharingProvider]placement.Provider{
	v1alpha1.ProviderNone: placement.ProviderNone, v1alpha1.ProviderHAMi: placement.ProviderHAMi, v1alpha1.ProviderKAI: placement.ProviderKAI,
}

// Placement returns the part of a valid configuration that placements depend on.
func Placement(c *v1alpha1.OperatorConfiguration) placement.Config {
	out := placement.Config{
		ResourceName:  c.GPU.ResourceName,
		Nominal:       c.GPU.Match == v1alpha1.MatchNominal,
		IgnoreDevices: c.GPU.DynamicResources == v1alpha1.DynamicResourcesIgnore,
		TimeSlicing:   c.GPU.Sharing.TimeSlicing == v1alpha1.SharingAllow,
		MPS:           c.GPU.Sharing.MPS == v1alpha1.SharingAllow,
		Provider:      providers[c.GPU.Sharing.Provider],
		Tolerations:   c.GPU.Tolerations,
		PassingTaints: c.PassingTaints,
		DaemonSets:    c.Reserve.DaemonSets == v1alpha1.DaemonSetsRead,
		Reserve:       placement.Reserve{MilliCPU: c.Reserve.CPU.MilliValue(), Memory: c.Reserve.Memory.Value()},
	}
	for _, backend := range c.GPU.EvenBackends {
		out.EvenBackends = append(out.EvenBackends, placement.NormalBackend(backend))
	}
	for _, a := range c.GPU.Accelerators {
		out.Accelerators = append(out.Accelerators, placement.Accelerator{
			Label: a.Label, Value: a.Value, Memory: a.Memory.Value() >> 20, Count: int64(a.Count), // rounded down, as that of profiles
		})
	}
	for _, p := range c.GPU.Profiles {
		out.Profiles = append(out.Profiles, placement.Profile{
			Name:         p.Name,
			Memory:       p.Memory.Value() >> 20, // rounded down: a GPU must not seem to have more than it has
			Count:        int64(p.Count),
			Unified:      p.MemoryType == v1alpha1.MemoryUnified,
			NodeSelector: p.NodeSelector,
			Tolerations:  p.Tolerations,
		})
	}
	return out
}

// PredictorRules returns the rules of a valid configuration for malearn's tool types.
func PredictorRules(c *v1alpha1.OperatorConfiguration) registry.PredictorRules {
	out := make(registry.PredictorRules, len(c.Predictor.Rules))
	for i, rule := range c.Predictor.Rules {
		out[i] = registry.PredictorRule(rule)
	}
	return out
}
