package diff

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/maze-agent/maregister/cmd/mazectl/internal/catalogue"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/pysource"
	"github.com/maze-agent/maregister/internal/lint"
)

// gitFile is a file of a revision.
type gitFile struct {
	// name is the path from the root of the repository, with slashes.
	name, id, mode string
	size           int64
}

// isRead reports whether the file may have tasks, by its name, or is the one that was asked for.
func (f *gitFile) isRead(inside string) bool {
	return catalogue.IsManifest(f.name) || path.Ext(f.name) == ".py" || f.name == inside
}

func (f *gitFile) lost() error {
	return fmt.Errorf("read %s: git has no such object; fetch the revision again", f.name)
}

const (
	// maxGitFiles and maxGitBytes bound what is read of a revision.
	maxGitFiles = 200_000
	maxGitBytes = 512 << 20
	// lostSize is the size of a file whose object git does not have.
	lostSize = -1
)

// readRevision reads the tasks of a revision: its files are written to a folder, and read there as any others. Nothing of it is run, and no
// file of it is written anywhere else.
func (s *Source) readRevision(ctx context.Context, o *Options, r *side) (_ *side, err error) {
	repository, inside, err := located(ctx, s.Path)
	if err != nil {
		return nil, err
	}
	tree, err := repository.tree(ctx, s.revision)
	if err != nil {
		return nil, err
	}
	files, err := repository.list(ctx, tree, inside)
	if err != nil {
		return nil, fmt.Errorf("revision %s: %w", s.revision, err)
	}
	wanted := needed(files, inside)
	if wanted == nil {
		absent := &absentError{where: fmt.Sprintf("revision %s has no %s", s.revision, s.Path)}
		if inside != path.Clean(filepath.ToSlash(s.Path)) {
			absent.advice = fmt.Sprintf("; a path counts from the working folder, so this is %s in the repository", inside)
		}
		return nil, absent
	}
	wanted, links, err := repository.followed(ctx, tree, inside, wanted)
	if err != nil {
		return nil, fmt.Errorf("revision %s: %w", s.revision, err)
	}
	for _, link := range links {
		r.notes = append(r.notes, "revision "+s.revision+": "+link)
	}
	folder, err := os.MkdirTemp("", "mazectl-diff-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	if err := repository.extract(ctx, wanted, folder); err != nil {
		return nil, fmt.Errorf("revision %s: %w", s.revision, err)
	}
	target := filepath.Join(folder, filepath.FromSlash(inside))
	if _, err := os.Stat(target); err != nil { // it has nothing that is read
		if err := os.MkdirAll(target, 0o700); err != nil {
			return nil, err
		}
	}
	r.name, r.revision = s.revision+":"+s.Path, s.revision
	if _, err := readCollected(ctx, nil, o, target, r, s.shown(folder, target)); err != nil {
		return nil, err
	}
	r.inputs = nil // the folder will be gone
	r.keepSources(s.Path, target)
	return r, nil
}

// shown returns how a user calls a file of a revision, as it would be in the working tree, by where it was written.
func (s *Source) shown(folder, target string) func(string) string {
	return func(name string) string {
		if relative, err := filepath.Rel(target, name); err == nil && filepath.IsLocal(relative) {
			return filepath.ToSlash(filepath.Join(s.Path, relative))
		}
		relative, err := filepath.Rel(folder, name)
		if err != nil {
			return filepath.ToSlash(name)
		}
		return filepath.ToSlash(relative)
	}
}

// keepSources keeps the texts of the Python sources with tasks, which are read again where a finding shows a line of them.
func (s *side) keepSources(given, target string) {
	manifests, kept := s.text, map[string][]byte{}
	for i := range s.tasks {
		name := s.tasks[i].file
		if !strings.HasSuffix(name, ".py") || kept[name] != nil {
			continue
		}
		if relative, err := filepath.Rel(given, filepath.FromSlash(name)); err == nil {
			kept[name] = pysource.Text(filepath.Join(target, relative))
		}
	}
	s.text = func(name string) []byte {
		if strings.HasSuffix(name, ".py") {
			return kept[name]
		}
		return manifests(name)
	}
}

