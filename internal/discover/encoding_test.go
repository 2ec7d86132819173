package discover_test

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// found is what a file comes to, in short: "name@line description" of tasks, and "rule line:column" of findings.
func found(t *testing.T, text string) []string {
	t.Helper()
	result := link(t, []source{{"a.py", []byte(text)}})
	out := []string{}
	for _, task := range result.Tasks {
		out = append(out, strings.TrimSpace(fmt.Sprintf("%s@%d %s", task.Spec.Name, task.Spec.Source.Line, task.Spec.Description)))
	}
	for _, f := range result.Findings {
		out = append(out, fmt.Sprintf("%s %d:%d", f.Rule, f.Position.Line, f.Position.Column))
	}
	return out
}

// utf16 is text in UTF-16, little endian, with a byte order mark.
func utf16(text string) string {
	out := "\xff\xfe"
	for _, r := range text {
		out += string([]byte{byte(r), byte(r >> 8)})
	}
	return out
}

// TestEncodings has files that editors and copying programs leave behind.
func TestEncodings(t *testing.T) {
	const task = "from maze import task\n@task(name='a')\ndef a():\n    'gr\u00f6\u00dfer'\n"
	latin := strings.NewReplacer("\u00f6", "\xf6", "\u00df", "\xdf").Replace(task)
	gbk := strings.Replace(task, "gr\u00f6\u00dfer", "\xcd\xbc\xcf\xf1", 1)
	cases := map[string]struct {
		text string
		want []string
	}{
		"UTF-8":                             {task, []string{"a@2 größer"}},
		"empty":                             {"", []string{}},
		"a BOM":                             {"\xef\xbb\xbf" + task, []string{"a@2 größer"}},
		"only a BOM":                        {"\xef\xbb\xbf", []string{}},
		"a BOM and a coding line of UTF-8":  {"\xef\xbb\xbf# coding: utf-8\n" + task, []string{"a@3 größer"}},
		"a BOM and another coding line":     {"\xef\xbb\xbf# coding: latin-1\n" + task, []string{"MZ002 0:0"}},
		"a BOM within":                      {task + "\ufeff\n", []string{"MZ003 5:1"}},
		"CRLF":                              {strings.ReplaceAll(task, "\n", "\r\n"), []string{"a@2 größer"}},
		"CR":                                {strings.ReplaceAll(task, "\n", "\r"), []string{"a@2 größer"}},
		"no line end":                       {strings.TrimSuffix(task, "\n"), []string{"a@2 größer"}},
		"mixed line ends":                   {strings.Replace(task, "\n", "\r\n", 2), []string{"a@2 größer"}},
		"NUL":                               {task + "\x00", []string{"MZ002 0:0"}},
		"UTF-16":                            {utf16(task), []string{"MZ002 0:0"}},
		"latin-1 without a coding line":     {latin, []string{"MZ002 0:0"}},
		"latin-1":                           {"# -*- coding: latin-1 -*-\n" + latin, []string{"a@3 größer"}},
		"latin-1 by another name":           {"#!/usr/bin/env python\n# vim: set fileencoding=ISO-8859-1 :\n" + latin, []string{"a@4 größer"}},
		"latin-1 too late":                  {"#\n#\n# coding: latin-1\n" + latin, []string{"MZ002 0:0"}},
		"latin-1 behind code":               {"x = 1\n# coding: latin-1\n" + latin, []string{"MZ002 0:0"}},
		"latin-1 in CRLF":                   {"# coding: latin-1\r\n" + strings.ReplaceAll(latin, "\n", "\r\n"), []string{"a@3 größer"}},
		"latin-1 has every byte":            {"# coding: latin-1\n" + latin + "# \x80\x9f\n", []string{"a@3 größer"}},
		"cp1252":                            {"# coding: cp1252\n" + strings.Replace(latin, "\xf6", "\x80", 1), []string{"a@3 gr€ßer"}},
		"latin-1 is not cp1252":             {"# coding: iso-8859-1\n" + strings.Replace(latin, "\xf6", "\x80", 1), []string{"a@3 gr\u0080ßer"}},
		"GBK":                               {"# coding: gbk\n" + gbk, []string{"a@3 图像"}},
		"GBK without a coding line":         {gbk, []string{"MZ002 0:0"}},
		"Big5":                              {"# coding: big5\n" + strings.Replace(task, "gr\u00f6\u00dfer", "\xb9\xcf", 1), []string{"a@3 圖"}},
		"an unknown coding":                 {"# coding: klingon\n" + task, []string{"MZ002 0:0"}},
		"a coding line that says UTF-8":     {"# coding=utf8\n" + task, []string{"a@3 größer"}},
		"ASCII that is none":                {"# coding: ascii\n" + task, []string{"MZ002 0:0"}},
		"columns are characters":            {"from maze import task\nx = '图像'; y = '\U0001f600'\n@task(name='图像', cpu_num=f(1))\ndef a(): pass\n", []string{"图像@3", "MZ004 3:26"}},
		"columns after tabs":                {"from maze import task\nif 1:\n\t@task(name='a', cpu_num=f(1))\n\tdef a(): pass\n", []string{"a@3", "MZ004 3:26"}},
		"a form feed":                       {"from maze import task\n\f\n@task(name='a')\n\f\ndef a(): pass\n", []string{"a@3"}},
		"a form feed before a decorator":    {"from maze import task\n\f@task(name='a')\ndef a(): pass\n", []string{"a@2"}},
		"other line separators are no ends": {"from maze import task\nx = '\u2028\u0085\v'\n@task(name='a')\ndef a(): pass\n", []string{"a@3"}},
		"a line continued":                  {"from maze import task\n@task(name='a',\\\n  cpu_num=\\\n  f(1))\ndef a(): pass\n", []string{"a@2", "MZ004 4:3"}},
		"a surrogate":                       {"from maze import task\n@task(name='a', description='\\ud800')\ndef a(): pass\n", []string{"a@2", "MZ004 2:29"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, found(t, c.text)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestLargeSources has files that are not written by hand. None may take long, or end the program.
func TestLargeSources(t *testing.T) {
	const declared = "from maze import task\n@task(name='a')\ndef a(): pass\n"
	const many = 100_000
	nested := func(open, shut string) string {
		return "x = " + strings.Repeat(open, many) + strings.Repeat(shut, many) + "\n"
	}
	indented := func(n int) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(strings.Repeat(" ", i) + "if x:\n")
		}
		return b.String() + strings.Repeat(" ", n) + "pass\n"
	}
	decorated := func(value string) string {
		return "from maze import task\n@task(name='a', cpu_num=" + value + ")\ndef a(): pass\n"
	}
	cases := map[string]struct {
		text string
		// known says whether the task must be found; if not, anything goes that is said.
		known bool
	}{
		"1 MB in a line":         {declared + "x = [" + strings.Repeat("1, ", 350_000) + "]\n", false},
		"1 MB of text":           {declared + "x = '" + strings.Repeat("x", 1<<20) + "'\n", true},
		"1 MB of comments":       {declared + strings.Repeat("# @task\n", 1<<17), true},
		"brackets":               {declared + nested("[", "]"), false},
		"open brackets":          {declared + nested("(", ""), false},
		"closing brackets":       {declared + nested("", ")"), false},
		"braces":                 {declared + nested("{", "}"), false},
		"dicts":                  {declared + nested("{1:", "}"), false},
		"calls":                  {declared + nested("f(", ")"), false},
		"subscripts":             {declared + "x = a" + strings.Repeat("[0]", many) + "\n", false},
		"attributes":             {declared + "x = a" + strings.Repeat(".a", many) + "\n", false},
		"minus signs":            {declared + nested("-", ""), false},
		"nots":                   {declared + "x = " + strings.Repeat("not ", many) + "1\n", false},
		"powers":                 {declared + "x = 1" + strings.Repeat("**1", many) + "\n", false},
		"lambdas":                {declared + "x = " + strings.Repeat("lambda: ", many) + "1\n", false},
		"conditions":             {declared + "x = " + strings.Repeat("1 if 1 else ", many) + "1\n", false},
		"blocks":                 {declared + indented(99), true}, // CPython's limit is 100
		"too many blocks":        {declared + indented(1000), false},
		"f-strings in f-strings": {declared + "x = " + strings.Repeat("f'{", 5000) + "1" + strings.Repeat("}'", 5000) + "\n", false},
		"arguments with []":      {decorated(strings.Repeat("[", many) + strings.Repeat("]", many)), false},
		"arguments with +":       {decorated("1" + strings.Repeat("+1", many)), false},
		"arguments with ()":      {decorated(strings.Repeat("(", many) + "1" + strings.Repeat(")", many)), false},
		"strings joined":         {decorated(strings.Repeat("'a' ", many)), false},
		"decorators":             {"from maze import task\n" + strings.Repeat("@f\n", many) + "@task(name='a')\ndef a(): pass\n", false},
		"many tasks":             {declared + strings.Repeat("@task(name='b')\ndef b(): pass\n", 10_000), true},
		"many parameters":        {"from maze import task\n@task(name='a')\ndef a(" + parameters(many) + "): pass\n", false},
		"a union of many":        {"from maze import task\n@task(name='a')\ndef a(x: int" + strings.Repeat(" | str", many) + "): pass\n", false},
		"a deep annotation":      {"from maze import task\n@task(name='a')\ndef a(x: " + strings.Repeat("list[", many) + strings.Repeat("]", many) + "): pass\n", false},
		"doubled constants":      {"from maze import task\n" + doubled(64) + "@task(name='a', description=C64)\ndef a(): pass\n", true},
		"doubled dicts":          {"from maze import task\n" + doubledDicts(64) + "@task(name='a', input_parameters=C64)\ndef a(): pass\n", true},
		"doubled types":          {"from maze import task\nfrom typing import TypedDict\n" + doubledTypes(64) + "@task(name='a')\ndef a(x: T64): pass\n", true},
		"large powers":           {decorated("9**9**9**9"), true},
		"large products":         {"from maze import task\n@task(name='a', description='a' * 10**12)\ndef a(): pass\n", true},
		"large lists":            {"from maze import task\n@task(name='a', input_parameters={'a': [0] * 10**12})\ndef a(): pass\n", true},
		"large shifts":           {decorated("1 << 10**12"), true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			begin := time.Now()
			got := found(t, c.text)
			if took, limit := time.Since(begin), 20*time.Second; took > limit {
				t.Errorf("took %s, want at most %s", took, limit)
			} else {
				t.Logf("%s: %.120q", took, got)
			}
			if len(got) == 0 || c.known && !strings.HasPrefix(got[0], "a@") {
				t.Errorf("got %.120q, want the task, or why it is not found", got)
			}
		})
	}
}

func parameters(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "p%d, ", i)
	}
	return b.String()
}

