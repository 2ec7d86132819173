// Package registryreader tests the Python reader of a published registry.
package registryreader

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/client"
	"github.com/maze-agent/maregister/internal/placement"
	"github.com/maze-agent/maregister/internal/registry"
	"github.com/maze-agent/maregister/internal/task"
)

// newTask returns a task that needs 4Gi of GPU memory. The object image-caption has the task image_caption.
func newTask(name string) *v1alpha1.MazeTask {
	gpuMemory, cpu, memory := resource.MustParse("4Gi"), resource.MustParse("1"), resource.MustParse("1Gi")
	return &v1alpha1.MazeTask{
		ObjectMeta: metav1.ObjectMeta{Namespace: "vision", Name: strings.ReplaceAll(name, "_", "-"), UID: "1", Generation: 1},
		Spec: v1alpha1.MazeTaskSpec{
			Name:        name,
			Description: "为输入图像生成描述性文本 & <more>",
			Resources:   v1alpha1.Resources{Type: v1alpha1.ResourceTypeGPU, CPU: &cpu, Memory: &memory, GPUMemory: &gpuMemory},
			EntryPoint:  "tools.image:image_caption",
		},
	}
}

// placementOf returns what a task needs where no node is known.
func placementOf(mazeTask *v1alpha1.MazeTask) v1alpha1.Placement {
	nodes := placement.NewBuilder(placement.DefaultConfig()).Inventory()
	return placement.Resolve(placement.RequirementOf(&mazeTask.Spec.Resources), nodes).Placement
}

// publish returns the ConfigMaps that make up the registry of the named tasks, as kubectl would list them.
func publish(t *testing.T, names ...string) []corev1.ConfigMap {
	t.Helper()
	items := make([]registry.Item, len(names))
	for i, name := range names {
		mazeTask := newTask(name)
		verdict := task.Judge(&mazeTask.Spec)
		parameters := registry.Interface{Input: verdict.Input.JSON(), Output: verdict.Output.JSON()}
		entry, err := registry.NewEntry(mazeTask, parameters, placementOf(mazeTask), registry.DefaultPredictorRules())
		if err != nil {
			t.Fatal(err)
		}
		if items[i], err = entry.Encode(); err != nil {
			t.Fatal(err)
		}
	}
	shards := registry.Split(items, registry.MinShardSize)
	index, err := registry.Render("vision", shards, registry.NewIndex(shards, registry.Index{}), nil, "1")
	if err != nil {
		t.Fatal(err)
	}
	list := []corev1.ConfigMap{*index}
	for _, shard := range shards {
		if shard.Name != registry.ConfigMapName {
			list = append(list, *shard.ConfigMap("vision"))
		}
	}
	return list
}

// numbered returns names such as task-001.
func numbered(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("task-%03d", i)
	}
	return names
}

