// Package health tests that the tools which judge the health of a MazeTask agree, in every state that the operator reports.
package health

import (
	"context"
	"flag"
	"os"
	"path/filepath"
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

// update makes the operator's own words the fixtures: go test ./health -update
var update = flag.Bool("update", false, "write the fixtures anew, as the operator writes the states")

var (
	controlPlane *testutil.ControlPlane
	k8s          client.WithWatch
	kubeconfig   string
)

func TestHealth(t *testing.T) {
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(testutil.Patience)
	SetDefaultEventuallyPollingInterval(20 * time.Millisecond)
	RunSpecs(t, "Health")
}

var _ = BeforeSuite(func(_ context.Context) {
	ctrl.SetLogger(logr.Discard())
	var err error
	controlPlane, err = testutil.StartControlPlane()
	Expect(err).NotTo(HaveOccurred())
	scheme, err := controllers.Scheme()
	Expect(err).NotTo(HaveOccurred())
	k8s, err = client.NewWithWatch(controlPlane.Config, client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
	content, err := controlPlane.Kubeconfig()
	Expect(err).NotTo(HaveOccurred())
	kubeconfig = filepath.Join(GinkgoT().TempDir(), "kubeconfig")
	Expect(os.WriteFile(kubeconfig, content, 0o600)).To(Succeed())
})

var _ = AfterSuite(func() {
	if controlPlane != nil {
		Expect(controlPlane.Stop()).To(Succeed())
	}
})
