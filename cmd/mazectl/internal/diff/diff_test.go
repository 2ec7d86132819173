package diff

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/maze-agent/maregister/internal/finding"
)

func TestParseSource(t *testing.T) {
	for argument, want := range map[string]struct {
		source  Source
		wantErr string
	}{
		"deploy/tasks":                     {source: Source{Path: "deploy/tasks"}},
		"./git:x":                          {source: Source{Path: "./git:x"}},
		`C:\tasks`:                         {source: Source{Path: `C:\tasks`}},
		"git:HEAD":                         {source: Source{kind: gitSource, revision: "HEAD"}},
		"git:origin/main:a:b":              {source: Source{kind: gitSource, revision: "origin/main", Path: "a:b"}},
		"git:HEAD^{/fix}":                  {source: Source{kind: gitSource, revision: "HEAD^{/fix}"}},
		"registry:a.json":                  {source: Source{kind: registrySource, Path: "a.json"}},
		"cluster:":                         {source: Source{kind: clusterSource}},
		"cluster:vision":                   {source: Source{kind: clusterSource, namespace: "vision"}},
		"":                                 {wantErr: "OLD or NEW is empty"},
		"git:":                             {wantErr: "does not say which revision"},
		"git::a":                           {wantErr: "does not say which revision"},
		"git:-x":                           {wantErr: `"-x" is no revision of git`},
		"git:--output=a":                   {wantErr: `"--output=a" is no revision of git`},
		"git:a\nb":                         {wantErr: "is no revision of git"},
		"git:a\x00b":                       {wantErr: "is no revision of git"},
		"registry:":                        {wantErr: "does not say where"},
		"git:" + strings.Repeat("a", 2000): {wantErr: "is no revision of git"},
	} {
		want.source.given = argument
		got, err := ParseSource(argument)
		switch {
		case want.wantErr != "" && (err == nil || !strings.Contains(err.Error(), want.wantErr)):
			t.Errorf("%q: want the error %q, got %v", argument, want.wantErr, err)
		case want.wantErr == "" && (err != nil || got != want.source):
			t.Errorf("%q: want %+v, got %+v and the error %v", argument, want.source, got, err)
		}
	}
}

func TestNeeded(t *testing.T) {
	all := []string{
		"README.md", "setup.py", "deploy/a.yaml", "deploy/b.json", "deploy/tool.py", "deployed/c.yaml", "pkg/__init__.py", "pkg/sub/__init__.py",
		"pkg/sub/task.py", "pkg/sub/task.yaml", "pkg/other.py", "pkg/other.yaml",
	}
	var files []gitFile
	for _, name := range all {
		files = append(files, gitFile{name: name})
	}
	for inside, want := range map[string]string{
		"": "setup.py deploy/a.yaml deploy/b.json deploy/tool.py deployed/c.yaml pkg/__init__.py pkg/sub/__init__.py pkg/sub/task.py " +
			"pkg/sub/task.yaml pkg/other.py pkg/other.yaml",
		"deploy":          "deploy/a.yaml deploy/b.json deploy/tool.py",
		"deploy/a.yaml":   "deploy/a.yaml deploy/tool.py",
		"README.md":       "README.md setup.py deploy/tool.py pkg/__init__.py pkg/sub/__init__.py pkg/sub/task.py pkg/other.py",
		"pkg/sub":         "setup.py deploy/tool.py pkg/__init__.py pkg/sub/__init__.py pkg/sub/task.py pkg/sub/task.yaml pkg/other.py",
		"pkg/sub/task.py": "setup.py deploy/tool.py pkg/__init__.py pkg/sub/__init__.py pkg/sub/task.py pkg/other.py",
		"nothing":         "",
	} {
		var got []string
		for _, file := range needed(files, inside) {
			got = append(got, file.name)
		}
		if diff := cmp.Diff(strings.Fields(want), got, cmp.Transformer("empty", func(s []string) []string { return append([]string{}, s...) })); diff != "" {
			t.Errorf("%q (-want +got):\n%s", inside, diff)
		}
	}
}

