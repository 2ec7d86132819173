package place

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/terminal"
)

// asks returns what a Pod with a placement asks for, GPUs first.
func asks(p *v1alpha1.Placement) string {
	var parts []string
	if p.GPU != nil {
		text := fmt.Sprintf("%d %s", p.GPU.Count, p.GPU.ResourceName)
		switch {
		case p.GPU.MemoryPerGPU == 0:
			text += " of any size"
		case p.GPU.Count == 1:
			text += fmt.Sprintf(" with %dMi", p.GPU.MemoryPerGPU)
		default:
			text += fmt.Sprintf(" with %dMi each", p.GPU.MemoryPerGPU)
		}
		parts = append(parts, text)
	}
	for _, name := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
		if quantity, ok := p.Requests[name]; ok {
			parts = append(parts, fmt.Sprintf("%s %s", name, quantity.String()))
		}
	}
	if p.GPU != nil && p.GPU.TensorParallelSize > 0 {
		parts = append(parts, fmt.Sprintf("tensor parallel size %d", p.GPU.TensorParallelSize))
	}
	return strings.Join(parts, ", ")
}

// placementRows say what a placement asks of nodes, as kube-scheduler reads it.
func placementRows(p *v1alpha1.Placement) []terminal.Row {
	var rows []terminal.Row
	for _, label := range slices.Sorted(maps.Keys(p.NodeSelector)) {
		rows = append(rows, terminal.Row{Value: "selects", Text: label + "=" + p.NodeSelector[label]})
	}
	if p.Affinity != nil && p.Affinity.NodeAffinity != nil {
		if required := p.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution; required != nil {
			for i := range required.NodeSelectorTerms {
				rows = append(rows, terminal.Row{Value: either(i, "selects"), Text: expressions(&required.NodeSelectorTerms[i])})
			}
		}
		for i := range p.Affinity.NodeAffinity.PreferredDuringSchedulingIgnoredDuringExecution {
			term := &p.Affinity.NodeAffinity.PreferredDuringSchedulingIgnoredDuringExecution[i]
			rows = append(rows, terminal.Row{Value: "prefers", Text: expressions(&term.Preference)})
		}
	}
	var tolerated []string
	for i := range p.Tolerations {
		t := &p.Tolerations[i]
		taint := corev1.Taint{Key: t.Key, Value: t.Value, Effect: t.Effect}
		tolerated = append(tolerated, taint.ToString())
	}
	if len(tolerated) > 0 {
		rows = append(rows, terminal.Row{Value: "tolerates", Text: strings.Join(tolerated, ", ")})
	}
	if p.SchedulerName != "" {
		rows = append(rows, terminal.Row{Value: "scheduler", Text: p.SchedulerName})
	}
	for _, key := range slices.Sorted(maps.Keys(p.Annotations)) {
		rows = append(rows, terminal.Row{Value: "annotates", Text: key + "=" + p.Annotations[key]})
	}
	return rows
}

// onlyIn returns what one placement asks of nodes and another does not.
func onlyIn(p, other *v1alpha1.Placement) string {
	others := placementRows(other)
	var text strings.Builder
	for _, r := range placementRows(p) {
		if !slices.Contains(others, r) {
			text.WriteString(", " + r.Value + " " + r.Text)
		}
	}
	return text.String()
}

// either leads over to an alternative.
func either(i int, verb string) string {
	if i > 0 {
		return "or " + verb
	}
	return verb
}

var operators = map[corev1.NodeSelectorOperator]string{
	corev1.NodeSelectorOpGt: " > ", corev1.NodeSelectorOpLt: " < ", corev1.NodeSelectorOpIn: " in ", corev1.NodeSelectorOpNotIn: " not in ",
	corev1.NodeSelectorOpExists: " is there", corev1.NodeSelectorOpDoesNotExist: " is not there",
}

func expressions(term *corev1.NodeSelectorTerm) string {
	var parts []string
	for _, e := range term.MatchExpressions {
		values := strings.Join(e.Values, ", ")
		if e.Operator == corev1.NodeSelectorOpIn || e.Operator == corev1.NodeSelectorOpNotIn {
			values = "(" + values + ")"
		}
		parts = append(parts, e.Key+operators[e.Operator]+values)
	}
	return strings.Join(parts, ", ")
}
