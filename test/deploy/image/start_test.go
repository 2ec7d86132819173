package image

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-logr/logr"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gbytes"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/maze-agent/maregister/test/testutil"
)

const nativePlatform = "linux/" + runtime.GOARCH

// confine runs a program as an image's user in a folder that it takes for the whole, read-only file system.
const confine = `mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && cd "$1" && shift &&
exec chroot --userspec=65532:65532 --groups= . "$@"`

// confined returns a command of an image, with its files as the read-only root of its user. It skips the test where that cannot be made.
func confined(t *testing.T, files map[string]string, arguments ...string) *exec.Cmd {
	t.Helper()
	if os.Getuid() != 0 || exec.CommandContext(t.Context(), "unshare", "--mount", "true").Run() != nil {
		t.Skip("a read-only root needs root and unshare, of Linux")
	}
	g := NewWithT(t)
	root := filepath.Join(t.TempDir(), "root")
	for name, content := range files {
		path := filepath.Join(root, name)
		g.Expect(os.MkdirAll(filepath.Dir(path), 0o755)).To(Succeed())     //nolint:gosec // as in the image
		g.Expect(os.WriteFile(path, []byte(content), 0o555)).To(Succeed()) //nolint:gosec // as in the image
	}
	// Each program puts the next one into its own place, so this process becomes the image's.
	command := exec.CommandContext(t.Context(), "unshare", append([]string{"--mount", "sh", "-c", confine, "sh", root}, arguments...)...)
	command.Stdout, command.Stderr = t.Output(), t.Output()
	return command
}

// startsReadOnly starts the manager from the image's files alone, with what a Pod would mount, until it is ready.
func startsReadOnly(t *testing.T, files map[string]string) {
	ctrl.SetLogger(logr.Discard())
	g := NewWithT(t)
	plane, err := testutil.StartControlPlane()
	g.Expect(err).NotTo(HaveOccurred())
	defer func() { g.Expect(plane.Stop()).To(Succeed()) }()
	kubeconfig, err := plane.Kubeconfig()
	g.Expect(err).NotTo(HaveOccurred())
	files = maps.Clone(files)
	files["mounted/kubeconfig"] = string(kubeconfig)
	probes := freeAddress(t)
	command := confined(t, files, "/manager", "--kubeconfig=/mounted/kubeconfig",
		"--leader-elect=false", "--health-probe-bind-address="+probes, "--metrics-bind-address="+freeAddress(t))
	g.Expect(command.Start()).To(Succeed())
	g.Eventually(func() (string, error) {
		response, err := http.Get("http://" + probes + "/readyz") //nolint:noctx // it ends at once: the address is ours
		if err != nil {
			return "", err
		}
		return response.Status, response.Body.Close()
	}).WithTimeout(testutil.Patience).WithPolling(50 * time.Millisecond).Should(Equal("200 OK"))

	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", command.Process.Pid))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(string(status)).To(And(ContainSubstring("Name:\tmanager\n"), ContainSubstring("Uid:\t65532\t65532\t65532\t65532\n")))
	mounts, err := os.ReadFile(fmt.Sprintf("/proc/%d/mounts", command.Process.Pid))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(rootOptions(string(mounts))).To(ContainElement("ro"))
	g.Expect(command.Process.Signal(syscall.SIGTERM)).To(Succeed())
	g.Expect(command.Wait()).To(Succeed())
}

// schedulesInAPod starts the example's scheduler from the image's files alone, with what the Pod of a detached run has: the token of
// role.yaml's account where the kubelet mounts it, the address of the API server, and the workflow.
func schedulesInAPod(t *testing.T, files map[string]string) {
	const namespace, account = "vision", "maze-scheduler"
	ctrl.SetLogger(logr.Discard())
	g, ctx := NewWithT(t), t.Context()
	plane, err := testutil.StartControlPlane()
	g.Expect(err).NotTo(HaveOccurred())
	defer func() { g.Expect(plane.Stop()).To(Succeed()) }()
	admin, err := client.New(plane.Config, client.Options{})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(admin.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}})).To(Succeed())
	for document := range strings.SplitSeq(readSource(t, "examples/scheduler/role.yaml"), "\n---\n") {
		object := &unstructured.Unstructured{}
		g.Expect(yaml.UnmarshalStrict([]byte(document), &object.Object)).To(Succeed())
		g.Expect(admin.Create(ctx, object)).To(Succeed())
	}
	config, err := testutil.AccountConfig(ctx, plane.Config, namespace, account)
	g.Expect(err).NotTo(HaveOccurred())
	server, err := url.Parse(config.Host)
	g.Expect(err).NotTo(HaveOccurred())

	files = maps.Clone(files)
	files["etc/maze-workflow/workflow.json"] = readSource(t, "examples/scheduler/workflow.json")
	for name, content := range map[string]string{"token": config.BearerToken, "ca.crt": string(config.CAData), "namespace": namespace} {
		files["var/run/secrets/kubernetes.io/serviceaccount/"+name] = content
	}
	out := gbytes.NewBuffer()
	command := confined(t, files, "/scheduler", "--namespace="+namespace, "--run=night-1", "/etc/maze-workflow/workflow.json")
	command.Env = []string{"PATH=" + os.Getenv("PATH"), "KUBERNETES_SERVICE_HOST=" + server.Hostname(), "KUBERNETES_SERVICE_PORT=" + server.Port()}
	command.Stdout = out
	g.Expect(command.Start()).To(Succeed())
	g.Eventually(out).WithTimeout(testutil.Patience).Should(gbytes.Say("t1  waits: namespace vision has no MazeTask at all"))
	g.Expect(command.Process.Signal(syscall.SIGTERM)).To(Succeed())
	var ended *exec.ExitError
	g.Expect(errors.As(command.Wait(), &ended)).To(BeTrue())
	g.Expect(ended.ExitCode()).To(Equal(2), "the Job starts it again")
}

// rootOptions returns the mount options of "/", as a process in a chroot sees it.
func rootOptions(mounts string) []string {
	for line := range strings.Lines(mounts) {
		if fields := strings.Fields(line); fields[1] == "/" {
			return strings.Split(fields[3], ",")
		}
	}
	return nil
}

func freeAddress(t *testing.T) string {
	t.Helper()
	address, err := testutil.FreeAddress()
	if err != nil {
		t.Fatal(err)
	}
	return address
}

func sortedKeys(images map[string]image) []string { return slices.Sorted(maps.Keys(images)) }