func TestPythonReadsTheRegistry(t *testing.T) {
	cases := map[string]struct {
		configMaps []corev1.ConfigMap
		harm       func(list []corev1.ConfigMap) []corev1.ConfigMap
		want       []string
		wantErr    string
	}{
		"no task":  {configMaps: publish(t)},
		"one":      {configMaps: publish(t, "image_caption"), want: []string{"image_caption"}},
		"in order": {configMaps: publish(t, "b", "B-2", "a.1", "A-b"), want: []string{"A-b", "B-2", "a.1", "b"}},
		"several shards": {
			configMaps: publish(t, numbered(100)...),
			want:       numbered(100),
		},
		"ConfigMaps of others, and shards of other states": {
			configMaps: publish(t, numbered(40)...),
			harm: func(list []corev1.ConfigMap) []corev1.ConfigMap {
				other := corev1.ConfigMap{Data: map[string]string{"ghost": "{}"}, BinaryData: map[string][]byte{"b": {0xff}}}
				other.Namespace, other.Name = "vision", "kube-root-ca.crt"
				older := publish(t, numbered(39)...)
				return append(append(older[1:], list...), other)
			},
			want: numbered(40),
		},
		"a namespace without a registry": {
			harm: func([]corev1.ConfigMap) []corev1.ConfigMap { return nil },
		},
		"only ConfigMaps of others": {
			harm: func([]corev1.ConfigMap) []corev1.ConfigMap { return []corev1.ConfigMap{*named("kube-root-ca.crt")} },
		},
		"only a shard": {
			configMaps: publish(t, numbered(40)...)[1:2],
			wantErr:    "there is no ConfigMap maze-registry with a key .index",
		},
		"someone else's": {
			harm: func([]corev1.ConfigMap) []corev1.ConfigMap { return []corev1.ConfigMap{*named("maze-registry")} },
		},
		"a whole one of someone else": {
			configMaps: publish(t, "image_caption"),
			harm:       labelled(nil),
		},
		"a whole one with an empty label": {
			configMaps: publish(t, "image_caption"),
			harm:       labelled(map[string]string{registry.RoleLabel: ""}),
		},
		"a whole one with another label": {
			configMaps: publish(t, numbered(40)...),
			harm:       labelled(map[string]string{registry.RoleLabel: "copy"}),
		},
		"an index without content": {
			configMaps: publish(t, "image_caption"),
			harm: func(list []corev1.ConfigMap) []corev1.ConfigMap {
				list[0].Data = nil
				return list
			},
			wantErr: "there is no ConfigMap maze-registry with a key .index",
		},
		"a later format": {
			configMaps: publish(t, "image_caption"),
			harm: func(list []corev1.ConfigMap) []corev1.ConfigMap {
				list[0].Data[registry.IndexKey] = strings.Replace(list[0].Data[registry.IndexKey], `"format":1`, `"format":2`, 1)
				return list
			},
			wantErr: "the registry has format 2; this reads format 1",
		},
		"an entry edited": {
			configMaps: publish(t, "image_caption"),
			harm: func(list []corev1.ConfigMap) []corev1.ConfigMap {
				list[0].Data["image_caption"] = strings.Replace(list[0].Data["image_caption"], "4096", "40", 1)
				return list
			},
			wantErr: "ConfigMap maze-registry is not what the index names: list the ConfigMaps again",
		},
		"a shard gone": {
			configMaps: publish(t, numbered(40)...),
			harm:       func(list []corev1.ConfigMap) []corev1.ConfigMap { return slices.Delete(list, 1, 2) },
			wantErr:    "is not what the index names: list the ConfigMaps again",
		},
		"two namespaces": {
			configMaps: publish(t, "image_caption"),
			harm: func(list []corev1.ConfigMap) []corev1.ConfigMap {
				other := publish(t, "speech_to_text")[0]
				other.Namespace = "speech"
				return append(list, other)
			},
			wantErr: "these are the registries of speech, vision: have kubectl get those of one namespace, by -n",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			list := tc.configMaps
			if tc.harm != nil {
				list = tc.harm(list)
			}
			out, err := python(t, marshal(t, map[string]any{"apiVersion": "v1", "kind": "List", "items": list}))
			checkPython(t, out, err, tc.want, tc.wantErr)
		})
	}
}

