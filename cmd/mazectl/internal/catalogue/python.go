package catalogue

import (
	"context"

	"github.com/maze-agent/maregister/cmd/mazectl/internal/pysource"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/report"
	"github.com/maze-agent/maregister/internal/discover"
	"github.com/maze-agent/maregister/internal/finding"
)

// Declarations are what Python sources declare.
type Declarations struct {
	Tasks    []discover.Task
	Findings []finding.Finding
	// Ignores is what comments silence.
	Ignores []finding.Ignore
	// Notes say what was passed over where there is no task.
	Notes []string
}

// Declared finds the tasks of Python sources and what is wrong with their declarations. The paths are files and folders as
// they were given; each may have a package root of its own.
func Declared(ctx context.Context, options pysource.Options, paths []string) (Declarations, error) {
	var all Declarations
	for _, path := range paths {
		f, err := pysource.Find(ctx, options, []string{path})
		if err != nil {
			return all, report.Unread(path, err)
		}
		if why := f.WhyNothing(); why != "" {
			all.Notes = append(all.Notes, path+": "+why)
		}
		all.Tasks, all.Findings, all.Ignores = append(all.Tasks, f.Tasks...), append(all.Findings, f.Findings...), append(all.Ignores, f.Ignores...)
	}
	return all, nil
}
