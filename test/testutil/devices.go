package testutil

import (
	"fmt"

	resourcev1 "k8s.io/api/resource/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

const gpuDriver = "gpu.nvidia.com"

// NewGPUClass returns a DeviceClass of NVIDIA's whole GPUs, with at least so much memory, such as 40Gi. Empty for any. Pods ask for it by an
// extended resource, if there is one.
func NewGPUClass(name, extendedResource, least string) *resourcev1.DeviceClass {
	expression := fmt.Sprintf("device.driver == '%s' && device.attributes['%[1]s'].?type.orValue('') == 'gpu'", gpuDriver)
	if least != "" {
		expression += fmt.Sprintf(" && has(device.capacity['%s'].memory) && device.capacity['%[1]s'].memory.compareTo(quantity('%s')) >= 0", gpuDriver, least)
	}
	class := &resourcev1.DeviceClass{ObjectMeta: metav1.ObjectMeta{Name: name}}
	class.Spec.Selectors = []resourcev1.DeviceSelector{{CEL: &resourcev1.CELDeviceSelector{Expression: expression}}}
	if extendedResource != "" {
		class.Spec.ExtendedResourceName = &extendedResource
	}
	return class
}

// NewGPUSlice returns what NVIDIA's driver publishes for a node with so many GPUs of so many MiB each.
func NewGPUSlice(node string, gpus int, mebibytes int64) *resourcev1.ResourceSlice {
	slice := &resourcev1.ResourceSlice{ObjectMeta: metav1.ObjectMeta{Name: node + "-" + gpuDriver}, Spec: resourcev1.ResourceSliceSpec{
		Driver: gpuDriver, NodeName: &node, Pool: resourcev1.ResourcePool{Name: node, Generation: 1, ResourceSliceCount: 1},
	}}
	text := func(value string) resourcev1.DeviceAttribute { return resourcev1.DeviceAttribute{StringValue: &value} }
	version := func(value string) resourcev1.DeviceAttribute { return resourcev1.DeviceAttribute{VersionValue: &value} }
	for i := range gpus {
		slice.Spec.Devices = append(slice.Spec.Devices, resourcev1.Device{
			Name: fmt.Sprintf("gpu-%d", i),
			Attributes: map[resourcev1.QualifiedName]resourcev1.DeviceAttribute{
				"type": text("gpu"), "uuid": text(fmt.Sprintf("GPU-%s-%d", node, i)), "brand": text("Nvidia"), "architecture": text("Hopper"),
				"productName": text(fmt.Sprintf("NVIDIA of %dMi", mebibytes)), "cudaComputeCapability": version("9.0.0"), "driverVersion": version("580.65.6"),
				"cudaDriverVersion": version("13.0.0"), "numaNode": {IntValue: ptr.To[int64](0)},
				"resource.kubernetes.io/pciBusID": text(fmt.Sprintf("0000:%02x:00.0", i)), "resource.kubernetes.io/pcieRoot": text(fmt.Sprintf("pci0000:%02x", i)),
			},
			Capacity: map[resourcev1.QualifiedName]resourcev1.DeviceCapacity{"memory": {Value: *resource.NewQuantity(mebibytes<<20, resource.BinarySI)}},
		})
	}
	return slice
}
