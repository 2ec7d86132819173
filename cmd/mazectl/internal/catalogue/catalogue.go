// Package catalogue reads the tasks that there are from where they are: manifests and Python sources, a registry in a file or a mounted
// folder, or a cluster.
package catalogue

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
	"github.com/maze-agent/maregister/internal/discover"
	"github.com/maze-agent/maregister/internal/placement"
)

// Options say where the tasks come from that workflows are checked against: manifests, a registry, or the cluster's.
type Options struct {
	place.NodeOptions
	// Manifests are files and folders of manifests and Python sources.
	Manifests []string
	// Claims are decorators in Python sources that count as Maze's.
	Claims discover.Claims
	// Registry is a file or folder with a registry, or the argument of the standard input.
	Registry string
	// ClusterNamespace is that of the cluster's registry. Empty for the namespace of kubectl's flags.
	ClusterNamespace string
	// Placeable has it found out which tasks no node can host.
	Placeable bool
	// Advice is what else the user can give.
	Advice Advice
	// sources are the files that the tasks of manifests were read from.
	sources []string
	// Given has which flags the user gave. An empty one counts: that is a mistake, and not a wish for the default.
	Given Given
}

// Advice is what messages tell a user to give instead: each command has flags and arguments of its own.
type Advice struct {
	// Instead is what to give instead of a cluster, as in: give --tasks or --registry. Namespace is how to choose another namespace: with -n.
	Instead, Namespace string
}

// Given has a field for each flag that decides where tasks or nodes are from.
type Given struct{ Tasks, Registry, Nodes, Config bool }

// Offline reports whether the tasks are not the cluster's.
func (s *Options) Offline() bool { return s.Given.Tasks || s.Given.Registry }

// namespace is the one that the user asked for. Empty if none.
func (s *Options) namespace() string { return ptr.Deref(s.Cluster.Namespace, "") }

// Validate refuses flags that do not go together. files are the workflows.
func (s *Options) Validate(files []string) error {
	inputs := slices.Concat(files, s.Manifests, []string{s.Registry, s.Nodes})
	isStdin := func(name string) bool { return name == terminal.StdinArgument }
	switch {
	case s.Given.Tasks && s.Given.Registry:
		return errors.New("--tasks and --registry do not go together: the tasks come from one of them, or, without both, from the cluster")
	case s.Given.Tasks && (len(s.Manifests) == 0 || slices.Contains(s.Manifests, "")), s.Given.Registry && s.Registry == "":
		return errors.New("--tasks or --registry is empty; give a file or a folder")
	case !s.Placeable && (s.Given.Nodes || s.Given.Config):
		return errors.New("--nodes and --config say where a task could run: give --placeable, too")
	case len(inputs)-len(slices.DeleteFunc(slices.Clone(inputs), isStdin)) > 1:
		return errors.New("the standard input can be read once: give - only once, and files otherwise")
	}
	return nil
}

// Inputs are the files that were read.
func (s *Options) Inputs() []string {
	return slices.Concat(s.sources, []string{s.Registry, s.Nodes, s.Config})
}

// Catalogue is the tasks that workflows are checked against, by name.
type Catalogue struct {
	byName map[string]knownTask
	// refused says of tasks that were left out why, by name.
	refused map[string]string
	// from is where they are from, as a summary says it: namespace vision.
	from string
	// Namespace is that of a registry. Empty for manifests, and where the registry does not say it.
	Namespace string
	// whereNone is what to do where there are no tasks.
	whereNone string
}

// knownTask is a task as package dag takes it, and what decides about where it can run.
type knownTask struct {
	dag.Task
	requirement placement.Requirement
	// object is the name of its MazeTask.
	object string
}

// String returns how many there are, and where they are from.
func (c *Catalogue) String() string {
	return terminal.Plural(len(c.byName), "task") + " of " + terminal.Plain(c.from)
}

// Tasks returns them as package dag takes them.
func (c *Catalogue) Tasks() *dag.Tasks {
	all := make(map[string]dag.Task, len(c.byName))
	for name, t := range c.byName {
		all[name] = t.Task
	}
	for name, why := range c.refused {
		if _, ok := all[name]; !ok && name != "" {
			all[name] = dag.Task{Refused: why}
		}
	}
	return dag.NewTasks(all).WhereNone(c.whereNone)
}

// Read returns the tasks from where they are.
func (s *Options) Read(ctx context.Context, t terminal.Terminal) (*Catalogue, error) {
	tell := func(format string, args ...any) { t.Say("note:", fmt.Sprintf(format, args...)) }
	var known *Catalogue
	var err error
	switch {
	case s.Given.Tasks:
		known, err = s.readManifests(ctx, t.In, tell)
	default:
		known, err = s.readPublished(ctx, t.In, tell)
	}
	if err != nil || !s.Placeable {
		return known, err
	}
	if s.Offline() || s.Given.Nodes || s.Given.Config {
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
func (s *Options) inNamespace(from string) string {
	if s.namespace() == "" {
		return from
	}
	return fmt.Sprintf("namespace %s in %s", s.namespace(), from)
}
