package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"k8s.io/utils/ptr"

	"github.com/maze-agent/maregister/cmd/mazectl/internal/place"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/terminal"
	"github.com/maze-agent/maregister/internal/dag"
	"github.com/maze-agent/maregister/internal/placement"
)

// taskSource says where the tasks come from that workflows are checked against: manifests, a registry, or the cluster's.
type taskSource struct {
	place.NodeOptions
	manifests []string
	registry  string
	placeable bool
	// sources are the files that the tasks of manifests were read from.
	sources []string
	// changed are the flags that the user gave.
	changed map[string]bool
}

// offline reports whether the tasks are not the cluster's.
func (s *taskSource) offline() bool { return s.changed["tasks"] || s.changed["registry"] }

// namespace is the one that the user asked for. Empty if none.
func (s *taskSource) namespace() string { return ptr.Deref(s.Cluster.Namespace, "") }

// validate refuses flags that do not go together. files are the workflows.
func (s *taskSource) validate(files []string) error {
	inputs := slices.Concat(files, s.manifests, []string{s.registry, s.Nodes})
	isStdin := func(name string) bool { return name == terminal.StdinArgument }
	switch {
	case s.changed["tasks"] && s.changed["registry"]:
		return errors.New("--tasks and --registry do not go together: the tasks come from one of them, or, without both, from the cluster")
	case s.changed["tasks"] && (len(s.manifests) == 0 || slices.Contains(s.manifests, "")), s.changed["registry"] && s.registry == "":
		return errors.New("--tasks or --registry is empty; give a file or a folder")
	case !s.placeable && (s.changed["nodes"] || s.changed["config"]):
		return errors.New("--nodes and --config say where a task could run: give --placeable, too")
	case len(inputs)-len(slices.DeleteFunc(slices.Clone(inputs), isStdin)) > 1:
		return errors.New("the standard input can be read once: give - only once, and files otherwise")
	}
	return nil
}

// inputs are the files that were read.
func (s *taskSource) inputs() []string {
	return slices.Concat(s.sources, []string{s.registry, s.Nodes, s.Config})
}

// catalogue is the tasks that workflows are checked against, by name.
type catalogue struct {
	byName map[string]knownTask
	// refused says of tasks that were left out why, by name.
	refused map[string]string
	// from is where they are from, as a summary says it: namespace vision.
	from string
}

// knownTask is a task as package dag takes it, and what decides about where it can run.
type knownTask struct {
	dag.Task
	requirement placement.Requirement
	// object is the name of its MazeTask.
	object string
}

// String returns how many there are, and where they are from.
func (c *catalogue) String() string {
	return terminal.Plural(len(c.byName), "task") + " of " + terminal.Plain(c.from)
}

// tasks returns them as package dag takes them.
func (c *catalogue) tasks() *dag.Tasks {
	all := make(map[string]dag.Task, len(c.byName))
	for name, t := range c.byName {
		all[name] = t.Task
	}
	for name, why := range c.refused {
		if _, ok := all[name]; !ok && name != "" {
			all[name] = dag.Task{Refused: why}
		}
	}
	return dag.NewTasks(all)
}

// read returns the tasks from where they are.
func (s *taskSource) read(ctx context.Context, t terminal.Terminal) (*catalogue, error) {
	tell := func(format string, args ...any) { t.Say("note:", fmt.Sprintf(format, args...)) }
	var known *catalogue
	var err error
	switch {
	case s.changed["tasks"]:
		known, err = s.readManifests(ctx, t.In, tell)
	case s.changed["registry"]:
		known, err = s.readRegistry(ctx, t.In, tell)
	default:
		known, err = s.readCluster(ctx)
	}
	if err != nil || !s.placeable {
		return known, err
	}
	if s.offline() || s.changed["nodes"] || s.changed["config"] {
		return known, s.judgePlaces(ctx, &place.Reader{Stdin: t.In, Note: tell}, known)
	}
	return known, s.readPlaceable(ctx, known)
}

// names shortens a list of files for a summary.
func names(files []string) string {
	const most = 3
	if len(files) <= most {
		return strings.Join(files, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(files[:most], ", "), len(files)-most)
}

// inNamespace is what a summary adds to where tasks are from.
func (s *taskSource) inNamespace(from string) string {
	if s.namespace() == "" {
		return from
	}
	return fmt.Sprintf("namespace %s in %s", s.namespace(), from)
}
