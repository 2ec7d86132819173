package integration

import (
	"context"
	"os"
	"path/filepath"
	"slices"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/test/testutil"
)

var _ = Describe("An operator of some namespaces", func() {
	DescribeTable("serves them with rights only there, and looks at no other", func(ctx context.Context, ignoreNodes bool) {
		one, two, other := newNamespace(ctx), newNamespace(ctx), newNamespace(ctx)
		config := rest.CopyConfig(controlPlane.Config)
		config.Impersonate.UserName = "operator-of-" + one
		expectRights(ctx, config.Impersonate.UserName, !ignoreNodes, one, two)
		elsewhere, first, second := newTask(other, "caption"), newTask(one, "caption"), newTask(two, "caption")
		expectCreated(ctx, elsewhere, first)

		startOperator(testutil.OperatorOptions{Config: config, Namespaces: []string{one, two}, IgnoreNodes: ignoreNodes})
		expectReady(ctx, first)
		expectCreated(ctx, second, newTask(other, "ocr"))
		expectReady(ctx, second)
		expectEvent(ctx, second, "Normal", "Registered", "Successfully registered task: caption (Writes a caption.; model llava-v1.6)")

		By("healing a registry, whose ConfigMap has no label any more")
		index := indexOf(ctx, one)
		index.Labels, index.Data = nil, nil
		Expect(k8s.Update(ctx, index)).To(Succeed())
		expectPublished(ctx, one, "caption@1")
		Expect(k8s.Delete(ctx, indexOf(ctx, two))).To(Succeed())
		expectPublished(ctx, two, "caption@1")

		By("doing nothing elsewhere, and then nothing at all")
		expectIdle(two)
		Expect(operator.Looked(other)).To(BeFalse())
		Expect(k8s.Get(ctx, keyOf(elsewhere), elsewhere)).To(Succeed())
		Expect(elsewhere.Status).To(Equal(v1alpha1.MazeTaskStatus{ObservedGeneration: -1}))
		Expect(published(ctx, other)).To(BeEmpty())
	},
		Entry("with nodes", false),
		Entry("without nodes", true),
	)
})

// expectRights grants a user the operator's rights in some namespaces only, and on nodes if wanted.
func expectRights(ctx context.Context, user string, nodes bool, namespaces ...string) {
	GinkgoHelper()
	content, err := os.ReadFile(filepath.Join(testutil.Root(), "config", "rbac", "role.yaml"))
	Expect(err).NotTo(HaveOccurred())
	var role rbacv1.ClusterRole // the first document
	Expect(yaml.Unmarshal(content, &role)).To(Succeed())
	var inside, ofNodes []rbacv1.PolicyRule
	for _, rule := range role.Rules {
		switch {
		case slices.Contains(rule.Resources, "nodes"), slices.Contains(rule.Resources, "resourceslices"):
			ofNodes = append(ofNodes, rule)
		case slices.Contains(rule.Resources, "tokenreviews"), slices.Contains(rule.Resources, "subjectaccessreviews"): // for metrics
		default:
			inside = append(inside, rule)
		}
	}
	Expect(inside).NotTo(BeEmpty())
	Expect(ofNodes).NotTo(BeEmpty())
	subjects := []rbacv1.Subject{{Kind: rbacv1.UserKind, APIGroup: rbacv1.GroupName, Name: user}}
	var objects []client.Object
	for _, namespace := range namespaces {
		named := metav1.ObjectMeta{Namespace: namespace, Name: user}
		objects = append(objects, &rbacv1.Role{ObjectMeta: named, Rules: inside},
			&rbacv1.RoleBinding{ObjectMeta: named, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: user}, Subjects: subjects})
	}
	if nodes {
		named := metav1.ObjectMeta{Name: user}
		objects = append(objects, &rbacv1.ClusterRole{ObjectMeta: named, Rules: ofNodes},
			&rbacv1.ClusterRoleBinding{ObjectMeta: named, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: user}, Subjects: subjects})
	}
	for _, object := range objects {
		Expect(k8s.Create(ctx, object)).To(Succeed())
		DeferCleanup(k8s.Delete, object)
	}
}
