package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// diffResult is what phase k found.
type diffResult struct {
	tasks, changed int
	bytes          int
	elapsed        time.Duration
	// peakMemory is in MiB.
	peakMemory float64
}

const (
	// maxComparing is the target of phase k in seconds, and maxComparingMemory in MiB, for 2,000 tasks.
	maxComparing       = 2
	maxComparingMemory = 200
	// diffWidens and diffBreaks say of how many tasks one takes more, and one requires more.
	diffWidens = 10
	diffBreaks = 50
)

// runDiff is phase k.
func (b *bench) runDiff(ctx context.Context) error {
	progress("phase k: %d tasks against %d", b.diff, b.diff)
	r := &diffResult{tasks: b.diff}
	var folders []string
	for _, version := range []string{"old", "new"} {
		folder := filepath.Join(b.folder, version)
		if err := os.Mkdir(folder, 0o700); err != nil {
			return err
		}
		folders = append(folders, folder)
		for i := range b.diff {
			text := numberedManifest(i, version)
			r.bytes += len(text)
			if err := writeFile(filepath.Join(folder, fmt.Sprintf("task-%d.yaml", i)), []byte(text)); err != nil {
				return err
			}
		}
	}
	breaking := (b.diff + diffBreaks - 1) / diffBreaks
	for range discoverRounds {
		run, err := runMazectl(ctx, b.mazectl, "diff", folders[0], folders[1], "--output-format", "json")
		if err != nil {
			return err
		}
		var findings []struct{ Severity string }
		if err := run.decode(&findings); err != nil {
			return err
		}
		errors := 0
		for _, one := range findings {
			if one.Severity == "error" {
				errors++
			}
		}
		if errors != breaking || len(findings) < b.diff {
			return fmt.Errorf("%s found %d breaking changes of %d, and want %d of at least %d", run.command, errors, len(findings), breaking, b.diff)
		}
		r.changed = len(findings)
		if r.elapsed == 0 || run.elapsed < r.elapsed {
			r.elapsed = run.elapsed
		}
		r.peakMemory = max(r.peakMemory, run.peakMemory)
	}
	b.results.diff = r
	return nil
}

// numberedManifest returns a MazeTask. Those of the new version all differ: in their description, some take more, and some require more.
func numberedManifest(i int, version string) string {
	more, required := "", "[p0, p1]"
	if version == "new" && i%diffWidens == 0 {
		more = "\n      more: {type: string}"
	}
	if version == "new" && i%diffBreaks == 0 {
		required = "[p0, p1, p2]"
	}
	var properties strings.Builder
	for j, kind := range []string{"string", "integer", "number", "filepath", "boolean", "string"} {
		fmt.Fprintf(&properties, "\n      p%d: {type: %s, description: parameter %d of task %d}", j, kind, j, i)
	}
	return fmt.Sprintf(`apiVersion: registry.mazeagent.net/v1alpha1
kind: MazeTask
metadata: {name: task-%[1]d, namespace: bench}
spec:
  name: task_%[1]d
  description: Does the work of task %[1]d, in its %[2]s version.
  inputParameters:
    type: object
    properties:%[3]s%[4]s
    required: %[5]s
  outputParameters:
    type: object
    properties:
      result: {type: object, properties: {text: {type: string}, score: {type: number}}}
    required: [result]
  resources: {type: gpu, cpu: "2", memory: 4Gi, gpuMemory: 8Gi}
  entryPoint: tools.t%[1]d:task_%[1]d
`, i, version, properties.String(), more, required)
}

func (r *diffResult) print(p *report) {
	p.line("\nk: %d tasks against %d, %.1f MB, %d changes", r.tasks, r.tasks, float64(r.bytes)/1e6, r.changed)
	p.line("  %-40s %8.2f s", "mazectl diff", r.elapsed.Seconds())
	p.line("  %-40s %8s", "peak memory", mebibytes(r.peakMemory))
	p.target("k, time of a comparison, seconds", r.elapsed.Seconds(), maxComparing)
	p.target("k, peak memory, MiB", r.peakMemory, maxComparingMemory)
}
