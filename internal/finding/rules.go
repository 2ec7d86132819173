package finding

import (
	"cmp"
	"embed"
	"maps"
	"slices"
)

// Codes of the rules. A code never changes its meaning; those of Python sources are below 100, of manifests below
// 200, of workflows below 300, and of changes below 400.
const (
	Unreadable         = "MZ001"
	WrongEncoding      = "MZ002"
	SyntaxError        = "MZ003"
	NotStaticallyKnown = "MZ004"
	DuplicateFunction  = "MZ005"
	MissingName        = "MZ006"
	NotATask           = "MZ007"
	WrongArgument      = "MZ008"
	UnknownOutputs     = "MZ009"
	UnknownType        = "MZ010"
	WrongDefault       = "MZ011"
	UnclaimedDecorator = "MZ012"
	UnsupportedDevice  = "MZ013"
	UnlikeSignature    = "MZ014"
)

// Rule is something that holds for every good task, workflow or change.
type Rule struct {
	// Code is stable, such as MZ001. Name is short, in lower case with hyphens.
	Code, Name string
	Severity   Severity
	// Summary says in one sentence what breaks the rule.
	Summary string
	// Explanation says why that matters and what to do, in Markdown, with an example where that helps.
	Explanation string
}

// explanations has a file for each rule: MZ001.md.
//
//go:embed explanations
var explanations embed.FS

func newRule(code, name string, severity Severity, summary string) Rule {
	explanation, err := explanations.ReadFile("explanations/" + code + ".md")
	if err != nil {
		panic(err) // the file was not written: the test says which
	}
	return Rule{code, name, severity, summary, string(explanation)}
}

// Rules returns all rules by code.
func Rules() []Rule {
	all := slices.Collect(maps.Values(rules))
	slices.SortFunc(all, func(a, b Rule) int { return cmp.Compare(a.Code, b.Code) })
	return all
}

// Lookup returns the rule with a code, and false if there is none.
func Lookup(code string) (Rule, bool) {
	rule, ok := rules[code]
	return rule, ok
}

// rules are all there are, by code.
var rules = byCode(ofPython, ofManifests, ofWorkflows, ofChanges)

func byCode(groups ...[]Rule) map[string]Rule {
	all := map[string]Rule{}
	for _, rule := range slices.Concat(groups...) {
		all[rule.Code] = rule
	}
	return all
}
