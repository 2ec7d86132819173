package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/test/testutil"
)

// failure is a way to lose an operator, or its API server.
type failure struct {
	name     string
	replicas int
	elect    bool
	share    float64 // of the rounds
	limit    float64 // seconds until a new task must be served
	// strike does it, and returns when the time starts that counts.
	strike func(context.Context, *drill) (time.Time, error)
}

// outageTime is how long the API server cannot be reached.
const outageTime = 30 * time.Second

var failures = []failure{
	{name: "SIGTERM of the leader", replicas: 2, elect: true, share: 1, limit: 2.5, strike: end(syscall.SIGTERM)},
	{name: "SIGKILL of the leader", replicas: 2, elect: true, share: 1, limit: 20, strike: end(syscall.SIGKILL)},
	{name: "30 s without API server", replicas: 1, elect: true, share: 1, limit: 3, strike: cutOff},
	{name: "30 s without API server, two replicas", replicas: 2, elect: true, share: 1, limit: 3, strike: cutOff},
	{name: "30 s without API server, no election", replicas: 1, share: 1, limit: 2, strike: cutOff},
	{name: "silent connections", replicas: 1, elect: true, share: 0.25, limit: 50, strike: fallSilent},
	{name: "silent connections, no election", replicas: 1, share: 0.25, limit: 50, strike: fallSilent},
}

// drills is how many rounds are under way at once: most of a round is waiting.
const drills = 10

// patienceOfDrill bounds what a round waits for.
const patienceOfDrill = 90 * time.Second

// failoverResult is what phase i found.
type failoverResult struct {
	mu    sync.Mutex
	times map[string][]time.Duration
}

// runFailover runs every round of every failure.
func (b *bench) runFailover(ctx context.Context, s *stage) error {
	b.results.failover = &failoverResult{times: map[string][]time.Duration{}}
	var rounds []failure
	for _, f := range failures {
		for range int(max(1, f.share*float64(b.failover))) {
			rounds = append(rounds, f)
		}
	}
	rand.New(rand.NewPCG(b.seed, 0)).Shuffle(len(rounds), func(i, j int) { rounds[i], rounds[j] = rounds[j], rounds[i] })
	progress("i: failover: %d rounds, %d at a time", len(rounds), drills)
	return inParallel(ctx, drills, len(rounds), func(ctx context.Context, i int) error {
		f := rounds[i]
		took, err := s.runDrill(ctx, b.manager, f, i)
		if err != nil {
			return fmt.Errorf("%s, round %d: %w", f.name, i, err)
		}
		progress("i: %-40s %6.2f s", f.name, took.Seconds())
		b.results.failover.mu.Lock()
		defer b.results.failover.mu.Unlock()
		b.results.failover.times[f.name] = append(b.results.failover.times[f.name], took)
		return nil
	})
}

// drill is one round: operators of its own, which serve a namespace of its own.
type drill struct {
	*stage
	failure
	binary    string
	folder    string
	namespace string
	proxy     *testutil.Proxy
	processes []*process // the leader first
	lost      func(error)
}

// runDrill returns how long after a failure a task that is new by then is ready.
func (s *stage) runDrill(ctx context.Context, binary string, f failure, number int) (took time.Duration, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	d := &drill{stage: s, failure: f, binary: binary, namespace: fmt.Sprintf("drill-%d", number), lost: cancel}
	d.folder = filepath.Join(s.folder, d.namespace)
	defer func() { err = errors.Join(err, d.stop()) }()
	if err := d.prepare(ctx); err != nil {
		return 0, err
	}
	for range f.replicas {
		if err := d.startReplica(ctx); err != nil {
			return 0, err
		}
	}
	// The moment within the periods of renewals and retries is by chance.
	if err := sleep(ctx, 2*time.Second+rand.N(2*time.Second)); err != nil {
		return 0, err
	}
	start, err := f.strike(ctx, d)
	if err != nil {
		return 0, err
	}
	if err := d.awaitReady(ctx, "after"); err != nil {
		return 0, err
	}
	took = time.Since(start)
	if took.Seconds() > f.limit {
		progress("i: %s took %s, which is too long; what the operators logged:\n%s", f.name, took.Round(time.Millisecond), d.log())
	}
	return took, nil
}

// prepare makes the namespace, the proxy, and the files of the operators.
func (d *drill) prepare(ctx context.Context) error {
	if err := d.client.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: d.namespace}}); err != nil {
		return fmt.Errorf("create a namespace: %w", err)
	}
	if err := os.Mkdir(d.folder, 0o700); err != nil {
		return err
	}
	config, err := clientcmd.LoadFromFile(d.kubeconfig)
	if err != nil {
		return err
	}
	for _, cluster := range config.Clusters {
		server, err := url.Parse(cluster.Server)
		if err != nil {
			return err
		}
		if d.proxy, err = testutil.StartProxy(server.Host); err != nil {
			return err
		}
		server.Host = d.proxy.Address
		cluster.Server = server.String()
	}
	if err := clientcmd.WriteToFile(*config, d.path("kubeconfig")); err != nil {
		return err
	}
	return os.WriteFile(d.path("operator.yaml"), []byte("apiVersion: config.registry.mazeagent.net/v1alpha1\nkind: OperatorConfiguration\n"+
		"watchNamespaces: ["+d.namespace+"]\nnodes: Ignore\n"), 0o600)
}

