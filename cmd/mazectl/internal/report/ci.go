package report

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"github.com/maze-agent/maregister/cmd/mazectl/internal/terminal"
	"github.com/maze-agent/maregister/internal/finding"
)

// writeGitHub writes workflow commands, which GitHub Actions shows as annotations:
// https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands. A note is called notice there.
func writeGitHub(w io.Writer, _ terminal.Terminal, findings []finding.Finding, _ func(string) []byte) error {
	property := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
	data := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	for _, f := range findings {
		at := ""
		if f.Position.Line > 0 {
			at = fmt.Sprintf(",line=%d,col=%d", f.Position.Line, f.Position.Column)
		}
		message := fmt.Sprintf("%s: %s %s", Where(f.File, f.Position), f.Rule, terminal.Visible(f.Message)) // the log does not show the properties
		level := string(f.Severity)
		if f.Severity == finding.SeverityNote {
			level = "notice"
		}
		fmt.Fprintf(w, "::%s title=%s,file=%s%s::%s\n", level, property.Replace(title(f)), property.Replace(terminal.Visible(f.File)), at, data.Replace(message))
	}
	return nil
}

// title is a rule's code and name.
func title(f finding.Finding) string {
	rule, _ := finding.Lookup(f.Rule)
	return strings.TrimSpace(f.Rule + " " + rule.Name)
}

type junitSuites struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Name     string       `xml:"name,attr"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Suites   []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Name    string        `xml:"name,attr"`
	Class   string        `xml:"classname,attr"`
	File    string        `xml:"file,attr,omitempty"`
	Line    int           `xml:"line,attr,omitempty"`
	Failure *junitFailure `xml:"failure"`
	Output  string        `xml:"system-out,omitempty"`
}

type junitFailure struct {
	Type    string `xml:"type,attr"`
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

// writeJUnit writes a test suite a file, in which each finding is a failure, and a note a test that passes. Without findings there is one
// test, which passes: some readers take a report without tests for a broken one.
func writeJUnit(w io.Writer, _ terminal.Terminal, findings []finding.Finding, _ func(string) []byte) error {
	report := junitSuites{Name: "mazectl", Tests: max(len(findings), 1)}
	if len(findings) == 0 {
		report.Suites = []junitSuite{{Name: "mazectl", Tests: 1, Cases: []junitCase{{Name: "no findings", Class: "mazectl"}}}}
	}
	suites := map[string]int{}
	for _, f := range findings {
		name := terminal.Visible(f.File)
		i, there := suites[name]
		if !there {
			i = len(report.Suites)
			suites[name] = i
			report.Suites = append(report.Suites, junitSuite{Name: name})
		}
		one := junitCase{
			Name: title(f) + " " + Where(f.File, f.Position), Class: terminal.Visible(cmp.Or(f.Object, f.File)), File: terminal.Visible(f.File), Line: f.Position.Line,
		}
		text := Where(f.File, f.Position) + ": " + terminal.Visible(f.Message)
		report.Suites[i].Tests++
		if f.Severity == finding.SeverityNote {
			one.Output = text
		} else {
			report.Failures++
			report.Suites[i].Failures++
			one.Failure = &junitFailure{Type: string(f.Severity), Message: terminal.Visible(f.Message), Text: text}
		}
		report.Suites[i].Cases = append(report.Suites[i].Cases, one)
	}
	fmt.Fprint(w, xml.Header)
	encoder := xml.NewEncoder(w)
	encoder.Indent("", "  ")
	if err := encoder.Encode(report); err != nil {
		return err
	}
	fmt.Fprintln(w)
	return nil
}
