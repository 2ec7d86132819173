package placement

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/maze-agent/maregister/api/v1alpha1"
)

// maxClauses is the number of classes that a message names.
const maxClauses = 16

// withClauses adds to a verdict of each class why its nodes do not host the Pod, the nearest first, and how many classes are left out. Classes of
// one name and one reason share a clause.
func (inv *Inventory) withClauses(p *plan, verdict Verdict) Verdict {
	type ranked struct {
		class          *Class
		nearest, place int
		memory         int64
	}
	order := make([]ranked, len(inv.classes))
	for i := range inv.classes {
		class := &inv.classes[i]
		order[i] = ranked{class, p.nearness(class), i, class.most}
	}
	slices.SortFunc(order, func(a, b ranked) int {
		return cmp.Or(cmp.Compare(b.nearest, a.nearest), cmp.Compare(b.memory, a.memory), cmp.Compare(a.place, b.place))
	})
	verdict.Clauses = make([]Clause, 0, min(len(order), maxClauses))
	for i := range order {
		class := order[i].class
		next := Clause{Class: class.Name, Nodes: class.Nodes, Why: p.why(class)}
		if same := slices.IndexFunc(verdict.Clauses, next.sameButCounts); same >= 0 {
			verdict.Clauses[same].Nodes += next.Nodes
			continue
		}
		if len(verdict.Clauses) == maxClauses {
			verdict.More = len(order) - i
			break
		}
		verdict.Clauses = append(verdict.Clauses, next)
	}
	return verdict
}

// nearness orders classes by how near their nodes come to what a task needs.
func (p *plan) nearness(class *Class) int {
	if p.count == 0 {
		return 0
	}
	nearest := 0
	for _, w := range class.ways {
		switch s := w.supply; {
		case s.serves(&p.demand):
			nearest = max(nearest, 5)
		case s.count == 0:
			nearest = max(nearest, 2)
		case s.unusable != "":
			nearest = max(nearest, 3)
		default:
			nearest = max(nearest, 4)
		}
	}
	if nearest == 0 && class.accelerated() {
		nearest = 1
	}
	return nearest
}

// most is the most memory, in MiB, that one task could have of a node.
func (s *supply) most() int64 {
	switch {
	case s.unusable != "" || s.count == 0:
		return 0
	case s.adds():
		return s.total()
	default:
		return s.memory
	}
}

// fits reports whether a node of a class, when it is empty, can host the Pod, and has what the task needs. A nil node is none.
func (p *plan) fits(class *Class, node *corev1.Node) bool {
	if p.count > 0 {
		if s := class.supplyOf(p.resource); s == nil || !p.meets(class, s) {
			return false
		}
	}
	return p.pod.fits(node, class.reserve)
}

// why returns why the nodes of a class do not host the Pod now: all that is amiss. It is empty if one does.
func (p *plan) why(class *Class) string {
	now := class.openFor(p)
	switch {
	case p.fits(class, now):
		return ""
	case now == class.node || !p.fits(class, class.node):
	case now == nil:
		return class.unavailable(p)
	default: // nodes of a class differ in nothing else
		return "its nodes with enough memory take no Pods now: cordoned or not ready"
	}
	var all []string
	most, serves := p.closest(class)
	if p.count > 0 && !serves {
		if why := p.lacks(class, most); why != "" {
			all = append(all, why)
		}
		if !class.accelerated() {
			return all[0] // whatever else: a GPU does not come
		}
	}
	for _, m := range p.mismatches(class.node.Labels, most) {
		all = append(all, m.why)
	}
	all = append(all, p.others(class)...)
	if len(all) == 0 {
		return p.unselected(class)
	}
	return strings.Join(all, ", and ")
}

// unavailable returns why nodes take no Pod now that could host it otherwise.
func (c *Class) unavailable(p *plan) string {
	switch {
	case p.count == 0 || c.Cordoned+c.NotReady > 0:
		return "takes no Pods now: cordoned or not ready"
	case c.Restarting > 0:
		return fmt.Sprintf("takes no Pods with GPUs now: no %s is healthy; look after the device plugin", p.resource)
	default:
		return fmt.Sprintf("labels tell of its GPUs, and no %s is allocatable: look after the device plugin, unless Dynamic Resource Allocation gives them",
			p.resource)
	}
}

// others returns what keeps the Pod off the nodes of a class besides their GPUs.
func (p *plan) others(class *Class) []string {
	var all []string
	for i := range class.node.Spec.Taints {
		only := &corev1.Node{Spec: corev1.NodeSpec{Taints: class.node.Spec.Taints[i : i+1]}}
		if taint, found := p.pod.untolerated(only); found {
			all = append(all, p.repelled(&taint))
		}
	}
	if pods, ok := class.node.Status.Allocatable[corev1.ResourcePods]; !ok || pods.Sign() <= 0 {
		all = append(all, "takes no Pods: allocatable pods is 0")
	}
	for _, name := range p.pod.requested {
		if (p.count == 0 || name != p.resource) && p.pod.lacksOf(class.node, name, class.reserve) {
			all = append(all, p.pod.lacks(name, class))
		}
	}
	return all
}

// repelled says that a taint keeps a task off, and for which tasks that can be changed.
func (p *plan) repelled(taint *corev1.Taint) string {
	if p.count == 0 {
		return fmt.Sprintf("is kept for other Pods by the taint %s", taint.ToString())
	}
	return fmt.Sprintf("has the taint %s, which gpu.tolerations in the operator's configuration do not tolerate", taint.ToString())
}

