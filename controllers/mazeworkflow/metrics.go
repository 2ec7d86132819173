package mazeworkflow

import (
	"github.com/prometheus/client_golang/prometheus"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/maze-agent/maregister/api/v1alpha1"
)

const labelSpace = "namespace"

var (
	descConditions = prometheus.NewDesc("maregister_workflow_conditions",
		"Number of MazeWorkflows of which a condition has a status. Eight series for each namespace with workflows.",
		[]string{labelSpace, "condition", "status"}, nil)
	descInUse = prometheus.NewDesc("maregister_tasks_in_use",
		"Number of names of tasks that MazeWorkflows use, whether the registry serves them or not. One series for each namespace with workflows.",
		[]string{labelSpace}, nil)
)

// state is what a condition says, without why.
type state struct {
	Type   string
	Status metav1.ConditionStatus
}

// countedStates are what the conditions can say.
var countedStates = []state{
	{v1alpha1.ConditionValid, metav1.ConditionTrue}, {v1alpha1.ConditionValid, metav1.ConditionFalse}, {v1alpha1.ConditionValid, metav1.ConditionUnknown},
	{v1alpha1.ConditionPlaceable, metav1.ConditionTrue}, {v1alpha1.ConditionPlaceable, metav1.ConditionFalse},
	{v1alpha1.ConditionPlaceable, metav1.ConditionUnknown},
	{v1alpha1.ConditionReady, metav1.ConditionTrue}, {v1alpha1.ConditionReady, metav1.ConditionFalse},
}

// Describe implements prometheus.Collector.
func (*Controller) Describe(descs chan<- *prometheus.Desc) {
	descs <- descConditions
	descs <- descInUse
}

// Collect implements prometheus.Collector: it counts what the statuses say.
func (c *Controller) Collect(metrics chan<- prometheus.Metric) {
	gauge := func(desc *prometheus.Desc, value int, labels ...string) {
		metrics <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, float64(value), labels...)
	}
	c.book.mu.Lock()
	defer c.book.mu.Unlock()
	for namespace, s := range c.book.namespaces {
		counts := map[state]int{}
		for _, w := range s.workflows {
			for i := range w.Status.Conditions {
				counts[state{w.Status.Conditions[i].Type, w.Status.Conditions[i].Status}]++
			}
		}
		for _, of := range countedStates {
			gauge(descConditions, counts[of], namespace, of.Type, string(of.Status))
		}
		gauge(descInUse, len(s.users), namespace)
	}
}
