// Package integration tests the operator against a real kube-apiserver and etcd.
package integration

import (
	"os"
	"testing"
	"time"

	"github.com/go-logr/logr"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"

	"github.com/maze-agent/maregister/controllers"
	"github.com/maze-agent/maregister/test/testutil"
)

var (
	controlPlane *testutil.ControlPlane
	k8s          client.WithWatch
	operator     *testutil.Operator
)

func TestIntegration(t *testing.T) {
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(testutil.Patience)
	SetDefaultEventuallyPollingInterval(20 * time.Millisecond)
	RunSpecs(t, "Integration")
}

var _ = BeforeSuite(func() {
	logger := logr.Discard()
	if os.Getenv("VERBOSE") != "" {
		logger = zap.New(zap.WriteTo(GinkgoWriter), zap.UseDevMode(true))
	}
	ctrl.SetLogger(logger)
	var err error
	controlPlane, err = testutil.StartControlPlane()
	Expect(err).NotTo(HaveOccurred())
	scheme, err := controllers.Scheme()
	Expect(err).NotTo(HaveOccurred())
	k8s, err = client.NewWithWatch(controlPlane.Config, client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
})

var _ = AfterSuite(func() {
	if controlPlane != nil {
		Expect(controlPlane.Stop()).To(Succeed())
	}
	Expect(os.RemoveAll(programs.folder)).To(Succeed())
})

// startOperator starts an operator for the rest of a spec.
func startOperator(options testutil.OperatorOptions) {
	GinkgoHelper()
	var err error
	operator, err = testutil.StartOperator(controlPlane.Config, options)
	Expect(err).NotTo(HaveOccurred())
	running := operator
	DeferCleanup(func() {
		if operator == running {
			stopOperator()
		}
	})
}

// stopOperator ends the spec's operator.
func stopOperator() {
	GinkgoHelper()
	Expect(operator.Stop()).To(Succeed())
	operator = nil
}
