package catalogue

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
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

// Published is a registry as it was read: its ConfigMaps, or the tasks in the original's form.
type Published struct {
	// From is where it is from, as a summary says it: namespace vision.
	From       string
	configMaps []corev1.ConfigMap
	metas      map[string]registry.TaskMeta
}

// Published reads the registry of --registry, or without it that of the cluster.
func (s *Options) Published(ctx context.Context, stdin io.Reader) (*Published, error) {
	switch s.Registry {
	case "":
		return s.readCluster(ctx)
	case terminal.StdinArgument:
		content, err := terminal.Until(ctx, func() ([]byte, error) { return io.ReadAll(stdin) })
		if err != nil {
			return nil, fmt.Errorf("read the standard input: %w", err)
		}
		return s.decodeRegistry("the standard input", content)
	}
	info, err := os.Stat(s.Registry)
	if err != nil {
		return nil, fmt.Errorf("read the registry: %w", err)
	}
	if info.IsDir() {
		all, err := readMounted(s.Registry)
		if err != nil {
			return nil, fmt.Errorf("read the registry: %w", err)
		}
		return &Published{From: s.Registry, configMaps: all}, nil
	}
	content, err := terminal.Until(ctx, func() ([]byte, error) { return os.ReadFile(s.Registry) })
	if err != nil {
		return nil, fmt.Errorf("read the registry: %w", err)
	}
	return s.decodeRegistry(s.Registry, content)
}

// IsMounted reports whether a folder is one where a registry is mounted.
func IsMounted(folder string) bool {
	_, err := os.Stat(filepath.Join(folder, registry.IndexKey))
	return err == nil
}

// readPublished reads the tasks of a registry.
func (s *Options) readPublished(ctx context.Context, stdin io.Reader, tell func(string, ...any)) (*Catalogue, error) {
	published, err := s.Published(ctx, stdin)
	if err != nil {
		return nil, err
	}
	known := &Catalogue{byName: map[string]knownTask{}, from: published.From, whereNone: "give another registry"}
	if s.Registry == "" {
		known.whereNone = "choose another namespace " + s.Advice.Namespace
	}
	err = published.Entries(tell, func(entry *registry.Entry) {
		known.Namespace = cmp.Or(known.Namespace, entry.Kubernetes.Namespace)
		known.byName[entry.Name] = knownTask{
			Task:   dag.Task{Input: entry.Schema.Input, Output: entry.Schema.Output, Deprecated: entry.Deprecated, Execution: executionOf(entry)},
			object: entry.Kubernetes.Name, requirement: placement.RequirementOf(entry.SpecResources()),
		}
	})
	return known, err
}

// decodeRegistry reads ConfigMaps, or what "discover -o task-meta" prints.
func (s *Options) decodeRegistry(name string, content []byte) (*Published, error) {
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
		return &Published{From: s.inNamespace(name), configMaps: all}, nil
	}
	var metas map[string]registry.TaskMeta
	if err := json.Unmarshal(content, &metas); err != nil || len(metas) == 0 {
		return nil, fmt.Errorf("%s is no registry: it has neither ConfigMaps, as printed by: %s, nor what discover -o task-meta prints", name, howToPrint)
	}
	return &Published{From: name, metas: metas}, nil
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

// Entries hands over the entries, by name. tell gets what is left out, and why.
func (p *Published) Entries(tell func(string, ...any), do func(*registry.Entry)) error {
	if p.metas != nil {
		return p.fromTaskMetas(tell, do)
	}
	return p.fromConfigMaps(do)
}

// fromConfigMaps reads the entries of a registry, of which all ConfigMaps have to be there and as the index says.
func (p *Published) fromConfigMaps(do func(*registry.Entry)) error {
	byName := map[string]*corev1.ConfigMap{}
	for i := range p.configMaps {
		byName[p.configMaps[i].Name] = &p.configMaps[i]
	}
	index := byName[registry.ConfigMapName]
	if index == nil {
		return fmt.Errorf("%s has no ConfigMap %s", p.From, registry.ConfigMapName)
	}
	texts, err := registry.Parse(index, func(name string) *corev1.ConfigMap { return byName[name] })
	if err != nil {
		return fmt.Errorf("the registry of %s is not whole: %w; it is made of all ConfigMaps that %q selects", p.From, err, registry.Selector)
	}
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		entry, err := registry.DecodeEntry(texts[name])
		if err != nil {
			return fmt.Errorf("the registry of %s: task %s: %w", p.From, name, err)
		}
		entry.Name = name
		do(&entry)
	}
	return nil
}

// fromTaskMetas reads tasks in the original's form, which has no normalised schemas.
func (p *Published) fromTaskMetas(tell func(string, ...any), do func(*registry.Entry)) error {
	done := 0
	for _, name := range slices.Sorted(maps.Keys(p.metas)) {
		meta := p.metas[name]
		if meta.Name != name {
			return fmt.Errorf("%s: the task %q is called %q inside; it is not what discover -o task-meta prints", p.From, name, meta.Name)
		}
		input, _, inputErr := taskschema.Parse(meta.InputParameters)
		output, _, outputErr := taskschema.Parse(meta.OutputParameters)
		switch {
		case inputErr != nil:
			tell("task %s is left out: input_parameters: %v", name, inputErr)
		case outputErr != nil:
			tell("task %s is left out: output_parameters: %v", name, outputErr)
		default:
			done++
			do(&registry.Entry{TaskMeta: meta, Schema: registry.Interface{Input: input.JSON(), Output: output.JSON()}})
		}
	}
	if done == 0 {
		return errors.New("no task of " + p.From + " can be used")
	}
	return nil
}
