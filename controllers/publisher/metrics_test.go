package publisher

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/common/expfmt"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/controllers/internal/ledger"
	"github.com/maze-agent/maregister/internal/placement"
	"github.com/maze-agent/maregister/internal/serving"
)

// counted is a collector of 7 tasks in one namespace, and of registries in three.
func counted() *collector {
	l, b := ledger.New(), newBatcher()
	refused := func(reason string) serving.Finding { return serving.Finding{Reason: reason} }
	all := map[string]*serving.Outcome{}
	for i, edit := range []func(*serving.Outcome){
		func(*serving.Outcome) {},
		func(o *serving.Outcome) { o.Placeable = placement.Verdict{Status: metav1.ConditionFalse} },
		func(o *serving.Outcome) { o.Accepted, o.Registered = refused("NameConflict"), refused("Superseded") },
		func(o *serving.Outcome) { o.Accepted, o.Registered = refused("InvalidSchema"), refused("Superseded") },
		func(o *serving.Outcome) { o.Registered, o.Placement = refused("TaskTooLarge"), nil },
		func(o *serving.Outcome) { o.Registered = refused("Publishing") },
		func(o *serving.Outcome) {
			o.Accepted, o.Registered, o.Placement = refused("RefCycle"), refused("InvalidSpec"), nil
		},
	} {
		o := servedOutcome()
		if i < 2 {
			o.Type = v1alpha1.ResourceTypeGPU
		}
		edit(o)
		all[strconv.Itoa(i)] = o
	}
	none := map[string]*serving.Outcome{}
	for name := range all {
		none[name] = nil
	}
	l.Apply("vision", all)
	l.Apply("gone", all)
	l.Apply("gone", none)
	l.SetRegistry("vision", serving.Registry{Exists: true, Tasks: 3, Bytes: 2048, Shards: 2})
	l.SetRegistry("taken", serving.Registry{Exists: true, Conflict: true})
	l.SetRegistry("gone", serving.Registry{Exists: true})
	l.SetRegistry("gone", serving.Registry{})
	b.note("taken", "task", noon)
	b.note("new", "task", noon.Add(time.Second))
	refusals := func() map[string]error { return map[string]error{"lost": errors.New("forbidden")} }
	return &collector{ledger: l, batcher: b, refused: refusals, clock: clocktesting.NewFakePassiveClock(noon.Add(3 * time.Second))}
}

// servedOutcome is that of a task with which all is well.
func servedOutcome() *serving.Outcome {
	return &serving.Outcome{
		Generation: 1, Type: v1alpha1.ResourceTypeCPU, Accepted: serving.Finding{OK: true}, Registered: serving.Finding{OK: true},
		Placement: &v1alpha1.Placement{}, Placeable: placement.Verdict{Status: metav1.ConditionTrue},
	}
}

func TestCollector(t *testing.T) {
	const want = `
maregister_tasks{namespace="vision",type="cpu"} 5
maregister_tasks{namespace="vision",type="gpu"} 2
maregister_task_conditions{condition="Accepted",namespace="vision",status="True"} 4
maregister_task_conditions{condition="Accepted",namespace="vision",status="False"} 3
maregister_task_conditions{condition="Registered",namespace="vision",status="True"} 2
maregister_task_conditions{condition="Registered",namespace="vision",status="False"} 5
maregister_task_conditions{condition="Placeable",namespace="vision",status="True"} 4
maregister_task_conditions{condition="Placeable",namespace="vision",status="False"} 1
maregister_task_conditions{condition="Placeable",namespace="vision",status="Unknown"} 2
maregister_task_conditions{condition="Ready",namespace="vision",status="True"} 2
maregister_task_conditions{condition="Ready",namespace="vision",status="False"} 5
maregister_task_conditions{condition="Stalled",namespace="vision",status="True"} 4
maregister_task_conditions{condition="Stalled",namespace="vision",status="False"} 3
maregister_name_conflicts{namespace="vision"} 2
maregister_rejected_specs{reason="InvalidName"} 0
maregister_rejected_specs{reason="InvalidSchema"} 1
maregister_rejected_specs{reason="NumberOutOfRange"} 0
maregister_rejected_specs{reason="RefCycle"} 1
maregister_rejected_specs{reason="RemoteRefForbidden"} 0
maregister_rejected_specs{reason="SchemaTooLarge"} 0
maregister_rejected_specs{reason="TaskTooLarge"} 1
maregister_rejected_specs{reason="UnsupportedPattern"} 0
maregister_registry_tasks{namespace="vision"} 3
maregister_registry_tasks{namespace="taken"} 0
maregister_registry_bytes{namespace="vision"} 2048
maregister_registry_bytes{namespace="taken"} 0
maregister_registry_shards{namespace="vision"} 2
maregister_registry_shards{namespace="taken"} 0
maregister_registry_conflict{namespace="vision"} 0
maregister_registry_conflict{namespace="taken"} 1
maregister_registry_lag_seconds{namespace="vision"} 0
maregister_registry_lag_seconds{namespace="taken"} 3
maregister_registry_lag_seconds{namespace="new"} 2
maregister_namespace_refused{namespace="lost"} 1
`
	all := prometheus.NewPedanticRegistry()
	all.MustRegister(counted())
	families, err := all.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for _, family := range families {
		if _, err := expfmt.MetricFamilyToText(&text, family); err != nil {
			t.Fatal(err)
		}
	}
	got := slices.DeleteFunc(strings.Split(strings.TrimSpace(text.String()), "\n"), func(line string) bool { return line[0] == '#' })
	lines := strings.Split(strings.TrimSpace(want), "\n")
	slices.Sort(got)
	slices.Sort(lines)
	if diff := cmp.Diff(lines, got); diff != "" {
		t.Errorf("-want, +got:\n%s", diff)
	}
}

func TestMetricsFollowConventions(t *testing.T) {
	for name, one := range map[string]prometheus.Collector{"collector": counted(), "publish latency": newPublishLatency()} {
		problems, err := testutil.CollectAndLint(one)
		if err != nil || len(problems) > 0 {
			t.Errorf("%s: want no problems, got %v and %v", name, problems, err)
		}
	}
}

// TestRejectionsAreTheReasonsOfAccepted: a reason that comes to the API comes to the metric.
func TestRejectionsAreTheReasonsOfAccepted(t *testing.T) {
	parsed, err := parser.ParseFile(token.NewFileSet(), "../../api/v1alpha1/conditions.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{v1alpha1.ReasonTaskTooLarge}
	for _, declared := range parsed.Decls {
		block, ok := declared.(*ast.GenDecl)
		if !ok || !strings.HasPrefix(block.Doc.Text(), "Reasons of Accepted") {
			continue
		}
		for _, spec := range block.Specs {
			reason, _ := strconv.Unquote(spec.(*ast.ValueSpec).Values[0].(*ast.BasicLit).Value)
			if reason != v1alpha1.ReasonValid && reason != v1alpha1.ReasonNameConflict {
				want = append(want, reason)
			}
		}
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, slices.Sorted(slices.Values(rejections))); diff != "" {
		t.Errorf("-reasons, +rejections:\n%s", diff)
	}
}

// BenchmarkCollect measures a scrape.
func BenchmarkCollect(b *testing.B) {
	outcomes := map[string]*serving.Outcome{}
	for i := range 10_000 {
		outcomes[fmt.Sprint("task-", i)] = servedOutcome()
	}
	c := counted()
	c.ledger.Apply("vision", outcomes)
	for b.Loop() {
		testutil.CollectAndCount(c)
	}
}
