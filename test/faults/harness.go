package faults

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/test/testutil"
)

// Harness is what all plans share.
type Harness struct {
	// Manager is the path of the binary under test.
	Manager string
	// Patience is how long the registry may take, after faults stop, to become as it should be. The promise is 5 s on a machine that
	// has nothing else to do.
	Patience time.Duration
	// Quiet is how long nothing may be written after that.
	Quiet time.Duration

	plane  *testutil.ControlPlane
	k8s    client.WithWatch
	token  string
	folder string
}

// NewHarness starts an API server. The caller stops the harness.
func NewHarness(ctx context.Context, manager string) (*Harness, error) {
	plane, err := testutil.StartControlPlane()
	if err != nil {
		return nil, err
	}
	h := &Harness{Manager: manager, Patience: 15 * time.Second, Quiet: 2 * time.Second, plane: plane}
	if err := h.prepare(ctx); err != nil {
		return nil, errors.Join(err, h.Stop())
	}
	return h, nil
}

func (h *Harness) prepare(ctx context.Context) error {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			return fmt.Errorf("build the scheme: %w", err)
		}
	}
	var err error
	if h.k8s, err = client.NewWithWatch(h.plane.Config, client.Options{Scheme: scheme}); err != nil {
		return fmt.Errorf("make the client: %w", err)
	}
	account, err := testutil.OperatorConfig(ctx, h.plane.Config)
	if err != nil {
		return err
	}
	h.token = account.BearerToken
	if h.folder, err = os.MkdirTemp("", "faults-"); err != nil {
		return err
	}
	return h.grantLeases(ctx)
}

// grantLeases lets the operator have leases in every namespace: each plan has a lease of its own, and config/rbac grants one.
func (h *Harness) grantLeases(ctx context.Context) error {
	role := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: "faults-leases"}, Rules: []rbacv1.PolicyRule{
		{APIGroups: []string{"coordination.k8s.io"}, Resources: []string{"leases"}, Verbs: []string{"get", "create", "update"}},
		{APIGroups: []string{""}, Resources: []string{"events"}, Verbs: []string{"create", "patch"}},
	}}
	binding := &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: role.Name},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role.Name},
		Subjects:   []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: "maregister-system", Name: "maregister-manager"}},
	}
	if err := h.k8s.Create(ctx, role); err != nil {
		return fmt.Errorf("grant leases: %w", err)
	}
	if err := h.k8s.Create(ctx, binding); err != nil {
		return fmt.Errorf("grant leases: %w", err)
	}
	return nil
}

// Stop ends the API server and removes the harness's files.
func (h *Harness) Stop() error {
	err := h.plane.Stop()
	if h.folder != "" {
		err = errors.Join(err, os.RemoveAll(h.folder))
	}
	return err
}

// Result is what became of a plan.
type Result struct {
	Plan       *Plan
	Fired      []Fault
	Violations []Violation
	// Settled is how long the registry took, after faults stopped, to be as it should be; Took the whole plan.
	Settled, Took time.Duration
	// Writes is what the managers wrote, for people.
	Writes []string
	// Log is the end of what the managers logged.
	Log string
	// Err says why the plan could not be run.
	Err error
}

// Run runs a plan.
func (h *Harness) Run(ctx context.Context, plan *Plan) *Result {
	begin := time.Now()
	ctx, cancel := context.WithTimeout(ctx, 4*time.Minute)
	defer cancel()
	result := &Result{Plan: plan}
	r, err := h.newRun(ctx, plan)
	if err == nil {
		err = r.guarded(ctx, result)
		r.close(ctx)
		result.Fired = r.injector.fired()
		for _, c := range r.journal.all() {
			result.Writes = append(result.Writes, fmt.Sprintf("%7.3fs %s", c.at.Sub(begin).Seconds(), c))
		}
		result.Log = r.endOfLog()
		err = errors.Join(err, os.RemoveAll(r.folder))
	}
	result.Err, result.Took = err, time.Since(begin)
	return result
}

// guarded performs a plan. A defect of the harness is an error: it must not leave the API server behind.
func (r *run) guarded(ctx context.Context, result *Result) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("a defect of the harness: %v\n%s", p, debug.Stack())
		}
	}()
	return r.perform(ctx, result)
}

// newRun makes what a plan needs, and starts its managers.
func (h *Harness) newRun(ctx context.Context, plan *Plan) (*run, error) {
	folder, err := os.MkdirTemp(h.folder, "plan-")
	if err != nil {
		return nil, err
	}
	r := &run{
		h: h, plan: plan, folder: folder, random: plan.random(2), injector: newInjector(plan.Faults), journal: &journal{}, hand: newHandiwork(),
		slots: map[string]*slot{}, proxies: map[string]*proxy{}, decoded: map[string]*entry{}, expected: map[string]func(*v1alpha1.MazeTask) bool{},
		config: initialSettings(), namespace: "f-" + filepath.Base(folder)[len("plan-"):],
	}
	if err := r.prepare(ctx); err != nil {
		r.close(ctx)
		return nil, err
	}
	return r, nil
}
