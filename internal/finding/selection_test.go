package finding

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFind(t *testing.T) {
	cases := []struct{ text, want string }{
		{"MZ121", "MZ121"}, {"mz121", "MZ121"}, {"121", "MZ121"}, {" MZ121 ", "MZ121"}, {"invalid-schema", "MZ121"}, {"Invalid-Schema", "MZ121"},
		{"7", "MZ007"}, {"MZ7", "MZ007"}, {"11", "MZ011"},
	}
	for _, tc := range cases {
		if rule, err := Find(tc.text); err != nil || rule.Code != tc.want {
			t.Errorf("Find(%q): want %s, got %s, %v", tc.text, tc.want, rule.Code, err)
		}
	}
	for text, want := range map[string]string{
		"MZ12l": `there is no rule "MZ12l"; did you mean "MZ121"?`, "E501": `there is no rule "E501"`, "": `there is no rule ""`, "MZ": `there is no rule "MZ"`,
		"1234": `there is no rule "1234"`,
	} {
		_, err := Find(text)
		if unknown, ok := errors.AsType[*UnknownRuleError](err); !ok || unknown.Error() != want {
			t.Errorf("Find(%q): want %s, got %v", text, want, err)
		}
	}
}

func TestSelection(t *testing.T) {
	cases := map[string]struct {
		selected, ignored []string
		want, wantNot     []string
	}{
		"all":                      {nil, nil, []string{"MZ001", "MZ121", "MZ213"}, nil},
		"a code":                   {[]string{"MZ213"}, nil, []string{"MZ213"}, []string{"MZ212", "MZ001"}},
		"a prefix":                 {[]string{"MZ2"}, nil, []string{"MZ213", "MZ201"}, []string{"MZ121"}},
		"a number and a name":      {[]string{"213", "invalid-schema"}, nil, []string{"MZ213", "MZ121"}, []string{"MZ212"}},
		"ignored":                  {nil, []string{"mz2"}, []string{"MZ121"}, []string{"MZ213"}},
		"ignored but for one":      {[]string{"ALL", "MZ213"}, []string{"MZ2"}, []string{"MZ213", "MZ001"}, []string{"MZ212"}},
		"selected but for one":     {[]string{"MZ2"}, []string{"MZ213"}, []string{"MZ212"}, []string{"MZ213", "MZ001"}},
		"both, and ignored counts": {[]string{"MZ213"}, []string{"MZ213"}, nil, []string{"MZ213", "MZ212"}},
		"nothing":                  {nil, []string{"all"}, nil, []string{"MZ001", "MZ213"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var s Selection
			var err, second error
			s.Select, err = Prefixes(tc.selected)
			s.Ignore, second = Prefixes(tc.ignored)
			if err != nil || second != nil {
				t.Fatal(err, second)
			}
			for _, code := range tc.want {
				if !s.Has(code) {
					t.Errorf("%s is left out", code)
				}
			}
			for _, code := range tc.wantNot {
				if s.Has(code) {
					t.Errorf("%s is reported", code)
				}
			}
		})
	}
	for _, text := range []string{"MZ9", "", "Z1", "MZ2130", "invalid"} {
		if got, err := Prefixes([]string{"MZ1", text}); err == nil {
			t.Errorf("Prefixes(%q): want an error, got %v", text, got)
		}
	}
	found := []Finding{{Rule: "MZ213"}, {Rule: "MZ121"}}
	if diff := cmp.Diff(found[1:], Selection{Ignore: []string{"MZ2"}}.Of(found)); diff != "" || len(found) != 2 {
		t.Errorf("Of(...) (-want +got):\n%s", diff)
	}
}
