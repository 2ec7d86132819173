package monitoring

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/maze-agent/maregister/controllers"
	"github.com/maze-agent/maregister/test/testutil"
)

// cluster is a control plane with a manager whose metrics are scraped.
type cluster struct {
	client.Client
	plane *testutil.ControlPlane
	// metrics is the manager's URL, and token may GET it.
	metrics, token string
	// stateMetrics is the URL of kube-state-metrics.
	stateMetrics string
	manager      int // its process id
}

func newCluster(t testing.TB) *cluster {
	t.Helper()
	plane, err := testutil.StartControlPlane()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := plane.Stop(); err != nil {
			t.Error(err)
		}
	})
	scheme, err := controllers.Scheme()
	if err != nil {
		t.Fatal(err)
	}
	c, err := client.New(plane.Config, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	return &cluster{Client: c, plane: plane}
}

// startManager runs cmd/manager as in a cluster: with leader election, and metrics over TLS for who may read them.
func (c *cluster) startManager(t testing.TB, arguments ...string) {
	t.Helper()
	host, port := freeAddress(t)
	c.metrics = "https://" + net.JoinHostPort(host, port) + "/metrics"
	c.token = c.tokenOf(t, "prometheus")
	var role rbacv1.ClusterRole
	if err := yaml.UnmarshalStrict([]byte(read(t, "config/rbac/metrics_reader_role.yaml")), &role); err != nil {
		t.Fatal(err)
	}
	c.grant(t, &role, "prometheus")
	arguments = append(arguments, "--kubeconfig", kubeconfigOf(t, c.plane), "--metrics-bind-address", net.JoinHostPort(host, port),
		"--health-probe-bind-address", "0", "--leader-election-namespace", "default")
	c.manager = start(t, buildManager(t), arguments...).Pid
}

// startKubeStateMetrics runs kube-state-metrics with the chart's configuration, and nothing else.
func (c *cluster) startKubeStateMetrics(t testing.TB) {
	t.Helper()
	host, port := freeAddress(t)
	_, telemetry := freeAddress(t)
	c.stateMetrics = "http://" + net.JoinHostPort(host, port) + "/metrics"
	var role rbacv1.ClusterRole
	if err := yaml.UnmarshalStrict([]byte(shown(t, "yaml", "kind: ClusterRole")), &role); err != nil {
		t.Fatal(err)
	}
	token := c.tokenOf(t, "kube-state-metrics")
	c.grant(t, &role, "kube-state-metrics")
	start(t, tool(t, "kube-state-metrics"), "--kubeconfig", c.kubeconfigWith(t, token), "--host", host, "--port", port,
		"--telemetry-host", host, "--telemetry-port", telemetry,
		"--custom-resource-state-only", "--custom-resource-state-config-file", chartFile("kube-state-metrics.yaml"))
}

// grant makes a role and gives it to a service account.
func (c *cluster) grant(t testing.TB, role *rbacv1.ClusterRole, account string) {
	t.Helper()
	c.create(t, role, &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: role.Name},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role.Name},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: "default", Name: account}},
	})
}

// kubeconfigWith writes a kubeconfig file with a token.
func (c *cluster) kubeconfigWith(t testing.TB, token string) string {
	t.Helper()
	all := clientcmdapi.NewConfig()
	all.Clusters["it"] = &clientcmdapi.Cluster{Server: c.plane.Config.Host, CertificateAuthorityData: c.plane.Config.CAData}
	all.AuthInfos["it"] = &clientcmdapi.AuthInfo{Token: token}
	all.Contexts["it"] = &clientcmdapi.Context{Cluster: "it", AuthInfo: "it"}
	all.CurrentContext = "it"
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := clientcmd.WriteToFile(*all, path); err != nil {
		t.Fatal(err)
	}
	return path
}

// tokenOf returns a token of a new service account.
func (c *cluster) tokenOf(t testing.TB, name string) string {
	t.Helper()
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name}}
	c.create(t, account)
	request := &authenticationv1.TokenRequest{}
	if err := c.SubResource("token").Create(t.Context(), account, request); err != nil {
		t.Fatal(err)
	}
	return request.Status.Token
}

func (c *cluster) create(t testing.TB, objects ...client.Object) {
	t.Helper()
	for _, object := range objects {
		if err := c.Create(t.Context(), object); err != nil {
			t.Fatal(err)
		}
	}
}

// insecure does not ask for the manager's certificate, which it makes for itself.
var insecure = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}

// get reads metrics with a token.
func get(ctx context.Context, url, token string) (code int, body []byte, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, nil, err
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := insecure.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = response.Body.Close() }() // all that is read is checked
	body, err = io.ReadAll(response.Body)
	return response.StatusCode, body, err
}

// sample is a series with its value, named and labelled as Prometheus stores it.
type sample struct {
	labels labels.Labels
	value  float64
}

// scrape reads all series that a URL exposes.
func scrape(ctx context.Context, url, token string) ([]sample, error) {
	code, body, err := get(ctx, url, token)
	if err != nil {
		return nil, err
	}
	if code != http.StatusOK {
		return nil, fmt.Errorf("GET %s: %d: %s", url, code, body)
	}
	options := &expfmt.DecodeOptions{Timestamp: model.Now()}
	format := expfmt.NewFormat(expfmt.TypeTextPlain)
	var all []sample
	decoder := expfmt.SampleDecoder{Dec: expfmt.NewDecoder(bytes.NewReader(body), format), Opts: options}
	for {
		var vector model.Vector
		switch err := decoder.Decode(&vector); {
		case errors.Is(err, io.EOF):
			return all, nil
		case err != nil:
			return nil, fmt.Errorf("read the metrics of %s: %w", url, err)
		}
		for _, one := range vector {
			builder := labels.NewScratchBuilder(len(one.Metric))
			for name, value := range one.Metric {
				if strings.HasPrefix(string(name), "customresource_") { // kube-state-metrics says three times of which kind an object is
					continue
				}
				builder.Add(string(name), string(value))
			}
			builder.Sort()
			all = append(all, sample{builder.Labels(), float64(one.Value)})
		}
	}
}

// scrape reads what Prometheus would have of the operator and of kube-state-metrics.
func (c *cluster) scrape(ctx context.Context) ([]sample, error) {
	all, err := scrape(ctx, c.metrics, c.token)
	if err != nil || c.stateMetrics == "" {
		return all, err
	}
	more, err := scrape(ctx, c.stateMetrics, "")
	return append(all, more...), err
}

// eventually waits until a check has nothing to complain of.
func eventually(t testing.TB, check func(context.Context) error) {
	t.Helper()
	last := error(nil)
	err := wait.PollUntilContextTimeout(t.Context(), 100*time.Millisecond, testutil.Patience, true, func(ctx context.Context) (bool, error) {
		last = check(ctx)
		return last == nil, nil
	})
	if err != nil {
		t.Fatalf("%v: %v", err, last)
	}
}
