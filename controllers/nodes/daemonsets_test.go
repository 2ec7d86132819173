package nodes

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/maze-agent/maregister/controllers/internal/caches"
	"github.com/maze-agent/maregister/internal/placement"
)

// TestDaemonSets: what they request is reserved once all of them are there, and as long as they may be read.
func TestDaemonSets(t *testing.T) {
	config := placement.DefaultConfig()
	config.DaemonSets = true
	w := &watched{Inventory: NewInventory(config)}
	w.Notify(func() { w.told++ })
	w.NodeChanged(nil, newNode("cpu"))
	w.told = 0
	expect := func(what, want string, told int) {
		t.Helper()
		got := w.Snapshot().Resolve(placement.Requirement{MilliCPU: 63000}).Verdict
		if string(got.Status) != want || w.told != told {
			t.Errorf("%s: want %s, told %d times, got %s, told %d times: %s", what, want, told, got.Status, w.told, got.Message())
		}
		w.told = 0
	}
	set := func(cpu string) *appsv1.DaemonSet {
		all := &appsv1.DaemonSet{ObjectMeta: metav1.ObjectMeta{Namespace: "kube-system", Name: "agent"}}
		requests := corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(cpu)}
		all.Spec.Template.Spec.Containers = []corev1.Container{{Name: "agent", Resources: corev1.ResourceRequirements{Requests: requests}}}
		return placement.SlimDaemonSet(all)
	}
	w.daemonSetChanged(nil, set("2"))
	expect("not all are there", "True", 0)
	w.reportDaemonSets(caches.Served, "")
	expect("all are there", "False", 1)
	again := set("2")
	again.ResourceVersion = "7"
	w.daemonSetChanged(set("2"), again)
	expect("its status", "False", 0)
	w.daemonSetChanged(again, set("500m"))
	expect("it asks for less", "True", 1)
	w.daemonSetChanged(again, set("4"))
	w.reportDaemonSets(caches.Refused, "daemonsets")
	expect("no right", "True", 2)
	w.daemonSetChanged(nil, set("4"))
	w.reportDaemonSets(caches.Served, "")
	w.daemonSetChanged(set("4"), nil)
	expect("it is gone", "True", 2)
}
