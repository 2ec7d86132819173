package lint

import (
	"maps"
	"slices"

	"github.com/maze-agent/maregister/internal/finding"
)

// maxFindings is how many findings of one rule are told in a file. The others are counted: whoever corrects so many tries again.
const maxFindings = 1000

// file is a file that is being read.
type file struct {
	name string
	// findings are those that are told.
	findings []finding.Finding
	// told and leftOut count the findings by their rules. leftOut has those behind the first maxFindings of each.
	told, leftOut map[string]int
	// errors counts all findings that are errors, and lastError is the last one that was left out.
	errors    int
	lastError finding.Finding
}

func newFile(name string) *file {
	return &file{name: name, told: map[string]int{}, leftOut: map[string]int{}}
}

// report adds a finding. It returns the finding to be completed, which is of no use where there are too many of the rule.
func (f *file) report(rule string, at finding.Position, object, format string, args ...any) *finding.Finding {
	found := finding.New(rule, f.name, at, object, format, args...)
	if isError(found) {
		f.errors++
	}
	if f.full(rule) {
		f.leftOut[rule]++
		if isError(found) {
			f.lastError = found
		}
		return &found
	}
	f.told[rule]++
	f.findings = append(f.findings, found)
	return &f.findings[len(f.findings)-1]
}

// full reports whether the next findings of a rule are only counted. Where one costs much to be made, it is then left out at once.
func (f *file) full(rule string) bool { return f.told[rule] >= maxFindings }

// leaveOut counts findings of a rule that are errors and were not made.
func (f *file) leaveOut(rule string, n int) {
	f.errors += n
	f.leftOut[rule] += n
	f.lastError = finding.New(rule, f.name, finding.Position{}, "", "the file has more findings of this rule than are told")
}

// tellLeftOut adds a finding for each rule of which some were left out. It has the rule of those, so that whoever selects or ignores
// them has the same of it.
func (f *file) tellLeftOut() {
	for _, rule := range slices.Sorted(maps.Keys(f.leftOut)) {
		if n := f.leftOut[rule]; n > 0 {
			f.findings = append(f.findings, finding.New(rule, f.name, finding.Position{}, "",
				"%d more findings of this rule are in the file, and left out; correct those that are told first", n))
		}
	}
}
