package jsontree

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestGlued finds the lines in which another object begins, counted from 1.
func TestGlued(t *testing.T) {
	const object = "apiVersion: v1\nkind: MazeTask\nmetadata: {name: a}\nspec: {}\n"
	for name, tc := range map[string]struct {
		content string
		want    []int
	}{
		"one object":                       {content: object},
		"two objects":                      {content: object + object, want: []int{5}},
		"three objects":                    {content: object + object + object, want: []int{5, 9}},
		"two objects in another order":     {content: "kind: A\nspec: {}\napiVersion: v1\nmetadata: {}\nkind: A\napiVersion: v1\n", want: nil},
		"a comment between them":           {content: object + "# the second\n\n" + object, want: []int{7}},
		"a key that is repeated":           {content: object + "spec: {}\n"},
		"a kind that is repeated":          {content: "kind: MazeTask\n" + object},
		"lines that are repeated":          {content: "apiVersion: v1\nkind: MazeTask\n" + object},
		"an object without a kind":         {content: "metadata: {}\nspec: {}\nmetadata: {}\nspec: {}\n"},
		"an object in an object":           {content: "spec:\n  " + strings.ReplaceAll(object+object, "\n", "\n  ") + "\n"},
		"an object that is no block":       {content: "{kind: A, spec: 1, kind: A, spec: 2}"},
		"a list":                           {content: "- kind: A\n- kind: A\n"},
		"a repeated key in the second one": {content: object + object + "spec: {}\n"},
	} {
		t.Run(name, func(t *testing.T) {
			document, failure := ParseYAML([]byte(tc.content))
			if failure != nil {
				t.Fatal(failure)
			}
			var got []int
			for _, m := range document.Root.Glued() {
				got = append(got, m.YAML.Key.YAML.At.Line)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("-want, +got:\n%s", diff)
			}
		})
	}
}
