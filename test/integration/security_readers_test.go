package integration

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os/exec"
	"path/filepath"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/maze-agent/maregister/api/v1alpha1"
	registryclient "github.com/maze-agent/maregister/client"
	"github.com/maze-agent/maregister/internal/registry"
	"github.com/maze-agent/maregister/test/testutil"
)

var _ = Describe("A ConfigMap maze-registry whose label has another value (row 6)", func() {
	// readPython returns what the example prints of the namespace's ConfigMaps, all of them.
	readPython := func(ctx context.Context, namespace string) string {
		GinkgoHelper()
		var list corev1.ConfigMapList
		Expect(k8s.List(ctx, &list, inNamespace(namespace))).To(Succeed())
		input, err := json.Marshal(list)
		Expect(err).NotTo(HaveOccurred())
		command := exec.CommandContext(ctx, "python3", filepath.Join(testutil.Root(), "examples", "registry-reader", "read_registry.py"))
		command.Stdin = bytes.NewReader(input)
		out, err := command.Output()
		var failed *exec.ExitError
		if errors.As(err, &failed) {
			err = errors.New(string(failed.Stderr))
		}
		Expect(err).NotTo(HaveOccurred())
		return string(out)
	}

	DescribeTable("is kept off by the operator, and believed by no reader", func(ctx context.Context, labels map[string]string) {
		namespace, other := newNamespace(ctx), newNamespace(ctx)
		attacker := attackerOfConfigMaps(ctx, namespace)
		startOperator(testutil.OperatorOptions{})
		bystander := newTask(other, "caption")
		expectCreated(ctx, bystander)
		expectReady(ctx, bystander)
		forged, _ := forge(indexOf(ctx, other), falsify)
		forged.ObjectMeta = metav1.ObjectMeta{Namespace: namespace, Name: registry.ConfigMapName, Labels: labels}
		Expect(attacker.Create(ctx, forged)).To(Succeed())

		task := newTask(namespace, "ocr")
		expectCreated(ctx, task)
		expectConditions(ctx, task, map[string]string{v1alpha1.ConditionRegistered: "False/RegistryConflict"})
		expectIdle(namespace)
		left := indexOf(ctx, namespace)
		Expect(left.Data).To(Equal(forged.Data))
		Expect(left.ResourceVersion).To(Equal(forged.ResourceVersion))

		follower, err := registryclient.New(controlPlane.Config, namespace)
		Expect(err).NotTo(HaveOccurred())
		following, stop := context.WithCancel(ctx)
		defer stop()
		go func() { _ = follower.Start(following) }()
		Expect(follower.WaitForSync(ctx)).To(Succeed())
		_, found := follower.Get("caption")
		Expect(found).To(BeFalse())
		Expect(readPython(ctx, namespace)).To(BeEmpty())
		Expect(readPython(ctx, other)).To(ContainSubstring("caption\t"))

		By("publishing when it goes")
		since := time.Now()
		Expect(attacker.Delete(ctx, forged)).To(Succeed())
		expectReady(ctx, task)
		expectQuick(ctx, time.Since(since), 5*time.Second)
		Eventually(func() bool { _, found := follower.Get("ocr"); return found }).Should(BeTrue())

		By("keeping the last good state when somebody puts another one in its place")
		index := indexOf(ctx, namespace)
		forged, _ = forge(index, falsify)
		forged.ObjectMeta = metav1.ObjectMeta{Namespace: namespace, Name: registry.ConfigMapName, Labels: labels}
		Eventually(func() error {
			return errors.Join(attacker.Delete(ctx, indexOf(ctx, namespace)), attacker.Create(ctx, forged.DeepCopy()))
		}).Should(Succeed())
		Eventually(follower.Err).Should(MatchError(ContainSubstring("is gone")))
		entry, found := follower.Get("ocr")
		Expect(found).To(BeTrue())
		Expect(entry.EntryPoint).To(BeNil())
		expectConditions(ctx, task, map[string]string{v1alpha1.ConditionRegistered: "False/RegistryConflict"})
	},
		Entry("an empty one", map[string]string{registry.RoleLabel: ""}),
		Entry("another one", map[string]string{registry.RoleLabel: "copy"}),
		Entry("none", nil),
	)
})
