package monitoring

import (
	"encoding/json"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/maze-agent/maregister/test/testutil"
)

// query is an expression that a rule or a panel of the dashboard has.
type query struct{ name, expression string }

func chartFile(name string) string {
	return filepath.Join(testutil.Root(), "charts", "maregister", "files", name)
}

// rules reads the alerts as Prometheus does.
func rules(t *testing.T) []rulefmt.Rule {
	t.Helper()
	groups, failures := rulefmt.ParseFile(chartFile("rules.yaml"), false, model.UTF8Validation, parser.NewParser(parser.Options{}), slog.Default())
	if len(failures) > 0 {
		t.Fatalf("Prometheus refuses the rules: %v", failures)
	}
	var all []rulefmt.Rule
	for _, group := range groups.Groups {
		all = append(all, group.Rules...)
	}
	return all
}

// dashboard is what these tests read of a dashboard of Grafana.
type dashboard struct {
	Panels []struct {
		ID      int
		Type    string
		Title   string
		Targets []struct{ Expr string }
	}
	Templating struct {
		List []struct{ Name, Type, Definition string }
	}
}

func readDashboard(t *testing.T) dashboard {
	t.Helper()
	content, err := os.ReadFile(chartFile("dashboard.json"))
	if err != nil {
		t.Fatal(err)
	}
	var d dashboard
	if err := json.Unmarshal(content, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

var labelValues = regexp.MustCompile(`^label_values\((\w+), (\w+)\)$`)

// queries are those of all rules, panels and variables, with what Grafana puts in the place of variables.
func queries(t *testing.T) []query {
	t.Helper()
	var all []query
	for _, rule := range rules(t) {
		all = append(all, query{rule.Alert, rule.Expr})
	}
	d, variables := readDashboard(t), strings.NewReplacer("$namespace", ".*", "$__rate_interval", "5m")
	for _, panel := range d.Panels {
		for _, target := range panel.Targets {
			all = append(all, query{"panel " + panel.Title, variables.Replace(target.Expr)})
		}
	}
	for _, variable := range d.Templating.List {
		if variable.Type != "query" {
			continue
		}
		asked := labelValues.FindStringSubmatch(variable.Definition)
		if asked == nil {
			t.Fatalf("variable %s: want label_values(metric, label), got %s", variable.Name, variable.Definition)
		}
		all = append(all, query{"variable " + variable.Name, "count by (" + asked[2] + ") (" + asked[1] + ")"})
	}
	return all
}

// selections returns what a query selects, and the labels by which it groups or joins. None may be left.
func selections(t *testing.T, q query) (selectors []*parser.VectorSelector, grouping []string) {
	t.Helper()
	expression, err := parser.NewParser(parser.Options{}).ParseExpr(q.expression)
	if err != nil {
		t.Fatalf("%s: Prometheus refuses %s: %v", q.name, q.expression, err)
	}
	parser.Inspect(expression, func(node parser.Node, _ []parser.Node) error {
		switch n := node.(type) {
		case *parser.VectorSelector:
			selectors = append(selectors, n)
		case *parser.AggregateExpr:
			grouping = append(grouping, n.Grouping...)
		case *parser.BinaryExpr:
			if n.VectorMatching != nil {
				grouping = append(grouping, n.VectorMatching.MatchingLabels...)
			}
		}
		return nil
	})
	if len(selectors) == 0 {
		t.Errorf("%s: %s selects nothing", q.name, q.expression)
	}
	return selectors, grouping
}

var runbook = regexp.MustCompile(`^https://github\.com/maze-agent/maregister/blob/main/(docs/monitoring\.md)#([a-z]+)$`)

// TestRules: each alert says how bad it is, what is wrong and what to do, is explained in both languages, and has a unit test.
func TestRules(t *testing.T) {
	unitTests := read(t, "test/deploy/monitoring/testdata/rules_test.yaml")
	documents := []string{read(t, "docs/monitoring.md"), read(t, "docs/monitoring.zh-CN.md")}
	alerts := rules(t)
	if len(alerts) == 0 {
		t.Fatal("there are no alerts")
	}
	for _, rule := range alerts {
		if severity := rule.Labels["severity"]; severity != "critical" && severity != "warning" {
			t.Errorf("%s: want the severity critical or warning, got %q", rule.Alert, severity)
		}
		if rule.For == 0 {
			t.Errorf("%s: want it to wait before it fires", rule.Alert)
		}
		for _, annotation := range []string{"summary", "description"} {
			if !strings.HasSuffix(rule.Annotations[annotation], ".") {
				t.Errorf("%s: want a %s that is a sentence, got %q", rule.Alert, annotation, rule.Annotations[annotation])
			}
		}
		if url := runbook.FindStringSubmatch(rule.Annotations["runbook_url"]); url == nil || url[2] != strings.ToLower(rule.Alert) {
			t.Errorf("%s: want its own part of docs/monitoring.md for a runbook, got %s", rule.Alert, rule.Annotations["runbook_url"])
		}
		for _, document := range documents {
			if !strings.Contains(document, "\n### "+rule.Alert+"\n") {
				t.Errorf("%s: want a heading for it in docs/monitoring.md and docs/monitoring.zh-CN.md", rule.Alert)
			}
		}
		if !strings.Contains(unitTests, `ALERTS{alertname="`+rule.Alert+`"`) && !strings.Contains(unitTests, "- alertname: "+rule.Alert+"\n") {
			t.Errorf("%s: want a test in which it fires", rule.Alert)
		}
	}
}

// TestAlertsFire runs the unit tests of the rules with promtool.
func TestAlertsFire(t *testing.T) {
	command := exec.CommandContext(t.Context(), tool(t, "promtool"), "test", "rules", "rules_test.yaml")
	command.Dir = "testdata"
	if output, err := command.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, output)
	}
}

