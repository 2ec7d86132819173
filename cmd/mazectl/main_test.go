package main

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"sigs.k8s.io/yaml"

	"github.com/maze-agent/maregister/cmd/mazectl/internal/terminal"
)

var update = flag.Bool("update", false, "write the outputs to testdata/golden instead of comparing them")

const nodesFile = "--nodes=testdata/nodes.yaml"

// TestRun compares all that a call prints, and what it exits with, with a file of testdata/golden.
func TestRun(t *testing.T) {
	cases := map[string]struct {
		args     []string
		program  string // mazectl if empty
		stdin    string // a file
		color    bool
		width    int // that of a pipe if 0
		wantCode int
	}{
		"table":                 {args: []string{"place", "testdata/tasks", nodesFile}, wantCode: exitFindings},
		"table-narrow":          {args: []string{"place", "testdata/tasks", nodesFile}, width: terminal.MinWidth, wantCode: exitFindings},
		"table-in-colour":       {args: []string{"place", "testdata/tasks", nodesFile, "--drain=pool=h100"}, color: true, wantCode: exitFindings},
		"table-of-many-classes": {args: []string{"place", "testdata/split.yaml", "--nodes=testdata/many.yaml"}},
		"wide":                  {args: []string{"place", "testdata/tasks", nodesFile, "-owide"}, wantCode: exitFindings},
		"json":                  {args: []string{"place", "testdata/tasks", nodesFile, "-ojson"}, wantCode: exitFindings},
		"json-in-colour":        {args: []string{"place", "testdata/split.yaml", nodesFile, "-ojson"}, color: true},
		"yaml-what-if":          {args: []string{"place", "testdata/tasks", nodesFile, "-oyaml", "--add=testdata/b200.yaml", "--drain=pool=t4"}},
		"folder-recursive":      {args: []string{"place", "-R", "testdata/tasks", nodesFile}, wantCode: exitFindings},
		"stdin":                 {args: []string{"place", "-", nodesFile}, stdin: "testdata/split.yaml"},
		"stdin-for-nodes":       {args: []string{"place", "testdata/split.yaml", "--nodes=-"}, stdin: "testdata/nodes.yaml"},
		"stdin-twice":           {args: []string{"place", "-", "--nodes=-"}, stdin: "testdata/split.yaml", wantCode: exitFailed},
		"namespace":             {args: []string{"place", "testdata/tasks", nodesFile, "-n", "docs"}, wantCode: exitFindings},
		"config":                {args: []string{"place", "testdata/tasks", nodesFile, "--config=testdata/operator.yaml"}},
		"config-broken":         {args: []string{"place", "testdata/tasks", nodesFile, "--config=testdata/operator-broken.yaml"}, wantCode: exitFailed},
		"config-missing":        {args: []string{"place", "testdata/tasks", nodesFile, "--config=testdata/none.yaml"}, wantCode: exitFailed},
		"add":                   {args: []string{"place", "testdata/tasks", nodesFile, "--add=testdata/b200.yaml"}},
		"add-and-drain":         {args: []string{"place", "testdata/tasks", nodesFile, "--add=testdata/b200.yaml", "--drain=pool=t4"}},
		"add-of-no-resources":   {args: []string{"place", "testdata/tasks", nodesFile, "--add=testdata/bare-node.yaml"}, wantCode: exitFailed},
		"add-of-no-node":        {args: []string{"place", "testdata/tasks", nodesFile, "--add=testdata/split.yaml"}, wantCode: exitFailed},
		"drain":                 {args: []string{"place", "testdata/tasks", nodesFile, "--drain=pool=h100"}, wantCode: exitFindings},
		"drain-wide":            {args: []string{"place", "testdata/tasks", nodesFile, "--drain=pool=h100", "-owide"}, wantCode: exitFindings},
		"drain-all-gpus":        {args: []string{"place", "testdata/caption.yaml", nodesFile, "--drain=pool in (h100, t4)"}, wantCode: exitFindings},
		"drain-matches-nothing": {args: []string{"place", "testdata/split.yaml", nodesFile, "--drain=pool=none"}},
		"drain-empty":           {args: []string{"place", "testdata/split.yaml", nodesFile, "--drain="}, wantCode: exitFailed},
		"drain-malformed":       {args: []string{"place", "testdata/split.yaml", nodesFile, "--drain=pool=("}, wantCode: exitFailed},
		"unknown-is-no-finding": {args: []string{"place", "testdata/caption.yaml", "--nodes=testdata/cpu-node.yaml"}},
		"refused":               {args: []string{"place", "testdata/refused.yaml", nodesFile}, wantCode: exitFindings},
		"refused-what-if":       {args: []string{"place", "testdata/refused.yaml", nodesFile, "-ojson", "--drain=pool=t4"}, wantCode: exitFindings},
		"broken-file":           {args: []string{"place", "testdata/broken.yaml", "testdata/split.yaml", nodesFile}, wantCode: exitFailed},
		"missing-file":          {args: []string{"place", "testdata/none.yaml", "testdata/split.yaml", nodesFile}, wantCode: exitFailed},
		"nodes-described":       {args: []string{"place", "testdata/split.yaml", "--nodes=testdata/described.txt"}, wantCode: exitFailed},
		"missing-nodes":         {args: []string{"place", "testdata/split.yaml", "--nodes=testdata/none.yaml"}, wantCode: exitFailed},
		"no-task":               {args: []string{"place", "testdata/nodes.yaml", nodesFile}, wantCode: exitFailed},
		"no-file":               {args: []string{"place"}, wantCode: exitFailed},
		"no-such-output":        {args: []string{"place", "testdata/split.yaml", nodesFile, "-oxml"}, wantCode: exitFailed},
		"no-such-flag":          {args: []string{"place", "--nods=x"}, wantCode: exitFailed},
		"no-such-command":       {args: []string{"plcae"}, wantCode: exitFailed},
		"no-cluster":            {args: []string{"place", "testdata/split.yaml", "--server=http://localhost:1"}, wantCode: exitFailed},

		"lint":                   {args: []string{"lint", "testdata/lint"}, wantCode: exitFindings},
		"lint-in-colour":         {args: []string{"lint", "testdata/lint"}, color: true, wantCode: exitFindings},
		"lint-narrow":            {args: []string{"lint", "testdata/escape.yaml"}, width: terminal.MinWidth, wantCode: exitFindings},
		"lint-steers":            {args: []string{"lint", "testdata/escape.yaml"}, color: true, wantCode: exitFindings},
		"lint-concise":           {args: []string{"lint", "testdata/lint", "--output-format=concise"}, wantCode: exitFindings},
		"lint-concise-in-colour": {args: []string{"lint", "testdata/lint", "--output-format=concise"}, color: true, wantCode: exitFindings},
		"lint-json":              {args: []string{"lint", "testdata/lint", "--output-format=json"}, color: true, wantCode: exitFindings},
		"lint-github":            {args: []string{"lint", "testdata/lint", "--output-format=github"}, wantCode: exitFindings},
		"lint-junit":             {args: []string{"lint", "testdata/lint", "--output-format=junit"}, wantCode: exitFindings},
		"lint-nothing":           {args: []string{"lint", "testdata/lint/deep/fine.yml"}},
		"lint-nothing-json":      {args: []string{"lint", "testdata/lint/deep/fine.yml", "--output-format=json"}},
		"lint-nothing-github":    {args: []string{"lint", "testdata/lint/deep/fine.yml", "--output-format=github"}},
		"lint-nothing-junit":     {args: []string{"lint", "testdata/lint/deep/fine.yml", "--output-format=junit"}},
		"lint-exit-zero":         {args: []string{"lint", "testdata/lint", "--output-format=concise", "--exit-zero"}},
		"lint-stdin":             {args: []string{"lint", "-"}, stdin: "testdata/lint/caption.yaml", wantCode: exitFindings},
		"lint-twice":             {args: []string{"lint", "testdata/lint/deep/fine.yml", "testdata/lint/deep", "./testdata/lint/deep/fine.yml"}, wantCode: exitFindings},
		"lint-all-sorts":         {args: []string{"lint", "testdata/nodes.yaml", "testdata/operator.yaml"}},
		"lint-template":          {args: []string{"lint", "testdata/lint/deep/template.yaml"}, wantCode: exitFindings},
		"lint-missing-file":      {args: []string{"lint", "testdata/none.yaml", "testdata/lint/caption.yaml", "--output-format=concise"}, wantCode: exitFailed},
		"lint-missing-file-only": {args: []string{"lint", "testdata/none.yaml", "--exit-zero"}, wantCode: exitFailed},
		"lint-empty-folder":      {args: []string{"lint", "testdata/lint-empty"}, wantCode: exitFailed},
		"lint-no-file":           {args: []string{"lint"}, wantCode: exitFailed},
		"lint-no-such-format":    {args: []string{"lint", "testdata/lint", "--output-format=xml"}, wantCode: exitFailed},
		"lint-no-such-folder":    {args: []string{"lint", "testdata/lint", "--output-file=testdata/none/x"}, wantCode: exitFailed},
		"help-of-lint":           {args: []string{"lint", "--help"}},
		"completion-of-formats":  {args: []string{"__complete", "lint", "--output-format", ""}},
		"completion-of-sources":  {args: []string{"__complete", "lint", ""}},
		"rules":                  {args: []string{"rule"}},
		"rules-in-colour":        {args: []string{"rule"}, color: true},
		"rule":                   {args: []string{"rule", "MZ110"}},
		"rule-by-name":           {args: []string{"rule", "Invalid-Schema"}},
		"rule-in-lower-case":     {args: []string{"rule", "mz005"}, color: true},
		"rule-json":              {args: []string{"rule", "MZ110", "-ojson"}},
		"rule-unknown":           {args: []string{"rule", "MZ12l"}, wantCode: exitFailed},
		"rule-unknown-name":      {args: []string{"rule", "invalid-scheme"}, wantCode: exitFailed},
		"rule-unlike-any":        {args: []string{"rule", "E501"}, wantCode: exitFailed},
		"rule-two":               {args: []string{"rule", "MZ101", "MZ102"}, wantCode: exitFailed},
		"rule-no-such-output":    {args: []string{"rule", "-oyaml"}, wantCode: exitFailed},
		"completion-of-rules":    {args: []string{"__complete", "rule", ""}},

		"help":                     {},
		"help-as-a-plugin":         {program: "/usr/local/bin/kubectl-maze"},
		"help-of-place":            {args: []string{"place", "--help"}},
		"completion-for-kubectl":   {args: []string{"place", "--no"}, program: "/usr/local/bin/kubectl_complete-maze"},
		"help-of-place-as-plugin":  {args: []string{"place", "--help"}, program: `kubectl-maze.exe`},
		"no-such-flag-as-a-plugin": {args: []string{"place", "--nods=x"}, program: "kubectl-maze", wantCode: exitFailed},
		"completion-of-outputs":    {args: []string{"__complete", "place", "-o", ""}},
		"completion-of-files":      {args: []string{"__complete", "place", ""}},
	}
	t.Setenv("KUBECONFIG", os.DevNull)
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			text, code := call(t, tc.program, tc.args, tc.stdin, tc.color, tc.width)
			if code != tc.wantCode {
				t.Errorf("exit code %d, want %d", code, tc.wantCode)
			}
			golden(t, name, text)
		})
	}
}

