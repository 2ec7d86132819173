package config

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/maze-agent/maregister/internal/text"
)

// finding is one thing that is wrong.
type finding struct {
	file string
	at   text.Position
	// path is of the field. Empty where it is the file.
	path string
	// problem is what is wrong, and what to do.
	problem string
}

// Error implements error.
func (f *finding) Error() string {
	out := fmt.Sprintf("%s:%d:%d: ", f.file, f.at.Line, f.at.Column)
	if f.path != "" {
		out += f.path + " "
	}
	return out + f.problem
}

// file is a configuration file that is being read.
type file struct {
	name string
	// places holds where the value of each field begins that the file has.
	places   map[string]text.Position
	findings []*finding
	// wrong holds the fields that have a finding: the first one of each is enough.
	wrong map[string]bool
}

// report adds a finding about the file as such.
func (f *file) report(at text.Position, format string, args ...any) {
	f.findings = append(f.findings, &finding{file: f.name, at: at, problem: fmt.Sprintf(format, args...)})
}

// reportField adds a finding about a field.
func (f *file) reportField(at text.Position, path *field.Path, format string, args ...any) {
	if name := pathText(path); !f.wrong[name] {
		f.wrong[name] = true
		f.findings = append(f.findings, &finding{file: f.name, at: at, path: name, problem: fmt.Sprintf(format, args...)})
	}
}

// invalid adds a finding about the value of a field that the file has.
func (f *file) invalid(path *field.Path, format string, args ...any) {
	f.reportField(f.places[pathText(path)], path, format, args...)
}

// has reports whether the file has a required field, and adds a finding if it has not.
func (f *file) has(parent *field.Path, name, advice string) bool {
	path := parent.Child(name)
	if _, ok := f.places[path.String()]; ok {
		return true
	}
	f.reportField(f.places[pathText(parent)], path, "is missing: write %s", advice)
	return false
}

// keep drops the findings about other fields than these.
func (f *file) keep(paths ...string) {
	f.findings = slices.DeleteFunc(f.findings, func(found *finding) bool { return !slices.Contains(paths, found.path) })
}

// maxFindings is the number that is shown: whoever corrects so many tries again before the last.
const maxFindings = 100

// err returns the findings in the order of the file. It is nil if there is none.
func (f *file) err() error {
	slices.SortStableFunc(f.findings, func(a, b *finding) int {
		return cmp.Or(cmp.Compare(a.at.Line, b.at.Line), cmp.Compare(a.at.Column, b.at.Column), cmp.Compare(a.path, b.path))
	})
	var all []error
	for i, found := range f.findings {
		if i == maxFindings {
			all = append(all, fmt.Errorf("%s: correct these first; %d more are not shown", f.name, len(f.findings)-i))
			break
		}
		all = append(all, found)
	}
	return errors.Join(all...)
}

// pathText returns a field's path as messages have it, such as gpu.profiles[0].memory. Empty for the root, which is nil.
func pathText(path *field.Path) string {
	if path == nil {
		return ""
	}
	return path.String()
}
