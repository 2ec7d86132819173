// Package deliver brings tasks that were found to where the user wants them: printed, into a folder, or into a cluster.
package deliver

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"k8s.io/cli-runtime/pkg/genericclioptions"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/pysource"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/report"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/terminal"
	"github.com/maze-agent/maregister/internal/evolution"
)

// Options say where tasks go, and how.
type Options struct {
	// Dirs are the folders and files that the user asked for.
	Dirs []string
	// SourceName is the value of the label that names the discovery. Empty for none.
	SourceName string

	// Output is one of the encodings, for manifests that are printed.
	Output string
	// Namespace is that of the manifests that are printed or written to a folder. Empty for none.
	Namespace string
	// OutputDir is the folder to keep a file for each task in. Empty for none.
	OutputDir string
	// Check has nothing written to it.
	Check bool

	// Apply has the tasks applied to the cluster.
	Apply   bool
	Cluster *genericclioptions.ConfigFlags
	// Prune has those deleted that came from the source and are gone, and dryRun nothing of it done.
	Prune, DryRun bool
	// ForceConflicts takes over fields that others manage.
	ForceConflicts bool
	// Resync is how long a watch waits when nothing seems to change.
	Resync time.Duration

	// FailOn is from which verdict on a change is not made, or is a failure of Check. Compatible, the zero value, for none.
	FailOn evolution.Verdict
	// Findings say which rules of changes are told, and count for FailOn.
	Findings report.Options

	// AllowEmpty lets prune and outputDir remove every task that there is.
	AllowEmpty bool
}

// Deliver brings the tasks to where the user wants them.
func (o *Options) Deliver(ctx context.Context, t terminal.Terminal, f *pysource.Found) error {
	switch {
	case o.Apply:
		return o.applyOnce(ctx, t, f)
	case o.OutputDir != "":
		return o.writeFolder(t, f)
	}
	content, err := encodeManifests(pysource.Manifests(f.Tasks, o.Namespace, o.SourceName), o.Output)
	if err != nil {
		return err
	}
	_, err = t.Out.Write(content)
	return err
}

// writeFolder keeps the manifests in a folder, or with --check tells how it differs.
func (o *Options) writeFolder(t terminal.Terminal, f *pysource.Found) error {
	folder := &manifestFolder{path: o.OutputDir, namespace: o.Namespace, source: o.SourceName}
	changes, total, err := folder.changes(pysource.Manifests(f.Tasks, folder.namespace, folder.source), func(name string, spec v1alpha1.MazeTaskSpec) bool {
		why := whyKeepFile(f, spec)
		if why != "" {
			t.Say("note:", fmt.Sprintf("%s is kept: %s", filepath.Join(o.OutputDir, name), why))
		}
		return why != ""
	})
	if err != nil {
		return err
	}
	removed := len(slices.DeleteFunc(slices.Clone(changes), func(c fileChange) bool { return c.after != nil }))
	if err := o.checkEmpty(f, "--output-dir", terminal.Plural(removed, "manifest")+" in "+o.OutputDir, removed); err != nil {
		return err
	}
	written := len(changes) - removed
	if !o.Check {
		if err := folder.write(changes); err != nil {
			return fmt.Errorf("write --output-dir: %w", err)
		}
		fmt.Fprintf(t.ErrOut, "%s: %d written, %d removed, %d unchanged\n", o.OutputDir, written, removed, total-written)
		return nil
	}
	if len(changes) == 0 {
		return nil
	}
	text, err := folder.diff(changes)
	if err != nil {
		return err
	}
	fmt.Fprint(t.Out, t.PaintDiff(text))
	worst := o.tellMeaning(t, f, changes)
	t.Say("note:", fmt.Sprintf("the Python files say something else than %s; the same call without --check corrects that",
		terminal.Plural(len(changes), "manifest")))
	if worst < o.FailOn {
		return nil
	}
	return report.ErrFindings
}

// checkEmpty refuses to remove everything there is, for want of a single task: that is a wrong DIR more often than meant.
func (o *Options) checkEmpty(f *pysource.Found, flag, what string, count int) error {
	if len(f.Tasks) > 0 || count == 0 || o.AllowEmpty {
		return nil
	}
	return fmt.Errorf("there is no task in %s, so %s would delete all %s; if that is meant, give --allow-empty", strings.Join(o.Dirs, ", "), flag, what)
}
