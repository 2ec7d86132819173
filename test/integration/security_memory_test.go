package integration

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unicode"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/registry"
	"github.com/maze-agent/maregister/test/testutil"
)

// memoryLimit is the chart's, in bytes. The chart has Go keep to nine tenths of it.
const (
	memoryLimit = 256 << 20
	goLimit     = memoryLimit * 9 / 10
)

// limited is the operator as a process of its own that keeps to memoryLimit, with the rights of config/rbac.
type limited struct {
	command *exec.Cmd
	log     string
	probes  string
	ended   chan struct{}
	asked   *listing
}

// listing is a reverse proxy that looks for lists of whole ConfigMaps.
type listing struct {
	mu      sync.Mutex
	without []string // what was listed without a selector
	gets    atomic.Int64
}

func (l *listing) see(request *http.Request) {
	query := request.URL.Query()
	name := strings.Contains(request.URL.Path, "/configmaps/")
	switch {
	case request.Method == http.MethodGet && name:
		l.gets.Add(1)
	case request.Method == http.MethodGet && strings.HasSuffix(request.URL.Path, "/configmaps") &&
		(query.Get("labelSelector")+query.Get("fieldSelector") == "" || !strings.Contains(request.Header.Get("Accept"), "as=PartialObjectMetadata")):
		l.mu.Lock()
		l.without = append(l.without, request.URL.String())
		l.mu.Unlock()
	}
}

func (l *listing) whole() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.without
}

// startLimited starts the process for the rest of a spec.
func startLimited(ctx context.Context) *limited {
	GinkgoHelper()
	config, err := testutil.OperatorConfig(ctx, controlPlane.Config)
	Expect(err).NotTo(HaveOccurred())
	transport, err := rest.TransportFor(config)
	Expect(err).NotTo(HaveOccurred())
	target, err := url.Parse(config.Host)
	Expect(err).NotTo(HaveOccurred())
	target.Scheme = "https"
	p := &limited{log: filepath.Join(GinkgoT().TempDir(), "log"), ended: make(chan struct{}), asked: &listing{}}
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.Transport, proxy.FlushInterval = transport, -1
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.asked.see(r)
		proxy.ServeHTTP(w, r)
	}))
	DeferCleanup(func() { server.CloseClientConnections(); server.Close() })
	kubeconfig := filepath.Join(GinkgoT().TempDir(), "kubeconfig")
	Expect(clientcmd.WriteToFile(clientcmdapi.Config{
		Clusters: map[string]*clientcmdapi.Cluster{"proxy": {Server: server.URL}},
		Contexts: map[string]*clientcmdapi.Context{"proxy": {Cluster: "proxy"}}, CurrentContext: "proxy",
	}, kubeconfig)).To(Succeed())

	p.probes = freeAddress()
	log, err := os.Create(p.log)
	Expect(err).NotTo(HaveOccurred())
	p.command = exec.CommandContext(context.WithoutCancel(ctx), builtProgram("manager"), "--kubeconfig", kubeconfig, "--leader-elect=false", "--metrics-bind-address=0",
		"--health-probe-bind-address", p.probes)
	p.command.Env = append(os.Environ(), fmt.Sprintf("GOMEMLIMIT=%d", goLimit))
	p.command.Stdout, p.command.Stderr = log, log
	Expect(p.command.Start()).To(Succeed())
	go func() {
		_ = p.command.Wait() // specs look at what it did
		_ = log.Close()
		close(p.ended)
	}()
	DeferCleanup(p.stop)
	return p
}

func (p *limited) stop() {
	GinkgoHelper()
	if err := p.command.Process.Signal(syscall.SIGKILL); !errors.Is(err, os.ErrProcessDone) {
		Expect(err).NotTo(HaveOccurred())
	}
	Eventually(p.ended).Should(BeClosed())
}

// isReady reports whether the readiness probe says so.
func (p *limited) isReady() bool {
	status, _ := get("http://"+p.probes+"/readyz", "")
	return status == http.StatusOK
}

var peakPattern = regexp.MustCompile(`VmHWM:\s+(\d+) kB`)

// peak is the most memory that the process ever had, in bytes.
func (p *limited) peak() int {
	GinkgoHelper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.command.Process.Pid))
	Expect(err).NotTo(HaveOccurred())
	match := peakPattern.FindSubmatch(status)
	Expect(match).NotTo(BeNil(), "the process has ended")
	kilobytes, err := strconv.Atoi(string(match[1]))
	Expect(err).NotTo(HaveOccurred())
	return kilobytes << 10
}

