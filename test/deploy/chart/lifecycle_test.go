package chart

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"helm.sh/helm/v4/pkg/action"
	chartv2 "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/kube"
	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/config/crd"
	"github.com/maze-agent/maregister/test/testutil"
)

const (
	taskNamespace = "vision"
	crdName       = "mazetasks.registry.mazeagent.net"
)

// TestLifecycle goes through a release's life as an administrator does, each step on what the one before it left.
func TestLifecycle(t *testing.T) {
	c := useCluster(t)
	c.namespace(t, releaseNamespace)
	c.namespace(t, taskNamespace)
	l := &lifecycle{cluster: c, previous: previousChart(t), current: loadChart(t, chartFolder())}
	for _, step := range []struct {
		name string
		run  func(t *testing.T)
	}{
		{"install the previous chart", l.install},
		{"helm test", l.test},
		{"tasks are served", l.serve},
		{"people have their rights", l.people},
		{"upgrade to this chart", l.upgrade},
		{"roll back", l.rollback},
		{"uninstall, and keep", l.uninstallAndKeep},
		{"install again", l.installAgain},
		{"uninstall everything", l.uninstallEverything},
	} {
		if !t.Run(step.name, step.run) {
			return
		}
	}
}

type lifecycle struct {
	*cluster
	previous, current *chartv2.Chart
}

func (l *lifecycle) install(t *testing.T) {
	l.installChart(t, l.previous)
	l.expectRollout(t, olderVersion)
	l.expectColumns(t, 1)
}

func (l *lifecycle) installChart(t *testing.T, what *chartv2.Chart) {
	t.Helper()
	install := action.NewInstall(l.helm(t))
	install.ReleaseName, install.Namespace = releaseName, releaseNamespace
	install.WaitStrategy, install.Timeout = kube.StatusWatcherStrategy, patience
	if _, err := install.Run(what, map[string]any{}); err != nil {
		t.Fatal(err)
	}
}

// test runs the chart's own test: kubectl itself, as the test's ServiceAccount, against the operator that runs.
func (l *lifecycle) test(t *testing.T) {
	test := action.NewReleaseTesting(l.helm(t))
	test.Namespace, test.Timeout = releaseNamespace, patience
	_, shutdown, err := test.Run(releaseName)
	if err != nil {
		pod := &corev1.Pod{}
		if err := l.Get(t.Context(), client.ObjectKey{Namespace: releaseNamespace, Name: "maregister-test"}, pod); err != nil {
			t.Error(err)
		}
		t.Fatalf("%v: %s", err, pod.Status.Message)
	}
	if err := shutdown(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "helm test leaves no Pod and no task", func(ctx context.Context) (bool, error) {
		var left corev1.PodList
		var tasks v1alpha1.MazeTaskList
		err := errors.Join(l.List(ctx, &tasks),
			l.List(ctx, &left, client.InNamespace(releaseNamespace), client.MatchingLabels{"app.kubernetes.io/name": "maregister-test"}))
		return len(left.Items)+len(tasks.Items) == 0, err
	})
}

func (l *lifecycle) serve(t *testing.T) {
	task := newTask(taskNamespace, "caption")
	if err := l.Create(t.Context(), task); err != nil {
		t.Fatal(err)
	}
	l.expectReady(t, task)
}

func (l *lifecycle) upgrade(t *testing.T) {
	upgrade := action.NewUpgrade(l.helm(t))
	upgrade.Namespace, upgrade.WaitStrategy, upgrade.Timeout = releaseNamespace, kube.StatusWatcherStrategy, patience
	if _, err := upgrade.Run(releaseName, l.current, values(t, `{config: {registry: {shardSize: 64Ki}}}`)); err != nil {
		t.Fatal(err)
	}
	l.expectRollout(t, l.current.Metadata.AppVersion)
	l.expectColumns(t, columns(t, crd.MazeTasks))
	l.expectReady(t, newTask(taskNamespace, "caption"))
}

func (l *lifecycle) rollback(t *testing.T) {
	rollback := action.NewRollback(l.helm(t))
	rollback.WaitStrategy, rollback.Timeout, rollback.Version = kube.StatusWatcherStrategy, patience, 1
	if err := rollback.Run(releaseName); err != nil {
		t.Fatal(err)
	}
	l.expectRollout(t, olderVersion)
	l.expectColumns(t, 1)
	l.expectReady(t, newTask(taskNamespace, "caption"))
}

func (l *lifecycle) uninstallAndKeep(t *testing.T) {
	l.stopOperator(t)
	l.uninstall(t)
	l.expectColumns(t, 1)
	l.expectReady(t, newTask(taskNamespace, "caption"))
}

