package task

import (
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/schema"
)

func inputIsSchema(spec *v1alpha1.MazeTaskSpec, verdict *Verdict) {
	verdict.Input = parameters("spec.inputParameters", spec.InputParameters, verdict)
}

func outputIsSchema(spec *v1alpha1.MazeTaskSpec, verdict *Verdict) {
	verdict.Output = parameters("spec.outputParameters", spec.OutputParameters, verdict)
}

// parameters returns the schema that a field declares, nil if it is none, and adds to the verdict what is to be said of it.
func parameters(field string, declared *apiextensionsv1.JSON, verdict *Verdict) *schema.Schema {
	var raw []byte
	if declared != nil {
		raw = declared.Raw
	}
	parsed, warnings, errs := schema.Check(raw)
	for _, err := range errs {
		verdict.Problems = append(verdict.Problems, Problem{err.Reason, pointer(field) + err.Pointer, at(field, err.Error())})
	}
	for _, warning := range warnings {
		verdict.Warnings = append(verdict.Warnings, Warning{warning.Kind, pointer(field) + warning.Pointer, at(field, warning.String())})
	}
	return parsed
}