func (d *drill) path(name string) string { return filepath.Join(d.folder, name) }

// startReplica starts an operator. The first one is to serve a task, and any other to stand by.
func (d *drill) startReplica(ctx context.Context) error {
	number := len(d.processes)
	probes := filepath.Join(d.folder, fmt.Sprintf("%d.log", number))
	address, err := testutil.FreeAddress()
	if err != nil {
		return err
	}
	p, err := startProcess(probes, d.lost, d.binary, "--kubeconfig", d.path("kubeconfig"), "--config", d.path("operator.yaml"),
		"--leader-election-namespace", d.namespace, fmt.Sprintf("--leader-elect=%t", d.elect), "--metrics-bind-address=0",
		"--health-probe-bind-address", address)
	if err != nil {
		return err
	}
	d.processes = append(d.processes, p)
	if number == 0 {
		if err := d.createTask(ctx, "before"); err != nil {
			return err
		}
		return d.awaitReady(ctx, "before")
	}
	return until(ctx, func() bool {
		response, err := http.Get("http://" + address + "/readyz")
		return err == nil && response.Body.Close() == nil && response.StatusCode == http.StatusOK
	})
}

func (d *drill) createTask(ctx context.Context, name string) error {
	return d.client.Create(ctx, &v1alpha1.MazeTask{
		ObjectMeta: metav1.ObjectMeta{Namespace: d.namespace, Name: name}, Spec: v1alpha1.MazeTaskSpec{Name: name, EntryPoint: "tools:" + name},
	})
}

// awaitReady waits until the API server shows a task to be ready.
func (d *drill) awaitReady(ctx context.Context, name string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, patienceOfDrill, fmt.Errorf("task %s was not ready within %s: %s", name, patienceOfDrill, d.log()))
	defer cancel()
	changes, err := d.client.Watch(ctx, &v1alpha1.MazeTaskList{}, client.InNamespace(d.namespace))
	if err != nil {
		return fmt.Errorf("watch the tasks: %w", err)
	}
	defer changes.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case change, ok := <-changes.ResultChan():
			if !ok {
				return errors.New("the watch of the tasks ended")
			}
			task, ok := change.Object.(*v1alpha1.MazeTask)
			if ok && task.Name == name && meta.IsStatusConditionTrue(task.Status.Conditions, v1alpha1.ConditionReady) {
				return nil
			}
		}
	}
}

// log returns the ends of the operators' logs.
func (d *drill) log() string {
	var ends []string
	for i, p := range d.processes {
		ends = append(ends, fmt.Sprintf("replica %d:\n%s", i, p.endOfLog()))
	}
	return strings.Join(ends, "\n")
}

func (d *drill) stop() error {
	var errs []error
	for _, p := range d.processes {
		errs = append(errs, p.stop())
	}
	if d.proxy != nil {
		errs = append(errs, d.proxy.Cut())
	}
	return errors.Join(errs...)
}

// end returns what ends the leader by a signal. The task is created when no process of it is left that could serve it.
func end(signal syscall.Signal) func(context.Context, *drill) (time.Time, error) {
	return func(ctx context.Context, d *drill) (time.Time, error) {
		leader := d.processes[0]
		leader.stopping.Store(true)
		start := time.Now()
		if err := leader.command.Process.Signal(signal); err != nil {
			return start, err
		}
		select {
		case <-ctx.Done():
			return start, context.Cause(ctx)
		case <-leader.exited:
		}
		return start, d.createTask(ctx, "after")
	}
}

// cutOff cuts all operators off from the API server for a while.
func cutOff(ctx context.Context, d *drill) (time.Time, error) {
	if err := d.proxy.Cut(); err != nil {
		return time.Time{}, err
	}
	if err := errors.Join(d.createTask(ctx, "after"), sleep(ctx, outageTime)); err != nil {
		return time.Time{}, err
	}
	return time.Now(), d.proxy.Open()
}

// fallSilent has the operator's connections fall silent, as when a load balancer forgets them.
func fallSilent(ctx context.Context, d *drill) (time.Time, error) {
	d.proxy.Silence()
	return time.Now(), d.createTask(ctx, "after")
}

func sleep(ctx context.Context, period time.Duration) error {
	timer := time.NewTimer(period)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}

// until waits for a condition.
func until(ctx context.Context, met func() bool) error {
	ctx, cancel := context.WithTimeoutCause(ctx, patienceOfDrill, errors.New("an operator was not ready in time"))
	defer cancel()
	for !met() {
		if err := sleep(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

func (r *failoverResult) print(p *report) {
	p.line("\ni: from a failure until a task that is new by then is ready")
	p.line("%-40s %5s %10s %10s %10s", "", "n", "min", "median", "max")
	for _, f := range failures {
		times := slices.Sorted(slices.Values(r.times[f.name]))
		if len(times) == 0 {
			continue
		}
		most := times[len(times)-1]
		p.line("%-40s %5d %8.2f s %8.2f s %8.2f s", f.name, len(times), times[0].Seconds(), times[len(times)/2].Seconds(), most.Seconds())
		p.target("i, "+f.name+", max, seconds", most.Seconds(), f.limit)
	}
}
