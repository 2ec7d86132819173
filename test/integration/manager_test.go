package integration

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	authenticationv1 "k8s.io/api/authentication/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	certutil "k8s.io/client-go/util/cert"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/maze-agent/maregister/test/testutil"
)

// insecure trusts the certificate that the operator signs itself.
var insecure = &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}

const leaseName = "maregister.registry.mazeagent.net"

// pod is the environment of the container of a Pod named manager.
func pod(uid string) map[string]string {
	return map[string]string{"POD_NAME": "manager", "POD_UID": uid}
}

// holder returns what reads who holds the lease.
func holder(ctx context.Context, namespace string) func() string {
	return func() string {
		lease := &coordinationv1.Lease{}
		if err := k8s.Get(ctx, client.ObjectKey{Namespace: namespace, Name: leaseName}, lease); err != nil {
			return err.Error()
		}
		return ptr.Deref(lease.Spec.HolderIdentity, "")
	}
}

// anHour is longer than any test, in seconds.
const anHour = 3600

// expectLease changes the lease, whoever renews it meanwhile.
func expectLease(ctx context.Context, namespace string, change func(*coordinationv1.Lease)) {
	GinkgoHelper()
	Eventually(func() error {
		lease := &coordinationv1.Lease{}
		if err := k8s.Get(ctx, client.ObjectKey{Namespace: namespace, Name: leaseName}, lease); err != nil {
			return err
		}
		change(lease)
		return k8s.Update(ctx, lease)
	}).Should(Succeed())
}

// holdLease has somebody else hold the lease for an hour.
func holdLease(ctx context.Context, namespace string) {
	GinkgoHelper()
	Expect(k8s.Create(ctx, &coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: leaseName},
		Spec: coordinationv1.LeaseSpec{
			HolderIdentity: ptr.To("other"), LeaseDurationSeconds: ptr.To[int32](anHour), RenewTime: ptr.To(metav1.NowMicro()), AcquireTime: ptr.To(metav1.NowMicro()),
		},
	})).To(Succeed())
}

// metricsOf returns a manager's metrics, as an account reads them that may do nothing else.
func metricsOf(ctx context.Context, p *managerProcess, namespace string) string {
	GinkgoHelper()
	reader := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "reader"}}
	Expect(k8s.Create(ctx, reader)).To(Succeed())
	Expect(k8s.Create(ctx, &rbacv1.ClusterRole{
		ObjectMeta: metav1.ObjectMeta{Name: namespace}, Rules: []rbacv1.PolicyRule{{NonResourceURLs: []string{"/metrics"}, Verbs: []string{"get"}}},
	})).To(Succeed())
	Expect(k8s.Create(ctx, &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: namespace},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: namespace},
		Subjects:   []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: namespace, Name: reader.Name}},
	})).To(Succeed())
	request := &authenticationv1.TokenRequest{}
	Expect(k8s.SubResource("token").Create(ctx, reader, request)).To(Succeed())
	var text string
	Eventually(func() (status int) { // what was refused before the API server knew the role is remembered for some seconds
		status, text = get("https://"+p.metrics+"/metrics", request.Status.Token)
		return status
	}).WithPolling(time.Second).Should(Equal(http.StatusOK))
	return text
}

