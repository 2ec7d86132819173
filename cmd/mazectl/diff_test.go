package main

import (
	"os"
	"strings"
	"testing"

	"github.com/maze-agent/maregister/internal/finding"
)

// TestEvolutionDocument: the document shows what the example gives, and has all rules of changes.
func TestEvolutionDocument(t *testing.T) {
	inRoot(t)
	const command = "mazectl diff examples/evolution/before examples/evolution/after --workflows examples/evolution/workflows -o concise"
	got := call(t, strings.Fields(command)[1:]...)
	text := strings.TrimSpace(got.stdout + got.stderr)
	for _, document := range []string{"docs/evolution.md", "docs/evolution.zh-CN.md"} {
		content, err := os.ReadFile(document)
		if err != nil {
			t.Fatal(err)
		}
		if shown := "```sh\n" + command + "\n```\n\n```text\n" + text + "\n```"; !strings.Contains(string(content), shown) {
			t.Errorf("%s does not show this:\n%s", document, shown)
		}
		for _, rule := range finding.Rules() {
			if finding.IsOfChanges(rule.Code) && !strings.Contains(string(content), "`"+rule.Code+"` | `"+rule.Name+"`") {
				t.Errorf("%s does not tell of %s %s", document, rule.Code, rule.Name)
			}
		}
	}
}