// TestScrapeConfig: Prometheus takes the configuration that the document shows.
func TestScrapeConfig(t *testing.T) {
	folder := t.TempDir()
	for name, content := range map[string]string{"prometheus.yaml": shown(t, "yaml", "scrape_configs:"), "rules.yaml": read(t, "charts/maregister/files/rules.yaml")} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	command := exec.CommandContext(t.Context(), tool(t, "promtool"), "check", "config", "--syntax-only", "prometheus.yaml")
	command.Dir = folder
	if output, err := command.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, output)
	}
	if _, err := parser.NewParser(parser.Options{}).ParseExpr(shown(t, "promql", "kube_mazetask_info")); err != nil {
		t.Errorf("Prometheus refuses the query in the document: %v", err)
	}
}

// shown returns the block of code in docs/monitoring.md that is in a language and has a text.
func shown(t testing.TB, language, text string) string {
	t.Helper()
	for _, block := range regexp.MustCompile("(?ms)^```"+language+"\n(.*?)^```$").FindAllStringSubmatch(read(t, "docs/monitoring.md"), -1) {
		if strings.Contains(block[1], text) {
			return block[1]
		}
	}
	t.Fatalf("docs/monitoring.md shows no %s with %q", language, text)
	return ""
}

// TestDashboard: panels have an id and queries of their own, and each names the chosen data source and namespaces.
func TestDashboard(t *testing.T) {
	seen := map[int]bool{}
	for _, panel := range readDashboard(t).Panels {
		if seen[panel.ID] {
			t.Errorf("panel %s: another one has the id %d", panel.Title, panel.ID)
		}
		seen[panel.ID] = true
		if panel.Type != "row" && len(panel.Targets) == 0 {
			t.Errorf("panel %s has no query", panel.Title)
		}
		for _, target := range panel.Targets {
			for _, selector := range expectSelectors(t, query{panel.Title, target.Expr}) {
				if hasNamespace(selector.Name) && !strings.Contains(target.Expr, `namespace=~"$namespace"`) {
					t.Errorf("panel %s: %s is not restricted to the chosen namespaces", panel.Title, target.Expr)
				}
			}
		}
	}
}

func expectSelectors(t *testing.T, q query) []*parser.VectorSelector {
	t.Helper()
	q.expression = strings.ReplaceAll(q.expression, "$__rate_interval", "5m")
	selectors, _ := selections(t, q)
	return selectors
}

// hasNamespace reports whether a metric is told for each namespace.
func hasNamespace(name string) bool {
	return strings.HasPrefix(name, "kube_mazetask_") || strings.HasPrefix(name, "maregister_") &&
		name != "maregister_rejected_specs" && !strings.HasPrefix(name, "maregister_registry_publish_latency_seconds")
}

// selects reports whether a selector takes a sample.
func selects(selector *parser.VectorSelector, sample labels.Labels) bool {
	for _, matcher := range selector.LabelMatchers {
		if !matcher.Matches(sample.Get(matcher.Name)) {
			return false
		}
	}
	return true
}

func read(t testing.TB, file string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(testutil.Root(), file))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
