package placement

import (
	"fmt"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/maze-agent/maregister/api/v1alpha1"
)

// judge reports whether some node can host the Pod of a plan when it is empty.
func (inv *Inventory) judge(p *plan) Verdict {
	if class := inv.host(p); class != nil {
		verdict := Verdict{Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonFeasible, Summary: "a node can host the task when it is empty" + inv.share(p, class)}
		if s := class.supplyOf(p.resource); p.count > 0 && s != nil && s.devices {
			verdict.Advice = inv.assumed
		}
		return verdict
	}
	if verdict, open := inv.undecided(p); open {
		return inv.withFailure(p, inv.withUnread(p, verdict))
	}
	return inv.withFailure(p, inv.withClauses(p, Verdict{Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonNoFeasibleNode,
		Summary: "no node can host the task, even when empty", Advice: inv.advice(p)}))
}

// host returns a class of which some node that takes Pods can host the Pod of a plan. The class that was chosen is asked first.
func (inv *Inventory) host(p *plan) *Class {
	if p.class != nil && p.fits(p.class, p.class.openFor(p)) {
		return p.class
	}
	if p.count > 0 {
		for _, o := range inv.offers[p.resource] {
			if p.meets(o.class, o.supply) && p.pod.fits(o.class.openFor(p), o.class.reserve) {
				return o.class
			}
		}
		return nil
	}
	for i := range inv.classes {
		if class := &inv.classes[i]; p.fits(class, class.openFor(p)) {
			return class
		}
	}
	return nil
}

// undecided returns the verdict where no node is known to host the Pod, and something is not known, or not there yet. The first that applies
// counts.
func (inv *Inventory) undecided(p *plan) (Verdict, bool) {
	unknown := func(reason, summary string) (Verdict, bool) {
		return Verdict{Status: metav1.ConditionUnknown, Reason: reason, Summary: summary}, true
	}
	detailed := func(reason, summary string) (Verdict, bool) {
		verdict, _ := unknown(reason, summary)
		return inv.withClauses(p, verdict), true
	}
	if len(inv.classes) == 0 {
		return unknown(v1alpha1.ReasonNoInventory, "no nodes are known; kube-scheduler judges by the placement")
	}
	if p.count == 0 {
		return Verdict{}, false
	}
	if name := inv.growing(p); name != "" {
		return unknown(v1alpha1.ReasonNoInventory, fmt.Sprintf(
			"no node of the profile %s can host the task yet; a cluster autoscaler may add one for its Pod", name))
	}
	if label := inv.provisioned(p); label != "" {
		return detailed(v1alpha1.ReasonNoInventory, fmt.Sprintf(
			"no node can host the task yet; Karpenter may add one for its Pod, whose placement selects by %s", label))
	}
	if len(inv.classes[0].supplies) == 0 { // those with GPUs are first
		const none = "none of the nodes has a GPU"
		summary := fmt.Sprintf("%s; the placement asks for %s, and kube-scheduler judges. If GPU nodes are added on demand, "+
			"describe them by a profile in the operator's configuration", none, p.share())
		if inv.some((*Class).accelerated) {
			return detailed(v1alpha1.ReasonNoInventory, summary)
		}
		return unknown(v1alpha1.ReasonNoInventory, summary)
	}
	switch {
	case inv.some(p.toldOnly):
		return detailed(v1alpha1.ReasonNoInventory, "GPUs that could host the task are told by labels, and not allocatable: run the device plugin; "+
			"if Dynamic Resource Allocation gives them, kube-scheduler judges")
	case inv.some(p.doubts):
		return detailed(v1alpha1.ReasonNoInventory, "it is not known whether some devices of Dynamic Resource Allocation can host the task")
	case p.indistinct != nil && p.indistinct.devices:
		return detailed(v1alpha1.ReasonMemoryLabelMissing, fmt.Sprintf("devices that could host the task have a DeviceClass with others that could not, and no "+
			"label of their nodes tells them apart, so the placement selects neither: create a DeviceClass that selects those with %s, "+
			"or give the nodes a label by which a profile selects them", p.Kind.selects(p.perGPU())))
	case p.indistinct != nil:
		return detailed(v1alpha1.ReasonMemoryLabelMissing, "GPUs that could host the task have the labels of others that could not, so the placement "+
			"selects neither: give one of them a label of its own, and describe them by a profile")
	case p.memory > 0 && inv.some(func(c *Class) bool { return inv.mayHost(p, c) }):
		if !inv.some(func(c *Class) bool { return inv.mayHost(p, c) && !c.discovered() }) {
			return detailed(v1alpha1.ReasonMemoryLabelMissing, "GPU Feature Discovery runs on some GPU nodes and does not tell how much memory a GPU has: "+
				"describe them by a profile in the operator's configuration")
		}
		return detailed(v1alpha1.ReasonMemoryLabelMissing, "some GPU nodes do not say how much memory a GPU has: run GPU Feature Discovery on them, "+
			"or describe them by a profile in the operator's configuration")
	case inv.some(p.untold):
		return detailed(v1alpha1.ReasonMemoryLabelMissing, "some GPU nodes that could host the task do not say whether they are what gpuRequirements asks for: "+
			"run GPU Feature Discovery on them")
	case inv.unread != "":
		return detailed(v1alpha1.ReasonNoInventory, "no node is known to host the task, and GPUs that Dynamic Resource Allocation hands out are not read")
	default:
		return Verdict{}, false
	}
}