func TestPythonReadsFiles(t *testing.T) {
	var files []string
	for _, configMap := range publish(t, numbered(20)...) {
		file := filepath.Join(t.TempDir(), configMap.Name+".json")
		if err := os.WriteFile(file, marshal(t, configMap), 0o600); err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	out, err := python(t, nil, files...)
	checkPython(t, out, err, numbered(20), "")
	_, err = python(t, nil, filepath.Join(t.TempDir(), "none.json"))
	checkPython(t, "", err, nil, "none.json")
}

func TestPythonHasAUsage(t *testing.T) {
	out, err := python(t, nil, "--help")
	if err != nil || !strings.Contains(out, "usage: read_registry.py") || !strings.Contains(out, "FILE|FOLDER") {
		t.Errorf("want the usage, got %q and %v", out, err)
	}
}

// TestPythonReadsFolders: as the kubelet mounts a ConfigMap, it is a link to a folder with the files of one version.
func TestPythonReadsFolders(t *testing.T) {
	cases := map[string]struct {
		data    map[string]string
		want    []string
		wantErr string
	}{
		"one ConfigMap":      {data: publish(t, "image_caption", "split_pdf")[0].Data, want: []string{"image_caption", "split_pdf"}},
		"no task":            {data: publish(t)[0].Data},
		"several ConfigMaps": {data: publish(t, numbered(60)...)[0].Data, wantErr: "ConfigMaps, and "},
		"not there yet":      {data: map[string]string{}},
		"no index":           {data: map[string]string{"image_caption": "{}"}, wantErr: "there is no ConfigMap maze-registry with a key .index"},
		"not text":           {data: map[string]string{".index": "\xff"}, wantErr: "can't decode byte 0xff"},
		"no version":         {wantErr: "No such file or directory"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			version := filepath.Join(folder, "..2026_11_26")
			if tc.data != nil {
				if err := os.Mkdir(version, 0o700); err != nil {
					t.Fatal(err)
				}
			}
			for key, text := range tc.data {
				if err := os.WriteFile(filepath.Join(version, key), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.Symlink(filepath.Base(version), filepath.Join(folder, "..data")); err != nil {
				t.Fatal(err)
			}
			out, err := python(t, nil, folder)
			checkPython(t, out, err, tc.want, tc.wantErr)
		})
	}
}

// TestPythonAndGoReadPlainFolders: the keys of a ConfigMap were written as files, without the kubelet's link.
func TestPythonAndGoReadPlainFolders(t *testing.T) {
	for name, tc := range map[string]struct {
		data            map[string]string
		want            []string
		wantErr, goSays string
	}{
		"one ConfigMap": {data: publish(t, "image_caption", "split_pdf")[0].Data, want: []string{"image_caption", "split_pdf"}},
		"no task":       {data: publish(t)[0].Data},
		"nothing":       {wantErr: "there is no ConfigMap maze-registry with a key .index", goSays: "has no file .index"},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			for key, text := range tc.data {
				if err := os.WriteFile(filepath.Join(folder, key), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.Mkdir(filepath.Join(folder, "other"), 0o700); err != nil {
				t.Fatal(err)
			}
			out, err := python(t, nil, folder)
			checkPython(t, out, err, tc.want, tc.wantErr)

			snapshot, err := client.ReadFolder(folder)
			if (err != nil) != (tc.goSays != "") || err != nil && !strings.Contains(err.Error(), tc.goSays) || len(snapshot.List()) != len(tc.want) {
				t.Errorf("want the client to read %d tasks, or the error %q, got %d and %v", len(tc.want), tc.goSays, len(snapshot.List()), err)
			}
		})
	}
}

// python3 returns the path of the interpreter itself, which starts faster than the wrappers that some machines have.
var python3 = sync.OnceValues(func() (string, error) {
	out, err := exec.Command("python3", "-c", "import sys; print(sys.executable)").Output()
	return strings.TrimSpace(string(out)), err
})

// python runs read_registry.py, and returns its output or what it says on stderr as an error.
func python(t *testing.T, stdin []byte, args ...string) (string, error) {
	t.Helper()
	interpreter, err := python3()
	if err != nil {
		t.Skipf("python3 does not run here (%v), so read_registry.py is not tested", err)
	}
	cmd := exec.Command(interpreter, append([]string{"read_registry.py"}, args...)...)
	cmd.Stdin = bytes.NewReader(stdin)
	cmd.Env = append(os.Environ(), "LC_ALL=C", "PYTHONUTF8=0") // the reader does not depend on the locale
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return stdout.String(), fmt.Errorf("%w: %s", err, stderr.String())
	}
	return stdout.String(), nil
}

// checkPython compares what read_registry.py printed with the names and the placement of the tasks that were published.
func checkPython(t *testing.T, out string, err error, want []string, wantErr string) {
	t.Helper()
	if wantErr != "" {
		if err == nil || !strings.Contains(err.Error(), wantErr) || strings.Contains(err.Error(), "Traceback") || out != "" {
			t.Errorf("want no output and the error %q, got %q and %v", wantErr, out, err)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	wantPlacement := any(nil)
	if err := json.Unmarshal(marshal(t, placementOf(newTask("any"))), &wantPlacement); err != nil {
		t.Fatal(err)
	}
	var names []string
	for line := range strings.Lines(out) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(fields) != 3 || fields[1] != "4096" {
			t.Fatalf("want the name, 4096 and the placement, got %q", line)
		}
		names = append(names, fields[0])
		var placed any
		if err := json.Unmarshal([]byte(fields[2]), &placed); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(wantPlacement, placed); diff != "" {
			t.Fatalf("placement of %s (-want +got):\n%s", fields[0], diff)
		}
	}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
}

// labelled returns what gives all ConfigMaps some labels and no others.
func labelled(labels map[string]string) func([]corev1.ConfigMap) []corev1.ConfigMap {
	return func(list []corev1.ConfigMap) []corev1.ConfigMap {
		for i := range list {
			list[i].Labels = labels
		}
		return list
	}
}

// named returns a ConfigMap without labels and content.
func named(name string) *corev1.ConfigMap {
	configMap := &corev1.ConfigMap{}
	configMap.Namespace, configMap.Name = "vision", name
	return configMap
}

func marshal(t *testing.T, value any) []byte {
	t.Helper()
	encoded, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return encoded
}
