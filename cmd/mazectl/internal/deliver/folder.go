package deliver

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/pmezard/go-difflib/difflib"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	"sigs.k8s.io/yaml"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/pysource"
)

const (
	// KustomizationFile names the files of the others.
	KustomizationFile = "kustomization.yaml"
	// MadeBy begins the files that discover writes. It touches no others.
	MadeBy = "# Made by mazectl discover"
	// diffContext is how many lines a diff has around a change.
	diffContext = 3
)

// manifestFolder is a folder with a file for each task, and a kustomization.yaml.
type manifestFolder struct {
	path string
	// namespace and source may be empty.
	namespace, source string
}

// fileChange is what becomes of a file in the folder. Before or after is nil if it is not there.
type fileChange struct {
	name          string
	before, after []byte
}

// keepFile reports whether a task that was not found may still be there, so that its file stays. It is not asked about others.
type keepFile func(name string, spec v1alpha1.MazeTaskSpec) bool

// header is the first line of every file.
func (f *manifestFolder) header() string {
	if f.source == "" {
		return MadeBy
	}
	return MadeBy + " --source-name " + f.source
}

// changes compares the folder with what should be in it. It gives what differs, by name, and how many files there should be.
// Files of tasks that keep says may still be there stay as they are.
func (f *manifestFolder) changes(all []pysource.Manifest, keep keepFile) ([]fileChange, int, error) {
	own, err := f.own()
	if err != nil {
		return nil, 0, err
	}
	kept, err := f.kept(own, keep)
	if err != nil {
		return nil, 0, err
	}
	wanted, err := f.files(all, kept)
	if err != nil {
		return nil, 0, err
	}
	var out []fileChange
	var errs []error
	for name, content := range wanted {
		before, err := f.existing(own, name)
		switch {
		case err != nil:
			errs = append(errs, err)
		case before == nil || !bytes.Equal(before, content):
			out = append(out, fileChange{name, before, content})
		}
	}
	for _, name := range own {
		if _, ok := wanted[name]; !ok {
			before, err := f.read(name)
			errs = append(errs, err)
			out = append(out, fileChange{name, before, nil})
		}
	}
	slices.SortFunc(out, func(a, b fileChange) int { return strings.Compare(a.name, b.name) })
	return out, len(wanted), utilerrors.NewAggregate(errs)
}

// files returns what should be in the folder, with what is kept there if no task found has its name.
func (f *manifestFolder) files(all []pysource.Manifest, out map[string][]byte) (map[string][]byte, error) {
	kustomization := struct {
		APIVersion string   `json:"apiVersion"`
		Kind       string   `json:"kind"`
		Namespace  string   `json:"namespace,omitempty"`
		Resources  []string `json:"resources"`
	}{"kustomize.config.k8s.io/v1beta1", "Kustomization", f.namespace, []string{}}
	for i := range all {
		name := fileName(all[i].Object.Name)
		content, err := encodeManifests(all[i:i+1], EncodingYAML)
		if err != nil {
			return nil, err
		}
		out[name] = f.withHeader(content)
	}
	kustomization.Resources = slices.AppendSeq(kustomization.Resources, maps.Keys(out))
	slices.Sort(kustomization.Resources)
	content, err := yaml.Marshal(kustomization)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", KustomizationFile, err)
	}
	out[KustomizationFile] = f.withHeader(content)
	return out, nil
}

// reservedName matches names of files that mean something else: to kustomize, and with any extension to Windows.
var reservedName = regexp.MustCompile(`^(kustomization|con|prn|aux|nul|com[0-9]|lpt[0-9])$`)

// fileName returns the name of an object's file. No object's name has an underscore.
func fileName(object string) string {
	if reservedName.MatchString(object) {
		object += "_"
	}
	return object + ".yaml"
}

// kept returns those of the files that keep says should stay.
func (f *manifestFolder) kept(own []string, keep keepFile) (map[string][]byte, error) {
	out := map[string][]byte{}
	for _, name := range own {
		content, err := f.read(name)
		if err != nil {
			return nil, err
		}
		var task v1alpha1.MazeTask
		if yaml.Unmarshal(content, &task) == nil && task.Kind == "MazeTask" && keep(name, task.Spec) {
			out[name] = content
		}
	}
	return out, nil
}

func (f *manifestFolder) withHeader(content []byte) []byte {
	return slices.Concat([]byte(f.header()), []byte("\n"), content)
}

