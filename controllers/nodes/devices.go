package nodes

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	resourcev1 "k8s.io/api/resource/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"github.com/maze-agent/maregister/controllers/internal/caches"
	"github.com/maze-agent/maregister/internal/devices"
)

// +kubebuilder:rbac:groups=resource.k8s.io,resources=deviceclasses;devicetaintrules;resourceslices,verbs=list;watch

// ignoreDevices is for who wants no devices read.
const ignoreDevices = "gpu.dynamicResources: Ignore"

// published is what is known of Dynamic Resource Allocation. The lock of the inventory is held for all of it.
type published struct {
	classes map[string]*resourcev1.DeviceClass
	slices  map[string]*devices.Slice
	rules   map[string]*resourcev1.DeviceTaintRule
	// implicit reports whether Pods can ask for classes without a resource name of their own.
	implicit bool
	// served reports whether all that there is has been brought.
	served bool
	// stale reports whether something has changed since read was made. read is nil where nothing is published.
	stale bool
	read  *devices.Inventory
	// unread says why it is not known what is published. Empty if it is, or if the API server does not serve it.
	unread string
	// assumed says that rules of taints may be there which are not read. Empty if they are read, or if the API server does not serve them.
	assumed string
}

func newPublished() published {
	return published{
		classes: map[string]*resourcev1.DeviceClass{}, slices: map[string]*devices.Slice{}, rules: map[string]*resourcev1.DeviceTaintRule{},
	}
}

// counts reports whether placements or verdicts depend on it.
func (p *published) counts() bool { return p.served || p.unread != "" }

// AddDevices adds to the manager what reads DeviceClasses, ResourceSlices and DeviceTaintRules, where the API server serves them and the operator
// may. It returns what reports whether that is settled; the inventory is complete then. Rules are served since Kubernetes 1.37 only, so they are read
// apart.
func AddDevices(mgr manager.Manager, inventory *Inventory) (settled func() bool, err error) {
	asker, err := discovery.NewDiscoveryClientForConfigAndClient(mgr.GetConfig(), mgr.GetHTTPClient())
	if err != nil {
		return nil, fmt.Errorf("make the client that asks for the API server's version: %w", err)
	}
	rules := &caches.Optional{
		Kinds: []caches.OptionalKind{{
			Object: &resourcev1.DeviceTaintRule{}, List: &resourcev1.DeviceTaintRuleList{}, Resource: "devicetaintrules",
			Transform: transform(slimRule), Change: inventory.ruleChanged,
		}},
		Report: inventory.reportRules, Setting: ignoreDevices,
	}
	if err := caches.AddOptional(mgr, rules); err != nil {
		return nil, err
	}
	reader := &caches.Optional{
		Kinds: []caches.OptionalKind{
			{
				Object: &resourcev1.DeviceClass{}, List: &resourcev1.DeviceClassList{}, Resource: "deviceclasses",
				Transform: transform(slimClass), Change: inventory.classChanged,
			},
			{
				Object: &resourcev1.ResourceSlice{}, List: &resourcev1.ResourceSliceList{}, Resource: "resourceslices",
				Transform: transform(devices.Compact), Change: inventory.sliceChanged,
			},
		},
		Prepare: func(ctx context.Context) error { return inventory.askVersion(ctx, asker.RESTClient()) },
		Report:  inventory.report, Setting: ignoreDevices,
	}
	return func() bool { return reader.Settled() && rules.Settled() }, caches.AddOptional(mgr, reader)
}

// transform returns what a cache calls for each object.
func transform[Whole, Slim any](slim func(*Whole) *Slim) func(object any) (any, error) {
	return func(object any) (any, error) {
		if whole, ok := object.(*Whole); ok {
			return slim(whole), nil
		}
		return object, nil
	}
}

// slimClass leaves of a class what is read.
func slimClass(c *resourcev1.DeviceClass) *resourcev1.DeviceClass {
	return &resourcev1.DeviceClass{
		ObjectMeta: metav1.ObjectMeta{Name: c.Name, UID: c.UID, ResourceVersion: c.ResourceVersion, CreationTimestamp: c.CreationTimestamp},
		Spec:       resourcev1.DeviceClassSpec{Selectors: c.Spec.Selectors, ExtendedResourceName: c.Spec.ExtendedResourceName},
	}
}

// slimRule leaves of a rule what is read: not when it was made, nor what became of it.
func slimRule(r *resourcev1.DeviceTaintRule) *resourcev1.DeviceTaintRule {
	slim := &resourcev1.DeviceTaintRule{ObjectMeta: metav1.ObjectMeta{Name: r.Name, UID: r.UID, ResourceVersion: r.ResourceVersion}, Spec: r.Spec}
	slim.Spec.Taint.TimeAdded = nil
	return slim
}

