package lint

import (
	"encoding/json"
	"regexp"
	"slices"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utiljson "k8s.io/apimachinery/pkg/util/json"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/finding"
	"github.com/maze-agent/maregister/internal/jsontree"
	"github.com/maze-agent/maregister/internal/task"
	texts "github.com/maze-agent/maregister/internal/text"
)

// Spec judges a task that has no manifest yet, as if it had one. The findings have the JSON pointer to what is wrong in the manifest, such as
// /spec/inputParameters/image/type, instead of a file and a position.
func (l *Linter) Spec(spec *v1alpha1.MazeTaskSpec) []finding.Finding {
	f := newFile("")
	manifest := &v1alpha1.MazeTask{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.SchemeGroupVersion.String(), Kind: kind},
		ObjectMeta: metav1.ObjectMeta{GenerateName: "task-"},
		Spec:       *spec,
	}
	content, err := json.Marshal(manifest)
	if err == nil {
		err = l.judgeText(f, content)
	}
	if err != nil {
		f.report(finding.InvalidSchema, finding.Position{}, "", "the declaration cannot be written as a manifest: %s", oneLine(err.Error()))
	}
	f.tellLeftOut()
	return f.findings
}

// judgeText judges a manifest in JSON. Findings have the pointers to the values that they are about, and no positions.
func (l *Linter) judgeText(f *file, content []byte) error {
	n, _ := jsontree.ParseJSON(content, 0, jsontree.Limits{}) // which has no limits
	o := &object{file: f, place: root(jsontree.Source{Positions: texts.NewPositions(content)}, content, n)}
	if err := utiljson.Unmarshal(content, &o.content); err != nil {
		return err
	}
	l.judgeTask(o, newSet())
	document{o.content, o.place}.point(f.findings)
	for i := range f.findings {
		f.findings[i].Position = finding.Position{}
	}
	return nil
}

const (
	// The bounds of Plain: a part of what the CRD allows.
	plainText      = 250
	plainDoc       = 4 << 10
	plainParameter = 16 << 10
	plainMemory    = 1 << 40
	plainCores     = 256
)

// plainEntryPoint matches some of the entry points that the CRD allows.
var plainEntryPoint = regexp.MustCompile(`^[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*){0,9}:[a-z_][a-z0-9_]{0,99}$`)

// Plain reports whether a spec is so plain that Spec has no finding, many times as quickly. It never reports it of a spec that has one.
func Plain(spec *v1alpha1.MazeTaskSpec) bool {
	source := spec.Source
	short := []string{spec.Resources.ModelName, spec.Resources.Backend, spec.EntryPoint}
	if source != nil {
		short = append(short, source.Path)
	}
	isLarge := func(value string) bool { return len(value) > plainText }
	isPlain := spec.Run == nil && spec.Deprecated == nil && len(spec.Description) <= plainDoc && plainEntryPoint.MatchString(spec.EntryPoint) &&
		!slices.ContainsFunc(short, isLarge) && spec.Predictor == "" &&
		(source == nil || source.Line > 0) && isPlainResources(&spec.Resources) &&
		isPlainParameter(spec.InputParameters) && isPlainParameter(spec.OutputParameters)
	if !isPlain {
		return false
	}
	verdict := task.Judge(spec)
	return verdict.Accepted && len(verdict.Warnings) == 0
}

func isPlainParameter(declared *apiextensionsv1.JSON) bool {
	return declared == nil || len(declared.Raw) < plainParameter
}

// isPlainResources reports whether resources are within bounds that hold for any.
func isPlainResources(r *v1alpha1.Resources) bool {
	isSize := func(q *resource.Quantity) bool {
		return q == nil || q.CmpInt64(1<<20) >= 0 && q.CmpInt64(plainMemory) <= 0
	}
	isGPU := r.Type == v1alpha1.ResourceTypeGPU
	isKnown := isGPU || r.Type == v1alpha1.ResourceTypeCPU || r.Type == v1alpha1.ResourceTypeIO
	return isKnown && (isGPU || r.GPUMemory == nil) && isSize(r.Memory) && isSize(r.GPUMemory) &&
		(r.CPU == nil || r.CPU.Sign() > 0 && r.CPU.CmpInt64(plainCores) <= 0)
}
