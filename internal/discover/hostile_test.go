package discover

import (
	"strings"
	"testing"

	"github.com/maze-agent/maregister/internal/finding"
)

// TestHostileSources: whatever a file holds, it costs a finding at most, and not the tasks of the next one.
func TestHostileSources(t *testing.T) {
	const good = "from maze import task\n\n@task\ndef good(a: int):\n    return {\"b\": a}\n"
	decorated := func(argument string) string {
		return "from maze import task\n@task(name=" + argument + ")\ndef f(): pass\n"
	}
	cases := map[string]struct {
		source string
		// wantRule is of the first finding. Empty for none.
		wantRule   string
		wantBroken bool
	}{
		"empty":                    {source: ""},
		"only a comment":           {source: "# @task"},
		"a mebibyte on one line":   {source: good + "x = [" + strings.Repeat("1, ", 350_000) + "]\n", wantRule: finding.Unreadable, wantBroken: true},
		"a mebibyte of text":       {source: good + "x = '" + strings.Repeat("ä", 500_000) + "'; y = 1\n"},
		"a mebibyte of name":       {source: decorated("'" + strings.Repeat("x", 1<<20) + "'"), wantRule: finding.NotStaticallyKnown},
		"100,000 brackets":         {source: decorated(strings.Repeat("[", 100_000)), wantRule: finding.SyntaxError, wantBroken: true},
		"100,000 pairs":            {source: decorated(strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000)), wantRule: finding.NotStaticallyKnown},
		"100,000 calls":            {source: decorated(strings.Repeat("f(", 100_000) + strings.Repeat(")", 100_000)), wantRule: finding.Unreadable, wantBroken: true},
		"100,000 minus":            {source: decorated(strings.Repeat("-", 100_000) + "1"), wantRule: finding.NotStaticallyKnown},
		"100,000 sums":             {source: decorated("1" + strings.Repeat("+1", 100_000)), wantRule: finding.NotStaticallyKnown},
		"100,000 attributes":       {source: decorated("a" + strings.Repeat(".b", 100_000)), wantRule: finding.NotStaticallyKnown},
		"100,000 decorators":       {source: strings.Repeat("@task\n", 100_000) + "def f(): pass\n", wantRule: finding.Unreadable, wantBroken: true},
		"10,000 functions":         {source: strings.Repeat("@maze.task\ndef f(): pass\n", 10_000)},
		"1,000 blocks":             {source: nestedBlocks(1000), wantRule: finding.SyntaxError, wantBroken: true}, // CPython stops at 100
		"100,000 bad lines":        {source: strings.Repeat("@ ) task ( \n", 100_000), wantRule: finding.SyntaxError, wantBroken: true},
		"100,000 colons":           {source: "task" + strings.Repeat(":", 100_000), wantRule: finding.SyntaxError, wantBroken: true},
		"quotes that never end":    {source: decorated(strings.Repeat(`"""`, 33_333)), wantRule: finding.SyntaxError, wantBroken: true},
		"f-strings within each":    {source: decorated(strings.Repeat(`f"{`, 10_000)), wantRule: finding.SyntaxError, wantBroken: true},
		"a NUL":                    {source: good + "\x00", wantRule: finding.WrongEncoding, wantBroken: true},
		"UTF-16":                   {source: "\xff\xfe@\x00t\x00", wantRule: finding.WrongEncoding, wantBroken: true},
		"latin-1 without a coding": {source: "# caf\xe9\n" + good, wantRule: finding.WrongEncoding, wantBroken: true},
		"latin-1 with a coding":    {source: "# coding: latin-1\n# caf\xe9\n" + good},
		"a coding that is unknown": {source: "# coding: klingon\n" + good, wantRule: finding.WrongEncoding, wantBroken: true},
		"a byte order mark":        {source: "\ufeff" + good},
		"Python 2":                 {source: good + "print \"x\"\n", wantRule: finding.SyntaxError, wantBroken: true},
		"Python 2, except":         {source: "try:\n    pass\nexcept E, e:\n    raise E, 'x'\n# @task\nprint e\n", wantRule: finding.SyntaxError, wantBroken: true},
		"too large":                {source: strings.Repeat("#", MaxSource+1), wantRule: finding.Unreadable, wantBroken: true},
		"a power":                  {source: decorated("9**9**9**9"), wantRule: finding.NotStaticallyKnown},
		"a shift":                  {source: decorated("1 << 10**9"), wantRule: finding.NotStaticallyKnown},
		"a long text":              {source: decorated("'x' * 10**9"), wantRule: finding.NotStaticallyKnown},
		"a long list":              {source: decorated("[0] * 10**9"), wantRule: finding.NotStaticallyKnown},
		"a name of itself":         {source: "x = x\n" + decorated("x"), wantRule: finding.NotStaticallyKnown},
		"names of each other":      {source: "x = y\ny = x\n" + decorated("x"), wantRule: finding.NotStaticallyKnown},
		"a dict that doubles":      {source: doubling() + decorated("'x', input_parameters=d40"), wantRule: finding.NotStaticallyKnown},
		"a type of itself":         {source: "class A(TypedDict):\n    a: 'A'\n@maze.task\ndef f(a: A): return {'b': 1}\nimport maze\nfrom typing import TypedDict\n", wantRule: finding.UnknownType},
		"a type that is quoted":    {source: "import maze\n@maze.task\ndef f(a: '" + strings.Repeat("[", 900) + "'): return {'b': 1}\n", wantRule: finding.UnknownType},
		"a decorator, bound again and again": {source: "from maze import task\n" + strings.Repeat("d = task()\n", 4_000) + strings.Repeat("@d\ndef f(): pass\n", 2_000) +
			strings.Repeat("d = task()\n", 4_000)},
		"a decorator of a large dict": {source: "from maze import task\nD = {" + strings.Repeat("'k': 1,", 9_000) + "}\n" + strings.Repeat("@D['k']\ndef f(): task()\n", 5_000)},
		"a wrapper of many values": {source: "from maze import task\ndef d(f):\n" + strings.Repeat("  x = y()\n", 4_000) + "  return task(f)\n" +
			strings.Repeat("@d\ndef f(): pass\n", 2_000)},
		"wrappers of each other": {source: "from maze import task\n" + strings.Repeat("def d(f):\n  return e(f) or e(f)\ndef e(f):\n  return d(f) or d(f)\n", 200) +
			strings.Repeat("@d\ndef f(): task()\n", 2_000)},
		"an import of itself": {source: "from hostile import task\n@task(name='x')\ndef f(): pass\n"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			parser := NewParser(nil)
			m := parser.Parse("hostile.py", "hostile", []byte(tc.source))
			other := parser.Parse("other.py", "other", []byte(strings.ReplaceAll(good, "good", "zz")))
			load := func(name string) *Module { return map[string]*Module{"hostile": m, "other": other}[name] }
			result := Link([]*Module{m, other}, Options{Load: load})
			rule := ""
			if len(result.Findings) > 0 {
				rule = result.Findings[0].Rule
			}
			if rule != tc.wantRule || m.Broken() != tc.wantBroken {
				t.Errorf("rule %q, broken %t; want %q, %t: %+v", rule, m.Broken(), tc.wantRule, tc.wantBroken, result.Findings[:min(1, len(result.Findings))])
			}
			if last := result.Tasks[len(result.Tasks)-1]; !strings.HasSuffix(last.Function, ":zz") {
				t.Errorf("the task of the next file is lost: %v", last.Function)
			}
		})
	}
}

func nestedBlocks(n int) string {
	var out strings.Builder
	for i := range n {
		out.WriteString(strings.Repeat(" ", i) + "if x:\n")
	}
	return out.String() + strings.Repeat(" ", n) + "x\n"
}

// doubling makes dicts that hold the one before twice.
func doubling() string {
	var out strings.Builder
	out.WriteString("d0 = {}\n")
	for i := range 40 {
		previous, next := "d"+string(rune('0'+i/10))+string(rune('0'+i%10)), "d"+string(rune('0'+(i+1)/10))+string(rune('0'+(i+1)%10))
		if i == 0 {
			previous = "d0"
		}
		out.WriteString(next + " = {'a': " + previous + ", 'b': " + previous + "}\n")
	}
	return out.String()
}
