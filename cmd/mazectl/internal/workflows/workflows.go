// Package workflows finds and reads files of workflows.
package workflows

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/maze-agent/maregister/cmd/mazectl/internal/report"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/terminal"
	"github.com/maze-agent/maregister/internal/dag"
	"github.com/maze-agent/maregister/internal/finding"
	"github.com/maze-agent/maregister/internal/jsontree"
	"github.com/maze-agent/maregister/internal/text"
)

// File is a file that may have a workflow. Its name has slashes.
type File struct {
	Name    string
	Content []byte
}

// Workflow is a workflow of a file, which may have several, or a MazeWorkflow of a cluster.
type Workflow struct {
	*dag.Document
	// Name is that of the file, or of the MazeWorkflow. Content is the text of the whole file.
	Name    string
	Content []byte
	// Uses are the tasks that it runs.
	Uses []dag.Use
	// IsObject reports whether it is a MazeWorkflow of a cluster: positions in its content are of no use to anybody.
	IsObject bool
}

// Title is how messages call the workflow among others.
func (w *Workflow) Title() string {
	if label := w.Label(); label != "" {
		return w.Name + " (" + label + ")"
	}
	return w.Name
}

// Found are the workflows of some files and folders.
type Found struct {
	All []Workflow
	// Errs are of files that cannot be read. Notes are for the user.
	Errs  []report.NotRead
	Notes []string
	// Namespaces are those of the cluster whose MazeWorkflows were read. Empty for all.
	Namespaces []string
	seen       map[string]bool
	// manifests are the namespaces of the MazeWorkflows that files have, by their names.
	manifests map[string][]string
}

const (
	// maxFile is a bit more than package dag reads of a file that the user named, and maxFound of one in a folder.
	maxFile  = 64<<20 + 4
	maxFound = 8 << 20
)

// isCandidate reports whether a file of a folder may have workflows, by its name.
func isCandidate(name string) bool {
	return jsontree.IsNamedJSON(name) || slices.Contains([]string{".yaml", ".yml"}, strings.ToLower(filepath.Ext(name)))
}

// Read reads what the arguments name, and goes on after an error. A folder is searched, at any depth: what is no workflow there is passed over.
// For cluster: and cluster:NAMESPACE, it reads MazeWorkflows of a cluster.
func Read(ctx context.Context, stdin io.Reader, from *Cluster, args []string) *Found {
	f := &Found{seen: map[string]bool{}, manifests: map[string][]string{}}
	isFirst := func(a, b string) int { // the files, which may replace what is in the cluster
		switch {
		case IsCluster(a) == IsCluster(b):
			return 0
		case IsCluster(b):
			return -1
		default:
			return 1
		}
	}
	for _, name := range slices.SortedStableFunc(slices.Values(args), isFirst) {
		if ctx.Err() != nil {
			break
		}
		err := error(nil)
		if namespace, ok := strings.CutPrefix(name, ClusterPrefix); ok {
			err = f.AddCluster(ctx, from, namespace)
		} else {
			err = f.add(ctx, stdin, name)
		}
		if err != nil {
			f.Errs = append(f.Errs, report.Unread(name, err))
		}
	}
	return f
}

// Names are those of the files.
func (f *Found) Names() []string {
	var names []string
	for _, w := range f.All {
		if !w.IsObject {
			names = append(names, filepath.FromSlash(w.Name))
		}
	}
	return slices.Compact(names) // those of one file are beside each other
}

func (f *Found) add(ctx context.Context, stdin io.Reader, name string) error {
	if name != terminal.StdinArgument {
		info, err := os.Stat(name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return elsewhere(name, err)
		case err != nil:
			return err
		case info.IsDir():
			return f.addFolder(ctx, name)
		}
	}
	one, err := ReadFile(ctx, stdin, name)
	if err != nil {
		return err
	}
	f.take(one.Name, one.Content, true)
	return nil
}

