package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/maze-agent/maregister/cmd/mazectl/internal/report"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/terminal"
	"github.com/maze-agent/maregister/internal/finding"
	"github.com/maze-agent/maregister/internal/nearest"
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
		Use:   "rule [CODE]",
		Short: "Explain a rule that findings name, or list all of them",
		Long: `Explain what breaks a rule, why that matters and what to do. Without CODE, list all rules. CODE is that of a finding, such as
MZ121, or the name of a rule, such as invalid-schema.

-o json prints {code, name, severity, summary, explanation}, or an array of those. The explanation is in Markdown.`,
		Example: fmt.Sprintf(`  %s rule MZ121`, program),
		Args:    cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if !slices.Contains(ruleOutputs, output) {
				return fmt.Errorf("--output %q is none of %s", output, strings.Join(ruleOutputs, ", "))
			}
			if len(args) == 0 {
				return listRules(t, output)
			}
			return explainRule(t, output, args[0])
		},
	}
	c.Flags().StringVarP(&output, "output", "o", ruleText, "`FORMAT`: "+strings.Join(ruleOutputs, ", "))
	c.ValidArgsFunction = cobra.FixedCompletions(ruleCompletions(), cobra.ShellCompDirectiveNoFileComp)
	if err := c.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(ruleOutputs, cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic(err) // there is no such flag
	}
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

func listRules(t terminal.Terminal, output string) error {
	rules := finding.Rules()
	if output == ruleJSON {
		reports := make([]ruleReport, len(rules))
		for i, rule := range rules {
			reports[i] = ruleReport(rule)
		}
		return report.WriteJSON(t.Out, reports)
	}
	longest := 0
	for _, rule := range rules {
		longest = max(longest, len(rule.Name))
	}
	for _, rule := range rules {
		paint := terminal.Red
		if rule.Severity == finding.SeverityWarning {
			paint = terminal.Yellow
		}
		severity := t.Paint(paint, terminal.Pad(string(rule.Severity), len(finding.SeverityWarning)))
		fmt.Fprintf(t.Out, "%s  %s  %s  %s\n", t.Paint(terminal.Bold, rule.Code), severity, terminal.Pad(rule.Name, longest), rule.Summary)
	}
	return nil
}

func explainRule(t terminal.Terminal, output, code string) error {
	rule, ok := findRule(code)
	switch {
	case !ok:
		return unknownRule(code)
	case output == ruleJSON:
		return report.WriteJSON(t.Out, ruleReport(rule))
	}
	fmt.Fprintf(t.Out, "%s [%s]\n\n%s\n\n%s\n", t.Paint(terminal.Bold, rule.Code+" "+rule.Name), rule.Severity, rule.Summary, strings.TrimSpace(rule.Explanation))
	return nil
}

func findRule(code string) (finding.Rule, bool) {
	if rule, ok := finding.Lookup(strings.ToUpper(code)); ok {
		return rule, true
	}
	rules := finding.Rules()
	if i := slices.IndexFunc(rules, func(r finding.Rule) bool { return r.Name == strings.ToLower(code) }); i >= 0 {
		return rules[i], true
	}
	return finding.Rule{}, false
}

func unknownRule(code string) error {
	var known []string
	for _, rule := range finding.Rules() {
		known = append(known, rule.Code, rule.Name)
	}
	if meant := nearest.Name(code, known); meant != "" {
		return fmt.Errorf("there is no rule %q; did you mean %s?", code, meant)
	}
	return fmt.Errorf(`there is no rule %q; "rule" without CODE lists all`, code)
}
