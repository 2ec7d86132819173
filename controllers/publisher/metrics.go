package controllers

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/clock"

	"github.com/maze-agent/maregister/api/v1alpha1"
)

// Every metric is here. No label ever is the name of a task, a model or anything else that users make up, but for the namespace:
// that of a registry is what an alert has to name, and there are few of them beside the tasks.
const (
	// perNamespace says in a metric's help how many series it has.
	perNamespace = " One series for each namespace with a registry."
	labelSpace   = "namespace"
)

var (
	descTasks = prometheus.NewDesc("maregister_tasks",
		"Number of MazeTasks by what they mainly use (type). At most three series for each namespace with tasks.", []string{labelSpace, "type"}, nil)
	descConditions = prometheus.NewDesc("maregister_task_conditions",
		"Number of MazeTasks of which a condition has a status. Eleven series for each namespace with tasks.",
		[]string{labelSpace, "condition", "status"}, nil)
	descRejected = prometheus.NewDesc("maregister_rejected_specs",
		"Number of MazeTasks whose present spec is refused, by reason. One series for each reason.", []string{"reason"}, nil)
	descNameConflicts = prometheus.NewDesc("maregister_name_conflicts",
		"Number of MazeTasks that are not served because a newer one has the same spec.name. One series for each namespace with tasks.",
		[]string{labelSpace}, nil)
	descRegistryTasks = prometheus.NewDesc("maregister_registry_tasks",
		"Number of entries that the registry serves."+perNamespace, []string{labelSpace}, nil)
	descRegistryBytes = prometheus.NewDesc("maregister_registry_bytes",
		"Size in bytes of the registry's entries with their keys."+perNamespace, []string{labelSpace}, nil)
	descRegistryShards = prometheus.NewDesc("maregister_registry_shards",
		"Number of ConfigMaps that hold the registry's entries."+perNamespace, []string{labelSpace}, nil)
	descRegistryConflict = prometheus.NewDesc("maregister_registry_conflict",
		"Whether a ConfigMap that the operator does not own is in the registry's place: 1 or 0."+perNamespace, []string{labelSpace}, nil)
	descRegistryLag = prometheus.NewDesc("maregister_registry_lag_seconds",
		"Age in seconds of the oldest change that the registry does not serve yet; 0 where there is none."+perNamespace, []string{labelSpace}, nil)
)

// countedStates are what the conditions can say.
var countedStates = []conditionState{
	{v1alpha1.ConditionAccepted, metav1.ConditionTrue}, {v1alpha1.ConditionAccepted, metav1.ConditionFalse},
	{v1alpha1.ConditionRegistered, metav1.ConditionTrue}, {v1alpha1.ConditionRegistered, metav1.ConditionFalse},
	{v1alpha1.ConditionPlaceable, metav1.ConditionTrue}, {v1alpha1.ConditionPlaceable, metav1.ConditionFalse},
	{v1alpha1.ConditionPlaceable, metav1.ConditionUnknown},
	{v1alpha1.ConditionReady, metav1.ConditionTrue}, {v1alpha1.ConditionReady, metav1.ConditionFalse},
	{v1alpha1.ConditionStalled, metav1.ConditionTrue}, {v1alpha1.ConditionStalled, metav1.ConditionFalse},
}

// newPublishLatency gives the one metric that is counted as things happen; for the others see collector.
func newPublishLatency() prometheus.Histogram {
	return prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "maregister_registry_publish_latency_seconds",
		Help: "Time in seconds from when the operator sees the first of some changes to when the registry serves them. " +
			"Of all namespaces together, so that there is one series for each bucket.",
		Buckets: []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300},
	})
}

// collector tells how the tasks and registries are when Prometheus asks. Until then it does nothing, and what has not changed
// since it was asked last is not counted again.
type collector struct {
	ledger *ledger
	gather *gatherer
	clock  clock.PassiveClock
}

// registerMetrics makes the metrics known to Prometheus.
func registerMetrics(registerer prometheus.Registerer, all ...prometheus.Collector) error {
	for _, one := range all {
		if err := registerer.Register(one); err != nil {
			return fmt.Errorf("register the metrics: %w", err)
		}
	}
	return nil
}

// Describe implements prometheus.Collector.
func (*collector) Describe(descs chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{
		descTasks, descConditions, descRejected, descNameConflicts,
		descRegistryTasks, descRegistryBytes, descRegistryShards, descRegistryConflict, descRegistryLag,
	} {
		descs <- desc
	}
}

// Collect implements prometheus.Collector.
func (c *collector) Collect(metrics chan<- prometheus.Metric) {
	gauge := func(desc *prometheus.Desc, value float64, labels ...string) {
		metrics <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
	}
	tallies, registries := c.ledger.report()
	for namespace, t := range tallies {
		for resourceType, n := range t.types {
			gauge(descTasks, float64(n), namespace, string(resourceType))
		}
		for _, state := range countedStates {
			gauge(descConditions, float64(t.conditions[state]), namespace, state.conditionType, string(state.status))
		}
		gauge(descNameConflicts, float64(t.superseded), namespace)
	}
	for reason, n := range rejectedIn(tallies) {
		gauge(descRejected, float64(n), reason)
	}
	lags := c.gather.lags(c.clock.Now())
	for namespace, state := range registries {
		gauge(descRegistryTasks, float64(state.tasks), namespace)
		gauge(descRegistryBytes, float64(state.bytes), namespace)
		gauge(descRegistryShards, float64(state.shards), namespace)
		gauge(descRegistryConflict, flag(state.conflict), namespace)
		if _, lagging := lags[namespace]; !lagging {
			gauge(descRegistryLag, 0, namespace)
		}
	}
	for namespace, lag := range lags {
		gauge(descRegistryLag, lag.Seconds(), namespace)
	}
}

func flag(set bool) float64 {
	if set {
		return 1
	}
	return 0
}
