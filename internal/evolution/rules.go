package evolution

import "github.com/maze-agent/maregister/internal/finding"

// broken are the rules that a Breaking change breaks, by its side and kind.
var broken = map[Side]map[Kind]string{
	Input: {
		Added: finding.InputRequired, Required: finding.InputRequired,
		Removed: finding.InputRemoved, Renamed: finding.InputRenamed,
		Narrowed: finding.InputNarrowed, Replaced: finding.InputNarrowed,
		Combination: finding.CombinationRefused,
	},
	Output: {
		Added:   finding.OutputUnexpected,
		Removed: finding.OutputMissing, Renamed: finding.OutputMissing, Optional: finding.OutputMissing,
		Widened: finding.OutputWidened, Replaced: finding.OutputWidened,
		Combination: finding.CombinationRefused,
	},
}

// doubtful are the rules of changes whose verdict is Unknown, by their kinds. Those of all others is UndecidedChange.
var doubtful = map[Kind]string{
	Format: finding.FormatChanged, Changed: finding.MembersChanged, Dropped: finding.MembersChanged, Declared: finding.UndeclaredSide,
}

// Rule returns the code of the rule that reports the change. Its severity is that of the verdict: see [Verdict.Severity].
func (c Change) Rule() string {
	switch {
	case c.Verdict == Breaking:
		return broken[c.Side][c.Kind]
	case c.Verdict == Unknown && c.Side == Output && (c.Kind == Removed || c.Kind == Renamed):
		return finding.OutputRemoved
	case c.Verdict == Unknown && doubtful[c.Kind] != "":
		return doubtful[c.Kind]
	case c.Verdict == Unknown:
		return finding.UndecidedChange
	case c.Kind == Default:
		return finding.DefaultChanged
	case c.Kind == Deprecated:
		return finding.TaskDeprecated
	case c.Kind == Told:
		return finding.SettingChanged
	default:
		return finding.CompatibleChange
	}
}

// Severity returns how a finding tells the verdict.
func (v Verdict) Severity() finding.Severity {
	return [...]finding.Severity{finding.SeverityNote, finding.SeverityWarning, finding.SeverityError}[v]
}
