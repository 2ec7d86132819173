package place

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/maze-agent/maregister/cmd/mazectl/internal/terminal"
	"github.com/maze-agent/maregister/internal/placement"
)

// maxNames is how many tasks a row of the table of a summary names, unless it is to be wide.
const maxNames = 8

// summaryReport is what "place --summary" prints for programs. Its fields stay; others may be added.
type summaryReport struct {
	// Verdicts count the tasks by the status and the reason of the condition Placeable, what a user has to look at first.
	Verdicts []verdictSummary `json:"verdicts"`
	// Changes count the tasks by what becomes of them. They are there if nodes come or go.
	Changes []changeSummary `json:"changes,omitempty"`
	// Classes are the classes of nodes by name, those that can host the most tasks first.
	Classes []classSummary `json:"classes"`
	// Unlocks tell what one more node of a pool would do for the tasks that no node is known to host.
	Unlocks []unlockSummary `json:"unlocks"`
}

type verdictSummary struct {
	Status metav1.ConditionStatus `json:"status"`
	Reason string                 `json:"reason"`
	tasksSummary
}

type changeSummary struct {
	Change placement.Change `json:"change"`
	tasksSummary
}

type unlockSummary struct {
	// Pool describes the node.
	Pool string `json:"pool"`
	tasksSummary
}

// tasksSummary has how many tasks there are, and their names, with the namespaces of those that have one.
type tasksSummary struct {
	Count int      `json:"count"`
	Tasks []string `json:"tasks"`
}

func (s *tasksSummary) add(j *Judged) {
	s.Count++
	s.Tasks = append(s.Tasks, j.title())
}

// classSummary has how many of the tasks an empty node of a class can host. Classes of one name count as one.
type classSummary struct {
	Name  string `json:"name"`
	Nodes int    `json:"nodes"`
	// Unavailable is how many of the nodes are cordoned, not ready, or without their device plugin.
	Unavailable int `json:"unavailable,omitempty"`
	Tasks       int `json:"tasks"`
}

// WriteSummary prints what was found out, counted, in the form that was asked for.
func WriteSummary(t terminal.Terminal, output string, all []Judged, nodes *Inventories) error {
	var content []byte
	var err error
	report := summaryOf(all, nodes)
	switch output {
	case outputJSON:
		return terminal.WriteJSON(t.Out, report)
	case outputYAML:
		content, err = yaml.Marshal(report)
	default:
		content = []byte(report.table(t, len(all), output == outputWide))
	}
	if err != nil {
		return fmt.Errorf("encode the summary: %w", err)
	}
	_, err = t.Out.Write(content)
	return err
}

func summaryOf(all []Judged, nodes *Inventories) *summaryReport {
	report := &summaryReport{Verdicts: []verdictSummary{}, Classes: classesOf(all, nodes), Unlocks: []unlockSummary{}}
	ordered := slices.Clone(all)
	slices.SortStableFunc(ordered, func(a, b Judged) int { return cmp.Compare(rank(a.Comparison), rank(b.Comparison)) })
	for i := range ordered {
		report.count(&ordered[i])
	}
	for _, found := range nodes.unlocks(all) {
		next := unlockSummary{Pool: found.pool}
		for i := range found.tasks {
			next.add(&found.tasks[i])
		}
		report.Unlocks = append(report.Unlocks, next)
	}
	return report
}

// count counts a task by its verdict, and by its change if there is one.
func (r *summaryReport) count(j *Judged) {
	verdict := &j.After.Verdict
	at := slices.IndexFunc(r.Verdicts, func(v verdictSummary) bool { return v.Status == verdict.Status && v.Reason == verdict.Reason })
	if at < 0 {
		at = len(r.Verdicts)
		r.Verdicts = append(r.Verdicts, verdictSummary{Status: verdict.Status, Reason: verdict.Reason})
	}
	r.Verdicts[at].add(j)
	if j.Change == "" {
		return
	}
	at = slices.IndexFunc(r.Changes, func(c changeSummary) bool { return c.Change == j.Change })
	if at < 0 {
		at = len(r.Changes)
		r.Changes = append(r.Changes, changeSummary{Change: j.Change})
	}
	r.Changes[at].add(j)
}

