package testutil

import (
	"context"
	"fmt"
	"net/http"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/config"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/controllers"
	"github.com/maze-agent/maregister/internal/placement"
	"github.com/maze-agent/maregister/internal/registry"
)

// Operator is a running manager, whose writes are counted and can be made to fail.
type Operator struct {
	// Metrics are what Prometheus would find.
	Metrics *prometheus.Registry

	cancel context.CancelFunc
	done   chan error

	mu     sync.Mutex
	writes map[Kind]int
	looked map[string]bool
	fault  Fault
}

// Kind is a kind of write.
type Kind string

const (
	// RegistryWrite is a create, an update or a deletion of a ConfigMap.
	RegistryWrite Kind = "registry"
	// StatusWrite is an update of a task's status.
	StatusWrite Kind = "status"
	// WorkflowWrite is an update of a workflow's status.
	WorkflowWrite Kind = "workflow status"
)

// Fault is asked before every write. An error is returned to the operator instead of writing.
type Fault func(ctx context.Context, kind Kind, object client.Object) error

// OperatorOptions configure an operator for a test.
type OperatorOptions struct {
	// Namespaces are those whose tasks are served; all where there is none.
	Namespaces []string
	// ShardSize is the largest size of a registry ConfigMap's data, in bytes; the default where it is 0.
	ShardSize int
	// Placement says how GPU memory is mapped to GPUs; the default where it names no resource.
	Placement placement.Config
	// Predictors tell malearn's tool types; the default rules where it is nil.
	Predictors registry.PredictorRules
	// IgnoreNodes leaves the nodes unread.
	IgnoreNodes bool
	// Fault is asked before every write, if set.
	Fault Fault
	// Config is the operator's client configuration; that of OperatorConfig where it is nil.
	Config *rest.Config
	// Transport wraps the operator's connections to the API server, if set.
	Transport func(http.RoundTripper) http.RoundTripper
}

// StartOperator starts an operator for the whole cluster, by default with the rights of config/rbac, which admin may grant. The
// caller stops it.
func StartOperator(admin *rest.Config, options OperatorOptions) (*Operator, error) {
	if options.ShardSize == 0 {
		options.ShardSize = registry.DefaultShardSize
	}
	if options.Placement.ResourceName == "" {
		options.Placement = placement.DefaultConfig()
	}
	if options.Predictors == nil {
		options.Predictors = registry.DefaultPredictorRules()
	}
	o := &Operator{Metrics: prometheus.NewRegistry(), done: make(chan error, 1), writes: map[Kind]int{}, looked: map[string]bool{}, fault: options.Fault}
	scheme, err := controllers.Scheme()
	if err != nil {
		return nil, err
	}
	cfg := options.Config
	if cfg == nil {
		if cfg, err = OperatorConfig(context.Background(), admin); err != nil {
			return nil, err
		}
	}
	cfg = rest.CopyConfig(cfg)
	if options.Transport != nil {
		cfg.Wrap(options.Transport)
	}
	caches := controllers.NewCaches(options.Namespaces)
	mgr, err := ctrl.NewManager(cfg, ctrl.Options{
		Scheme:     scheme,
		Cache:      caches.Options(),
		NewCache:   caches.New(),
		NewClient:  o.newClient,
		Metrics:    metricsserver.Options{BindAddress: "0"},
		Controller: config.Controller{SkipNameValidation: ptr.To(true)},
	})
	if err != nil {
		return nil, fmt.Errorf("make the manager: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	o.cancel = cancel
	settings := controllers.Options{
		Namespaces: options.Namespaces, ShardSize: options.ShardSize, Placement: options.Placement, Predictors: options.Predictors,
		IgnoreNodes: options.IgnoreNodes, Clock: clock.RealClock{}, Metrics: o.Metrics,
	}
	if err := controllers.Setup(ctx, mgr, caches, settings); err != nil {
		cancel()
		return nil, err
	}
	go func() { o.done <- mgr.Start(ctx) }()
	return o, nil
}

// Stop ends the operator and waits until it has ended.
func (o *Operator) Stop() error {
	o.cancel()
	return <-o.done
}

// Writes returns how many writes of a kind were sent to the API server so far.
func (o *Operator) Writes(kind Kind) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.writes[kind]
}

// Looked reports whether the operator has looked at the tasks of a namespace since it was started.
func (o *Operator) Looked(namespace string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.looked[namespace]
}

// SetFault replaces the fault; nil ends it.
func (o *Operator) SetFault(fault Fault) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.fault = fault
}

// before counts a write, or fails it.
func (o *Operator) before(ctx context.Context, kind Kind, object client.Object) error {
	o.mu.Lock()
	fault := o.fault
	o.mu.Unlock()
	if fault != nil {
		if err := fault(ctx, kind, object); err != nil {
			return err
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.writes[kind]++
	return nil
}

func (o *Operator) newClient(cfg *rest.Config, options client.Options) (client.Client, error) {
	inner, err := client.NewWithWatch(cfg, options)
	if err != nil {
		return nil, fmt.Errorf("make the client: %w", err)
	}
	return interceptor.NewClient(inner, interceptor.Funcs{
		List: func(ctx context.Context, c client.WithWatch, list client.ObjectList, opts ...client.ListOption) error {
			o.mu.Lock()
			o.looked[(&client.ListOptions{}).ApplyOptions(opts).Namespace] = true
			o.mu.Unlock()
			return c.List(ctx, list, opts...)
		},
		Create: func(ctx context.Context, c client.WithWatch, object client.Object, opts ...client.CreateOption) error {
			if err := o.before(ctx, kindOf(object), object); err != nil {
				return err
			}
			return c.Create(ctx, object, opts...)
		},
		Update: func(ctx context.Context, c client.WithWatch, object client.Object, opts ...client.UpdateOption) error {
			if err := o.before(ctx, kindOf(object), object); err != nil {
				return err
			}
			return c.Update(ctx, object, opts...)
		},
		Delete: func(ctx context.Context, c client.WithWatch, object client.Object, opts ...client.DeleteOption) error {
			if err := o.before(ctx, kindOf(object), object); err != nil {
				return err
			}
			return c.Delete(ctx, object, opts...)
		},
		SubResourceUpdate: func(ctx context.Context, c client.Client, subResource string, object client.Object, opts ...client.SubResourceUpdateOption) error {
			if err := o.before(ctx, kindOf(object), object); err != nil {
				return err
			}
			return c.SubResource(subResource).Update(ctx, object, opts...)
		},
	}), nil
}

func kindOf(object client.Object) Kind {
	switch object.(type) {
	case *corev1.ConfigMap:
		return RegistryWrite
	case *v1alpha1.MazeWorkflow:
		return WorkflowWrite
	default:
		return StatusWrite
	}
}
