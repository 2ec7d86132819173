// Package pysource finds Python files, reads them, and makes MazeTasks of the tasks that they declare.
package pysource

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/terminal"
	"github.com/maze-agent/maregister/internal/discover"
	"github.com/maze-agent/maregister/internal/finding"
)

// Options say which Python files to read.
type Options struct {
	// PackageRoot is the folder that modules are named from. If it is empty, it is where Python would look for them: the first
	// folder without an __init__.py, from each of the given ones upwards.
	PackageRoot string
	Exclude     []string
	// ParseAll has every file parsed, also those that cannot have tasks.
	ParseAll bool
	// Claims are decorators that count as Maze's, although they come from elsewhere.
	Claims discover.Claims
	// Image is the container image that has the code, for all tasks. Empty for none.
	Image string
	// Judge says what is wrong with a task: see discover.Options. Nil for a Find that judges nothing.
	Judge func(spec *v1alpha1.MazeTaskSpec) []finding.Finding
	// HasFlags says that the user can give --package-root and --exclude, so that messages advise these.
	HasFlags bool
	// Shown returns how findings name a file, by its absolute path. Nil for a path from the working folder.
	Shown func(absolute string) string
	// Progress is told how many of the files were read. It may be called from several goroutines. Nil for no one.
	Progress func(done, total int)
}

// otherwise returns what else than to correct it can be done about a file or folder that cannot be read.
func (o *Options) otherwise() string {
	if o.HasFlags {
		return ", or --exclude it"
	}
	return ""
}

// Found is what is in some Python files. Files are shown in tasks and findings as the user would write them, and named in
// spec.source by their path below the package root.
type Found struct {
	discover.Result
	// Root is the package root, an absolute path.
	Root string
	// Files is how many Python files there are, readable or not.
	Files int
	// Ignores is what the comments in them silence.
	Ignores []finding.Ignore
	// folders are those that were looked into, as absolute paths without symbolic links.
	folders []string

	passed  passedOver
	covered []string // the paths that the user asked for
	Unknown []string // the paths of which it is not known what is there
}

// Covers reports whether a path below the package root is, or would be, among what the user asked for.
func (f *Found) Covers(name string) bool { return within(f.covered, name) }

// Knows reports whether it is known which tasks a file has: it was read and understood, or it is not there.
func (f *Found) Knows(name string) bool { return !within(f.Unknown, name) }

// within reports whether a path is one of some files and folders, or in one of them.
func within(all []string, name string) bool {
	return slices.ContainsFunc(all, func(one string) bool {
		return one == "." || one == name || strings.HasPrefix(name, one+"/")
	})
}

// errMoved says that the files found are in part those of another version.
var errMoved = errors.New("the package root was replaced while it was read")

// Find finds the tasks in Python files, and in folders at any depth. It fails only if it cannot look there at all; what is
// wrong with a file is a finding.
func Find(ctx context.Context, options Options, names []string) (*Found, error) {
	excluded, err := newPatterns(options.Exclude)
	if err != nil {
		return nil, err
	}
	root, inside, err := openRoot(&options, names)
	if err != nil {
		return nil, err
	}
	defer func() { _ = root.Close() }() // it was only read
	root.named = options.Shown
	w := &walker{root: root, exclude: excluded, otherwise: options.otherwise(), walked: map[string]bool{}}
	for _, name := range inside {
		if err := w.walk(ctx, name); err != nil {
			return nil, err
		}
	}
	if err := w.follow(ctx); err != nil {
		return nil, err
	}
	slices.SortFunc(w.files, func(a, b pythonFile) int { return strings.Compare(a.path, b.path) })
	w.files = slices.CompactFunc(w.files, func(a, b pythonFile) bool { return a.path == b.path })

	r := &sourceReader{root: root, parseAll: options.ParseAll, claims: options.Claims, progress: options.Progress, otherwise: options.otherwise()}
	modules, err := r.readAll(ctx, w.files, w.packages)
	if err != nil {
		return nil, err
	}
	collectOften()
	f := &Found{Root: root.absolute, covered: inside}
	f.Result = discover.Link(modules, discover.Options{
		Load: r.loader(modules), Shown: root.shown, Claims: options.Claims, Judge: options.Judge, HasRootFlag: options.HasFlags,
		Stop: func() bool { return ctx.Err() != nil },
	})
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	f.setImage(options.Image)
	if now, err := filepath.EvalSymlinks(root.absolute); err != nil || now != root.real {
		return nil, errMoved
	}
	f.complete(w, r, modules)
	f.show(root)
	return f, nil
}

// gcPercent is Go's GOGC while modules are linked and after that, where the environment sets none. What the modules hold is alive until all are
// linked: for half as much garbage beside it, 100,000 files take a sixth less memory, and a few percent more CPU time.
const gcPercent = 50

// collectOften has garbage collected more often from now on.
func collectOften() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
}

// setImage makes an image that of all tasks. Empty for none.
func (f *Found) setImage(image string) {
	for i := range f.Tasks {
		spec := &f.Tasks[i].Spec
		switch {
		case image == "":
			return
		case spec.Run == nil:
			spec.Run = &v1alpha1.Run{}
		}
		spec.Run.Image = image
	}
}

