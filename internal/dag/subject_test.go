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
		{"id": "b", "func": "none", "args": {"x": "a.output.sound"}}],
		"edges": [{"source": "a", "target": "none"}]}`), drawnTasks(), Options{})
	var got []string
	for _, f := range findings {
		got = append(got, fmt.Sprintf("%s node %d edge %d parameter %q reads %q of %d", f.Rule, f.Subject.Node, f.Subject.Edge, f.Subject.Parameter,
			f.Subject.Output, f.Subject.Source))
		if f.Subject.Value < 0 {
			t.Errorf("%s: want a value", f.Message)
		}
	}
	want := []string{
		`MZ207 node 0 edge -1 parameter "sound" reads "" of -1`, `MZ212 node 1 edge -1 parameter "text" reads "words" of 0`,
		`MZ205 node 2 edge -1 parameter "" reads "" of -1`, `MZ206 node 2 edge -1 parameter "" reads "" of -1`,
		`MZ211 node 2 edge -1 parameter "" reads "sound" of 0`, `MZ210 node -1 edge 0 parameter "" reads "" of -1`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
