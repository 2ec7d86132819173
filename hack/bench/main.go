// Command bench measures the operator against the least that any program could do, and against what a quick hand
// would write, each on a control plane of its own that nothing else uses:
//
//	a  the floor: a plain client creates the tasks and patches each one's status once; no operator runs
//	b  the operator: the same client creates the same tasks; the operator publishes them and writes their statuses
//	c  a quick hand's reconciler: two status writes and one rewritten ConfigMap for every task
//	d  single tasks, one after another, beside more and more others in one namespace; a restart and the memory beside each
//	e  many tasks in one namespace, every state of the registry checked; then an idle time; then a restart
//	f  tasks on many nodes, which send heartbeats; then the first node of a new class, for which some tasks wait
//	g  mazectl discover against python3's ast module, on the same files, without a control plane
//	h  mazectl dag check, of a large workflow against as many tasks, likewise
//	k  mazectl diff, of as many manifests against as many others, likewise
//	i  failover: how long after the leader ends, or an outage of the API server, a new task is served
//	j  like f, by Dynamic Resource Allocation: a ResourceSlice of 8 GPUs for each node, of which one changes in the end
//	l  many MazeWorkflows over the tasks; then edits of one task: those that run it are judged anew, and no others
//
// The time of a, b and c is from the first create to the moment at which a watcher, which asks only the API server,
// has seen all tasks Ready and (b, c) in the registry. Writes are counted by the API server. It needs
// KUBEBUILDER_ASSETS, bin/manager and bin/mazectl: run it by make bench.
//
// It exits with 1 if something is wrong, such as an entry that is missing, but not for a target that is missed:
// a machine that is busy with something else misses them all.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program at once
	var err error
	if len(os.Args) > 1 && os.Args[1] == quickHandCommand {
		err = runQuickHand(ctx, os.Args[2:])
	} else {
		err = run(ctx, os.Args[1:])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// options are what the flags say.
type options struct {
	tasks   int
	workers int
	single  int
	beside  []int
	rest    time.Duration
	scale   int
	nodes   int
	idle    time.Duration
	seed    uint64
	manager string
	pprof   string
	only    string

	// mazectl, tree, treeTasks and manyFiles are for phase g.
	mazectl   string
	tree      string
	treeTasks int
	manyFiles int

	// workflow is for phase h: how many nodes.
	workflow int

	// diff is for phase k: how many tasks.
	diff int

	// workflows is for phase l: how many.
	workflows int

	// failover is for phase i: how many rounds of each failure.
	failover int
}

// phases are the letters that the flag -only takes.
const phases = "abcdefghijkl"

// onStages are those that need a control plane and the operator.
const onStages = "abcdefijl"

// maxQuickHandTasks is where the one ConfigMap of the quick hand's reconciler comes near to what a ConfigMap can hold.
const maxQuickHandTasks = 8000

func parseOptions(arguments []string) (options, error) {
	o := options{beside: []int{0, 2000, 10_000, 50_000}}
	flags := flag.NewFlagSet("bench", flag.ExitOnError)
	flags.IntVar(&o.tasks, "n", 2000, "number of tasks in the phases a, b, c, f, j and l")
	flags.IntVar(&o.workers, "workers", 8, "number of requests that the plain client has under way")
	flags.IntVar(&o.single, "latency", 200, "number of single tasks in phase d, beside each number of others")
	flags.Func("beside", "numbers of others in phase d, from few to many (default 0,2000,10000,50000)", o.parseBeside)
	flags.DurationVar(&o.rest, "rest", 30*time.Second, "how long phase d lets the operator rest before it reads its memory")
	flags.IntVar(&o.scale, "scale", 5000, "number of tasks in phase e; 0 skips it")
	flags.IntVar(&o.nodes, "nodes", 5000, "number of nodes in the phases f and j; 0 skips them")
	flags.DurationVar(&o.idle, "idle", time.Minute, "how long phase e looks for writes of an idle operator")
	flags.Uint64Var(&o.seed, "seed", 1, "seed of the tasks' contents")
	flags.StringVar(&o.manager, "manager", "bin/manager", "the operator's binary")
	flags.StringVar(&o.pprof, "pprof", "", "address at which the operator serves its profiles, such as 127.0.0.1:6060; nowhere if empty")
	flags.StringVar(&o.mazectl, "mazectl", "bin/mazectl", "mazectl's binary")
	flags.StringVar(&o.tree, "tree", "", "folder with Python files for phase g; Python's own standard library if empty")
	flags.IntVar(&o.treeTasks, "tree-tasks", 20, "number of tasks that phase g puts into a copy of the tree")
	flags.IntVar(&o.manyFiles, "many-files", 100_000, "number of files in the last part of phase g; 0 skips it")
	flags.IntVar(&o.workflow, "workflow", 10_000, "number of nodes, and of tasks, in phase h; 0 skips it")
	flags.IntVar(&o.diff, "diff", 2000, "number of tasks in phase k; 0 skips it")
	flags.IntVar(&o.workflows, "workflows", 10_000, "number of workflows in phase l; 0 skips it")
	flags.IntVar(&o.failover, "failover", 20, "number of rounds of each failure in phase i; 0 skips it")
	flags.StringVar(&o.only, "only", phases, "phases to run, such as a,b")
	if err := flags.Parse(arguments); err != nil {
		return o, err
	}
	o.only = strings.ReplaceAll(o.only, ",", "")
	for phase, count := range map[string]int{"e": o.scale, "f": o.nodes, "h": o.workflow, "i": o.failover, "j": o.nodes, "k": o.diff, "l": o.workflows} {
		if count == 0 {
			o.only = strings.ReplaceAll(o.only, phase, "")
		}
	}
	return o, o.check()
}

// parseBeside reads the list of the flag -beside.
func (o *options) parseBeside(list string) error {
	o.beside = nil
	for _, text := range strings.Split(list, ",") {
		number, err := strconv.Atoi(text)
		if err != nil || number < 0 || len(o.beside) > 0 && number <= o.beside[len(o.beside)-1] {
			return errors.New("want numbers that grow, such as 0,2000")
		}
		o.beside = append(o.beside, number)
	}
	return nil
}

func (o options) check() error {
	switch {
	case strings.Trim(o.only, phases) != "":
		return fmt.Errorf("-only %s: the phases are %s", o.only, phases)
	case o.tasks < 1 || o.workers < 1 || o.single < 1 || o.scale < 0 || o.nodes < 0:
		return errors.New("-n, -workers and -latency must be at least 1, and -scale and -nodes at least 0")
	case o.treeTasks < 1 || min(o.manyFiles, o.workflow, o.diff, o.failover, o.workflows) < 0:
		return errors.New("-tree-tasks must be at least 1, and -many-files, -workflow, -workflows, -diff and -failover at least 0")
	case o.only == "":
		return errors.New("no phase is left to run")
	case o.runs("c") && o.tasks > maxQuickHandTasks:
		return fmt.Errorf("-n %d: phase c keeps all entries in one ConfigMap, which holds about %d; leave it out with -only abdefghijkl", o.tasks, maxQuickHandTasks)
	}
	if _, err := os.Stat(o.manager); err != nil && o.runs(onStages) {
		return fmt.Errorf("the operator's binary: %w; build it by make build, or name it with -manager", err)
	}
	if _, err := os.Stat(o.mazectl); err != nil && o.runs("ghk") {
		return fmt.Errorf("mazectl's binary: %w; build it by make build, or name it with -mazectl", err)
	}
	return nil
}

// runs reports whether one of the phases is wanted.
func (o options) runs(letters string) bool { return strings.ContainsAny(o.only, letters) }

// bench is one run.
type bench struct {
	options
	// folder holds everything that the run writes, the control plane's files too.
	folder  string
	results results
}

// run runs the phases one after another, and prints what there is, even if one of them fails.
func run(ctx context.Context, arguments []string) (err error) {
	o, err := parseOptions(arguments)
	if err != nil {
		return err
	}
	ctrl.SetLogger(logr.Discard())
	folder, err := os.MkdirTemp("", "maregister-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	if err := os.Setenv("TMPDIR", folder); err != nil {
		return err
	}
	b := &bench{options: o, folder: folder}
	defer func() { b.results.print(os.Stdout, o) }()
	for _, phase := range []struct {
		letters string
		name    string
		tasks   int
		run     func(context.Context, *stage) error
	}{
		{"a", "a: the floor", o.tasks, b.runFloor},
		{"b", "b: the operator", o.tasks, b.runOperator},
		{"c", "c: a quick hand's reconciler", o.tasks, b.runQuickHand},
		{"d", "d: single tasks", o.beside[len(o.beside)-1] + len(o.beside)*o.single, b.runSingle},
		{"e", "e: scale", o.scale, b.runScale},
		{"f", "f: nodes", o.tasks + o.nodes, b.runNodes},
		{"j", "j: devices", o.tasks + 2*o.nodes, b.runDevices},
		{"l", "l: workflows", o.tasks + 2*o.workflows, b.runWorkflows},
		{"i", "i: failover", o.failover * 100, b.runFailover}, // a round takes as long as some 100 tasks
	} {
		if !o.runs(phase.letters) {
			continue
		}
		if err := b.onStage(ctx, phase.name, phase.tasks, phase.run); err != nil {
			return fmt.Errorf("phase %s: %w", phase.name, err)
		}
	}
	if o.runs("g") {
		if err := b.runDiscover(ctx); err != nil {
			return fmt.Errorf("phase g: discovery: %w", err)
		}
	}
	if o.runs("h") {
		if err := b.runWorkflow(ctx); err != nil {
			return fmt.Errorf("phase h: workflow: %w", err)
		}
	}
	if o.runs("k") {
		if err := b.runDiff(ctx); err != nil {
			return fmt.Errorf("phase k: comparison: %w", err)
		}
	}
	return nil
}

// progress tells a waiting user how far the run is.
func progress(format string, arguments ...any) {
	fmt.Fprintf(os.Stderr, "bench: "+format+"\n", arguments...)
}
