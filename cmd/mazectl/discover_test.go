package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	toolsDir  = "testdata/discover/tools"
	gitopsDir = "../../examples/gitops"
)

// TestDiscover compares all that a call prints, and what it exits with, with a file of testdata/golden.
func TestDiscover(t *testing.T) {
	cases := map[string]struct {
		args     []string
		color    bool
		wantCode int
	}{
		"discover":                       {args: []string{toolsDir}},
		"discover-json":                  {args: []string{toolsDir, "-ojson"}},
		"discover-task-meta":             {args: []string{toolsDir, "-o", "task-meta"}},
		"discover-namespace-and-source":  {args: []string{toolsDir, "-n", "vision", "--source-name=tools", "--exclude=sub"}},
		"discover-one-file":              {args: []string{toolsDir + "/image.py"}},
		"discover-package-root":          {args: []string{toolsDir + "/image.py", "--package-root=testdata"}, wantCode: exitFindings},
		"discover-two-folders":           {args: []string{toolsDir, "testdata/discover/other", "--package-root=testdata/discover"}},
		"discover-exclude":               {args: []string{toolsDir, "--exclude=tools/**/pdf.py,image.*"}},
		"discover-findings":              {args: []string{"testdata/discover/broken"}, wantCode: exitFindings},
		"discover-nothing":               {args: []string{"testdata/golden"}},
		"discover-nothing-json":          {args: []string{"testdata/golden", "-ojson"}},
		"discover-every-file":            {args: []string{toolsDir, "--parse-all", "-otask-meta"}},
		"discover-two-roots":             {args: []string{toolsDir, "testdata/discover/other"}, wantCode: exitFailed},
		"discover-outside-package-root":  {args: []string{toolsDir, "--package-root=testdata/golden"}, wantCode: exitFailed},
		"discover-no-dir":                {wantCode: exitFailed},
		"discover-missing-dir":           {args: []string{"testdata/none"}, wantCode: exitFailed},
		"discover-no-python":             {args: []string{"testdata/nodes.yaml"}, wantCode: exitFailed},
		"discover-no-such-output":        {args: []string{toolsDir, "-oxml"}, wantCode: exitFailed},
		"discover-malformed-exclude":     {args: []string{toolsDir, "--exclude=[a"}, wantCode: exitFailed},
		"discover-malformed-source":      {args: []string{toolsDir, "--source-name=a b"}, wantCode: exitFailed},
		"discover-check-of-nothing":      {args: []string{toolsDir, "--check"}, wantCode: exitFailed},
		"discover-prune-without-source":  {args: []string{toolsDir, "--apply", "--prune"}, wantCode: exitFailed},
		"discover-prune-without-apply":   {args: []string{toolsDir, "--prune", "--source-name=a"}, wantCode: exitFailed},
		"discover-apply-and-output":      {args: []string{toolsDir, "--apply", "-ojson"}, wantCode: exitFailed},
		"discover-apply-and-output-dir":  {args: []string{toolsDir, "--apply", "--output-dir=out"}, wantCode: exitFailed},
		"discover-watch-and-dry-run":     {args: []string{toolsDir, "--watch", "--dry-run"}, wantCode: exitFailed},
		"discover-gitops-example":        {args: []string{gitopsDir + "/tools", "--source-name=vision-tools", "--output-dir=" + gitopsDir + "/deploy/tasks", "--check"}},
		"discover-no-resync":             {args: []string{toolsDir, "--watch", "--resync=0s"}, wantCode: exitFailed},
		"discover-no-cluster":            {args: []string{toolsDir, "--apply", "--server=http://localhost:1"}, wantCode: exitFailed},
		"discover-check-in-colour":       {args: []string{toolsDir, "--exclude=sub", "--check", "--output-dir=testdata/discover/manifests"}, color: true, wantCode: exitFindings},
		"help-of-discover":               {args: []string{"--help"}},
		"completion-of-discover-outputs": {args: []string{"-o", ""}},
	}
	t.Setenv("KUBECONFIG", os.DevNull)
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			args := append([]string{"discover"}, tc.args...)
			if strings.HasPrefix(name, "completion") {
				args = append([]string{"__complete"}, args...)
			}
			text, code := call(t, "", args, "", tc.color, 0)
			if code != tc.wantCode {
				t.Errorf("exit code %d, want %d", code, tc.wantCode)
			}
			golden(t, name, text)
		})
	}
}

// TestLintOfGitOpsExample: neither the manifests nor the sources break a rule.
func TestLintOfGitOpsExample(t *testing.T) {
	if text, code := call(t, "", []string{"lint", gitopsDir}, "", false, 0); code != exitFine {
		t.Error(text)
	}
}

// TestDiscoverStable: the order of folders, the working folder's depth and how often it runs make no difference.
func TestDiscoverStable(t *testing.T) {
	want, _ := call(t, "", []string{"discover", toolsDir, "testdata/discover/other", "--package-root=testdata/discover"}, "", false, 0)
	for range 3 {
		got, _ := call(t, "", []string{"discover", "testdata/discover/other", toolsDir, toolsDir + "/image.py", "--package-root=testdata/discover"}, "", false, 0)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("in another order (-want +got):\n%s", diff)
		}
	}
	absolute, err := filepath.Abs(toolsDir)
	if err != nil {
		t.Fatal(err)
	}
	relative, _ := call(t, "", []string{"discover", toolsDir}, "", false, 0)
	got, _ := call(t, "", []string{"discover", absolute}, "", false, 0)
	if diff := cmp.Diff(relative, got); diff != "" {
		t.Errorf("by its absolute path (-want +got):\n%s", diff)
	}
}
