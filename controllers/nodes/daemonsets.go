package nodes

import (
	"maps"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"github.com/maze-agent/maregister/controllers/internal/caches"
	"github.com/maze-agent/maregister/internal/placement"
)

// The right to list and watch daemonsets is not among the markers for RBAC, as it is not granted by default: config/rbac/daemonsets_role.yaml has it,
// and the chart grants it with config.reserve.daemonSets: Read.

// daemonSets are the cluster's DaemonSets. The lock of the inventory is held for all of it.
type daemonSets struct {
	known map[types.NamespacedName]*appsv1.DaemonSet
	// served reports whether all that there are have been brought, stale whether something has changed since they were counted.
	served, stale bool
}

// AddDaemonSets adds to the manager what reads DaemonSets, where the operator may. It returns what reports whether that is settled.
func AddDaemonSets(mgr manager.Manager, inventory *Inventory) (settled func() bool, err error) {
	reader := &caches.Optional{
		Kinds: []caches.OptionalKind{{
			Object: &appsv1.DaemonSet{}, List: &appsv1.DaemonSetList{}, Resource: "daemonsets",
			Transform: transform(placement.SlimDaemonSet), Change: inventory.daemonSetChanged,
		}},
		Report: inventory.reportDaemonSets, Setting: "reserve.daemonSets: Ignore",
	}
	return reader.Settled, caches.AddOptional(mgr, reader)
}

// daemonSetChanged takes over a change of a DaemonSet. Its status changes nothing.
func (i *Inventory) daemonSetChanged(before, after client.Object) {
	was, _ := before.(*appsv1.DaemonSet)
	is, _ := after.(*appsv1.DaemonSet)
	i.changeDaemonSets(func(d *daemonSets) bool {
		if is == nil {
			delete(d.known, client.ObjectKeyFromObject(was))
			return true
		}
		key := client.ObjectKeyFromObject(is)
		if known := d.known[key]; known != nil && apiequality.Semantic.DeepEqual(known.Spec, is.Spec) {
			return false
		}
		d.known[key] = is
		return true
	})
}

// reportDaemonSets takes over whether DaemonSets can be read. Where they cannot, what is configured counts.
func (i *Inventory) reportDaemonSets(is caches.Availability, _ string) {
	i.changeDaemonSets(func(d *daemonSets) bool {
		d.served = is == caches.Served
		if !d.served {
			clear(d.known)
		}
		return true
	})
}

// changeDaemonSets changes what is known of DaemonSets, and announces it once all are there. The change reports whether it was one.
func (i *Inventory) changeDaemonSets(change func(*daemonSets) bool) {
	i.mu.Lock()
	before := i.daemonSets.served
	changed := change(&i.daemonSets)
	i.daemonSets.stale = i.daemonSets.stale || changed
	tell := changed && (before || i.daemonSets.served)
	notify := i.notify
	i.mu.Unlock()
	if tell && notify != nil {
		notify()
	}
}

// readDaemonSets has the builder count the DaemonSets that there are now.
func (i *Inventory) readDaemonSets() {
	d := &i.daemonSets
	if !d.stale {
		return
	}
	d.stale = false
	var all []*placement.DaemonSet
	if d.served {
		for _, set := range slices.Collect(maps.Values(d.known)) {
			all = append(all, placement.NewDaemonSet(set))
		}
	}
	i.builder.SetDaemonSets(all)
}
