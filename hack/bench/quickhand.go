package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/util/retry"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/registry"
)

// quickHandCommand makes this program be the reconciler of phase c.
const quickHandCommand = "quick-hand"

// quickHand is a reconciler as tutorials show them, with the framework's own settings but without a limit on requests: it says
// "Processing" in the status, adds its entry to the registry's ConfigMap, and says "Ready". It makes no events. Its
// entries are a twentieth of the operator's, because it has only one ConfigMap for all of them.
type quickHand struct {
	client client.Client
}

// runQuickHand runs the reconciler until the context ends.
func runQuickHand(ctx context.Context, arguments []string) error {
	flags := flag.NewFlagSet(quickHandCommand, flag.ExitOnError)
	kubeconfig := flags.String("kubeconfig", "", "the control plane")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	ctrl.SetLogger(zap.New())
	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	if err != nil {
		return err
	}
	config.QPS, config.Burst = -1, -1
	scheme, err := newScheme()
	if err != nil {
		return err
	}
	mgr, err := ctrl.NewManager(config, ctrl.Options{Scheme: scheme, Metrics: metricsserver.Options{BindAddress: "0"}})
	if err != nil {
		return fmt.Errorf("make the manager: %w", err)
	}
	if err := ctrl.NewControllerManagedBy(mgr).For(&v1alpha1.MazeTask{}).Complete(&quickHand{client: mgr.GetClient()}); err != nil {
		return fmt.Errorf("set up the controller: %w", err)
	}
	return mgr.Start(ctx)
}

// Reconcile implements reconcile.Reconciler.
func (q *quickHand) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	task := &v1alpha1.MazeTask{}
	if err := q.client.Get(ctx, req.NamespacedName, task); err != nil {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	if meta.IsStatusConditionTrue(task.Status.Conditions, v1alpha1.ConditionReady) {
		return reconcile.Result{}, nil
	}
	if err := q.report(ctx, task, metav1.ConditionFalse, "Processing"); err != nil {
		return reconcile.Result{}, err
	}
	if err := retry.RetryOnConflict(retry.DefaultRetry, func() error { return q.register(ctx, task) }); err != nil {
		return reconcile.Result{}, err
	}
	return reconcile.Result{}, q.report(ctx, task, metav1.ConditionTrue, "Registered")
}

func (q *quickHand) report(ctx context.Context, task *v1alpha1.MazeTask, ready metav1.ConditionStatus, reason string) error {
	task.Status.ObservedGeneration = task.Generation
	meta.SetStatusCondition(&task.Status.Conditions, metav1.Condition{
		Type: v1alpha1.ConditionReady, Status: ready, Reason: reason, ObservedGeneration: task.Generation,
	})
	return q.client.Status().Update(ctx, task)
}

// register adds the task's entry to the registry.
func (q *quickHand) register(ctx context.Context, task *v1alpha1.MazeTask) error {
	entry, err := json.Marshal(map[string]any{"type": task.Spec.Resources.Type, "entry_point": task.Spec.EntryPoint})
	if err != nil {
		return err
	}
	configMap := &corev1.ConfigMap{}
	key := client.ObjectKey{Namespace: task.Namespace, Name: registry.ConfigMapName}
	err = q.client.Get(ctx, key, configMap)
	if apierrors.IsNotFound(err) {
		configMap.Namespace, configMap.Name = key.Namespace, key.Name
		configMap.Data = map[string]string{task.Spec.Name: string(entry)}
		return q.client.Create(ctx, configMap)
	}
	if err != nil {
		return err
	}
	configMap.Data[task.Spec.Name] = string(entry)
	return q.client.Update(ctx, configMap)
}
