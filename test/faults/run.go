package faults

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/maze-agent/maregister/api/v1alpha1"
)

// run is a plan that runs.
type run struct {
	h         *Harness
	plan      *Plan
	folder    string
	namespace string
	random    *rand.Rand
	injector  *injector
	journal   *journal
	hand      *handiwork
	observer  *observer
	proxies   map[string]*proxy
	slots     map[string]*slot
	log       *os.File
	decoded   map[string]*entry
	life      context.Context // ends with the plan
	cancel    context.CancelFunc
	foreign   string // the ConfigMap of someone else that a step made
	// expected reports, for each task that a step changed, whether the observer has seen that. Only steps use it.
	expected map[string]func(*v1alpha1.MazeTask) bool

	mu     sync.Mutex
	config settings
	nodes  []nodeShape
	// class reports whether the plan has a DeviceClass.
	class bool
	// firstVersion is from before there was anything.
	firstVersion string
	versions     []string // the newest resourceVersion that was known when each step began
	resumed      []time.Time
	violations   []Violation
	background   sync.WaitGroup
}

// prepare makes namespace and nodes, and starts observer, proxies and managers.
func (r *run) prepare(ctx context.Context) error {
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: r.namespace}}
	if err := r.h.k8s.Create(ctx, namespace); err != nil {
		return fmt.Errorf("create the namespace: %w", err)
	}
	r.firstVersion = namespace.ResourceVersion
	leases := ""
	if r.plan.Scenario.Elects {
		leases = r.namespace
	}
	life, cancel := context.WithCancel(ctx)
	r.life, r.cancel = life, cancel
	var err error
	if r.observer, err = observe(life, r.h.k8s, r.namespace, leases); err != nil {
		return err
	}
	if r.log, err = os.Create(filepath.Join(r.folder, "log")); err != nil {
		return err
	}
	r.injector.killProcess = func(process string, incarnation int) { r.slots[process].signal(incarnation, syscall.SIGKILL) }
	for _, n := range r.plan.Scenario.Nodes {
		if err := r.addNode(ctx, n); err != nil {
			return err
		}
	}
	names := []string{"a"}
	if r.plan.Scenario.Second {
		names = append(names, "b")
	}
	for _, name := range append(names, "c") {
		if err := r.addSlot(name); err != nil {
			return err
		}
	}
	for _, name := range names {
		if err := r.slots[name].start(); err != nil {
			return err
		}
	}
	return nil
}

// addSlot makes place for a manager process, and its proxy. The process "c" is the second one of TwoLeaders.
func (r *run) addSlot(name string) error {
	p, err := startProxy(r.h.plane.Config, name, r.namespace, r.injector, r.journal)
	if err != nil {
		return err
	}
	r.proxies[name] = p
	kubeconfig := filepath.Join(r.folder, "kubeconfig-"+name)
	if err := p.writeKubeconfig(kubeconfig, r.h.token); err != nil {
		return err
	}
	config := filepath.Join(r.folder, "operator-"+name+".yaml")
	elects := r.plan.Scenario.Elects && name != "c"
	r.slots[name] = &slot{
		name: name, binary: r.h.Manager, log: r.log,
		args: func() []string {
			return []string{
				"--config=" + config, "--metrics-bind-address=0", "--health-probe-bind-address=0",
				"--leader-elect=" + strconv.FormatBool(elects), "--leader-election-namespace=" + r.namespace,
			}
		},
		env: []string{
			"KUBECONFIG=" + kubeconfig, "HOME=" + r.folder, "PATH=" + os.Getenv("PATH"),
			"POD_NAME=maregister-" + name, "POD_UID=00000000-0000-0000-0000-00000000000" + name,
		},
		started: func(incarnation int) {
			r.injector.setIncarnation(name, incarnation)
			_ = os.WriteFile(config, []byte(r.configuration()), 0o600) // the manager says so if it is not there
		},
	}
	return nil
}

// configuration returns the operator's configuration file.
func (r *run) configuration() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var b strings.Builder
	fmt.Fprintf(&b, "apiVersion: config.registry.mazeagent.net/v1alpha1\nkind: OperatorConfiguration\nwatchNamespaces: [%s]\n", r.namespace)
	fmt.Fprintf(&b, "registry: {shardSize: %d}\n", r.config.shardSize)
	if r.config.ignoreNodes {
		fmt.Fprintln(&b, "nodes: Ignore")
	}
	fmt.Fprintln(&b, "predictor:\n  rules:")
	for _, rule := range r.config.predictors {
		fmt.Fprintf(&b, "  - {contains: %s, toolType: %s}\n", rule.contains, rule.toolType)
	}
	return b.String()
}

// close ends everything. The namespace stays, without objects that another plan would see.
func (r *run) close(ctx context.Context) {
	for _, p := range r.proxies {
		p.end()
		p.gate.set(open)
	}
	for _, s := range r.slots {
		s.signal(0, syscall.SIGCONT)
		s.stop(syscall.SIGKILL)
	}
	for _, p := range r.proxies {
		p.stop()
	}
	if r.observer != nil {
		r.observer.stop()
	}
	if r.cancel != nil {
		r.cancel()
	}
	if r.log != nil {
		_ = r.log.Close() // it is only read
	}
	r.tidy(ctx)
}

