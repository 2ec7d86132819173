package chart

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"helm.sh/helm/v4/pkg/action"
	"helm.sh/helm/v4/pkg/kube"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/registry"
	"github.com/maze-agent/maregister/test/testutil"
)

const leaseName = "maregister.registry.mazeagent.net"

// installForRights installs the chart for tests that run the process themselves. Small shards make a registry split soon. The operator
// serves the given namespaces, or all.
func (c *cluster) installForRights(t *testing.T, namespaces ...string) {
	t.Helper()
	c.installWithoutPods(t, `
crds: {keep: false}
config: {registry: {shardSize: 16Ki}, watchNamespaces: [`+strings.Join(namespaces, ", ")+`]}
metrics: {readers: [{name: default, namespace: maregister-system}]}
`)
	eventually(t, "the CRDs are served", func(ctx context.Context) (bool, error) {
		return errors.Join(c.List(ctx, &v1alpha1.MazeTaskList{}), c.List(ctx, &v1alpha1.MazeWorkflowList{})) == nil, nil
	})
}

// installWithoutPods installs the chart with some values, and no Pod, for the length of a test.
func (c *cluster) installWithoutPods(t *testing.T, overrides string) {
	t.Helper()
	install := action.NewInstall(c.helm(t))
	install.ReleaseName, install.Namespace, install.WaitStrategy, install.Timeout = releaseName, releaseNamespace, kube.StatusWatcherStrategy, patience
	with := values(t, overrides)
	with["replicas"] = 0
	if _, err := install.Run(loadChart(t, chartFolder()), with); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		uninstall := action.NewUninstall(c.helm(t))
		uninstall.WaitStrategy, uninstall.Timeout, uninstall.DeletionPropagation = kube.StatusWatcherStrategy, patience, "background"
		if _, err := uninstall.Run(releaseName); err != nil {
			t.Error(err)
		}
	})
}

// launch starts the operator's process for the rest of a test.
func (c *cluster) launch(t *testing.T, m *manager, kubeconfig, file string) {
	t.Helper()
	content := &corev1.ConfigMap{}
	if err := c.Get(t.Context(), client.ObjectKey{Namespace: releaseNamespace, Name: "maregister-operator"}, content); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content.Data["operator.yaml"]), 0o600); err != nil {
		t.Fatal(err)
	}
	log, err := os.Create(m.log)
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command(c.manager, "--config="+file, "--metrics-bind-address="+m.metrics, "--health-probe-bind-address=0",
		"--leader-election-namespace="+releaseNamespace)
	// An API server before 1.34 does not stream lists, so that every cache needs to list as well as to watch.
	command.Env, command.Stdout, command.Stderr = []string{"KUBECONFIG=" + kubeconfig, "KUBE_FEATURE_WatchListClient=false"}, log, log
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		err := command.Process.Kill() // what lacks a right may take its time to end by itself
		_ = command.Wait()
		if err := errors.Join(log.Close(), ignoreEnded(err)); err != nil {
			t.Error(err)
		}
	})
}

func ignoreEnded(err error) error {
	if errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	return err
}

// scenario lets the operator do everything that it does, once. It fails when the API server refuses the operator anything: some
// refusals, such as of a watch, are made up for by trying something else again and again.
func (c *cluster) scenario(t *testing.T, namespace string, taken *grant) error {
	t.Helper()
	s := &scenario{cluster: c, namespace: namespace, taken: taken}
	if err := s.clear(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.manager = c.startManager(t)
	for _, step := range s.steps() {
		if err := step.do(t.Context()); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
	}
	return s.manager.unrefused()
}

// rightsNamespace makes a namespace for a scenario.
func (c *cluster) rightsNamespace(t *testing.T) string {
	t.Helper()
	c.scenarios++
	namespace := fmt.Sprintf("rights-%d", c.scenarios)
	c.namespace(t, namespace)
	return namespace
}

type scenario struct {
	*cluster
	manager   *manager
	namespace string
	taken     *grant
}

type step struct {
	name string
	do   func(context.Context) error
}

func (s *scenario) steps() []step {
	return []step{
		{"take the lease, and renew it", s.lease},
		{"tell of the lease", s.leaseEvent},
		{"publish a task", s.publish},
		{"tell of it", s.event},
		{"follow an edit", s.edit},
		{"judge a workflow", s.workflow},
		{"split the registry into shards", s.split},
		{"heal a shard", s.heal},
		{"collect the shards", s.collect},
		{"judge by a node that comes", s.node},
		{"serve metrics", s.scrape},
	}
}

// clear removes what an earlier scenario left of the leader election.
func (s *scenario) clear(ctx context.Context) error {
	lease := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: releaseNamespace, Name: leaseName}}
	return errors.Join(client.IgnoreNotFound(s.Delete(ctx, lease)), s.DeleteAllOf(ctx, &eventsv1.Event{}, client.InNamespace(releaseNamespace)))
}

