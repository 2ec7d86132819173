//go:build linux && !race

package pysource

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	// hostileFolder is the variable by which the test's own program knows that it is to discover, and where.
	hostileFolder = "PYSOURCE_HOSTILE_FOLDER"
	// The example of git-sync gives discovery 256Mi, of which the program itself takes a part that this test's does not.
	maxHostileMemory = 180 << 20
	// maxHostileTime is of a processor. Each takes a second or so on one that has nothing else to do.
	maxHostileTime = 20 * time.Second
)

// TestHostile: whatever a file holds, it costs little time and memory, and another file in the folder nothing.
func TestHostile(t *testing.T) {
	if folder := os.Getenv(hostileFolder); folder != "" {
		discoverHostile(t, folder)
		return
	}
	const task = "from maze import task\nfrom typing import TypedDict\n\n\n@task\ndef f(a: T0):\n    return {'b': 1}\n"
	many := func(n int, format string) string {
		var out strings.Builder
		for i := range n {
			fmt.Fprintf(&out, format, i)
		}
		return out.String()
	}
	all := func(text string) map[string]string { return map[string]string{"a.py": text} }
	cases := map[string]map[string]string{
		"lines that continue":           all(task + "x = 1 " + strings.Repeat("\\\n", 20_000) + "\n"),
		"lines that continue, blank":    all(task + strings.Repeat(" \t\\\n", 20_000) + "x = 1\n"),
		"lines that continue, in parts": all(task + strings.Repeat(strings.Repeat("\\\n", 500)+"x = 1\n", 400)),
		"a sum over lines":              all(task + "x = 1" + strings.Repeat(" + \\\n 1", 50_000) + "\n"),
		"400 KB of brackets":            all(task + "x = " + strings.Repeat("[", 400_000) + "\n"),
		"400 KB of braces, closed":      all(task + "x = " + strings.Repeat("{", 200_000) + strings.Repeat("}", 200_000) + "\n"),
		"4 MB of brackets":              all(task + "x = " + strings.Repeat("(", 4_000_000) + "\n"),
		"items":                         all(task + "x = [" + strings.Repeat("1,", 300_000) + "]\n"),
		"many files of brackets": {
			"a.py": task + "x = " + strings.Repeat("[", 100_000), "b.py": task + "x = " + strings.Repeat("{", 100_000), "c.py": task + "x = " + strings.Repeat("(", 100_000),
			"d.py": task + "x = " + strings.Repeat("[(", 50_000), "e.py": task + "x = " + strings.Repeat("[{", 50_000), "f.py": task + "x = [" + strings.Repeat("1,", 50_000) + "]",
		},
		"TypedDicts that name each other":          all(task + classes(10, 10)),
		"more of them":                             all(task + classes(40, 40)),
		"for many parameters":                      all(strings.Replace(task, "a: T0", many(500, "a%d: 'T0', "), 1) + classes(12, 12)),
		"for many tasks":                           all(task + classes(12, 12) + many(2000, "@task\ndef f%d(a: T1, b: 'list[T2]'):\n    return {'b': 1}\n\n\n")),
		"bases of bases":                           all(task + "class T0(B0, B1): pass\n" + bases(30)),
		"names of each other":                      all(task + "T0 = U\nU = T0\n"),
		"bindings of bindings":                     all(strings.Replace(task, "@task", "@y0.run", 1) + fanOut()),
		"a function again and again":               all(task + many(30_000, "@task\ndef f(): return {'a': %d}\n")),
		"a large constant again and again":         all(task + "BIG = {'x' * 60000: {}}\n" + many(3000, "@task(name='t%[1]d', input_parameters=BIG)\ndef g%[1]d(x): pass\n")),
		"decorators of a name that is bound again": all(task + strings.Repeat("y = z\n", 10_000) + many(10_000, "@y\ndef g%d(): pass\n")),
		"wildcards of each other": {
			"a.py": "from b import *\nfrom c import *\nfrom d import *\n" + strings.Replace(task, "@task", "@nothing\n@task(resources=R)", 1), "b.py": "from a import *\nfrom c import *\nfrom d import *\n",
			"c.py": "from a import *\nfrom b import *\nfrom d import *\n", "d.py": "from a import *\nfrom b import *\nfrom c import *\n",
		},
		"colons": all("@x\ndef f(): pass\n" + strings.Repeat("x:", 500_000)),
	}
	for name, files := range cases {
		t.Run(name, func(t *testing.T) {
			files["zz_good.py"] = taskPy("good")
			ctx, cancel := context.WithTimeout(t.Context(), 10*maxHostileTime)
			defer cancel()
			cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestHostile$", "-test.v")
			cmd.Env = append(os.Environ(), hostileFolder+"="+tree(t, files))
			out, err := cmd.CombinedOutput()
			if err != nil || !strings.Contains(string(out), "good is found") {
				t.Fatalf("%v\n%.2000s", err, out)
			}
			usage := cmd.ProcessState.SysUsage().(*syscall.Rusage)
			if peak := usage.Maxrss << 10; peak > maxHostileMemory {
				t.Errorf("it took %d MiB, want at most %d", peak>>20, maxHostileMemory>>20)
			}
			if used := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(); used > maxHostileTime {
				t.Errorf("it took %v, want at most %v", used, maxHostileTime)
			}
			t.Logf("%d MiB", usage.Maxrss>>10)
		})
	}
}

// discoverHostile is what the program does that is measured.
func discoverHostile(t *testing.T, folder string) {
	f, err := Find(t.Context(), Options{}, []string{folder})
	if err != nil {
		t.Fatal(err)
	}
	for i := range f.Tasks {
		if f.Tasks[i].Spec.Name == "good" && filepath.Base(f.Tasks[i].File) == "zz_good.py" {
			t.Log("good is found")
		}
	}
}

// classes returns TypedDicts of so many fields, each of which has another one as its type.
func classes(n, fields int) string {
	var out strings.Builder
	for i := range n {
		fmt.Fprintf(&out, "class T%d(TypedDict):\n", i)
		for j := range fields {
			fmt.Fprintf(&out, "    f%d: 'T%d'\n", j, (i+j)%n)
		}
	}
	return out.String()
}

// bases returns classes that inherit from two each, which do the same.
func bases(n int) string {
	var out strings.Builder
	for i := range n {
		fmt.Fprintf(&out, "class B%d(B%d, B%d): pass\n", i, i+1, i+2)
	}
	return out.String()
}

// fanOut binds names so that the ways from name to name are more than can be followed.
func fanOut() string {
	var out strings.Builder
	for i := range 20 {
		out.WriteString(strings.Repeat(fmt.Sprintf("y%d = y%d\n", i, i+1), 10))
	}
	return out.String()
}

// TestLargeFilesAreReadAsBefore: a file that a small parser has no memory for is read as a large one, with the same result.
func TestLargeFilesAreReadAsBefore(t *testing.T) {
	source := []byte(taskPy("good") + "x = [" + strings.Repeat("[1, 2],", 12_000) + "]\n")
	if len(source) > largeSource {
		t.Fatal("this is read as a large file anyway")
	}
	small := sourceParser{}
	m, err := small.parse("a.py", source)
	if err != nil || !m.TooHard() {
		t.Fatalf("want more than a small parser can read, got %v", err)
	}
	f, err := Find(t.Context(), Options{}, []string{tree(t, map[string]string{"a.py": string(source)})})
	if err != nil || len(f.Tasks) != 1 || len(f.Findings) != 0 {
		t.Errorf("%v: %+v", err, f)
	}
}
