// Scheduler runs a workflow as Pods: a small scheduler, for those who write a real one. docs/scheduler.md explains it.
//
//	go run ./examples/scheduler [flags] DAG.json|- [NODE...]
//	go run ./examples/scheduler --watch RUN
//
// It runs all nodes, or those named and what they need. A node starts when all that it needs has succeeded, its task is Ready, and no
// verdict on the nodes of the cluster speaks against it. It may be stopped and started again, or run twice: the Pods are all that it
// remembers. With --detach, a Job in the cluster runs it, and --watch follows that.
//
// The exit status is 0 if all nodes succeeded, 1 if one failed, 2 if they could not be run to the end.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/klog/v2"
	ctrllog "sigs.k8s.io/controller-runtime/pkg/log"
)

// pause is how long to wait before what failed is tried again.
const pause = time.Second

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ctrllog.SetLogger(klog.Background())
	status, err := run(ctx, os.Args[1:], os.Stdin, os.Stdout)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "scheduler:", err)
	}
	os.Exit(status)
}

const (
	statusSucceeded = iota
	statusFailed
	statusCouldNot
)

func run(ctx context.Context, args []string, stdin io.Reader, stdout io.Writer) (status int, err error) {
	o, err := readOptions(args, os.Stderr)
	if err != nil {
		return statusCouldNot, err
	}
	if o.watch != "" {
		return o.watchRun(ctx, stdout)
	}
	content, err := o.readFile(stdin)
	if err != nil {
		return statusCouldNot, err
	}
	w, err := o.readWorkflow(content)
	if err != nil {
		return statusCouldNot, err
	}
	config, namespace, err := connect(o.kubeconfig, o.namespace)
	if err != nil {
		return statusCouldNot, err
	}
	if o.detach {
		return detachRun(ctx, config, newJob(o, w, namespace, content), stdout)
	}
	c, err := newCluster(ctx, config, namespace, w.run)
	if err != nil {
		return statusCouldNot, err
	}
	s := &scheduler{workflow: w, namespace: namespace, settings: o.settings}
	return s.schedule(ctx, c, mode{act: c.act, interrupted: "stopped; the same command goes on from here"}, stdout)
}

// connect returns the configuration of the clients, and the namespace.
func connect(kubeconfig, namespace string) (*rest.Config, string, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = kubeconfig
	overrides := &clientcmd.ConfigOverrides{Context: clientcmdapi.Context{Namespace: namespace}}
	loader := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, overrides)
	config, err := loader.ClientConfig()
	if err != nil {
		return nil, "", err
	}
	config.QPS, config.Burst = -1, -1 // the API server limits its clients by itself
	in, _, err := loader.Namespace()
	return config, in, err
}

// mode is what is done about plans.
type mode struct {
	// act carries one out. An error is told, and it is tried again; errOver, or an error that wraps it, is the end.
	act func(context.Context, *plan) error
	// interrupted is what to say if ctx ends before all nodes have.
	interrupted string
}

// errOver is why nobody goes on with a run whose nodes have not all ended.
var errOver = errors.New("nothing schedules this run any more")

// schedule decides and acts on every change, until all nodes have ended or ctx ends.
func (s *scheduler) schedule(ctx context.Context, c *cluster, m mode, stdout io.Writer) (status int, err error) {
	r := newReporter(stdout, time.Now, s.workflow)
	fmt.Fprintf(stdout, "run %s in namespace %s\n", s.workflow.run, s.namespace)
	for {
		now, err := c.look(ctx, s.workflow)
		if err != nil {
			return statusCouldNot, err
		}
		p := s.decide(now)
		r.tell(p.progress)
		if p.ended() {
			fmt.Fprintln(stdout, summary(p.progress))
			return statusOf(p.progress), nil
		}
		var again <-chan time.Time
		err = m.act(ctx, &p)
		switch {
		case errors.Is(err, errOver):
			fmt.Fprintln(stdout, summary(p.progress))
			return statusCouldNot, err
		case err != nil:
			again = time.After(pause)
		case p.wake > 0:
			again = time.After(p.wake)
		}
		r.fault(err)
		select {
		case <-c.changed:
		case <-again:
		case <-ctx.Done():
			fmt.Fprintln(stdout, summary(p.progress))
			return statusCouldNot, errors.New(m.interrupted)
		}
	}
}

func statusOf(all []progress) int {
	for _, p := range all {
		if p.phase != succeeded {
			return statusFailed
		}
	}
	return statusSucceeded
}
