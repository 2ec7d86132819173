package registry

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/utils/ptr"

	"github.com/maze-agent/maregister/api/v1alpha1"
)

// sameInterface has parameters that mean the same in each line, and something else in the others. The empty text stands for none.
var sameInterface = [][]string{
	{``, `{}`, `{"type": "object"}`},
	{
		`{"a": {"type": "string"}}`, `{"a": {"type": "str"}}`, `{"a": "string"}`, `{"a": "str"}`, `{"type": "object", "properties": {"a": {"type": "string"}}}`,
		`{"properties": {"a": {"type": "str"}}}`,
	},
	{`{"a": {"type": "integer"}}`, `{"a": "int"}`, `{"type": "object", "properties": {"a": {"type": "integer"}}}`},
	{`{"a": "filepath"}`, `{"a": {"type": "string", "format": "filepath"}}`, `{"a": {"format": "filepath", "type": "str"}}`},
	{`{"a": "folderpath"}`},
	{`{"a": {"type": "string", "description": "text"}}`},
	{`{"b": "string"}`},
	{`{"a": "string", "b": "string"}`, `{"b": "str", "a": {"type": "string"}}`},
	{`{"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}`},
}

// drawn is a value of a spec, drawn so that two are often the same, or the same but for how they are written.
type drawn struct {
	random *rand.Rand
	// parameters are the lines of sameInterface that the parameters are from.
	parameters map[string]int
}

// draw sets every field of a struct, by its type alone: so a new one is not forgotten.
func (d *drawn) draw(t *testing.T, into reflect.Value) {
	for i := range into.NumField() {
		field, name := into.Field(i), into.Type().Field(i).Name
		switch value := field.Interface().(type) {
		case *apiextensionsv1.JSON:
			line := d.random.IntN(len(sameInterface))
			d.parameters[name] = line
			if text := pick(d.random, sameInterface[line]...); text != "" {
				field.Set(reflect.ValueOf(declaration(text)))
			}
		case *resource.Quantity:
			field.Set(reflect.ValueOf(pick(d.random, nil, quantity("2"), quantity("2000m"), quantity("2Gi"), quantity("2048Mi"), quantity("2147483648"))))
		case *v1alpha1.Source, *v1alpha1.GPURequirements, *v1alpha1.Run, *v1alpha1.Deprecation:
			if d.random.IntN(3) > 0 {
				field.Set(reflect.New(field.Type().Elem()))
				d.draw(t, field.Elem())
			}
		case v1alpha1.Resources:
			d.draw(t, field)
		case v1alpha1.Duration:
			field.Set(reflect.ValueOf(pick[v1alpha1.Duration](d.random, "", "90m", "1h30m", "5400s", "1.5h", "2s")))
		case *int32:
			field.Set(reflect.ValueOf(pick(d.random, nil, ptr.To[int32](0), ptr.To[int32](3))))
		case []v1alpha1.EnvFromSource:
			a, b := v1alpha1.EnvFromSource{SecretRef: &v1alpha1.EnvFromReference{Name: "a"}}, v1alpha1.EnvFromSource{ConfigMapRef: &v1alpha1.EnvFromReference{Name: "b"}}
			field.Set(reflect.ValueOf(pick(d.random, nil, []v1alpha1.EnvFromSource{a, b}, []v1alpha1.EnvFromSource{b, a})))
		case []string:
			field.Set(reflect.ValueOf(pick(d.random, nil, []string{"NVIDIA-L4", "Tesla-T4"}, []string{"Tesla-T4", "NVIDIA-L4"}, []string{"NVIDIA-L4"})))
		case []int32:
			field.Set(reflect.ValueOf(pick(d.random, nil, []int32{1, 7}, []int32{7, 1}, []int32{2})))
		case int32:
			field.SetInt(int64(d.random.IntN(2)))
		default:
			if field.Kind() != reflect.String {
				t.Fatalf("the spec has a %T in %s: teach this test to draw one", value, name)
			}
			field.SetString(pick(d.random, "", "a", "llm_process"))
		}
	}
}

func pick[T any](random *rand.Rand, from ...T) T { return from[random.IntN(len(from))] }

// mix takes some fields from another spec, for a pair that has the others in common.
func (d *drawn) mix(into, from reflect.Value, other *drawn) {
	for i := range into.NumField() {
		name := into.Type().Field(i).Name
		switch {
		case into.Field(i).Kind() == reflect.Struct:
			d.mix(into.Field(i), from.Field(i), other)
		case d.random.IntN(8) > 0:
			into.Field(i).Set(from.Field(i))
			if line, ok := other.parameters[name]; ok {
				d.parameters[name] = line
			}
		}
	}
}

// sameSpec compares specs as people would.
var sameSpec = cmp.Options{
	cmp.Comparer(func(a, b resource.Quantity) bool { return a.Cmp(b) == 0 }),
	cmp.Comparer(func(a, b v1alpha1.Duration) bool { return a.Length() == b.Length() && (a == "") == (b == "") }),
	cmpopts.SortSlices(func(a, b int32) bool { return a < b }),
	cmpopts.SortSlices(func(a, b string) bool { return a < b }),
	cmp.Comparer(func(a, b apiextensionsv1.JSON) bool {
		var first, second any
		return json.Unmarshal(a.Raw, &first) == nil && json.Unmarshal(b.Raw, &second) == nil && reflect.DeepEqual(first, second)
	}),
}

// TestDigestsChangeExactly draws pairs of specs. It does not ask the code that is tested what is the same.
func TestDigestsChangeExactly(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	drawTask := func() (*v1alpha1.MazeTask, *drawn) {
		task, d := fullTask(), &drawn{random, map[string]int{}}
		task.Spec = v1alpha1.MazeTaskSpec{}
		d.draw(t, reflect.ValueOf(&task.Spec).Elem())
		return task, d
	}
	digestsOf := func(task *v1alpha1.MazeTask) Digests {
		parameters := Interface{Input: normalised(t, task.Spec.InputParameters), Output: normalised(t, task.Spec.OutputParameters)}
		entry, err := NewEntry(task, parameters, gpuPlacement(), DefaultPredictorRules())
		if err != nil {
			t.Fatal(err)
		}
		return entry.Digest
	}
	counts := map[[2]bool]int{}
	for range 2_000 {
		before, had := drawTask()
		after, has := drawTask()
		has.mix(reflect.ValueOf(&after.Spec).Elem(), reflect.ValueOf(&before.Spec).Elem(), had)
		spec, parameters := !cmp.Equal(before.Spec, after.Spec, sameSpec), !cmp.Equal(had.parameters, has.parameters)
		counts[[2]bool{spec, parameters}]++
		was, is := digestsOf(before), digestsOf(after)
		if got := was.Spec != is.Spec; got != spec {
			t.Fatalf("digest.spec changed: want %t, got %t, with\n%s", spec, got, cmp.Diff(before.Spec, after.Spec, sameSpec))
		}
		if got := was.Interface != is.Interface; got != parameters {
			t.Fatalf("digest.interface changed: want %t, got %t, with\n%s", parameters, got, cmp.Diff(before.Spec, after.Spec, sameSpec))
		}
	}
	for _, what := range [][2]bool{{false, false}, {true, false}, {true, true}} {
		if counts[what] < 100 {
			t.Errorf("of spec and parameters %v changed: want at least 100 pairs, got %d", what, counts[what])
		}
	}
	t.Logf("pairs by what changed, spec and parameters: %v", counts)
}