// until waits for a condition. It gives up, with the API server's words, as soon as the operator has been refused what was taken.
func (s *scenario) until(ctx context.Context, met func(context.Context) (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return wait.PollUntilContextCancel(ctx, 50*time.Millisecond, true, func(ctx context.Context) (bool, error) {
		refused, err := s.manager.refused(s.taken)
		if err != nil || refused {
			return false, errors.Join(err, s.refusal(refused))
		}
		return met(ctx)
	})
}

func (s *scenario) refusal(refused bool) error {
	if !refused {
		return nil
	}
	return errors.New(s.taken.refusal())
}

func (s *scenario) lease(ctx context.Context) error {
	return s.until(ctx, func(ctx context.Context) (bool, error) {
		lease := &coordinationv1.Lease{}
		err := s.Get(ctx, client.ObjectKey{Namespace: releaseNamespace, Name: leaseName}, lease)
		return err == nil && lease.Spec.RenewTime.After(lease.Spec.AcquireTime.Time), client.IgnoreNotFound(err)
	})
}

func (s *scenario) leaseEvent(ctx context.Context) error {
	return s.untilEvent(ctx, releaseNamespace, leaseName, "LeaderElection")
}

func (s *scenario) event(ctx context.Context) error {
	return s.untilEvent(ctx, s.namespace, "caption", "Registered")
}

func (s *scenario) untilEvent(ctx context.Context, namespace, regarding, reason string) error {
	return s.until(ctx, func(ctx context.Context) (bool, error) {
		var events eventsv1.EventList
		err := s.List(ctx, &events, client.InNamespace(namespace))
		return slices.ContainsFunc(events.Items, func(e eventsv1.Event) bool { return e.Regarding.Name == regarding && e.Reason == reason }), err
	})
}

func (s *scenario) publish(ctx context.Context) error {
	if err := s.Create(ctx, newTask(s.namespace, "caption")); err != nil {
		return err
	}
	return s.untilCondition(ctx, "caption", v1alpha1.ConditionReady)
}

func (s *scenario) edit(ctx context.Context) error {
	task := &v1alpha1.MazeTask{}
	if err := s.Get(ctx, client.ObjectKey{Namespace: s.namespace, Name: "caption"}, task); err != nil {
		return err
	}
	task.Spec.Description = "Writes a caption."
	if err := s.Update(ctx, task); err != nil {
		return err
	}
	return s.untilCondition(ctx, "caption", v1alpha1.ConditionReady)
}

func (s *scenario) workflow(ctx context.Context) error {
	w := newWorkflow(s.namespace, "album", "caption")
	if err := s.Create(ctx, w); err != nil {
		return err
	}
	return s.until(ctx, func(ctx context.Context) (bool, error) {
		err := s.Get(ctx, client.ObjectKeyFromObject(w), w)
		return meta.IsStatusConditionTrue(w.Status.Conditions, v1alpha1.ConditionReady), err
	})
}

// untilCondition waits until a condition of a task is True for its newest generation.
func (s *scenario) untilCondition(ctx context.Context, name, condition string) error {
	return s.until(ctx, func(ctx context.Context) (bool, error) {
		task := &v1alpha1.MazeTask{}
		err := s.Get(ctx, client.ObjectKey{Namespace: s.namespace, Name: name}, task)
		return task.Status.ObservedGeneration == task.Generation && meta.IsStatusConditionTrue(task.Status.Conditions, condition), err
	})
}

// large are tasks that do not fit into one shard of 16Ki.
var large = []string{"one", "two", "three"}

func (s *scenario) split(ctx context.Context) error {
	for _, name := range large {
		task := newTask(s.namespace, name)
		task.Spec.Description = strings.Repeat("x", 8000)
		if err := s.Create(ctx, task); err != nil {
			return err
		}
	}
	return s.untilShards(ctx, func(n int) bool { return n > 1 })
}

func (s *scenario) shards(ctx context.Context) ([]corev1.ConfigMap, error) {
	var shards corev1.ConfigMapList
	err := s.List(ctx, &shards, client.InNamespace(s.namespace), client.MatchingLabels{registry.RoleLabel: registry.RoleShard})
	return shards.Items, err
}

func (s *scenario) untilShards(ctx context.Context, want func(int) bool) error {
	return s.until(ctx, func(ctx context.Context) (bool, error) {
		shards, err := s.shards(ctx)
		return want(len(shards)), err
	})
}

// heal takes away from a shard the label by which the operator's cache finds it.
func (s *scenario) heal(ctx context.Context) error {
	for _, name := range large {
		if err := s.untilCondition(ctx, name, v1alpha1.ConditionReady); err != nil {
			return err
		}
	}
	shards, err := s.shards(ctx)
	if err != nil {
		return err
	}
	lost := &shards[0]
	delete(lost.Labels, registry.RoleLabel)
	if err := s.Update(ctx, lost); err != nil {
		return err
	}
	return s.untilShards(ctx, func(n int) bool { return n == len(shards) })
}

func (s *scenario) collect(ctx context.Context) error {
	for _, name := range large {
		if err := s.Delete(ctx, newTask(s.namespace, name)); err != nil {
			return err
		}
	}
	return s.untilShards(ctx, func(n int) bool { return n == 0 })
}

func (s *scenario) node(ctx context.Context) error {
	task := newTask(s.namespace, "transcribe")
	task.Spec.Resources.Type = v1alpha1.ResourceTypeGPU
	if err := s.Create(ctx, task); err != nil {
		return err
	}
	if err := s.untilCondition(ctx, "transcribe", v1alpha1.ConditionReady); err != nil {
		return err
	}
	node := testutil.NewGPUNode("gpu-"+s.namespace, "L4", 23034, 1)
	if err := testutil.CreateNode(ctx, s, node); err != nil {
		return err
	}
	return errors.Join(s.untilCondition(ctx, "transcribe", v1alpha1.ConditionPlaceable), s.Delete(ctx, node))
}

// badToken is no account's token.
const badToken = "bad"

// scrape reads the metrics as the account in metrics.readers, as one that is not, as nobody, and with a token that is nobody's.
func (s *scenario) scrape(ctx context.Context) error {
	for account, want := range map[string]int{
		"default": http.StatusOK, "maregister-manager": http.StatusForbidden, "": http.StatusUnauthorized, badToken: http.StatusUnauthorized,
	} {
		token := account
		if account != "" && account != badToken {
			cfg, err := testutil.AccountConfig(ctx, s.plane.Config, releaseNamespace, account)
			if err != nil {
				return err
			}
			token = cfg.BearerToken
		}
		if err := s.until(ctx, func(ctx context.Context) (bool, error) {
			got, err := s.get(ctx, token)
			return got == want, err
		}); err != nil {
			return fmt.Errorf("as %q: %w", account, err)
		}
	}
	return nil
}

// get reads the metrics once, and returns the answer's status.
func (s *scenario) get(ctx context.Context, token string) (int, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+s.manager.metrics+"/metrics", nil)
	if err != nil {
		return 0, err
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := insecure.Do(request)
	if err != nil {
		return 0, err
	}
	_, err = io.Copy(io.Discard, response.Body)
	return response.StatusCode, errors.Join(err, response.Body.Close())
}

// insecure trusts the certificate that the operator signs itself.
var insecure = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
