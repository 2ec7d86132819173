package faults

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// planLabel is on the nodes of a plan. The proxy has the manager see no others: nodes are the cluster's, and plans run side by side.
const planLabel = "faults.test/plan"

// proxy stands between one manager process and the API server. It stays when the process is started again.
type proxy struct {
	process string
	// nodes is the value of planLabel on the nodes that the process sees.
	nodes string

	upstream  *url.URL
	transport *http.Transport
	server    *httptest.Server
	gate      *gate
	injector  *injector
	journal   *journal
	// life ends with the plan: requests go on when the process that sent them is dead.
	life context.Context
	end  context.CancelFunc
}

func startProxy(api *rest.Config, process, nodes string, injector *injector, journal *journal) (*proxy, error) {
	upstream, err := url.Parse(api.Host)
	if err != nil {
		return nil, fmt.Errorf("read the API server's address: %w", err)
	}
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(api.CAData)
	p := &proxy{
		process: process, nodes: nodes, upstream: upstream, injector: injector, journal: journal,
		transport: &http.Transport{
			TLSClientConfig: &tls.Config{RootCAs: trusted, MinVersion: tls.VersionTLS12}, ForceAttemptHTTP2: true, DisableCompression: true,
		},
	}
	p.life, p.end = context.WithCancel(context.Background())
	p.server = httptest.NewUnstartedServer(p)
	p.gate = newGate(p.server.Listener)
	p.server.Listener = p.gate
	p.server.EnableHTTP2 = true
	p.server.StartTLS()
	return p, nil
}

func (p *proxy) stop() {
	p.end()
	p.gate.set(open)
	p.gate.cut()
	p.server.Close()
	p.transport.CloseIdleConnections()
}

// writeKubeconfig writes a kubeconfig file of an account that reaches the API server by the proxy.
func (p *proxy) writeKubeconfig(path, token string) error {
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.server.Certificate().Raw})
	content, err := clientcmd.Write(clientcmdapi.Config{
		Clusters:       map[string]*clientcmdapi.Cluster{"faults": {Server: p.server.URL, CertificateAuthorityData: certificate}},
		AuthInfos:      map[string]*clientcmdapi.AuthInfo{"manager": {Token: token}},
		Contexts:       map[string]*clientcmdapi.Context{"faults": {Cluster: "faults", AuthInfo: "manager"}},
		CurrentContext: "faults",
	})
	if err != nil {
		return fmt.Errorf("encode the kubeconfig: %w", err)
	}
	return os.WriteFile(path, content, 0o600)
}

// ServeHTTP implements http.Handler.
func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler) // the process is dead
	}
	c := classify(r, body)
	c.process, c.incarnation = p.process, p.injector.incarnationOf(p.process)
	if strings.Contains(r.Header.Get("Accept"), "protobuf") {
		r.Header.Set("Accept", "application/json") // it can be read here
	}
	if c.ofCluster {
		query := r.URL.Query()
		query.Set("labelSelector", planLabel+"="+p.nodes)
		r.URL.RawQuery = query.Encode()
	}
	switch {
	case c.write:
		p.serveWrite(w, r, c)
	case c.watch:
		p.serveWatch(w, r, c)
	default:
		p.serveRead(w, r, c)
	}
}

// answer is what the API server, or the proxy in its place, says.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// resourceVersion returns the answered object's, 0 where it has none.
func (a *answer) resourceVersion() uint64 {
	var object struct {
		Metadata struct {
			ResourceVersion uint64 `json:"resourceVersion,string"`
		} `json:"metadata"`
	}
	_ = json.Unmarshal(a.body, &object) // a Status has none
	return object.Metadata.ResourceVersion
}

func (a *answer) send(w http.ResponseWriter) {
	for key, values := range a.header {
		if key != "Content-Length" {
			w.Header()[key] = values
		}
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body) // the process may be dead
}

// open sends a request on to the API server.
func (p *proxy) open(ctx context.Context, r *http.Request, body []byte) (*http.Response, error) {
	target := *r.URL
	target.Scheme, target.Host = p.upstream.Scheme, p.upstream.Host
	onward, err := http.NewRequestWithContext(ctx, r.Method, target.String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	onward.Header = r.Header.Clone()
	return p.transport.RoundTrip(onward)
}

// forward sends a request on and reads the whole answer. The answer to what cannot be sent on is 502.
func (p *proxy) forward(r *http.Request, c *call) *answer {
	response, err := p.open(p.life, r, c.body)
	if err == nil {
		var content []byte
		content, err = io.ReadAll(response.Body)
		err = errors.Join(err, response.Body.Close())
		if err == nil {
			a := &answer{status: response.StatusCode, header: response.Header, body: content}
			c.status, c.resourceVersion, c.at = a.status, a.resourceVersion(), time.Now()
			return a
		}
	}
	return &answer{status: http.StatusBadGateway, body: []byte(err.Error())}
}

// serveRead answers what is no watch and no write. The first lists after a restart may be old ones.
func (p *proxy) serveRead(w http.ResponseWriter, r *http.Request, c *call) {
	if p.injector.refusesReads(c) {
		statusAnswer(Unavailable, c).send(w)
		return
	}
	if version := p.injector.takeStale(c); version != "" {
		query := r.URL.Query()
		query.Set("resourceVersion", version)
		query.Set("resourceVersionMatch", "Exact")
		r.URL.RawQuery = query.Encode()
		c.fault = "list as of resourceVersion " + version
		defer p.journal.add(c)
	}
	p.forward(r, c).send(w)
}

// pause waits, or returns false if the plan ends before.
func pause(ctx context.Context, length time.Duration) bool {
	timer := time.NewTimer(length)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
