package catalogue

import (
	"context"

	"github.com/maze-agent/maregister/cmd/mazectl/internal/pysource"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/report"
	"github.com/maze-agent/maregister/internal/discover"
	"github.com/maze-agent/maregister/internal/finding"
)

// Declared finds the tasks of Python sources and what is wrong with their declarations. The paths are files and folders as
// they were given; each may have a package root of its own.
func Declared(ctx context.Context, paths []string) ([]discover.Task, []finding.Finding, error) {
	var tasks []discover.Task
	var findings []finding.Finding
	for _, path := range paths {
		f, err := pysource.Find(ctx, pysource.Options{}, []string{path})
		if err != nil {
			return tasks, findings, report.Unread(path, err)
		}
		tasks, findings = append(tasks, f.Tasks...), append(findings, f.Findings...)
	}
	return tasks, findings, nil
}
