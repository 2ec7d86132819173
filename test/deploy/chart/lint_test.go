package chart

import (
	"testing"

	"helm.sh/helm/v4/pkg/action"
)

func TestLint(t *testing.T) {
	lint := action.NewLint()
	lint.Strict, lint.Namespace, lint.KubeVersion = true, releaseNamespace, &targetVersion
	for _, text := range []string{"{}", everything} {
		for _, err := range lint.Run([]string{chartFolder()}, values(t, text)).Errors {
			t.Errorf("helm lint --strict, with values %s: %v", text, err)
		}
	}
}
