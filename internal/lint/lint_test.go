package lint

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/finding"
	"github.com/maze-agent/maregister/internal/schema"
)

var update = flag.Bool("update", false, "write the findings to testdata/samples.txt instead of comparing them")

func newLinter(t testing.TB) *Linter {
	t.Helper()
	l, err := New()
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// lintText lints one file and tells its findings in short: "MZ103 at 7:3".
func lintText(t testing.TB, text string) []string {
	t.Helper()
	var out []string
	for _, f := range newLinter(t).Lint([]Source{{"file.yaml", []byte(text)}}).Findings {
		out = append(out, fmt.Sprintf("%s at %d:%d", f.Rule, f.Position.Line, f.Position.Column))
	}
	return out
}

// TestSamples lints each sample by itself. Its name begins with the rule that it breaks, or with "valid".
func TestSamples(t *testing.T) {
	files, err := filepath.Glob("testdata/samples/*")
	if err != nil || len(files) < 60 {
		t.Fatalf("want at least 60 samples, found %d (%v)", len(files), err)
	}
	l := newLinter(t)
	broken := map[string]bool{}
	var got strings.Builder
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(file)
		findings := l.Lint([]Source{{name, content}}).Findings
		want, _, _ := strings.Cut(name, "-")
		if (len(findings) > 0) != (want != "valid") {
			t.Errorf("%s: got %d findings", name, len(findings))
		}
		if want != "valid" && !slices.ContainsFunc(findings, func(f finding.Finding) bool { return f.Rule == strings.ToUpper(want) }) {
			t.Errorf("%s: want a finding of that rule, got %v", name, findings)
		}
		for _, f := range findings {
			broken[f.Rule] = true
			fmt.Fprintf(&got, "%s:%d:%d: %s [%s] %s\n", f.File, f.Position.Line, f.Position.Column, f.Rule, f.Object, f.Message)
			for _, related := range f.Related {
				fmt.Fprintf(&got, "  = %s:%d:%d: %s\n", related.File, related.Position.Line, related.Position.Column, related.Message)
			}
		}
	}
	compare(t, "testdata/samples.txt", got.String())
	for _, rule := range finding.Rules() {
		large := rule.Code == finding.ManifestTooLarge || rule.Code == finding.TaskTooLarge || rule.Code == finding.ReservedFileName // see TestLarge and TestFileNames
		if rule.Code > "MZ100" && rule.Code < "MZ200" && !large && !broken[rule.Code] {
			t.Errorf("no sample breaks %s", rule.Code)
		}
	}
}

func compare(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("findings (-want +got; -update accepts them):\n%s", diff)
	}
}

const header = "apiVersion: registry.mazeagent.net/v1alpha1\nkind: MazeTask\n"

// manifest is a MazeTask whose spec begins in line 4.
func manifest(spec string) string { return header + "metadata: {name: a}\n" + spec }

// TestLarge: whatever a file holds, it costs no more than seconds, and nothing crashes.
func TestLarge(t *testing.T) {
	longSchema := func(n int) string { return strings.Repeat("d", n) }
	deepList := strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000)
	cases := map[string]struct {
		text string
		want []string
	}{
		"A file of more than 4 MiB": {text: strings.Repeat("#\n", 2<<20+1), want: []string{"MZ102 at 0:0"}},
		"An object of 2 MiB": {
			text: manifest("spec: {name: a, inputParameters: {x: {description: " + longSchema(2<<20) + "}}}\n"),
			want: []string{"MZ102 at 1:1"},
		},
		"A schema of 100 KiB": {
			text: manifest("spec:\n  name: a\n  inputParameters: {x: {description: " + longSchema(100<<10) + "}}\n"),
			want: []string{"MZ122 at 6:20"},
		},
		"An entry of more than 256 KiB": {
			text: manifest("spec:\n  name: a\n  description: " + longSchema(16<<10) + "\n  inputParameters: {x: {description: " + longSchema(64<<10-100) +
				"}}\n  outputParameters: {x: {description: " + longSchema(64<<10-100) + "}}\n"),
			want: []string{"MZ128 at 1:1"},
		},
		"100,000 levels of YAML":  {text: manifest("spec: {name: a, inputParameters: {x: " + deepList + "}}\n"), want: []string{"MZ101 at 4:1"}},
		"100,000 levels of JSON":  {text: `{"a":` + deepList + "}", want: []string{"MZ101 at 1:10005"}},
		"100,000 levels of block": {text: manifest("spec:\n" + strings.Repeat("- ", 100_000) + "x\n"), want: []string{"MZ101 at 5:1"}},
		"9,000 levels":            {text: manifest("spec:\n  name: a\n  inputParameters:\n    x: " + strings.Repeat("[", 9000) + strings.Repeat("]", 9000) + "\n"), want: []string{"MZ122 at 7:39"}},
		"A bomb of aliases in a key that nobody reads": {
			text: manifest("spec: {name: a}\n") + "---\n" + bomb(30), want: []string{"MZ101 at 6:1"},
		},
		"100,000 characters for a quantity": {
			text: manifest("spec: {name: a, resources: {memory: " + strings.Repeat("9", 100_000) + "Mi}}\n"), want: []string{"MZ110 at 4:37"},
		},
		"A million characters for a key": {
			text: manifest("spec: {name: a, ? " + strings.Repeat("k", 1_000_000) + " : 1}\n"), want: []string{"MZ105 at 4:19"},
		},
	}
	l := newLinter(t)
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			result := l.Lint([]Source{{"file.yaml", []byte(tc.text)}})
			var got []string
			for _, f := range result.Findings {
				got = append(got, fmt.Sprintf("%s at %d:%d", f.Rule, f.Position.Line, f.Position.Column))
				if len(f.Message) > 4*maxMessage || strings.ContainsAny(f.Message, "\n\r") {
					t.Errorf("want one short line, got %d bytes", len(f.Message))
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("findings (-want +got):\n%s%v", diff, result.Findings)
			}
		})
	}
}

