package catalogue

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"

	"github.com/maze-agent/maregister/cmd/mazectl/internal/cluster"
	"github.com/maze-agent/maregister/internal/registry"
)

// Publication is what the registry of a namespace has of a task.
type Publication struct {
	Namespace string
	// HasRegistry says that there is a registry, and HasTask that it has the task. IsTaken says that somebody else's ConfigMap has its name.
	HasRegistry, HasTask, IsTaken bool
	// Others are the names of other tasks, sorted, as far as they were seen: not all of the registry is read.
	Others []string
}

// maxRegistries is how many registries are asked for one task: each is a request or two.
const maxRegistries = 50

// Publications returns what the registries of some namespaces have of a task; without namespaces, those of the cluster. It reads no more of a
// registry than its index and one ConfigMap. It returns none if the cluster has too many registries.
func Publications(ctx context.Context, connection *cluster.Connection, namespaces []string, task string) ([]Publication, error) {
	client, err := corev1client.NewForConfig(connection.Config)
	if err != nil {
		return nil, err
	}
	indexes := map[string]*corev1.ConfigMap{}
	if len(namespaces) == 0 {
		list, err := client.ConfigMaps("").List(ctx, metav1.ListOptions{LabelSelector: registry.RoleLabel + "=" + registry.RoleIndex, Limit: maxRegistries})
		if err != nil || list.Continue != "" {
			return nil, err
		}
		for i := range list.Items {
			indexes[list.Items[i].Namespace] = &list.Items[i]
			namespaces = append(namespaces, list.Items[i].Namespace)
		}
	}
	var all []Publication
	for _, namespace := range slices.Sorted(slices.Values(namespaces)) {
		index := indexes[namespace]
		if index == nil {
			if index, err = configMap(ctx, client, namespace, registry.ConfigMapName); err != nil {
				return nil, err
			}
		}
		p := Publication{Namespace: namespace, HasRegistry: index != nil}
		if index == nil {
			p.IsTaken = isTaken(ctx, client, namespace)
		} else if err := p.look(ctx, client, index, task); err != nil {
			return nil, fmt.Errorf("the registry of namespace %s: %w", namespace, err)
		}
		all = append(all, p)
	}
	return all, nil
}

// look looks for a task in the ConfigMap that would have it.
func (p *Publication) look(ctx context.Context, client *corev1client.CoreV1Client, index *corev1.ConfigMap, task string) error {
	decoded, err := registry.DecodeIndex(index)
	if err != nil {
		return err
	}
	ref := decoded.ShardOf(task)
	if ref == nil {
		return nil
	}
	shard := index
	if ref.Name != index.Name {
		if shard, err = configMap(ctx, client, p.Namespace, ref.Name); err != nil || shard == nil {
			return err
		}
	}
	_, p.HasTask = shard.Data[task]
	for name := range shard.Data {
		if name != registry.IndexKey && name != task {
			p.Others = append(p.Others, name)
		}
	}
	slices.Sort(p.Others)
	return nil
}

// configMap returns a ConfigMap of a registry by the right to list them, which is all that readers need. Nil if there is none.
func configMap(ctx context.Context, client *corev1client.CoreV1Client, namespace, name string) (*corev1.ConfigMap, error) {
	return named(ctx, client, namespace, name, registry.Selector)
}

// named returns a ConfigMap by the right to list them. Nil if there is none that a selector selects.
func named(ctx context.Context, client *corev1client.CoreV1Client, namespace, name, selector string) (*corev1.ConfigMap, error) {
	list, err := client.ConfigMaps(namespace).List(ctx, metav1.ListOptions{
		LabelSelector: selector, FieldSelector: fields.OneTermEqualSelector("metadata.name", name).String(),
	})
	if err != nil {
		return nil, err
	}
	for i := range list.Items {
		if list.Items[i].Name == name { // a server that knows no selectors answers with all
			return &list.Items[i], nil
		}
	}
	return nil, nil
}

// isTaken reports whether somebody else's ConfigMap has the name of the registry, which a namespace does not have. It reports false where
// that cannot be asked.
func isTaken(ctx context.Context, client *corev1client.CoreV1Client, namespace string) bool {
	found, err := named(ctx, client, namespace, registry.ConfigMapName, "")
	return err == nil && found != nil && !registry.Owned(found)
}

// TakenError is that somebody else's ConfigMap has the name of the registry of a namespace, so that nothing is published there.
type TakenError struct{ Namespace string }

// Error implements error.
func (e *TakenError) Error() string {
	return fmt.Sprintf("namespace %s has no registry: its ConfigMap %s belongs to someone else, and the registry needs its name: delete it, and create it "+
		"anew under another name if it is needed; the operator then publishes at once", e.Namespace, registry.ConfigMapName)
}

// NoRegistryError is that a namespace has no registry. Nothing says yet that there is the namespace.
type NoRegistryError struct {
	Namespace  string
	connection *cluster.Connection
	advice     string
}

// Error implements error.
func (e *NoRegistryError) Error() string {
	return fmt.Sprintf("namespace %s has no registry: no ConfigMap %s that an operator of MaRegister wrote; %s", e.Namespace, registry.ConfigMapName, e.advice)
}

// Existence asks whether there is the namespace.
func (e *NoRegistryError) Existence(ctx context.Context) cluster.Existence {
	return e.connection.Existence(ctx, e.Namespace)
}
