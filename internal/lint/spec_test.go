package lint

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/finding"
)

// TestSpec: tasks of Python sources are judged like manifests, and findings say which part of the manifest is meant.
func TestSpec(t *testing.T) {
	cases := map[string]struct {
		edit func(spec *v1alpha1.MazeTaskSpec)
		want []string
	}{
		"valid":        {func(*v1alpha1.MazeTaskSpec) {}, nil},
		"a wrong name": {func(spec *v1alpha1.MazeTaskSpec) { spec.Name = "a/b" }, []string{"MZ109 /spec/name"}},
		"a wrong type": {func(spec *v1alpha1.MazeTaskSpec) { spec.InputParameters.Raw = []byte(`{"a/b": {"type": "strnig"}}`) }, []string{"MZ121 /spec/inputParameters/a~1b/type"}},
		"a number beside a wrong type": {func(spec *v1alpha1.MazeTaskSpec) {
			spec.InputParameters.Raw = []byte(`{"x": {"type": "strnig"}, "y": {"type": "number", "maximum": 1e3, "default": 1.50}}`)
		}, []string{"MZ121 /spec/inputParameters/x/type"}},
		"a number that no consumer holds": {func(spec *v1alpha1.MazeTaskSpec) {
			spec.InputParameters.Raw = []byte(`{"x": {"type": "integer", "default": 18446744073709551615}}`)
		}, []string{"MZ126 /spec/inputParameters/x/default"}},
		"a Python type": {func(spec *v1alpha1.MazeTaskSpec) { spec.InputParameters.Raw = []byte(`{"x": {"type": "int"}}`) }, []string{"MZ129 /spec/inputParameters/x/type"}},
		"a wrong item": {func(spec *v1alpha1.MazeTaskSpec) {
			spec.OutputParameters = &apiextensionsv1.JSON{Raw: []byte(`{"x": {"anyOf": [{"type": "string"}, {"type": "text"}]}}`)}
		}, []string{"MZ121 /spec/outputParameters/x/anyOf/1/type"}},
		"a wrong size": {func(spec *v1alpha1.MazeTaskSpec) { spec.Resources.Memory = resource.NewQuantity(5, resource.BinarySI) }, []string{"MZ110 /spec/resources/memory"}},
		"GPU memory of a cpu task": {func(spec *v1alpha1.MazeTaskSpec) {
			spec.Resources.Type, spec.Resources.GPUMemory = "cpu", resource.NewQuantity(1<<30, resource.BinarySI)
		}, []string{"MZ111 /spec/resources/gpuMemory"}},
		"a long description":             {func(spec *v1alpha1.MazeTaskSpec) { spec.Description = strings.Repeat("x", 20_000) }, []string{"MZ113 /spec/description"}},
		"what YAML cannot have as it is": {func(spec *v1alpha1.MazeTaskSpec) { spec.Description = "\x7f\u0080\ufffe" }, nil},
	}
	l := newLinter(t)
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			spec := plainSpec()
			tc.edit(spec)
			var got []string
			for _, f := range l.Spec(spec) {
				got = append(got, f.Rule+" "+f.Pointer)
				if f.File != "" || f.Position != (finding.Position{}) || f.Message == "" {
					t.Errorf("want no place, and a message: %+v", f)
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
		})
	}
}

func plainSpec() *v1alpha1.MazeTaskSpec {
	return &v1alpha1.MazeTaskSpec{
		Name: "caption", EntryPoint: "tools.image:caption", InputParameters: &apiextensionsv1.JSON{Raw: []byte(`{"x": {"type": "filepath"}}`)},
		Resources: v1alpha1.Resources{Type: v1alpha1.ResourceTypeCPU},
		Source:    &v1alpha1.Source{Path: "tools/image.py", Line: 7, Digest: "sha256:" + strings.Repeat("0", 64)},
	}
}

// TestPlain: what is called plain has no finding, whatever it has. Some of what is made is plain.
func TestPlain(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	pick := func(texts ...string) string { return texts[random.IntN(len(texts))] }
	number := func(n int) *resource.Quantity {
		return []*resource.Quantity{
			nil, resource.NewQuantity(int64(n)<<20, resource.BinarySI), resource.NewQuantity(int64(n), resource.DecimalSI),
			resource.NewMilliQuantity(int64(n), resource.DecimalSI), resource.NewQuantity(int64(n)<<40, resource.BinarySI), resource.NewQuantity(-1, resource.DecimalSI),
		}[random.IntN(6)]
	}
	schema := func() *apiextensionsv1.JSON {
		text := pick(`{}`, `{"x": {"type": "string"}}`, `{"x": {"type": "str"}}`, `{"x": 5}`, `{"type": "object", "properties": {"x": {"default": 1}}}`, `[]`, `{"x": {"pattern": "("}}`)
		return &apiextensionsv1.JSON{Raw: []byte(text)}
	}
	const long = 300
	l, plain := newLinter(t), 0
	for i := range 1000 {
		spec := &v1alpha1.MazeTaskSpec{
			Name:        pick("a", "image-caption", "ß", "a b", "", strings.Repeat("x", long), "x.y_z"),
			Description: pick("", "Reads.", "a\nb", "\x7f\u009b", strings.Repeat("ä", 9000)),
			EntryPoint:  pick("a:b", "tools.image:caption", "größe:f", "a.b", "", "a:b.c", "a:"+strings.Repeat("f", long), "1a:b"),
			Predictor:   pick("", "", "", "llm_process", "no such"),
			Resources: v1alpha1.Resources{
				Type: v1alpha1.ResourceType(pick("cpu", "gpu", "io", "npu", "")), CPU: number(random.IntN(500)), Memory: number(random.IntN(5000)), GPUMemory: number(random.IntN(5000)),
				ModelName: pick("", "llava", strings.Repeat("m", 3*long)), Backend: pick("", "vllm", strings.Repeat("b", long)),
			},
			Source: &v1alpha1.Source{Path: pick("a.py", strings.Repeat("p/", 500)+".py"), Line: int32(random.IntN(5) - 1), Digest: "sha256:" + strings.Repeat("0", 64)},
		}
		if random.IntN(2) == 0 {
			spec.InputParameters, spec.OutputParameters = schema(), schema()
		}
		if i%2 == 0 { // or few are
			spec.Resources, spec.EntryPoint, spec.Name, spec.Source = plainSpec().Resources, "a:b", fmt.Sprint("t", i), plainSpec().Source
		}
		if !Plain(spec) {
			continue
		}
		plain++
		if findings := l.Spec(spec); len(findings) > 0 {
			t.Errorf("%+v is called plain: %v", spec, findings)
		}
	}
	if plain < 50 {
		t.Errorf("only %d are plain", plain)
	}
}
