package placement

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/maze-agent/maregister/api/v1alpha1"
)

// Labels of GPU Feature Discovery about what a GPU is, besides its memory. They are about the cards, also on nodes that give slices.
const (
	// suffixMajor and suffixMinor: the compute capability (NVIDIA/k8s-device-plugin, internal/lm/resource.go).
	suffixMajor = ".compute.major"
	suffixMinor = ".compute.minor"
)

// windows is the value of kubernetes.io/os on nodes that run no task.
const windows = "windows"

// What GPU Feature Discovery adds to the name of a product whose GPUs are shared, or partitioned.
const (
	sharedProduct = "-SHARED"
	slicedProduct = "-MIG-"
)

// Capability is a compute capability: a hundred times the major version, and the minor one. 0 is for none.
type Capability int64

// CapabilityOf reads what the API server has checked, such as 8.9. It is 0 for what is none.
func CapabilityOf(text string) Capability {
	major, minor, _ := strings.Cut(text, ".")
	m, err := strconv.ParseUint(major, 10, 8)
	n, wrong := strconv.ParseUint(minor, 10, 4)
	if err != nil || wrong != nil {
		return 0
	}
	return Capability(m*capabilityMajor + n)
}

const capabilityMajor = 100

func (c Capability) split() (major, minor int64) {
	return int64(c) / capabilityMajor, int64(c) % capabilityMajor
}

func (c Capability) String() string {
	major, minor := c.split()
	return fmt.Sprintf("%d.%d", major, minor)
}

// Kind is what the GPUs of a task must be, besides their memory. It can be compared. The zero value is for any.
type Kind struct {
	// Capability is the least compute capability.
	Capability Capability
	// Architecture is that of the node's processor, as kubernetes.io/arch has it.
	Architecture string
	// products are names of products, sorted, each followed by a space, which no name has.
	products string
}

// kindOf reads what a task's GPUs must be.
func kindOf(r *v1alpha1.GPURequirements) Kind {
	if r == nil {
		return Kind{}
	}
	k := Kind{Capability: CapabilityOf(r.MinComputeCapability), Architecture: r.Architecture}
	for _, product := range slices.Compact(slices.Sorted(slices.Values(r.Products))) {
		k.products += product + " "
	}
	return k
}

// Products returns the names of the products that will do, sorted. There are none if any will.
func (k *Kind) Products() []string { return strings.Fields(k.products) }

// selects says what a DeviceClass has to select by, for GPUs with so much memory each, in MiB. Empty if any will do.
func (k *Kind) selects(memory int64) string {
	var all []string
	if memory > 0 {
		all = append(all, fmt.Sprintf("%dMi or more", memory))
	}
	if k.Capability > 0 {
		all = append(all, fmt.Sprintf("compute capability %s or more", k.Capability))
	}
	if k.products != "" {
		all = append(all, "of the products "+strings.Join(k.Products(), ", "))
	}
	return strings.Join(all, ", and ")
}

// discovered reports whether only GPU Feature Discovery tells what is asked for, which does not run on nodes that are not there yet.
func (k *Kind) discovered() bool { return k.Capability > 0 || k.products != "" }

// fit is how nodes with some labels are what a task needs.
type fit int

const (
	// fitYes is for labels that say so, fitUntold for those that do not tell, fitNo for those that say they are not.
	fitYes fit = iota
	fitUntold
	fitNo
)

// mismatch is a property by which nodes are not what a task needs, or do not tell whether they are.
type mismatch struct {
	fit fit
	// why says what is amiss.
	why string
}

// mismatches compares nodes and the GPUs that they give with what a task needs. There are none if they are what it needs. A nil supply is any that
// labels tell of.
func (d *demand) mismatches(labels map[string]string, s *supply) []mismatch {
	return append(d.hostMismatches(labels), d.Kind.mismatches(labels, s)...)
}

// hostMismatches compares nodes without their GPUs.
func (d *demand) hostMismatches(labels map[string]string) []mismatch {
	var all []mismatch
	if labels[corev1.LabelOSStable] == windows {
		all = append(all, mismatch{fitNo, "runs Windows, and tasks run on Linux"})
	}
	if arch := d.Kind.Architecture; arch != "" && labels[corev1.LabelArchStable] != arch {
		all = append(all, labelMismatch(labels, corev1.LabelArchStable, fmt.Sprintf("has the architecture %s, not %s", labels[corev1.LabelArchStable], arch)))
	}
	return all
}

// mismatches compares GPUs. What they are, labels of the nodes tell, but for a supply whose devices tell it themselves.
func (k *Kind) mismatches(labels map[string]string, s *supply) []mismatch {
	if s != nil && s.devices {
		return k.deviceMismatches(s)
	}
	var all []mismatch
	if k.Capability > 0 {
		if missing, ok := k.capable(labels); !ok {
			all = append(all, missing)
		}
	}
	const product = gpuLabels + suffixProduct
	if k.products != "" && !k.names(labels[product]) {
		all = append(all, labelMismatch(labels, product, fmt.Sprintf("its GPUs are %s, which gpuRequirements.products does not name", labels[product])))
	}
	return all
}

// labelMismatch returns the mismatch of a label: why, if it is there.
func labelMismatch(labels map[string]string, label, why string) mismatch {
	if labels[label] == "" {
		return mismatch{fitUntold, fmt.Sprintf("%s: it has no label %s", v1alpha1.ReasonMemoryLabelMissing, label)}
	}
	return mismatch{fitNo, why}
}

