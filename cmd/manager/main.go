// Command manager is the MaRegister operator.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"runtime/debug"
	"time"

	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
	"sigs.k8s.io/controller-runtime/pkg/metrics/filters"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/maze-agent/maregister/api/config/v1alpha1"
	"github.com/maze-agent/maregister/controllers"
	"github.com/maze-agent/maregister/internal/config"
	"github.com/maze-agent/maregister/internal/version"
)

// gcPercent is Go's GOGC where the environment sets none. The heap is mostly caches, which a collection finds alive: half of
// Go's default takes a sixth off the resident memory of 5,000 tasks for a few percent of one core during a burst.
const gcPercent = 50

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	if err := run(ctrl.SetupSignalHandler()); err != nil {
		fmt.Fprintln(os.Stderr, "manager:", err)
		os.Exit(1)
	}
}

type options struct {
	metricsAddress string
	probeAddress   string
	leaderElect    bool
	leaseNamespace string
	config         string
	version        bool
	log            zap.Options
}

func parseOptions() options {
	var o options
	flag.StringVar(&o.metricsAddress, "metrics-bind-address", ":8443",
		`Address of the metrics, served over TLS to who may GET /metrics. "0" serves none.`)
	flag.StringVar(&o.probeAddress, "health-probe-bind-address", ":8081", `Address of /healthz and /readyz. "0" serves none.`)
	flag.BoolVar(&o.leaderElect, "leader-elect", true, "Whether to wait for the lease before writing: needed with more than one replica.")
	flag.StringVar(&o.leaseNamespace, "leader-election-namespace", "", "Namespace of the lease; the manager's own where it runs in a Pod.")
	flag.StringVar(&o.config, "config", "", "File with an OperatorConfiguration, in YAML; the defaults without one.")
	flag.BoolVar(&o.version, "version", false, "Print the version of this program, and end.")
	o.log.BindFlags(flag.CommandLine)
	flag.Parse()
	return o
}

// settings reads the configuration file.
func (o *options) settings() (controllers.Options, error) {
	c := config.Default()
	if o.config != "" {
		content, err := os.ReadFile(o.config)
		if err != nil {
			return controllers.Options{}, fmt.Errorf("read --config: %w", err)
		}
		if c, err = config.Load(o.config, content); err != nil {
			return controllers.Options{}, fmt.Errorf("correct --config, then start again:\n%w", err)
		}
	}
	return controllers.Options{
		Namespaces:  c.WatchNamespaces,
		ShardSize:   int(c.Registry.ShardSize.Value()),
		Placement:   config.Placement(c),
		Predictors:  config.PredictorRules(c),
		IgnoreNodes: c.Nodes == v1alpha1.NodesIgnore,
		Clock:       clock.RealClock{},
		Metrics:     metrics.Registry,
	}, nil
}

// +kubebuilder:rbac:groups=authentication.k8s.io,resources=tokenreviews,verbs=create
// +kubebuilder:rbac:groups=authorization.k8s.io,resources=subjectaccessreviews,verbs=create
// +kubebuilder:rbac:groups=coordination.k8s.io,namespace=maregister-system,resources=leases,verbs=get;create;update
// +kubebuilder:rbac:groups="",namespace=maregister-system,resources=events,verbs=create

func run(ctx context.Context) error {
	o := parseOptions()
	if o.version {
		fmt.Println("manager", version.String())
		return nil
	}
	ctrl.SetLogger(zap.New(zap.UseFlagOptions(&o.log)))
	settings, err := o.settings()
	if err != nil {
		return err
	}
	scheme, err := controllers.Scheme()
	if err != nil {
		return err
	}
	cluster, err := ctrl.GetConfig()
	if err != nil {
		return fmt.Errorf("find the cluster: %w", err)
	}
	// The API server's priority and fairness limits what we send; a limit of our own would only slow bursts down.
	cluster.QPS, cluster.Burst = -1, -1
	// Compressing and inflating what is watched takes more time than the network inside a cluster.
	cluster.DisableCompression = true
	caches := controllers.NewCaches(settings.Namespaces)
	mgr, err := ctrl.NewManager(cluster, ctrl.Options{
		Scheme:                        scheme,
		Cache:                         caches.Options(),
		NewCache:                      caches.New(),
		HealthProbeBindAddress:        o.probeAddress,
		LeaderElection:                o.leaderElect,
		LeaderElectionID:              "maregister.registry.mazeagent.net",
		LeaderElectionNamespace:       o.leaseNamespace,
		LeaderElectionReleaseOnCancel: true,
		Metrics: metricsserver.Options{
			BindAddress:    o.metricsAddress,
			SecureServing:  true,
			FilterProvider: filters.WithAuthenticationAndAuthorization,
		},
	})
	if err != nil {
		return fmt.Errorf("make the manager: %w", err)
	}
	if err := controllers.Setup(ctx, mgr, caches, settings); err != nil {
		return err
	}
	if err := mgr.AddHealthzCheck("ping", healthz.Ping); err != nil {
		return fmt.Errorf("add the health check: %w", err)
	}
	if err := mgr.AddReadyzCheck("caches", cachesSynced(mgr)); err != nil {
		return fmt.Errorf("add the readiness check: %w", err)
	}
	return mgr.Start(ctx)
}

// cachesSynced is healthy once the manager has seen the cluster.
func cachesSynced(mgr manager.Manager) healthz.Checker {
	return func(request *http.Request) error {
		ctx, cancel := context.WithTimeout(request.Context(), time.Second)
		defer cancel()
		if !mgr.GetCache().WaitForCacheSync(ctx) {
			return errors.New("the caches are not synced yet")
		}
		return nil
	}
}