// existing returns what a file has now. It is nil if there is none, and an error if discover did not make it.
func (f *manifestFolder) existing(own []string, name string) ([]byte, error) {
	if slices.Contains(own, name) {
		return f.read(name)
	}
	path := filepath.Join(f.path, name)
	switch _, err := os.Lstat(path); {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, err
	}
	return nil, fmt.Errorf("%s was not made by this discovery (its first line is not %q): choose another --output-dir, or remove it", path, f.header())
}

// own returns the names of the files that this discovery made, or one without --source-name. Only a folder is opened, and only
// regular files in it: a named pipe would wait for whoever writes into it.
func (f *manifestFolder) own() ([]string, error) {
	info, err := os.Stat(f.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, err
	case !info.IsDir():
		return nil, fmt.Errorf("--output-dir %s is no folder; choose another one", f.path)
	}
	entries, err := os.ReadDir(f.path)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, entry := range entries {
		if !entry.Type().IsRegular() || filepath.Ext(entry.Name()) != ".yaml" {
			continue
		}
		line, err := firstLine(filepath.Join(f.path, entry.Name()))
		if err != nil {
			return nil, err
		}
		if line == f.header() || line == MadeBy {
			out = append(out, entry.Name())
		}
	}
	return out, nil
}

// firstLine returns the beginning of the first line of a file, without its end.
func firstLine(name string) (string, error) {
	file, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer func() { _ = file.Close() }() // it was only read
	line, err := bufio.NewReader(io.LimitReader(file, 1<<10)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	return strings.TrimRight(line, "\r\n"), nil
}

// maxManifest is the size in bytes of the largest file that is compared. Those that discover makes are far smaller.
const maxManifest = 16 << 20

// read returns the content of a file that discover made.
func (f *manifestFolder) read(name string) ([]byte, error) {
	path := filepath.Join(f.path, name)
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(io.LimitReader(file, maxManifest+1))
	if err = errors.Join(err, file.Close()); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	if len(content) > maxManifest {
		return nil, fmt.Errorf("%s is larger than the %d MiB that are read; remove it", path, maxManifest>>20)
	}
	return content, nil
}

// write makes the changes. Files that go are removed last, and each is replaced as a whole.
func (f *manifestFolder) write(changes []fileChange) error {
	if err := os.MkdirAll(f.path, 0o777); err != nil { //nolint:gosec // the umask says who may read it
		return err
	}
	for _, change := range changes {
		if change.after != nil {
			if err := writeFile(filepath.Join(f.path, change.name), change.after); err != nil {
				return err
			}
		}
	}
	for _, change := range changes {
		if change.after == nil {
			if err := os.Remove(filepath.Join(f.path, change.name)); err != nil {
				return err
			}
		}
	}
	return nil
}

// writeFile replaces a file, or leaves it as it was. A new file gets the permissions that the umask leaves, and one that is
// replaced keeps its own.
func writeFile(name string, content []byte) (err error) {
	// The system applies the umask to a file that is created, and to no temporary one of package os. So the file is made in a
	// temporary folder beside its place.
	folder, err := os.MkdirTemp(filepath.Dir(name), ".mazectl-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	made := filepath.Join(folder, filepath.Base(name))
	if err := os.WriteFile(made, content, 0o666); err != nil { //nolint:gosec // the umask says who may read it
		return err
	}
	if info, err := os.Stat(name); err == nil {
		if err := os.Chmod(made, info.Mode().Perm()); err != nil {
			return err
		}
	}
	return os.Rename(made, name)
}

// diff shows changes as "diff -u" does.
func (f *manifestFolder) diff(changes []fileChange) (string, error) {
	var out strings.Builder
	for _, change := range changes {
		name := filepath.ToSlash(filepath.Join(f.path, change.name))
		d := difflib.UnifiedDiff{
			A: linesOf(change.before), B: linesOf(change.after), FromFile: name, ToFile: name, Context: diffContext,
		}
		if change.before == nil {
			d.FromFile = os.DevNull
		}
		if change.after == nil {
			d.ToFile = os.DevNull
		}
		text, err := difflib.GetUnifiedDiffString(d)
		if err != nil {
			return "", err
		}
		out.WriteString(text)
	}
	return out.String(), nil
}

// linesOf returns the lines of a file, with their ends.
func linesOf(content []byte) []string { return slices.Collect(strings.Lines(string(content))) }
