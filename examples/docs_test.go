// Package examples holds what README.md shows. Its test keeps the two the same.
package examples

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/yaml"

	configv1alpha1 "github.com/maze-agent/maregister/api/config/v1alpha1"
	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/config"
	"github.com/maze-agent/maregister/internal/task"
)

// root is the root folder of the source tree.
const root = ".."

var readmes = []string{"README.md", "README.zh-CN.md"}

// shown are the files of which the READMEs show a part, by the language of the code block.
var shown = map[string]struct{ file, comment string }{
	"yaml":   {file: "examples/mazetask.yaml"},
	"go":     {file: "examples/scheduler/task.go", comment: "//"},
	"python": {file: "examples/registry-reader/read_registry.py", comment: "#"},
}

func TestReadmesShowTheTestedFiles(t *testing.T) {
	for _, readme := range readmes {
		for language, part := range shown {
			t.Run(readme+" "+language, func(t *testing.T) {
				want := read(t, part.file)
				if part.comment != "" {
					want = region(t, want, part.comment+" README")
				}
				blocks := codeBlocks(read(t, readme), language)
				if diff := cmp.Diff([]string{strings.Trim(want, "\n")}, blocks); diff != "" {
					t.Errorf("the code in %s is not that of %s (-want +got):\n%s", readme, part.file, diff)
				}
			})
		}
	}
}

// TestGuidesShowTheTestedFiles: the code that guides show is a part of files of an example, whatever its indentation.
func TestGuidesShowTheTestedFiles(t *testing.T) {
	for guide, example := range map[string]string{"docs/discover.md": "gitops", "docs/gitops.md": "gitops", "docs/python.md": "run", "docs/run.md": "run",
		"docs/scheduler.md": "scheduler"} {
		files := filesOf(t, example)
		for _, language := range []string{"yaml", "json", "python", "go"} {
			for _, block := range codeBlocks(read(t, guide), language) {
				if !strings.Contains(files, block) {
					t.Errorf("%s shows what no file of examples/%s has:\n%s", guide, example, block)
				}
			}
		}
	}
}

