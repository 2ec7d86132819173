package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"

	"github.com/maze-agent/maregister/internal/finding"
)

// sarifLog is what code scanning reads of a log.
type sarifLog struct {
	Version string
	Runs    []struct {
		ColumnKind string
		Tool       struct {
			Driver struct {
				Name, InformationURI string
				Rules                []struct {
					ID, Name             string
					ShortDescription     struct{ Text string }
					Help                 struct{ Text, Markdown string }
					DefaultConfiguration struct{ Level string }
				}
			}
		}
		Results []struct {
			RuleID                      string
			RuleIndex                   int
			Level                       string
			Message                     struct{ Text string }
			Locations, RelatedLocations []struct {
				PhysicalLocation struct {
					ArtifactLocation struct{ URI string }
					Region           struct{ StartLine, StartColumn int }
				}
			}
		}
	}
}

// TestSARIF: what is written is valid by the schema of SARIF 2.1.0, and has what the findings have.
func TestSARIF(t *testing.T) {
	file := filepath.Join(t.TempDir(), "out.sarif")
	if got := call(t, "lint", "testdata/lint", "--output-format=sarif", "--output-file", file); got.code != exitFindings || got.stdout != "" {
		t.Errorf("want nothing on the standard output: %s", got)
	}
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	report, err := sarif.FromBytes(content)
	if err != nil {
		t.Fatal(err)
	}
	if err := report.Validate(); err != nil {
		t.Errorf("not valid: %v", err)
	}
	var log sarifLog
	if err := json.Unmarshal(content, &log); err != nil {
		t.Fatal(err)
	}
	run := log.Runs[0]
	if log.Version != "2.1.0" || run.ColumnKind != "unicodeCodePoints" || run.Tool.Driver.Name != "mazectl" || len(run.Results) == 0 {
		t.Fatalf("want results of mazectl, got %+v", log)
	}
	want := call(t, "lint", "testdata/lint", "--output-format=json")
	var findings []finding.Finding
	if err := json.Unmarshal([]byte(want.stdout), &findings); err != nil {
		t.Fatal(err)
	}
	var got []finding.Finding
	for _, result := range run.Results {
		rule := run.Tool.Driver.Rules[result.RuleIndex]
		if rule.ID != result.RuleID || rule.Name == "" || rule.ShortDescription.Text == "" || rule.Help.Markdown == "" || rule.DefaultConfiguration.Level == "" {
			t.Errorf("result of %s has the rule %+v", result.RuleID, rule)
		}
		at := result.Locations[0].PhysicalLocation
		one := finding.Finding{
			Rule: result.RuleID, Severity: finding.Severity(result.Level), File: at.ArtifactLocation.URI, Message: result.Message.Text,
			Position: finding.Position{Line: at.Region.StartLine, Column: at.Region.StartColumn},
		}
		for _, related := range result.RelatedLocations {
			at := related.PhysicalLocation
			one.Related = append(one.Related, finding.Related{
				File: at.ArtifactLocation.URI, Position: finding.Position{Line: at.Region.StartLine, Column: at.Region.StartColumn},
			})
		}
		got = append(got, one)
	}
	for i := range findings {
		findings[i].Object, findings[i].Pointer = "", ""
		for j := range findings[i].Related {
			findings[i].Related[j].Message = ""
		}
	}
	if diff := cmp.Diff(findings, got); diff != "" {
		t.Errorf("results (-want +got):\n%s", diff)
	}
}
