package place

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/maze-agent/maregister/cmd/mazectl/internal/terminal"
	"github.com/maze-agent/maregister/internal/placement"
)

// maxClassRows is how many classes the table shows of each task, unless it is to be wide.
const maxClassRows = 12

// table shows tasks in blocks: those that share a requirement in one, findings first.
type table struct {
	// wide is for a table that leaves nothing out.
	wide bool
}

func (t *table) render(to terminal.Terminal, all []Judged) string {
	var blocks []terminal.Block
	for _, group := range grouped(all, t.wide) {
		blocks = append(blocks, t.blockOf(group))
	}
	return to.Blocks(blocks)
}

// grouped puts together the tasks that share a comparison, and orders them: what a user has to look at comes first. Those that
// can be placed as before are one group, unless each is to be told of.
func grouped(all []Judged, wide bool) [][]Judged {
	var groups [][]Judged
	at := map[any]int{}
	for _, j := range all {
		var key any = j.Comparison
		switch {
		case j.refused != "":
			key = j.refused
		case !wide && isAsBefore(j.Comparison):
			key = placement.ChangeNone
		}
		i, known := at[key]
		if !known {
			i = len(groups)
			at[key] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], j)
	}
	slices.SortStableFunc(groups, func(a, b []Judged) int {
		return cmp.Compare(rank(a[0].Comparison), rank(b[0].Comparison))
	})
	return groups
}

func isAsBefore(c *placement.Comparison) bool {
	return c.Change == placement.ChangeNone && c.After.Verdict.Status == metav1.ConditionTrue
}

// rank orders changes, then verdicts, by how much they ask for attention.
func rank(c *placement.Comparison) int {
	changes := []placement.Change{placement.ChangeStranded, placement.ChangeUnlocked, placement.ChangeMoved, placement.ChangeJudged, placement.ChangeNone}
	statuses := []metav1.ConditionStatus{metav1.ConditionFalse, metav1.ConditionUnknown, metav1.ConditionTrue}
	return slices.Index(changes, c.Change)*len(statuses) + slices.Index(statuses, c.After.Verdict.Status)
}

func (t *table) blockOf(group []Judged) terminal.Block {
	c := group[0].Comparison
	b := terminal.Block{Title: t.names(group), Mark: string(c.Change), MarkColor: changeColors[c.Change]}
	if !t.wide && isAsBefore(c) {
		b.Mark += ", placeable"
		return b
	}
	switch c.Change {
	case "", placement.ChangeNone:
		b.Add(verdictRow("verdict", &c.After))
	default:
		before, after := verdictRow("before", c.Before), verdictRow("after", &c.After)
		if before.Text == after.Text { // what is different is what is asked of nodes
			before.Text += onlyIn(&c.Before.Placement, &c.After.Placement)
			after.Text += onlyIn(&c.After.Placement, &c.Before.Placement)
		}
		b.Add(before, after)
	}
	if last := &b.Rows[len(b.Rows)-1]; last.Text == "" { // refused
		last.Text = c.Hint
	} else if c.Hint != "" {
		b.Add(terminal.Row{Text: c.Hint, TextColor: terminal.Yellow})
	}
	if t.wide {
		b.Add(placementRows(&c.After.Placement)...)
	}
	b.Add(t.classRows(c.Classes)...)
	return b
}

// classRows shows the classes that fit first. It leaves out, unless the table is to be wide, those that are gone and did not
// matter, and all after the first few.
func (t *table) classRows(classes []placement.ClassFit) []terminal.Row {
	classes = slices.Clone(classes)
	slices.SortStableFunc(classes, func(a, b placement.ClassFit) int { return cmp.Compare(min(len(a.Why), 1), min(len(b.Why), 1)) })
	if !t.wide {
		classes = slices.DeleteFunc(classes, func(c placement.ClassFit) bool { return c.Nodes == 0 && c.Before.Why != "" })
	}
	shown := len(classes)
	if !t.wide && shown > maxClassRows {
		shown = maxClassRows - 1
	}
	var rows []terminal.Row
	for i := range classes[:shown] {
		rows = append(rows, classRow(&classes[i]))
	}
	if more := len(classes) - shown; more > 0 {
		rows = append(rows, terminal.Row{Label: fmt.Sprintf("and %d more classes", more), Text: "-o wide shows them"})
	}
	return rows
}

// names lists the tasks by the objects' names, as kubectl does, with their namespaces where they have any.
func (t *table) names(group []Judged) string {
	names := make([]string, len(group))
	for i, j := range group {
		names[i] = j.title()
		if t.wide && j.key != "" {
			names[i] += " (" + j.key + ")"
		}
	}
	return strings.Join(names, ", ")
}

var changeColors = map[placement.Change]terminal.Color{
	placement.ChangeUnlocked: terminal.Green, placement.ChangeStranded: terminal.Red,
	placement.ChangeMoved: terminal.Yellow, placement.ChangeJudged: terminal.Yellow,
}

var statusColors = map[metav1.ConditionStatus]terminal.Color{
	metav1.ConditionTrue: terminal.Green, metav1.ConditionFalse: terminal.Red, metav1.ConditionUnknown: terminal.Yellow,
}

func verdictRow(label string, r *placement.Resolution) terminal.Row {
	verdict := string(r.Verdict.Status) + " " + r.Verdict.Reason
	return terminal.Row{Label: label, Value: verdict, ValueColor: statusColors[r.Verdict.Status], Text: asks(&r.Placement)}
}

func classRow(c *placement.ClassFit) terminal.Row {
	r := terminal.Row{Label: c.Name, Value: terminal.Plural(c.Nodes, "node"), Text: fits(c.Why)}
	if c.Why == "" {
		r.TextColor = terminal.Green
	}
	if c.Unavailable > 0 {
		r.Value += fmt.Sprintf(", %d not available", c.Unavailable)
	}
	if c.Before == nil {
		return r
	}
	if c.Before.Nodes != c.Nodes {
		r.Value = fmt.Sprintf("%d -> %s", c.Before.Nodes, r.Value)
	}
	if c.Before.Nodes > 0 && c.Before.Why != c.Why {
		r.Text += "; before: " + fits(c.Before.Why)
	}
	return r
}

func fits(why string) string {
	if why == "" {
		return "fits"
	}
	return why
}
