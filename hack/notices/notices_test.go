package main

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const root = "../.."

// TestNoticesAreUpToDate compares the file with what the programs are linked with on this platform. make lint compares all of it.
func TestNoticesAreUpToDate(t *testing.T) {
	content, err := os.ReadFile(filepath.Join(root, "THIRD_PARTY_NOTICES"))
	if err != nil {
		t.Fatal(err)
	}
	found, err := linked(t.Context(), root, platform{runtime.GOOS, runtime.GOARCH})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"Go's standard library", "k8s.io/client-go", "tree-sitter (in internal/discover/python/treesitter)"} {
		if _, ok := found[name]; !ok {
			t.Errorf("the programs seem not to be linked with %s", name)
		}
	}
	for _, c := range found {
		licenses, err := c.licenses()
		if err != nil {
			t.Error(err)
			continue
		}
		if line := "\n- " + c.String() + ": " + strings.Join(licenses, ", ") + "\n"; !strings.Contains(string(content), line) {
			t.Errorf("THIRD_PARTY_NOTICES has no line %q: run make generate", strings.TrimSpace(line))
		}
		for _, text := range c.texts {
			if !strings.Contains(string(content), text) {
				t.Errorf("THIRD_PARTY_NOTICES lacks a text of %s: run make generate", c)
			}
		}
	}
}

func TestLicenses(t *testing.T) {
	cases := map[string]struct {
		texts   []string
		want    []string
		wantErr string
	}{
		"one":               {texts: []string{"Apache License\n   Version 2.0, January 2004"}, want: []string{"Apache-2.0"}},
		"three clauses":     {texts: []string{bsd2 + "Neither the name … may be used to endorse or promote\nproducts derived from this software"}, want: []string{"BSD-3-Clause"}},
		"two clauses":       {texts: []string{bsd2}, want: []string{"BSD-2-Clause"}},
		"several and other": {texts: []string{"Copyright 2020 Somebody", mit, bsd2}, want: []string{"BSD-2-Clause", "MIT"}},
		"a choice":          {texts: []string{mit + "or the GNU General Public License"}, want: []string{"MIT"}},
		"none":              {wantErr: "example.com/m v1.0.0 has no license that hack/notices/licenses.go knows: read it, and add it there if it may be linked"},
		"only a notice":     {texts: []string{"Copyright 2020 Somebody"}, wantErr: "example.com/m v1.0.0 has no license that hack/notices/licenses.go knows: read it, and add it there if it may be linked"},
		"refused":           {texts: []string{mit, "GNU AFFERO GENERAL\nPUBLIC LICENSE"}, wantErr: "example.com/m v1.0.0 has a license that may not be linked: use something else"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := component{name: "example.com/m", version: "v1.0.0", texts: tc.texts}.licenses()
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("licenses (-want +got):\n%s", diff)
			}
			if message := ""; err != nil || tc.wantErr != "" {
				if err != nil {
					message = err.Error()
				}
				if diff := cmp.Diff(tc.wantErr, message); diff != "" {
					t.Errorf("error (-want +got):\n%s", diff)
				}
			}
		})
	}
}

const (
	mit = "Permission is hereby granted, free of charge, to any person obtaining a\ncopy of this software and associated documentation files"

	bsd2 = "Redistributions in binary form must reproduce the above\n   copyright notice\n"
)

// TestTextsOf: the names that licenses have, and those that they do not.
func TestTextsOf(t *testing.T) {
	folder := t.TempDir()
	for _, name := range []string{"LICENSE", "LICENCE.md", "license-mit", "COPYING.txt", "LICENSE-APACHE-2.0.txt", "UNLICENSE", "NOTICE", "PATENTS", "LICENSE.wasi-libc",
		"license.go", "LICENSES.go", "licenses_test.go", "copyrights", "README.md"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte("\ufeff"+name+" \r\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := textsOf(folder)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for _, name := range []string{"COPYING.txt", "LICENCE.md", "LICENSE", "LICENSE-APACHE-2.0.txt", "LICENSE.wasi-libc", "NOTICE", "PATENTS", "UNLICENSE", "license-mit"} {
		want[name] = name + "\n"
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestNotices: each text once, with all that it is of.
func TestNotices(t *testing.T) {
	got, err := notices([]component{{"b", "v2", []string{mit}}, {"a", "v1", []string{bsd2, mit}}})
	if err != nil {
		t.Fatal(err)
	}
	line := strings.Repeat("=", 80)
	want := header + "- a v1: BSD-2-Clause, MIT\n- b v2: MIT\n\n" + line + "\nOf a v1:\n\n" + bsd2 + "\n" + line + "\nOf a v1,\n   b v2:\n\n" + mit
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
