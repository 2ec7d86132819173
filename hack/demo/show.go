package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/printers"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/registry"
	"github.com/maze-agent/maregister/test/testutil"
)

const (
	// shownEntry is the entry that is printed whole.
	shownEntry = "image_caption"
	// width is the longest line that we make, in columns.
	width = 100
)

// show prints the tasks, the registry, a workflow that it runs, and how to go on.
func show(ctx context.Context, c client.Client, config *rest.Config, operator *manager) error {
	heading("The tasks: kubectl get mazetasks")
	if err := showTable(ctx, config, "mazetasks"); err != nil {
		return fmt.Errorf("print the tasks: %w", err)
	}
	var tasks v1alpha1.MazeTaskList
	if err := c.List(ctx, &tasks, client.InNamespace(namespace)); err != nil {
		return err
	}
	heading("Not ready, and why: kubectl describe mazetask NAME")
	showReasons(tasks.Items)
	heading("What their Pods ask for: kubectl get mazetask NAME -o jsonpath='{.status.placement}'")
	if err := showPlacements(tasks.Items); err != nil {
		return err
	}
	index, err := showRegistry(ctx, c, tasks.Items)
	if err != nil {
		return fmt.Errorf("print the registry: %w", err)
	}
	heading("The workflows, checked by what the registry serves: kubectl get mazeworkflows")
	if err := showTable(ctx, config, "mazeworkflows"); err != nil {
		return fmt.Errorf("print the workflows: %w", err)
	}
	if err := showWorkflow(ctx, operator.folder(), index.Data); err != nil {
		return fmt.Errorf("run a workflow: %w", err)
	}
	if os.Getenv("ONCE") == "" {
		showHints(operator)
	} else {
		fmt.Printf("\nAll %d samples are as they should be.\n", len(expected))
	}
	return nil
}

// heading begins a section. It names the command that shows the same.
func heading(title string) {
	fmt.Printf("\n%s\n%s\n", title, strings.Repeat("─", width))
}

// showTable prints the table that the API server renders for kubectl.
func showTable(ctx context.Context, config *rest.Config, resource string) error {
	config = rest.CopyConfig(config)
	config.NegotiatedSerializer = scheme.Codecs.WithoutConversion()
	c, err := rest.UnversionedRESTClientFor(config)
	if err != nil {
		return err
	}
	rendered, err := c.Get().
		AbsPath("apis", v1alpha1.SchemeGroupVersion.String(), "namespaces", namespace, resource).
		SetHeader("Accept", "application/json;as=Table;g=meta.k8s.io;v=v1").
		DoRaw(ctx)
	if err != nil {
		return err
	}
	var table metav1.Table
	if err := json.Unmarshal(rendered, &table); err != nil {
		return err
	}
	return printers.NewTablePrinter(printers.PrintOptions{}).PrintObj(&table, os.Stdout)
}

func showReasons(tasks []v1alpha1.MazeTask) {
	for _, task := range tasks {
		if c := meta.FindStatusCondition(task.Status.Conditions, v1alpha1.ConditionReady); c.Status != metav1.ConditionTrue {
			fmt.Printf("%s: %s\n%s", task.Name, c.Reason, wrap(c.Message))
		}
	}
}

// showPlacements prints how many GPUs each task takes, and why.
func showPlacements(tasks []v1alpha1.MazeTask) error {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 3, ' ', 0)
	fmt.Fprintln(w, "MAZETASK\tGPU MEMORY\tGPUS\tOF EACH AT LEAST\tTENSOR PARALLEL")
	for _, task := range tasks {
		if task.Status.Placement == nil || task.Status.Placement.GPU == nil {
			continue
		}
		gpu, parallel := task.Status.Placement.GPU, ""
		if gpu.TensorParallelSize > 0 {
			parallel = fmt.Sprint(gpu.TensorParallelSize)
		}
		fmt.Fprintf(w, "%s\t%s\t%d\t%dMi\t%s\n", task.Name, task.Spec.Resources.GPUMemory, gpu.Count, gpu.MemoryPerGPU, parallel)
	}
	return w.Flush()
}

