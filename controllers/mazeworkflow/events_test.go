package mazeworkflow

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"

	"github.com/maze-agent/maregister/api/v1alpha1"
)

// reasons are those of conditions, by their type and status.
var reasons = map[string]string{
	"Valid True": v1alpha1.ReasonValid, "Valid False": v1alpha1.ReasonInterfaceMismatch, "Valid Unknown": v1alpha1.ReasonRegistryConflict,
	"Placeable True": v1alpha1.ReasonFeasible, "Placeable False": v1alpha1.ReasonNoFeasibleNode, "Placeable Unknown": v1alpha1.ReasonNoInventory,
}

// statusOf returns a status in which Valid and Placeable have a status and a message each.
func statusOf(valid, placeable metav1.ConditionStatus, message string) *v1alpha1.MazeWorkflowStatus {
	status := &v1alpha1.MazeWorkflowStatus{Conditions: []metav1.Condition{{Type: "Valid", Status: valid}, {Type: "Placeable", Status: placeable}}}
	for i := range status.Conditions {
		c := &status.Conditions[i]
		c.Reason, c.Message = reasons[c.Type+" "+string(c.Status)], message
	}
	return status
}

// unserved returns a status in which a task is not served. tasks are those by which the workflow was valid last.
func unserved(tasks ...v1alpha1.WorkflowTask) *v1alpha1.MazeWorkflowStatus {
	status := statusOf("False", "Unknown", "m")
	status.Conditions[0].Reason, status.Tasks = v1alpha1.ReasonUnknownTask, tasks
	return status
}

func TestChangesOf(t *testing.T) {
	fresh, none := &v1alpha1.MazeWorkflowStatus{}, []change(nil)
	valid := change{corev1.EventTypeNormal, "Valid", "m"}
	invalid := change{corev1.EventTypeWarning, "Invalid", "m"}
	waiting := change{corev1.EventTypeNormal, "Waiting", "m"}
	unplaceable := change{corev1.EventTypeWarning, "Unplaceable", "m"}
	for name, tc := range map[string]struct {
		last, next *v1alpha1.MazeWorkflowStatus
		want       []change
	}{
		"judged for the first time, valid":       {fresh, statusOf("True", "True", "m"), []change{valid}},
		"judged for the first time, not valid":   {fresh, statusOf("False", "Unknown", "m"), []change{invalid}},
		"before its tasks":                       {fresh, unserved(), []change{waiting}},
		"still before its tasks":                 {unserved(), unserved(), none},
		"the task comes, and does not fit":       {unserved(), statusOf("False", "True", "m"), []change{invalid}},
		"the task comes, and fits":               {unserved(), statusOf("True", "True", "m"), []change{valid}},
		"the task goes":                          {statusOf("True", "True", "l"), unserved(v1alpha1.WorkflowTask{Name: "t"}), []change{invalid}},
		"without a place from the beginning":     {fresh, statusOf("True", "False", "m"), []change{valid, unplaceable}},
		"broken":                                 {statusOf("True", "True", "l"), statusOf("False", "True", "m"), []change{invalid}},
		"broken in the same way, in other words": {statusOf("False", "True", "l"), statusOf("False", "True", "m"), none},
		"edited, then deleted":                   {statusOf("False", "True", "l"), unserved(v1alpha1.WorkflowTask{Name: "t"}), []change{invalid}},
		"it comes back, and does not fit":        {unserved(v1alpha1.WorkflowTask{Name: "t"}), statusOf("False", "True", "m"), []change{invalid}},
		"it did not fit, and goes":               {statusOf("False", "True", "l"), unserved(), []change{waiting}},
		"somebody knows again":                   {statusOf("Unknown", "Unknown", "l"), statusOf("False", "True", "m"), []change{invalid}},
		"mended":                                 {statusOf("False", "True", "l"), statusOf("True", "True", "m"), []change{valid}},
		"the place is gone":                      {statusOf("True", "True", "l"), statusOf("True", "False", "m"), []change{unplaceable}},
		"there is a place":                       {statusOf("True", "False", "l"), statusOf("True", "True", "m"), none},
		"nobody knows any more":                  {statusOf("True", "True", "l"), statusOf("Unknown", "Unknown", "m"), none},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, changesOf(tc.last, tc.next), cmp.AllowUnexported(change{})); diff != "" {
				t.Errorf("-want, +got:\n%s", diff)
			}
		})
	}
}

// TestAnnounce: of a message that is longer than the API server allows, the note of an event has the beginning and the advice at the end.
func TestAnnounce(t *testing.T) {
	recorder := events.NewFakeRecorder(1)
	c := &Controller{Config: Config{Recorder: recorder}}
	c.announce(t.Context(), workflowAt("1"), []change{{corev1.EventTypeWarning, "Invalid", `1 error: ` + strings.Repeat("参", 400) + `; did you mean "image"?`}})
	note := strings.TrimPrefix(<-recorder.Events, "Warning Invalid ")
	if len(note) > maxEventNote || !strings.HasPrefix(note, "1 error: 参") || !strings.HasSuffix(note, `参; did you mean "image"?`) {
		t.Errorf("a note of %d bytes: %s", len(note), note)
	}
}