// elsewhere returns what to do about an argument that names no file, but says where tasks are. Others are as they were.
func elsewhere(name string, err error) error {
	switch kind, _, _ := strings.Cut(name, ":"); kind {
	case name:
	case "git":
		return fmt.Errorf("%s: workflows are not read of a revision of git; give a folder with its files, as made by: git worktree add FOLDER REVISION", name)
	case "registry":
		return fmt.Errorf("%s: a registry has tasks, and no workflows; give files and folders of workflows, or cluster:NAMESPACE", name)
	}
	return err
}

// ReadFiles reads files that a user named, whatever they have. It goes on after an error.
func ReadFiles(ctx context.Context, stdin io.Reader, names []string) (all []File, errs []report.NotRead) {
	seen := map[string]bool{}
	for _, name := range names {
		clean := filepath.Clean(name)
		if seen[clean] {
			continue
		}
		seen[clean] = true
		one, err := ReadFile(ctx, stdin, name)
		if err != nil {
			errs = append(errs, report.Unread(name, err))
			continue
		}
		all = append(all, one)
	}
	return all, errs
}

// ReadFile reads a file that a user named, or the standard input.
func ReadFile(ctx context.Context, stdin io.Reader, name string) (File, error) {
	if name == terminal.StdinArgument {
		content, err := readAll(ctx, maxFile, func() (io.ReadCloser, error) { return io.NopCloser(stdin), nil })
		return File{terminal.StdinName, content}, err
	}
	content, err := readAll(ctx, maxFile, func() (io.ReadCloser, error) {
		if info, err := os.Stat(name); err == nil && info.IsDir() {
			return nil, fmt.Errorf("%s is a folder; give files of workflows", name)
		}
		return os.Open(name)
	})
	return File{filepath.ToSlash(name), content}, err
}

// readAll reads a file up to a limit, in bytes.
func readAll(ctx context.Context, limit int64, open func() (io.ReadCloser, error)) ([]byte, error) {
	return terminal.Until(ctx, func() ([]byte, error) {
		file, err := open()
		if err != nil {
			return nil, err
		}
		content, err := io.ReadAll(io.LimitReader(file, limit))
		return content, errors.Join(err, file.Close())
	})
}

// take adds the workflows of a file, and reports whether it has some. One file is taken once. Of a file that was named, all documents have to
// be workflows or other objects of Kubernetes; of one in a folder, those that are about workflows.
func (f *Found) take(name string, content []byte, named bool) bool {
	clean := filepath.Clean(name)
	if f.seen[clean] {
		return true
	}
	name = filepath.ToSlash(name)
	read, before, unread := dag.Read(name, content), len(f.All), len(f.Errs)
	for _, d := range read.Documents {
		begin := d.Begin()
		uses, ok := d.Uses()
		switch {
		case ok:
			f.noteManifest(d)
			f.All = append(f.All, Workflow{d, name, content, uses, false})
			f.noteNodes(d, uses)
		case named || d.IsMeant() || !d.IsReadable() && mentionsWorkflows(d.Content()):
			f.failDocument(d, begin)
		}
		d.Forget()
	}
	for _, found := range read.Findings {
		f.Errs = append(f.Errs, report.Unread(name, fmt.Errorf("%s: %s", report.Where(name, found.Position), found.Message)))
	}
	isTaken := len(f.All) > before || len(f.Errs) > unread
	switch {
	case isTaken:
		f.seen[clean] = true
	case named && len(read.Others) > 0:
		f.Errs = append(f.Errs, report.Unread(name, fmt.Errorf(noWorkflow, name)))
	case named:
		f.Notes = append(f.Notes, name+" has no workflow: it is an empty list")
	}
	return isTaken
}

const noWorkflow = `%s is no workflow that can be read; "dag check" tells why`

// failDocument notes that a document cannot be read as a workflow.
func (f *Found) failDocument(d *dag.Document, begin finding.Position) {
	what := d.File
	if label := d.Label(); label != "" {
		what = report.Where(d.File, begin) + ": " + label
	}
	f.Errs = append(f.Errs, report.Unread(d.File, fmt.Errorf(noWorkflow, what)))
}