// askVersion finds out whether Pods can ask for every class.
func (i *Inventory) askVersion(ctx context.Context, server rest.Interface) error {
	var version struct {
		GitVersion string `json:"gitVersion"`
	}
	answer, err := server.Get().AbsPath("/version").DoRaw(ctx)
	if err == nil {
		err = json.Unmarshal(answer, &version)
	}
	if err != nil {
		return fmt.Errorf("ask the API server for its version: %w", err)
	}
	implicit := devices.ImplicitNames(version.GitVersion)
	i.publish(func(p *published) bool {
		changed := p.implicit != implicit
		p.implicit = implicit
		return changed
	})
	return nil
}

// report takes over whether devices can be read.
func (i *Inventory) report(is caches.Availability, resource string) {
	i.publish(func(p *published) bool {
		p.served, p.unread = is == caches.Served, ""
		switch is {
		case caches.Served:
			return true
		case caches.Refused:
			p.unread = fmt.Sprintf("the operator may not list and watch %s.%s: give its ServiceAccount that right, or set gpu.dynamicResources: Ignore",
				resource, resourcev1.GroupName)
		case caches.Unanswered:
			p.unread = fmt.Sprintf("the API server does not answer for %s.%s", resource, resourcev1.GroupName)
		case caches.Absent, caches.Unknown:
		}
		clear(p.classes)
		clear(p.slices)
		return true
	})
}

// classChanged takes over a change of a DeviceClass.
func (i *Inventory) classChanged(before, after client.Object) {
	was, _ := before.(*resourcev1.DeviceClass)
	is, _ := after.(*resourcev1.DeviceClass)
	i.publish(func(p *published) bool {
		if is == nil {
			delete(p.classes, was.Name)
			return true
		}
		if known := p.classes[is.Name]; known != nil && sameClass(known, is) {
			return false
		}
		p.classes[is.Name] = is
		return true
	})
}

// sameClass reports whether two classes of one name select the same, by the same name.
func sameClass(a, b *resourcev1.DeviceClass) bool {
	return a.CreationTimestamp.Equal(&b.CreationTimestamp) && apiequality.Semantic.DeepEqual(a.Spec, b.Spec)
}

// ruleChanged takes over a change of a DeviceTaintRule.
func (i *Inventory) ruleChanged(before, after client.Object) {
	was, _ := before.(*resourcev1.DeviceTaintRule)
	is, _ := after.(*resourcev1.DeviceTaintRule)
	i.publish(func(p *published) bool {
		if is == nil {
			delete(p.rules, was.Name)
			return true
		}
		if known := p.rules[is.Name]; known != nil && apiequality.Semantic.DeepEqual(known.Spec, is.Spec) {
			return false
		}
		p.rules[is.Name] = is
		return true
	})
}

// reportRules takes over whether rules can be read. Those that cannot are taken for none.
func (i *Inventory) reportRules(is caches.Availability, resource string) {
	i.publish(func(p *published) bool {
		p.assumed = ""
		if is == caches.Refused || is == caches.Unanswered {
			p.assumed = fmt.Sprintf("unless one of the %s.%s, which the operator does not read, taints the device", resource, resourcev1.GroupName)
		}
		if is != caches.Served {
			clear(p.rules)
		}
		return true
	})
}

// sliceChanged takes over a change of a ResourceSlice. What a driver only writes again changes nothing.
func (i *Inventory) sliceChanged(before, after client.Object) {
	was, _ := before.(*devices.Slice)
	is, _ := after.(*devices.Slice)
	i.publish(func(p *published) bool {
		if is == nil {
			delete(p.slices, was.Name)
			return true
		}
		if known := p.slices[is.Name]; known != nil && known.Alike(is) {
			return false
		}
		p.slices[is.Name] = is
		return true
	})
}

// publish changes what is known of devices, and announces it if that is complete. The change reports whether it was one.
func (i *Inventory) publish(change func(*published) bool) {
	i.mu.Lock()
	before := i.published.counts()
	changed := change(&i.published)
	i.published.stale = i.published.stale || changed
	tell := changed && (before || i.published.counts())
	notify := i.notify
	i.mu.Unlock()
	if tell && notify != nil {
		notify()
	}
}

// readDevices has the builder count what is published now.
func (i *Inventory) readDevices() {
	p := &i.published
	if !p.stale {
		return
	}
	p.stale = false
	if p.served {
		p.read = p.read.Next(devices.Published{
			Classes: slices.Collect(maps.Values(p.classes)), Slices: slices.Collect(maps.Values(p.slices)), ImplicitNames: p.implicit,
			Rules: slices.SortedFunc(maps.Values(p.rules), func(a, b *resourcev1.DeviceTaintRule) int { return cmp.Compare(a.Name, b.Name) }),
		})
	} else {
		p.read = nil
	}
	i.builder.SetDevices(p.read)
	i.builder.SetUnread(p.unread, p.assumed)
}
