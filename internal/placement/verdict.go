package placement

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/maze-agent/maregister/api/v1alpha1"
)

// judge says whether some node can host the Pod of a plan when it is empty.
func (inv *Inventory) judge(p *plan) Verdict {
	if inv.hosts(p) {
		return Verdict{Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonFeasible, Summary: "a node can host the task when it is empty" + inv.share(p)}
	}
	switch {
	case len(inv.classes) == 0:
		return unknown(v1alpha1.ReasonNoInventory, "no nodes are known; kube-scheduler judges by the placement")
	case p.profile != nil && p.supply == nil:
		return unknown(v1alpha1.ReasonNoInventory, fmt.Sprintf(
			"no node of the profile %s can host the task yet; a cluster autoscaler may add one for its Pod", p.profile.Name))
	case p.count > 0 && !inv.hasGPUs():
		return unknown(v1alpha1.ReasonNoInventory, fmt.Sprintf(
			"none of the nodes has a GPU; the placement asks for %s, and kube-scheduler judges. If GPU nodes are added on demand, "+
				"describe them by a profile in the operator's configuration", p.share()))
	case p.memory > 0 && slices.ContainsFunc(inv.classes, Class.isUnlabelled):
		verdict := unknown(v1alpha1.ReasonMemoryLabelMissing, "some GPU nodes do not say how much memory a GPU has: run GPU Feature Discovery on them, "+
			"or describe them by a profile in the operator's configuration")
		verdict.Clauses, verdict.More = inv.clauses(p)
		return verdict
	default:
		verdict := Verdict{Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonNoFeasibleNode,
			Summary: "no node can host the task, even when empty", Advice: "add a node that can, or ask for less"}
		verdict.Clauses, verdict.More = inv.clauses(p)
		return verdict
	}
}

// hosts says whether some node that takes Pods can host the Pod of a plan. The class that was chosen is asked first.
func (inv *Inventory) hosts(p *plan) bool {
	if p.class != nil && p.pod.fits(p.class.open) {
		return true
	}
	for i := range inv.classes {
		if p.pod.fits(inv.classes[i].open) {
			return true
		}
	}
	return false
}

func unknown(reason, summary string) Verdict {
	return Verdict{Status: metav1.ConditionUnknown, Reason: reason, Summary: summary}
}

// isUnlabelled says whether the class has GPUs whose memory is not known.
func (c Class) isUnlabelled() bool {
	for i := range c.supplies {
		if s := &c.supplies[i]; s.unlabelled && s.unusable == "" && s.count > 0 {
			return true
		}
	}
	return false
}

func (inv *Inventory) hasGPUs() bool {
	return len(inv.classes) > 0 && len(inv.classes[0].supplies) > 0 // those with GPUs are first
}

// share says what the placement takes of a node, for gpu tasks.
func (p *plan) share() string {
	switch {
	case p.memory == 0:
		return fmt.Sprintf("one %s of any size", p.resource)
	case p.count == 1:
		return fmt.Sprintf("one %s with %dMi", p.resource, p.perGPU())
	default:
		return fmt.Sprintf("%d %s with %dMi each", p.count, p.resource, p.perGPU())
	}
}

func (inv *Inventory) share(p *plan) string {
	if p.count == 0 {
		return ""
	}
	text := ": it takes " + p.share()
	if near := inv.nearMiss(p); p.count > 1 && near != "" {
		text += "; " + near
	}
	return text
}

// nearMiss names the GPU that alone would almost do: one that nominal matching takes for enough. Empty if there is none.
func (inv *Inventory) nearMiss(p *plan) string {
	var best *supply
	var name string
	for i := range inv.classes {
		class := &inv.classes[i]
		for j := range class.supplies {
			if s := &class.supplies[j]; s.isNearMiss(p) && (best == nil || s.memory > best.memory) {
				best, name = s, class.Name
			}
		}
	}
	if best == nil {
		return ""
	}
	return best.miss(p, name)
}

// isNearMiss says whether one GPU is short of a few percent only.
func (s *supply) isNearMiss(p *plan) bool {
	return s.unusable == "" && s.count > 0 && s.memory < p.memory && p.memory*nominalPercent/100 <= s.memory
}

// miss says how much one GPU is short of, and of a near miss what would fit.
func (s *supply) miss(p *plan, name string) string {
	short := "short " + mebibytes(p.memory-s.memory)
	if !s.isNearMiss(p) {
		return short
	}
	const mebibytesPerGibibyte = 1 << 10
	fitting := mebibytes(s.memory)
	if s.memory >= mebibytesPerGibibyte {
		fitting = fmt.Sprintf("%dGi", s.memory/mebibytesPerGibibyte)
	}
	return fmt.Sprintf("%s of one %s; %s would fit one", short, name, fitting)
}

// maxClauses is how many classes a message tells of.
const maxClauses = 16