var _ = Describe("The operator's process", func() {
	It("takes its own lease back at once when its container is restarted", func(ctx context.Context) {
		namespace, kubeconfig := newNamespace(ctx), adminKubeconfig()
		before := startManager(ctx, namespace, kubeconfig, pod("uid-1"))
		Eventually(holder(ctx, namespace)).Should(Equal("manager_uid-1"))
		before.end(syscall.SIGKILL)
		expectLease(ctx, namespace, func(lease *coordinationv1.Lease) { // whoever does not take it for its own waits for its end
			lease.Spec.LeaseDurationSeconds = ptr.To[int32](anHour)
		})

		expectCreated(ctx, newTask(namespace, "caption"))
		startManager(ctx, namespace, kubeconfig, pod("uid-1"))
		expectReady(ctx, newTask(namespace, "caption"))
	})

	It("never shares a lease with another Pod, which takes over when it ends", func(ctx context.Context) {
		namespace, kubeconfig := newNamespace(ctx), adminKubeconfig()
		one := startManager(ctx, namespace, kubeconfig, pod("uid-1"))
		Eventually(holder(ctx, namespace)).Should(Equal("manager_uid-1"))
		two := startManager(ctx, namespace, kubeconfig, pod("uid-2")) // as a StatefulSet's next Pod: the same name
		Eventually(two.logged).Should(ContainSubstring("This replica stands by"))
		Expect(two.logged()).To(MatchRegexp(`"holder": ?"manager_uid-1"`))
		Consistently(holder(ctx, namespace), 5*time.Second).Should(Equal("manager_uid-1"))
		Expect(two.logged()).NotTo(ContainSubstring("Successfully acquired lease"))
		Expect(strings.Count(two.logged(), "This replica stands by")).To(Equal(1))

		one.end(syscall.SIGTERM)
		Expect(holder(ctx, namespace)()).NotTo(Equal("manager_uid-1"), "it has not released the lease, for whose end another one waits")
		Eventually(holder(ctx, namespace)).Should(Equal("manager_uid-2")) // how soon is what TestElectionTimes is for
	})

	It("never shares one with another process of the same host", func(ctx context.Context) {
		namespace, kubeconfig := newNamespace(ctx), adminKubeconfig()
		startManager(ctx, namespace, kubeconfig, nil)
		Eventually(holder(ctx, namespace)).Should(ContainSubstring("_"))
		first := holder(ctx, namespace)()
		two := startManager(ctx, namespace, kubeconfig, nil)
		Eventually(two.logged).Should(ContainSubstring("This replica stands by"))
		Consistently(holder(ctx, namespace), 3*time.Second).Should(Equal(first))
	})

	It("goes on in the same process, and under the same name, when the lease is lost", func(ctx context.Context) {
		namespace := newNamespace(ctx)
		p := startManager(ctx, namespace, adminKubeconfig(), nil)
		Eventually(holder(ctx, namespace)).Should(ContainSubstring("_"))
		own := holder(ctx, namespace)()
		Expect(p.logged()).To(ContainSubstring(own))
		expectLease(ctx, namespace, func(lease *coordinationv1.Lease) { // somebody takes it away
			lease.Spec.HolderIdentity, lease.Spec.LeaseDurationSeconds = ptr.To("thief"), ptr.To[int32](anHour)
		})
		Eventually(p.logged).Should(ContainSubstring("starts anew in the same process"))
		Eventually(p.logged).Should(MatchRegexp(`"holder": ?"thief"`))
		Expect(p.ended).NotTo(BeClosed())

		Expect(k8s.Delete(ctx, &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: leaseName}})).To(Succeed())
		Eventually(holder(ctx, namespace)).Should(Equal(own))
		expectCreated(ctx, newTask(namespace, "caption"))
		expectReady(ctx, newTask(namespace, "caption"))
	})

	for name, elect := range map[string]string{"that costs it the lease": "true", "without a lease": "false"} {
		It("goes on after an outage of the API server "+name, func(ctx context.Context) {
			namespace := newNamespace(ctx)
			kubeconfig, proxy := proxied(adminKubeconfig())
			p := startManager(ctx, namespace, kubeconfig, nil, "--leader-elect="+elect)
			expectCreated(ctx, newTask(namespace, "before"))
			expectReady(ctx, newTask(namespace, "before"))
			Expect(proxy.Cut()).To(Succeed())
			after := newTask(namespace, "after")
			expectCreated(ctx, after)
			alive := func() int { status, _ := p.probe("/healthz"); return status }
			Expect(alive()).To(Equal(http.StatusOK))
			if elect == "true" {
				Eventually(p.logged).Should(ContainSubstring("starts anew in the same process"))
				Eventually(func() string { _, reason := p.probe("/readyz"); return reason }).Should(ContainSubstring("the operator waits for the API server"))
				Eventually(alive).Should(Equal(http.StatusOK))
			} else {
				Consistently(p.ended, 12*time.Second).ShouldNot(BeClosed())
				status, _ := p.probe("/readyz")
				Expect(status).To(Equal(http.StatusOK), "the outage is not its fault")
			}

			Expect(proxy.Open()).To(Succeed())
			expectReady(ctx, after)
			if elect == "false" {
				Expect(metricsOf(ctx, p, namespace)).NotTo(MatchRegexp(`rest_client_requests_total\{code="<error>",.*method="GET"`),
					"a read that fails is tried again ever later, and so not as soon as the API server is reached")
			}
			Expect(p.ended).NotTo(BeClosed())
			Expect(p.logged()).To(ContainSubstring("The API server cannot be reached"))
			Expect(p.logged()).To(ContainSubstring("The API server is reached again"))
		})
	}

	It("serves metrics with the certificate that it is given", func(ctx context.Context) {
		folder := GinkgoT().TempDir()
		certificate, key, err := certutil.GenerateSelfSignedCertKey("metrics.example.com", nil, nil)
		Expect(err).NotTo(HaveOccurred())
		Expect(os.WriteFile(filepath.Join(folder, "tls.crt"), certificate, 0o600)).To(Succeed())
		Expect(os.WriteFile(filepath.Join(folder, "tls.key"), key, 0o600)).To(Succeed())
		p := startManager(ctx, newNamespace(ctx), adminKubeconfig(), nil, "--metrics-cert-path", folder)
		roots := x509.NewCertPool()
		Expect(roots.AppendCertsFromPEM(certificate)).To(BeTrue())
		Eventually(func() error {
			connection, err := tls.Dial("tcp", p.metrics, &tls.Config{RootCAs: roots, ServerName: "metrics.example.com"})
			if err != nil {
				return err
			}
			return connection.Close()
		}).Should(Succeed())
	})

	It("is not ready, and says why, when the API server refuses it for long", func(ctx context.Context) {
		namespace := newNamespace(ctx)
		account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "refused"}}
		Expect(k8s.Create(ctx, account)).To(Succeed())
		binding := &rbacv1.ClusterRoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: namespace},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "cluster-admin"},
			Subjects:   []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: namespace, Name: account.Name}},
		}
		Expect(k8s.Create(ctx, binding)).To(Succeed())
		DeferCleanup(func(ctx context.Context) { Expect(k8s.Delete(ctx, binding)).To(Succeed()) })
		kubeconfig := filepath.Join(GinkgoT().TempDir(), "kubeconfig")
		Expect(testutil.WriteKubeconfig(ctx, controlPlane.Config, namespace, account.Name, kubeconfig)).To(Succeed())
		holdLease(ctx, namespace)
		p := startManager(ctx, namespace, kubeconfig, pod("uid-1"))
		ready := func() int { status, _ := p.probe("/readyz"); return status }
		Eventually(ready).Should(Equal(http.StatusOK))

		Expect(k8s.Delete(ctx, account)).To(Succeed())
		// Half of refusedForLong, so that a busy machine may be late.
		Consistently(ready, 15*time.Second, time.Second).Should(Equal(http.StatusOK), "what is refused for short is no reason")
		Eventually(ready).WithPolling(time.Second).Should(Equal(http.StatusServiceUnavailable))
		_, reason := p.probe("/readyz")
		Expect(reason).To(ContainSubstring("leases (401 Unauthorized)"))
		Expect(p.logged()).To(ContainSubstring("The operator is not ready any more"))
		status, _ := p.probe("/healthz")
		Expect(status).To(Equal(http.StatusOK), "a restart would not help")
	})

	It("tells at its start what it is, in its log and a metric, and refuses a bad token in few words", func(ctx context.Context) {
		namespace := newNamespace(ctx)
		p := startManager(ctx, namespace, adminKubeconfig(), pod("uid-1"), "--zap-encoder=json")
		Eventually(func() int { status, _ := get("https://"+p.metrics+"/metrics", "bad"); return status }).Should(Equal(http.StatusUnauthorized))
		line := map[string]any{}
		Expect(json.Unmarshal([]byte(strings.SplitN(p.logged(), "\n", 2)[0]), &line)).To(Succeed())
		Expect(line).To(And(HaveKeyWithValue("msg", "The operator starts"), HaveKey("version"), HaveKeyWithValue("namespaces", ConsistOf(namespace)),
			HaveKeyWithValue("nodes", "Ignore"), HaveKeyWithValue("shardSize", BeEquivalentTo(256<<10)), HaveKeyWithValue("identity", "manager_uid-1"),
			HaveKeyWithValue("lease", namespace+"/"+leaseName)))
		status, text := get("https://"+p.metrics+"/metrics", "bad")
		Expect(status).To(Equal(http.StatusUnauthorized))
		Expect(text).To(Equal("Unauthorized\n"))
		Expect(p.logged()).NotTo(ContainSubstring("stacktrace"))

		Expect(metricsOf(ctx, p, namespace)).To(MatchRegexp(`maregister_build_info\{goversion="go1[^"]+",revision="[^"]*",version="[^"]+"\} 1`))
	})

	It("says what is wrong with its environment", func(ctx context.Context) {
		p := startManager(ctx, "default", adminKubeconfig(), map[string]string{"POD_NAME": "manager", "MEMORY_LIMIT": "much"})
		Eventually(p.ended).Should(BeClosed())
		Expect(p.logged()).To(And(ContainSubstring("set both of POD_NAME and POD_UID"), ContainSubstring(`MEMORY_LIMIT is "much"`)))
	})
})
