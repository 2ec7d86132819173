package faults

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/types"
)

// What README.md says of the registry's ConfigMaps, read here without the operator's code.
const (
	indexName        = "maze-registry"
	indexKey         = ".index"
	roleLabel        = "registry.mazeagent.net/registry"
	managedByLabel   = "app.kubernetes.io/managed-by"
	sourceAnnotation = "registry.mazeagent.net/source-resource-version"
	fieldOwner       = "registry.mazeagent.net/manager"
)

type index struct {
	Format     int    `json:"format"`
	Generation int64  `json:"generation"`
	Tasks      int    `json:"tasks"`
	Shards     []part `json:"shards"`
}

// part is what the index says of a ConfigMap with entries.
type part struct {
	Name   string `json:"name"`
	Prefix string `json:"prefix"`
	Tasks  int    `json:"tasks"`
	Digest string `json:"digest"`
}

type entry struct {
	Name             string          `json:"name"`
	Description      *string         `json:"description"`
	InputParameters  json.RawMessage `json:"input_parameters"`
	OutputParameters json.RawMessage `json:"output_parameters"`
	Resources        struct {
		Type      string  `json:"type"`
		CPUNum    int64   `json:"cpu_num"`
		Mem       int64   `json:"mem"`
		GPUMem    int64   `json:"gpu_mem"`
		ModelName *string `json:"model_name"`
		Backend   *string `json:"backend"`
	} `json:"resources"`
	Schema     map[string]json.RawMessage `json:"schema"`
	EntryPoint *string                    `json:"entry_point"`
	Predictor  *string                    `json:"predictor"`
	Digest     map[string]string          `json:"digest"`
	Kubernetes struct {
		Namespace     string          `json:"namespace"`
		Name          string          `json:"name"`
		UID           types.UID       `json:"uid"`
		Generation    int64           `json:"generation"`
		Placement     json.RawMessage `json:"placement"`
		PredictorRule string          `json:"predictorRule"`
	} `json:"kubernetes"`

	text string
}

type placement struct {
	Requests map[corev1.ResourceName]resource.Quantity `json:"requests"`
	Limits   map[corev1.ResourceName]resource.Quantity `json:"limits"`
	GPU      *struct {
		Count        int64  `json:"count"`
		MemoryPerGPU int64  `json:"memoryPerGPU"`
		ResourceName string `json:"resourceName"`
	} `json:"gpu"`
}

func decodeIndex(configMap *corev1.ConfigMap) (*index, error) {
	var i index
	if err := json.Unmarshal([]byte(configMap.Data[indexKey]), &i); err != nil {
		return nil, fmt.Errorf("the index cannot be read: %w", err)
	}
	if i.Format != 1 {
		return nil, fmt.Errorf("the index has format %d", i.Format)
	}
	return &i, nil
}

// owned reports whether a ConfigMap is the operator's: by its label or, should that be lost, by its fields' manager.
func owned(configMap *corev1.ConfigMap) bool {
	if configMap.Labels[roleLabel] != "" {
		return true
	}
	for _, f := range configMap.ManagedFields {
		if f.Manager == fieldOwner {
			return true
		}
	}
	return false
}

// broken is a registry that is not as its index says, because of one ConfigMap.
type broken struct {
	name string
	text string
}

// Error implements error.
func (b *broken) Error() string { return fmt.Sprintf("ConfigMap %s %s", b.name, b.text) }

// readRegistry returns the entries of a registry by name. decode reads an entry: it may remember those that it has read.
func readRegistry(configMaps map[string]*corev1.ConfigMap, decode func(text string) (*entry, error)) (*index, map[string]*entry, *broken) {
	head := configMaps[indexName]
	if head == nil {
		return nil, nil, &broken{indexName, "is not there"}
	}
	i, err := decodeIndex(head)
	if err != nil {
		return nil, nil, &broken{indexName, err.Error()}
	}
	entries := map[string]*entry{}
	for _, part := range i.Shards {
		shard := configMaps[part.Name]
		if shard == nil {
			return i, nil, &broken{part.Name, "is named by the index, and is not there"}
		}
		if digest := contentDigest(shard.Data); digest != part.Digest {
			return i, nil, &broken{part.Name, fmt.Sprintf("has the digest %s, and the index says %s", digest, part.Digest)}
		}
		before := len(entries)
		for key, text := range shard.Data {
			if key == indexKey {
				continue
			}
			if entries[key] != nil {
				return i, nil, &broken{part.Name, fmt.Sprintf("has the entry %s, and so has another shard", key)}
			}
			e, err := decode(text)
			if err != nil || e.Name != key {
				return i, nil, &broken{part.Name, fmt.Sprintf("has the entry %s, which is none: %v", key, err)}
			}
			entries[key] = e
		}
		if len(entries)-before != part.Tasks {
			return i, nil, &broken{part.Name, fmt.Sprintf("has %d entries, and the index says %d", len(entries)-before, part.Tasks)}
		}
	}
	if len(entries) != i.Tasks {
		return i, nil, &broken{indexName, fmt.Sprintf("says there are %d tasks, and there are %d", i.Tasks, len(entries))}
	}
	return i, entries, nil
}

// decodeEntry reads an entry.
func decodeEntry(text string) (*entry, error) {
	e := &entry{text: text}
	if err := json.Unmarshal([]byte(text), e); err != nil {
		return nil, err
	}
	return e, nil
}

// contentDigest is what README.md says that sha256sum prints of a folder with the entries.
func contentDigest(data map[string]string) string {
	var lines strings.Builder
	for _, key := range slices.Sorted(maps.Keys(data)) {
		if key != indexKey {
			sum := sha256.Sum256([]byte(data[key]))
			fmt.Fprintf(&lines, "%s  %s\n", hex.EncodeToString(sum[:]), key)
		}
	}
	return textDigest(lines.String())
}

func textDigest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// canonical reports whether a text is JSON with sorted keys and without white space.
func canonical(text string) bool {
	var value any
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&value); err != nil {
		return false
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return false
	}
	return strings.TrimSuffix(out.String(), "\n") == text
}

// wantedLayout returns how README.md and the design say that entries are spread: over maze-registry itself while they fit, else by the
// leading bits of the SHA-256 of their names, halved until each part has one entry or fits into half of that. maze-registry holds the
// size of shards less 1 KiB.
func wantedLayout(entries map[string]*entry, shardSize int) []part {
	names := slices.Collect(maps.Keys(entries))
	return layOut(entries, names, "", shardSize-1<<10)
}

func layOut(entries map[string]*entry, names []string, prefix string, capacity int) []part {
	if len(names) == 0 && prefix != "" {
		return nil
	}
	size, data := 0, map[string]string{}
	for _, name := range names {
		size += len(name) + len(entries[name].text)
		data[name] = entries[name].text
	}
	if size <= capacity && prefix == "" || size <= capacity/2 || len(names) == 1 {
		p := part{Name: indexName, Prefix: prefix, Tasks: len(names), Digest: contentDigest(data)}
		if prefix != "" {
			p.Name = fmt.Sprintf("%s-%s-%s", indexName, prefix, strings.TrimPrefix(p.Digest, "sha256:")[:10])
		}
		return []part{p}
	}
	var halves [2][]string
	for _, name := range names {
		sum := sha256.Sum256([]byte(name))
		bit := sum[len(prefix)/8] >> (7 - len(prefix)%8) & 1
		halves[bit] = append(halves[bit], name)
	}
	return append(layOut(entries, halves[0], prefix+"0", capacity), layOut(entries, halves[1], prefix+"1", capacity)...)
}
