package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// discoverResult is what phase g found.
type discoverResult struct {
	files, tasks int
	bytes        int64
	// python is how long ast.parse took for all files; search and all are discovery's times.
	python, search, all time.Duration
	// many are numbers of files; manyTime and manyMemory, in MiB, are what discovery took for so many.
	many       int
	manyTime   time.Duration
	manyMemory float64
}

// discoverRounds is how often each way is measured. The best counts: a machine has something else to do at times.
const discoverRounds = 3

// runDiscover is phase g.
func (b *bench) runDiscover(ctx context.Context) error {
	python, missing := exec.LookPath("python3")
	if missing != nil {
		progress("phase g is left out: python3 is missing")
		return nil //nolint:nilerr // the other phases have something to say
	}
	tree := b.tree
	if tree == "" {
		var err error
		if tree, err = standardLibrary(ctx, python); err != nil {
			return err
		}
	}
	progress("phase g: a copy of %s", tree)
	sources := filepath.Join(b.folder, "sources")
	if err := copyPython(ctx, sources, tree); err != nil {
		return err
	}
	before, err := parseByPython(ctx, python, sources)
	if err != nil {
		return err
	}
	wanted, err := sprinkle(sources, before.readable(), b.treeTasks, b.seed)
	if err != nil {
		return err
	}
	r := &discoverResult{tasks: len(wanted)}
	if err := b.compareDiscovery(ctx, r, python, sources, wanted); err != nil {
		return err
	}
	b.results.discover = r
	if b.manyFiles == 0 {
		return nil
	}
	return b.discoverMany(ctx, r)
}

// compareDiscovery measures the three ways in turn.
func (b *bench) compareDiscovery(ctx context.Context, r *discoverResult, python, sources string, wanted []string) error {
	best := func(so *time.Duration, now time.Duration) {
		if *so == 0 || now < *so {
			*so = now
		}
	}
	for range discoverRounds {
		parsed, err := parseByPython(ctx, python, sources)
		if err != nil {
			return err
		}
		r.files, r.bytes = len(parsed.Files), parsed.Bytes
		best(&r.python, time.Duration(parsed.Seconds*float64(time.Second)))
		for _, way := range []struct {
			best  *time.Duration
			flags []string
		}{{&r.search, nil}, {&r.all, []string{"--parse-all"}}} {
			run, err := discoverTasks(ctx, b.mazectl, sources, way.flags...)
			if err != nil {
				return err
			}
			if err := run.check(wanted); err != nil {
				return err
			}
			best(way.best, run.elapsed)
		}
	}
	return nil
}

// discoverMany measures the memory that discovery takes for many small files.
func (b *bench) discoverMany(ctx context.Context, r *discoverResult) error {
	progress("phase g: %d small files", b.manyFiles)
	folder := filepath.Join(b.folder, "many")
	wanted, err := writeMany(ctx, folder, b.manyFiles)
	if err != nil {
		return err
	}
	run, err := discoverTasks(ctx, b.mazectl, folder)
	if err != nil {
		return err
	}
	if err := run.check(wanted); err != nil {
		return err
	}
	r.many, r.manyTime, r.manyMemory = b.manyFiles, run.elapsed, run.peakMemory
	return os.RemoveAll(folder)
}

