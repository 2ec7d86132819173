package integration

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/maze-agent/maregister/internal/registry"
	"github.com/maze-agent/maregister/test/testutil"
)

// Every other spec's operator has the account that the policy is about, so publishing goes on with it.
var _ = Describe("The admission policy", func() {
	It("lets the operator's account write the ConfigMaps of a registry, and no others", func(ctx context.Context) {
		config, err := testutil.OperatorConfig(ctx, controlPlane.Config)
		Expect(err).NotTo(HaveOccurred())
		account, err := client.New(config, client.Options{Scheme: k8s.Scheme()})
		Expect(err).NotTo(HaveOccurred())
		namespace := newNamespace(ctx)
		refused := WithTransform(apierrors.IsForbidden, BeTrue())
		beFromPolicy := And(refused, MatchError(ContainSubstring("the operator of MaRegister may write the ConfigMaps of a registry only")))
		Eventually(func() error { // the API server follows policies with a delay
			return account.Create(ctx, configMap(namespace, "other"), client.DryRunAll)
		}).Should(beFromPolicy)

		for _, name := range []string{"other", "maze-registry2", "maze", "kube-root-ca.crt", "x-maze-registry-1"} {
			Expect(k8s.Create(ctx, configMap(namespace, name))).To(Succeed(), "everybody else may")
			Expect(account.Create(ctx, configMap(namespace, name), client.DryRunAll)).To(beFromPolicy, name)
			edited := configMap(namespace, name)
			edited.Data = map[string]string{"key": "value"}
			Expect(account.Update(ctx, edited)).To(beFromPolicy, name)
			Expect(account.Delete(ctx, configMap(namespace, name))).To(beFromPolicy, name)
		}
		generated := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, GenerateName: "other-"}}
		Expect(account.Create(ctx, generated)).To(beFromPolicy)
		for _, name := range []string{registry.ConfigMapName, registry.ConfigMapName + "-0-0123456789abcdef"} {
			Expect(account.Create(ctx, configMap(namespace, name))).To(Succeed(), name)
			edited := configMap(namespace, name)
			edited.Data = map[string]string{"key": "value"}
			Expect(account.Update(ctx, edited)).To(Succeed(), name)
			Expect(account.Delete(ctx, edited)).To(Succeed(), name)
		}
	})

	It("goes with roles that let the account read and renew its own lease only", func(ctx context.Context) {
		config, err := testutil.OperatorConfig(ctx, controlPlane.Config)
		Expect(err).NotTo(HaveOccurred())
		for name, allowed := range map[string]bool{leaseName: true, "kube-scheduler": false} {
			for _, verb := range []string{"get", "update"} {
				Expect(testutil.WaitUntilAllowed(ctx, config, leaseRight(verb, name), allowed)).To(Succeed(), verb+" "+name)
			}
		}
	})
})

func configMap(namespace, name string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
}

func leaseRight(verb, name string) *authorizationv1.ResourceAttributes {
	return &authorizationv1.ResourceAttributes{Group: "coordination.k8s.io", Resource: "leases", Namespace: "maregister-system", Verb: verb, Name: name}
}
