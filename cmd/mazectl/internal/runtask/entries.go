package runtask

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"

	"github.com/maze-agent/maregister/internal/registry"
)

// Entries returns the texts of the entries that a namespace's registry has, by name, read in one request: so its ConfigMaps are of one moment.
func Entries(ctx context.Context, config *rest.Config, namespace string) (map[string]string, error) {
	client, err := corev1client.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	list, err := client.ConfigMaps(namespace).List(ctx, metav1.ListOptions{LabelSelector: registry.Selector})
	if err != nil {
		return nil, fmt.Errorf("read the registry of namespace %s: %w", namespace, err)
	}
	byName := map[string]*corev1.ConfigMap{}
	for i := range list.Items {
		byName[list.Items[i].Name] = &list.Items[i]
	}
	index := byName[registry.ConfigMapName]
	if index == nil {
		return nil, fmt.Errorf("namespace %s has no registry: no ConfigMap %s that an operator of MaRegister wrote; choose another namespace with -n",
			namespace, registry.ConfigMapName)
	}
	entries, err := registry.Parse(index, func(name string) *corev1.ConfigMap { return byName[name] })
	if err != nil {
		return nil, fmt.Errorf("the registry of namespace %s is not whole: %w", namespace, err)
	}
	return entries, nil
}
