package catalogue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/maze-agent/maregister/cmd/mazectl/internal/terminal"
	"github.com/maze-agent/maregister/internal/dag"
	"github.com/maze-agent/maregister/internal/jsontree"
	"github.com/maze-agent/maregister/internal/placement"
	"github.com/maze-agent/maregister/internal/registry"
	taskschema "github.com/maze-agent/maregister/internal/schema"
)

// howToPrint is how a user gets a file for --registry.
const howToPrint = "kubectl get configmaps -l '" + registry.Selector + "' -o yaml"

// readRegistry reads the registry of --registry.
func (s *Options) readRegistry(ctx context.Context, stdin io.Reader, tell func(string, ...any)) (*Catalogue, error) {
	if s.Registry == terminal.StdinArgument {
		content, err := terminal.Until(ctx, func() ([]byte, error) { return io.ReadAll(stdin) })
		if err != nil {
			return nil, fmt.Errorf("read the standard input: %w", err)
		}
		return s.decodeRegistry("the standard input", content, tell)
	}
	info, err := os.Stat(s.Registry)
	if err != nil {
		return nil, fmt.Errorf("read --registry: %w", err)
	}
	if info.IsDir() {
		all, err := readMounted(s.Registry)
		if err != nil {
			return nil, fmt.Errorf("read --registry: %w", err)
		}
		return entriesOf(all, s.Registry)
	}
	content, err := terminal.Until(ctx, func() ([]byte, error) { return os.ReadFile(s.Registry) })
	if err != nil {
		return nil, fmt.Errorf("read --registry: %w", err)
	}
	return s.decodeRegistry(s.Registry, content, tell)
}

// decodeRegistry reads ConfigMaps, or what "discover -o task-meta" prints.
func (s *Options) decodeRegistry(name string, content []byte, tell func(string, ...any)) (*Catalogue, error) {
	if !json.Valid(content) {
		converted, err := jsontree.YAMLToJSON(content)
		if err != nil {
			at, problem := err.Explain(content)
			return nil, fmt.Errorf("%s:%d:%d: this is neither JSON nor YAML: %s", name, at.Line, at.Column, problem)
		}
		content = converted
	}
	var head struct {
		Kind  string             `json:"kind"`
		Items []corev1.ConfigMap `json:"items"`
	}
	if err := json.Unmarshal(content, &head); err == nil && head.Kind != "" {
		if head.Kind == "ConfigMap" {
			head.Items = make([]corev1.ConfigMap, 1)
			err = json.Unmarshal(content, &head.Items[0])
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		all, err := s.chosen(name, head.Items)
		if err != nil {
			return nil, err
		}
		return entriesOf(all, s.inNamespace(name))
	}
	var metas map[string]registry.TaskMeta
	if err := json.Unmarshal(content, &metas); err != nil || len(metas) == 0 {
		return nil, fmt.Errorf("%s is no registry: it has neither ConfigMaps, as printed by: %s, nor what discover -o task-meta prints", name, howToPrint)
	}
	return fromTaskMetas(name, metas, tell)
}

// chosen returns the ConfigMaps of one namespace.
func (s *Options) chosen(name string, all []corev1.ConfigMap) ([]corev1.ConfigMap, error) {
	namespaces := map[string]bool{}
	for i := range all {
		if all[i].Name == registry.ConfigMapName {
			namespaces[all[i].Namespace] = true
		}
	}
	found := slices.Sorted(maps.Keys(namespaces))
	wanted := s.namespace()
	switch {
	case len(found) == 0:
		return nil, fmt.Errorf("%s has no ConfigMap %s; make it with: %s", name, registry.ConfigMapName, howToPrint)
	case wanted == "" && len(found) > 1:
		return nil, fmt.Errorf("%s has the registries of the namespaces %s; choose one with -n", name, strings.Join(found, ", "))
	case wanted == "":
		wanted = found[0]
	case !namespaces[wanted] && !namespaces[""]:
		return nil, fmt.Errorf("%s has no registry of namespace %s, but of %s", name, wanted, strings.Join(found, ", "))
	}
	return slices.DeleteFunc(slices.Clone(all), func(c corev1.ConfigMap) bool { return c.Namespace != wanted && c.Namespace != "" }), nil
}

// maxMounted is the most, in bytes, that is read of a folder: as much as that many ConfigMaps of the largest size.
const maxMounted = 64 << 20

// readMounted reads a folder where a registry's ConfigMaps are mounted, all of them in the one folder.
func readMounted(folder string) ([]corev1.ConfigMap, error) {
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, err
	}
	defer func() { _ = root.Close() }()
	mount, err := registry.ReadMount(root.FS(), maxMounted)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", folder, err)
	}
	data := mount.Data
	index := corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: registry.ConfigMapName}, Data: map[string]string{registry.IndexKey: data[registry.IndexKey]},
	}
	if _, ok := data[registry.IndexKey]; !ok {
		return nil, fmt.Errorf("%s has no file %s: it is no folder where %s is mounted", folder, registry.IndexKey, registry.ConfigMapName)
	}
	delete(data, registry.IndexKey)
	decoded, err := registry.DecodeIndex(&index)
	if err != nil {
		return nil, err
	}
	if others := len(decoded.Shards); len(data) == 0 && decoded.Tasks > 0 {
		return nil, fmt.Errorf("%s has only the index of a registry of %s in %s: read it from the API server or from a file, or set the "+
			"operator's registry.shardSize, at most 1 MiB, so that one is enough", folder, terminal.Plural(decoded.Tasks, "task"), terminal.Plural(others, "ConfigMap"))
	}
	all := []corev1.ConfigMap{index}
	shards := map[string]map[string]string{registry.ConfigMapName: index.Data}
	for _, ref := range decoded.Shards {
		if shards[ref.Name] == nil {
			shards[ref.Name] = map[string]string{}
			all = append(all, corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: ref.Name}, Data: shards[ref.Name]})
		}
	}
	for name, text := range data {
		if ref := decoded.ShardOf(name); ref != nil {
			shards[ref.Name][name] = text
		}
	}
	return all, nil
}

