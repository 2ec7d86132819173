package task

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/maze-agent/maregister/api/v1alpha1"
)

const invalidName = "spec.name must start and end with an ASCII letter or digit, hold only letters, digits, '-', '_' and '.', and have at most 253 characters; " +
	"it cannot be changed: create another MazeTask, then delete this one"

func TestJudgeNames(t *testing.T) {
	cases := map[string]struct {
		name string
		want bool
	}{
		"A letter":                {name: "a", want: true},
		"A digit":                 {name: "0", want: true},
		"A Python name":           {name: "image_caption", want: true},
		"Capitals":                {name: "OCR", want: true},
		"All that is allowed":     {name: "a.-_.B9", want: true},
		"Dots within":             {name: "a..b", want: true},
		"The longest":             {name: strings.Repeat("x", 253), want: true},
		"A JavaScript property":   {name: "constructor", want: true},
		"The registry's own name": {name: "maze-registry", want: true},

		"Nothing":                    {name: ""},
		"One character too long":     {name: strings.Repeat("x", 254)},
		"The index's key":            {name: ".index"},
		"A dot":                      {name: "."},
		"The parent folder":          {name: ".."},
		"A mounted volume's link":    {name: "..data"},
		"A dot at the end":           {name: "a."},
		"An underscore at the start": {name: "_private"},
		"A dunder":                   {name: "__init__"},
		"An option":                  {name: "-rf"},
		"A hyphen at the end":        {name: "a-"},
		"A path":                     {name: "a/b"},
		"A way out":                  {name: "a/../../etc/passwd"},
		"A Windows path":             {name: `a\b`},
		"A space":                    {name: "a b"},
		"A space at the end":         {name: "a "},
		"A newline at the end":       {name: "a\n"},
		"A newline within":           {name: "a\nb"},
		"A null byte":                {name: "a\x00b"},
		"A Chinese name":             {name: "图像说明"},
		"A Cyrillic а":               {name: "imаge"},
		"An accent":                  {name: "é"},
		"A full-width letter":        {name: "ａ"},
		"An Arabic digit":            {name: "٣"},
		"A zero-width space":         {name: "a\u200bb"},
		"A right-to-left override":   {name: "a\u202eb"},
		"Half a character":           {name: "a\xc3b"},
		"HTML":                       {name: "<b>a</b>"},
		"A shell command":            {name: "a$(id)"},
		"A format directive":         {name: "a%sb"},
		"Quotes":                     {name: `a"b`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			want := judged{Reason: "InvalidName", Message: invalidName}
			if tc.want {
				want = judged{Accepted: true, Reason: "Valid", Message: "the spec is valid", Input: anyObject, Output: anyObject}
			}
			if diff := cmp.Diff(want, judge(&v1alpha1.MazeTaskSpec{Name: tc.name})); diff != "" {
				t.Errorf("Judge(name %q): -want, +got:\n%s", tc.name, diff)
			}
			if errs := validation.IsConfigMapKey(tc.name); tc.want && len(errs) > 0 {
				t.Errorf("Judge accepts %q, which is no ConfigMap key: %v", tc.name, errs)
			}
		})
	}
}

// FuzzJudgeName: every name that is accepted is a ConfigMap key.
func FuzzJudgeName(f *testing.F) {
	for _, name := range []string{"image_caption", "a", "", ".index", "..", "a\n", "图", strings.Repeat("x", 254)} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if !Judge(&v1alpha1.MazeTaskSpec{Name: name}).Accepted {
			return
		}
		if errs := validation.IsConfigMapKey(name); len(errs) > 0 || strings.HasPrefix(name, ".") {
			t.Errorf("Judge accepts %q, which is no ConfigMap key: %v", name, errs)
		}
	})
}
