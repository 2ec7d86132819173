// Scheduler runs a workflow as Pods: a small scheduler, for those who write a real one. docs/scheduler.md explains it.
//
//	go run ./examples/scheduler [flags] DAG.json|- [NODE...]
//
// It runs all nodes, or those named and what they need. A node starts when all that it needs has succeeded, its task is Ready, and no
// verdict on the nodes of the cluster speaks against it. It may be stopped and started again, or run twice: the Pods are all that it
// remembers.
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
	flags := flag.NewFlagSet("scheduler", flag.ContinueOnError)
	flags.Usage = func() {
		fmt.Fprintln(flags.Output(), "Usage: scheduler [flags] DAG.json|- [NODE...]")
		flags.PrintDefaults()
	}
	kubeconfig := flags.String("kubeconfig", "", "kubeconfig `file`; by default $KUBECONFIG, ~/.kube/config or the Pod's service account")
	namespace := flags.String("namespace", "", "`namespace` of the tasks and Pods; by default that of the kubeconfig")
	var common settings
	common.addFlags(flags)
	runName := flags.String("run", "", "`name` and label of the run; by default a hash of the workflow, so that the same command goes on where it stopped")
	if err := flags.Parse(args); err != nil {
		return statusCouldNot, err
	}
	if flags.NArg() == 0 {
		flags.Usage()
		return statusCouldNot, errors.New("name the file of a workflow, or - for stdin")
	}
	w, err := openWorkflow(flags.Arg(0), stdin, *runName, flags.Args()[1:])
	if err != nil {
		return statusCouldNot, err
	}
	config, in, err := connect(*kubeconfig, *namespace)
	if err != nil {
		return statusCouldNot, err
	}
	s := &scheduler{workflow: w, namespace: in, settings: common}
	return s.schedule(ctx, config, stdout)
}

func openWorkflow(file string, stdin io.Reader, run string, nodes []string) (*workflow, error) {
	read := func() ([]byte, error) { return os.ReadFile(file) }
	if file == "-" {
		read = func() ([]byte, error) { return io.ReadAll(stdin) }
	}
	content, err := read()
	if err != nil {
		return nil, err
	}
	w, err := readWorkflow(content, run)
	if err != nil {
		return nil, err
	}
	return w, w.only(nodes)
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

// schedule decides and acts on every change, until all nodes have ended or ctx ends.
func (s *scheduler) schedule(ctx context.Context, config *rest.Config, stdout io.Writer) (status int, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c, err := newCluster(ctx, config, s.namespace, s.workflow.run)
	if err != nil {
		return statusCouldNot, err
	}
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
		err = c.act(ctx, &p)
		switch {
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
			return statusCouldNot, errors.New("stopped; the same command goes on from here")
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
