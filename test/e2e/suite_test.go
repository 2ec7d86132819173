// Package e2e tests placements, and what schedulers do with them, against a real kube-scheduler.
package e2e

import (
	"testing"
	"time"

	"github.com/go-logr/logr"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/maze-agent/maregister/controllers"
	"github.com/maze-agent/maregister/test/testutil"
)

var (
	controlPlane *testutil.ControlPlane
	k8s          client.WithWatch
)

func TestE2E(t *testing.T) {
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(testutil.Patience)
	SetDefaultEventuallyPollingInterval(20 * time.Millisecond)
	RunSpecs(t, "End to end")
}

var _ = BeforeSuite(func() {
	ctrl.SetLogger(logr.Discard())
	var err error
	controlPlane, err = testutil.StartControlPlane()
	if controlPlane != nil {
		DeferCleanup(controlPlane.Stop)
	}
	Expect(err).NotTo(HaveOccurred())
	scheduler, err := testutil.StartScheduler(controlPlane)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(scheduler.Stop)
	scheme, err := controllers.Scheme()
	Expect(err).NotTo(HaveOccurred())
	k8s, err = client.NewWithWatch(controlPlane.Config, client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
})
