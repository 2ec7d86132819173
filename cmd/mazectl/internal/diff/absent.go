package diff

import (
	"errors"
	"path/filepath"
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
	"all tasks count as new; if they were moved, give where they were as OLD",
	"all tasks count as gone; if they were moved, give where they are as NEW",
}

// countAbsent has one version without the file or folder count as one without tasks if the other one has it: it is new, or was deleted. Where
// neither has it, or they are called otherwise, the name is probably wrong, and the errors stay.
func countAbsent(sources [2]Source, sides *[2]*side, errs *[2]error) {
	for i := range sources {
		other := 1 - i
		absent, ok := errors.AsType[*absentError](errs[i])
		if !ok || errs[other] != nil || !sources[i].isSamePath(&sources[other]) {
			continue
		}
		errs[i] = nil
		sides[i] = &side{name: sources[i].given, notes: []string{absent.where + ": " + meaningOfAbsence[i]}}
	}
}

// isSamePath reports whether two versions are the same files, of the working folder or of a revision.
func (s *Source) isSamePath(other *Source) bool {
	isFiles := func(s *Source) bool { return s.kind == pathSource || s.kind == gitSource }
	return isFiles(s) && isFiles(other) && filepath.Clean(s.Path) == filepath.Clean(other.Path)
}
