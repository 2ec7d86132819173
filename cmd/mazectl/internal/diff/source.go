package diff

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/maze-agent/maregister/cmd/mazectl/internal/catalogue"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/cluster"
	"github.com/maze-agent/maregister/internal/evolution"
	"github.com/maze-agent/maregister/internal/registry"
)

// sourceKind is where a version of tasks is.
type sourceKind string

// The kinds, which begin an argument. A path has nothing before it.
const (
	pathSource     sourceKind = ""
	gitSource      sourceKind = "git"
	registrySource sourceKind = "registry"
	clusterSource  sourceKind = "cluster"
)

// Source is where a version of tasks is.
type Source struct {
	kind sourceKind
	// given is the argument.
	given string
	// Path is the file or folder. Empty for a cluster, and for a revision of the files of the other version.
	Path string
	// revision is git's, and namespace the cluster's. Empty for that of kubectl's flags.
	revision, namespace string
}

// ParseSource reads an argument: PATH, git:REVISION, git:REVISION:PATH, registry:PATH, cluster: or cluster:NAMESPACE. A path that begins so
// is written with ./ before it.
func ParseSource(argument string) (Source, error) {
	kind, rest, found := strings.Cut(argument, ":")
	s := Source{kind: sourceKind(kind), given: argument, Path: rest}
	switch {
	case argument == "":
		return s, errors.New("OLD or NEW is empty: give a file, a folder, git:REVISION, registry:PATH or cluster:NAMESPACE")
	case found && s.kind == gitSource:
		s.revision, s.Path, _ = strings.Cut(rest, ":")
		return s, checkRevision(s.revision)
	case found && s.kind == registrySource && rest == "":
		return s, errors.New("registry: does not say where: give a file or a folder, as in registry:registry.json")
	case found && s.kind == registrySource:
		return s, nil
	case found && s.kind == clusterSource:
		s.Path, s.namespace = "", rest
		return s, nil
	}
	s = Source{kind: pathSource, given: argument, Path: argument}
	if catalogue.IsMounted(argument) {
		s.kind = registrySource
	}
	return s, nil
}

// read reads the tasks into a side.
func (s *Source) read(ctx context.Context, stdin io.Reader, o *Options, into *side) (*side, error) {
	switch s.kind {
	case gitSource:
		return s.readRevision(ctx, o, into)
	case registrySource, clusterSource:
		return s.readPublished(ctx, stdin, o, into)
	default:
		return readFiles(ctx, stdin, o, s.Path, into)
	}
}

// advice is what else than a namespace of the cluster a version can be.
var advice = catalogue.Advice{Instead: "give files, a folder or registry:PATH", Namespace: "as cluster:NAMESPACE"}

// readPublished reads a registry, of a cluster or stored.
func (s *Source) readPublished(ctx context.Context, stdin io.Reader, o *Options, r *side) (*side, error) {
	from := catalogue.Options{Registry: s.Path, ClusterNamespace: s.namespace, Advice: advice}
	from.Cluster = o.Cluster
	published, err := from.Published(ctx, stdin)
	if none, ok := errors.AsType[*catalogue.NoRegistryError](err); ok {
		return r, r.withoutRegistry(ctx, none)
	}
	if err != nil {
		return nil, err
	}
	r.name, r.isRegistry = published.From, true
	if s.kind == registrySource {
		r.inputs = []string{s.Path}
		r.name = s.Path
	}
	tell := func(format string, args ...any) { r.notes = append(r.notes, fmt.Sprintf(format, args...)) }
	err = published.Entries(tell, func(entry *registry.Entry) {
		r.namespace = cmp.Or(r.namespace, entry.Kubernetes.Namespace)
		r.add(task{Version: evolution.Version{Namespace: entry.Kubernetes.Namespace, Name: entry.Name, Entry: entry}, file: r.name, object: objectName(entry)})
	})
	return r, err
}

// withoutRegistry has a namespace without a registry count as one without tasks: before its first task, it has none. It returns an error if
// nothing shows that there is the namespace.
func (s *side) withoutRegistry(ctx context.Context, none *catalogue.NoRegistryError) error {
	switch none.Existence(ctx) {
	case cluster.Exists:
		s.name, s.isRegistry, s.namespace = "namespace "+none.Namespace, true, none.Namespace
		s.notes = append(s.notes, fmt.Sprintf("namespace %s has no registry yet: it counts as one without tasks", none.Namespace))
		return nil
	case cluster.Missing:
		return &cluster.NoNamespaceError{Namespace: none.Namespace}
	default:
		return fmt.Errorf("%w; if the namespace is new and has no task yet, this needs the right to get namespaces, to see that it exists", none)
	}
}
