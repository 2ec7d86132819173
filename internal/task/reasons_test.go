package task

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestReasonsOfSchemasAreReasonsOfTheAPI: internal/schema must not import the API, so its reasons are written a second time.
func TestReasonsOfSchemasAreReasonsOfTheAPI(t *testing.T) {
	documented := reasonsOf(t, "../../api/v1alpha1")
	found := reasonsOf(t, "../schema")
	if len(found) == 0 {
		t.Fatal("want reasons in internal/schema, found none")
	}
	for name, value := range found {
		if documented[name] != value {
			t.Errorf("schema.%s is %q: want v1alpha1.%s to be the same, got %q", name, value, name, documented[name])
		}
	}
}

// reasonsOf reads the constants Reason… of a package's source: name to value.
func reasonsOf(t *testing.T, dir string) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	reasons := map[string]string{}
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok {
				return true
			}
			for i, name := range spec.Names {
				if !strings.HasPrefix(name.Name, "Reason") || i >= len(spec.Values) {
					continue
				}
				if literal, ok := spec.Values[i].(*ast.BasicLit); ok {
					if reasons[name.Name], err = strconv.Unquote(literal.Value); err != nil {
						t.Fatal(err)
					}
				}
			}
			return true
		})
	}
	return reasons
}
