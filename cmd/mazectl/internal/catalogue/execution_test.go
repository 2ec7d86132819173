package catalogue

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/utils/ptr"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/dag"
)

func TestRunOptions(t *testing.T) {
	for _, tc := range []struct {
		name string
		run  *v1alpha1.Run
		want dag.RunOptions
	}{
		{"the task says nothing", nil, dag.RunOptions{}},
		{"an image alone", &v1alpha1.Run{Image: "tools:v1"}, dag.RunOptions{}},
		{
			"all that Maze has", &v1alpha1.Run{Timeout: "10m", Backoff: "500ms", Retries: ptr.To[int32](3), RetryOn: []string{"resource_insufficient", "node_lost"}},
			dag.RunOptions{
				TimeoutSeconds: ptr.To(600.0), RetryBackoffSeconds: ptr.To(0.5), MaxRetries: ptr.To[int32](3),
				RetryOn: []string{"node_lost", "resource_insufficient"},
			},
		},
		{
			"kinds that Maze does not have beside one that it has", &v1alpha1.Run{RetryOn: []string{"ConnectionError", "node_lost", "Timeout"}},
			dag.RunOptions{RetryOn: []string{"node_lost"}},
		},
		{
			"only kinds that Maze does not have", &v1alpha1.Run{Retries: ptr.To[int32](3), RetryOn: []string{"ConnectionError"}},
			dag.RunOptions{MaxRetries: ptr.To[int32](0)},
		},
		{"no retries", &v1alpha1.Run{Retries: ptr.To[int32](0)}, dag.RunOptions{MaxRetries: ptr.To[int32](0)}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, runOptionsOf(tc.run)); diff != "" {
				t.Errorf("-want, +got:\n%s", diff)
			}
		})
	}
}
