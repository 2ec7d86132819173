// Package workflows finds and reads files of workflows.
package workflows

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/maze-agent/maregister/cmd/mazectl/internal/report"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/terminal"
	"github.com/maze-agent/maregister/internal/dag"
)

// File is a file that may have a workflow. Its name has slashes.
type File struct {
	Name    string
	Content []byte
}

// Workflow is a file with a workflow, or a MazeWorkflow of a cluster.
type Workflow struct {
	File
	// Uses are the tasks that it runs.
	Uses []dag.Use
	// IsObject reports whether it is a MazeWorkflow of a cluster: positions in its content are of no use to anybody.
	IsObject bool
}

// Found are the workflows of some files and folders.
type Found struct {
	All []Workflow
	// Errs are of files that cannot be read. Notes are for the user.
	Errs  []report.NotRead
	Notes []string
	seen  map[string]bool
	// manifests are the namespaces of the MazeWorkflows that files have, by their names.
	manifests map[string][]string
}

const (
	// maxFile is a bit more than package dag reads of a file that the user named, and maxFound of one in a folder.
	maxFile  = 64<<20 + 4
	maxFound = 8 << 20
)

// extensions are those of workflows.
var extensions = []string{".json", ".yaml", ".yml"}

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
	return names
}

func (f *Found) add(ctx context.Context, stdin io.Reader, name string) error {
	if name != terminal.StdinArgument {
		info, err := os.Stat(name)
		switch {
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
	if !f.take(one.Name, one.Content) {
		return fmt.Errorf(`%s is no workflow that can be read; "dag check" tells why`, one.Name)
	}
	return nil
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

// take adds a workflow, and reports whether it is one. One file is taken once.
func (f *Found) take(name string, content []byte) bool {
	clean := filepath.Clean(name)
	if f.seen[clean] {
		return true
	}
	uses, ok := dag.Uses(filepath.ToSlash(name), content)
	if ok {
		f.seen[clean] = true
		f.noteManifest(content)
		f.All = append(f.All, Workflow{File{filepath.ToSlash(name), content}, uses, false})
	}
	return ok
}

// addFolder finds the workflows in a folder. Links to folders are not followed.
func (f *Found) addFolder(ctx context.Context, folder string) error {
	before, passed := len(f.All), 0
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
		case entry.IsDir() || !slices.Contains(extensions, filepath.Ext(name)):
			return nil
		}
		info, err := os.Stat(path)
		isCandidate := err == nil && info.Mode().IsRegular() && info.Size() <= maxFound
		if !isCandidate { // a folder has all sorts of files
			passed++
			return nil
		}
		content, err := readAll(ctx, maxFound, func() (io.ReadCloser, error) { return os.Open(path) })
		if err != nil {
			return err
		}
		if !f.take(path, content) {
			passed++
		}
		return nil
	})
	if err == nil && len(f.All) == before {
		f.Notes = append(f.Notes, fmt.Sprintf("%s has no workflow; passed over: %s", folder, terminal.Plural(passed, "other file")))
	}
	return err
}
