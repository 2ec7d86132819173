package main

import (
	"os"
	"strings"
	"testing"
)

// TestDiscoverFieldB5: discover judges what it makes, by lint's rules, where the value is in the source. lint says the same of the file.
func TestDiscoverFieldB5(t *testing.T) {
	const begin = "from maze import task\n\n\n@task(\n    name=\"x\",\n"
	cases := map[string]struct{ source, want string }{
		"an unknown type":   {begin + "    input_parameters={\n        \"d\": {\"type\": \"datetime\"},\n    },\n)\ndef f(d): ...\n", "a.py:7:23: MZ121 "},
		"a constant":        {"D = {\n    \"type\": \"datetime\"}\n" + begin + "    output_parameters={\"d\": D})\ndef f(): ...\n", "a.py:2:13: MZ121 "},
		"a wrong name":      {strings.Replace(begin, `"x"`, `"a/b"`, 1) + ")\ndef f(): ...\n", "a.py:5:10: MZ109 "},
		"a long text":       {begin + "    model_name=\"m\" * 600,\n)\ndef f(): ...\n", "a.py:6:16: MZ113 "},
		"a Python type":     {begin + "    input_parameters={\"d\": {\"type\": \"int\"}},\n)\ndef f(d): ...\n", "a.py:6:37: MZ129 "},
		"a pattern":         {begin + "    input_parameters={\"d\": {\n        \"pattern\": \"(\"}},\n)\ndef f(d): ...\n", "a.py:7:20: MZ12"},
		"a remote $ref":     {begin + "    output_parameters={\"d\": {\"$ref\": \"https://example.com/s\"}},\n)\ndef f(): ...\n", "a.py:6:38: MZ123 "},
		"a wrong default":   {begin + "    input_parameters={\"d\": {\"type\": \"integer\", \"default\": \"x\"}},\n)\ndef f(d): ...\n", "a.py:6:59: MZ121 "},
		"more than CPUs":    {begin + "    cpu_num=0,\n    mem=2 ** 30,\n    task_type=\"io\",\n    backend=\"b\" * 300)\ndef f(): ...\n", "a.py:9:13: MZ113 "},
		"of the annotation": {"from maze import task\n\n\n@task\ndef " + strings.Repeat("f", 300) + "(d: int):\n    return {\"a\": d}\n", "a.py:4:1: MZ1"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			if err := os.WriteFile("a.py", []byte(tc.source), 0o644); err != nil {
				t.Fatal(err)
			}
			discovered := call(t, "discover", "a.py", "--output-format=concise")
			if want := map[bool]int{true: exitFine, false: exitFindings}[strings.Contains(tc.want, "MZ129")]; discovered.code != want {
				t.Errorf("want exit code %d: %s", want, discovered)
			}
			linted := call(t, "lint", "a.py", "--output-format=concise")
			for command, text := range map[string]string{"discover": discovered.stderr, "lint": linted.stdout} {
				text = strings.ReplaceAll(strings.ReplaceAll(text, ": error ", ": "), ": warning ", ": ")
				if !strings.Contains(text, tc.want) {
					t.Errorf("%s, want %s:\n%s", command, tc.want, text)
				}
			}
		})
	}
}

// TestDecorator: a decorator that is claimed declares tasks for each command that reads Python sources.
func TestDecorator(t *testing.T) {
	t.Chdir(t.TempDir())
	const source = "from platform_sdk.tasks import task as job\n\n\n@job(name=\"x\", task_type=\"cpu\")\ndef f(a: int): ...\n"
	const workflow = `{"nodes": [{"id": "t1", "func": "x", "args": {"a": 1}}]}`
	for file, text := range map[string]string{"a.py": source, "w.json": workflow} {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	const flag = "--decorator=platform_sdk.tasks:task"
	for name, tc := range map[string]struct {
		args     []string
		wantCode int
		want     string
	}{
		"discover":         {[]string{"discover", "."}, exitFine, "MZ012 [warning] @job takes what Maze's decorators take, but comes from platform_sdk.tasks"},
		"discover, claims": {[]string{"discover", ".", flag}, exitFine, "name: x"},
		"two of them":      {[]string{"discover", ".", "--decorator=other:thing", flag}, exitFine, "name: x"},
		"in one":           {[]string{"discover", ".", "--decorator=other:thing,platform_sdk.tasks:task"}, exitFine, "name: x"},
		"lint, claims":     {[]string{"lint", ".", flag}, exitFine, "1 task in Python sources: nothing is wrong"},
		"dag":              {[]string{"dag", "check", "w.json", "--tasks=a.py"}, exitFailed, "no task of a.py can be used"},
		"dag, claims":      {[]string{"dag", "check", "w.json", "--tasks=a.py", flag}, exitFine, "1 node"},
		"a dot":            {[]string{"discover", ".", "--decorator=platform_sdk.tasks.task"}, exitFailed, `write MODULE:NAME, here platform_sdk.tasks:task`},
	} {
		t.Run(name, func(t *testing.T) {
			got := call(t, tc.args...)
			if got.code != tc.wantCode || !strings.Contains(got.stdout+got.stderr, tc.want) {
				t.Errorf("want exit code %d and %q: %s", tc.wantCode, tc.want, got)
			}
		})
	}
}
