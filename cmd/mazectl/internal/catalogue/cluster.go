package catalogue

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/metadata"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/cluster"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/place"
	"github.com/maze-agent/maregister/internal/placement"
	"github.com/maze-agent/maregister/internal/registry"
)

// orElse returns what to do if the cluster is the wrong one.
func (a Advice) orElse() string { return cluster.Advice + ", or " + a.Instead }

// readCluster reads the registry of a namespace, in one request: so the ConfigMaps are of one moment.
func (s *Options) readCluster(ctx context.Context) (*Published, error) {
	connection, err := s.connect()
	if err != nil {
		return nil, err
	}
	namespace := cmp.Or(s.ClusterNamespace, connection.Namespace)
	client, err := corev1client.NewForConfig(connection.Config)
	if err != nil {
		return nil, err
	}
	list, err := client.ConfigMaps(namespace).List(ctx, metav1.ListOptions{LabelSelector: registry.Selector})
	switch {
	case apierrors.IsForbidden(err):
		return nil, fmt.Errorf("read the registry: %w; whoever reads it needs the right to list configmaps in namespace %s", err, namespace)
	case err != nil:
		return nil, fmt.Errorf("read the registry of namespace %s: %w; %s", namespace, err, s.Advice.orElse())
	}
	for i := range list.Items {
		if list.Items[i].Name == registry.ConfigMapName {
			return &Published{From: "namespace " + namespace, configMaps: list.Items}, nil
		}
	}
	if isTaken(ctx, client, namespace) {
		return nil, &TakenError{namespace}
	}
	return nil, &NoRegistryError{namespace, connection, WhereRegistriesAre(ctx, connection, s.Advice)}
}

// connect does not ask the cluster for anything yet.
func (s *Options) connect() (*cluster.Connection, error) {
	connection, err := cluster.Connect(s.Cluster)
	if err != nil {
		return nil, fmt.Errorf("%w; %s", err, s.Advice.orElse())
	}
	return connection, nil
}

// WhereRegistriesAre returns what to do about a namespace without a registry, as far as the user may know.
func WhereRegistriesAre(ctx context.Context, connection *cluster.Connection, advice Advice) string {
	client, err := metadata.NewForConfig(connection.Config)
	if err != nil {
		return advice.orElse()
	}
	list, err := client.Resource(corev1.SchemeGroupVersion.WithResource("configmaps")).
		List(ctx, metav1.ListOptions{LabelSelector: registry.RoleLabel + "=" + registry.RoleIndex})
	if err != nil { // most users may not
		return "choose another namespace " + advice.Namespace
	}
	var found []string
	for i := range list.Items {
		found = append(found, list.Items[i].Namespace)
	}
	if len(found) == 0 {
		return "no namespace of the cluster has one: is the operator installed?"
	}
	return "choose a namespace that has one " + advice.Namespace + ": " + strings.Join(found, ", ")
}

// readPlaceable takes over what the operator says of where tasks can run.
func (s *Options) readPlaceable(ctx context.Context, known *Catalogue) error {
	connection, err := s.connect()
	if err != nil {
		return err
	}
	why, err := unplaceable(ctx, connection)
	if err != nil {
		return fmt.Errorf("read the MazeTasks' condition Placeable in namespace %s: %w; with --nodes, it is worked out by a file of nodes, "+
			"or those of the cluster", connection.Namespace, err)
	}
	for name, task := range known.byName {
		task.Unplaceable = why[task.object]
		known.byName[name] = task
	}
	return nil
}

// unplaceable returns the messages of the conditions Placeable that are False, by the name of the object.
func unplaceable(ctx context.Context, connection *cluster.Connection) (map[string]string, error) {
	tasks, err := connection.Tasks()
	if err != nil {
		return nil, err
	}
	list := func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
		return tasks.List(ctx, options)
	}
	why := map[string]string{}
	err = cluster.Each(ctx, list, func(untyped *unstructured.Unstructured) error {
		var task struct {
			Status struct {
				Conditions []metav1.Condition `json:"conditions"`
			} `json:"status"`
		}
		if err := place.Decode(untyped.Object, &task); err != nil {
			return fmt.Errorf("MazeTask %s: %w", untyped.GetName(), err)
		}
		if c := meta.FindStatusCondition(task.Status.Conditions, v1alpha1.ConditionPlaceable); c != nil && c.Status == metav1.ConditionFalse {
			why[untyped.GetName()] = c.Message
		}
		return nil
	})
	return why, err
}

// judgePlaces finds out where tasks could run, by nodes.
func (s *Options) judgePlaces(ctx context.Context, r *place.Reader, known *Catalogue) error {
	rules, err := s.PlacementConfig(ctx)
	if err != nil {
		return err
	}
	nodes, err := s.Existing(ctx, r)
	if err != nil {
		return err
	}
	inventory := place.InventoryOf(rules, nodes)
	why := map[placement.Requirement]string{}
	for name, task := range known.byName {
		message, ok := why[task.requirement]
		if !ok {
			if verdict := placement.Resolve(task.requirement, inventory).Verdict; verdict.Status == metav1.ConditionFalse {
				message = verdict.Message()
			}
			why[task.requirement] = message
		}
		task.Unplaceable = message
		known.byName[name] = task
	}
	return nil
}
