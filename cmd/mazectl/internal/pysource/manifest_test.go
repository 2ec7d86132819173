package pysource

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/discover"
)

func tasksNamed(names ...string) []discover.Task {
	var out []discover.Task
	for _, name := range names {
		out = append(out, discover.Task{Spec: v1alpha1.MazeTaskSpec{Name: name}})
	}
	return out
}

// TestObjectNames: names are DNS labels, and no two tasks have one.
func TestObjectNames(t *testing.T) {
	long := strings.Repeat("a", 253)
	cases := map[string]struct {
		tasks []string
		want  []string
	}{
		"plain":         {[]string{"ocr", "image_caption", "OCR.v2"}, []string{"ocr", "image-caption", "ocr-v2"}},
		"of one name":   {[]string{"a-b", "a.b", "a_c"}, []string{"a-b-d44362d6", "a-b-2e7336dc", "a-c"}},
		"trimmed":       {[]string{"_a_"}, []string{"a"}},
		"nothing left":  {[]string{"识别"}, []string{"task-d11889af"}},
		"long":          {[]string{long}, []string{long[:54] + "-32859a3a"}},
		"long and dash": {[]string{strings.Repeat("a", 53) + "_" + long}, []string{long[:53] + "-d47d4154"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := objectNames(tasksNamed(tc.tasks...))
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("names (-want +got):\n%s", diff)
			}
		})
	}
}
