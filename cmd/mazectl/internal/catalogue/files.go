package catalogue

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/maze-agent/maregister/cmd/mazectl/internal/pysource"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/report"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/terminal"
	"github.com/maze-agent/maregister/internal/lint"
	"github.com/maze-agent/maregister/internal/text"
)

// Files are the files to judge.
type Files struct {
	Stdin     io.Reader
	Manifests []lint.Source
	// Python are the files and folders, as they were given, that have Python sources.
	Python []string
	// Names are those of all these files, also of the sources in the folders.
	Names []string
	Errs  []report.NotRead
	// Notes tell a user where there was nothing to judge. Elsewhere is for folders that have no manifests and Python sources: worth
	// a word if these have no tasks, either.
	Notes, Elsewhere []string
	// Unfollowed are notes about links to folders, in which no manifest is looked for.
	Unfollowed []string
	seen       map[string]bool
}

// Collect reads what the arguments name. It goes on after an error.
func (l *Files) Collect(ctx context.Context, args []string) {
	if l.seen == nil {
		l.seen = map[string]bool{}
	}
	for _, name := range args {
		if l.seen[filepath.Clean(name)] {
			continue
		}
		if err := l.add(ctx, name); err != nil {
			l.fail(name, err)
		}
	}
}

func (l *Files) fail(name string, err error) { l.Errs = append(l.Errs, report.Unread(name, err)) }

func (l *Files) add(ctx context.Context, name string) error {
	if name == terminal.StdinArgument {
		l.seen[name] = true
		err := l.read(ctx, terminal.StdinName, func() (io.ReadCloser, error) { return io.NopCloser(l.Stdin), nil })
		if err == nil && len(bytes.TrimSpace(l.Manifests[len(l.Manifests)-1].Content)) == 0 {
			l.Notes = append(l.Notes, "the standard input is empty, so there is nothing to judge")
		}
		return err
	}
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return err
	case info.IsDir():
		return l.addFolder(ctx, name)
	case isPython(name):
		l.seen[filepath.Clean(name)] = true
		l.Python, l.Names = append(l.Python, name), append(l.Names, name)
		return nil
	}
	return l.addFile(ctx, name)
}

func isFolder(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}

// IsManifest reports whether a file of a folder may have MazeTasks, by its name.
func IsManifest(name string) bool {
	return slices.Contains([]string{".yaml", ".yml", ".json"}, strings.ToLower(filepath.Ext(name)))
}

func isPython(name string) bool { return filepath.Ext(name) == ".py" }

// addFolder finds the files in a folder. Links to folders are not followed.
func (l *Files) addFolder(ctx context.Context, folder string) error {
	manifests, sources := len(l.Manifests), 0
	var passed passedOver
	root := filepath.Clean(folder) + string(filepath.Separator) // of a link, what it leads to
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			l.fail(path, err)
			return nil
		}
		name := entry.Name()
		switch {
		case entry.IsDir() && path != root && (strings.HasPrefix(name, ".") || name == "node_modules" || name == "__pycache__"):
			passed.folders++
			return fs.SkipDir
		case entry.IsDir():
		case entry.Type()&fs.ModeSymlink != 0 && !strings.HasPrefix(name, ".") && isFolder(path):
			l.Unfollowed = append(l.Unfollowed, path+" is a link to a folder, and no manifest is looked for in it; name it if it has MazeTasks")
		case isPython(name):
			sources++
			l.Names = append(l.Names, path)
		case IsManifest(name) && !l.seen[filepath.Clean(path)]:
			if err := l.addFileOfFolder(ctx, path); err != nil {
				l.fail(path, err)
			} else if last := len(l.Manifests) - 1; !mentionsTasks(l.Manifests[last].Content) {
				l.Manifests, l.Names = l.Manifests[:last], l.Names[:len(l.Names)-1]
				passed.manifests++
			}
		}
		return nil
	})
	if sources > 0 {
		l.Python = append(l.Python, folder)
	}
	switch {
	case err != nil || len(l.Manifests) > manifests:
	case sources == 0:
		l.Notes = append(l.Notes, fmt.Sprintf("%s has no manifest of a MazeTask and no Python source%s", folder, passed))
	default:
		l.Elsewhere = append(l.Elsewhere, fmt.Sprintf("%s has no manifest of a MazeTask%s", folder, passed))
	}
	return err
}

// passedOver counts what was not looked into in a folder.
type passedOver struct{ manifests, folders int }

func (p passedOver) String() string {
	var parts []string
	if p.manifests > 0 {
		parts = append(parts, terminal.Plural(p.manifests, "file")+" without a MazeTask")
	}
	if p.folders > 0 {
		parts = append(parts, terminal.Plural(p.folders, "folder")+" that begin with a dot, or are node_modules or __pycache__")
	}
	if len(parts) == 0 {
		return ""
	}
	return "; passed over: " + strings.Join(parts, ", ")
}

// addFileOfFolder adds a file that a folder has.
func (l *Files) addFileOfFolder(ctx context.Context, name string) error {
	info, err := os.Stat(name)
	if err == nil && !terminal.IsReadable(info) {
		l.seen[filepath.Clean(name)] = true
		return &fs.PathError{Op: "read", Path: name, Err: terminal.ErrIrregular}
	}
	return l.addFile(ctx, name)
}

// mentionsTasks reports whether a file of a folder may be about MazeTasks. A folder has all sorts of YAML.
func mentionsTasks(content []byte) bool {
	content = text.Searchable(content)
	return bytes.Contains(content, []byte("MazeTask")) || bytes.Contains(content, []byte("registry.mazeagent.net"))
}

func (l *Files) addFile(ctx context.Context, name string) error {
	l.seen[filepath.Clean(name)] = true
	return l.read(ctx, filepath.ToSlash(name), func() (io.ReadCloser, error) { return os.Open(name) })
}

// maxRead is a bit more than lint reads: enough for it to tell that there is more.
const maxRead = lint.MaxFile + 1

func (l *Files) read(ctx context.Context, name string, open func() (io.ReadCloser, error)) error {
	content, err := terminal.Until(ctx, func() ([]byte, error) {
		from, err := open()
		if err != nil {
			return nil, err
		}
		content, err := io.ReadAll(io.LimitReader(from, maxRead))
		if err = errors.Join(err, from.Close()); err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		return content, nil
	})
	if err != nil {
		return err
	}
	l.Manifests, l.Names = append(l.Manifests, lint.Source{Name: name, Content: content}), append(l.Names, filepath.FromSlash(name))
	return nil
}

// Source returns the text of a file that a finding is in, or nil if it cannot be had.
func (l *Files) Source(name string) []byte {
	for _, source := range l.Manifests {
		if source.Name == name {
			return source.Content
		}
	}
	if !isPython(name) {
		return nil
	}
	return pysource.Text(name)
}
