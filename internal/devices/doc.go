// Package devices tells what Dynamic Resource Allocation hands out on each node, as supplies: from DeviceClasses, ResourceSlices and
// DeviceTaintRules.
//
// A DeviceClass is a supply: a Pod asks for devices of it by the name of an extended resource, as it asks a device plugin for GPUs. A supply
// has a number of devices on a node, and the least memory of those that the class selects.
//
// The package is pure. It counts as kube-scheduler 1.37 does (k8s.io/dynamic-resource-allocation, package structured), for an empty node:
//
//	slices    of a pool, only those of the newest generation count, if they are all there and no device's name is there twice
//	nodes     a slice is for a node by its name, by a selector, or for all; or each of its devices says so itself
//	taints    a device with the effect NoSchedule or NoExecute is handed out to nobody: an extended resource tolerates nothing
//	classes   a device is of a class if all its CEL selectors are true. If one fails on any device, no Pod of this class is scheduled
//	counters  devices that share counters are handed out while these last: that library's own allocator is asked how many, with a bound
//	capacity  of a device that several Pods may have, a Pod that names no amount gets what the device's policy says
package devices
