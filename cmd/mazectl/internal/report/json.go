package report

import (
	"encoding/json"
	"io"

	"github.com/maze-agent/maregister/cmd/mazectl/internal/terminal"
	"github.com/maze-agent/maregister/internal/finding"
)

// writeFindingsJSON writes an array of findings.
func writeFindingsJSON(w io.Writer, _ terminal.Terminal, findings []finding.Finding, _ func(string) []byte) error {
	if findings == nil {
		findings = []finding.Finding{}
	}
	return WriteJSON(w, findings)
}

// WriteJSON writes a value for people and programs, with < and > as they are.
func WriteJSON(w io.Writer, value any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}