// wrap breaks a text into indented lines.
func wrap(text string) string {
	const indent = "  "
	var lines strings.Builder
	line := indent
	for _, word := range strings.Fields(text) {
		if line != indent && len(line)+1+len(word) > width {
			lines.WriteString(line + "\n")
			line = indent
		}
		if line != indent {
			line += " "
		}
		line += word
	}
	return lines.String() + line + "\n"
}

// showRegistry prints the registry, after checking that it serves the tasks that say so, and no others. It returns its one ConfigMap.
func showRegistry(ctx context.Context, c client.Client, tasks []v1alpha1.MazeTask) (*corev1.ConfigMap, error) {
	index := &corev1.ConfigMap{}
	if err := c.Get(ctx, client.ObjectKey{Namespace: namespace, Name: registry.ConfigMapName}, index); err != nil {
		return nil, err
	}
	entries, err := registry.Parse(index, func(string) *corev1.ConfigMap { return nil })
	if err != nil {
		return nil, err
	}
	var ready []string
	for i := range tasks {
		if meta.IsStatusConditionTrue(tasks[i].Status.Conditions, v1alpha1.ConditionReady) {
			ready = append(ready, tasks[i].Spec.Name)
		}
	}
	slices.Sort(ready)
	names := slices.Sorted(maps.Keys(entries))
	if !slices.Equal(ready, names) {
		return nil, fmt.Errorf("the tasks %q are ready, but the registry serves %q", ready, names)
	}
	heading(`The registry's index: kubectl get configmap maze-registry -o jsonpath='{.data.\.index}'`)
	if err := showJSON(index.Data[registry.IndexKey]); err != nil {
		return nil, err
	}
	heading("Its entries: kubectl describe configmap maze-registry")
	if err := showEntries(names, entries); err != nil {
		return nil, err
	}
	heading("One of them: kubectl get configmap maze-registry -o jsonpath='{.data." + shownEntry + "}'")
	return index, showJSON(entries[shownEntry])
}

func showEntries(names []string, entries map[string]string) error {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 3, ' ', 0)
	fmt.Fprintln(w, "KEY\tMAZETASK\tGENERATION\tBYTES\tDESCRIPTION")
	for _, name := range names {
		var entry registry.Entry
		if err := json.Unmarshal([]byte(entries[name]), &entry); err != nil {
			return err
		}
		description, _, _ := strings.Cut(ptr.Deref(entry.Description, ""), "\n")
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%s\n",
			name, entry.Kubernetes.Name, entry.Kubernetes.Generation, len(entries[name]), description)
	}
	return w.Flush()
}

func showJSON(text string) error {
	var indented bytes.Buffer
	if err := json.Indent(&indented, []byte(text), "", "  "); err != nil {
		return err
	}
	fmt.Println(indented.String())
	return nil
}

// showHints says how to go on by hand.
func showHints(operator *manager) {
	heading("Go on in another terminal")
	if kubectl := filepath.Join(os.Getenv("KUBEBUILDER_ASSETS"), "kubectl"); exists(kubectl) {
		fmt.Println("alias kubectl=" + kubectl)
	} else if _, err := exec.LookPath("kubectl"); err != nil {
		fmt.Printf("alias kubectl=$(go -C %s run . kubectl)/kubectl   # there is none here: this fetches or builds one\n",
			filepath.Join(testutil.Root(), "hack", "controlplane"))
	}
	fmt.Printf(`export KUBECONFIG=%s KUBECACHEDIR=%s
export %s

kubectl explain mazetask.spec.resources
kubectl describe mazetask geocode-address
kubectl get events --watch
kubectl cordon gpu-h100                  # answer-question: Placeable is False, and says why
kubectl delete mazetask ocr-page-v2      # ocr-page-v1 takes over the name
kubectl patch mazetask fetch-url --type=merge -p '{"spec":{"inputParameters":{"url":{"type":"uri"}}}}'
kubectl get mazetask fetch-url -o wide   # not ready: the entry from before the bad edit stays served
%s # what t1 has left is there
tail -f %s

Ctrl-C stops it all and removes %s
`, operator.kubeconfig, filepath.Join(operator.folder(), "kubectl"), strings.Join(newRunner(operator.folder()).environment(), " "), again,
		operator.logPath, operator.folder())
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
