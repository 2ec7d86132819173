// Package testutil starts what the demo, the tests and the benchmarks run against: a real etcd and a real
// kube-apiserver.
package testutil

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

// Patience is the longest time that a test waits for what should happen. A busy machine may take a minute for what takes a second on an
// idle one, and a test that passes does not wait for the rest.
const Patience = 2 * time.Minute

// assetsVariable names the folder of the control plane's binaries, as for envtest.
const assetsVariable = "KUBEBUILDER_ASSETS"

// ControlPlane is an etcd and a kube-apiserver on the loopback address.
type ControlPlane struct {
	// Config is a cluster administrator's, without a client-side rate limit.
	Config      *rest.Config
	environment *envtest.Environment
}

// StartControlPlane starts a control plane with MazeTask's CRD. The caller stops it. Its files are below os.TempDir.
func StartControlPlane() (*ControlPlane, error) {
	return start(&envtest.Environment{
		CRDDirectoryPaths:     []string{filepath.Join(Root(), "config", "crd")},
		ErrorIfCRDPathMissing: true,
	})
}

// StartEmptyControlPlane starts one as a cluster's installer leaves it: without the CRD, and it lets no Pod be whose ServiceAccount is
// not there.
func StartEmptyControlPlane() (*ControlPlane, error) {
	environment := &envtest.Environment{}
	environment.ControlPlane.GetAPIServer().Configure().Disable("disable-admission-plugins")
	return start(environment)
}

func start(environment *envtest.Environment) (*ControlPlane, error) {
	if os.Getenv(assetsVariable) == "" {
		return nil, fmt.Errorf("%s is not set: run this by make, which builds the control plane and sets it", assetsVariable)
	}
	environment.UseExistingCluster = ptr.To(false) // whatever the user's environment says
	// Its own limits are 20 s for each program and 10 s for the CRD.
	environment.ControlPlaneStartTimeout, environment.ControlPlaneStopTimeout = Patience, Patience
	environment.CRDInstallOptions.MaxTime = Patience
	config, err := environment.Start()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start the control plane: %w", err), environment.Stop())
	}
	config.QPS, config.Burst = -1, -1
	return &ControlPlane{Config: config, environment: environment}, nil
}

// Kubeconfig returns the content of a kubeconfig file for a cluster administrator.
func (c *ControlPlane) Kubeconfig() ([]byte, error) {
	user, err := c.environment.AddUser(envtest.User{Name: "admin", Groups: []string{"system:masters"}}, c.Config)
	if err != nil {
		return nil, fmt.Errorf("add a user: %w", err)
	}
	return user.KubeConfig()
}

// Stop ends the processes and removes their files.
func (c *ControlPlane) Stop() error { return c.environment.Stop() }

// Root returns the root folder of the source tree.
func Root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..")
}