// standardLibrary returns the folder of Python's own modules.
func standardLibrary(ctx context.Context, python string) (string, error) {
	out, err := exec.CommandContext(ctx, python, "-c", `import sysconfig; print(sysconfig.get_paths()["stdlib"])`).Output()
	if err != nil {
		return "", fmt.Errorf("ask python3 for its standard library: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}

// copyPython copies the Python files below a folder, but not those that were installed beside the standard library.
func copyPython(ctx context.Context, to, from string) error {
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		if entry.IsDir() && (entry.Name() == "site-packages" || entry.Name() == "dist-packages") {
			return filepath.SkipDir
		}
		if !entry.Type().IsRegular() || filepath.Ext(path) != ".py" {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		return writeFile(filepath.Join(to, relative), text)
	})
}

func writeFile(path string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o644)
}

// parsing is what parseProgram prints.
type parsing struct {
	Seconds float64
	Bytes   int64
	// Files are all files, and Broken those that are no Python.
	Files, Broken []string
}

func (p parsing) readable() []string {
	return slices.DeleteFunc(slices.Clone(p.Files), func(file string) bool { return slices.Contains(p.Broken, file) })
}

// parseProgram reads and parses every file of a folder. What is not reading or parsing is not timed.
const parseProgram = `
import ast, json, os, sys, time, warnings
warnings.simplefilter("ignore")
files = sorted(os.path.join(folder, name) for folder, _, names in os.walk(sys.argv[1]) for name in names if name.endswith(".py"))
size, broken = 0, []
begin = time.perf_counter()
for file in files:
    with open(file, "rb") as opened:
        text = opened.read()
    size += len(text)
    try:
        ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        broken.append(file)
json.dump({"Seconds": time.perf_counter() - begin, "Bytes": size, "Files": files, "Broken": broken}, sys.stdout)
`

func parseByPython(ctx context.Context, python, folder string) (parsing, error) {
	var p parsing
	command := exec.CommandContext(ctx, python, "-c", parseProgram, folder)
	command.Stderr = os.Stderr
	out, err := command.Output()
	if err != nil {
		return p, fmt.Errorf("parse with python3: %w", err)
	}
	if err := json.Unmarshal(out, &p); err != nil {
		return p, fmt.Errorf("read what python3 printed: %w", err)
	}
	if len(p.Files) == 0 {
		return p, fmt.Errorf("%s has no Python files; name a folder that has with -tree", folder)
	}
	return p, nil
}

// sprinkled is a task, to be put at the end of a file.
const sprinkled = `

from maze.client.maze.decorator import task


@task(
    name=%q,
    description="A task that was not here.",
    input_parameters={"type": "object", "properties": {"image": {"type": "string"}}, "required": ["image"]},
    task_type="gpu",
    mem=2048,
    gpu_mem=8192,
)
def %s(image: str, size: int = 3) -> dict:
    """A task that was not here."""
    return {"caption": image}
`

// sprinkle puts tasks into files, one each, and returns the tasks' names.
func sprinkle(root string, files []string, n int, seed uint64) ([]string, error) {
	rand.New(rand.NewPCG(seed, 0)).Shuffle(len(files), func(i, j int) { files[i], files[j] = files[j], files[i] })
	var names []string
	for i, path := range files {
		// Maze skips what begins with two underscores.
		if relative, err := filepath.Rel(root, path); err != nil || strings.Contains(filepath.ToSlash("/"+relative), "/__") {
			continue
		}
		if len(names) == n {
			break
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		name := fmt.Sprintf("sprinkled_%d", i)
		if err := os.WriteFile(path, append(text, fmt.Sprintf(sprinkled, name, name)...), 0o644); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, nil
}

// everyTask says of which of many small files one has a task.
const everyTask = 20

// writeMany writes small files, some with a task each, and returns the tasks' names.
func writeMany(ctx context.Context, root string, n int) ([]string, error) {
	const perFolder = 500
	var names []string
	for i := range n {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		text := fmt.Sprintf("import os\n\nLIMIT = %d\n\n\ndef helper_%d(path):\n    return os.path.join(path, str(LIMIT))\n", i, i)
		if i%everyTask == 0 {
			name := fmt.Sprintf("many_%d", i)
			names = append(names, name)
			text += fmt.Sprintf(sprinkled, name, name)
		}
		if err := writeFile(filepath.Join(root, fmt.Sprintf("package_%d", i/perFolder), fmt.Sprintf("module_%d.py", i)), []byte(text)); err != nil {
			return nil, err
		}
	}
	return names, nil
}

// discovery is one run of mazectl discover.
type discovery struct {
	mazectlRun
	tasks map[string]json.RawMessage
}

// discoverTasks runs mazectl discover, and reads the tasks that it prints.
func discoverTasks(ctx context.Context, binary, folder string, flags ...string) (discovery, error) {
	run, err := runMazectl(ctx, binary, append([]string{"discover", folder, "-o", "task-meta"}, flags...)...)
	d := discovery{mazectlRun: run}
	if err == nil {
		err = run.decode(&d.tasks)
	}
	return d, err
}

// check reports whether the tasks that were found are those that were written.
func (d discovery) check(wanted []string) error {
	for _, name := range wanted {
		if _, found := d.tasks[name]; !found {
			return fmt.Errorf("discovery did not find the task %s, one of %d", name, len(wanted))
		}
	}
	if len(d.tasks) != len(wanted) {
		return fmt.Errorf("discovery found %d tasks, and there are %d", len(d.tasks), len(wanted))
	}
	return nil
}