// bomb is small, and 2^n values once its aliases are followed.
func bomb(n int) string {
	text := "a0: &a0 [x, x]\n"
	for i := 1; i < n; i++ {
		text += fmt.Sprintf("a%d: &a%d [*a%d, *a%d]\n", i, i, i-1, i-1)
	}
	return text
}

// TestManyFindings: a file of nothing but mistakes does not flood, and says how many of them are left out. No rule hides another.
func TestManyFindings(t *testing.T) {
	spec := func(text string) string { return manifest("spec:\n  name: a\n" + text) }
	cases := map[string]struct {
		text string
		// want are the numbers of findings by rule, and wantLeftOut those of them that are counted only.
		want, wantLeftOut map[string]int
	}{
		"documents":                 {strings.Repeat("text\n---\n", 3_000), map[string]int{"MZ101": 3_000}, map[string]int{"MZ101": 2_000}},
		"as many as are told":       {strings.Repeat("text\n---\n", 1_000), map[string]int{"MZ101": 1_000}, nil},
		"one more":                  {strings.Repeat("text\n---\n", 1_001), map[string]int{"MZ101": 1_001}, map[string]int{"MZ101": 1}},
		"unknown fields":            {spec(repeated(4_000, "  u%d: x\n", "")), map[string]int{"MZ105": 4_000}, map[string]int{"MZ105": 3_000}},
		"keys that are given twice": {spec(strings.Repeat("  name: a\n", 2_500)), map[string]int{"MZ103": 2_500}, map[string]int{"MZ103": 1_500}},
		"words that are booleans, and types that are none": {
			repeated(3, header+"metadata: {name: a%d}\nspec: {name: a/b, inputParameters: {b: {type: strnig}, x: {examples: ["+strings.Repeat("yes, ", 700)+"]}}}\n", "---\n"),
			map[string]int{"MZ109": 3, "MZ116": 2_100, "MZ121": 3}, map[string]int{"MZ116": 1_100},
		},
		"manifests of one object": {
			repeated(1_500, header+"metadata: {name: a}\nspec: {name: t%d}\n", "---\n"), map[string]int{"MZ114": 1_499}, map[string]int{"MZ114": 499},
		},
		"a pasted tool": {
			spec("  inputParameters:\n    name: t\n    inputSchema: {}\n" + repeated(1_500, "    u%d: no\n", "")), map[string]int{"MZ121": 1}, nil,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, leftOut := map[string]int{}, map[string]int{}
			for _, f := range newLinter(t).Lint([]Source{{"tasks.yaml", []byte(tc.text)}}).Findings {
				var n int
				if _, err := fmt.Sscanf(f.Message, "%d more findings of this rule", &n); err == nil {
					got[f.Rule] += n
					leftOut[f.Rule] += n
				} else {
					got[f.Rule]++
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.wantLeftOut, leftOut, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("left out (-want +got):\n%s", diff)
			}
		})
	}
}

