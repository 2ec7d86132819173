package monitoring

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/test/testutil"
)

// createTasks makes tasks in many states: in the namespace vision six, and two workflows, and in taken one whose registry has no place and one that goes.
func createTasks(t *testing.T, c *cluster) {
	t.Helper()
	c.create(t, namespace("vision"), namespace("taken"),
		&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "taken", Name: "maze-registry"}, Data: map[string]string{"whose": "mine"}})
	if err := testutil.CreateNode(t.Context(), c, testutil.NewGPUNode("a100", "NVIDIA-A100-SXM4-80GB", 81920, 2)); err != nil {
		t.Fatal(err)
	}
	gpu := func(memory string) func(*v1alpha1.MazeTask) {
		return func(task *v1alpha1.MazeTask) {
			quantity := resource.MustParse(memory)
			task.Spec.Resources = v1alpha1.Resources{Type: v1alpha1.ResourceTypeGPU, GPUMemory: &quantity, ModelName: "llava-v1.6", Backend: "vllm"}
		}
	}
	c.create(t,
		newTask("vision", "caption", gpu("100Gi")),
		newTask("vision", "giant", gpu("400Gi")),
		newTask("vision", "split", func(task *v1alpha1.MazeTask) { task.Spec.Name = "split_llm_process" }),
		newTask("vision", "wrong", func(task *v1alpha1.MazeTask) {
			task.Spec.InputParameters = &apiextensionsv1.JSON{Raw: []byte(`{"x": {"type": "string", "pattern": "(?=a)b"}}`)}
		}),
		newTask("vision", "ocr-1", func(task *v1alpha1.MazeTask) { task.Spec.Name = "ocr" }),
		newTask("vision", "ocr-2", func(task *v1alpha1.MazeTask) { task.Spec.Name = "ocr" }),
		newTask("taken", "caption"),
	)
	c.create(t, newWorkflow("vision", "album", "caption", "nobody"), newWorkflow("vision", "fine", "split_llm_process"))
	leaving := newTask("taken", "leaving", func(task *v1alpha1.MazeTask) { task.Finalizers = []string{"example.com/archive"} })
	c.create(t, leaving)
	if err := c.Delete(t.Context(), leaving); err != nil {
		t.Fatal(err)
	}
}

func namespace(name string) *corev1.Namespace {
	return &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
}

func newTask(namespace, name string, edits ...func(*v1alpha1.MazeTask)) *v1alpha1.MazeTask {
	task := &v1alpha1.MazeTask{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec:       v1alpha1.MazeTaskSpec{Name: name, Description: "Does it.", Resources: v1alpha1.Resources{Type: v1alpha1.ResourceTypeCPU}},
	}
	for _, edit := range edits {
		edit(task)
	}
	return task
}

