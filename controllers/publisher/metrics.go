package publisher

import (
	"github.com/prometheus/client_golang/prometheus"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/clock"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/controllers/internal/ledger"
)

// Every metric is here. No label ever is the name of a task, a model or anything else that users make up, but for the namespace:
// that of a registry is what an alert has to name, and there are few of them beside the tasks.
const (
	// perNamespace is a part of a metric's help: the number of its series.
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
	descNamespaceRefused = prometheus.NewDesc("maregister_namespace_refused",
		"Whether the API server does not let the operator read a namespace of watchNamespaces: 1. One series for each such namespace.",
		[]string{labelSpace}, nil)
	descRegistryLag = prometheus.NewDesc("maregister_registry_lag_seconds",
		"Age in seconds of the oldest change that the registry does not serve yet; 0 where there is none."+perNamespace, []string{labelSpace}, nil)
)

// countedStates are what the conditions can say.
var countedStates = []ledger.ConditionState{
	{Type: v1alpha1.ConditionAccepted, Status: metav1.ConditionTrue}, {Type: v1alpha1.ConditionAccepted, Status: metav1.ConditionFalse},
	{Type: v1alpha1.ConditionRegistered, Status: metav1.ConditionTrue}, {Type: v1alpha1.ConditionRegistered, Status: metav1.ConditionFalse},
	{Type: v1alpha1.ConditionPlaceable, Status: metav1.ConditionTrue}, {Type: v1alpha1.ConditionPlaceable, Status: metav1.ConditionFalse},
	{Type: v1alpha1.ConditionPlaceable, Status: metav1.ConditionUnknown},
	{Type: v1alpha1.ConditionReady, Status: metav1.ConditionTrue}, {Type: v1alpha1.ConditionReady, Status: metav1.ConditionFalse},
	{Type: v1alpha1.ConditionStalled, Status: metav1.ConditionTrue}, {Type: v1alpha1.ConditionStalled, Status: metav1.ConditionFalse},
}

// newPublishLatency returns the one metric that is counted as things happen; for the others see collector.
func newPublishLatency() prometheus.Histogram {
	return prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "maregister_registry_publish_latency_seconds",
		Help: "Time in seconds from when the operator sees the first of some changes to when the registry serves them. " +
			"Of all namespaces together, so that there is one series for each bucket.",
		Buckets: []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300},
	})
}

// rejections are the reasons for which a spec is refused.
var rejections = []string{
	v1alpha1.ReasonInvalidName, v1alpha1.ReasonInvalidSchema, v1alpha1.ReasonNumberOutOfRange, v1alpha1.ReasonRefCycle,
	v1alpha1.ReasonRemoteRefForbidden, v1alpha1.ReasonSchemaTooLarge, v1alpha1.ReasonTaskTooLarge, v1alpha1.ReasonUnsupportedPattern,
}

// rejectedIn adds up the rejections of all namespaces. A reason without any is 0.
func rejectedIn(counts map[string]ledger.Counts) map[string]int {
	sum := make(map[string]int, len(rejections))
	for _, reason := range rejections {
		sum[reason] = 0
	}
	for _, c := range counts {
		for reason, n := range c.Rejected {
			sum[reason] += n
		}
	}
	return sum
}

// collector reports the state of tasks and registries when Prometheus asks.
type collector struct {
	ledger  *ledger.Ledger
	batcher *batcher
	refused func() map[string]error
	clock   clock.PassiveClock
}

// Collectors returns the metrics.
func (p *Publisher) Collectors() []prometheus.Collector {
	return []prometheus.Collector{p.latency, &collector{p.Ledger, p.batcher, p.Refusals.All, p.Clock}}
}

// Describe implements prometheus.Collector.
func (*collector) Describe(descs chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{
		descTasks, descConditions, descRejected, descNameConflicts,
		descRegistryTasks, descRegistryBytes, descRegistryShards, descRegistryConflict, descRegistryLag,
		descNamespaceRefused,
	} {
		descs <- desc
	}
}

// Collect implements prometheus.Collector.
func (c *collector) Collect(metrics chan<- prometheus.Metric) {
	gauge := func(desc *prometheus.Desc, value float64, labels ...string) {
		metrics <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
	}
	counts, registries := c.ledger.Report()
	for namespace, t := range counts {
		for resourceType, n := range t.Types {
			gauge(descTasks, float64(n), namespace, string(resourceType))
		}
		for _, state := range countedStates {
			gauge(descConditions, float64(t.Conditions[state]), namespace, state.Type, string(state.Status))
		}
		gauge(descNameConflicts, float64(t.Superseded), namespace)
	}
	for reason, n := range rejectedIn(counts) {
		gauge(descRejected, float64(n), reason)
	}
	lags := c.batcher.lags(c.clock.Now())
	for namespace, state := range registries {
		gauge(descRegistryTasks, float64(state.Tasks), namespace)
		gauge(descRegistryBytes, float64(state.Bytes), namespace)
		gauge(descRegistryShards, float64(state.Shards), namespace)
		gauge(descRegistryConflict, flag(state.Conflict), namespace)
		if _, lagging := lags[namespace]; !lagging {
			gauge(descRegistryLag, 0, namespace)
		}
	}
	for namespace := range c.refused() {
		gauge(descNamespaceRefused, 1, namespace)
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