// doubled are constants of which each is twice the one before.
func doubled(n int) string {
	b := "C0 = 'x'\n"
	for i := range n {
		b += fmt.Sprintf("C%d = C%d + C%[2]d\n", i+1, i)
	}
	return b
}

func doubledDicts(n int) string {
	b := "C0 = {'x': 1}\n"
	for i := range n {
		b += fmt.Sprintf("C%d = {'a': C%d, 'b': C%[2]d}\n", i+1, i)
	}
	return b
}

func doubledTypes(n int) string {
	b := "class T0(TypedDict):\n    x: int\n"
	for i := range n {
		b += fmt.Sprintf("class T%d(TypedDict):\n    a: T%d\n    b: T%[2]d\n", i+1, i)
	}
	return b
}

// TestDigest says what text a digest is of: from the first decorator to the end of the function.
func TestDigest(t *testing.T) {
	const function = "@logged\n@task(name='a')  # one\ndef a():\n    'größer'\n    return {}"
	cases := map[string]string{
		"alone":           function,
		"between others":  "x = 1\n\n" + function + "\n\n\n# not this\ny = 2\n",
		"in CRLF":         strings.ReplaceAll("x = 1\n"+function+"\n", "\n", "\r\n"),
		"in latin-1":      "# coding: latin-1\n" + strings.NewReplacer("ö", "\xf6", "ß", "\xdf").Replace(function),
		"with a BOM":      "\ufeff" + function + "\n",
		"without the end": function + "  ",
	}
	want := fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(function)))
	for name, text := range cases {
		t.Run(name, func(t *testing.T) {
			result := link(t, []source{{"a.py", []byte(text)}})
			if len(result.Tasks) != 1 {
				t.Fatalf("got %d tasks and %v, want one task", len(result.Tasks), result.Findings)
			}
			if got := result.Tasks[0].Spec.Source.Digest; got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}
