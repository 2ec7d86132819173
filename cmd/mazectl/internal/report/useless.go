package report

import (
	"fmt"
	"slices"

	"github.com/maze-agent/maregister/cmd/mazectl/internal/terminal"
	"github.com/maze-agent/maregister/internal/finding"
)

// maxUseless is how many ignores are told that silence nothing. Whoever has more begins with these.
const maxUseless = 20

// tellUseless notes what silences nothing, so that it does not stay behind and silence something later.
func tellUseless(t terminal.Terminal, o *Options, all []finding.Useless) {
	all = slices.DeleteFunc(slices.Clone(all), func(u finding.Useless) bool { return o.dependsOnOthers(u) })
	shown := 0
	for _, u := range all {
		if shown++; shown > maxUseless {
			t.Say("note:", fmt.Sprintf("%d more of these", len(all)-maxUseless))
			return
		}
		t.Say("note:", Where(u.File, u.At)+": "+uselessText(u))
	}
}

// dependsOnOthers reports whether it is up to other files if a rule is broken: those need not have been looked at this time.
func (o *Options) dependsOnOthers(u finding.Useless) bool {
	if u.Why != finding.NothingThere {
		return false
	}
	if o.OfChanges { // what is about all rules is about others, too
		return !o.Whole || u.Rule == ""
	}
	return finding.MeansChanges(u.Rule) || slices.Contains(
		[]string{finding.DuplicateFunction, finding.DuplicateObject, finding.NameConflict}, finding.CodeOf(u.Rule))
}

func uselessText(u finding.Useless) string {
	switch {
	case u.Why == finding.UnknownRule:
		return (&finding.UnknownRuleError{Given: u.Rule, Meant: u.Meant()}).Error()
	case u.Why == finding.NoRules:
		return "this ignores nothing; write the codes of rules, as in: # maze: ignore[MZ007]"
	case u.Rule == "":
		return "nothing is wrong here, so this ignores nothing; remove it, or name the rules of changes that it is for"
	case finding.MeansChanges(u.Rule):
		return fmt.Sprintf("no change here breaks %s, so ignoring it does nothing; remove it once the change is merged", u.Rule)
	}
	return fmt.Sprintf("nothing here breaks %s, so ignoring it does nothing; remove it", u.Rule)
}
