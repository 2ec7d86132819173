package testutil

import (
	"path/filepath"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// DeletionGuard returns the policy that refuses to delete tasks which workflows run, and its binding.
func DeletionGuard() ([]*unstructured.Unstructured, error) {
	return readObjects(filepath.Join(Root(), "config", "deletionguard", "policy.yaml"))
}

// MarkerRefusal is what the marker policy says.
const MarkerRefusal = "the marker stays"

// MarkerPolicy returns a policy, and its binding, that refuses every dry run of deleting a task "marker". The API server follows policies in
// the order of their changes, and with a delay: once it refuses, it knows those that were there before.
func MarkerPolicy() ([]*unstructured.Unstructured, error) {
	return decodeObjects(strings.NewReader(markerPolicy))
}

const markerPolicy = `
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: marker}
spec:
  matchConstraints:
    resourceRules:
    - {apiGroups: [registry.mazeagent.net], apiVersions: ["*"], resources: [mazetasks], operations: [DELETE]}
  validations:
  - {expression: "oldObject.metadata.name != 'marker' || !request.dryRun", message: ` + MarkerRefusal + `}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: marker}
spec: {policyName: marker, validationActions: [Deny]}
`
