package pysource

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestFileReader reads files one after another, while what is below the package root changes.
func TestFileReader(t *testing.T) {
	folder := tree(t, map[string]string{"a.py": "a", "p/b.py": "b", "p/c.py": "c", "p/q/d.py": "d", "r/e.py": strings.Repeat("e", 9000), "r/f.py": ""})
	outside := tree(t, map[string]string{"x.py": "x"})
	in := func(name string) string { return filepath.Join(folder, name) }
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	opened, err := os.OpenRoot(folder)
	must(err)
	root := &packageRoot{Root: opened}
	t.Cleanup(func() { _ = root.Close() })
	r := fileReader{root: root}
	t.Cleanup(r.close)
	for _, step := range []struct {
		file   string
		before func()
		// want is the content. Empty with wantErr for what cannot be read.
		want    string
		wantErr string
	}{
		{file: "a.py", want: "a"},
		{file: "p/b.py", want: "b"},
		{file: "p/c.py", want: "c"},
		{file: "p/q/d.py", want: "d"},
		{file: "p/b.py", want: "b"},
		{file: "p/none.py", wantErr: "is gone"},
		{file: "none/none.py", wantErr: "is gone"},
		{file: "r/e.py", want: strings.Repeat("e", 9000)},
		{file: "r/f.py", want: ""},
		{file: "r/f.py", before: func() { must(os.WriteFile(in("r/f.py"), []byte("longer"), 0o644)) }, want: "longer"},
		{file: "r/f.py", before: func() {
			must(os.Remove(in("r/f.py")))
			must(os.Symlink("../p/c.py", in("r/f.py")))
		}, want: "c"},
		{file: "r/f.py", before: func() {
			must(os.Remove(in("r/f.py")))
			must(os.Symlink(filepath.Join(outside, "x.py"), in("r/f.py")))
		}, wantErr: "escapes"},
		{file: "r/f.py", before: func() {
			must(os.Remove(in("r/f.py")))
			must(os.Mkdir(in("r/f.py"), 0o755))
		}, wantErr: "regular"},
		{file: "r/g.py", before: func() {
			must(os.Rename(in("r"), in("s")))
			must(os.Mkdir(in("r"), 0o755))
			must(os.WriteFile(in("r/g.py"), []byte("g"), 0o644))
		}, want: "g"},
	} {
		if step.before != nil {
			step.before()
		}
		got, err := r.read(step.file)
		switch {
		case step.wantErr != "":
			if err == nil || !strings.Contains(err.Error(), step.wantErr) {
				t.Errorf("%s: %v, want an error with %q", step.file, err, step.wantErr)
			}
		case err != nil || string(got) != step.want:
			t.Errorf("%s: %.20q, %v, want %.20q", step.file, got, err, step.want)
		}
	}
}