// perform does the scenario's steps, and then checks.
func (r *run) perform(ctx context.Context, result *Result) error {
	for i, step := range r.plan.Scenario.Steps {
		r.beginStep(ctx, i)
		if err := step.Do(ctx, r); err != nil {
			return fmt.Errorf("step %d (%s): %w", i, step.Name, err)
		}
		last := i == len(r.plan.Scenario.Steps)-1 // what it causes is to be struck, too
		if r.random.IntN(4) == 0 && !last && r.plan.Name == "" {
			pause(ctx, time.Duration(r.random.IntN(300))*time.Millisecond)
		} else {
			r.settles(ctx, 1500*time.Millisecond)
		}
	}
	r.background.Wait()
	r.injector.heal()
	r.injector.holding.Wait()
	pause(ctx, 500*time.Millisecond) // the observer has yet to see what the last step did
	begin := time.Now()
	differences := r.settles(ctx, r.patience())
	result.Settled = time.Since(begin)
	if len(differences) > 0 {
		r.violated(InTheEnd, "%s after %s", strings.Join(differences, "\n    "), result.Settled.Round(time.Second))
	} else {
		r.awaitQuiet(ctx)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return r.review(result)
}

// review replays the history.
func (r *run) review(result *Result) error {
	events, err := r.observer.history()
	if err != nil {
		return err
	}
	result.Violations = newReplay(r.hand, r.plan.Scenario.Variable).run(events)
	if r.plan.Scenario.Elects && !r.plan.has(TwoLeaders) {
		result.Violations = append(result.Violations, leaseViolations(events, r.journal.all(), r.resumed)...)
	}
	result.Violations = append(result.Violations, r.violations...)
	return nil
}

func (p *Plan) has(kind Kind) bool {
	for i := range p.Faults {
		if p.Faults[i].Kind == kind {
			return true
		}
	}
	return false
}

// patience is how long the registry may take to be as it should be.
func (r *run) patience() time.Duration {
	patience := r.h.Patience
	for i := range r.plan.Faults {
		switch r.plan.Faults[i].Kind {
		case WritesRefused, QuotaExceeded, StatusRefused, LeaseBlocked, Outage, Blackhole:
			patience += 15 * time.Second // what is tried again may wait for so long
		}
	}
	if r.plan.Scenario.Elects {
		patience += 20 * time.Second // a lease, and its renewal
	}
	return patience
}

// differences returns how the world differs now from how it should be in the end.
func (r *run) differences() []string {
	events, err := r.observer.history()
	if err != nil {
		return []string{err.Error()}
	}
	past := newReplay(r.hand, true)
	past.decoded = r.decoded
	past.run(events)
	w := &world{past: past.tasks}
	w.tasks, w.configMaps = r.observer.state()
	w.workflows = r.observer.flows()
	r.mu.Lock()
	w.nodes, w.class, w.config = r.nodes, r.class, r.config
	r.mu.Unlock()
	return w.judge()
}

// settles waits until nothing differs, and returns what does when patience ends.
func (r *run) settles(ctx context.Context, patience time.Duration) []string {
	deadline := time.Now().Add(patience)
	r.awaitExpected(ctx)
	for {
		changed := r.observer.changed()
		differences := r.differences()
		if len(differences) == 0 || time.Now().After(deadline) || ctx.Err() != nil {
			return differences
		}
		select {
		case <-changed:
		case <-time.After(time.Until(deadline) + time.Millisecond):
		case <-ctx.Done():
		}
		pause(ctx, 30*time.Millisecond) // events come in bursts
	}
}

// awaitExpected waits until the observer has seen what the steps did: it may be a little behind.
func (r *run) awaitExpected(ctx context.Context) {
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end) && ctx.Err() == nil; pause(ctx, 5*time.Millisecond) {
		tasks, _ := r.observer.state()
		for name, seen := range r.expected {
			if seen(tasks[name]) {
				delete(r.expected, name)
			}
		}
		if len(r.expected) == 0 {
			return
		}
	}
	clear(r.expected) // what is wrong shows in the end
}

// awaitQuiet checks that nothing is written any more.
func (r *run) awaitQuiet(ctx context.Context) {
	pause(ctx, 300*time.Millisecond) // the answers of the last writes are on their way
	since := time.Now()
	pause(ctx, r.h.Quiet)
	if calls := r.journal.sentSince(since); len(calls) > 0 {
		r.violated(Quiet, "%d writes although nothing changes, such as %s", len(calls), calls[0])
	}
	if differences := r.differences(); len(differences) > 0 {
		r.violated(InTheEnd, "%s, after it was as it should be", strings.Join(differences, "\n    "))
	}
}

func (r *run) violated(i Invariant, format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.violations = append(r.violations, Violation{Invariant: i, Text: fmt.Sprintf(format, args...)})
}

// endOfLog returns the last lines that the managers logged.
func (r *run) endOfLog() string {
	const lines = 40
	content, err := os.ReadFile(filepath.Join(r.folder, "log"))
	if err != nil {
		return err.Error()
	}
	all := strings.Split(strings.TrimSpace(string(content)), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// tidy removes the plan's nodes and objects.
func (r *run) tidy(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
	defer cancel()
	err := errors.Join(r.removeNodes(ctx), r.h.deleteAll(ctx, &v1alpha1.MazeWorkflow{}, r.namespace),
		r.h.deleteAll(ctx, &v1alpha1.MazeTask{}, r.namespace), r.h.deleteAll(ctx, &corev1.ConfigMap{}, r.namespace))
	if err != nil {
		fmt.Fprintln(os.Stderr, "faults: tidy up after a plan:", err)
	}
}