// newWorkflow returns a workflow of nodes that run some tasks.
func newWorkflow(namespace, name string, functions ...string) *v1alpha1.MazeWorkflow {
	w := &v1alpha1.MazeWorkflow{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	for i, function := range functions {
		w.Spec.Nodes = append(w.Spec.Nodes, v1alpha1.WorkflowNode{ID: fmt.Sprintf("t%d", i+1), Func: function})
	}
	return w
}

// TestLive runs the manager and kube-state-metrics, and scrapes them.
func TestLive(t *testing.T) {
	c := newCluster(t)
	createTasks(t, c)
	c.startManager(t)
	c.startKubeStateMetrics(t)
	eventually(t, func(ctx context.Context) error { return differences(ctx, c, wanted) })
	samples, err := c.scrape(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Run("every query selects what is there", func(t *testing.T) { expectQueriesToSelect(t, samples) })
	t.Run("every metric is explained", func(t *testing.T) { expectMetricsToBeExplained(t, samples) })
	t.Run("no task's name is a label of the operator's", func(t *testing.T) { expectNoTaskNames(t, samples) })
	t.Run("only who may read them gets them", func(t *testing.T) { expectAuthorization(t, c) })
	eventually(t, func(ctx context.Context) error { return unsettled(ctx, c) })
	t.Run("scrapes write nothing", func(t *testing.T) { expectNoWrites(t, c) })
}

// wanted are series that tell of the tasks above. What kube-state-metrics tells has the reason of each condition, too.
var wanted = map[string]float64{
	`leader_election_master_status{name="maregister.registry.mazeagent.net"}`: 1,

	`maregister_tasks{namespace="vision", type="gpu"}`:                                            2,
	`maregister_tasks{namespace="vision", type="cpu"}`:                                            4,
	`maregister_task_conditions{condition="Ready", namespace="vision", status="True"}`:            4,
	`maregister_task_conditions{condition="Placeable", namespace="vision", status="False"}`:       1,
	`maregister_task_conditions{condition="Placeable", namespace="vision", status="Unknown"}`:     1,
	`maregister_task_conditions{condition="Stalled", namespace="vision", status="True"}`:          2,
	`maregister_task_conditions{condition="Registered", namespace="taken", status="False"}`:       2,
	`maregister_rejected_specs{reason="UnsupportedPattern"}`:                                      1,
	`maregister_rejected_specs{reason="InvalidSchema"}`:                                           0,
	`maregister_name_conflicts{namespace="vision"}`:                                               1,
	`maregister_workflow_conditions{condition="Valid", namespace="vision", status="False"}`:       1,
	`maregister_tasks_in_use{namespace="vision"}`:                                                 3,
	`kube_mazeworkflow_metadata_generation{mazeworkflow="album", namespace="vision"}`:             1,
	`kube_mazeworkflow_status_observed_generation{mazeworkflow="album", namespace="vision"}`:      1,
	`kube_mazeworkflow_status_nodes{mazeworkflow="album", namespace="vision"}`:                    2,
	`kube_mazeworkflow_status_errors{mazeworkflow="album", namespace="vision"}`:                   1,
	`kube_mazeworkflow_status_errors{mazeworkflow="fine", namespace="vision"}`:                    0,
	`kube_mazeworkflow_status_warnings{mazeworkflow="album", namespace="vision"}`:                 0,
	`maregister_registry_tasks{namespace="vision"}`:                                               4,
	`maregister_registry_shards{namespace="vision"}`:                                              1,
	`maregister_registry_conflict{namespace="vision"}`:                                            0,
	`maregister_registry_conflict{namespace="taken"}`:                                             1,
	`maregister_registry_lag_seconds{namespace="vision"}`:                                         0,
	`kube_mazetask_spec_gpu_memory_bytes{mazetask="caption", namespace="vision"}`:                 100 << 30,
	`kube_mazetask_spec_cpu_cores{mazetask="split", namespace="vision"}`:                          1,
	`kube_mazetask_spec_memory_bytes{mazetask="split", namespace="vision"}`:                       1 << 30,
	`kube_mazetask_metadata_generation{mazetask="split", namespace="vision"}`:                     1,
	`kube_mazetask_status_observed_generation{mazetask="split", namespace="vision"}`:              1,
	`kube_mazetask_status_entry_generation{mazetask="split", namespace="vision"}`:                 1,
	`kube_mazetask_status_placement_gpu_memory_mebibytes{mazetask="caption", namespace="vision"}`: 51200,

	`kube_mazetask_status_placement_gpus{mazetask="caption", namespace="vision", resource="nvidia.com/gpu"}`: 2,
	`kube_mazetask_info{backend="vllm", mazetask="caption", model="llava-v1.6", namespace="vision", ` +
		`task="caption", type="gpu"}`: 1,
	`kube_mazetask_info{mazetask="split", namespace="vision", predictor="llm_process", task="split_llm_process", type="cpu"}`: 1,
	`kube_mazetask_info{mazetask="ocr-1", namespace="vision", task="ocr", type="cpu"}`:                                        1,
	`kube_mazetask_status_condition{condition="Accepted", mazetask="wrong", ` +
		`namespace="vision", reason="UnsupportedPattern", status="False"}`: 1,
	`kube_mazetask_status_condition{condition="Accepted", mazetask="wrong", ` +
		`namespace="vision", reason="UnsupportedPattern", status="True"}`: 0,
	`kube_mazetask_status_condition{condition="Placeable", mazetask="wrong", namespace="vision", reason="NotJudged", status="Unknown"}`:        1,
	`kube_mazetask_status_condition{condition="Placeable", mazetask="giant", namespace="vision", reason="NoFeasibleNode", status="False"}`:     1,
	`kube_mazetask_status_condition{condition="Registered", mazetask="caption", namespace="taken", reason="RegistryConflict", status="False"}`: 1,
	`kube_mazetask_status_condition{condition="Ready", mazetask="caption", namespace="vision", reason="Ready", status="True"}`:                 1,
	`kube_mazeworkflow_status_condition{condition="Valid", mazeworkflow="album", namespace="vision", reason="UnknownTask", status="False"}`:    1,
	`kube_mazeworkflow_status_condition{condition="Valid", mazeworkflow="album", namespace="vision", reason="UnknownTask", status="True"}`:     0,
	`kube_mazeworkflow_status_condition{condition="Stalled", mazeworkflow="fine", namespace="vision", reason="NotStalled", status="True"}`:     0,
}

// differences returns an error that names the series that are not as wanted.
func differences(ctx context.Context, c *cluster, want map[string]float64) error {
	samples, err := c.scrape(ctx)
	if err != nil {
		return err
	}
	got := map[string]float64{}
	for _, one := range samples {
		name, rest := one.labels.Get("__name__"), one.labels.DropReserved(isName).String()
		if key := name + rest; hasKey(want, key) {
			got[key] = one.value
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		return fmt.Errorf("-want, +got:\n%s", diff)
	}
	return nil
}

func isName(label string) bool { return label == "__name__" }

func hasKey(all map[string]float64, key string) bool {
	_, has := all[key]
	return has
}

// ofPrometheus are labels that Prometheus adds.
var ofPrometheus = []string{"job", "instance"}

// expectQueriesToSelect: whatever a rule or the dashboard selects is there, with the labels by which it is grouped or joined.
func expectQueriesToSelect(t *testing.T, samples []sample) {
	for _, q := range queries(t) {
		known := slices.Clone(ofPrometheus)
		selectors, grouping := selections(t, q)
		for _, selector := range selectors {
			found := false
			for _, one := range samples {
				if selects(selector, one.labels) {
					found = true
					for name := range one.labels.Map() {
						known = append(known, name)
					}
				}
			}
			if !found {
				t.Errorf("%s: nothing is exposed that %s selects", q.name, selector)
			}
		}
		for _, label := range grouping {
			if !slices.Contains(known, label) {
				t.Errorf("%s: nothing that %s selects has the label %s", q.name, q.expression, label)
			}
		}
	}
}

// elsewhere are metrics that this manager has no reason to expose: a test of controllers/publisher shows the one of watched namespaces
// that are refused.
var elsewhere = map[string]bool{"maregister_namespace_refused": true}

// expectMetricsToBeExplained: the documents name every metric of ours, and no other.
func expectMetricsToBeExplained(t *testing.T, samples []sample) {
	exposed := map[string]bool{}
	maps.Copy(exposed, elsewhere)
	for _, one := range samples {
		name := one.labels.Get("__name__")
		if ours.MatchString(name) {
			exposed[bucketed.ReplaceAllString(name, "${1}")] = true
		}
	}
	for _, file := range []string{"docs/monitoring.md", "docs/monitoring.zh-CN.md"} {
		explained := map[string]bool{}
		for _, row := range metricRow.FindAllStringSubmatch(read(t, file), -1) {
			explained[row[1]] = true
		}
		if diff := cmp.Diff(exposed, explained); diff != "" {
			t.Errorf("%s: -exposed, +explained:\n%s", file, diff)
		}
	}
}

// expectNoTaskNames: however many tasks there are, the operator's own metrics stay few.
func expectNoTaskNames(t *testing.T, samples []sample) {
	for _, one := range samples {
		if name := one.labels.Get("__name__"); strings.HasPrefix(name, "kube_") {
			continue
		}
		for label, value := range one.labels.Map() {
			if slices.Contains([]string{"caption", "giant", "split", "split_llm_process", "llm_process", "wrong", "ocr", "ocr-1", "ocr-2", "llava-v1.6", "album", "fine"}, value) {
				t.Errorf("%s names a task, a workflow or a model: label %s", one.labels, label)
			}
		}
	}
}

// expectAuthorization: metrics tell of every namespace, so not everybody may read them.
func expectAuthorization(t *testing.T, c *cluster) {
	for who, tc := range map[string]struct {
		token string
		want  int
	}{
		"nobody":                        {"", http.StatusUnauthorized},
		"an account without the right":  {c.tokenOf(t, "someone"), http.StatusForbidden},
		"an account that may read them": {c.token, http.StatusOK},
	} {
		code, _, err := get(t.Context(), c.metrics, tc.token)
		if err != nil {
			t.Fatal(err)
		}
		if code != tc.want {
			t.Errorf("%s: want %d, got %d", who, tc.want, code)
		}
	}
}

// quietTime is how long nothing must be written: several times what the operator gathers changes for.
const quietTime = 2 * time.Second

// expectNoWrites: scraping again and again changes no task and no ConfigMap.
func expectNoWrites(t *testing.T, c *cluster) {
	versions := func() map[string]string {
		found := map[string]string{}
		var tasks v1alpha1.MazeTaskList
		var configMaps corev1.ConfigMapList
		if err := c.List(t.Context(), &tasks); err != nil {
			t.Fatal(err)
		}
		if err := c.List(t.Context(), &configMaps); err != nil {
			t.Fatal(err)
		}
		for _, task := range tasks.Items {
			found["task "+task.Namespace+"/"+task.Name] = task.ResourceVersion
		}
		for _, configMap := range configMaps.Items {
			found["ConfigMap "+configMap.Namespace+"/"+configMap.Name] = configMap.ResourceVersion
		}
		return found
	}
	before, scrapes := versions(), 0
	for began := time.Now(); time.Since(began) < quietTime; scrapes++ {
		if _, err := scrape(t.Context(), c.metrics, c.token); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(before, versions()); diff != "" {
		t.Errorf("after %d scrapes, -before +after:\n%s", scrapes, diff)
	}
}

var (
	// ours are the names of MaRegister's own metrics, and of those that its configuration of kube-state-metrics makes.
	ours = regexp.MustCompile(`^(maregister|kube_mazetask|kube_mazeworkflow)_`)
	// bucketed is a series of a histogram.
	bucketed = regexp.MustCompile(`^(.*_seconds)_(bucket|sum|count)$`)
	// metricRow is a row of a table of metrics in a document.
	metricRow = regexp.MustCompile("(?m)^\\| `((?:maregister|kube_mazetask|kube_mazeworkflow)_[a-z_]+)`")
)

// TestConfiguration: the manager reads from its configuration file which namespaces it serves, and tells of no other, and what malearn's
// tool types are.
func TestConfiguration(t *testing.T) {
	c := newCluster(t)
	c.create(t, namespace("vision"), namespace("speech"), namespace("other"),
		newTask("vision", "caption"), newTask("speech", "transcribe"), newTask("other", "caption"))
	path := filepath.Join(t.TempDir(), "operator.yaml")
	content := "apiVersion: config.registry.mazeagent.net/v1alpha1\nkind: OperatorConfiguration\nwatchNamespaces: [vision, speech]\n" +
		"predictor: {rules: [{contains: caption, toolType: vlm_process}]}\n"
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	c.startManager(t, "--config", path)
	eventually(t, func(ctx context.Context) error {
		return differences(ctx, c, map[string]float64{
			`maregister_task_conditions{condition="Ready", namespace="vision", status="True"}`: 1,
			`maregister_task_conditions{condition="Ready", namespace="speech", status="True"}`: 1,
		})
	})
	samples, err := c.scrape(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range samples {
		if one.labels.Get("namespace") == "other" {
			t.Errorf("want nothing of the namespace other, got %s", one.labels)
		}
	}
	caption := newTask("vision", "caption")
	if err := c.Get(t.Context(), client.ObjectKeyFromObject(caption), caption); err != nil {
		t.Fatal(err)
	}
	if got := caption.Status.Predictor; got != "vlm_process" {
		t.Errorf("status.predictor: want vlm_process, got %q", got)
	}
}
