package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
)

// options are what a command line says.
type options struct {
	settings
	kubeconfig, namespace string
	// run is the name of the run; empty for one that is made of its content.
	run string
	// detach has a Job schedule the run, from the image.
	detach         bool
	schedulerImage string
	// watch is the name of a detached run that is to be followed. All that follows is empty then.
	watch string
	// file has the workflow, "-" for stdin. nodes are those to run with what they need; none for all.
	file  string
	nodes []string
}

// readOptions reads a command line. What is wrong with its flags is written to out, too, with how to use it.
func readOptions(args []string, out io.Writer) (*options, error) {
	o := &options{}
	flags := flag.NewFlagSet("scheduler", flag.ContinueOnError)
	flags.SetOutput(out)
	flags.Usage = func() {
		fmt.Fprintln(out, "Usage: scheduler [flags] DAG.json|- [NODE...]\n       scheduler [--namespace NAMESPACE] --watch RUN")
		flags.PrintDefaults()
	}
	flags.StringVar(&o.kubeconfig, "kubeconfig", "", "kubeconfig `file`; by default $KUBECONFIG, ~/.kube/config or the Pod's service account")
	flags.StringVar(&o.namespace, "namespace", "", "`namespace` of the tasks and Pods; by default that of the kubeconfig")
	flags.StringVar(&o.run, "run", "", "`name` and label of the run; by default a hash of the workflow, so that the same command goes on where it stopped")
	flags.BoolVar(&o.detach, "detach", false, "have a Job in the cluster schedule the run, print the run's name, and end")
	flags.StringVar(&o.schedulerImage, "scheduler-image", "maze-scheduler:dev", "`image` of this program, for the Job of --detach")
	flags.StringVar(&o.watch, "watch", "", "follow a detached run, by its `NAME`, until it ends, and end as it does")
	o.addFlags(flags)
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	switch {
	case o.watch != "" && (flags.NArg() > 0 || o.detach || o.run != "" || len(o.given) > 0):
		return nil, errors.New("--watch takes a run's name, and no workflow: the run's Job has all the rest")
	case o.watch == "" && flags.NArg() == 0:
		flags.Usage()
		return nil, errors.New("name the file of a workflow, or - for stdin")
	case o.watch == "":
		o.file, o.nodes = flags.Arg(0), flags.Args()[1:]
	}
	return o, nil
}

// readFile returns the content of the workflow's file.
func (o *options) readFile(stdin io.Reader) ([]byte, error) {
	if o.file == "-" {
		return io.ReadAll(stdin)
	}
	return os.ReadFile(o.file)
}

// readWorkflow returns the workflow with the nodes that are to be run.
func (o *options) readWorkflow(content []byte) (*workflow, error) {
	w, err := readWorkflow(content, o.run)
	if err != nil {
		return nil, err
	}
	return w, w.only(o.nodes)
}
