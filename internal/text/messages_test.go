package text_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// takesApart are the functions and methods that look into a text.
var takesApart = regexp.MustCompile(`^(Split|Cut|Trim|Contains|HasPrefix|HasSuffix|Index|LastIndex|Replace|Fields|EqualFold|Find|Match|Sscan)`)

// mayTakeApart has the functions that may look into messages, with the reason. None of them is ours.
var mayTakeApart = map[string]string{
	"internal/jsontree/yaml_error.go locate": "the errors of the YAML library are nothing but text",
	"internal/lint/admission.go withField":   "some packages of the API server tell the field in the text of an error only",
	"internal/lint/problems.go messageOf":    "the API server's words are shortened; nothing is decided by them but the words",
	"internal/lint/problems.go isFraction":   "the API server tells the type that it found in the text of an error only",
	"internal/schema/pattern.go whyNotRE2":   "the library's prefix says what the message says already",
	"cmd/mazectl/main.go run":                "the prefix of cli-runtime's errors would be there twice",
}

// TestNoMessageIsTakenApart: what a program needs to know is a value. A message is made of it at the edge, once.
func TestNoMessageIsTakenApart(t *testing.T) {
	found := map[string][]string{}
	for _, folder := range []string{"internal", "cmd", "controllers", "client"} {
		err := filepath.WalkDir(filepath.Join("../..", folder), func(name string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || strings.Contains(name, "treesitter") {
				return err
			}
			files := token.NewFileSet()
			parsed, err := parser.ParseFile(files, name, nil, 0)
			if err != nil {
				return err
			}
			for _, declaration := range parsed.Decls {
				if function, ok := declaration.(*ast.FuncDecl); ok && function.Body != nil {
					where := strings.TrimPrefix(filepath.ToSlash(name), "../../") + " " + function.Name.Name
					for _, at := range takenApart(function.Body) {
						found[where] = append(found[where], fmt.Sprintf("line %d", files.Position(at).Line))
					}
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for where, lines := range found {
		if mayTakeApart[where] == "" {
			t.Errorf("%s takes a message apart in %s: hand the value on, or explain why it cannot be", where, strings.Join(lines, ", "))
		}
	}
	for where := range mayTakeApart {
		if len(found[where]) == 0 {
			t.Errorf("%s takes no message apart any more: remove the exception", where)
		}
	}
}

// takenApart returns where a function looks into messages, and into variables that it has set to them.
func takenApart(body *ast.BlockStmt) []token.Pos {
	var variables []string
	var all []token.Pos
	isMessage := func(node ast.Node) bool {
		found := false
		ast.Inspect(node, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncLit: // what is passed on, and not what is looked into
				return false
			case *ast.SelectorExpr:
				found = found || slices.Contains([]string{"Error", "Message", "Detail"}, n.Sel.Name)
			case *ast.Ident:
				found = found || slices.Contains(variables, n.Name)
			}
			return !found
		})
		return found
	}
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for i, right := range n.Rhs {
				if name, ok := n.Lhs[min(i, len(n.Lhs)-1)].(*ast.Ident); ok && isMessage(right) && !isErrorf(right) {
					variables = append(variables, name.Name)
				}
			}
		case *ast.CallExpr:
			if function, ok := n.Fun.(*ast.SelectorExpr); ok && takesApart.MatchString(function.Sel.Name) && slices.ContainsFunc(n.Args, func(e ast.Expr) bool { return isMessage(e) }) {
				all = append(all, n.Pos())
			}
		}
		return true
	})
	return all
}

// isErrorf reports whether an expression makes something else of a message: what a function returns is not known.
func isErrorf(e ast.Expr) bool {
	call, ok := e.(*ast.CallExpr)
	if !ok {
		return false
	}
	function, ok := call.Fun.(*ast.SelectorExpr)
	return !ok || function.Sel.Name != "Error" && function.Sel.Name != "Message" && !takesApart.MatchString(function.Sel.Name)
}
