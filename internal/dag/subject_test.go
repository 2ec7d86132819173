package dag

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestSubject: findings say for programs what their messages say for people.
func TestSubject(t *testing.T) {
	_, findings := Check("w.json", []byte(`{"nodes": [
		{"id": "a", "func": "speech_to_text", "args": {"sound": "/a"}},
		{"id": "b", "func": "summarise", "args": {"text": "a.output.words"}},
		{"id": "b", "func": "none", "args": {}}],
		"edges": [{"source": "a", "target": "none"}]}`), drawnTasks(), Options{})
	var got []string
	for _, f := range findings {
		got = append(got, fmt.Sprintf("%s node %d edge %d parameter %q", f.Rule, f.Subject.Node, f.Subject.Edge, f.Subject.Parameter))
		if f.Subject.Value < 0 {
			t.Errorf("%s: want a value", f.Message)
		}
	}
	want := []string{
		`MZ207 node 0 edge -1 parameter "sound"`, `MZ212 node 1 edge -1 parameter "text"`,
		`MZ205 node 2 edge -1 parameter ""`, `MZ206 node 2 edge -1 parameter ""`, `MZ210 node -1 edge 0 parameter ""`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