// expectServed creates a task in a namespace, waits until it is Ready, and reports how long that took.
func expectServed(ctx context.Context, namespace, name string) {
	GinkgoHelper()
	bystander := newTask(namespace, name)
	since := time.Now()
	expectCreated(ctx, bystander)
	expectReady(ctx, bystander) // the process that is killed for its memory never serves it
	AddReportEntry("bystander served after", time.Since(since).String())
}

// expectStarts starts the process and expects it to be ready, to serve others and to keep to its memory.
func expectStarts(ctx context.Context, bystander, name string) *limited {
	GinkgoHelper()
	since := time.Now()
	p := startLimited(ctx)
	Eventually(p.isReady).Should(BeTrue())
	AddReportEntry("ready after", time.Since(since).String())
	expectServed(ctx, bystander, name)
	return p
}

// all does n things, four at a time.
func all(ctx context.Context, n int, do func(ctx context.Context, i int) error) {
	GinkgoHelper()
	errs, slots := make([]error, n), make(chan struct{}, 4)
	var wait sync.WaitGroup
	for i := range n {
		slots <- struct{}{}
		wait.Go(func() {
			errs[i] = do(ctx, i)
			<-slots
		})
	}
	wait.Wait()
	Expect(errors.Join(errs...)).To(Succeed())
}