// clauses returns of each class why its nodes do not host the Pod, and how many classes it leaves out. Classes of one name and one reason share
// a clause.
func (inv *Inventory) clauses(p *plan) ([]Clause, int) {
	var all []Clause
	for i := range inv.classes {
		next := Clause{Class: inv.classes[i].Name, Nodes: inv.classes[i].Nodes, Why: p.why(&inv.classes[i])}
		if same := slices.IndexFunc(all, next.sameButCounts); same >= 0 {
			all[same].Nodes += next.Nodes
			continue
		}
		if len(all) == maxClauses {
			return all, len(inv.classes) - i
		}
		all = append(all, next)
	}
	return all, 0
}

func mebibytes(n int64) string { return strconv.FormatInt(n, 10) + "Mi" }

// why says why the nodes of a class do not host the Pod now. Empty if one does.
func (p *plan) why(class *Class) string {
	switch {
	case p.pod.fits(class.open):
		return ""
	case class.open == class.node || !p.pod.fits(class.node):
	case class.open == nil:
		return "takes no Pods now: cordoned or not ready"
	default: // nodes of a class differ in nothing else
		return "its nodes with enough memory take no Pods now: cordoned or not ready"
	}
	if p.count > 0 {
		if why := p.lacks(class); why != "" {
			return why
		}
	}
	if taint, found := p.pod.untolerated(class.node); found {
		return p.repelled(&taint)
	}
	if name, short := p.pod.short(class.node); short {
		return p.pod.lacks(name, class)
	}
	return p.unselected(class)
}

// repelled says that a taint keeps a task off, and for which tasks that can be changed.
func (p *plan) repelled(taint *corev1.Taint) string {
	if p.count == 0 {
		return fmt.Sprintf("is kept for other Pods by the taint %s", taint.ToString())
	}
	return fmt.Sprintf("has the taint %s, which gpu.tolerations in the operator's configuration do not tolerate", taint.ToString())
}

// lacks says what a node has too little of.
func (p *pod) lacks(name corev1.ResourceName, class *Class) string {
	want, has := p.requests[name], class.node.Status.Allocatable[name]
	switch name {
	case corev1.ResourcePods:
		return "takes no Pods: allocatable pods is 0"
	case corev1.ResourceMemory:
		return fmt.Sprintf("needs memory %s, has %s", gibibytes(want.Value()), gibibytes(has.Value()))
	default:
		return fmt.Sprintf("needs %s %s, has %s", name, want.String(), has.String())
	}
}

// gibibytes gives a size to a tenth, rounded down: machines of one type differ in less.
func gibibytes(bytes int64) string {
	tenths := math.Floor(float64(bytes) / (1 << 30) * 10)
	return strings.TrimSuffix(strconv.FormatFloat(tenths/10, 'f', 1, 64), ".0") + "Gi"
}

// unselected says why nodes are not selected whose GPUs would be enough.
func (p *plan) unselected(class *Class) string {
	switch {
	case p.profile != nil:
		return "is not of the profile " + p.profile.Name + ", by whose labels the placement selects"
	case p.count == 0:
		return "is not what the placement selects"
	}
	for i := range class.supplies {
		if s := &class.supplies[i]; s.serves(&p.demand) {
			return fmt.Sprintf("would take %d %s, and the placement takes the fewest: %s", s.need(&p.demand), s.resource, p.share())
		}
	}
	return "is not what the placement selects: " + p.share()
}

// lacks says why the GPUs of a class are not enough: of several kinds of them, those that come nearest. Empty if they are.
func (p *plan) lacks(class *Class) string {
	if len(class.supplies) == 0 {
		return "has no GPU"
	}
	var most *supply
	for i := range class.supplies {
		s := &class.supplies[i]
		if s.serves(&p.demand) {
			return ""
		}
		if most == nil || s.rank() > most.rank() {
			most = s
		}
	}
	return most.shortage(p, class.Name)
}

// rank orders the supplies of a node by how much there is to say about them.
func (s *supply) rank() int64 {
	switch {
	case s.count == 0:
		return -1
	case s.unusable != "":
		return 0
	default:
		return 1 + s.memory
	}
}

// shortage says why a supply does not serve a plan.
func (s *supply) shortage(p *plan, name string) string {
	if s.count == 0 {
		return fmt.Sprintf("has no %s that can be allocated", s.resource)
	}
	if s.unusable != "" {
		return s.unusable
	}
	if s.mislabelled != "" {
		return s.mislabelled
	}
	if s.memory == 0 {
		return fmt.Sprintf("%s: it has no label %s", v1alpha1.ReasonMemoryLabelMissing, s.labels+suffixMemory)
	}
	one := "needs " + mebibytes(p.memory) + " on one GPU, has " + mebibytes(s.memory)
	switch {
	case s.slice:
		return one + " on a MIG slice, and slices do not add up: " + s.miss(p, name)
	case s.sharing != "":
		return one + " on a shared GPU, and those do not add up: " + s.miss(p, name)
	case s.count == 1:
		return one + ", and one GPU on a node: " + s.miss(p, name)
	default:
		k := s.need(&p.demand)
		return "needs " + strconv.FormatInt(k, 10) + " GPUs on one node, has " + strconv.FormatInt(s.count, 10) + " with " + mebibytes(s.memory) + " each"
	}
}
