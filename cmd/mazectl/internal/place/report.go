package place

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/terminal"
	"github.com/maze-agent/maregister/internal/placement"
)

// The values of -o.
const (
	OutputTable = "table"
	outputWide  = "wide"
	outputJSON  = "json"
	outputYAML  = "yaml"
)

// Outputs are the values of -o.
var Outputs = []string{OutputTable, outputWide, outputJSON, outputYAML}

// placeReport is what "place" prints for programs. Its fields stay; others may be added.
type placeReport struct {
	// Tasks are in the order of the manifests.
	Tasks []taskReport `json:"tasks"`
}

type taskReport struct {
	// Namespace and Name are the object's, Task its spec.name.
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name"`
	Task      string `json:"task,omitempty"`
	// Change and Before are there if nodes come or go.
	Change  placement.Change `json:"change,omitempty"`
	Before  *verdictReport   `json:"before,omitempty"`
	After   verdictReport    `json:"after"`
	Classes []classReport    `json:"classes"`
}

// verdictReport has the condition Placeable and status.placement, as the operator would write them.
type verdictReport struct {
	Status  metav1.ConditionStatus `json:"status"`
	Reason  string                 `json:"reason"`
	Message string                 `json:"message"`
	// Placement is absent for tasks that the API server would refuse.
	Placement *v1alpha1.Placement `json:"placement,omitempty"`
}

// classReport says how the nodes of a class fit. Several classes may have one name.
type classReport struct {
	Name  string `json:"name"`
	Nodes int    `json:"nodes"`
	// Unavailable is how many of the nodes are cordoned or not ready.
	Unavailable int  `json:"unavailable,omitempty"`
	Fits        bool `json:"fits"`
	// Why says why not.
	Why    string             `json:"why,omitempty"`
	Before *classBeforeReport `json:"before,omitempty"`
}

type classBeforeReport struct {
	Nodes int    `json:"nodes"`
	Fits  bool   `json:"fits"`
	Why   string `json:"why,omitempty"`
}

// Write prints what was found out, in the form that was asked for.
func Write(t terminal.Terminal, output string, all []Judged) error {
	var content []byte
	var err error
	switch output {
	case outputJSON:
		return terminal.WriteJSON(t.Out, reportOf(all))
	case outputYAML:
		content, err = yaml.Marshal(reportOf(all))
	default:
		content = []byte((&table{wide: output == outputWide}).render(t, all))
	}
	if err != nil {
		return fmt.Errorf("encode the result: %w", err)
	}
	_, err = t.Out.Write(content)
	return err
}

func reportOf(all []Judged) placeReport {
	report := placeReport{Tasks: make([]taskReport, len(all))}
	for i, j := range all {
		r := taskReport{Namespace: j.namespace, Name: j.name, Task: j.key, Change: j.Change, After: verdictOf(&j.After), Classes: []classReport{}}
		if j.Before != nil {
			before := verdictOf(j.Before)
			r.Before = &before
		}
		for _, class := range j.Classes {
			c := classReport{Name: class.Name, Nodes: class.Nodes, Unavailable: class.Unavailable, Fits: class.Why == "", Why: class.Why}
			if b := class.Before; b != nil {
				c.Before = &classBeforeReport{Nodes: b.Nodes, Fits: b.Nodes > 0 && b.Why == "", Why: b.Why}
			}
			r.Classes = append(r.Classes, c)
		}
		report.Tasks[i] = r
	}
	return report
}

func verdictOf(r *placement.Resolution) verdictReport {
	out := verdictReport{Status: r.Verdict.Status, Reason: r.Verdict.Reason, Message: r.Verdict.Message()}
	if r.Verdict.Reason != reasonRefused {
		out.Placement = &r.Placement
	}
	return out
}

// Summary returns what was found out, counted.
func Summary(all []Judged, nodes *Inventories) string {
	statuses, changes := map[metav1.ConditionStatus]int{}, map[placement.Change]int{}
	for _, j := range all {
		statuses[j.After.Verdict.Status]++
		changes[j.Change]++
	}
	text := fmt.Sprintf("%s: %d placeable", terminal.Plural(len(all), "task"), statuses[metav1.ConditionTrue])
	add := func(separator string, n int, what string) {
		if n > 0 {
			text += fmt.Sprintf("%s%d %s", separator, n, what)
		}
	}
	add(", ", statuses[metav1.ConditionFalse], "not")
	add(", ", statuses[metav1.ConditionUnknown], "unknown")
	separator := "; "
	for _, change := range []placement.Change{placement.ChangeUnlocked, placement.ChangeStranded, placement.ChangeMoved} {
		add(separator, changes[change], string(change))
		if changes[change] > 0 {
			separator = ", "
		}
	}
	text += fmt.Sprintf("; %s in %s", terminal.Plural(nodes.nodes, "node"), terminal.Plural(len(nodes.after.Classes()), "class"))
	if nodes.before != nil {
		text += fmt.Sprintf(" (%d added, %d drained)", nodes.added, nodes.drained)
	}
	return text
}
