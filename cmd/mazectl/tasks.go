package main

import (
	"cmp"
	"fmt"
	"math"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/placement"
)

// task is what of a MazeTask decides about its placement.
type task struct {
	// namespace and name are the object's; key is its name in the registry.
	namespace, name, key string
	requirement          placement.Requirement
	// refused says why the API server would not take the object. Empty if it would.
	refused string
}

// readTask reads a manifest. namespace is that of manifests without one.
func readTask(m manifest, namespace string) task {
	key, _, _ := unstructured.NestedString(m.Object, "spec", "name")
	t := task{namespace: cmp.Or(m.GetNamespace(), namespace), name: cmp.Or(m.GetName(), key, "unnamed in "+m.source), key: key}
	resources, err := resourcesOf(m)
	if err != nil {
		t.refused = err.Error()
		return t
	}
	t.requirement = placement.RequirementOf(&resources)
	return t
}

// resourcesOf reads spec.resources, gives it the defaults of the CRD, and refuses what does not even make sense to place.
func resourcesOf(m manifest) (v1alpha1.Resources, error) {
	var out v1alpha1.Resources
	declared, _, err := unstructured.NestedFieldNoCopy(m.Object, "spec", "resources")
	if err != nil {
		return out, fmt.Errorf("spec is not an object")
	}
	values, ok := declared.(map[string]any)
	if !ok && declared != nil {
		return out, fmt.Errorf("spec.resources is not an object")
	}
	for _, field := range []string{"cpu", "memory", "gpuMemory"} {
		if value, ok := values[field]; ok && value != nil {
			if err := checkQuantity(field, fmt.Sprint(value)); err != nil {
				return out, fmt.Errorf("spec.resources.%w", err)
			}
		}
	}
	if err := decode(values, &out); err != nil {
		return out, fmt.Errorf("spec.resources cannot be read: %w", err)
	}
	setDefaults(&out)
	switch out.Type {
	case v1alpha1.ResourceTypeGPU:
	case v1alpha1.ResourceTypeCPU, v1alpha1.ResourceTypeIO:
		if out.GPUMemory != nil {
			return out, fmt.Errorf("spec.resources: gpuMemory needs type: gpu; set the type, or remove gpuMemory")
		}
	default:
		return out, fmt.Errorf("spec.resources.type is %q; it must be cpu, gpu or io", out.Type)
	}
	return out, nil
}

// setDefaults sets what the API server would.
func setDefaults(r *v1alpha1.Resources) {
	r.Type = cmp.Or(r.Type, v1alpha1.ResourceTypeCPU)
	if r.CPU == nil {
		r.CPU = resource.NewQuantity(1, resource.DecimalSI)
	}
	if r.Memory == nil {
		r.Memory = resource.NewQuantity(1<<30, resource.BinarySI)
	}
}

// checkQuantity refuses most of what the CRD does, in its words.
func checkQuantity(field, text string) error {
	quantity, err := resource.ParseQuantity(text)
	switch {
	case err != nil || quantity.Sign() < 0:
		return fmt.Errorf("%s is %q; it must be a quantity that is not negative, such as 2 or 4Gi", field, text)
	case field == "cpu":
		return nil
	case quantity.CmpInt64(1<<20) < 0 && strings.Trim(text, "0123456789") == "":
		return fmt.Errorf("%s is %s bytes; did you mean %sMi?", field, text, text)
	case quantity.CmpInt64(1<<20) < 0:
		return fmt.Errorf("%s is %s; give at least 1Mi", field, text)
	case quantity.CmpInt64(math.MaxInt64>>13) > 0:
		return fmt.Errorf("%s is %s; more than 1Pi cannot be meant, check the unit", field, text)
	}
	return nil
}
