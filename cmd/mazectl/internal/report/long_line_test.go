package report

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/maze-agent/maregister/cmd/mazectl/internal/terminal"
	"github.com/maze-agent/maregister/internal/finding"
)

// TestLongLine (security row 8): a thousand findings in one line of megabytes cost no more than the line and the findings. If each looked
// at all of the line, it would take minutes.
func TestLongLine(t *testing.T) {
	const patience = 20 * time.Second
	content := []byte(strings.Repeat("图x", 1<<19))
	var findings []finding.Finding
	for i := range 1000 {
		findings = append(findings, finding.New(finding.InvalidSchema, "a.json", finding.Position{Line: 1, Column: 1000 * (i + 1)}, "", "x"))
	}
	start := time.Now()
	var out bytes.Buffer
	if err := writeFull(&out, terminal.Terminal{Width: terminal.PipeWidth}, findings, func(string) []byte { return content }); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took > patience {
		t.Errorf("want seconds at most, got %s", took)
	}
	if n := strings.Count(out.String(), "^"); n != len(findings) {
		t.Errorf("want an excerpt for each of %d findings, got %d", len(findings), n)
	}
}
