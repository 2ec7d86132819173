package chart

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	// Its module has the CRDs of Prometheus' operator.
	_ "github.com/prometheus-operator/prometheus-operator/pkg/versionutil"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/yaml"

	"github.com/maze-agent/maregister/test/testutil"
)

// TestServerAccepts sends all that the chart renders, with every value of the table, to the API server as a server-side dry run. The
// namespace enforces the Pod security standard "restricted", and a warning is an error, too.
func TestServerAccepts(t *testing.T) {
	c := useCluster(t)
	for _, name := range []string{releaseNamespace, "vision", "audio"} {
		c.namespace(t, name)
	}
	c.installCRDs(t)
	c.makeAccounts(t)
	heard := &warnings{}
	cfg := rest.CopyConfig(c.plane.Config)
	cfg.WarningHandlerWithContext = heard
	sender, err := client.New(cfg, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	dry := client.NewDryRunClient(sender)
	seen := map[string]bool{}
	for name, text := range renderedValues(t) {
		objects, hooks := render(t, text)
		for _, object := range append(objects, hooks...) {
			for _, sent := range append(podsOf(t, object), object) {
				content := fmt.Sprint(sent.Object)
				if seen[content] {
					continue
				}
				seen[content] = true
				err := dry.Apply(t.Context(), client.ApplyConfigurationFromUnstructured(sent), client.FieldOwner("test"), client.ForceOwnership)
				if said := heard.take(); err != nil || said != "" {
					t.Errorf("with %s, %s: %v %s", name, key(sent), err, said)
				}
			}
		}
	}
}

// The example that Artifact Hub shows is a task that the API server accepts.
func TestExampleIsAccepted(t *testing.T) {
	c := useCluster(t)
	c.namespace(t, releaseNamespace)
	c.installCRDs(t)
	var examples []map[string]any
	if err := yaml.Unmarshal([]byte(loadChart(t, chartFolder()).Metadata.Annotations["artifacthub.io/crdsExamples"]), &examples); err != nil {
		t.Fatal(err)
	}
	if len(examples) == 0 {
		t.Error("there is no example")
	}
	for _, example := range examples {
		object := &unstructured.Unstructured{Object: example}
		object.SetNamespace(releaseNamespace)
		if err := client.NewDryRunClient(c).Create(t.Context(), object); err != nil {
			t.Error(err)
		}
	}
}

// renderedValues are the defaults, and all values of the table with what they need.
func renderedValues(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{"defaults": "{}", "everything": everything}
	for path, tc := range valueCases {
		text, err := yaml.Marshal(merge(values(t, tc.base), values(t, indent(path, tc.value))))
		if err != nil {
			t.Fatal(err)
		}
		out[path] = string(text)
	}
	return out
}

// installCRDs installs those of what the chart renders, for the length of a test.
func (c *cluster) installCRDs(t *testing.T) {
	t.Helper()
	definitions := []string{filepath.Join(testutil.Root(), "config", "crd", "registry.mazeagent.net_mazetasks.yaml")}
	module := strings.TrimSpace(run(t, "go", "-C", "test/deploy", "list", "-m", "-f", "{{.Dir}}", "github.com/prometheus-operator/prometheus-operator"))
	for _, kind := range []string{"podmonitors", "prometheusrules", "servicemonitors"} {
		definitions = append(definitions, filepath.Join(module, "example", "prometheus-operator-crd", "monitoring.coreos.com_"+kind+".yaml"))
	}
	installed, err := envtest.InstallCRDs(c.plane.Config, envtest.CRDInstallOptions{Paths: definitions})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, definition := range installed {
			if err := c.Delete(context.Background(), definition); err != nil {
				t.Error(err)
			}
			eventually(t, definition.Name+" is gone", func(ctx context.Context) (bool, error) {
				err := c.Get(ctx, client.ObjectKeyFromObject(definition), &apiextensionsv1.CustomResourceDefinition{})
				return err != nil, client.IgnoreNotFound(err)
			})
		}
	})
}

// makeAccounts makes the ServiceAccounts of the Pods, without which the API server refuses a Pod.
func (c *cluster) makeAccounts(t *testing.T) {
	t.Helper()
	for _, namespace := range []string{releaseNamespace, "vision"} {
		for _, name := range []string{"maregister-manager", "maregister-test", "maze-manager", "maregister-maze-manager", "maregister-maze-test", "tasks-manager", "tasks-test", "mine"} {
			account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
			if err := c.Create(t.Context(), account); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// podsOf returns the Pods that a Deployment makes, which are what the Pod security standard is enforced on; and the task of the chart's test.
func podsOf(t *testing.T, object *unstructured.Unstructured) []*unstructured.Unstructured {
	t.Helper()
	switch object.GetKind() {
	case "Deployment":
		template, _, err := unstructured.NestedMap(object.Object, "spec", "template")
		if err != nil {
			t.Fatal(err)
		}
		pod := &unstructured.Unstructured{Object: template}
		pod.SetAPIVersion("v1")
		pod.SetKind("Pod")
		pod.SetName(object.GetName())
		pod.SetNamespace(object.GetNamespace())
		return []*unstructured.Unstructured{pod}
	case "ConfigMap":
		text, found, _ := unstructured.NestedString(object.Object, "data", "task.yaml")
		if !found {
			return nil
		}
		tasks := parse(t, text)
		tasks[0].SetNamespace(object.GetNamespace())
		return tasks
	default:
		return nil
	}
}

// warnings are what the API server warns of.
type warnings struct {
	mu    sync.Mutex
	heard []string
}

// HandleWarningHeaderWithContext implements rest.WarningHandlerWithContext.
func (w *warnings) HandleWarningHeaderWithContext(_ context.Context, _ int, _, text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.heard = append(w.heard, text)
}

func (w *warnings) take() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	defer func() { w.heard = nil }()
	return strings.Join(w.heard, "; ")
}