// classesOf counts for each name of a class the tasks that some class of this name can host.
func classesOf(all []Judged, nodes *Inventories) []classSummary {
	classes := []classSummary{}
	at := map[string]int{}
	for _, class := range nodes.after.Classes() {
		i, known := at[class.Name]
		if !known {
			i = len(classes)
			at[class.Name] = i
			classes = append(classes, classSummary{Name: class.Name})
		}
		classes[i].Nodes += class.Nodes
		classes[i].Unavailable += class.Unavailable()
	}
	for _, j := range all {
		hosts := map[string]bool{}
		for _, fit := range j.Classes {
			if fit.Why == "" && !hosts[fit.Name] {
				hosts[fit.Name] = true
				classes[at[fit.Name]].Tasks++
			}
		}
	}
	slices.SortStableFunc(classes, func(a, b classSummary) int { return cmp.Compare(b.Tasks, a.Tasks) })
	return classes
}

// table shows a summary as blocks, one for each question. A table that is not wide names only some of the tasks.
func (r *summaryReport) table(to terminal.Terminal, tasks int, wide bool) string {
	names := func(s *tasksSummary, label string) terminal.Row {
		shown := s.Tasks
		if !wide && len(shown) > maxNames {
			shown = append(slices.Clip(shown[:maxNames-1]), fmt.Sprintf("and %d more", len(shown)-maxNames+1))
		}
		return terminal.Row{Label: label, Value: terminal.Plural(s.Count, "task"), Text: strings.Join(shown, ", ")}
	}
	verdicts := terminal.Block{Title: "tasks by verdict"}
	for i := range r.Verdicts {
		v := &r.Verdicts[i]
		row := names(&v.tasksSummary, string(v.Status)+" "+v.Reason)
		row.ValueColor = statusColors[v.Status]
		verdicts.Add(row)
	}
	blocks := []terminal.Block{verdicts}
	if len(r.Changes) > 0 {
		changes := terminal.Block{Title: "tasks by change"}
		for i := range r.Changes {
			row := names(&r.Changes[i].tasksSummary, string(r.Changes[i].Change))
			row.ValueColor = changeColors[r.Changes[i].Change]
			changes.Add(row)
		}
		blocks = append(blocks, changes)
	}
	if len(r.Classes) > 0 {
		blocks = append(blocks, r.classBlock(tasks, wide))
	}
	if waiting := r.waiting(); waiting > 0 {
		blocks = append(blocks, r.unlockBlock(names, waiting))
	}
	return to.Blocks(blocks)
}

func (r *summaryReport) classBlock(tasks int, wide bool) terminal.Block {
	block := terminal.Block{Title: "classes of nodes, by the tasks that an empty node can host"}
	shown := r.Classes
	if !wide && len(shown) > maxClassRows {
		shown = shown[:maxClassRows-1]
	}
	for _, c := range shown {
		text := terminal.Plural(c.Nodes, "node")
		if c.Unavailable > 0 {
			text += fmt.Sprintf(", %d not available", c.Unavailable)
		}
		block.Add(terminal.Row{Label: c.Name, Value: fmt.Sprintf("%d of %s", c.Tasks, terminal.Plural(tasks, "task")), Text: text})
	}
	if more := len(r.Classes) - len(shown); more > 0 {
		block.Add(terminal.Row{Label: fmt.Sprintf("and %d more classes", more), Text: "-o wide shows them"})
	}
	return block
}

// waiting is how many tasks no node is known to host, without those that the API server would refuse.
func (r *summaryReport) waiting() int {
	n := 0
	for i := range r.Verdicts {
		if v := &r.Verdicts[i]; v.Status != metav1.ConditionTrue && v.Reason != reasonRefused {
			n += v.Count
		}
	}
	return n
}

func (r *summaryReport) unlockBlock(names func(*tasksSummary, string) terminal.Row, waiting int) terminal.Block {
	block := terminal.Block{Title: "what one more node would unlock"}
	for i := range r.Unlocks {
		row := names(&r.Unlocks[i].tasksSummary, r.Unlocks[i].Pool)
		row.ValueColor = terminal.Green
		block.Add(row)
	}
	if len(r.Unlocks) == 0 {
		block.Add(terminal.Row{Label: "none of the pools that were tried", Text: fmt.Sprintf(
			"%s can run on none of them: see why with place, without --summary", terminal.Plural(waiting, "task"))})
	}
	return block
}
