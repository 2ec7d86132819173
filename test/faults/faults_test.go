package faults

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/maze-agent/maregister/test/testutil"
)

var (
	managerFlag  = flag.String("manager", "", "path of the manager to test; it is built where there is none")
	seedFlag     = flag.Uint64("seed", 0, "seed of the plans; 0: one by the time, which is printed")
	scenarioFlag = flag.String("scenario", "", "the beginning of the names of scenarios: plans of others are left out")
	plansFlag    = flag.Int("plans", 0, "number of plans; 0: as many as the time of -budget allows")
	budgetFlag   = flag.Duration("budget", 2*time.Minute, "time for plans where -plans does not say how many")
	parallelFlag = flag.Int("plans-at-a-time", 8, "plans that run at a time")
	replayFlag   = flag.String("replay", "", "<seed>/<number>, or the name of a named plan: runs it alone, and tells all that was written")
	quietFlag    = flag.Duration("quiet", 2*time.Second, "how long nothing may be written in the end")
	patienceFlag = flag.Duration("patience", 15*time.Second, "how long the registry may take, after faults stop, to be as it should be")
)

// progress is after how many plans a line tells how far the run is.
const progress = 100

// harness is shared by all tests of plans.
var harness = sync.OnceValues(func() (*Harness, error) {
	ctrl.SetLogger(logr.Discard())
	manager := *managerFlag
	if manager == "" {
		folder, err := os.MkdirTemp("", "faults-manager-")
		if err != nil {
			return nil, err
		}
		manager = filepath.Join(folder, "manager")
		build := exec.Command("go", "build", "-o", manager, "./cmd/manager")
		build.Dir = testutil.Root()
		if out, err := build.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("build the manager: %w: %s", err, out)
		}
		builtManager = folder
	}
	h, err := NewHarness(context.Background(), manager)
	if err == nil {
		h.Quiet, h.Patience = *quietFlag, *patienceFlag
		started = h
	}
	return h, err
})

var (
	builtManager string
	started      *Harness
)

func TestMain(m *testing.M) {
	flag.Parse()
	code := m.Run()
	if started != nil {
		if err := started.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, "faults:", err)
		}
	}
	if builtManager != "" {
		_ = os.RemoveAll(builtManager) // it is temporary
	}
	os.Exit(code)
}

func sharedHarness(t *testing.T) *Harness {
	t.Helper()
	h, err := harness()
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// TestPlans runs plans that are drawn.
func TestPlans(t *testing.T) {
	if *replayFlag != "" {
		t.Skip("a plan is replayed")
	}
	h := sharedHarness(t)
	seed := *seedFlag
	if seed == 0 {
		seed = uint64(time.Now().Unix())
	}
	t.Logf("seed %d", seed)
	var next atomic.Uint64
	var summary Summary
	begin := time.Now()
	var workers sync.WaitGroup
	for range *parallelFlag {
		workers.Go(func() {
			for {
				number := next.Add(1) - 1
				if *plansFlag > 0 && number >= uint64(*plansFlag) || *plansFlag == 0 && time.Since(begin) > *budgetFlag {
					return
				}
				plan := Draw(seed, number)
				if !strings.HasPrefix(plan.Scenario.Name, *scenarioFlag) {
					continue
				}
				result := h.Run(t.Context(), plan)
				if plans := summary.Add(result); plans%progress == 0 {
					fmt.Printf("faults: seed %d: %d plans in %s\n", seed, plans, time.Since(begin).Round(time.Second))
				}
				if report := result.Report(); report != "" {
					fmt.Printf("faults: seed %d: plan %d failed\n", seed, number) // a long run tells the rest in its end
					t.Error(report)
				}
			}
		})
	}
	workers.Wait()
	fmt.Printf("faults: seed %d: %s\n", seed, summary.String())
}

// TestNamed runs the plans that once showed faults of the operator.
func TestNamed(t *testing.T) {
	if *replayFlag != "" {
		t.Skip("a plan is replayed")
	}
	h := sharedHarness(t)
	places := make(chan struct{}, *parallelFlag)
	var workers sync.WaitGroup
	for _, n := range namedPlans() {
		workers.Go(func() {
			places <- struct{}{}
			defer func() { <-places }()
			result := h.Run(t.Context(), namedPlan(n.Name))
			t.Logf("plan %s: %d violations, settled after %s, took %s", n.Name, len(result.Violations), result.Settled.Round(time.Millisecond), result.Took.Round(time.Millisecond))
			if len(result.Fired) < len(n.Faults) && !n.MayMiss {
				t.Errorf("plan %s: its fault did not strike", n.Name)
			}
			if report := result.Report(); report != "" {
				t.Errorf("%s  %s", report, n.Why)
			}
		})
	}
	workers.Wait()
}

// TestReplay repeats one plan.
func TestReplay(t *testing.T) {
	if *replayFlag == "" {
		t.Skip("no plan is to be replayed")
	}
	plan := namedPlan(*replayFlag)
	if plan == nil {
		var seed, number uint64
		if _, err := fmt.Sscanf(*replayFlag, "%d/%d", &seed, &number); err != nil {
			t.Fatalf("-replay %s is neither <seed>/<number> nor the name of a plan", *replayFlag)
		}
		plan = Draw(seed, number)
	}
	result := sharedHarness(t).Run(t.Context(), plan)
	t.Logf("%s\nstruck: %v\nsettled after %s, took %s\n%s\nlog:\n%s", plan, result.Fired, result.Settled.Round(time.Millisecond),
		result.Took.Round(time.Millisecond), strings.Join(result.Writes, "\n"), result.Log)
	if report := result.Report(); report != "" {
		t.Error(report)
	}
}
