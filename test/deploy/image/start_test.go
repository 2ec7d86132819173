package image

import (
	"fmt"
	"maps"
	"net/http"
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
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/maze-agent/maregister/test/testutil"
)

const nativePlatform = "linux/" + runtime.GOARCH

// confine runs a program as an image's user in a folder that it takes for the whole, read-only file system.
const confine = `mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && cd "$1" && shift &&
exec chroot --userspec=65532:65532 --groups= . "$@"`

// startsReadOnly starts the manager from the image's files alone, with what a Pod would mount, until it is ready.
func startsReadOnly(t *testing.T, files map[string]string) {
	if os.Getuid() != 0 || exec.CommandContext(t.Context(), "unshare", "--mount", "true").Run() != nil {
		t.Skip("a read-only root needs root and unshare, of Linux")
	}
	ctrl.SetLogger(logr.Discard())
	g := NewWithT(t)
	plane, err := testutil.StartControlPlane()
	g.Expect(err).NotTo(HaveOccurred())
	defer func() { g.Expect(plane.Stop()).To(Succeed()) }()
	kubeconfig, err := plane.Kubeconfig()
	g.Expect(err).NotTo(HaveOccurred())
	root := filepath.Join(t.TempDir(), "root")
	files = maps.Clone(files)
	files["mounted/kubeconfig"] = string(kubeconfig)
	for name, content := range files {
		path := filepath.Join(root, name)
		g.Expect(os.MkdirAll(filepath.Dir(path), 0o755)).To(Succeed())     //nolint:gosec // as in the image
		g.Expect(os.WriteFile(path, []byte(content), 0o555)).To(Succeed()) //nolint:gosec // as in the image
	}
	probes := freeAddress(t)
	// Each program puts the next one into its own place, so this process becomes the manager.
	command := exec.CommandContext(t.Context(), "unshare", "--mount", "sh", "-c", confine, "sh", root, "/manager", "--kubeconfig=/mounted/kubeconfig",
		"--leader-elect=false", "--health-probe-bind-address="+probes, "--metrics-bind-address="+freeAddress(t))
	command.Stdout, command.Stderr = t.Output(), t.Output()
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
