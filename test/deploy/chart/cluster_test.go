package chart

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"helm.sh/helm/v4/pkg/action"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/kubernetes"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/maze-agent/maregister/controllers"
	"github.com/maze-agent/maregister/test/testutil"
)

// patience is for what takes a few seconds on an idle machine.
const patience = testutil.Patience

// cluster is a control plane with all its parts, and nodes whose Pods run as processes of this machine.
type cluster struct {
	client.WithWatch
	plane      *testutil.ControlPlane
	clients    *kubernetes.Clientset
	folder     string
	kubeconfig string
	manager    string // the operator's binary
	scenarios  int    // started so far
	stops      []func() error
}

var (
	started *cluster
	// theCluster is shared by the package's tests, which clean up after themselves.
	theCluster = sync.OnceValue(func() error {
		started = &cluster{}
		return started.start(context.Background())
	})
)

func TestMain(m *testing.M) {
	ctrl.SetLogger(logr.Discard())
	code := m.Run()
	if started != nil {
		if err := started.stop(); err != nil {
			fmt.Fprintln(os.Stderr, "stop the cluster:", err)
			code = 1
		}
	}
	os.Exit(code)
}

// useCluster starts the cluster with the first test that needs it.
func useCluster(t *testing.T) *cluster {
	t.Helper()
	if err := theCluster(); err != nil {
		t.Fatal(err)
	}
	return started
}

func (c *cluster) start(ctx context.Context) error {
	var err error
	if c.folder, err = os.MkdirTemp("", "maregister-chart-"); err != nil {
		return err
	}
	c.stops = append(c.stops, func() error { return os.RemoveAll(c.folder) })
	c.manager = filepath.Join(c.folder, "manager")
	if out, err := exec.Command("go", "-C", testutil.Root(), "build", "-o", c.manager, "./cmd/manager").CombinedOutput(); err != nil {
		return fmt.Errorf("build the manager: %w\n%s", err, out)
	}
	if c.plane, err = testutil.StartEmptyControlPlane(); err != nil {
		return err
	}
	c.stops = append(c.stops, c.plane.Stop)
	for _, component := range []func(*testutil.ControlPlane) (*testutil.Component, error){testutil.StartScheduler, testutil.StartControllerManager} {
		running, err := component(c.plane)
		if err != nil {
			return err
		}
		c.stops = append(c.stops, running.Stop)
	}
	if err := c.connect(); err != nil {
		return err
	}
	for _, name := range []string{"node-a", "node-b"} {
		if err := testutil.CreateNode(ctx, c, testutil.NewNode(name)); err != nil {
			return err
		}
	}
	nodes := newKubelet(c)
	c.stops = append(c.stops, nodes.stop)
	return nodes.start(ctx)
}

func (c *cluster) connect() error {
	scheme, err := controllers.Scheme()
	if err != nil {
		return err
	}
	if err := apiextensionsv1.AddToScheme(scheme); err != nil {
		return err
	}
	if c.WithWatch, err = client.NewWithWatch(c.plane.Config, client.Options{Scheme: scheme}); err != nil {
		return err
	}
	if c.clients, err = kubernetes.NewForConfig(c.plane.Config); err != nil {
		return err
	}
	content, err := c.plane.Kubeconfig()
	if err != nil {
		return err
	}
	c.kubeconfig = filepath.Join(c.folder, "kubeconfig")
	return os.WriteFile(c.kubeconfig, content, 0o600)
}

func (c *cluster) stop() error {
	var errs []error
	for _, stop := range slices.Backward(c.stops) {
		errs = append(errs, stop())
	}
	return errors.Join(errs...)
}

// namespace makes a namespace that enforces the Pod security standard "restricted", for the length of a test.
func (c *cluster) namespace(t *testing.T, name string) {
	t.Helper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{
		"pod-security.kubernetes.io/enforce": "restricted", "pod-security.kubernetes.io/warn": "restricted",
	}}}
	eventually(t, "namespace "+name+" of an earlier test is gone", func(ctx context.Context) (bool, error) {
		err := c.Create(ctx, namespace)
		return err == nil, client.IgnoreAlreadyExists(err)
	})
	t.Cleanup(func() {
		if err := c.Delete(context.Background(), namespace); err != nil {
			t.Error(err)
		}
	})
}

// helm returns the configuration of Helm's actions on the release's namespace.
func (c *cluster) helm(t *testing.T) *action.Configuration {
	t.Helper()
	namespace, kubeconfig := releaseNamespace, c.kubeconfig
	flags := genericclioptions.NewConfigFlags(false)
	flags.Namespace, flags.KubeConfig = &namespace, &kubeconfig
	configuration := action.NewConfiguration()
	if err := configuration.Init(flags, namespace, "secret"); err != nil {
		t.Fatal(err)
	}
	return configuration
}

// eventually waits for a condition. It may be used while a test is cleaned up.
func eventually(t *testing.T, what string, condition wait.ConditionWithContextFunc) {
	t.Helper()
	if err := wait.PollUntilContextTimeout(context.Background(), 50*time.Millisecond, patience, true, condition); err != nil {
		t.Fatalf("waited until %s: %v", what, err)
	}
}
