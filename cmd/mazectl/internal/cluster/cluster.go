// Package cluster connects to the cluster that kubectl would take, and reads lists of it.
package cluster

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/dynamic"
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