// lacks returns what a node has too little of, beside what is reserved.
func (p *pod) lacks(name corev1.ResourceName, class *Class) string {
	want, has := p.requests[name], class.node.Status.Allocatable[name]
	if name == corev1.ResourceMemory {
		text := fmt.Sprintf("needs memory %s, has %s", gibibytes(want.Value()), gibibytes(has.Value()))
		if want.Cmp(has) <= 0 {
			text += fmt.Sprintf(" of which DaemonSets take %s (reserve)", gibibytes(class.reserve.Memory))
		}
		return text
	}
	text := fmt.Sprintf("needs %s %s, has %s", name, want.String(), has.String())
	if want.Cmp(has) <= 0 {
		text += fmt.Sprintf(" of which DaemonSets take %dm (reserve)", class.reserve.MilliCPU)
	}
	return text
}

// gibibytes returns a size to a tenth, rounded down: machines of one type differ in less. Smaller ones are in Mi.
func gibibytes(bytes int64) string {
	if bytes < 1<<30 {
		return strconv.FormatInt(bytes>>20, 10) + "Mi"
	}
	tenths := math.Floor(float64(bytes) / (1 << 30) * 10)
	return strings.TrimSuffix(strconv.FormatFloat(tenths/10, 'f', 1, 64), ".0") + "Gi"
}

// unselected returns why nodes are not selected whose GPUs would be enough.
func (p *plan) unselected(class *Class) string {
	if p.count == 0 {
		return "is not what the placement selects"
	}
	for i := range class.supplies {
		s := &class.supplies[i]
		if !s.serves(&p.demand) {
			continue
		}
		switch k := s.need(&p.demand); {
		case s.unallocatable:
		case k > p.count:
			text := fmt.Sprintf("would take %d %s, and the placement takes the fewest: %s", k, s.resource, p.share())
			if s.isNearMiss(&p.demand) {
				text += "; " + s.miss(&p.demand)
			}
			return text
		case s.resource != p.resource && !p.ambiguous:
			return fmt.Sprintf("would do with %d %s; the placement asks for another resource, of which there are more, or which wastes less: %s",
				k, s.resource, p.share())
		}
	}
	if p.ambiguous {
		return "would do, and has the labels of nodes that would not: give it a label of its own, and describe it by a profile"
	}
	return "is not what the placement selects: " + p.share()
}

// lacks returns why the GPUs of a class are not enough, by the supply of which there is most to say.
func (p *plan) lacks(class *Class, most *supply) string {
	if most != nil {
		return most.shortage(&p.demand)
	}
	if len(class.foreign) == 0 {
		return "has no GPU"
	}
	var foreign []string
	for _, name := range class.foreign {
		quantity := class.node.Status.Allocatable[name]
		foreign = append(foreign, fmt.Sprintf("%s: %s", name, quantity.String()))
	}
	return "has " + strings.Join(foreign, ", ") + ", which gpu.resourceName does not name"
}

// closest returns the supply of a class of which there is most to say, and whether some supply is enough. Nil if there is none.
func (p *plan) closest(class *Class) (most *supply, serves bool) {
	for _, w := range class.ways {
		s := w.supply
		if s.serves(&p.demand) && !s.unallocatable {
			return s, true
		}
		if most == nil || s.rank() > most.rank() {
			most = s
		}
	}
	return most, false
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

// apart says why several GPUs of a supply cannot serve one task.
func (s *supply) apart() string {
	switch {
	case s.slice:
		return "MIG slices, which do not add up"
	case s.sharing != sharingNone:
		return "shared GPUs, which do not add up"
	default:
		return "one on a node"
	}
}

// shortage returns why a supply does not meet a demand.
func (s *supply) shortage(d *demand) string {
	if s.memory == 0 && s.unusable == "" && s.count > 0 && !s.mayBeEnough(d) {
		return fmt.Sprintf("needs more GPUs on one node than the %d that it has, however much memory they have", s.count)
	}
	if why := s.deviceShortage(d); why != "" {
		return why
	}
	k := s.need(d)
	switch {
	case s.count == 0:
		return fmt.Sprintf("has no %s that can be allocated", s.resource)
	case s.unusable != "":
		return s.unusable
	case k > 1 && s.counted(d) >= d.memory && (s.count == 1 || !s.adds()):
		return fmt.Sprintf("needs %d GPUs, the fewest that gpuCounts allows, and has %s", k, s.apart())
	case s.unallocatable:
		return fmt.Sprintf("%s tells of %d GPUs with %dMi, and no %s is allocatable: Dynamic Resource Allocation gives them, or there is no device plugin",
			&s.source, s.count, s.memory, s.resource)
	case s.mislabelled != "":
		return s.mislabelled
	case s.memory == 0 && s.unified:
		return fmt.Sprintf("%s: its GPUs use the node's main memory, which GPU Feature Discovery cannot tell; describe them by a profile with "+
			"memoryType: Unified, and the memory that a task and its Pod can share", v1alpha1.ReasonMemoryLabelMissing)
	case s.memory == 0:
		return fmt.Sprintf("%s: it has no label %s", v1alpha1.ReasonMemoryLabelMissing, s.labels+suffixMemory)
	}
	one := "needs " + mebibytes(d.memory) + " on one GPU, has " + mebibytes(s.memory)
	switch {
	case s.slice:
		return one + " on a MIG slice, and slices do not add up: " + s.miss(d)
	case s.sharing != sharingNone:
		return one + " on a shared GPU, and those do not add up: " + s.miss(d)
	case s.count == 1:
		return one + ", and one GPU on a node: " + s.miss(d)
	case k == 0:
		return fmt.Sprintf("needs more GPUs than gpuCounts allows: has %d with %dMi each", s.count, s.memory)
	default:
		return "needs " + strconv.FormatInt(k, 10) + " GPUs on one node, has " + strconv.FormatInt(s.count, 10) + " with " + mebibytes(s.memory) + " each"
	}
}
