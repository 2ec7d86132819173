package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// component is a module, the standard library, or what a package of ours is made of.
type component struct {
	name, version string
	// texts are its licenses and notices, sorted.
	texts []string
}

// String returns the name with the version, if there is one.
func (c component) String() string { return strings.TrimSpace(c.name + " " + c.version) }

// licenseFile matches the names of files that tell of rights. Source files, such as license.go, are none.
var licenseFile = regexp.MustCompile(`(?i)^((un)?licen[cs]e|copying|notice|patents|copyright)([-._][-._a-z0-9]+)?$`)

// textsOf returns the texts of rights in a folder, by the names of their files.
func textsOf(folder string) (map[string]string, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	texts := map[string]string{}
	for _, entry := range entries {
		if entry.IsDir() || !licenseFile.MatchString(entry.Name()) || strings.HasSuffix(entry.Name(), ".go") {
			continue
		}
		content, err := os.ReadFile(filepath.Join(folder, entry.Name())) //nolint:gosec // of a module that is linked
		if err != nil {
			return nil, err
		}
		texts[entry.Name()] = normalise(string(content))
	}
	return texts, nil
}

// normalise removes what does not show: two texts that differ in nothing else are the same license.
func normalise(text string) string {
	var out strings.Builder
	for line := range strings.Lines(strings.TrimSpace(strings.TrimPrefix(text, "\ufeff"))) {
		out.WriteString(strings.TrimRight(line, " \t\r\n\f") + "\n")
	}
	return out.String()
}

// known are the licenses that may be linked, by words that only they have. A text may hold several.
var known = []struct{ id, words string }{
	{"Apache-2.0", "apache license version 2.0"},
	{"MIT", "permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files"},
	{"ISC", "permission to use, copy, modify, and/or distribute this software for any purpose with or without fee is hereby granted"},
	{"ISC", "permission to use, copy, modify, and distribute this software for any purpose with or without fee is hereby granted"},
	{"BSD-3-Clause", "may be used to endorse or promote products derived from this software"},
	{"BSD-2-Clause", "redistributions in binary form must reproduce the above copyright notice"},
	{"Unlicense", "this is free and unencumbered software released into the public domain"},
	{"Unicode-DFS-2016", "a copy of the unicode data files and any associated documentation"},
}

// refused are words of licenses that ask for the sources of a whole program.
var refused = regexp.MustCompile(`gnu (affero |lesser )?general public license|server side public license`)

var space = regexp.MustCompile(`[\s,]+`)

// licensesIn returns the identifiers (https://spdx.org/licenses) of the licenses in a text. A notice has none.
func licensesIn(text string) []string {
	words := space.ReplaceAllString(strings.ToLower(text), " ")
	var ids []string
	for _, one := range known {
		if !strings.Contains(words, space.ReplaceAllString(one.words, " ")) {
			continue
		}
		if one.id == "BSD-2-Clause" && slices.Contains(ids, "BSD-3-Clause") { // whose clauses are two of three
			continue
		}
		ids = append(ids, one.id)
	}
	return ids
}

// licenses returns the identifiers of a component's licenses. There is an error if it has none that is known, or one that is refused.
func (c component) licenses() ([]string, error) {
	var ids []string
	for _, text := range c.texts {
		found := licensesIn(text)
		if len(found) == 0 && refused.MatchString(space.ReplaceAllString(strings.ToLower(text), " ")) {
			return nil, fmt.Errorf("%s has a license that may not be linked: use something else", c)
		}
		ids = append(ids, found...)
	}
	if len(ids) == 0 {
		return nil, fmt.Errorf("%s has no license that hack/notices/licenses.go knows: read it, and add it there if it may be linked", c)
	}
	return union(ids), nil
}

// union returns the texts of several lists, each once, sorted.
func union(lists ...[]string) []string {
	all := slices.Concat(lists...)
	slices.Sort(all)
	return slices.Compact(all)
}
