// Package cluster connects to the cluster that kubectl would take, and reads lists of it.
package cluster

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/pager"

	"github.com/maze-agent/maregister/api/v1alpha1"
)

// Advice is what a user can do who meant another cluster.
const Advice = "choose a cluster with --kubeconfig or --context"

// Connection is what requests need. Nothing has been asked for yet.
type Connection struct {
	Config    *rest.Config
	Namespace string
}

// Connect returns the connection that kubectl's flags, its environment and its kubeconfig lead to.
func Connect(flags *genericclioptions.ConfigFlags) (*Connection, error) {
	config, err := flags.ToRESTConfig()
	if err != nil {
		return nil, err
	}
	namespace, _, err := flags.ToRawKubeConfigLoader().Namespace()
	if err != nil {
		return nil, err
	}
	return &Connection{Config: config, Namespace: namespace}, nil
}

// Tasks returns a client for the MazeTasks of the namespace.
func (c *Connection) Tasks() (dynamic.ResourceInterface, error) {
	all, err := c.AllTasks()
	if err != nil {
		return nil, err
	}
	return all.Namespace(c.Namespace), nil
}

// AllTasks returns a client for the MazeTasks of all namespaces.
func (c *Connection) AllTasks() (dynamic.NamespaceableResourceInterface, error) {
	return c.all("mazetasks")
}

// AllWorkflows returns a client for the MazeWorkflows of all namespaces.
func (c *Connection) AllWorkflows() (dynamic.NamespaceableResourceInterface, error) {
	return c.all("mazeworkflows")
}

// Existence is what a user may know of a namespace.
type Existence int

// What may be known.
const (
	Unknown Existence = iota // the user may not ask
	Exists
	Missing
)

// Existence tells whether there is a namespace. Lists of one that is missing are empty, and so say nothing.
func (c *Connection) Existence(ctx context.Context, name string) Existence {
	client, err := metadata.NewForConfig(c.Config)
	if err != nil {
		return Unknown
	}
	switch _, err = client.Resource(corev1.SchemeGroupVersion.WithResource("namespaces")).Get(ctx, name, metav1.GetOptions{}); {
	case err == nil:
		return Exists
	case apierrors.IsNotFound(err):
		return Missing
	default:
		return Unknown
	}
}

// NoNamespaceError is that a namespace was asked for which the cluster does not have.
type NoNamespaceError struct{ Namespace string }

// Error implements error.
func (e *NoNamespaceError) Error() string {
	return fmt.Sprintf("the cluster has no namespace %s; correct the name, or %s", e.Namespace, Advice)
}

func (c *Connection) all(resource string) (dynamic.NamespaceableResourceInterface, error) {
	client, err := dynamic.NewForConfig(c.Config)
	if err != nil {
		return nil, err
	}
	return client.Resource(v1alpha1.SchemeGroupVersion.WithResource(resource)), nil
}

// Each reads a list page by page, and calls do for each object of type T in it. An error of do ends it.
func Each[T runtime.Object](ctx context.Context, list func(context.Context, metav1.ListOptions) (runtime.Object, error), do func(T) error) error {
	return pager.New(list).EachListItem(ctx, metav1.ListOptions{}, func(object runtime.Object) error {
		one, ok := object.(T)
		if !ok { // cannot be: a list is of one type
			return nil
		}
		return do(one)
	})
}
