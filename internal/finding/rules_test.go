package finding

import (
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestRulesHaveAllTexts: whoever meets a code can look it up.
func TestRulesHaveAllTexts(t *testing.T) {
	code, name := regexp.MustCompile(`^MZ\d{3}$`), regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`)
	names := map[string]string{}
	for _, rule := range Rules() {
		if !code.MatchString(rule.Code) || !name.MatchString(rule.Name) {
			t.Errorf("rule %q is named %q: want MZ and three digits, and words in lower case", rule.Code, rule.Name)
		}
		if other, twice := names[rule.Name]; twice {
			t.Errorf("%s and %s are both named %s", other, rule.Code, rule.Name)
		}
		names[rule.Name] = rule.Code
		isNote := rule.Severity == SeverityNote && (IsOfChanges(rule.Code) || rule.Code == DoubtfulReplacement) // a part of the files may be linted
		if rule.Severity != SeverityError && rule.Severity != SeverityWarning && !isNote {
			t.Errorf("%s has severity %q", rule.Code, rule.Severity)
		}
		if !strings.HasSuffix(rule.Summary, ".") || strings.Contains(rule.Summary, "\n") {
			t.Errorf("%s is summed up by %q: want a sentence", rule.Code, rule.Summary)
		}
		if len(rule.Explanation) < 100 || strings.Count(rule.Explanation, "```")%2 != 0 {
			t.Errorf("%s has no proper explanation: %q", rule.Code, rule.Explanation)
		}
		for number, line := range strings.Split(rule.Explanation, "\n") {
			if len([]rune(line)) > 140 {
				t.Errorf("%s.md:%d: want at most 140 characters, found %d", rule.Code, number+1, len([]rune(line)))
			}
		}
	}
}

// TestEveryExplanationIsOfARule: none is left over.
func TestEveryExplanationIsOfARule(t *testing.T) {
	files, err := explanations.ReadDir("explanations")
	if err != nil {
		t.Fatal(err)
	}
	var got, want []string
	for _, file := range files {
		got = append(got, strings.TrimSuffix(file.Name(), ".md"))
	}
	for _, rule := range Rules() {
		want = append(want, rule.Code)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("explanations (-want +got):\n%s", diff)
	}
	if groups := len(ofPython) + len(ofManifests) + len(ofWorkflows) + len(ofChanges); groups != len(want) {
		t.Errorf("%d rules have %d codes", groups, len(want))
	}
}

func TestLookup(t *testing.T) {
	if rule, ok := Lookup("MZ121"); !ok || rule.Name != "invalid-schema" {
		t.Errorf("Lookup(MZ121): got %q, %t", rule.Name, ok)
	}
	if _, ok := Lookup("MZ000"); ok {
		t.Error("Lookup(MZ000): want none")
	}
}

func TestSort(t *testing.T) {
	later := New(DuplicateKey, "b.yaml", Position{Line: 2, Column: 1}, "", "twice")
	sooner := New(PythonTypeName, "b.yaml", Position{Line: 1, Column: 9}, "", "int")
	other := New(UnknownField, "a.yaml", Position{Line: 7, Column: 1}, "", "x")
	got := Sort([]Finding{later, sooner, other, later})
	if diff := cmp.Diff([]Finding{other, sooner, later}, got); diff != "" {
		t.Errorf("Sort(...): -want, +got:\n%s", diff)
	}
	if got[1].Severity != SeverityWarning || got[2].Severity != SeverityError {
		t.Errorf("New(...): want the severities of the rules, got %s and %s", got[1].Severity, got[2].Severity)
	}
}
