package config

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/maze-agent/maregister/internal/text"
)

// file is a configuration file that is being read.
type file struct {
	name string
	// places holds where the value of each field begins that the file has, by its path, such as gpu.profiles[0].memory.
	places   map[string]text.Position
	findings []finding
	// wrong holds the fields that have a finding: the first one of each is enough.
	wrong map[string]bool
}

// finding is one thing that is wrong.
type finding struct {
	at text.Position
	// path is of the field. Empty where it is the file.
	path string
	// problem is what is wrong, and what to do.
	problem string
}

// report adds a finding. Of a field, which has a path, it adds the first one only.
func (f *file) report(at text.Position, path, format string, args ...any) {
	if path == "" || !f.wrong[path] {
		f.wrong[path] = true
		f.findings = append(f.findings, finding{at, path, fmt.Sprintf(format, args...)})
	}
}

// invalid adds a finding about the value of a field that the file has.
func (f *file) invalid(path, format string, args ...any) {
	f.report(f.places[path], path, format, args...)
}

// maxFindings is the number that is shown: whoever corrects so many tries again before the last.
const maxFindings = 100

// err returns the findings in the order of the file. It is nil if there is none.
func (f *file) err() error {
	slices.SortStableFunc(f.findings, func(a, b finding) int {
		return cmp.Or(cmp.Compare(a.at.Line, b.at.Line), cmp.Compare(a.at.Column, b.at.Column), cmp.Compare(a.path, b.path))
	})
	var all []error
	for i, found := range f.findings {
		if i == maxFindings {
			all = append(all, fmt.Errorf("%s: correct these first; %d more are not shown", f.name, len(f.findings)-i))
			break
		}
		if found.path != "" {
			found.path += " "
		}
		all = append(all, fmt.Errorf("%s:%d:%d: %s%s", f.name, found.at.Line, found.at.Column, found.path, found.problem))
	}
	return errors.Join(all...)
}

// child returns the path of a field. The file itself has the path "".
func child(parent, name string) string {
	if parent == "" {
		return name
	}
	return parent + "." + name
}

// item returns the path of an item of a list.
func item(list string, i int) string { return list + "[" + strconv.Itoa(i) + "]" }

// label returns the path of a name in a mapping whose names are free.
func label(mapping, name string) string { return mapping + "[" + printable(name) + "]" }