// TestField places the tasks of each field case, F1 to F15, whose nodes' labels and figures are real.
func TestField(t *testing.T) {
	t.Setenv("KUBECONFIG", os.DevNull)
	placeable := map[int]bool{2: true, 3: true, 4: true, 6: true, 7: true, 9: true, 10: true, 12: true, 13: true} // or not known
	for n := 1; n <= 15; n++ {
		name := fmt.Sprintf("testdata/field/F%d", n)
		args := []string{"place", name + ".tasks.yaml", "--nodes=" + name + ".nodes.yaml", "-owide"}
		if _, err := os.Stat(name + ".config.yaml"); err == nil {
			args = append(args, "--config="+name+".config.yaml")
		}
		t.Run(fmt.Sprintf("F%d", n), func(t *testing.T) {
			text, code := call(t, "", args, "", false, 0)
			if want := map[bool]int{true: 0, false: exitFindings}[placeable[n]]; code != want {
				t.Errorf("exit code %d, want %d", code, want)
			}
			golden(t, fmt.Sprintf("field-F%d", n), text)
		})
	}
}

// call runs mazectl and returns what it prints: the standard output, then the standard error.
func call(t *testing.T, program string, args []string, stdin string, color bool, width int) (string, int) {
	t.Helper()
	streams, in, out, errOut := genericiooptions.NewTestIOStreams()
	if stdin != "" {
		content, err := os.ReadFile(stdin)
		if err != nil {
			t.Fatal(err)
		}
		in.Write(content)
	}
	term := terminal.New(streams)
	term.Color = term.Color || color
	if width > 0 {
		term.Width = width
	}
	if program == "" {
		program = "mazectl"
	}
	if args == nil {
		args = []string{} // cobra would take those of the test
	}
	code := run(t.Context(), program, args, term)
	return out.String() + "--- standard error\n" + errOut.String(), code
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	goldenFile(t, filepath.Join("testdata", "golden", name+".txt"), got)
}

