package finding

import (
	"fmt"
	"slices"
	"strings"

	"github.com/maze-agent/maregister/internal/nearest"
)

// codePrefix begins the code of every rule.
const codePrefix = "MZ"

// allRules stands for all rules where codes are asked for.
const allRules = "ALL"

// UnknownRuleError is that a text is neither a code, nor the beginning of one, nor the name of a rule.
type UnknownRuleError struct {
	// Given is what the user wrote, and Meant what was probably meant. Meant is empty if nothing is near.
	Given, Meant string
}

// Error implements error.
func (e *UnknownRuleError) Error() string {
	return fmt.Sprintf("there is no rule %q%s", e.Given, nearest.Question(e.Meant))
}

// Find returns the rule that a text names: by its code, in upper or lower case, by the number in it, or by its name.
func Find(text string) (Rule, error) {
	prefix := prefixOf(text)
	if number, ok := strings.CutPrefix(prefix, codePrefix); ok && len(number) < 3 {
		prefix = codePrefix + strings.Repeat("0", 3-len(number)) + number
	}
	if rule, ok := rules[prefix]; ok {
		return rule, nil
	}
	return Rule{}, unknownRule(text)
}

// prefixOf returns the beginning of codes that a text stands for: MZ2 for 2 and mz2, MZ201 for malformed-dag, MZ for ALL.
func prefixOf(text string) string {
	upper := strings.ToUpper(strings.TrimSpace(text))
	switch {
	case upper == allRules:
		return codePrefix
	case upper != "" && strings.Trim(upper, "0123456789") == "":
		return codePrefix + upper
	}
	for code, rule := range rules {
		if strings.EqualFold(rule.Name, upper) {
			return code
		}
	}
	return upper
}

// CodeOf returns the code of the rule that a text names, or what the text is in capital letters.
func CodeOf(text string) string { return prefixOf(text) }

// knownRules returns what can be meant where a rule is asked for.
func knownRules() []string {
	known := []string{allRules}
	for _, rule := range Rules() {
		known = append(known, rule.Code, rule.Name)
	}
	return known
}

func unknownRule(text string) error {
	return &UnknownRuleError{Given: text, Meant: nearest.Name(text, knownRules())}
}

// Prefixes returns the beginnings of codes that texts stand for: codes, beginnings of codes such as MZ2, numbers, names, and ALL. The error
// is an UnknownRuleError.
func Prefixes(texts []string) ([]string, error) {
	var out []string
	for _, text := range texts {
		prefix := prefixOf(text)
		if !isPrefix(prefix) {
			return nil, unknownRule(text)
		}
		out = append(out, prefix)
	}
	return out, nil
}

// isPrefix reports whether the code of some rule begins so.
func isPrefix(prefix string) bool {
	if !strings.HasPrefix(prefix, codePrefix) {
		return false
	}
	for code := range rules {
		if strings.HasPrefix(code, prefix) {
			return true
		}
	}
	return false
}

// Selection is the rules whose findings are reported, by beginnings of their codes. The zero value is all rules.
type Selection struct {
	// Select is empty for all rules.
	Select, Ignore []string
}

// Has reports whether findings of a rule are reported. The longest of the beginnings that fit decides, and of two as long the one
// that ignores. So MZ2 can be ignored and MZ213 be selected, and the other way round.
func (s Selection) Has(rule string) bool {
	selected, ignored := longest(s.Select, rule), longest(s.Ignore, rule)
	if len(s.Select) == 0 {
		selected = 0
	}
	return selected > ignored || selected >= 0 && ignored < 0
}

// longest returns the length of the longest beginning of a code, or -1 if none is one.
func longest(prefixes []string, code string) int {
	best := -1
	for _, prefix := range prefixes {
		if strings.HasPrefix(code, prefix) {
			best = max(best, len(prefix))
		}
	}
	return best
}

// Of returns the findings that are reported, in their order.
func (s Selection) Of(findings []Finding) []Finding {
	return slices.DeleteFunc(slices.Clone(findings), func(f Finding) bool { return !s.Has(f.Rule) })
}
