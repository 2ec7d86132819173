package controllers

import (
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
	"k8s.io/apimachinery/pkg/types"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/maze-agent/maregister/api/v1alpha1"
)

// counted is a collector of 7 tasks in one namespace, and of registries in three.
func counted() *collector {
	l, g := newLedger(), newGatherer()
	unaccepted := func(reason string) func(*outcome) {
		return func(o *outcome) {
			o.accepted, o.registered, o.placement = refused(reason, ""), refused(v1alpha1.ReasonInvalidSpec, ""), nil
		}
	}
	outcomes := map[types.NamespacedName]tracked{}
	for i, edit := range []func(*outcome){
		func(*outcome) {},
		func(o *outcome) { o.placeable = infeasible },
		func(o *outcome) { o.accepted, o.registered = refused("NameConflict", ""), refused("Superseded", "") },
		func(o *outcome) { o.accepted, o.registered = refused("InvalidSchema", ""), refused("Superseded", "") },
		func(o *outcome) { o.registered, o.placement = refused("TaskTooLarge", ""), nil },
		func(o *outcome) { o.registered = refused("Publishing", "") },
		unaccepted("RefCycle"),
	} {
		resourceType := v1alpha1.ResourceTypeCPU
		if i < 2 {
			resourceType = v1alpha1.ResourceTypeGPU
		}
		outcomes[key("vision", strconv.Itoa(i))] = tracked{resourceType: resourceType, outcome: edited(edit)}
	}
	l.replace("vision", outcomes)
	l.replace("gone", outcomes)
	l.replace("gone", nil)
	l.setRegistry("vision", &registryState{exists: true, tasks: 3, bytes: 2048, shards: 2})
	l.setRegistry("vision", nil)
	l.setRegistry("taken", &registryState{exists: true, conflict: true})
	l.setRegistry("gone", &registryState{exists: true})
	l.setRegistry("gone", &registryState{})
	g.note("taken", noon, 1)
	g.note("new", noon.Add(time.Second), 1)
	return &collector{ledger: l, gather: g, clock: clocktesting.NewFakePassiveClock(noon.Add(3 * time.Second))}
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
	parsed, err := parser.ParseFile(token.NewFileSet(), "../api/v1alpha1/conditions.go", nil, parser.ParseComments)
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

// BenchmarkCollect is what a scrape costs: right after a change, and where nothing has changed since the last one.
func BenchmarkCollect(b *testing.B) {
	outcomes := map[types.NamespacedName]tracked{}
	for i := range 10_000 {
		outcomes[key("vision", fmt.Sprint("task-", i))] = tracked{resourceType: v1alpha1.ResourceTypeGPU, outcome: servedOutcome()}
	}
	c := counted()
	for name, changed := range map[string]bool{"changed": true, "unchanged": false} {
		b.Run(name, func(b *testing.B) {
			c.ledger.replace("vision", outcomes)
			for b.Loop() {
				if changed {
					b.StopTimer()
					c.ledger.replace("vision", outcomes)
					b.StartTimer()
				}
				testutil.CollectAndCount(c)
			}
		})
	}
}
