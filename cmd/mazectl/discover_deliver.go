package main

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
)

// deliverOptions say where tasks go, and how.
type deliverOptions struct {
	// dirs are the folders and files that the user asked for.
	dirs []string
	// sourceName is the value of the label that names the discovery. Empty for none.
	sourceName string

	// output is one of the encodings, for manifests that are printed.
	output string
	// namespace is that of the manifests that are printed or written to a folder. Empty for none.
	namespace string
	// outputDir is the folder to keep a file for each task in. Empty for none.
	outputDir string
	// check has nothing written to it.
	check bool

	// apply has the tasks applied to the cluster.
	apply   bool
	cluster *genericclioptions.ConfigFlags
	// prune has those deleted that came from the source and are gone, and dryRun nothing of it done.
	prune, dryRun bool
	// forceConflicts takes over fields that others manage.
	forceConflicts bool
	// resync is how long a watch waits when nothing seems to change.
	resync time.Duration

	// allowEmpty lets prune and outputDir remove every task that there is.
	allowEmpty bool
}

// deliver brings the tasks to where the user wants them.
func (o *deliverOptions) deliver(ctx context.Context, t terminal.Terminal, f *pysource.Found) error {
	switch {
	case o.apply:
		return o.applyOnce(ctx, t, f)
	case o.outputDir != "":
		return o.writeFolder(t, f)
	}
	content, err := encodeManifests(pysource.Manifests(f.Tasks, o.namespace, o.sourceName), o.output)
	if err != nil {
		return err
	}
	_, err = t.Out.Write(content)
	return err
}

// writeFolder keeps the manifests in a folder, or with --check tells how it differs.
func (o *deliverOptions) writeFolder(t terminal.Terminal, f *pysource.Found) error {
	folder := &manifestFolder{path: o.outputDir, namespace: o.namespace, source: o.sourceName}
	changes, total, err := folder.changes(pysource.Manifests(f.Tasks, folder.namespace, folder.source), func(name string, spec v1alpha1.MazeTaskSpec) bool {
		why := whyKeepFile(f, spec)
		if why != "" {
			t.Say("note:", fmt.Sprintf("%s is kept: %s", filepath.Join(o.outputDir, name), why))
		}
		return why != ""
	})
	if err != nil {
		return err
	}
	removed := len(slices.DeleteFunc(slices.Clone(changes), func(c fileChange) bool { return c.after != nil }))
	if err := o.checkEmpty(f, "--output-dir", terminal.Plural(removed, "manifest")+" in "+o.outputDir, removed); err != nil {
		return err
	}
	written := len(changes) - removed
	if !o.check {
		if err := folder.write(changes); err != nil {
			return fmt.Errorf("write --output-dir: %w", err)
		}
		fmt.Fprintf(t.ErrOut, "%s: %d written, %d removed, %d unchanged\n", o.outputDir, written, removed, total-written)
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
	t.Say("note:", fmt.Sprintf("the Python files say something else than %s; the same call without --check corrects that",
		terminal.Plural(len(changes), "manifest")))
	return report.ErrFindings
}

// checkEmpty refuses to remove everything there is, for want of a single task: that is a wrong DIR more often than meant.
func (o *deliverOptions) checkEmpty(f *pysource.Found, flag, what string, count int) error {
	if len(f.Tasks) > 0 || count == 0 || o.allowEmpty {
		return nil
	}
	return fmt.Errorf("there is no task in %s, so %s would delete all %s; if that is meant, give --allow-empty", strings.Join(o.dirs, ", "), flag, what)
}
