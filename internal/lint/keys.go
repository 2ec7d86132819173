package lint

import (
	"slices"

	"github.com/maze-agent/maregister/internal/finding"
)

// errorsSince says whether there are errors, and not only warnings, behind the first so many findings.
func (f *file) errorsSince(before int) bool {
	return slices.ContainsFunc(f.findings[before:], func(found finding.Finding) bool { return found.Severity == finding.SeverityError })
}

// reportKeys reports what decoding hides: keys that are given twice, and those that are not read as they are written.
func (o *object) reportKeys() {
	seen := map[*node]bool{} // aliases share nodes
	var walk func(n *node)
	walk = func(n *node) {
		if n == nil || seen[n] || len(o.file.findings) >= maxFindings {
			return
		}
		seen[n] = true
		o.reportKeysOf(n)
		for _, m := range n.members {
			walk(m.value)
		}
		for _, item := range n.items {
			walk(item)
		}
	}
	walk(o.place.node)
}

func (o *object) reportKeysOf(n *node) {
	first := map[string]finding.Position{}
	for _, m := range n.members {
		if at, twice := first[m.name]; twice {
			o.report(finding.DuplicateKey, m.at, "%s is given twice, first in line %d; keep one of them", quoted(m.name), at.Line)
			continue
		}
		first[m.name] = m.at
		if m.written != "" && m.written != m.name {
			o.report(finding.BooleanKey, m.at, "%s is read as %s; put it in quotes", m.written, m.name)
		}
	}
}
