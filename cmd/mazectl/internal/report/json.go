package report

import (
	"io"

	"github.com/maze-agent/maregister/cmd/mazectl/internal/terminal"
	"github.com/maze-agent/maregister/internal/finding"
)

// writeFindingsJSON writes an array of findings.
func writeFindingsJSON(w io.Writer, _ terminal.Terminal, findings []finding.Finding, _ func(string) []byte) error {
	if findings == nil {
		findings = []finding.Finding{}
	}
	return terminal.WriteJSON(w, findings)
}
