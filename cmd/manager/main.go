// Command manager is the MaRegister operator.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/maze-agent/maregister/api/config/v1alpha1"
	"github.com/maze-agent/maregister/controllers"
	"github.com/maze-agent/maregister/internal/config"
	"github.com/maze-agent/maregister/internal/version"
)

func main() {
	o := parseOptions()
	if o.version {
		fmt.Println("manager", version.String())
		return
	}
	ctx := ctrl.SetupSignalHandler()
	anew, err := run(ctx, &o)
	if anew {
		err = errors.Join(err, startAnew(ctx, o.identity)) // it returns only if it failed
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "manager:", err)
		os.Exit(1)
	}
}

type options struct {
	metricsAddress string
	metricsCerts   string
	probeAddress   string
	pprofAddress   string
	leaderElect    bool
	leaseNamespace string
	config         string
	version        bool
	log            zap.Options

	identity string // not a flag: see identityFrom
}

// parseOptions reads the command line.
func parseOptions() options {
	var o options
	flag.StringVar(&o.metricsAddress, "metrics-bind-address", ":8443",
		`Address of the metrics, served over TLS to who may GET /metrics. "0" serves none.`)
	flag.StringVar(&o.metricsCerts, "metrics-cert-path", "",
		"Folder with tls.crt and tls.key for the metrics; the manager signs a certificate itself without one.")
	flag.StringVar(&o.probeAddress, "health-probe-bind-address", ":8081", `Address of /healthz and /readyz. "0" serves none.`)
	flag.StringVar(&o.pprofAddress, "pprof-bind-address", "", "Address of Go's profiles, served to anyone who reaches it: for the loopback. Empty serves none.")
	flag.BoolVar(&o.leaderElect, "leader-elect", true, "Whether to wait for the lease before writing: needed with more than one replica.")
	flag.StringVar(&o.leaseNamespace, "leader-election-namespace", "", "Namespace of the lease; the manager's own where it runs in a Pod.")
	flag.StringVar(&o.config, "config", "", "File with an OperatorConfiguration, in YAML; the defaults without one.")
	flag.BoolVar(&o.version, "version", false, "Print the version of this program, and end.")
	o.log.BindFlags(flag.CommandLine)
	flag.Parse()
	return o
}

// complete finds out what no flag says.
func (o *options) complete() (err error) {
	if o.identity, err = identityFrom(os.Getenv, os.Hostname); err != nil || !o.leaderElect {
		return err
	}
	o.leaseNamespace, err = leaseNamespaceFrom(o.leaseNamespace, os.Getenv, namespaceFile)
	return err
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
// +kubebuilder:rbac:groups=coordination.k8s.io,namespace=maregister-system,resources=leases,verbs=create
// +kubebuilder:rbac:groups=coordination.k8s.io,namespace=maregister-system,resources=leases,resourceNames=maregister.registry.mazeagent.net,verbs=get;update
// +kubebuilder:rbac:groups="",namespace=maregister-system,resources=events,verbs=create

// run runs the operator until the context ends, or it fails. It reports whether the program is to be started anew.
func run(ctx context.Context, o *options) (anew bool, err error) {
	ctrl.SetLogger(zap.New(zap.UseFlagOptions(&o.log)))
	log := ctrl.Log.WithName("operator")
	settings, err := o.settings()
	if err != nil {
		return false, err
	}
	if err := errors.Join(limitMemory(), o.complete()); err != nil {
		return false, err
	}
	build := version.Get()
	logStart(log, build, o, &settings)
	if err := registerBuildInfo(settings.Metrics, build); err != nil {
		return false, fmt.Errorf("register the metrics: %w", err)
	}
	cluster, err := ctrl.GetConfig()
	if err != nil {
		return false, fmt.Errorf("find the cluster: %w", err)
	}
	probes, err := serveProbes(ctx, o.probeAddress)
	if err != nil {
		return false, err
	}
	unreached := &outage{log: log}
	if err := awaitAPIServer(ctx, cluster, probes, unreached); err != nil {
		return false, err
	}
	refused := newRefusals(needsOf(settings.Namespaces, settings.IgnoreNodes, o.leaseNamespace))
	held := &tenure{clock: clock.RealClock{}}
	cluster.Wrap(func(next http.RoundTripper) http.RoundTripper {
		if o.leaderElect {
			next = &leaseGuard{next: next, tenure: held}
		}
		return &observed{next: &patient{next: next, outage: unreached}, refusals: refused}
	})
	caches := controllers.NewCaches(settings.Namespaces)
	mgr, err := newManager(cluster, o, caches, held, log)
	if err != nil {
		return false, err
	}
	readiness := changes{log: log}
	probes.add(func(*http.Request) error { return readiness.note(refused.check(time.Now())) })
	probes.add(cachesSynced(mgr))
	if err := controllers.Setup(ctx, probed{mgr, probes}, caches, settings); err != nil {
		return false, err
	}
	led := sinceElected(mgr)
	err = mgr.Start(ctx)
	anew = err != nil && mayStartAnew(ctx, led())
	if anew {
		log.Info("The operator ended by itself, and starts anew in the same process", "reason", err.Error())
	}
	return anew, err
}

// newManager returns the manager, and the lock of its leader election.
func newManager(cluster *rest.Config, o *options, caches *controllers.Caches, held *tenure, log logr.Logger) (manager.Manager, error) {
	// The API server's priority and fairness limits what we send; a limit of our own would only slow bursts down.
	cluster.QPS, cluster.Burst = -1, -1
	// Compressing and inflating what is watched takes more time than the network inside a cluster.
	cluster.DisableCompression = true
	scheme, err := controllers.Scheme()
	if err != nil {
		return nil, err
	}
	serving, err := metricsOptions(o.metricsAddress, o.metricsCerts)
	if err != nil {
		return nil, err
	}
	election, err := newLock(cluster, o.leaseNamespace, o.identity, held, log)
	if err != nil {
		return nil, err
	}
	mgr, err := ctrl.NewManager(cluster, ctrl.Options{
		Scheme:                              scheme,
		Cache:                               caches.Options(),
		NewCache:                            caches.New(),
		HealthProbeBindAddress:              "0", // see probes
		PprofBindAddress:                    o.pprofAddress,
		LeaderElection:                      o.leaderElect,
		LeaderElectionID:                    leaseName,
		LeaderElectionNamespace:             o.leaseNamespace,
		LeaderElectionResourceLockInterface: election,
		LeaderElectionReleaseOnCancel:       true,
		LeaseDuration:                       ptr.To(leaseDuration),
		RenewDeadline:                       ptr.To(renewDeadline),
		RetryPeriod:                         ptr.To(retryPeriod),
		Metrics:                             serving,
	})
	if err != nil {
		return nil, fmt.Errorf("make the manager: %w", err)
	}
	election.announceWith(mgr)
	return mgr, nil
}