// noteNodes notes that a workflow has nodes of which nobody can read which task they run.
func (f *Found) noteNodes(d *dag.Document, uses []dag.Use) {
	names := func(u dag.Use) bool { return u.Task != "" || len(u.Names) > 0 }
	unread := slices.DeleteFunc(slices.Clone(uses), names)
	if len(unread) == 0 {
		return
	}
	f.Notes = append(f.Notes, fmt.Sprintf("%s: %s without a task that can be read, such as %q; \"dag check\" tells why",
		report.Where(d.File, unread[0].Position), terminal.Plural(len(unread), "node"), unread[0].Node))
}

// OthersOf tells which other objects a file has.
func OthersOf(read *dag.File) string {
	var kinds []string
	for _, kind := range slices.Sorted(maps.Keys(read.Others)) {
		kinds = append(kinds, fmt.Sprintf("%d %s", read.Others[kind], kind))
	}
	return strings.Join(kinds, ", ")
}

// The words by which a text that cannot be read is probably a workflow. A folder has all sorts of files.
var (
	workflowMark = regexp.MustCompile(`(?m)^["']?kind["']?\s*:\s*["']?MazeWorkflow\b|"kind"\s*:\s*"MazeWorkflow|"maze\.workflow/`)
	nodesMark    = regexp.MustCompile(`\bnodes["']?\s*:`)
	nodeMark     = regexp.MustCompile(`\b(?:func|task_name)["']?\s*:`)
)

// mentionsWorkflows reports whether a text that cannot be read is probably meant as a workflow.
func mentionsWorkflows(content []byte) bool {
	content = text.Searchable(content)
	return workflowMark.Match(content) || nodesMark.Match(content) && nodeMark.Match(content)
}

// passedOver returns why a file or link of a folder is not read. Empty for a file that is.
func passedOver(path string) string {
	info, err := os.Stat(path)
	switch {
	case err != nil && isCandidate(path):
		return "cannot be read: " + terminal.Cause(err).Error()
	case err != nil: // a link to something else
		return ""
	case info.IsDir():
		return "is a link to a folder"
	case !isCandidate(path):
		return ""
	case !info.Mode().IsRegular():
		return "is no regular file"
	case info.Size() > maxFound:
		return fmt.Sprintf("has more than %d MiB", maxFound>>20)
	}
	return ""
}

// addFolder finds the workflows in a folder. Links to folders are not followed.
func (f *Found) addFolder(ctx context.Context, folder string) error {
	before, passed, isFound := len(f.All), 0, false
	root := filepath.Clean(folder) + string(filepath.Separator)
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		name := filepath.Base(path)
		switch {
		case err != nil:
			return err
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case entry.IsDir() && path != root && (strings.HasPrefix(name, ".") || name == "node_modules" || name == "__pycache__"):
			return fs.SkipDir
		case entry.IsDir() || !isCandidate(name) && (entry.Type()&fs.ModeSymlink == 0 || strings.HasPrefix(name, ".")):
			return nil
		}
		if why := passedOver(path); why != "" {
			f.Notes = append(f.Notes, fmt.Sprintf("%s is passed over, as it %s; name it if it has workflows", path, why))
			return nil
		}
		if !isCandidate(name) {
			return nil
		}
		content, err := readAll(ctx, maxFound, func() (io.ReadCloser, error) { return os.Open(path) })
		if err != nil {
			return err
		}
		if f.take(path, content, false) {
			isFound = true
		} else {
			passed++
		}
		return nil
	})
	slices.SortStableFunc(f.All[before:], func(a, b Workflow) int { return text.CompareNatural(a.Name, b.Name) })
	if err == nil && !isFound {
		f.Notes = append(f.Notes, fmt.Sprintf("%s has no workflow; passed over: %s", folder, terminal.Plural(passed, "other file")))
	}
	return err
}
