package chart

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/maze-agent/maregister/test/testutil"
)

// TestInstallationsAgree expects the same objects of the chart with its defaults, of `kubectl apply -k config/default`, and of the file
// that `make manifest` writes.
func TestInstallationsAgree(t *testing.T) {
	objects, _ := render(t, `{image: {repository: maregister, tag: dev}}`)
	chart := normalised(t, objects)
	kustomize := normalised(t, parse(t, run(t, "go", "tool", "-modfile=hack/tools/go.mod", "kustomize", "build", "config/default")))
	manifest := filepath.Join(t.TempDir(), "install.yaml")
	run(t, "make", "manifest", "MANIFEST="+manifest)
	content, err := os.ReadFile(manifest)
	if err != nil {
		t.Fatal(err)
	}
	delete(kustomize, "Namespace/maregister-system") // Helm makes it with --create-namespace
	if len(kustomize) == 0 || cmp.Diff(selectorsOf(chart), selectorsOf(kustomize)) != "" {
		t.Errorf("selectors differ, so that one way of installing cannot follow the other (-chart +kustomize):\n%s", cmp.Diff(selectorsOf(chart), selectorsOf(kustomize)))
	}
	if diff := cmp.Diff(chart, kustomize); diff != "" {
		t.Errorf("the chart and config/default differ (-chart +kustomize):\n%s", diff)
	}
	installed := normalised(t, parse(t, string(content)))
	delete(installed, "Namespace/maregister-system")
	if diff := cmp.Diff(chart, installed); diff != "" {
		t.Errorf("the chart and install.yaml differ (-chart +install.yaml):\n%s", diff)
	}
}

// run runs a command in the root folder.
func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	command := exec.Command(name, args...)
	command.Dir = testutil.Root()
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%s: %v", command, err)
	}
	return string(out)
}

// hashSuffix is what kustomize adds to the name of a ConfigMap that it makes.
var hashSuffix = regexp.MustCompile(`maregister-operator-[a-z0-9]{10}`)

// normalised leaves out in what the ways to install may differ: who made an object, the comments of the configuration, and how an edit of it
// restarts the operator.
func normalised(t *testing.T, objects []*unstructured.Unstructured) map[string]any {
	t.Helper()
	out := map[string]any{}
	for _, object := range objects {
		text, err := yaml.Marshal(object.Object)
		if err != nil {
			t.Fatal(err)
		}
		tree := values(t, hashSuffix.ReplaceAllString(string(text), "maregister-operator"))
		strip(tree)
		if rules, ok := tree["rules"].([]any); ok { // their order means nothing
			slices.SortFunc(rules, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
		}
		if data, ok := tree["data"].(map[string]any); ok && data["operator.yaml"] != nil {
			file := values(t, data["operator.yaml"].(string))
			if watched, ok := file["watchNamespaces"].([]any); ok && len(watched) == 0 {
				delete(file, "watchNamespaces")
			}
			data["operator.yaml"] = file
		}
		out[key(&unstructured.Unstructured{Object: tree})] = tree
	}
	return out
}

// selectorsOf returns by which labels objects select Pods. Those of a Deployment cannot be changed.
func selectorsOf(objects map[string]any) map[string]any {
	out := map[string]any{}
	for name, object := range objects {
		spec, ok := object.(map[string]any)["spec"].(map[string]any)
		if !ok {
			continue
		}
		for _, field := range []string{"selector", "podSelector"} {
			if spec[field] != nil {
				out[name] = spec[field]
			}
		}
	}
	return out
}

// strip removes labels and annotations that are not the same everywhere, and maps that are then empty.
func strip(tree map[string]any) {
	for name, value := range tree {
		if name == "selector" || name == "podSelector" || name == "labelSelector" { // they say which Pods are meant
			continue
		}
		inner, ok := value.(map[string]any)
		if list, isList := value.([]any); isList {
			for _, item := range list {
				if element, isMap := item.(map[string]any); isMap {
					strip(element)
				}
			}
		}
		if !ok {
			if name == "app.kubernetes.io/name" || strings.HasPrefix(name, "app.kubernetes.io/") || ignored[name] {
				delete(tree, name)
			}
			continue
		}
		strip(inner)
		if len(inner) == 0 && (name == "labels" || name == "annotations") {
			delete(tree, name)
		}
	}
}

var ignored = map[string]bool{"helm.sh/chart": true, "helm.sh/resource-policy": true, "checksum/config": true}

// TestDeletionGuardsAgree expects the same of the chart's guard and of config/deletionguard.
func TestDeletionGuardsAgree(t *testing.T) {
	all, _ := render(t, `{deletionGuard: {enabled: true}}`)
	rendered, chart := normalised(t, all), map[string]any{}
	kustomize := normalised(t, parse(t, run(t, "go", "tool", "-modfile=hack/tools/go.mod", "kustomize", "build", "config/deletionguard")))
	if len(kustomize) != 2 {
		t.Errorf("want a policy and its binding in config/deletionguard, got %d objects", len(kustomize))
	}
	for name := range kustomize {
		chart[name] = rendered[name]
	}
	if diff := cmp.Diff(chart, kustomize); diff != "" {
		t.Errorf("the chart's guard and config/deletionguard differ (-chart +kustomize):\n%s", diff)
	}
}
