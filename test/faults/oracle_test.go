package faults

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/maze-agent/maregister/api/v1alpha1"
)

// right is a world that is as it should be: MazeTask a is served, b lost its name to c, and d got a bad edit after generation 1.
type right struct {
	world
	entries map[string]map[string]any
}

func newRight() *right {
	w := &right{entries: map[string]map[string]any{}}
	w.tasks, w.configMaps = map[string]*v1alpha1.MazeTask{}, map[string]*corev1.ConfigMap{}
	w.config, w.past = settings{shardSize: smallestShard, predictors: defaultPredictors()}, map[types.UID]*taskPast{}
	for _, name := range []string{"a", "b", "c", "d"} {
		t := &v1alpha1.MazeTask{
			ObjectMeta: metav1.ObjectMeta{Namespace: "n", Name: name, UID: types.UID("uid of " + name), Generation: 1},
			Spec: v1alpha1.MazeTaskSpec{Name: name, Description: "d", Resources: v1alpha1.Resources{
				Type: "cpu", CPU: ptr.To(resource.MustParse("1500m")), Memory: ptr.To(resource.MustParse("1Gi"))}},
		}
		mend(t)
		w.tasks[name] = t
	}
	w.tasks["b"].Spec.Name = "c"
	w.tasks["c"].CreationTimestamp = metav1.NewTime(time.Unix(9, 0))
	good := w.tasks["d"].DeepCopy()
	w.tasks["d"].Generation = 2
	spoil(v1alpha1.ReasonInvalidSchema)(w.tasks["d"])
	w.past["uid of d"] = &taskPast{specs: map[int64]*v1alpha1.MazeTask{1: good, 2: w.tasks["d"]}, highest: 1, holds: true}
	for _, t := range []*v1alpha1.MazeTask{w.tasks["a"], w.tasks["c"], good} {
		w.entries[t.Spec.Name] = entryFor(t)
	}
	w.publish()
	w.conditions("a", "True/Valid", "True/Served", "True/Ready", "False/NotStalled")
	w.conditions("c", "True/Valid", "True/Served", "True/Ready", "False/NotStalled")
	w.conditions("b", "False/NameConflict", "False/Superseded", "False/NameConflict", "True/NameConflict")
	w.conditions("d", "False/InvalidSchema", "False/ServingLastAccepted", "False/InvalidSchema", "True/InvalidSchema")
	return w
}

func entryFor(t *v1alpha1.MazeTask) map[string]any {
	digest := "sha256:" + strings.Repeat("0", 64)
	return map[string]any{
		"name": t.Spec.Name, "description": "d", "input_parameters": value(t.Spec.InputParameters.Raw), "output_parameters": map[string]any{},
		"resources": map[string]any{"type": "cpu", "cpu_num": 2, "mem": 1024, "gpu_mem": 0, "model_name": nil, "backend": nil},
		"schema": map[string]any{"input": map[string]any{"type": "object", "properties": map[string]any{
			"image": map[string]any{"type": "string", "format": "filepath"}, "rows": map[string]any{"type": "integer", "minimum": 1}}},
			"output": map[string]any{"type": "object"}},
		"entry_point": nil, "predictor": nil, "digest": map[string]any{"interface": digest, "spec": digest},
		"kubernetes": map[string]any{"namespace": "n", "name": t.Name, "uid": t.UID, "generation": t.Generation,
			"placement": map[string]any{"requests": map[string]any{"cpu": "1500m", "memory": "1Gi"}}},
	}
}

// publish writes the registry from the entries.
func (w *right) publish() {
	data := map[string]string{}
	for name, fields := range w.entries {
		text, _ := json.Marshal(fields) // they can be encoded
		data[name] = string(text)
	}
	p := part{Name: indexName, Tasks: len(data), Digest: contentDigest(data)}
	index, _ := json.Marshal(index{Format: 1, Generation: 1, Tasks: len(data), Shards: []part{p}}) // it can be encoded
	data[indexKey] = string(index)
	w.configMaps[indexName] = configMap(indexName, "index", data)
	for _, t := range w.tasks {
		t.Status.Entry, t.Status.Placement = nil, nil
		e, err := decodeEntry(data[t.Spec.Name])
		if err != nil || e.Kubernetes.UID != t.UID {
			continue
		}
		t.Status.Entry = &v1alpha1.EntryReference{ConfigMap: indexName, Key: e.Name, Generation: e.Kubernetes.Generation, Digest: textDigest(e.text)}
		t.Status.Placement = &v1alpha1.Placement{}
		_ = json.Unmarshal(e.Kubernetes.Placement, t.Status.Placement) // it was just encoded
	}
}

// conditions sets Accepted, Registered, Ready and Stalled, as "Status/Reason".
func (w *right) conditions(task string, texts ...string) {
	t := w.tasks[task]
	t.Status.ObservedGeneration, t.Status.Conditions = t.Generation, nil
	kinds := []string{v1alpha1.ConditionAccepted, v1alpha1.ConditionRegistered, v1alpha1.ConditionReady, v1alpha1.ConditionStalled, v1alpha1.ConditionPlaceable}
	for i, text := range append(texts, "Unknown/NoInventory") {
		status, reason, _ := strings.Cut(text, "/")
		t.Status.Conditions = append(t.Status.Conditions, metav1.Condition{
			Type: kinds[i], Status: metav1.ConditionStatus(status), Reason: reason, ObservedGeneration: t.Generation, Message: "MazeTask c is newer",
		})
	}
}