// capable reports whether labels tell a compute capability that is enough, and otherwise what is amiss.
func (k *Kind) capable(labels map[string]string) (mismatch, bool) {
	major, minor := numberOf(labels, gpuLabels+suffixMajor), numberOf(labels, gpuLabels+suffixMinor)
	least, of := k.Capability.split()
	switch {
	case major > least, major == least && (minor >= of || of == 0):
		return mismatch{}, true
	case major < 0:
		return labelMismatch(labels, gpuLabels+suffixMajor, malformedLabel(gpuLabels+suffixMajor, labels[gpuLabels+suffixMajor], "a number")), false
	case major == least && minor < 0:
		return labelMismatch(labels, gpuLabels+suffixMinor, malformedLabel(gpuLabels+suffixMinor, labels[gpuLabels+suffixMinor], "a number")), false
	default:
		return mismatch{fitNo, fmt.Sprintf("has compute capability %d.%d, needs %s", major, max(0, minor), k.Capability)}, false
	}
}

// Names reports whether a product will do, as a driver names it.
func (k *Kind) Names(product string) bool { return k.names(modelOf(product)) }

// names reports whether a product's label is of one that will do: how its GPUs are given, as shares or slices, is for others to judge.
func (k *Kind) names(label string) bool {
	return slices.ContainsFunc(k.Products(), func(product string) bool { return product == label || product == cardOf(label) })
}

// cardOf returns the name of the card from a product's label.
func cardOf(label string) string {
	card, _, _ := strings.Cut(strings.TrimSuffix(label, sharedProduct), slicedProduct)
	return strings.TrimSuffix(card, sharedProduct)
}

// suits returns how nodes with some labels, and a supply of them, are what a task needs, besides the number of GPUs and their memory.
func (d *demand) suits(labels map[string]string, s *supply) fit {
	worst := fitYes
	for _, m := range d.mismatches(labels, s) {
		worst = max(worst, m.fit)
	}
	return worst
}

// growable reports whether nodes that an autoscaler would add are what a task needs, as far as the labels tell that it knows of them: not those
// of GPU Feature Discovery.
func (d *demand) growable(labels map[string]string) bool {
	fit := d.suits(labels, nil)
	return fit == fitYes || fit == fitUntold && !d.Kind.discovered()
}

// ofKind adds to each way to be selected what labels must tell of the GPUs besides.
func (inv *Inventory) ofKind(d *demand, terms []corev1.NodeSelectorTerm) []corev1.NodeSelectorTerm {
	return extended(terms, inv.ways(&d.Kind))
}

// suited adds to each way to be selected what the nodes must be, whatever describes their GPUs.
func (inv *Inventory) suited(d *demand, terms []corev1.NodeSelectorTerm) []corev1.NodeSelectorTerm {
	var common []corev1.NodeSelectorRequirement
	if inv.windows {
		common = append(common, noneOf(corev1.LabelOSStable, windows))
	}
	if d.Kind.Architecture != "" {
		common = append(common, oneOf(corev1.LabelArchStable, d.Kind.Architecture))
	}
	return extended(terms, [][]corev1.NodeSelectorRequirement{common})
}

// extended adds to each way to be selected each of some lists of requirements. Without a way, it returns those that select by nothing else.
func extended(terms []corev1.NodeSelectorTerm, ways [][]corev1.NodeSelectorRequirement) []corev1.NodeSelectorTerm {
	if len(ways) == 1 && len(ways[0]) == 0 {
		return terms
	}
	if len(terms) == 0 {
		terms = []corev1.NodeSelectorTerm{{}}
	}
	out := make([]corev1.NodeSelectorTerm, 0, len(terms)*len(ways))
	for _, term := range terms {
		for _, way := range ways {
			out = append(out, corev1.NodeSelectorTerm{MatchExpressions: slices.Concat(term.MatchExpressions, way)})
		}
	}
	return out
}

// ways returns what selects nodes by what labels tell of their GPUs: one list of requirements, or two of which one is enough, as a compute capability
// has two labels.
func (inv *Inventory) ways(k *Kind) [][]corev1.NodeSelectorRequirement {
	var common []corev1.NodeSelectorRequirement
	if k.products != "" {
		common = append(common, oneOf(gpuLabels+suffixProduct, inv.productLabels(k)...))
	}
	major, minor := k.Capability.split()
	switch {
	case k.Capability == 0:
		return [][]corev1.NodeSelectorRequirement{common}
	case minor == 0:
		return [][]corev1.NodeSelectorRequirement{append(common, above(gpuLabels+suffixMajor, major-1))}
	default:
		same := slices.Concat(common, []corev1.NodeSelectorRequirement{
			oneOf(gpuLabels+suffixMajor, strconv.FormatInt(major, 10)), above(gpuLabels+suffixMinor, minor-1),
		})
		return [][]corev1.NodeSelectorRequirement{same, append(slices.Clip(common), above(gpuLabels+suffixMajor, major))}
	}
}

// productLabels returns the values of the product's label that will do: the names, and those with what says that the GPUs are shared or
// partitioned, of nodes that there are.
func (inv *Inventory) productLabels(k *Kind) []string {
	values := k.Products()
	for i := range inv.classes {
		if label := inv.classes[i].node.Labels[gpuLabels+suffixProduct]; label != "" && k.names(label) {
			values = insert(values, label)
		}
	}
	return values
}

// untold reports whether the nodes of a class could host the task if it were told what they are.
func (p *plan) untold(class *Class) bool {
	return slices.ContainsFunc(class.ways, func(w way) bool {
		return !w.unallocatable && w.serves(&p.demand) && p.suits(class.node.Labels, w.supply) == fitUntold && len(p.others(class)) == 0
	})
}

// isCommon reports whether a label is on most nodes, and says nothing about their GPUs.
func isCommon(label string) bool {
	return label == corev1.LabelOSStable || label == corev1.LabelArchStable
}
