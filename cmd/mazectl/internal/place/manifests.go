package place

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/cli-runtime/pkg/resource"

	"github.com/maze-agent/maregister/cmd/mazectl/internal/terminal"
)

// Manifest is an object as it was written.
type Manifest struct {
	*unstructured.Unstructured
	// source is the file that it is in.
	source string
}

// Reader reads manifests as kubectl does: YAML and JSON of several documents, lists, folders and URLs. The standard input can be
// read once.
type Reader struct {
	Stdin     io.Reader
	stdinRead bool
	// read is the standard input, once it was read.
	read      counter
	Recursive bool
	// Note tells a user what need not worry anyone.
	Note func(format string, args ...any)
}

// Read returns the objects of one kind, and of others. Each file must have one of them. It goes on after an error and returns all of
// them.
func (r *Reader) Read(ctx context.Context, kind schema.GroupVersionKind, names []string, others ...schema.GroupVersionKind) ([]Manifest, []error) {
	var found []Manifest
	var errs []error
	for _, name := range names {
		all, err := terminal.Until(ctx, func() ([]Manifest, error) { return r.readOne(name) })
		if err != nil {
			errs = append(errs, terminal.Errors(err)...)
		}
		skipped := map[string]int{}
		none := true
		for _, m := range all {
			if of := m.GroupVersionKind(); of != kind && !slices.Contains(others, of) {
				skipped[m.GetKind()+" ("+m.GetAPIVersion()+")"]++
				continue
			}
			none = false
			found = append(found, m)
		}
		r.tellSkipped(name, skipped)
		if none && err == nil {
			errs = append(errs, r.nothingIn(name, kind))
		}
	}
	return found, errs
}

// nothingIn says that a file has no object of a kind.
func (r *Reader) nothingIn(name string, kind schema.GroupVersionKind) error {
	if name == terminal.StdinArgument && r.read.n == 0 {
		return errors.New("the standard input is empty")
	}
	return fmt.Errorf("%s has no %s of %s", name, kind.Kind, kind.GroupVersion())
}

// counter counts the bytes that are read, but for white space.
type counter struct {
	io.Reader
	n int
}

func (c *counter) Read(to []byte) (int, error) {
	n, err := c.Reader.Read(to)
	c.n += len(bytes.TrimSpace(to[:n]))
	return n, err
}

func (r *Reader) readOne(name string) ([]Manifest, error) {
	builder := resource.NewLocalBuilder().Unstructured().ContinueOnError().Flatten()
	var unread error
	switch {
	case name == terminal.StdinArgument && r.stdinRead:
		return nil, errors.New("the standard input can be read once: give - only once, and files otherwise")
	case name == terminal.StdinArgument:
		r.stdinRead = true
		r.read.Reader = r.Stdin
		builder.Stream(&r.read, "standard input")
	default:
		files, err := r.filesOf(name)
		if len(files) == 0 {
			return nil, err
		}
		unread = err
		builder.FilenameParam(false, &resource.FilenameOptions{Filenames: files})
	}
	infos, err := builder.Do().Infos()
	err = errors.Join(unread, err)
	var all []Manifest
	for _, info := range infos {
		if object, ok := info.Object.(*unstructured.Unstructured); ok {
			all = append(all, Manifest{Unstructured: object, source: cmp.Or(info.Source, name)}) // objects of a List have none
		}
	}
	return all, err
}

// filesOf returns the files that an argument names, which may be a folder. It goes on after an error: what cannot be read is left out.
func (r *Reader) filesOf(name string) ([]string, error) {
	info, err := os.Stat(name)
	if isFolder := err == nil && info.IsDir(); !isFolder { // also a URL, and what is not there
		return []string{name}, nil
	}
	var files []string
	var errs []error
	root := filepath.Clean(name) + string(filepath.Separator) // of a link, what it leads to
	err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			errs = append(errs, err)
		case entry.IsDir() && path != root && !r.Recursive:
			return fs.SkipDir
		case entry.IsDir() || !slices.Contains(resource.FileExtensions, filepath.Ext(path)):
		default:
			info, err := os.Stat(path)
			if err == nil && !terminal.IsReadable(info) {
				err = &fs.PathError{Op: "read", Path: path, Err: terminal.ErrIrregular}
			}
			if err != nil {
				errs = append(errs, err)
			} else if !info.IsDir() {
				files = append(files, path)
			}
		}
		return nil
	})
	if errs = append(errs, err); len(files) == 0 && errors.Join(errs...) == nil {
		errs = append(errs, fmt.Errorf("%s has no file that ends in %s", name, strings.Join(resource.FileExtensions, ", ")))
	}
	return files, errors.Join(errs...)
}

func (r *Reader) tellSkipped(name string, skipped map[string]int) {
	if len(skipped) == 0 {
		return
	}
	var kinds []string
	for _, kind := range slices.Sorted(maps.Keys(skipped)) {
		kinds = append(kinds, fmt.Sprintf("%d %s", skipped[kind], kind))
	}
	r.Note("skipped what else is in %s: %s", name, strings.Join(kinds, ", "))
}

// Decode makes a typed value of an untyped one. Its errors name the field, other than those of apimachinery's converter.
func Decode(untyped map[string]any, typed any) error {
	content, err := json.Marshal(untyped)
	if err != nil {
		return err
	}
	return json.Unmarshal(content, typed)
}
