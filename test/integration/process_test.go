package integration

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/maze-agent/maregister/test/testutil"
)

// programs are those of cmd/ that specs run. Each is built with the first spec that needs it, and removed with the suite.
var programs struct {
	folder string
	built  map[string]bool
}

// builtProgram returns the path of a program of cmd/.
func builtProgram(name string) string {
	GinkgoHelper()
	if programs.folder == "" {
		folder, err := os.MkdirTemp("", "maregister-programs-")
		Expect(err).NotTo(HaveOccurred())
		programs.folder, programs.built = folder, map[string]bool{}
	}
	path := filepath.Join(programs.folder, name)
	if !programs.built[name] {
		out, err := exec.Command("go", "-C", testutil.Root(), "build", "-o", path, "./cmd/"+name).CombinedOutput()
		Expect(err).NotTo(HaveOccurred(), string(out))
		programs.built[name] = true
	}
	return path
}

// managerProcess is the operator as a process of its own.
type managerProcess struct {
	command *exec.Cmd
	log     string // the path of its log
	probes  string // the address of its probes
	metrics string // the address of its metrics
	ended   chan struct{}
}

// startManager starts the operator's process for the rest of a spec: for one namespace, which is that of its lease, too.
func startManager(ctx context.Context, namespace, kubeconfig string, environment map[string]string, arguments ...string) *managerProcess {
	GinkgoHelper()
	binary := builtProgram("manager")
	folder := GinkgoT().TempDir()
	configuration := filepath.Join(folder, "operator.yaml")
	Expect(os.WriteFile(configuration, []byte("apiVersion: config.registry.mazeagent.net/v1alpha1\nkind: OperatorConfiguration\n"+
		"watchNamespaces: ["+namespace+"]\nnodes: Ignore\n"), 0o600)).To(Succeed())
	p := &managerProcess{log: filepath.Join(folder, "log"), probes: freeAddress(), metrics: freeAddress(), ended: make(chan struct{})}
	log, err := os.Create(p.log)
	Expect(err).NotTo(HaveOccurred())
	p.command = exec.CommandContext(context.WithoutCancel(ctx), binary, append([]string{"--kubeconfig", kubeconfig, "--config", configuration,
		"--leader-election-namespace", namespace, "--health-probe-bind-address", p.probes, "--metrics-bind-address", p.metrics}, arguments...)...)
	for name, value := range environment {
		p.command.Env = append(p.command.Env, name+"="+value)
	}
	p.command.Stdout, p.command.Stderr = log, log
	Expect(p.command.Start()).To(Succeed())
	go func() {
		_ = p.command.Wait() // specs look at what it did
		_ = log.Close()
		close(p.ended)
	}()
	DeferCleanup(func() { p.end(syscall.SIGKILL) })
	return p
}

// end ends the process.
func (p *managerProcess) end(signal syscall.Signal) {
	GinkgoHelper()
	if err := p.command.Process.Signal(signal); !errors.Is(err, os.ErrProcessDone) {
		Expect(err).NotTo(HaveOccurred())
	}
	Eventually(p.ended).Should(BeClosed())
}

// logged returns the log so far.
func (p *managerProcess) logged() string {
	content, err := os.ReadFile(p.log)
	Expect(err).NotTo(HaveOccurred())
	return string(bytes.ToValidUTF8(content, nil))
}

// probe returns the answer of a probe: its status and text.
func (p *managerProcess) probe(path string) (int, string) { return get("http://"+p.probes+path, "") }

// get returns the answer to a GET: 0 if nobody answers.
func get(address, token string) (int, string) {
	request, err := http.NewRequest(http.MethodGet, address, nil)
	Expect(err).NotTo(HaveOccurred())
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := insecure.Do(request)
	if err != nil {
		return 0, err.Error()
	}
	text, err := io.ReadAll(response.Body)
	Expect(errors.Join(err, response.Body.Close())).To(Succeed())
	return response.StatusCode, string(text)
}

// freeAddress returns a loopback address on which nobody listens.
func freeAddress() string {
	GinkgoHelper()
	address, err := testutil.FreeAddress()
	Expect(err).NotTo(HaveOccurred())
	return address
}

// proxied writes a kubeconfig file like another one, for connections through a proxy, which it starts.
func proxied(kubeconfig string) (string, *testutil.Proxy) {
	GinkgoHelper()
	config, err := clientcmd.LoadFromFile(kubeconfig)
	Expect(err).NotTo(HaveOccurred())
	var proxy *testutil.Proxy
	for _, cluster := range config.Clusters {
		server, err := url.Parse(cluster.Server)
		Expect(err).NotTo(HaveOccurred())
		proxy, err = testutil.StartProxy(server.Host)
		Expect(err).NotTo(HaveOccurred())
		server.Host = proxy.Address
		cluster.Server = server.String()
	}
	DeferCleanup(proxy.Cut)
	path := filepath.Join(GinkgoT().TempDir(), "kubeconfig")
	Expect(clientcmd.WriteToFile(*config, path)).To(Succeed())
	return path, proxy
}

// adminKubeconfig writes the kubeconfig file of a cluster administrator.
func adminKubeconfig() string {
	GinkgoHelper()
	content, err := controlPlane.Kubeconfig()
	Expect(err).NotTo(HaveOccurred())
	path := filepath.Join(GinkgoT().TempDir(), "kubeconfig")
	Expect(os.WriteFile(path, content, 0o600)).To(Succeed())
	return path
}