// TestManyRefusedTasks: a task is refused, and says why, also where nothing more of the rule is told.
func TestManyRefusedTasks(t *testing.T) {
	const tasks = maxFindings + 10
	result := newLinter(t).Lint([]Source{{"tasks.yaml", []byte(repeated(tasks, header+"metadata: {name: t%d}\nspec: {name: a/b}\n", "---\n"))}})
	if len(result.Refused) != tasks {
		t.Fatalf("want %d refused tasks, got %d", tasks, len(result.Refused))
	}
	for i, r := range result.Refused {
		if len(r.Findings) == 0 || r.Findings[len(r.Findings)-1].Rule != finding.InvalidTaskName {
			t.Fatalf("task %d: want why it is refused, got %+v", i, r.Findings)
		}
	}
}

// TestSet: what is wrong with several files together.
func TestSet(t *testing.T) {
	task := func(namespace, name, key string) string {
		return fmt.Sprintf("%smetadata: {name: %q, namespace: %q}\nspec: {name: %q}\n", header, name, namespace, key)
	}
	cases := map[string]struct {
		files []string
		want  []string
	}{
		"Other namespaces":   {files: []string{task("a", "x", "x"), task("b", "x", "x")}},
		"No namespace":       {files: []string{task("", "x", "x"), task("a", "x", "x")}},
		"One object":         {files: []string{task("a", "x", "x"), task("a", "x", "y")}, want: []string{"1: MZ114 MazeTask a/x, see 0:3:18"}},
		"One object, alike":  {files: []string{task("a", "x", "x"), task("a", "x", "x")}, want: []string{"1: MZ114 MazeTask a/x, see 0:3:18"}},
		"One task":           {files: []string{task("a", "x", "x"), task("a", "y", "x")}, want: []string{"1: MZ127 MazeTask a/y, see 0:4:14"}},
		"Both":               {files: []string{task("a", "x", "x"), task("a", "y", "x"), task("a", "x", "z")}, want: []string{"1: MZ127 MazeTask a/y, see 0:4:14", "2: MZ114 MazeTask a/x, see 0:3:18"}},
		"Only one is valid":  {files: []string{task("a", "x", "x"), task("a", "y", "")}, want: []string{"1: MZ109 MazeTask a/y"}},
		"Names are made up":  {files: []string{header + "metadata: {generateName: a-}\nspec: {name: x}\n", header + "metadata: {generateName: a-}\nspec: {name: z}\n"}},
		"Made up, one task":  {files: []string{header + "metadata: {generateName: a-}\nspec: {name: x}\n", header + "metadata: {generateName: a-}\nspec: {name: x}\n"}, want: []string{"1: MZ127 MazeTask a-, see 0:4:14"}},
		"Another kind":       {files: []string{"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n", task("", "x", "x")}},
		"The file, twice":    {files: []string{task("a", "x", "x") + "---\n" + task("a", "x", "x")}, want: []string{"0: MZ114 MazeTask a/x, see 0:3:18"}},
		"Three of one name":  {files: []string{task("a", "x", "k"), task("a", "y", "k"), task("a", "z", "k")}, want: []string{"1: MZ127 MazeTask a/y, see 0:4:14", "2: MZ127 MazeTask a/z, see 0:4:14"}},
		"Refused, but there": {files: []string{task("a", "x", "x"), task("a", "x", ".x")}, want: []string{"1: MZ114 MazeTask a/x, see 0:3:18", "1: MZ109 MazeTask a/x"}},
	}
	l := newLinter(t)
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var sources []Source
			for i, content := range tc.files {
				sources = append(sources, Source{strconv.Itoa(i), []byte(content)})
			}
			var got []string
			for _, f := range l.Lint(sources).Findings {
				text := fmt.Sprintf("%s: %s %s", f.File, f.Rule, f.Object)
				for _, related := range f.Related {
					text += fmt.Sprintf(", see %s:%d:%d", related.File, related.Position.Line, related.Position.Column)
				}
				got = append(got, text)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
		})
	}
}