// stopOperator does what docs/install.md says to do before helm uninstall, which takes the roles away while Pods still run: the last Pod
// releases the lease, and none is ever refused anything.
func (l *lifecycle) stopOperator(t *testing.T) {
	t.Helper()
	before := documented(t, "docs/install.md", "## Uninstall", "helm uninstall ")
	if !strings.Contains(before, "--replicas=0") {
		t.Fatalf("docs/install.md does not say how to stop the operator first:\n%s", before)
	}
	l.shell(t, before)
	var pods corev1.PodList
	lease := &coordinationv1.Lease{}
	if err := errors.Join(l.List(t.Context(), &pods, client.InNamespace(releaseNamespace)),
		l.Get(t.Context(), client.ObjectKey{Namespace: releaseNamespace, Name: leaseName}, lease)); err != nil {
		t.Fatal(err)
	}
	if holder := ptr.Deref(lease.Spec.HolderIdentity, ""); len(pods.Items) > 0 || holder != "" {
		t.Errorf("%d Pods are left, and the lease's holder is %q", len(pods.Items), holder)
	}
	logs, err := filepath.Glob(filepath.Join(l.folder, "maregister-manager-*", podLog))
	if err != nil || len(logs) == 0 {
		t.Fatalf("the Pods have no logs: %v", err)
	}
	for _, path := range logs {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if refusal := regexp.MustCompile(`.*(Unauthorized|[Ff]orbidden).*`).Find(content); refusal != nil {
			t.Errorf("a Pod was refused something: %s", refusal)
		}
	}
}

// documented returns the lines of a document's block of commands, after a heading and before a line.
func documented(t *testing.T, path, heading, until string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(testutil.Root(), path))
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(content), heading+"\n")
	_, block, _ := strings.Cut(section, "```sh\n")
	commands, _, found := strings.Cut(block, until)
	if !found {
		t.Fatalf("%s has no commands before %q below %q", path, until, heading)
	}
	return commands
}

// shell runs commands with the cluster's kubectl.
func (c *cluster) shell(t *testing.T, commands string) {
	t.Helper()
	command := exec.CommandContext(t.Context(), "sh", "-ec", commands)
	command.Dir = testutil.Root()
	command.Env = append(os.Environ(), "KUBECONFIG="+c.kubeconfig, "PATH="+os.Getenv("KUBEBUILDER_ASSETS")+":"+os.Getenv("PATH"))
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", commands, err, out)
	}
}

// TestFromKubectlToHelm installs with kustomize, as make deploy does, and has Helm take over, as docs/upgrade.md says.
func TestFromKubectlToHelm(t *testing.T) {
	c := useCluster(t)
	c.namespace(t, releaseNamespace)
	c.namespace(t, taskNamespace)
	l := &lifecycle{cluster: c, current: loadChart(t, chartFolder())}
	c.shell(t, `make deploy KUBECTL=kubectl
kubectl -n maregister-system rollout status deployment/maregister-manager --timeout=120s`)
	l.serve(t)
	before := l.deployment(t)

	install := action.NewInstall(c.helm(t))
	install.ReleaseName, install.Namespace, install.TakeOwnership, install.ForceConflicts = releaseName, releaseNamespace, true, true
	install.WaitStrategy, install.Timeout = kube.StatusWatcherStrategy, patience
	if _, err := install.Run(l.current, map[string]any{}); err != nil {
		t.Fatal(err)
	}
	l.expectRollout(t, l.current.Metadata.AppVersion)
	if after := l.deployment(t); after.UID != before.UID {
		t.Error("the Deployment was made anew")
	}
	l.expectReady(t, newTask(taskNamespace, "caption"))
	next := newTask(taskNamespace, "next")
	if err := c.Create(t.Context(), next); err != nil {
		t.Fatal(err)
	}
	l.expectReady(t, next)
	l.uninstallEverything(t)
}

func (l *lifecycle) deployment(t *testing.T) *appsv1.Deployment {
	t.Helper()
	deployment := &appsv1.Deployment{}
	if err := l.Get(t.Context(), client.ObjectKey{Namespace: releaseNamespace, Name: "maregister-manager"}, deployment); err != nil {
		t.Fatal(err)
	}
	return deployment
}

// installAgain takes over the CRD that was kept.
func (l *lifecycle) installAgain(t *testing.T) {
	l.installChart(t, l.current)
	l.expectRollout(t, l.current.Metadata.AppVersion)
	l.expectColumns(t, columns(t, crd.MazeTasks))
	l.expectReady(t, newTask(taskNamespace, "caption"))
}