// filesOf returns the contents of all files of an example.
func filesOf(t *testing.T, example string) string {
	t.Helper()
	var files strings.Builder
	err := filepath.WalkDir(example, func(path string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			files.WriteString(read(t, filepath.Join("examples", path)) + "\n")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files.String()
}

// TestRunsManifestsAreRead: a field that the API server does not know is an error.
func TestRunsManifestsAreRead(t *testing.T) {
	for file, object := range map[string]any{"job.yaml": &batchv1.Job{}, "job-without-image.yaml": &batchv1.Job{}, "image-volume.yaml": &corev1.Pod{}} {
		if err := yaml.UnmarshalStrict([]byte(read(t, "examples/run/"+file)), object); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}

// TestMalearnsGuideShowsTheTestedFile: the class that a predictor's author copies.
func TestMalearnsGuideShowsTheTestedFile(t *testing.T) {
	const guide = "docs/malearn.md"
	_, rest, _ := strings.Cut(read(t, "examples/malearn/history.py"), "\n# "+guide+": begin\n")
	want, _, marked := strings.Cut(rest, "\n# "+guide+": end\n")
	if !marked {
		t.Fatal("history.py has no comments that mark what the guide shows")
	}
	if diff := cmp.Diff([]string{want}, codeBlocks(read(t, guide), "python")); diff != "" {
		t.Errorf("the code in %s is not that of history.py (-want +got):\n%s", guide, diff)
	}
}

// TestTheClientGuideShowsTheTestedFiles compares docs/client.md with what its code is a part of.
func TestTheClientGuideShowsTheTestedFiles(t *testing.T) {
	guide := read(t, "docs/client.md")
	yamls := read(t, "examples/registry-reader/rbac.yaml") + read(t, "examples/registry-reader/pod.yaml")
	for _, block := range codeBlocks(guide, "yaml") {
		if !strings.Contains(yamls, block) {
			t.Errorf("the guide shows what no file has:\n%s", block)
		}
	}
	example := read(t, "client/example_test.go")
	for language, want := range map[string][]string{
		"go":     {region(t, example, "// docs"), region(t, example, "// docs of folders")},
		"python": {region(t, read(t, "examples/registry-reader/read_registry.py"), "# docs")},
	} {
		for i := range want {
			want[i] = strings.Trim(want[i], "\n")
		}
		if diff := cmp.Diff(want, codeBlocks(guide, language)); diff != "" {
			t.Errorf("the code is not that of the file (-want +got):\n%s", diff)
		}
	}
}

// TestReadmesHaveTheSameCode compares every document that there is in Chinese with the English one.
func TestReadmesHaveTheSameCode(t *testing.T) {
	for _, chinese := range documents(t) {
		name, ok := strings.CutSuffix(chinese, ".zh-CN.md")
		if !ok {
			continue
		}
		english := name + ".md"
		if diff := cmp.Diff(codeBlocks(read(t, english), ""), codeBlocks(read(t, chinese), "")); diff != "" {
			t.Errorf("-%s +%s:\n%s", english, chinese, diff)
		}
	}
}

func TestTheTaskIsValid(t *testing.T) {
	var mazeTask v1alpha1.MazeTask
	if err := yaml.UnmarshalStrict([]byte(read(t, "examples/mazetask.yaml")), &mazeTask); err != nil {
		t.Fatal(err)
	}
	if got, want := mazeTask.GroupVersionKind(), v1alpha1.SchemeGroupVersion.WithKind("MazeTask"); got != want {
		t.Errorf("want %s, got %s", want, got)
	}
	verdict := task.Judge(&mazeTask.Spec)
	if !verdict.Accepted || verdict.Message() != "the spec is valid" {
		t.Errorf("want it accepted without a warning, got %s: %s", verdict.Reason, verdict.Message())
	}
}

// TestReadmesTellEveryReason compares the READMEs with the reasons and the types of conditions in the API.
func TestReadmesTellEveryReason(t *testing.T) {
	checkReasons(t, "api/v1alpha1/conditions.go", readmes)
	checkReasons(t, "api/v1alpha1/workflow_conditions.go", []string{"docs/workflow.md", "docs/workflow.zh-CN.md"})
}

// checkReasons compares pages with the reasons and the types of conditions in a file.
func checkReasons(t *testing.T, file string, pages []string) {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, file), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	names := 0
	ast.Inspect(parsed, func(node ast.Node) bool {
		literal, ok := node.(*ast.BasicLit)
		if !ok || literal.Kind != token.STRING {
			return true
		}
		names++
		name, err := strconv.Unquote(literal.Value)
		if err != nil {
			t.Fatal(err)
		}
		for _, readme := range pages {
			if !strings.Contains(read(t, readme), "`"+name+"`") {
				t.Errorf("%s does not tell of %s, which %s has", readme, name, file)
			}
		}
		return true
	})
	if names == 0 {
		t.Errorf("no names found in %s", file)
	}
}

var (
	link = regexp.MustCompile(`\]\(([^)]+)\)`)
	// makeTarget matches a command in prose, and at the begin of a line of a code block.
	makeTarget = regexp.MustCompile("`make ([a-z]+)")
	madeInCode = regexp.MustCompile("(?m)^make ([a-z]+)")
)

// TestDocumentsLeadSomewhere checks links, and that make has the targets which are named.
func TestDocumentsLeadSomewhere(t *testing.T) {
	makefile := read(t, "Makefile")
	for _, document := range documents(t) {
		text := read(t, document)
		for _, match := range link.FindAllStringSubmatch(text, -1) {
			if strings.Contains(match[1], "://") {
				continue
			}
			path, anchor, _ := strings.Cut(match[1], "#")
			target := document
			if path != "" {
				target = filepath.Join(filepath.Dir(document), path)
			}
			if _, err := os.Stat(filepath.Join(root, target)); err != nil {
				t.Errorf("%s has a link that leads nowhere: %v", document, err)
				continue
			}
			if anchor != "" && !slices.Contains(headings(read(t, target)), anchor) {
				t.Errorf("%s has a link to %s, and there is no such heading; there are %q", document, match[1], headings(read(t, target)))
			}
		}
		code := strings.Join(codeBlocks(text, ""), "\n")
		for _, match := range slices.Concat(makeTarget.FindAllStringSubmatch(text, -1), madeInCode.FindAllStringSubmatch(code, -1)) {
			if !regexp.MustCompile("(?m)^" + match[1] + ":").MatchString(makefile) {
				t.Errorf("%s names make %s, which the Makefile does not have", document, match[1])
			}
		}
	}
}

// TestTheMapLeadsSomewhere: whatever ARCHITECTURE.md calls a file, a folder or a test is there. Of a path only the part that begins at the
// root is checked: "`node.go`" alone is in the folder that was named before it.
func TestTheMapLeadsSomewhere(t *testing.T) {
	tests := map[string]bool{}
	for _, folder := range []string{"api", "client", "cmd", "controllers", "examples", "hack", "internal", "test"} {
		err := filepath.WalkDir(filepath.Join(root, folder), func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, "_test.go") {
				return err
			}
			content, err := os.ReadFile(path)
			for _, match := range regexp.MustCompile(`(?m)^func (Test\w+)\(`).FindAllSubmatch(content, -1) {
				tests[string(match[1])] = true
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	const page = "ARCHITECTURE.md"
	span := regexp.MustCompile("`([^`\\s]+)`")
	isPath := regexp.MustCompile(`^(?:api|charts|client|cmd|config|controllers|docs|examples|hack|internal|python|test)/`)
	for _, match := range span.FindAllStringSubmatch(read(t, page), -1) {
		name := match[1]
		switch found, _ := filepath.Glob(filepath.Join(root, strings.ReplaceAll(name, "…", "*"))); {
		case strings.HasPrefix(name, "Test") && !tests[name]:
			t.Errorf("%s names the test %s, which does not exist", page, name)
		case isPath.MatchString(name) && len(found) == 0:
			t.Errorf("%s names %s, which does not exist", page, name)
		}
	}
	if len(tests) < 100 {
		t.Errorf("only %d tests were found", len(tests))
	}
}

// documents returns the pages that people read in the repository: those at its root, and all below some folders.
func documents(t *testing.T) []string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(root, "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range []string{".github", "charts", "docs", "examples", "test"} {
		err := filepath.WalkDir(filepath.Join(root, folder), func(path string, entry fs.DirEntry, err error) error {
			if err == nil && filepath.Ext(path) == ".md" && !strings.Contains(path, "testdata") {
				all = append(all, path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for i, path := range all {
		if all[i], err = filepath.Rel(root, path); err != nil {
			t.Fatal(err)
		}
	}
	for _, known := range []string{"README.md", "ARCHITECTURE.md", "docs/install.zh-CN.md", "docs/design/README.md", "test/README.md"} {
		if !slices.Contains(all, known) {
			t.Fatalf("%s is not among the documents %q", known, all)
		}
	}
	return all
}

// maxLine is the most characters of a line of prose, in English and in Chinese.
const maxLine = 120

// longLines are pages whose lines may be longer. Whoever works on one of the last group breaks its lines, and takes it out of the list.
var longLines = map[string]string{
	"docs/api.md":                 "generated of the comments of the types",
	"charts/maregister/README.md": "generated of the chart's values",

	"CHANGELOG.md":      "many change it at a time",
	"docs/dag.md":       "being rewritten",
	"docs/discover.md":  "being rewritten",
	"docs/placement.md": "being rewritten",
}

// TestLinesAreShort: a line is read whole beside a diff. Code is as it is printed or tested, and a row of a table cannot be broken.
func TestLinesAreShort(t *testing.T) {
	long := map[string]bool{}
	for _, document := range documents(t) {
		code, number := false, 0
		for line := range strings.Lines(read(t, document)) {
			line = strings.TrimRight(line, "\n")
			number++
			if strings.HasPrefix(strings.TrimSpace(line), "```") {
				code = !code
			}
			if code || strings.HasPrefix(line, "|") || utf8.RuneCountInString(line) <= maxLine {
				continue
			}
			long[document] = true
			if longLines[document] == "" {
				t.Errorf("%s:%d has %d characters: break it after %d at most", document, number, utf8.RuneCountInString(line), maxLine)
			}
		}
	}
	for document := range longLines {
		if !long[document] {
			t.Errorf("%s has no long line any more: take it out of longLines", document)
		}
	}
}

// TestConfigurationsInDocumentsLoad loads every operator's configuration that is shown.
func TestConfigurationsInDocumentsLoad(t *testing.T) {
	loaded := 0
	for _, document := range documents(t) {
		for _, block := range codeBlocks(read(t, document), "yaml") {
			if strings.Contains(block, "kind: "+configv1alpha1.Kind) {
				loaded++
				if _, err := config.Load(document, []byte(block)); err != nil {
					t.Errorf("%v in\n%s", err, block)
				}
			}
		}
	}
	if loaded == 0 {
		t.Error("no document shows a configuration")
	}
}

// headings returns the anchors that GitHub makes of a document's headings.
func headings(markdown string) []string {
	var anchors []string
	for line := range strings.Lines(markdown) {
		marks, text, ok := strings.Cut(line, " ")
		if !ok || strings.Trim(marks, "#") != "" || len(marks) < 2 {
			continue
		}
		anchors = append(anchors, strings.Map(func(r rune) rune {
			switch {
			case unicode.IsSpace(r):
				return '-'
			case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
				return unicode.ToLower(r)
			default:
				return -1
			}
		}, strings.TrimSpace(text)))
	}
	return anchors
}

// codeBlocks returns the fenced blocks of a language, or all of them.
func codeBlocks(markdown, language string) []string {
	var blocks []string
	for _, match := range regexp.MustCompile("(?ms)^```([a-z]+)\n(.*?)\n```$").FindAllStringSubmatch(markdown, -1) {
		if language == "" || match[1] == language {
			blocks = append(blocks, match[2])
		}
	}
	return blocks
}

// region returns the lines between two comments, such as "// README: begin" and "// README: end".
func region(t *testing.T, source, comment string) string {
	t.Helper()
	_, rest, begins := strings.Cut(source, fmt.Sprintf("\n%s: begin\n", comment))
	part, _, ends := strings.Cut(rest, fmt.Sprintf("\n%s: end\n", comment))
	if !begins || !ends {
		t.Fatalf("the source has no comments %s: begin and %s: end", comment, comment)
	}
	return part
}

func read(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
