package schema

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

// TestDocumentedExample: the example of docs/schemas.md is published as the page says.
func TestDocumentedExample(t *testing.T) {
	page, err := os.ReadFile("../../docs/schemas.md")
	if err != nil {
		t.Fatal(err)
	}
	block := func(language string) string {
		_, rest, _ := strings.Cut(string(page), "```"+language+"\n")
		text, _, _ := strings.Cut(rest, "```")
		return text
	}
	var declared struct{ InputParameters json.RawMessage }
	if err := yaml.Unmarshal([]byte(block("yaml")), &declared); err != nil {
		t.Fatal(err)
	}
	want, refusal := decode([]byte(block("json")), schemaLimits)
	if refusal != nil {
		t.Fatal(refusal)
	}
	text, _ := canonical(want)
	got, _ := parse(string(declared.InputParameters))
	if diff := cmp.Diff(string(text), got.JSON); diff != "" {
		t.Errorf("-documented +published:\n%s", diff)
	}
}
