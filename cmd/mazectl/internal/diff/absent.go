package diff

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"

	"github.com/maze-agent/maregister/internal/evolution"
)

// absentError is that a version does not have the file or folder that was asked for.
type absentError struct {
	// where says what is not there, and advice what was meant instead, perhaps.
	where, advice string
}

// Error implements error.
func (e *absentError) Error() string { return e.where + e.advice }

// meaningOfAbsence says what it means that the old version has no file or folder, and that the new one has none.
var meaningOfAbsence = [2]string{
	"all tasks count as new",
	"all tasks count as gone; if they were moved, give where they are as NEW",
}

// countAbsent has one version without the file or folder count as one without tasks if the other one has it: it is new, or was deleted. Where
// neither has it, or they are called otherwise, the name is probably wrong, and the errors stay. So do they where it was moved: its tasks are
// not new, and an edit of one may break somebody.
func (o *Options) countAbsent(ctx context.Context, sources [2]Source, sides *[2]*side, errs *[2]error) {
	for i := range sources {
		other := 1 - i
		absent, ok := errors.AsType[*absentError](errs[i])
		if !ok || errs[other] != nil || !sources[i].isSamePath(&sources[other]) {
			continue
		}
		if i == 0 && sources[0].kind == gitSource {
			if moved := o.moved(ctx, &sources[0], &sources[1], sides[1]); moved != nil {
				where := path.Dir(moved.file)
				if path.Ext(sources[0].Path) == path.Ext(moved.file) {
					where = moved.file
				}
				absent.advice = fmt.Sprintf(", but %s there, which is gone, has the task %s: if it was moved, give where it was as OLD, such as git:%s:%s",
					moved.file, moved.Name, sources[0].revision, where)
				continue
			}
		}
		errs[i] = nil
		sides[i] = &side{name: sources[i].given, notes: []string{absent.where + ": " + meaningOfAbsence[i]}}
	}
}

// moved returns a task of a revision that the new version has in another file, while the file in the revision is gone: so it was moved, and is
// not new. Nil if there is none, or nobody can tell, as in a repository that is too large to be read.
func (o *Options) moved(ctx context.Context, old, now *Source, tasks *side) *task {
	repository, _, err := located(ctx, old.Path)
	if err != nil {
		return nil
	}
	up, err := repository.run(ctx, "rev-parse", "--show-cdup")
	if err != nil {
		return nil
	}
	top := filepath.Join(repository.folder, up)
	if working, err := os.Getwd(); err == nil && !filepath.IsAbs(old.Path) {
		if relative, err := filepath.Rel(working, top); err == nil {
			top = relative
		}
	}
	whole := *old
	whole.Path = top
	all, err := whole.readRevision(ctx, o, &side{})
	if err != nil {
		return nil
	}
	for i := range all.tasks {
		one := &all.tasks[i]
		isSame := func(v evolution.Version) bool {
			return v.Name == one.Name && (v.Namespace == "" || one.Namespace == "" || v.Namespace == one.Namespace)
		}
		if slices.ContainsFunc(tasks.versions, isSame) && !now.has(ctx, one.file) {
			return one
		}
	}
	return nil
}

// has reports whether a version has a file: the working folder, or a revision. It reports true if that is not known.
func (s *Source) has(ctx context.Context, file string) bool {
	if s.kind == pathSource {
		_, err := os.Lstat(file)
		return !errors.Is(err, fs.ErrNotExist)
	}
	repository, inside, err := located(ctx, file)
	if err != nil {
		return true
	}
	tree, err := repository.tree(ctx, s.revision)
	if err != nil {
		return true
	}
	_, err = repository.run(ctx, "rev-parse", "--verify", "--quiet", tree+":"+inside)
	return err == nil
}

// isSamePath reports whether two versions are the same files, of the working folder or of a revision.
func (s *Source) isSamePath(other *Source) bool {
	isFiles := func(s *Source) bool { return s.kind == pathSource || s.kind == gitSource }
	return isFiles(s) && isFiles(other) && filepath.Clean(s.Path) == filepath.Clean(other.Path)
}
