package task

import (
	"fmt"
	"regexp"
	"unicode/utf8"

	"github.com/maze-agent/maregister/api/v1alpha1"
)

const maxName = 253

// namePattern is the CRD's rule for spec.name: a ConfigMap key that is not hidden by a dot.
var namePattern = regexp.MustCompile(`^[A-Za-z0-9]([-._A-Za-z0-9]*[A-Za-z0-9])?$`)

func nameIsKey(spec *v1alpha1.MazeTaskSpec, verdict *Verdict) {
	if utf8.RuneCountInString(spec.Name) <= maxName && namePattern.MatchString(spec.Name) {
		return
	}
	verdict.Problems = append(verdict.Problems, Problem{v1alpha1.ReasonInvalidName, pointer("spec.name"), fmt.Sprintf(
		"spec.name must start and end with an ASCII letter or digit, hold only letters, digits, '-', '_' and '.', and have at most %d characters; "+
			"it cannot be changed: create another MazeTask, then delete this one", maxName)})
}
