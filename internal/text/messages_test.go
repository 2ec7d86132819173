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
var takesApart = regexp.MustCompile(`^(Split|Cut|Trim(Left|Right|Prefix|Suffix|Func)?$|Contains|HasPrefix|HasSuffix|Index|LastIndex|Replace|Fields|EqualFold|Find|Match|Sscan)`)

// mayTakeApart has the functions that may look into messages, with the reason.
var mayTakeApart = map[string]string{
	"internal/jsontree/yaml_error.go locate":  "the errors of the YAML library are nothing but text",
	"internal/jsontree/slip_yaml.go Explain":  "line breaks become spaces; nothing is looked for",
	"client/registry.go bounded":              "what is too long is cut; nothing is looked for",
	"api/v1alpha1/deprecation.go Why":         "an author's words are put into a line, for people",
	"internal/lint/admission.go withField":    "some packages of the API server tell the field in the text of an error only",
	"internal/lint/problems.go messageOf":     "the API server's words are shortened; nothing is decided by them but the words",
	"internal/lint/problems.go isFraction":    "the API server tells the type that it found in the text of an error only",
	"internal/schema/pattern.go whyNotRE2":    "the library's prefix says what the message says already",
	"examples/scheduler/outcome.go failureOf": "Python says in the text of an exception only that memory was not enough; Maze decides by it, too",
	"cmd/mazectl/main.go run":                 "the prefix of cli-runtime's errors would be there twice",
}

// TestNoMessageIsTakenApart: what a program needs to know is a value. A message is made of it at the edge, once.
func TestNoMessageIsTakenApart(t *testing.T) {
	found := map[string][]string{}
	for _, folder := range []string{"api", "internal", "cmd", "controllers", "client", "hack", "examples"} {
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

// TestTakenApart: what TestNoMessageIsTakenApart looks for is found, wherever it is written.
func TestTakenApart(t *testing.T) {
	for body, want := range map[string]int{
		`if strings.Contains(err.Error(), "too many links") {}`:                   1,
		`_, advice, _ := strings.Cut(f.Message, ": ")`:                            1,
		`m := v.Message(); if strings.HasPrefix(m, "no ") {}`:                     1,
		`m := v.Summary; n := strings.TrimPrefix(m, "a"); if n[:2] == "no" {}`:    3,
		`counts.ReplaceAllString(v.Message(), "N")`:                               1,
		`if counts.MatchString(clause.Why) {}`:                                    1,
		`fmt.Sscanf(f.Message, "%d", &n)`:                                         1,
		`if err.Error() == "EOF" {}`:                                              1,
		`switch verdict.Summary { case "no nodes are known": }`:                   1,
		`f := func() { strings.Fields(slip.What) }`:                               1,
		`if err.Error() == "" || f.Message == other.Message {}`:                   0,
		`fmt.Println(strings.ToUpper(f.Message), strings.Split(f.File, "/"))`:     0,
		`all = append(all, strings.TrimSpace(err.Error()))`:                       0,
		`name := fmt.Errorf("a: %w", err).Error(); find(name, strings.Cut(a, b))`: 0,
	} {
		file, err := parser.ParseFile(token.NewFileSet(), "", "package p; func f() { "+body+" }", 0)
		if err != nil {
			t.Fatal(err)
		}
		if got := len(takenApart(file.Decls[0].(*ast.FuncDecl).Body)); got != want {
			t.Errorf("%s: want %d places, got %d", body, want, got)
		}
	}
}

// messages are the methods and fields that hold a message or a part of one.
var messages = []string{"Error", "Message", "Detail", "Summary", "Why", "What", "Advice", "Told"}

// takenApart returns where a function looks into messages, and into variables that it has set to them: by a function of takesApart, by
// cutting, or by comparing with what a message says.
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
				found = found || slices.Contains(messages, n.Sel.Name)
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
		case *ast.SliceExpr:
			if isMessage(n.X) {
				all = append(all, n.Pos())
			}
		case *ast.BinaryExpr:
			if (n.Op == token.EQL || n.Op == token.NEQ) && (isWords(n.X) && isMessage(n.Y) || isWords(n.Y) && isMessage(n.X)) {
				all = append(all, n.Pos())
			}
		case *ast.SwitchStmt:
			words := func(s ast.Stmt) bool { return slices.ContainsFunc(s.(*ast.CaseClause).List, isWords) }
			if n.Tag != nil && isMessage(n.Tag) && slices.ContainsFunc(n.Body.List, words) {
				all = append(all, n.Pos())
			}
		}
		return true
	})
	return all
}

// isWords reports whether an expression is a text that is written there, and not empty.
func isWords(e ast.Expr) bool {
	literal, ok := e.(*ast.BasicLit)
	return ok && literal.Kind == token.STRING && len(literal.Value) > len(`""`)
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