func (l *lifecycle) uninstallEverything(t *testing.T) {
	upgrade := action.NewUpgrade(l.helm(t))
	upgrade.Namespace, upgrade.WaitStrategy, upgrade.Timeout = releaseNamespace, kube.StatusWatcherStrategy, patience
	if _, err := upgrade.Run(releaseName, l.current, values(t, `{crds: {keep: false}}`)); err != nil {
		t.Fatal(err)
	}
	l.uninstall(t)
	eventually(t, "the CRD is gone, and with it every task", func(ctx context.Context) (bool, error) {
		err := l.Get(ctx, client.ObjectKey{Name: crdName}, &apiextensionsv1.CustomResourceDefinition{})
		return err != nil, client.IgnoreNotFound(err)
	})
}

// uninstall removes the release, and expects that nothing but what is kept stays in its namespace.
func (l *lifecycle) uninstall(t *testing.T) {
	t.Helper()
	uninstall := action.NewUninstall(l.helm(t))
	uninstall.WaitStrategy, uninstall.Timeout, uninstall.DeletionPropagation = kube.StatusWatcherStrategy, patience, "background"
	if _, err := uninstall.Run(releaseName); err != nil {
		t.Fatal(err)
	}
	eventually(t, "no Pod outlives the release", func(ctx context.Context) (bool, error) {
		var pods corev1.PodList
		err := l.List(ctx, &pods, client.InNamespace(releaseNamespace))
		return len(pods.Items) == 0, err
	})
}

// expectRollout expects that the Deployment, as Helm has waited for it, has all its Pods ready with an image.
func (l *lifecycle) expectRollout(t *testing.T, tag string) {
	t.Helper()
	deployment := l.deployment(t)
	if s := deployment.Status; s.UpdatedReplicas != 2 || s.ReadyReplicas != 2 {
		t.Errorf("the Deployment is not rolled out: %+v", s)
	}
	if image := deployment.Spec.Template.Spec.Containers[0].Image; !strings.HasSuffix(image, ":"+tag) {
		t.Errorf("the image is %s, want one with the tag %s", image, tag)
	}
}

// expectColumns tells by the number of its columns which chart's CRD there is.
func (l *lifecycle) expectColumns(t *testing.T, want int) {
	t.Helper()
	definition := &apiextensionsv1.CustomResourceDefinition{}
	if err := l.Get(t.Context(), client.ObjectKey{Name: crdName}, definition); err != nil {
		t.Fatal(err)
	}
	if got := len(definition.Spec.Versions[0].AdditionalPrinterColumns); got != want {
		t.Errorf("the CRD has %d columns, want %d", got, want)
	}
}

func (l *lifecycle) expectReady(t *testing.T, task *v1alpha1.MazeTask) {
	t.Helper()
	eventually(t, task.Name+" is ready", func(ctx context.Context) (bool, error) {
		err := l.Get(ctx, client.ObjectKeyFromObject(task), task)
		return meta.IsStatusConditionTrue(task.Status.Conditions, v1alpha1.ConditionReady), err
	})
}

func newTask(namespace, name string) *v1alpha1.MazeTask {
	return &v1alpha1.MazeTask{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec:       v1alpha1.MazeTaskSpec{Name: name, EntryPoint: "tools:" + name},
	}
}

func columns(t *testing.T, content []byte) int {
	t.Helper()
	var definition apiextensionsv1.CustomResourceDefinition
	if err := yaml.Unmarshal(content, &definition); err != nil {
		t.Fatal(err)
	}
	return len(definition.Spec.Versions[0].AdditionalPrinterColumns)
}

func loadChart(t *testing.T, path string) *chartv2.Chart {
	t.Helper()
	loaded, err := loader.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	return loaded
}

// olderVersion is older than any release.
const olderVersion = "v0.0.9"

// previousChart packages a chart of an older version, whose CRD has but one column.
func previousChart(t *testing.T) *chartv2.Chart {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "maregister")
	if err := os.CopyFS(folder, os.DirFS(chartFolder())); err != nil {
		t.Fatal(err)
	}
	edit(t, filepath.Join(folder, "Chart.yaml"), func(content []byte) []byte {
		return bytes.ReplaceAll(content, []byte(appVersion), []byte(olderVersion))
	})
	edit(t, filepath.Join(folder, "files", "crds", "registry.mazeagent.net_mazetasks.yaml"), func(content []byte) []byte {
		var definition map[string]any
		if err := yaml.Unmarshal(content, &definition); err != nil {
			t.Fatal(err)
		}
		version := definition["spec"].(map[string]any)["versions"].([]any)[0].(map[string]any)
		version["additionalPrinterColumns"] = version["additionalPrinterColumns"].([]any)[:1]
		out, err := yaml.Marshal(definition)
		if err != nil {
			t.Fatal(err)
		}
		return out
	})
	pack := action.NewPackage()
	pack.Destination, pack.Version = t.TempDir(), "0.0.9"
	path, err := pack.Run(folder, nil)
	if err != nil {
		t.Fatal(err)
	}
	return loadChart(t, path)
}

func edit(t *testing.T, path string, change func([]byte) []byte) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, change(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
