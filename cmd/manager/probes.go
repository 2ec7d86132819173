package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/manager"
)

// probeTimeout bounds a request to the probes.
const probeTimeout = 10 * time.Second

// probes answers the kubelet: /healthz while the process runs, /readyz with the reason where the operator is not ready. Unlike
// controller-runtime's server it answers before there is a manager, as waiting for the API server is no reason to be restarted, and it
// does not withhold the reason.
type probes struct {
	mu     sync.Mutex
	checks []healthz.Checker
	wait   error // what has to come first
}

// serveProbes serves the probes until the process ends; not with the address "0".
func serveProbes(ctx context.Context, address string) (*probes, error) {
	p := &probes{wait: errors.New("the operator is starting")}
	if address == "0" {
		return p, nil
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("serve the probes: %w", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) { answer(w, nil) })
	mux.HandleFunc("/readyz", func(w http.ResponseWriter, r *http.Request) { answer(w, p.ready(r)) })
	server := &http.Server{Handler: mux, ReadHeaderTimeout: probeTimeout, WriteTimeout: probeTimeout, IdleTimeout: time.Minute}
	go func() { _ = server.Serve(listener) }() // it ends with the process
	return p, nil
}

// answer writes what a probe finds.
func answer(w http.ResponseWriter, err error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	_, _ = w.Write([]byte("ok")) // whoever asked is gone, if that fails
}

// waitFor has the operator not be ready because of something that comes before all checks; nil ends that.
func (p *probes) waitFor(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wait = err
}

// add has the operator be ready only if a check says so.
func (p *probes) add(check healthz.Checker) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.checks = append(p.checks, check)
}

// ready returns why the operator is not ready: all reasons, a line each.
func (p *probes) ready(request *http.Request) error {
	p.mu.Lock()
	wait, checks := p.wait, slices.Clone(p.checks)
	p.mu.Unlock()
	if wait != nil {
		return wait
	}
	var reasons []error
	for _, check := range checks {
		reasons = append(reasons, check(request))
	}
	return errors.Join(reasons...)
}

// probed is a manager whose readiness checks are those of probes.
type probed struct {
	manager.Manager
	probes *probes
}

// AddReadyzCheck adds a check of the operator's readiness.
func (m probed) AddReadyzCheck(_ string, check healthz.Checker) error {
	m.probes.add(check)
	return nil
}

// cachesSynced returns a check that the manager has seen the cluster.
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
