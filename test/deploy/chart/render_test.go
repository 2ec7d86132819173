package chart

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"helm.sh/helm/v4/pkg/action"
	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	release "helm.sh/helm/v4/pkg/release/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	"github.com/maze-agent/maregister/test/testutil"
)

const (
	releaseName      = "maregister"
	releaseNamespace = "maregister-system"
)

// targetVersion is the version of the control plane that `make test` starts.
var targetVersion = common.KubeVersion{Version: "v1.37.2", Major: "1", Minor: "37"}

func chartFolder() string { return filepath.Join(testutil.Root(), "charts", "maregister") }

// appVersion is the tag of the image that the chart has by default. No test writes it out.
var appVersion = func() string {
	content, err := os.ReadFile(filepath.Join(chartFolder(), "Chart.yaml"))
	if err != nil {
		panic(err)
	}
	return regexp.MustCompile(`(?m)^appVersion: (\S+)$`).FindStringSubmatch(string(content))[1]
}()

// values reads values in YAML.
func values(t *testing.T, text string) map[string]any {
	t.Helper()
	out := map[string]any{}
	if err := yaml.Unmarshal([]byte(text), &out); err != nil {
		t.Fatalf("the values are not YAML: %v\n%s", err, text)
	}
	return out
}

// template does what `helm template` does.
func template(text string) (*release.Release, error) {
	loaded, err := loader.Load(chartFolder())
	if err != nil {
		return nil, err
	}
	overrides := map[string]any{}
	if err := yaml.Unmarshal([]byte(text), &overrides); err != nil {
		return nil, err
	}
	install := action.NewInstall(action.NewConfiguration())
	install.DryRunStrategy = action.DryRunClient
	install.ReleaseName, install.Namespace = releaseName, releaseNamespace
	install.KubeVersion = &targetVersion
	rendered, err := install.Run(loaded, overrides)
	if err != nil {
		return nil, err
	}
	return rendered.(*release.Release), nil
}

// render returns what the chart renders with some values, and what its tests are made of.
func render(t *testing.T, text string) (objects, hooks []*unstructured.Unstructured) {
	t.Helper()
	rendered, err := template(text)
	if err != nil {
		t.Fatalf("the chart does not render with these values: %v\n%s", err, text)
	}
	for _, hook := range rendered.Hooks {
		hooks = append(hooks, parse(t, hook.Manifest)...)
	}
	return parse(t, rendered.Manifest), hooks
}

// parse reads the objects of a stream of YAML documents.
func parse(t *testing.T, manifest string) []*unstructured.Unstructured {
	t.Helper()
	var out []*unstructured.Unstructured
	for decoder := utilyaml.NewYAMLOrJSONDecoder(strings.NewReader(manifest), 4096); ; {
		object := &unstructured.Unstructured{}
		err := decoder.Decode(object)
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatalf("a manifest is not YAML: %v\n%s", err, manifest)
		}
		if len(object.Object) > 0 {
			out = append(out, object)
		}
	}
}

// key names an object within a release.
func key(object *unstructured.Unstructured) string {
	if namespace := object.GetNamespace(); namespace != "" && namespace != releaseNamespace {
		return fmt.Sprintf("%s/%s/%s", object.GetKind(), namespace, object.GetName())
	}
	return object.GetKind() + "/" + object.GetName()
}

// byKey indexes objects, of which no two may be the same.
func byKey(t *testing.T, objects []*unstructured.Unstructured) map[string]*unstructured.Unstructured {
	t.Helper()
	out := map[string]*unstructured.Unstructured{}
	for _, object := range objects {
		if _, twice := out[key(object)]; twice {
			t.Errorf("%s is there twice", key(object))
		}
		out[key(object)] = object
	}
	return out
}

// indent returns values in YAML under a path of keys: indent("a.b", "1") is {a: {b: 1}}.
func indent(path, value string) string {
	var out bytes.Buffer
	keys := strings.Split(path, ".")
	for _, k := range keys {
		fmt.Fprintf(&out, "{%q: ", k)
	}
	return out.String() + value + strings.Repeat("}", len(keys))
}