// some reports whether a class is what a function reports.
func (inv *Inventory) some(is func(*Class) bool) bool {
	for i := range inv.classes {
		if is(&inv.classes[i]) {
			return true
		}
	}
	return false
}

// discovered reports whether GPU Feature Discovery runs on the nodes of a class.
func (c *Class) discovered() bool { return c.node.Labels[gpuLabels+suffixProduct] != "" }

// growing returns the name of a profile that is enough, and of which nodes that would come could host the Pod: none is there yet, or those that
// are there could if they took Pods. It is empty if there is none: what keeps the Pod off the nodes of a profile keeps it off new ones.
func (inv *Inventory) growing(p *plan) string {
	for i := range inv.config.Profiles {
		s := inv.config.supplyOfProfile(&inv.config.Profiles[i])
		if p.resource != s.resource || !s.enough(&p.demand, p.count) || !p.growable(inv.config.Profiles[i].NodeSelector) {
			continue
		}
		refuted := false
		for j := range inv.classes {
			class := &inv.classes[j]
			if !slices.Contains(class.profiles, i) {
				continue
			}
			if p.fits(class, class.node) {
				refuted = false
				break
			}
			refuted = true
		}
		if !refuted {
			return inv.config.Profiles[i].Name
		}
	}
	return ""
}

// mostGPUs is the most GPUs that a machine of AWS has.
const mostGPUs = 8

// provisioned returns the label by which Karpenter could choose a machine for the Pod. It is empty if Karpenter does not run, or if the Pod selects
// none of its machines: it knows their labels before they are there, and knows nothing of GPU Feature Discovery, nor of DeviceClasses.
func (inv *Inventory) provisioned(p *plan) string {
	if p.resource != inv.config.ResourceName || p.count > mostGPUs {
		return ""
	}
	for _, from := range inv.config.sourcesOf(p.resource) {
		if from.trust != TrustCloud || !inv.platforms[from.platform] {
			continue
		}
		for _, known := range awsMemory {
			machine := corev1.Node{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{
				from.label: strconv.FormatInt(known.told, 10), countLabel(from.label): strconv.Itoa(mostGPUs),
				corev1.LabelArchStable: p.Kind.Architecture,
			}}}
			if known.least >= p.perGPU() && p.pod.matches(&machine) {
				return from.label
			}
		}
	}
	return ""
}

// toldOnly reports whether only labels tell of GPUs that would be enough: their device plugin is not there, or they are given in another way.
func (p *plan) toldOnly(class *Class) bool {
	if class.Unplugged > 0 && p.fits(class, class.node) {
		return true
	}
	for _, w := range class.ways {
		s := w.supply
		if s.unallocatable && s.resource == p.resource && s.enough(&p.demand, p.count) && len(p.others(class)) == 0 && p.suits(class.node.Labels, s) == fitYes {
			return true
		}
	}
	return false
}

// mayHost reports whether the nodes of a class could host the task if it were known how much memory their GPUs have.
func (inv *Inventory) mayHost(p *plan, class *Class) bool {
	for _, w := range class.ways {
		s := w.supply
		known := s.unusable == "" && !s.unlabelled || s.unvouched && !inv.config.TimeSlicing || s.unusable != "" && !s.unvouched
		if !known && s.mayBeEnough(&p.demand) && p.suits(class.node.Labels, s) != fitNo && len(p.others(class)) == 0 {
			return true
		}
	}
	return false
}

