package task

import (
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/schema"
)

func inputIsSchema(spec *v1alpha1.MazeTaskSpec, verdict *Verdict) (reason, message string, ok bool) {
	verdict.Input, reason, message, ok = parameters("spec.inputParameters", spec.InputParameters, verdict)
	return reason, message, ok
}

func outputIsSchema(spec *v1alpha1.MazeTaskSpec, verdict *Verdict) (reason, message string, ok bool) {
	verdict.Output, reason, message, ok = parameters("spec.outputParameters", spec.OutputParameters, verdict)
	return reason, message, ok
}

func parameters(field string, declared *apiextensionsv1.JSON, verdict *Verdict) (_ *schema.Schema, reason, message string, ok bool) {
	var raw []byte
	if declared != nil {
		raw = declared.Raw
	}
	parsed, warnings, err := schema.Parse(raw)
	if err != nil {
		verdict.Pointer = pointer(field) + err.Pointer
		return nil, err.Reason, at(field, err.Error()), false
	}
	verdict.warn(field, warnings)
	return parsed, "", "", true
}