// TestResult: what callers use besides the findings.
func TestResult(t *testing.T) {
	text := "apiVersion: v1\nkind: ConfigMap\n---\nx: 1\n---\n" + header + "metadata: {name: a, namespace: docs}\nspec: {name: a}\n---\n" + header + "metadata: {name: b}\nspec: {}\n"
	got := newLinter(t).Lint([]Source{{"file.yaml", []byte(text)}})
	if got.Objects != 2 || len(got.Tasks) != 1 || len(got.Findings) != 1 {
		t.Fatalf("want 2 objects, 1 task, 1 finding, got %d, %d, %v", got.Objects, len(got.Tasks), got.Findings)
	}
	if diff := cmp.Diff(map[string]int{"ConfigMap (v1)": 1, "no Kubernetes object": 1}, got.Skipped); diff != "" {
		t.Errorf("skipped (-want +got):\n%s", diff)
	}
	task := got.Tasks[0]
	if task.Namespace != "docs" || task.Name != "a" || task.Spec.Resources.Type != "cpu" || task.Spec.Resources.Memory.String() != "1Gi" {
		t.Errorf("want the task with its defaults, got %+v", task.MazeTask)
	}
	if task.File != "file.yaml" || task.Position != (finding.Position{Line: 6, Column: 1}) {
		t.Errorf("want it at file.yaml:6:1, got %s:%v", task.File, task.Position)
	}
}

// TestEveryReasonHasItsRule: no reason of Accepted=False is without a rule, and no two have one.
func TestEveryReasonHasItsRule(t *testing.T) {
	rules := map[string]string{}
	for _, reason := range reasonsOfAccepted(t) {
		code := RuleOf(reason)
		if rule, ok := finding.Lookup(code); !ok || rule.Severity != finding.SeverityError {
			t.Errorf("reason %s: want a rule that is an error, got %q", reason, code)
		}
		if other, twice := rules[code]; twice {
			t.Errorf("reasons %s and %s are both of rule %s", other, reason, code)
		}
		rules[code] = reason
	}
	if len(rules) < 8 {
		t.Errorf("want all reasons of Accepted, found %v", rules)
	}
	for reason, code := range ofReasons {
		if rules[code] != reason && reason != v1alpha1.ReasonTaskTooLarge {
			t.Errorf("%s is no reason of Accepted=False", reason)
		}
	}
}

// TestEveryKindOfWarningHasItsRule: what the operator warns of has a rule that is a warning.
func TestEveryKindOfWarningHasItsRule(t *testing.T) {
	kinds := []string{schema.KindPythonType, schema.KindTranslated, schema.KindNullDefault, schema.KindUnknownKeyword, schema.KindContradiction, schema.KindFalseSchema}
	for _, kind := range kinds {
		if rule, ok := finding.Lookup(ofWarnings[kind]); !ok || rule.Severity != finding.SeverityWarning {
			t.Errorf("kind %s: want a rule that is a warning, got %q", kind, ofWarnings[kind])
		}
	}
	if len(ofWarnings) != len(kinds) {
		t.Errorf("want %d kinds, got %v", len(kinds), ofWarnings)
	}
}

// reasonsOfAccepted reads the constants in the group that is called "Reasons of Accepted", but for the reason of True.
func reasonsOfAccepted(t *testing.T) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../../api/v1alpha1/conditions.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	var reasons []string
	for _, declaration := range file.Decls {
		group, ok := declaration.(*ast.GenDecl)
		if !ok || !strings.HasPrefix(group.Doc.Text(), "Reasons of Accepted") {
			continue
		}
		for _, spec := range group.Specs {
			literal, ok := spec.(*ast.ValueSpec).Values[0].(*ast.BasicLit)
			if !ok {
				t.Fatal("a reason is no text")
			}
			reason, err := strconv.Unquote(literal.Value)
			if err != nil {
				t.Fatal(err)
			}
			if reason != v1alpha1.ReasonValid {
				reasons = append(reasons, reason)
			}
		}
	}
	return reasons
}

// FuzzLint: any bytes give findings that have a rule and a place in the file, and never a crash.
func FuzzLint(f *testing.F) {
	files, err := filepath.Glob("testdata/samples/*")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(content)
	}
	f.Add([]byte(header + "metadata: {name: a}\nspec: &a {name: a, <<: *a}\n"))
	f.Add([]byte("{\"a\": 1} {a: 1}\n---\n\xff"))
	l := newLinter(f)
	f.Fuzz(func(t *testing.T, content []byte) {
		result := l.Lint([]Source{{"file", content}})
		lines := strings.Count(string(content), "\n") + 1
		for _, found := range result.Findings {
			if _, ok := finding.Lookup(found.Rule); !ok {
				t.Errorf("there is no rule %q", found.Rule)
			}
			if found.Position.Line < 0 || found.Position.Line > lines || (found.Position.Line > 0) != (found.Position.Column > 0) {
				t.Errorf("%v is not in a file of %d lines", found, lines)
			}
		}
	})
}