func goldenFile(t *testing.T, file, got string) {
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
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("output (-want +got; -update accepts it):\n%s", diff)
	}
}

// TestCluster asks a cluster for its nodes, in two pages, as whom the flags say, and gets what a file gets.
func TestCluster(t *testing.T) {
	content, err := os.ReadFile("testdata/nodes.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var list struct {
		Items []map[string]any `json:"items"`
	}
	if err := yaml.Unmarshal(content, &list); err != nil {
		t.Fatal(err)
	}
	page := func(items []map[string]any, next string) string {
		content, err := yaml.Marshal(map[string]any{"apiVersion": "v1", "kind": "NodeList", "metadata": map[string]any{"continue": next}, "items": items})
		if err != nil {
			t.Fatal(err)
		}
		if content, err = yaml.YAMLToJSON(content); err != nil {
			t.Fatal(err)
		}
		return string(content)
	}
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch {
		case r.URL.Path != "/api/v1/nodes" || r.Header.Get("Authorization") != "Bearer secret":
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, `{"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Forbidden", "code": 403, "message": "nodes is forbidden"}`)
		case r.URL.Query().Get("continue") == "":
			fmt.Fprint(w, page(list.Items[:2], "more"))
		default:
			fmt.Fprint(w, page(list.Items[2:], ""))
		}
	}))
	defer server.Close()
	config := filepath.Join(t.TempDir(), "kubeconfig")
	kubeconfig := fmt.Sprintf(`{apiVersion: v1, kind: Config, clusters: [{name: c, cluster: {server: %q, insecure-skip-tls-verify: true}}], users: [{name: u, user: {token: secret}}, {name: other}],
contexts: [{name: right, context: {cluster: c, user: u}}, {name: wrong, context: {cluster: c, user: other}}], current-context: wrong}`, server.URL)
	if err := os.WriteFile(config, []byte(kubeconfig), 0o600); err != nil {
		t.Fatal(err)
	}

	want, _ := call(t, "", []string{"place", "testdata/tasks", nodesFile}, "", false, 0)
	got, code := call(t, "", []string{"place", "testdata/tasks", "--kubeconfig", config, "--context=right"}, "", false, 0)
	if diff := cmp.Diff(want, got); diff != "" || code != exitFindings {
		t.Errorf("exit code %d, output (-want +got):\n%s", code, diff)
	}
	got, code = call(t, "", []string{"place", "testdata/split.yaml", "--kubeconfig", config}, "", false, 0)
	if !strings.Contains(got, "error: list the cluster's nodes: nodes is forbidden; choose a cluster") || code != exitFailed {
		t.Errorf("without permission: exit code %d, output:\n%s", code, got)
	}
}

func TestVersion(t *testing.T) {
	streams, _, out, _ := genericiooptions.NewTestIOStreams()
	if code := run(context.Background(), "kubectl-maze", []string{"version"}, terminal.New(streams)); code != exitFine {
		t.Errorf("exit code %d", code)
	}
	if !strings.HasPrefix(out.String(), "kubectl maze ") || !strings.Contains(out.String(), "(go1.") {
		t.Errorf("got %q", out.String())
	}
}
