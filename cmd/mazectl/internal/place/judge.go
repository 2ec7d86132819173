package place

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/maze-agent/maregister/internal/lint"
	"github.com/maze-agent/maregister/internal/placement"
)

// Judged is a task and what was found out about it. Tasks that require the same share the latter.
type Judged struct {
	task
	*placement.Comparison
}

// IsFinding reports whether a user has to look at the task: it cannot be placed, or could be until now.
func (j Judged) IsFinding() bool {
	return j.After.Verdict.Status == metav1.ConditionFalse || j.Change == placement.ChangeStranded
}

// reasonRefused is, in place of a reason of Placeable, that of a task which the API server would not take.
const reasonRefused = "Refused"

// Judge finds out what becomes of each manifest's task. namespace is that of manifests without one.
func Judge(manifests []Manifest, namespace string, admission *lint.Admission, nodes *Inventories) []Judged {
	found := map[placement.Requirement]*placement.Comparison{}
	out := make([]Judged, len(manifests))
	for i, m := range manifests {
		t := readTask(m, namespace, admission)
		if t.refused != "" {
			out[i] = Judged{t, refusal(t.refused, nodes.before != nil)}
			continue
		}
		if found[t.requirement] == nil {
			comparison := placement.Compare(t.requirement, nodes.before, nodes.after)
			found[t.requirement] = &comparison
		}
		out[i] = Judged{t, found[t.requirement]}
	}
	return out
}

func refusal(why string, compared bool) *placement.Comparison {
	c := &placement.Comparison{Hint: why, After: placement.Resolution{
		Verdict: placement.Verdict{Status: metav1.ConditionFalse, Reason: reasonRefused, Summary: why},
	}}
	if compared {
		c.Before, c.Change = &c.After, placement.ChangeNone
	}
	return c
}