// share returns what the placement takes of a node, for gpu tasks.
func (p *plan) share() string {
	switch {
	case p.memory == 0 && p.count == 1:
		return fmt.Sprintf("one %s of any size", p.resource)
	case p.memory == 0:
		return fmt.Sprintf("%d %s of any size", p.count, p.resource)
	case p.count == 1:
		return fmt.Sprintf("one %s with %dMi", p.resource, p.perGPU())
	default:
		return fmt.Sprintf("%d %s with %dMi each", p.count, p.resource, p.perGPU())
	}
}

// share returns what the placement takes, by what it is known that a node has that, and what would almost have done.
func (inv *Inventory) share(p *plan, class *Class) string {
	if p.count == 0 {
		return ""
	}
	text := ": it takes " + p.share()
	if s := class.supplyOf(p.resource); p.memory > 0 && s != nil && s.source.trust != TrustNone {
		text += ", by " + s.source.String()
	}
	if near := inv.nearMiss(p); near != "" {
		text += "; " + near
	}
	return text
}

// nearMiss names the GPU that alone would almost do: one that is sold as large enough. Empty if there is none, or if it is what was chosen.
func (inv *Inventory) nearMiss(p *plan) string {
	var best *supply
	var name string
	for i := range inv.classes {
		class := &inv.classes[i]
		for _, w := range class.ways {
			if s := w.supply; s.isNearMiss(&p.demand) && p.suits(class.node.Labels, s) == fitYes && (best == nil || s.memory > best.memory) {
				best, name = s, class.Name
			}
		}
	}
	if best == nil {
		return ""
	}
	return fmt.Sprintf("short %s of one %s; %s would fit one", mebibytes(p.memory-best.memory), name, best.fitting(&p.demand))
}

// isNearMiss reports whether one GPU is short of no more than is between a size and what it is sold as.
func (s *supply) isNearMiss(d *demand) bool {
	if s.unusable != "" || s.count == 0 || s.unallocatable || s.memory == 0 || s.counted(d) >= d.memory {
		return false
	}
	const percent = 97 // of a size that is what it says: drivers take a little
	if d.Decimal || d.nominal {
		return d.memory*percent/100 <= s.memory
	}
	return asSold(d.memory) <= max(s.memory, asSold(s.sold))
}

// miss returns how much one GPU is short of, and of a near miss what would fit.
func (s *supply) miss(d *demand) string {
	short := "short " + mebibytes(d.memory-s.counted(d))
	if !s.isNearMiss(d) {
		return short
	}
	return fmt.Sprintf("%s; %s would fit one", short, s.fitting(d))
}

const mebibytesPerGibibyte = 1 << 10

// fitting returns the sizes that a GPU fits and a user might have meant: in Gi, and as GB what was asked for in Gi.
func (s *supply) fitting(d *demand) string {
	if s.memory < mebibytesPerGibibyte {
		return mebibytes(s.memory)
	}
	text := fmt.Sprintf("%dGi", s.memory/mebibytesPerGibibyte)
	if !d.nominal && !d.Decimal && d.memory%mebibytesPerGibibyte == 0 && asSold(d.memory) <= s.memory {
		text += fmt.Sprintf(" or %dG", d.memory/mebibytesPerGibibyte)
	}
	return text
}

func mebibytes(n int64) string { return strconv.FormatInt(n, 10) + "Mi" }

// advice returns what to do about a verdict.
func (inv *Inventory) advice(p *plan) string {
	const advice = "add a node that can, or ask for less"
	if inv.exceedsNodes(p) {
		return severalNodes + ": " + advice
	}
	return advice
}

const severalNodes = "it needs more than one of these nodes, and a task runs on one"

// exceedsNodes reports whether there are GPUs that would do if one node had more of them.
func (inv *Inventory) exceedsNodes(p *plan) bool {
	if p.memory == 0 || p.count < 2 {
		return false
	}
	tooFew := false
	for i := range inv.classes {
		for _, w := range inv.classes[i].ways {
			s := w.supply
			if s.unusable != "" || s.memory == 0 || p.suits(inv.classes[i].node.Labels, s) == fitNo {
				continue
			}
			if s.need(&p.demand) <= s.count {
				return false
			}
			tooFew = true
		}
	}
	return tooFew
}
