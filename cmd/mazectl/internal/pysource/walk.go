package pysource

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/maze-agent/maregister/cmd/mazectl/internal/terminal"
	"github.com/maze-agent/maregister/internal/finding"
)

// maxDepth is how many folders may be within each other. Opening a file takes time by its depth.
const maxDepth = 128

// pythonFile is a file to read. Both names are relative to the package root, with slashes.
type pythonFile struct {
	// path is what Python would import it by.
	path string
	// real has no symbolic links in it. It differs from path below a link.
	real string
}

// walker lists the Python files below folders. Each file and folder is listed once: under its own name if that is below one of
// the folders, and otherwise under that of the first symbolic link to it.
type walker struct {
	root    *packageRoot
	exclude []pattern
	// otherwise ends messages with what else can be done about a file.
	otherwise string

	files []pythonFile
	// packages are the __init__.py of the folders listed. They have no tasks.
	packages []pythonFile
	folders  []string // those listed, without symbolic links in them
	findings []finding.Finding
	// unknown are the paths of which it is not known what is there.
	unknown []string

	passed passedOver
	walked map[string]bool // folders
	listed map[string]bool // files; nil until a link leads to one
	links  []pythonFile    // symbolic links that wait for what is not behind links
}

// walk lists what is below a file or folder that a user asked for, given by its path.
func (w *walker) walk(ctx context.Context, name string) error {
	if _, err := os.Stat(filepath.Join(w.root.absolute, filepath.FromSlash(name))); err != nil {
		return fmt.Errorf("%s cannot be read: %w", w.root.shown(name), terminal.Cause(err))
	}
	target, info, problem := w.root.resolve(name)
	switch {
	case problem != "":
		return fmt.Errorf("%s: the symbolic link %s", w.root.shown(name), problem)
	case info.IsDir():
		return w.folder(ctx, pythonFile{name, target})
	case !info.Mode().IsRegular() || !strings.HasSuffix(name, ".py"):
		return fmt.Errorf("%s is neither a folder nor a Python file (.py)", w.root.shown(name))
	}
	w.files = append(w.files, pythonFile{name, target})
	return nil
}

// folder lists what is in a folder and its folders.
func (w *walker) folder(ctx context.Context, at pythonFile) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if w.walked[at.real] {
		return nil
	}
	w.walked[at.real] = true
	w.folders = append(w.folders, at.real)
	if strings.Count(at.real, "/") >= maxDepth {
		w.unreadable(at.path, "the folder is within %d others, so it is not looked into; move it up", maxDepth)
		return nil
	}
	entries, err := w.root.list(at.real)
	if err != nil {
		w.unreadable(at.path, "the folder cannot be listed: %s; correct that", terminal.Cause(err))
	}
	for _, entry := range entries {
		if err := w.entry(ctx, at, entry); err != nil {
			return err
		}
	}
	return nil
}

func (w *walker) entry(ctx context.Context, in pythonFile, entry fs.DirEntry) error {
	at := pythonFile{path: path.Join(in.path, entry.Name())}
	if at.real = at.path; in.real != in.path {
		at.real = path.Join(in.real, entry.Name())
	}
	switch isPython := strings.HasSuffix(entry.Name(), ".py"); {
	case strings.HasPrefix(entry.Name(), "__") || strings.HasPrefix(entry.Name(), "."):
		if isPython || entry.IsDir() {
			w.passed.hidden++
		}
		if entry.Name() == "__init__.py" && !w.isExcluded(at.path) {
			w.packages = append(w.packages, at)
		}
	case w.isExcluded(at.path):
		w.passed.excluded++
	case entry.IsDir():
		return w.folder(ctx, at)
	case entry.Type()&fs.ModeSymlink != 0:
		w.links = append(w.links, at)
	case isPython && entry.Type().IsRegular():
		w.files = append(w.files, at)
	case isPython:
		w.unreadable(at.path, "%s", notRegular(entry.Type()))
	}
	return nil
}