// entriesOf reads the entries of a registry, of which all ConfigMaps have to be there and as the index says.
func entriesOf(all []corev1.ConfigMap, from string) (*Catalogue, error) {
	byName := map[string]*corev1.ConfigMap{}
	for i := range all {
		byName[all[i].Name] = &all[i]
	}
	index := byName[registry.ConfigMapName]
	if index == nil {
		return nil, fmt.Errorf("%s has no ConfigMap %s", from, registry.ConfigMapName)
	}
	texts, err := registry.Parse(index, func(name string) *corev1.ConfigMap { return byName[name] })
	if err != nil {
		return nil, fmt.Errorf("the registry of %s is not whole: %w; it is made of all ConfigMaps that %q selects", from, err, registry.Selector)
	}
	known := &Catalogue{byName: make(map[string]knownTask, len(texts)), from: from}
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		entry, err := registry.DecodeEntry(texts[name])
		if err != nil {
			return nil, fmt.Errorf("the registry of %s: task %s: %w", from, name, err)
		}
		known.byName[name] = knownTask{
			Task:   dag.Task{Input: entry.Schema.Input, Output: entry.Schema.Output},
			object: entry.Kubernetes.Name, requirement: placement.RequirementOf(entry.SpecResources()),
		}
	}
	return known, nil
}

// fromTaskMetas reads tasks in the original's form, which has no normalised schemas.
func fromTaskMetas(from string, metas map[string]registry.TaskMeta, tell func(string, ...any)) (*Catalogue, error) {
	known := &Catalogue{byName: make(map[string]knownTask, len(metas)), from: from}
	for _, name := range slices.Sorted(maps.Keys(metas)) {
		meta := metas[name]
		if meta.Name != name {
			return nil, fmt.Errorf("%s: the task %q is called %q inside; it is not what discover -o task-meta prints", from, name, meta.Name)
		}
		input, _, inputErr := taskschema.Parse(meta.InputParameters)
		output, _, outputErr := taskschema.Parse(meta.OutputParameters)
		switch {
		case inputErr != nil:
			tell("task %s is left out: input_parameters: %v", name, inputErr)
		case outputErr != nil:
			tell("task %s is left out: output_parameters: %v", name, outputErr)
		default:
			known.byName[name] = knownTask{
				Task:        dag.Task{Input: input.JSON(), Output: output.JSON(), InputSchema: input, OutputSchema: output},
				requirement: placement.RequirementOf((&registry.Entry{TaskMeta: meta}).SpecResources()),
			}
		}
	}
	if len(known.byName) == 0 {
		return nil, errors.New("no task of " + from + " can be used")
	}
	return known, nil
}
