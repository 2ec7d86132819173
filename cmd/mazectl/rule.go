package main

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/maze-agent/maregister/cmd/mazectl/internal/report"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/terminal"
	"github.com/maze-agent/maregister/internal/finding"
)

const (
	ruleText = "text"
	ruleJSON = "json"
)

// ruleOutputs are the values of -o.
var ruleOutputs = []string{ruleText, ruleJSON}

func newRuleCommand(program string, t terminal.Terminal) *cobra.Command {
	var output string
	c := &cobra.Command{
		Use:   "rule [CODE...]",
		Short: "Explain rules that findings name, or list all of them",
		Long: `Explain what breaks a rule, why that matters and what to do. Without CODE, list all rules. CODE is that of a finding, such as
MZ121, its number, such as 121, or the name of a rule, such as invalid-schema. The beginning of codes, such as MZ3, lists those rules.

-o json prints {code, name, severity, summary, explanation}, or an array of those, if not one CODE is given. The explanation is in
Markdown.`,
		Example: fmt.Sprintf(`  %s rule MZ121 201`, program),
		RunE: func(_ *cobra.Command, args []string) error {
			if !slices.Contains(ruleOutputs, output) {
				return fmt.Errorf("--output %q is none of %s", output, strings.Join(ruleOutputs, ", "))
			}
			if len(args) == 0 {
				return listRules(t, output, finding.Rules())
			}
			if some := begunBy(args); len(some) > 0 {
				return listRules(t, output, some)
			}
			return explainRules(t, output, args)
		},
	}
	c.Flags().StringVarP(&output, "output", "o", ruleText, "`FORMAT`: "+strings.Join(ruleOutputs, ", "))
	c.ValidArgsFunction = cobra.FixedCompletions(ruleCompletions(), cobra.ShellCompDirectiveNoFileComp)
	complete(c, "output", ruleOutputs)
	return c
}

func ruleCompletions() []string {
	var out []string
	for _, rule := range finding.Rules() {
		out = append(out, cobra.CompletionWithDesc(rule.Code, rule.Summary))
	}
	return out
}

// ruleReport is what "rule" prints for programs. Its fields stay; others may be added.
type ruleReport struct {
	Code        string           `json:"code"`
	Name        string           `json:"name"`
	Severity    finding.Severity `json:"severity"`
	Summary     string           `json:"summary"`
	Explanation string           `json:"explanation"`
}

// beginning matches the beginning of codes, as --select and --ignore take it. A number alone is that of a rule.
var beginning = regexp.MustCompile(`(?i)^MZ[0-9]{0,2}$`)

// begunBy returns the rules whose codes begin so, if all that is asked for are beginnings of codes.
func begunBy(args []string) []finding.Rule {
	prefixes, err := finding.Prefixes(args)
	if err != nil || slices.ContainsFunc(args, func(arg string) bool { return !beginning.MatchString(arg) }) {
		return nil
	}
	return slices.DeleteFunc(finding.Rules(), func(rule finding.Rule) bool {
		return !slices.ContainsFunc(prefixes, func(prefix string) bool { return strings.HasPrefix(rule.Code, prefix) })
	})
}

func listRules(t terminal.Terminal, output string, rules []finding.Rule) error {
	if output == ruleJSON {
		reports := make([]ruleReport, len(rules))
		for i, rule := range rules {
			reports[i] = ruleReport(rule)
		}
		return terminal.WriteJSON(t.Out, reports)
	}
	longest := 0
	for _, rule := range rules {
		longest = max(longest, len(rule.Name))
	}
	for _, rule := range rules {
		severity := report.Paint(t, rule.Severity, terminal.Pad(string(rule.Severity), len(finding.SeverityWarning)))
		fmt.Fprintf(t.Out, "%s  %s  %s  %s\n", t.Paint(terminal.Bold, rule.Code), severity, terminal.Pad(rule.Name, longest), rule.Summary)
	}
	return nil
}

// explainRules explains rules by their codes, numbers or names. It explains none if one of them is unknown.
func explainRules(t terminal.Terminal, output string, names []string) error {
	rules := make([]finding.Rule, len(names))
	reports := make([]ruleReport, len(names))
	for i, name := range names {
		rule, err := finding.Find(name)
		if err != nil {
			return unknownRule(err)
		}
		rules[i], reports[i] = rule, ruleReport(rule)
	}
	switch {
	case output == ruleJSON && len(reports) == 1:
		return terminal.WriteJSON(t.Out, reports[0])
	case output == ruleJSON:
		return terminal.WriteJSON(t.Out, reports)
	}
	for i, rule := range rules {
		if i > 0 {
			fmt.Fprintln(t.Out)
		}
		title := t.Paint(terminal.Bold, rule.Code+" "+rule.Name)
		fmt.Fprintf(t.Out, "%s [%s]\n\n%s\n\n%s\n", title, rule.Severity, rule.Summary, strings.TrimSpace(rule.Explanation))
	}
	return nil
}

// unknownRule adds what to do to an error about a rule that nothing is near to.
func unknownRule(err error) error {
	if unknown, ok := errors.AsType[*finding.UnknownRuleError](err); ok && unknown.Meant == "" {
		return fmt.Errorf(`%w; "rule" without CODE lists all`, err)
	}
	return err
}