// follow lists what is behind the symbolic links, when all else is listed.
func (w *walker) follow(ctx context.Context) error {
	for len(w.links) > 0 {
		links := w.links
		w.links = nil
		slices.SortFunc(links, func(a, b pythonFile) int { return strings.Compare(a.path, b.path) })
		for _, link := range links {
			if err := w.link(ctx, link); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *walker) link(ctx context.Context, link pythonFile) error {
	target, info, problem := w.root.resolve(link.real)
	isPython := strings.HasSuffix(link.path, ".py")
	switch {
	case problem != "" && (isPython || path.Ext(link.path) == "" || info != nil && info.IsDir()):
		w.unreadable(link.path, "the symbolic link %s; correct or remove it", problem)
	case problem != "": // of something else than Python
	case info.IsDir() && (target == "." || strings.HasPrefix(link.real, target+"/")):
		w.unreadable(link.path, "the symbolic link leads to a folder that it is in itself; remove it")
	case info.IsDir():
		return w.folder(ctx, pythonFile{link.path, target})
	case isPython && info.Mode().IsRegular():
		w.file(pythonFile{link.path, target})
	case isPython:
		w.unreadable(link.path, "%s", notRegular(info.Mode()))
	}
	return nil
}

// file lists a file that a symbolic link leads to.
func (w *walker) file(f pythonFile) {
	if w.listed == nil {
		w.listed = make(map[string]bool, len(w.files))
	}
	for i := len(w.listed); i < len(w.files); i++ {
		w.listed[w.files[i].real] = true
	}
	if !w.listed[f.real] {
		w.files = append(w.files, f)
	}
}

func (w *walker) unreadable(name, format string, args ...any) {
	w.unknown = append(w.unknown, name)
	w.findings = append(w.findings, finding.New(finding.Unreadable, name, finding.Position{}, "", "%s", fmt.Sprintf(format, args...)+w.otherwise))
}

func (w *walker) isExcluded(name string) bool {
	return slices.ContainsFunc(w.exclude, func(p pattern) bool { return p.matches(name) })
}

// notRegular says of a file which no one can read Python from what it is.
func notRegular(mode fs.FileMode) string {
	kind := "no regular file"
	switch {
	case mode&fs.ModeNamedPipe != 0:
		kind = "a named pipe"
	case mode&fs.ModeSocket != 0:
		kind = "a socket"
	case mode&fs.ModeDevice != 0:
		kind = "a device"
	}
	return "the file is " + kind + ", and not read; rename or remove it"
}

// packageRoot is the folder that modules are named from. Nothing outside of it is read.
type packageRoot struct {
	*os.Root
	// absolute is where the user sees it, real the same without symbolic links.
	absolute, real string
	// working is the folder that paths are shown relative to. Empty if they are shown from the root of the file system.
	working string
	// named returns how to show a path instead. Nil for that way.
	named func(absolute string) string
}

// shown is a path as the user would write it.
func (r *packageRoot) shown(name string) string {
	absolute := filepath.Join(r.absolute, filepath.FromSlash(name))
	if r.named != nil {
		return r.named(absolute)
	}
	if r.working == "" {
		return filepath.ToSlash(absolute)
	}
	relative, err := filepath.Rel(r.working, absolute)
	if err != nil { // on another drive
		return filepath.ToSlash(absolute)
	}
	return filepath.ToSlash(relative)
}

// resolve follows symbolic links, also absolute ones, which os.Root does not. A problem goes on after "the symbolic link".
func (r *packageRoot) resolve(name string) (target string, info fs.FileInfo, problem string) {
	link := filepath.Join(r.real, filepath.FromSlash(name))
	target, err := filepath.EvalSymlinks(link)
	if err == nil {
		info, err = os.Lstat(target)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", nil, "leads to nothing"
	case err != nil && isLoop(link):
		return "", nil, "leads to itself"
	case err != nil:
		return "", nil, fmt.Sprintf("cannot be followed: %s", terminal.Cause(err))
	}
	relative, err := filepath.Rel(r.real, target)
	if err != nil || !filepath.IsLocal(relative) {
		return "", info, "leads out of the package root"
	}
	return filepath.ToSlash(relative), info, ""
}

// isLoop reports whether a symbolic link leads to itself. EvalSymlinks has no error of its own for that; the system has.
func isLoop(link string) bool {
	_, err := os.Stat(link)
	return errors.Is(err, syscall.ELOOP)
}

// list returns what is in a folder, sorted.
func (r *packageRoot) list(name string) (entries []fs.DirEntry, err error) {
	folder, err := r.OpenFile(filepath.FromSlash(name), os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, folder.Close()) }()
	entries, err = readFolder(folder)
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return entries, err
}
