package registry

import (
	"encoding/json"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// text returns null for absent text.
func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// declared returns an empty object for absent parameters.
func declared(parameters *apiextensionsv1.JSON) json.RawMessage {
	if parameters == nil || len(parameters.Raw) == 0 {
		return json.RawMessage("{}")
	}
	return parameters.Raw
}

// cores returns whole CPU cores, rounded up.
func cores(q *resource.Quantity) int64 {
	if q == nil {
		return 0
	}
	return q.Value()
}
