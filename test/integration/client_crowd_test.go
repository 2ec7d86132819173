package integration

import (
	"bytes"
	"context"
	"io"
	"maps"
	"net/http"
	"runtime"
	"strings"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/maze-agent/maregister/client"
	"github.com/maze-agent/maregister/test/testutil"
)

// crowd are many readers of one registry.
type crowd struct {
	readers []*client.Registry
	before  uint64
	cancel  context.CancelFunc
	running sync.WaitGroup
}

// newCrowd starts readers, some at a time, and waits until all have read the registry.
func newCrowd(ctx context.Context, config *rest.Config, namespace string, size int) *crowd {
	GinkgoHelper()
	const atATime = 50
	c := &crowd{before: heapInUse()}
	ctx, c.cancel = context.WithCancel(ctx)
	DeferCleanup(c.stop)
	for len(c.readers) < size {
		for range atATime {
			reader, err := client.New(config, namespace)
			Expect(err).NotTo(HaveOccurred())
			c.readers = append(c.readers, reader)
			c.running.Go(func() {
				defer GinkgoRecover()
				Expect(reader.Start(ctx)).To(Succeed())
			})
		}
		waiting, cancel := context.WithTimeout(ctx, testutil.Patience)
		for _, reader := range c.readers[len(c.readers)-atATime:] {
			Expect(reader.WaitForSync(waiting)).To(Succeed())
		}
		cancel()
	}
	return c
}

func (c *crowd) stop() {
	c.cancel()
	c.running.Wait()
}

// heap is what the readers take, in bytes.
func (c *crowd) heap() int64 { return int64(heapInUse()) - int64(c.before) }

func heapInUse() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

// requestCounter counts the requests of clients, and the watches that the API server ended.
type requestCounter struct {
	mu    sync.Mutex
	seen  map[string]int
	ended int
}

func (c *requestCounter) wrap(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(request *http.Request) (*http.Response, error) {
		what := request.Method
		if request.Method == http.MethodGet && request.URL.Query().Get("watch") == "true" {
			what = "watch"
		}
		c.mu.Lock()
		if c.seen == nil {
			c.seen = map[string]int{}
		}
		c.seen[what+" "+request.URL.Path[strings.LastIndex(request.URL.Path, "/")+1:]]++
		c.mu.Unlock()
		response, err := next.RoundTrip(request)
		if err == nil && what == "watch" {
			response.Body = &watchBody{ReadCloser: response.Body, ended: c.endWatch}
		}
		return response, err
	})
}

func (c *requestCounter) endWatch() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended++
}

// endedWatches returns the number of watches that the API server ended, not the reader.
func (c *requestCounter) endedWatches() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ended
}

// watchBody is the answer to a watch. It calls ended, once, if it ends before it is closed.
type watchBody struct {
	io.ReadCloser
	once  sync.Once
	ended func()
}

func (b *watchBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		b.once.Do(b.ended)
	}
	return n, err
}

func (b *watchBody) Close() error {
	b.once.Do(func() {})
	return b.ReadCloser.Close()
}

func (c *requestCounter) counts() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.seen)
}

type roundTripper func(*http.Request) (*http.Response, error)

func (r roundTripper) RoundTrip(request *http.Request) (*http.Response, error) { return r(request) }

// readCounts is what the API server says of the requests to read ConfigMaps and tasks.
type readCounts struct {
	// ended are their numbers by verb and resource. A watch counts when it has ended.
	ended map[string]int
	// watching is the number of watches of ConfigMaps now.
	watching int
}

// reads asks the API server. Watches of a single object, as it has itself, are left out.
func reads(ctx context.Context) readCounts {
	GinkgoHelper()
	counts := readCounts{ended: map[string]int{}}
	for name, metrics := range serverMetrics(ctx, "apiserver_request_total", "apiserver_longrunning_requests") {
		for _, metric := range metrics.GetMetric() {
			labels := map[string]string{}
			for _, pair := range metric.GetLabel() {
				labels[pair.GetName()] = pair.GetValue()
			}
			value := int(metric.GetUntyped().GetValue() + metric.GetCounter().GetValue() + metric.GetGauge().GetValue())
			resource, verb := labels["resource"], labels["verb"]
			isRead := verb == "GET" || labels["scope"] != "resource" && (verb == "LIST" || strings.HasPrefix(verb, "WATCH"))
			switch {
			case !isRead || resource != "configmaps" && resource != "mazetasks":
			case name == "apiserver_request_total":
				counts.ended[verb+" "+resource] += value
			case resource == "configmaps":
				counts.watching += value
			}
		}
	}
	return counts
}

// since returns what came after earlier counts.
func (c readCounts) since(earlier readCounts) map[string]int {
	more := map[string]int{}
	for what, count := range c.ended {
		if count != earlier.ended[what] {
			more[what] = count - earlier.ended[what]
		}
	}
	return more
}

// serverMetrics reads some of the API server's metrics.
func serverMetrics(ctx context.Context, names ...string) map[string]*dto.MetricFamily {
	GinkgoHelper()
	clients, err := kubernetes.NewForConfig(controlPlane.Config)
	Expect(err).NotTo(HaveOccurred())
	text, err := clients.Discovery().RESTClient().Get().AbsPath("/metrics").DoRaw(ctx)
	Expect(err).NotTo(HaveOccurred())
	var lines bytes.Buffer // all of them are megabytes
	for line := range bytes.Lines(text) {
		for _, name := range names {
			if bytes.HasPrefix(line, []byte(name+"{")) {
				lines.Write(line)
			}
		}
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(&lines)
	Expect(err).NotTo(HaveOccurred())
	return families
}