// git runs git in a folder, and returns what it prints.
func git(t *testing.T, folder string, stdin []byte, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed")
	}
	command := exec.CommandContext(t.Context(), "git", append([]string{"-C", folder, "-c", "user.name=a", "-c", "user.email=a@b"}, args...)...)
	command.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1")
	command.Stdin = bytes.NewReader(stdin)
	out, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("git %q: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

const manifest = "{apiVersion: registry.mazeagent.net/v1alpha1, kind: MazeTask, metadata: {name: %s}, spec: {name: %s}}\n"

// TestHostileTree: whatever a tree has, nothing is written outside of the folder for it, and what can be read is.
func TestHostileTree(t *testing.T) {
	folder := t.TempDir()
	git(t, folder, nil, "init", "-q")
	blob := func(content string) string { return git(t, folder, []byte(content), "hash-object", "-w", "--stdin") }
	tree := func(entries ...string) string {
		var raw bytes.Buffer
		for _, entry := range entries {
			fields := strings.SplitN(entry, " ", 3) // mode, id, name
			id := make([]byte, 20)
			if _, err := fmt.Sscanf(fields[1], "%x", &id); err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&raw, "%s %s\x00%s", fields[0], fields[2], id)
		}
		return git(t, folder, raw.Bytes(), "hash-object", "-t", "tree", "-w", "--stdin", "--literally")
	}
	evil, good := blob(fmt.Sprintf(manifest, "evil", "evil")), blob(fmt.Sprintf(manifest, "good", "good"))
	link := blob("/etc")
	inner := tree("100644 " + evil + " evil.yaml")
	root := tree(
		"40000 "+inner+" ..", "40000 "+inner+" .git", "100644 "+evil+" ../up.yaml", "100644 "+evil+" /abs.yaml", "120000 "+link+" folder",
		"120000 "+link+" link.yaml", "160000 "+strings.Repeat("a", 40)+" module", "100644 "+good+" good.yaml",
		"100644 "+good+" two\nlines.yaml", "100644 "+good+" --output=x.yaml", "100644 "+strings.Repeat("b", 40)+" zlost.txt",
	)
	commit := git(t, folder, nil, "commit-tree", "-m", "one", root)
	if err := os.WriteFile(filepath.Join(folder, "new.yaml"), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	r, err := (&Options{Old: "git:" + commit + ":" + folder, New: "git:" + commit + ":" + folder}).Run(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if want, got := "0 added, 0 changed, 0 removed, 1 unchanged", r.Summary(); want != got {
		t.Errorf("want %q, got %q", want, got)
	}
	for _, name := range []string{filepath.Join(filepath.Dir(folder), "evil.yaml"), filepath.Join(filepath.Dir(temporary), "evil.yaml"), "/abs.yaml"} {
		if _, err := os.Stat(name); err == nil {
			t.Errorf("%s was written", name)
		}
	}
	if left, err := os.ReadDir(temporary); err != nil || len(left) > 0 {
		t.Errorf("want nothing left behind, got %v, %v", left, err)
	}
}

// TestLostObject: a file whose object is gone, as in a damaged repository, is an error, and no removal.
func TestLostObject(t *testing.T) {
	folder := t.TempDir()
	git(t, folder, nil, "init", "-q")
	name := filepath.Join(folder, "a.yaml")
	if err := os.WriteFile(name, fmt.Appendf(nil, manifest, "a", "a"), 0o600); err != nil {
		t.Fatal(err)
	}
	git(t, folder, nil, "add", "-A")
	git(t, folder, nil, "commit", "-q", "-m", "one")
	id := git(t, folder, nil, "rev-parse", "HEAD:a.yaml")
	if err := os.Remove(filepath.Join(folder, ".git", "objects", id[:2], id[2:])); err != nil {
		t.Fatal(err)
	}
	const want = "revision HEAD: read a.yaml: git has no such object; fetch the revision again"
	for _, path := range []string{folder, name} {
		_, err := (&Options{Old: "git:HEAD", New: path}).Run(t.Context(), nil)
		if err == nil || err.Error() != want {
			t.Errorf("%s: want %q, got %v", path, want, err)
		}
	}
}

// TestLostFunction: by what is wrong in a source, which tasks may be in it.
func TestLostFunction(t *testing.T) {
	for _, tc := range []struct {
		file, object, entryPoint string
		want                     bool
	}{
		{"tools/image.py", "", "tools.image:caption", true},
		{"/src/tools/image.py", "", "tools.image:caption", true},
		{"src/image/__init__.py", "", "image:caption", true},
		{"tools/image.py", "", "image:caption", true},
		{"tools/my_image.py", "", "image:caption", false},
		{"tools/image.py", "tools.image:other", "tools.image:caption", false},
		{"tools/image.py", "tools.image:caption", "tools.image:caption", true},
	} {
		l := lostTasks{Finding: finding.Finding{File: tc.file, Object: tc.object}}
		if got := l.mayBe(tc.entryPoint); got != tc.want {
			t.Errorf("%+v: got %t", tc, got)
		}
	}
}