// list returns the files, links and submodules of a tree that may have tasks, and all that are called inside.
func (r *repository) list(ctx context.Context, tree, inside string) ([]gitFile, error) {
	var files []gitFile
	entries := &entryWriter{add: func(entry string) error {
		facts, name, ok := strings.Cut(entry, "\t")
		fields := strings.Fields(facts) // mode, type, id, size
		isRead := ok && len(fields) == 4 && isObjectID(fields[2]) && filepath.IsLocal(filepath.FromSlash(name))
		if !isRead || fields[1] != "blob" && fields[0] != gitModule {
			return nil
		}
		if !within(inside, name) && path.Ext(name) != ".py" {
			return nil
		}
		size, err := strconv.ParseInt(fields[3], 10, 64)
		if err != nil { // git prints BAD
			size = lostSize
		}
		if files = append(files, gitFile{name: name, id: fields[2], mode: fields[0], size: size}); len(files) > maxGitFiles {
			return fmt.Errorf("it has more than %d files; give a smaller folder", maxGitFiles)
		}
		return nil
	}}
	err := r.stream(ctx, nil, entries, "ls-tree", "-r", "-z", "-l", "--full-tree", tree)
	return files, cmp.Or(entries.err, err)
}

// needed returns those files of a tree that have to be there to read a path: what is below it, and the Python modules that those may take
// something from. Nil if the tree does not have the path.
func needed(files []gitFile, inside string) []gitFile {
	byName := map[string]bool{}
	for _, file := range files {
		byName[file.name] = true
	}
	root := inside // of the modules' names
	if byName[inside] {
		root = path.Dir(inside)
	}
	for root != "." && byName[path.Join(root, "__init__.py")] {
		root = path.Dir(root)
	}
	var out []gitFile
	found := false
	for _, file := range files {
		isBelow := within(inside, file.name)
		found = found || isBelow
		mayBeFolder := file.mode == gitModule || file.mode == gitLink
		if isBelow && (file.isRead(inside) || mayBeFolder) || path.Ext(file.name) == ".py" && within(root, file.name) {
			out = append(out, file)
		}
	}
	if !found {
		return nil
	}
	if out == nil {
		return []gitFile{}[:0:0]
	}
	return out
}

// within reports whether a path is a folder's, or the path itself.
func within(folder, name string) bool {
	return folder == "." || folder == "" || name == folder || strings.HasPrefix(name, folder+"/")
}

// extract writes files into a folder, and nowhere else.
func (r *repository) extract(ctx context.Context, files []gitFile, folder string) (err error) {
	total := int64(0)
	var ids bytes.Buffer
	for _, file := range files {
		if file.size == lostSize {
			return file.lost()
		}
		total += min(file.size, lint.MaxFile+1)
		if file.size <= lint.MaxFile {
			fmt.Fprintln(&ids, file.id)
		}
	}
	if total > maxGitBytes {
		return fmt.Errorf("its files that may have tasks have %d MiB, and at most %d MiB are read; give a smaller folder", total>>20, maxGitBytes>>20)
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	blobs, stop := r.blobs(ctx, ids.Bytes())
	defer func() { err = errors.Join(err, stop()) }()
	for _, file := range files {
		var content []byte
		if file.size > lint.MaxFile { // lint says that it is too large
			content = make([]byte, lint.MaxFile+1)
		} else if content, err = blobs(file); err != nil {
			return err
		}
		name := filepath.FromSlash(file.name)
		if err := root.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			return fmt.Errorf("%s: %w", file.name, err)
		}
		if err := root.WriteFile(name, content, 0o600); err != nil {
			return fmt.Errorf("%s: %w", file.name, err)
		}
	}
	return nil
}

// blobs starts to read objects, of which the ids are given a line each. The first function returns the next one.
func (r *repository) blobs(ctx context.Context, ids []byte) (next func(gitFile) ([]byte, error), stop func() error) {
	ctx, cancel := context.WithCancel(ctx)
	reader, writer := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := r.stream(ctx, ids, writer, "cat-file", "--batch")
		_ = writer.CloseWithError(cmp.Or(err, io.EOF))
		ended <- err
	}()
	lines := bufio.NewReader(reader)
	next = func(file gitFile) ([]byte, error) {
		head, err := lines.ReadString('\n')
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", file.name, err)
		}
		fields := strings.Fields(head) // id, type, size
		if len(fields) != 3 || fields[0] != file.id || fields[1] != "blob" || fields[2] != strconv.FormatInt(file.size, 10) {
			return nil, file.lost()
		}
		content := make([]byte, file.size+1) // with the end of the line
		if _, err := io.ReadFull(lines, content); err != nil {
			return nil, fmt.Errorf("read %s: %w", file.name, err)
		}
		return content[:file.size], nil
	}
	return next, func() error {
		cancel()
		_ = reader.Close()
		<-ended // what it says of being stopped is of no use
		return nil
	}
}
