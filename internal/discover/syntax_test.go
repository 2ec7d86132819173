package discover_test

import (
	"os/exec"
	"strings"
	"testing"
)

// TestSyntax has what tree-sitter takes and Python may not. Python itself is asked, too, if there is one.
func TestSyntax(t *testing.T) {
	const aTask = "from maze import task\n@task(name='t')\ndef t() -> None: pass\n" // without one, the file would not be read
	cases := map[string]struct {
		source string
		valid  bool
	}{
		"an empty function":              {"def f():\nx = 1\n", false},
		"a function of a comment":        {"def f():\n    # c\nx = 1\n", false},
		"an empty class at the end":      {"class A:\n", false},
		"an empty branch":                {"if 1:\n    pass\nelse:\nx = 1\n", false},
		"a docstring":                    {"def f():\n    'doc'\n", true},
		"a block in a line":              {"def f(): return {'a': 1}; x = 1\n", true},
		"a comment at another place":     {"def f():\n  # c\n    x = 1\n        # d\n    y = 1\n # e\n", true},
		"deeper than the block":          {"x = 1\n    y = 2\n", false},
		"between two blocks":             {"def f():\n    x = 1\n  y = 2\n", false},
		"between two blocks, deep":       {"def f():\n    if 1:\n        x = 1\n      y = 2\n", false},
		"a clause deeper than its if":    {"if 1:\n    pass\n  else:\n    pass\n", false},
		"a clause":                       {"if 1:\n    pass\nelif 2:\n  pass\nelse:\n        pass\n", true},
		"a function behind @":            {"@print\n  def f(): pass\n", false},
		"a decorator deeper":             {"def g(): pass\n  @print\n  def f(): pass\n", false},
		"statements in brackets":         {"x = (\n1,\n        2)\nf(lambda:\n1)\n", true},
		"lines continued":                {"x = \\\n        1\nif 1 and \\\n  2:\n    pass\n", true},
		"lines of text":                  {"x = '''\n  a\nb:\n'''\nprint(x)\n", true},
		"tabs that are eight spaces":     {"if 1:\n\tx = 1\n        y = 1\n", false},
		"tabs":                           {"if 1:\n\tx = 1\n\tif x:\n\t    y = 1\n\t    z = 1\n", true},
		"a form feed":                    {"x = 1\n\f\ny = 1\n \f\fz = 1\n", true},
		"a byte order mark":              {"\ufeffx = 1\n", true},
		"a match":                        {"match 1:\n    case 1: pass\n    case _:\n        pass\n", true},
		"a comprehension over lines":     {"x = [a\n  for a in ()\n      if a]\n", true},
		"a with over lines":              {"with (\n  open('a') as a,\n    open('b')\n):\n    pass\n", true},
		"U+FEFF in a string":             {"x = '\ufeff'  # \ufeff\n", true},
		"U+FEFF in code":                 {"x = 1\ufeff\n", false},
		"backticks":                      {"x = `1`\n", false},
		"backticks in text":              {"'''`a`'''\nx = f'`{1}`'  # `b`\n", true},
		"backticks in f-strings":         {"x = f'{`1`}'\n", false},
		"print as a statement":           {"print 'x'\n", false},
		"print as a name":                {"print\nprint('x')\nprint = print\n", true},
		"exec as a statement":            {"exec 'x'\n", false},
		"a function with type arguments": {"def f(a, /, b: int = 1, *, c, **d) -> 'x': pass\n", true},
	}
	python, _ := exec.LookPath("python3")
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			found := link(t, []source{{"a.py", []byte(c.source + "\n" + aTask)}}).Findings
			if valid := len(found) == 0; valid != c.valid {
				t.Errorf("got %v, want valid: %v", found, c.valid)
			}
			if python == "" {
				return
			}
			cmd := exec.Command(python, "-W", "ignore", "-c", "import ast, sys; ast.parse(sys.stdin.buffer.read())")
			cmd.Stdin = strings.NewReader(c.source)
			if out, err := cmd.CombinedOutput(); (err == nil) != c.valid {
				t.Errorf("Python says %v, want valid: %v\n%s", err, c.valid, out)
			}
		})
	}
}
