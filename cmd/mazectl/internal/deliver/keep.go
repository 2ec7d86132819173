package deliver

import (
	"os"
	"path/filepath"
	"slices"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/pysource"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/report"
	"github.com/maze-agent/maregister/internal/discover"
	"github.com/maze-agent/maregister/internal/finding"
)

// whyKeep returns why a task that was not found, and said this of itself, may still be there. Empty if it is gone.
func whyKeep(f *pysource.Found, path, entryPoint string) string {
	switch {
	case path == "":
		return "it does not say which file it is from"
	case !f.Covers(path):
		return "its file was not asked for"
	}
	return whyUnknown(f, path, entryPoint)
}

// whyKeepFile returns why the file of a task's manifest has to stay. Empty if the task was found, or is gone.
func whyKeepFile(f *pysource.Found, spec v1alpha1.MazeTaskSpec) string {
	if spec.Source == nil || slices.ContainsFunc(f.Tasks, func(t discover.Task) bool { return t.Function == spec.EntryPoint }) {
		return ""
	}
	if !f.Covers(spec.Source.Path) {
		if _, err := os.Stat(filepath.Join(f.Root, filepath.FromSlash(spec.Source.Path))); err == nil {
			return spec.Source.Path + " was not asked for"
		}
		return ""
	}
	return whyUnknown(f, spec.Source.Path, spec.EntryPoint)
}

// whyUnknown returns why it is not known whether a task is still in a file that was asked for. Empty if that is known.
func whyUnknown(f *pysource.Found, path, entryPoint string) string {
	lost := func(one finding.Finding) bool { return report.IsError(one) && one.Object == entryPoint }
	switch {
	case !f.Knows(path):
		return "its file cannot be read"
	case slices.ContainsFunc(f.Tasks, func(t discover.Task) bool { return t.Function == entryPoint }):
		return "" // it has another name now
	case slices.ContainsFunc(f.Findings, lost):
		return "its function has an error"
	}
	return ""
}
