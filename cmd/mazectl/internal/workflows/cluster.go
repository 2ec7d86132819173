package workflows

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/cli-runtime/pkg/genericclioptions"

	"github.com/maze-agent/maregister/cmd/mazectl/internal/cluster"
	"github.com/maze-agent/maregister/internal/dag"
	"github.com/maze-agent/maregister/internal/finding"
	"github.com/maze-agent/maregister/internal/text"
)

// ClusterPrefix begins an argument for the MazeWorkflows of a namespace: cluster: for that of kubectl's flags, or cluster:NAMESPACE.
const ClusterPrefix = "cluster:"

// Cluster leads to the MazeWorkflows of a cluster.
type Cluster struct {
	Flags *genericclioptions.ConfigFlags
	// AllNamespaces has those of all namespaces be read in place of those of one.
	AllNamespaces bool
	// Instead is what messages tell a user to give instead of the cluster, as in: give files of workflows.
	Instead string
	// FilesReplace has a MazeWorkflow be left out that a file has, too: it is about to be replaced by that.
	FilesReplace bool
}

// IsCluster reports whether an argument is one for MazeWorkflows of the cluster, and not for a file.
func IsCluster(argument string) bool { return strings.HasPrefix(argument, ClusterPrefix) }

// AddCluster adds the MazeWorkflows of a namespace. Empty for that of kubectl's flags. It returns an error for which [IsAbsent] or
// apierrors.IsForbidden hold if the cluster has none, or the user may not read them.
func (f *Found) AddCluster(ctx context.Context, from *Cluster, namespace string) error {
	connection, err := cluster.Connect(from.Flags)
	if err != nil {
		return fmt.Errorf("%w; %s, or %s", err, cluster.Advice, from.Instead)
	}
	all, err := connection.AllWorkflows()
	if err != nil {
		return err
	}
	namespace = cmp.Or(namespace, connection.Namespace)
	where, whole, list := "namespace "+namespace, "namespace "+namespace, all.Namespace(namespace).List
	if from.AllNamespaces {
		where, whole, list = "all namespaces", "the cluster", all.List
	}
	before, listed := len(f.All), 0
	page := func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
		return list(ctx, options)
	}
	err = cluster.Each(ctx, page, func(object *unstructured.Unstructured) error {
		listed++
		if from.FilesReplace && f.hasManifest(object.GetNamespace(), object.GetName()) {
			return nil
		}
		return f.addObject(object)
	})
	slices.SortFunc(f.All[before:], func(a, b Workflow) int { return text.CompareNatural(a.Name, b.Name) })
	switch {
	case IsAbsent(err):
		return fmt.Errorf("the cluster has no MazeWorkflows: its operator is older than this program, or not installed: %w", err)
	case apierrors.IsForbidden(err):
		return fmt.Errorf("read the workflows: %w; whoever reads them needs the right to list mazeworkflows in %s", err, where)
	case err != nil:
		return fmt.Errorf("read the workflows of %s: %w; %s, or %s", where, err, cluster.Advice, from.Instead)
	case listed == 0 && !from.AllNamespaces && connection.Existence(ctx, namespace) == cluster.Missing:
		return &cluster.NoNamespaceError{Namespace: namespace}
	}
	if listed == 0 {
		f.Notes = append(f.Notes, "there is no MazeWorkflow in "+whole)
	}
	if !from.AllNamespaces {
		f.Namespaces = append(f.Namespaces, namespace)
	}
	return nil
}

// addObject adds a MazeWorkflow of the cluster, once.
func (f *Found) addObject(object *unstructured.Unstructured) error {
	w, err := workflowOf(object)
	if err == nil && !f.seen[w.Name] {
		f.seen[w.Name] = true
		f.All = append(f.All, w)
	}
	return err
}

// HasObjectOf reports whether a MazeWorkflow of a namespace of the cluster was found.
func (f *Found) HasObjectOf(namespace string) bool {
	return slices.ContainsFunc(f.All, func(w Workflow) bool { return w.IsObject && w.Namespace == namespace })
}

// hasManifest reports whether a file has a MazeWorkflow of a name, and of the namespace or none.
func (f *Found) hasManifest(namespace, name string) bool {
	return slices.ContainsFunc(f.manifests[name], func(declared string) bool { return declared == namespace || declared == "" })
}

// noteManifest notes that a file has a MazeWorkflow, if the document is one.
func (f *Found) noteManifest(d *dag.Document) {
	if d.IsObject() {
		f.manifests[d.ObjectName] = append(f.manifests[d.ObjectName], d.Namespace)
	}
}

// IsAbsent reports whether a cluster does not serve MazeWorkflows.
func IsAbsent(err error) bool { return apierrors.IsNotFound(err) }

// workflowOf returns a MazeWorkflow as if it was a file. It has no positions: people find a node by its id, and programs by its pointer.
func workflowOf(object *unstructured.Unstructured) (Workflow, error) {
	name := "MazeWorkflow " + object.GetNamespace() + "/" + object.GetName()
	content, err := json.Marshal(map[string]any{
		"apiVersion": object.GetAPIVersion(), "kind": object.GetKind(),
		"metadata": map[string]any{"namespace": object.GetNamespace(), "name": object.GetName(), "annotations": object.GetAnnotations()},
		"spec":     object.Object["spec"],
	})
	if err != nil {
		return Workflow{}, fmt.Errorf("%s: %w", name, err)
	}
	d := dag.NewDocument(name, content)
	uses, _ := d.Uses() // the API server has it, so it is one
	for i := range uses {
		uses[i].Position = finding.Position{}
	}
	d.Forget()
	return Workflow{d, name, content, uses, true}, nil
}
