package pysource

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// taskPy is a Python file that declares a task.
func taskPy(name string) string {
	return fmt.Sprintf("from maze import task\n\n\n@task(name=%q)\ndef run(path: str):\n    return {}\n", name)
}

// tree makes files in a folder. A content that begins with "-> " makes a symbolic link.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, content := range files {
		name = filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		var err error
		if target, ok := strings.CutPrefix(content, "-> "); ok {
			err = os.Symlink(strings.ReplaceAll(target, "ROOT", root), name)
		} else {
			err = os.WriteFile(name, []byte(content), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return root
}