func TestJudgeFindsEachDifference(t *testing.T) {
	field := func(name string, value any, path ...string) func(*right) {
		return func(w *right) {
			fields := w.entries["a"]
			for _, key := range path {
				fields = fields[key].(map[string]any)
			}
			fields[name] = value
			w.publish()
		}
	}
	cases := map[string]func(*right){
		"No registry":              func(w *right) { delete(w.configMaps, indexName) },
		"An entry missing":         func(w *right) { delete(w.entries, "a"); w.publish() },
		"The loser is served":      func(w *right) { w.entries["c"] = entryFor(w.tasks["b"]); w.publish() },
		"A task that is not there": func(w *right) { delete(w.tasks, "a") },
		"A task that goes":         func(w *right) { w.tasks["a"].DeletionTimestamp = ptr.To(metav1.Now()) },
		"An older generation": func(w *right) {
			w.tasks["a"].Generation = 2
			w.conditions("a", "True/Valid", "True/Served", "True/Ready", "False/NotStalled")
		},
		"A generation that is not valid": func(w *right) { w.entries["d"]["kubernetes"].(map[string]any)["generation"] = 2; w.publish() },
		"A bad edit drops the entry": func(w *right) {
			delete(w.entries, "d")
			w.publish()
			w.conditions("d", "False/InvalidSchema", "False/InvalidSpec", "False/InvalidSchema", "True/InvalidSchema")
		},
		"The digest":                      func(w *right) { w.tasks["a"].Status.Entry.Digest = "sha256:other" },
		"The entry's generation":          func(w *right) { w.tasks["a"].Status.Entry.Generation = 7 },
		"No reference":                    func(w *right) { w.tasks["a"].Status.Entry = nil },
		"The loser has a reference":       func(w *right) { w.tasks["b"].Status.Entry = w.tasks["c"].Status.Entry },
		"Another placement in the status": func(w *right) { w.tasks["a"].Status.Placement = &v1alpha1.Placement{} },
		"Another predictor in the status": func(w *right) { w.tasks["a"].Status.Predictor = "vlm_process" },
		"No conditions":                   func(w *right) { w.tasks["a"].Status.Conditions = nil },
		"An old observedGeneration":       func(w *right) { w.tasks["a"].Status.ObservedGeneration = 0 },
		"A condition of another one":      func(w *right) { w.tasks["a"].Status.Conditions[0].ObservedGeneration = 0 },
		"The winner is not named":         func(w *right) { w.tasks["b"].Status.Conditions[0].Message = "MazeTask x is newer" },
		"An orphan":                       func(w *right) { w.configMaps["maze-registry-0-a"] = configMap("maze-registry-0-a", "shard", nil) },
		"An index without labels":         func(w *right) { w.configMaps[indexName].Labels[managedByLabel] = "" },
		"An index without a source":       func(w *right) { w.configMaps[indexName].Annotations = nil },
		"Entries that should be split":    func(w *right) { w.config.shardSize = 2500 },
		"name":                            field("description", "other"),
		"input":                           field("input_parameters", map[string]any{}),
		"output":                          field("output_parameters", map[string]any{"x": 1}),
		"cores":                           field("cpu_num", 1, "resources"),
		"memory":                          field("mem", 1, "resources"),
		"type":                            field("type", "io", "resources"),
		"schema":                          field("input", map[string]any{}, "schema"),
		"entry point":                     field("entry_point", "a:b"),
		"predictor":                       field("predictor", "vlm_process"),
		"digest":                          field("spec", "none", "digest"),
		"object":                          field("name", "other", "kubernetes"),
		"placement":                       field("placement", map[string]any{"requests": map[string]any{"cpu": "1", "memory": "1Gi"}}, "kubernetes"),
		"GPUs": field("placement", map[string]any{"gpu": map[string]any{"count": 1},
			"requests": map[string]any{"cpu": "1500m", "memory": "1Gi"}}, "kubernetes"),
	}
	for task, good := range map[string][]string{
		"a": {"True/Valid", "True/Served", "True/Ready", "False/NotStalled"},
		"b": {"False/NameConflict", "False/Superseded", "False/NameConflict", "True/NameConflict"},
		"d": {"False/InvalidSchema", "False/ServingLastAccepted", "False/InvalidSchema", "True/InvalidSchema"},
	} {
		for i := range good {
			cases[fmt.Sprintf("Condition %d of %s", i, task)] = func(w *right) {
				wrong := append([]string(nil), good...)
				wrong[i] = "Unknown/Other"
				w.conditions(task, wrong...)
			}
		}
	}
	if differences := newRight().judge(); len(differences) > 0 {
		t.Fatalf("judge() of what is right: %v", differences)
	}
	for name, harm := range cases {
		t.Run(name, func(t *testing.T) {
			w := newRight()
			harm(w)
			if len(w.judge()) == 0 {
				t.Error("judge(): found no difference")
			}
		})
	}
}

func TestChoiceTakesTheFewestGPUs(t *testing.T) {
	t4, a100, h100 := nodeShape{"t4", "T4", 15360, 1, false}, nodeShape{"a100", "A100", 40960, 4, false}, nodeShape{"h100", "H100", 81559, 2, false}
	cases := map[string]struct {
		memory      string
		nodes       []nodeShape
		count, each int64
	}{
		"One":          {"10Gi", []nodeShape{t4, a100}, 1, 10240},
		"Two":          {"60Gi", []nodeShape{t4, a100}, 2, 30720},
		"A larger one": {"60Gi", []nodeShape{t4, a100, h100}, 1, 61440},
		"None":         {"60Gi", []nodeShape{t4}, 0, 0},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			task := &v1alpha1.MazeTask{}
			onGPUs(tc.memory)(task)
			if count, each := (&world{nodes: tc.nodes}).choice(task); count != tc.count || each != tc.each {
				t.Errorf("choice(%s): want %d of %d, got %d of %d", tc.memory, tc.count, tc.each, count, each)
			}
		})
	}
}
