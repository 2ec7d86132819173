package report

import (
	"fmt"
	"strings"

	"github.com/maze-agent/maregister/cmd/mazectl/internal/terminal"
	"github.com/maze-agent/maregister/internal/finding"
)

// maxUseless is how many ignores are told that silence nothing. Whoever has more begins with these.
const maxUseless = 20

// tellUseless notes what silences nothing, so that it does not stay behind and silence something later.
func tellUseless(t terminal.Terminal, all []finding.Useless) {
	shown := 0
	for _, u := range all {
		if dependsOnOthers(u) {
			continue
		}
		if shown++; shown > maxUseless {
			t.Say("note:", fmt.Sprintf("%d more of these", len(all)-maxUseless))
			return
		}
		t.Say("note:", Where(u.File, u.At)+": "+uselessText(u))
	}
}

// dependsOnOthers reports whether it is up to other files if a rule is broken: those need not have been looked at this time.
func dependsOnOthers(u finding.Useless) bool {
	if finding.IsOfChanges(strings.ToUpper(u.Rule)) {
		return true
	}
	rule, err := finding.Find(u.Rule)
	if u.Why != finding.NothingThere || err != nil {
		return false
	}
	switch rule.Code {
	case finding.DuplicateFunction, finding.DuplicateObject, finding.NameConflict:
		return true
	}
	return finding.IsOfChanges(rule.Code) // by its name
}

func uselessText(u finding.Useless) string {
	switch {
	case u.Why == finding.UnknownRule:
		return (&finding.UnknownRuleError{Given: u.Rule, Meant: u.Meant()}).Error()
	case u.Why == finding.NoRules:
		return "this ignores nothing; write the codes of rules, as in: # maze: ignore[MZ007]"
	case u.Rule == "":
		return "nothing is wrong here, so this ignores nothing; remove it"
	}
	return fmt.Sprintf("nothing here breaks %s, so ignoring it does nothing; remove it", u.Rule)
}
