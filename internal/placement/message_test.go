package placement

import (
	"regexp"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// verdicts are some that differ in one thing each.
var verdicts = map[string]Verdict{
	"True":              {Status: metav1.ConditionTrue, Reason: "Feasible", Summary: "a node can"},
	"One node":          {Status: metav1.ConditionFalse, Reason: "No", Summary: "none can", Clauses: []Clause{{"T4", 1, "small"}, {"CPU", 3, "has no GPU"}}, Advice: "ask for less"},
	"Many nodes":        {Status: metav1.ConditionFalse, Reason: "No", Summary: "none can", Clauses: []Clause{{"T4", 40, "small"}, {"CPU", 3, "has no GPU"}}, Advice: "ask for less"},
	"More classes":      {Status: metav1.ConditionFalse, Reason: "No", Summary: "none can", Clauses: []Clause{{"T4", 40, "small"}, {"CPU", 3, "has no GPU"}}, More: 2, Advice: "ask for less"},
	"Many more classes": {Status: metav1.ConditionFalse, Reason: "No", Summary: "none can", Clauses: []Clause{{"T4", 40, "small"}, {"CPU", 3, "has no GPU"}}, More: 12, Advice: "ask for less"},
	"Another class":     {Status: metav1.ConditionFalse, Reason: "No", Summary: "none can", Clauses: []Clause{{"L4", 1, "small"}, {"CPU", 3, "has no GPU"}}, Advice: "ask for less"},
	"Another why":       {Status: metav1.ConditionFalse, Reason: "No", Summary: "none can", Clauses: []Clause{{"T4", 1, "smaller"}, {"CPU", 3, "has no GPU"}}, Advice: "ask for less"},
	"One class":         {Status: metav1.ConditionFalse, Reason: "No", Summary: "none can", Clauses: []Clause{{"T4", 1, "small"}}, Advice: "ask for less"},
	"Unknown":           {Status: metav1.ConditionUnknown, Reason: "No", Summary: "none can", Clauses: []Clause{{"T4", 1, "small"}}},
	"Unknown, and more": {Status: metav1.ConditionUnknown, Reason: "No", Summary: "none can", Clauses: []Clause{{"T4", 2, "small"}}, More: 1},
}

func TestMessage(t *testing.T) {
	for name, want := range map[string]string{
		"True":         "a node can",
		"One node":     "none can: T4 (1 node): small; CPU (3 nodes): has no GPU; ask for less",
		"More classes": "none can: T4 (40 nodes): small; CPU (3 nodes): has no GPU; and 2 more classes; ask for less",
		"Unknown":      "none can; T4 (1 node): small",
	} {
		if got := verdicts[name].Message(); got != want {
			t.Errorf("%s: want %q, got %q", name, want, got)
		}
	}
}

// TestSameButCounts compares verdicts as values, and with those of which only the message is known, by an expression that leaves the counts
// out of messages.
func TestSameButCounts(t *testing.T) {
	counts := regexp.MustCompile(` \([0-9]+ nodes?\):|; and [0-9]+ more classes`)
	for first, a := range verdicts {
		for second, b := range verdicts {
			want := a.Status == b.Status && a.Reason == b.Reason && counts.ReplaceAllString(a.Message(), "") == counts.ReplaceAllString(b.Message(), "")
			toldA, toldB := told(a, ""), told(b, "")
			if got := a.SameButCounts(b); got != want {
				t.Errorf("%s and %s: want %t, got %t", first, second, want, got)
			}
			if got := a.SameButCounts(toldB); got != want {
				t.Errorf("%s and the message of %s: want %t, got %t", first, second, want, got)
			}
			if got := toldA.SameButCounts(b); got != want {
				t.Errorf("the message of %s and %s: want %t, got %t", first, second, want, got)
			}
			if got := a.Equal(b); got != (first == second) {
				t.Errorf("Equal of %s and %s: got %t", first, second, got)
			}
		}
		if !a.SameButCounts(told(a, "")) || a.SameButCounts(told(a, "x")) {
			t.Errorf("%s: want it to know its own message, and no longer one", first)
		}
	}
}

// told is a verdict of which only the message is known, with something behind it.
func told(v Verdict, more string) Verdict {
	return Verdict{Status: v.Status, Reason: v.Reason, Told: v.Message() + more}
}
