package report

import (
	"bytes"
	"io"
	"net/url"
	"path"

	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"

	"github.com/maze-agent/maregister/cmd/mazectl/internal/terminal"
	"github.com/maze-agent/maregister/internal/finding"
	"github.com/maze-agent/maregister/internal/version"
)

const projectURI = "https://github.com/maze-agent/maregister"

// writeSARIF writes a log in the Static Analysis Results Interchange Format 2.1.0, with all the rules that were broken.
func writeSARIF(w io.Writer, _ terminal.Terminal, findings []finding.Finding, _ func(string) []byte) error {
	driver := sarif.NewToolComponent().WithName("mazectl").WithInformationURI(projectURI).WithVersion(version.Get().Version)
	indexes := map[string]int{}
	run := sarif.NewRun().WithTool(sarif.NewTool().WithDriver(driver)).WithColumnKind("unicodeCodePoints").WithResults([]*sarif.Result{})
	for _, f := range findings {
		index, ok := indexes[f.Rule]
		if !ok {
			index = len(indexes)
			indexes[f.Rule] = index
			driver.AddRule(sarifRule(f.Rule))
		}
		run.AddResult(sarifResult(f).WithRuleIndex(index))
	}
	var out bytes.Buffer
	if err := sarif.NewReport().AddRun(run).PrettyWrite(&out); err != nil {
		return err
	}
	_, err := w.Write(append(terminal.VisibleJSON(out.Bytes()), '\n'))
	return err
}

// problemSeverities are GitHub's words for severities:
// https://docs.github.com/en/code-security/reference/code-scanning/sarif-files/sarif-support-for-code-scanning.
var problemSeverities = map[finding.Severity]string{
	finding.SeverityError: "error", finding.SeverityWarning: "warning", finding.SeverityNote: "recommendation",
}

func sarifRule(code string) *sarif.ReportingDescriptor {
	rule, _ := finding.Lookup(code)
	properties := sarif.NewPropertyBag()
	properties.Add("problem.severity", problemSeverities[rule.Severity])
	return sarif.NewRule(code).WithName(rule.Name).
		WithShortDescription(sarif.NewMultiformatMessageString().WithText(rule.Summary)).
		WithHelp(sarif.NewMultiformatMessageString().WithText(rule.Explanation).WithMarkdown(rule.Explanation)).
		WithDefaultConfiguration(sarif.NewReportingConfiguration().WithLevel(string(rule.Severity))).
		WithProperties(properties)
}

func sarifResult(f finding.Finding) *sarif.Result {
	location := sarifLocation(f.File, f.Position)
	if f.Object != "" {
		location.AddLogicalLocation(sarif.NewLogicalLocation().WithFullyQualifiedName(f.Object))
	}
	if f.Pointer != "" { // what names a value in JSON is a pointer to it: sections 3.33.5 and 3.33.7
		location.AddLogicalLocation(sarif.NewLogicalLocation().WithFullyQualifiedName(f.Pointer).WithKind("value"))
	}
	result := sarif.NewRuleResult(f.Rule).WithLevel(string(f.Severity)).WithMessage(sarif.NewTextMessage(f.Message)).
		WithLocations([]*sarif.Location{location})
	for i, related := range f.Related {
		result.AddRelatedLocation(sarifLocation(related.File, related.Position).WithID(i + 1).WithMessage(sarif.NewTextMessage(related.Message)))
	}
	return result
}

func sarifLocation(file string, at finding.Position) *sarif.Location {
	physical := sarif.NewPhysicalLocation().WithArtifactLocation(sarif.NewSimpleArtifactLocation(uriOf(file)))
	if at.Line > 0 {
		physical.WithRegion(sarif.NewRegion().WithStartLine(at.Line).WithStartColumn(at.Column))
	}
	return sarif.NewLocationWithPhysicalLocation(physical)
}

// uriOf is a file's name as a URI, which is relative if the name is.
func uriOf(file string) string {
	if file == terminal.StdinName {
		return "stdin"
	}
	uri := url.URL{Path: path.Clean(file)}
	if path.IsAbs(file) {
		uri.Scheme = "file"
	}
	return uri.String()
}