// complete adds what is known of the files besides their tasks.
func (f *Found) complete(w *walker, r *sourceReader, modules []*discover.Module) {
	f.Files = len(w.files)
	for _, one := range w.findings {
		if strings.HasSuffix(one.File, ".py") {
			f.Files++
		}
	}
	f.passed = w.passed
	f.passed.unmentioned = len(w.files) - len(modules) - len(r.findings)
	f.Findings = finding.Sort(slices.Concat(f.Findings, w.findings, r.findings))
	f.Unknown = w.unknown
	for _, one := range r.findings {
		f.Unknown = append(f.Unknown, one.File)
	}
	for _, m := range modules {
		f.Ignores = append(f.Ignores, m.Ignores()...)
		if m.Broken() {
			f.Unknown = append(f.Unknown, m.Path())
		}
	}
	for _, folder := range w.folders {
		f.folders = append(f.folders, filepath.Join(w.root.real, filepath.FromSlash(folder)))
	}
}

// show has tasks and findings name files as the user would.
func (f *Found) show(root *packageRoot) {
	for i := range f.Tasks {
		f.Tasks[i].File = root.shown(f.Tasks[i].File)
	}
	for i := range f.Ignores {
		f.Ignores[i].File = root.shown(f.Ignores[i].File)
	}
	for i := range f.Findings {
		f.Findings[i].File = root.shown(f.Findings[i].File)
		for j, related := range f.Findings[i].Related {
			f.Findings[i].Related[j].File = root.shown(related.File)
		}
	}
}

// openRoot opens the package root of files and folders, and gives their paths in it, sorted.
func openRoot(o *Options, names []string) (*packageRoot, []string, error) {
	r, folder := &packageRoot{}, o.PackageRoot
	if folder != "" {
		absolute, err := filepath.Abs(folder)
		if err != nil {
			return nil, nil, fmt.Errorf("--package-root: %w", err)
		}
		r.absolute = absolute
	}
	var inside []string
	for _, name := range names {
		absolute, err := filepath.Abs(name)
		if err != nil {
			return nil, nil, err
		}
		if !filepath.IsAbs(name) && r.working == "" {
			if r.working, err = os.Getwd(); err != nil {
				return nil, nil, err
			}
		}
		own := rootOf(absolute)
		switch {
		case r.absolute == "":
			r.absolute = own
		case folder == "" && own != r.absolute:
			advice := "read them one after the other"
			if o.HasFlags {
				advice = "give --package-root for both, or discover them one after the other"
			}
			return nil, nil, fmt.Errorf("the modules in %s are named from %s, those in %s from %s: %s", names[0], r.shown("."), name,
				(&packageRoot{absolute: own, working: r.working}).shown("."), advice)
		}
		relative, err := filepath.Rel(r.absolute, absolute)
		if err != nil || !filepath.IsLocal(relative) {
			return nil, nil, fmt.Errorf("%s is not within --package-root %s", name, folder)
		}
		inside = append(inside, filepath.ToSlash(relative))
	}
	slices.Sort(inside)
	var err error
	if r.real, err = filepath.EvalSymlinks(r.absolute); err == nil {
		r.Root, err = os.OpenRoot(r.real)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("%s cannot be read: %w%s", r.absolute, terminal.Cause(err), terminal.WhatToDo(r.absolute, err))
	}
	return r, inside, nil
}

// rootOf returns the folder that has to be in Python's path to import what is in a folder or file.
func rootOf(absolute string) string {
	if info, err := os.Stat(absolute); err != nil || !info.IsDir() {
		absolute = filepath.Dir(absolute)
	}
	for {
		parent := filepath.Dir(absolute)
		if _, err := os.Stat(filepath.Join(absolute, "__init__.py")); err != nil || parent == absolute {
			return absolute
		}
		absolute = parent
	}
}

// FindStable is Find, again if the files were replaced meanwhile.
func FindStable(ctx context.Context, options Options, names []string) (*Found, error) {
	const attempts = 3
	f, err := Find(ctx, options, names)
	for attempt := 1; attempt < attempts && errors.Is(err, errMoved); attempt++ {
		f, err = Find(ctx, options, names)
	}
	return f, err
}

// Summary returns how much was found. findings is how many findings are reported.
func (f *Found) Summary(findings string) string {
	return fmt.Sprintf("%s, %s, %d overwritten: %s", terminal.Plural(f.Files, "file"), terminal.Plural(len(f.Tasks), "task"), f.Overwritten, findings)
}

// WhyNothing returns what was passed over, if no task was found. Empty if there are tasks.
func (f *Found) WhyNothing() string {
	if len(f.Tasks) > 0 {
		return ""
	}
	var parts []string
	for _, part := range []struct {
		n    int
		noun string
		what string
	}{
		{f.passed.unmentioned, "file", "without a decorator of Maze"}, {f.passed.hidden, "name", "with __ or a dot in front"},
		{f.passed.excluded, "name", "by --exclude"},
	} {
		if part.n > 0 {
			parts = append(parts, terminal.Plural(part.n, part.noun)+" "+part.what)
		}
	}
	if len(parts) == 0 {
		return "no task was found"
	}
	return "no task was found; passed over: " + strings.Join(parts, ", ")
}

// passedOver counts what was not looked into.
type passedOver struct{ unmentioned, hidden, excluded int }