var _ = Describe("Under the chart's memory limit, the operator", Serial, func() {
	var namespace, bystander string

	BeforeEach(func(ctx context.Context) {
		if runtime.GOOS != "linux" {
			Skip("the memory of a process is read from /proc")
		}
		namespace, bystander = newNamespace(ctx), newNamespace(ctx)
		writeLeases(ctx, bystander)
	})

	It("starts beside 200 MB of ConfigMaps and serves others (row 1)", func(ctx context.Context) {
		attacker := attackerOfConfigMaps(ctx, namespace)
		task := newTask(namespace, "caption")
		expectCreated(ctx, task)
		filler := strings.Repeat("a", 1_000_000)
		many := map[string]string{}
		for i := range 12_000 { // which makes managed fields of several 100 KB
			many[fmt.Sprintf("a-key-that-managed-fields-have-too-%05d", i)] = ""
		}
		all(ctx, 210, func(ctx context.Context, i int) error {
			one := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: fmt.Sprintf("filler-%03d", i)}}
			switch i % 3 {
			case 0: // unlabelled
				one.Data = map[string]string{"a": filler}
			case 1: // labelled, and with a name as the operator's
				one.Name = fmt.Sprintf("maze-registry-%08b-%010x", i, i)
				one.Labels = registry.Labels(registry.RoleShard)
				one.Data = map[string]string{"a": filler}
			default: // with a lot of metadata
				one.Labels = registry.Labels(registry.RoleShard)
				one.Data = many
				for n := range 300 {
					one.Finalizers = append(one.Finalizers, fmt.Sprintf("attacker.example/%s-%d", strings.Repeat("a", 50), n))
				}
				one.Annotations = map[string]string{"attacker.example/note": filler[:200_000]}
			}
			return attacker.Create(ctx, one)
		})
		foreign := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: registry.ConfigMapName}, Data: map[string]string{"a": filler}}
		Expect(attacker.Create(ctx, foreign)).To(Succeed())
		DeferCleanup(func(ctx context.Context) { // finalizers would keep them
			var list metav1.PartialObjectMetadataList
			list.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("ConfigMapList"))
			Expect(k8s.List(ctx, &list, inNamespace(namespace))).To(Succeed())
			all(ctx, len(list.Items), func(ctx context.Context, i int) error {
				if len(list.Items[i].Finalizers) == 0 {
					return nil
				}
				return k8s.Patch(ctx, &list.Items[i], client.RawPatch("application/merge-patch+json", []byte(`{"metadata":{"finalizers":null}}`)))
			})
		})

		p := expectStarts(ctx, bystander, "first")
		expectConditions(ctx, task, map[string]string{v1alpha1.ConditionRegistered: "False/RegistryConflict"})

		By("while the foreign index changes all the time")
		gets, from := p.asked.gets.Load(), time.Now()
		stop := repeat(ctx, 20*time.Millisecond, func(ctx context.Context) {
			foreign.Annotations = map[string]string{"at": time.Now().String()}
			_ = attacker.Update(ctx, foreign)
		})
		Consistently(p.isReady, 10*time.Second, time.Second).Should(BeTrue())
		rate := float64(p.asked.gets.Load()-gets) / time.Since(from).Seconds()
		AddReportEntry("reads of the foreign index a second", rate)
		Expect(rate).To(BeNumerically("<", 12))
		expectServed(ctx, bystander, "second")
		stop()

		AddReportEntry("peak in MiB", p.peak()>>20)
		Expect(p.peak()).To(BeNumerically("<", memoryLimit))
		Expect(p.asked.whole()).To(BeEmpty())
		p.stop()

		By("and an index that names 90 MB of forged shards, at the next start")
		Expect(attacker.Delete(ctx, foreign)).To(Succeed())
		index := registry.Index{Format: registry.FormatVersion, Generation: 7}
		for i := range 90 {
			shard := &corev1.ConfigMap{
				ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: fmt.Sprintf("maze-registry-%08b-%010x", i, 1000+i), Labels: registry.Labels(registry.RoleShard)},
				Immutable:  ptr.To(true), Data: map[string]string{},
			}
			for n := range 4 {
				entry := registry.Entry{TaskMeta: registry.TaskMeta{Name: fmt.Sprintf("forged-%d-%d", i, n), Description: ptr.To(filler[:240_000])}}
				entry.Kubernetes.UID = task.UID
				item, err := entry.Encode()
				Expect(err).NotTo(HaveOccurred())
				shard.Data[item.Name] = item.Text
			}
			index.Tasks += len(shard.Data)
			index.Shards = append(index.Shards, registry.ShardRef{Name: shard.Name, Prefix: fmt.Sprintf("%08b", i), Tasks: 4, Digest: registry.ContentDigest(shard.Data)})
			Expect(attacker.Create(ctx, shard)).To(Succeed())
		}
		encoded, err := index.Encode()
		Expect(err).NotTo(HaveOccurred())
		foreign = &corev1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: registry.ConfigMapName, Labels: registry.Labels(registry.RoleIndex)},
			Data:       map[string]string{registry.IndexKey: encoded},
		}
		Expect(attacker.Create(ctx, foreign)).To(Succeed())
		p = expectStarts(ctx, bystander, "third")
		expectReady(ctx, task)
		expectPublished(ctx, namespace, "caption@1")
		AddReportEntry("peak in MiB", p.peak()>>20)
		Expect(p.peak()).To(BeNumerically("<", memoryLimit))
		Expect(p.asked.whole()).To(BeEmpty())
		p.stop()
	}, NodeTimeout(20*time.Minute))

	It("starts beside 150 tasks with 1.25 MB of parameters each, tells each, and serves others (row 2)", func(ctx context.Context) {
		attacker := attackerOf(ctx, namespace, v1alpha1.GroupName, "mazetasks")
		all(ctx, 150, func(ctx context.Context, i int) error {
			task := newTask(namespace, fmt.Sprintf("large-%03d", i))
			task.Spec.InputParameters = schemaOf(`{"x": {"type": "string", "description": "` + strings.Repeat("a", 1_250_000+i*100) + `"}}`)
			return attacker.Create(ctx, task)
		})
		// A few more, whose text would do something to a terminal.
		parameters, err := json.Marshal(map[string]any{hidden: map[string]string{"type": "nothing"}})
		Expect(err).NotTo(HaveOccurred())
		task := newTask(namespace, "hidden")
		task.Spec.Description = hidden + strings.Repeat("long ", 3000)
		task.Spec.Resources.ModelName = hidden
		task.Spec.InputParameters = &apiextensionsv1.JSON{Raw: parameters}
		Expect(attacker.Create(ctx, task)).To(Succeed())
		valid := newTask(namespace, "valid")
		valid.Spec.Description, valid.Spec.Resources.ModelName = task.Spec.Description, hidden
		Expect(attacker.Create(ctx, valid)).To(Succeed())

		p := expectStarts(ctx, bystander, "first")
		since := time.Now()
		Eventually(func(g Gomega) { // events, as the tasks have 190 MB
			var events eventsv1.EventList
			g.Expect(k8s.List(ctx, &events, inNamespace(namespace))).To(Succeed())
			told := map[string]bool{}
			for _, event := range events.Items {
				told[event.Regarding.Name+" "+event.Reason] = true
			}
			g.Expect(told).To(HaveLen(152))
		}).WithPolling(time.Second).Should(Succeed())
		AddReportEntry("all told after", time.Since(since).String())
		for _, name := range []string{"large-000", "large-077", "large-149"} {
			large := newTask(namespace, name)
			expectConditions(ctx, large, map[string]string{v1alpha1.ConditionAccepted: "False/SchemaTooLarge", v1alpha1.ConditionRegistered: "False/InvalidSpec"})
			Expect(message(large, v1alpha1.ConditionAccepted)).To(HavePrefix("spec.inputParameters: the document has 12"))
		}
		AddReportEntry("peak in MiB", p.peak()>>20)
		Expect(p.peak()).To(BeNumerically("<", memoryLimit))

		By("showing every character in conditions, events and log lines, and clipping what is long")
		expectReady(ctx, valid)
		expectConditions(ctx, task, map[string]string{v1alpha1.ConditionAccepted: "False/InvalidSchema"})
		for _, c := range task.Status.Conditions {
			Expect(hiddenIn(c.Message)).To(BeEmpty(), c.Type)
		}
		Expect(message(task, v1alpha1.ConditionAccepted)).To(ContainSubstring(`\u009b`))
		Eventually(func(g Gomega) {
			var events eventsv1.EventList
			g.Expect(k8s.List(ctx, &events, inNamespace(namespace))).To(Succeed())
			about := map[string]int{}
			for _, event := range events.Items {
				g.Expect(hiddenIn(event.Note)).To(BeEmpty())
				about[event.Regarding.Name]++
			}
			g.Expect(about).To(And(HaveKey("hidden"), HaveKey("valid")))
		}).Should(Succeed())
		log, err := os.ReadFile(p.log)
		Expect(err).NotTo(HaveOccurred())
		Expect(log).NotTo(BeEmpty())
		for line := range bytes.Lines(log) {
			Expect(len(line)).To(BeNumerically("<", 3000), string(line))
			Expect(hiddenIn(strings.ReplaceAll(strings.TrimSuffix(string(line), "\n"), "\t", " "))).To(BeEmpty(), string(line))
		}
		Expect(string(log)).To(ContainSubstring(`valid`))
		p.stop()
	}, NodeTimeout(20*time.Minute))

	It("starts beside 150 workflows with 1.25 MB of arguments each, tells each, and serves others (row 2)", func(ctx context.Context) {
		attacker := attackerOf(ctx, namespace, v1alpha1.GroupName, "mazeworkflows")
		all(ctx, 150, func(ctx context.Context, i int) error {
			w := newWorkflow(namespace, fmt.Sprintf("large-%03d", i), "caption")
			w.Spec.Nodes[0].Args = &apiextensionsv1.JSON{Raw: []byte(`{"image": "` + strings.Repeat("a", 1_250_000+i*100) + `"}`)}
			return attacker.Create(ctx, w)
		})
		all(ctx, 20, func(ctx context.Context, i int) error { // as large as one may be, of values that take a hundred times as much in memory
			w := newWorkflow(namespace, fmt.Sprintf("allowed-%03d", i), "caption")
			w.Spec.Nodes[0].Args = &apiextensionsv1.JSON{Raw: []byte(`{"image": [` + strings.Repeat("{},", 87_000) + `{}]}`)}
			return attacker.Create(ctx, w)
		})
		p := expectStarts(ctx, bystander, "first")
		Eventually(func(g Gomega) {
			var events eventsv1.EventList
			g.Expect(k8s.List(ctx, &events, inNamespace(namespace))).To(Succeed())
			told := map[string]bool{}
			for _, event := range events.Items {
				told[event.Regarding.Name+" "+event.Reason] = true
			}
			g.Expect(told).To(HaveLen(170))
		}).WithPolling(time.Second).Should(Succeed())
		large := newWorkflow(namespace, "large-077", "caption")
		Expect(k8s.Get(ctx, keyOf(large), large)).To(Succeed())
		valid := meta.FindStatusCondition(large.Status.Conditions, v1alpha1.ConditionValid)
		Expect(valid).To(HaveField("Reason", v1alpha1.ReasonInvalidGraph))
		Expect(valid).To(HaveField("Message", HavePrefix("1 error: MZ202 the nodes and edges have more than 256 KiB")))
		AddReportEntry("peak in MiB", p.peak()>>20)
		Expect(p.peak()).To(BeNumerically("<", memoryLimit))
		p.stop()
	}, NodeTimeout(20*time.Minute))
})

// hidden are a bell, an escape sequence by C0 and by C1, and characters that change the direction of writing.
const hidden = "a\u0007b\u001b[31mc\u009b31md\u202ee\u2066f\u007fg"

// hiddenIn returns the characters of a text that cannot be seen.
func hiddenIn(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return -1
		}
		return r
	}, text)
}
