package config

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/maze-agent/maregister/api/config/v1alpha1"
	"github.com/maze-agent/maregister/internal/nearest"
	"github.com/maze-agent/maregister/internal/registry"
)

// validate adds a finding about each value that is wrong, of a configuration that has its defaults. Of another kind of file, it reports
// only that.
func (f *file) validate(c *v1alpha1.OperatorConfiguration) {
	header := f.header("apiVersion", c.APIVersion, v1alpha1.APIVersion)
	header = f.header("kind", c.Kind, v1alpha1.Kind) && header
	if !header {
		f.keep("apiVersion", "kind")
		return
	}
	gpu := field.NewPath("gpu")
	f.namespaces(field.NewPath("watchNamespaces"), c.WatchNamespaces)
	choice(f, field.NewPath("nodes"), c.Nodes, v1alpha1.NodesWatch, v1alpha1.NodesIgnore)
	f.reserve(field.NewPath("reserve"), &c.Reserve)
	f.passingTaints(field.NewPath("passingTaints"), c.PassingTaints)
	f.resourceName(gpu.Child("resourceName"), c.GPU.ResourceName)
	choice(f, gpu.Child("match"), c.GPU.Match, v1alpha1.MatchExact, v1alpha1.MatchNominal)
	choice(f, gpu.Child("sharing", "timeSlicing"), c.GPU.Sharing.TimeSlicing, v1alpha1.SharingDeny, v1alpha1.SharingAllow)
	choice(f, gpu.Child("sharing", "mps"), c.GPU.Sharing.MPS, v1alpha1.SharingDeny, v1alpha1.SharingAllow)
	f.evenBackends(gpu.Child("evenBackends"), c.GPU.EvenBackends)
	f.accelerators(gpu.Child("accelerators"), c.GPU.Accelerators)
	f.tolerations(gpu.Child("tolerations"), c.GPU.Tolerations)
	f.profiles(gpu.Child("profiles"), c.GPU.Profiles)
	f.shardSize(field.NewPath("registry", "shardSize"), c.Registry.ShardSize)
	f.predictorRules(field.NewPath("predictor", "rules"), c.Predictor.Rules)
}

func (f *file) header(name, got, want string) bool {
	if !f.has(nil, name, name+": "+want) {
		return false
	}
	if got != want {
		f.invalid(field.NewPath(name), "is %s: write %s", quote(got), want)
	}
	return got == want
}

const maxNamespaces = 64

func (f *file) namespaces(path *field.Path, names []string) {
	if len(names) > maxNamespaces {
		f.invalid(path, "has %d namespaces: keep at most %d, or none to serve all", len(names), maxNamespaces)
		return
	}
	for i, name := range names {
		switch first := slices.Index(names, name); {
		case len(validation.IsDNS1123Label(name)) > 0:
			f.invalid(path.Index(i), "is %s: write the name of a namespace, such as vision", quote(name))
		case first < i:
			f.invalid(path.Index(i), "is %s, as is %s: keep one", quote(name), path.Index(first))
		}
	}
}

// choice checks that a value is one of two.
func choice[T ~string](f *file, path *field.Path, got, one, other T) {
	if got != one && got != other {
		f.invalid(path, "is %s: write %s or %s", quote(string(got)), one, other)
	}
}

// resourceName checks that a name is of an extended resource, as Kubernetes tells them, and of whole GPUs.
func (f *file) resourceName(path *field.Path, resourceName corev1.ResourceName) {
	name := string(resourceName)
	switch {
	case !strings.Contains(name, "/") || strings.HasPrefix(name, "requests.") || len(validation.IsQualifiedName("requests."+name)) > 0:
		f.invalid(path, "is %s: write the domain and the name of an extended resource, such as nvidia.com/gpu", quote(name))
	case strings.Contains(name, "kubernetes.io/"):
		f.invalid(path, "is %s: the domain kubernetes.io is Kubernetes' own; write the resource of a device plugin, such as nvidia.com/gpu", quote(name))
	case strings.HasPrefix(name, "nvidia.com/mig-"):
		f.invalid(path, "is %s, which is a MIG slice: write the resource of whole GPUs, such as nvidia.com/gpu; slices are found beside it", quote(name))
	case strings.HasSuffix(name, ".shared"):
		f.invalid(path, "is %s, which are shared GPUs: write it without .shared, and say with gpu.sharing whether they may be used", quote(name))
	}
}

func (f *file) shardSize(path *field.Path, size *resource.Quantity) {
	least, most := resource.NewQuantity(registry.MinShardSize, resource.BinarySI), resource.NewQuantity(registry.MaxShardSize, resource.BinarySI)
	if size.Cmp(*least) < 0 || size.Cmp(*most) > 0 {
		f.invalid(path, "is %s: write a size from %s to %s%s", size, least, most, meant(size, "Ki", *least, *most))
	}
}

// meant guesses that a unit was forgotten, if that would be from least to most.
func meant(size *resource.Quantity, unit string, least, most resource.Quantity) string {
	guess, err := resource.ParseQuantity(size.String() + unit)
	if err != nil || guess.Cmp(least) < 0 || guess.Cmp(most) > 0 {
		return ""
	}
	return nearest.Question(guess.String())
}
