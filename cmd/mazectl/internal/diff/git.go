package diff

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/maze-agent/maregister/cmd/mazectl/internal/terminal"
)

// maxRevision is how long the name of a revision may be, in bytes.
const maxRevision = 1000

// checkRevision refuses what git would take for something else than a revision. Whatever it is, git gets it as one argument.
func checkRevision(revision string) error {
	switch {
	case revision == "":
		return errors.New("git: does not say which revision: write git:REVISION or git:REVISION:PATH, as in git:HEAD or git:origin/main")
	case strings.HasPrefix(revision, "-"), len(revision) > maxRevision, strings.ContainsAny(revision, "\x00\n\r"):
		return fmt.Errorf("%q is no revision of git", revision)
	}
	return nil
}

// repository is the repository of git that a folder is in.
type repository struct {
	// folder is an absolute path.
	folder string
}

// maxGitOutput bounds what is kept of what git prints, in bytes.
const maxGitOutput = 64 << 10

// run runs git, and returns what it prints, which is a line.
func (r *repository) run(ctx context.Context, args ...string) (string, error) {
	out := &limitedBuffer{left: maxGitOutput}
	err := r.stream(ctx, nil, out, args...)
	return strings.TrimSuffix(out.String(), "\n"), err
}

// stream runs git. No argument that is not ours begins with a hyphen. What is run only reads objects: no hook, filter or pager.
func (r *repository) stream(ctx context.Context, stdin []byte, stdout io.Writer, args ...string) error {
	command := exec.CommandContext(ctx, "git", append([]string{"--no-pager", "-C", r.folder}, args...)...)
	command.Env = append(withoutRepository(os.Environ()), "GIT_TERMINAL_PROMPT=0", "GIT_OPTIONAL_LOCKS=0", "LC_ALL=C")
	problem := &limitedBuffer{left: 1 << 10}
	command.Stdin, command.Stdout, command.Stderr = bytes.NewReader(stdin), stdout, problem
	err := command.Run()
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.Is(err, exec.ErrNotFound):
		return errors.New("git is not installed, or not in the PATH; compare folders instead")
	case err != nil:
		said := strings.TrimPrefix(strings.TrimSpace(problem.String()), "fatal: ")
		return fmt.Errorf("git %s: %s", args[0], terminal.Plain(cmp.Or(said, err.Error())))
	}
	return nil
}

// withoutRepository returns an environment that does not say which repository to take: a hook of git has one that does, and the path does.
func withoutRepository(environment []string) []string {
	return slices.DeleteFunc(environment, func(one string) bool {
		name, _, _ := strings.Cut(one, "=")
		return slices.Contains([]string{"GIT_DIR", "GIT_WORK_TREE", "GIT_PREFIX", "GIT_INDEX_FILE"}, name)
	})
}

// limitedBuffer keeps the beginning of what is written to it.
type limitedBuffer struct {
	bytes.Buffer
	left int
}

// Write implements io.Writer.
func (b *limitedBuffer) Write(p []byte) (int, error) {
	kept := p[:min(len(p), b.left)]
	b.left -= len(kept)
	b.Buffer.Write(kept)
	return len(p), nil
}

// entryWriter takes apart entries that end with a NUL, and hands each over.
type entryWriter struct {
	rest []byte
	add  func(entry string) error
	// err is what keeps it from taking more.
	err error
}

// Write implements io.Writer.
func (w *entryWriter) Write(p []byte) (int, error) {
	w.rest = append(w.rest, p...)
	for w.err == nil {
		at := bytes.IndexByte(w.rest, 0)
		if at < 0 {
			break
		}
		w.err = w.add(string(w.rest[:at]))
		w.rest = w.rest[at+1:]
	}
	if w.err == nil && len(w.rest) > maxGitOutput {
		w.err = errors.New("a name in it is too long")
	}
	return len(p), w.err
}

// located returns the repository that a path is in, and the path from its root, with slashes. The path need not be there any longer.
func located(ctx context.Context, name string) (*repository, string, error) {
	absolute, err := filepath.Abs(name)
	if err != nil {
		return nil, "", err
	}
	folder, rest := absolute, ""
	for {
		if info, err := os.Stat(folder); err == nil && info.IsDir() {
			break
		}
		parent := filepath.Dir(folder)
		if parent == folder {
			return nil, "", fmt.Errorf("%s is in no folder that there is", name)
		}
		folder, rest = parent, path.Join(filepath.Base(folder), rest)
	}
	r := &repository{folder: folder}
	prefix, err := r.run(ctx, "rev-parse", "--show-prefix")
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", name, err)
	}
	return r, path.Join(prefix, rest), nil
}

// tree returns the id of the tree of a revision.
func (r *repository) tree(ctx context.Context, revision string) (string, error) {
	found, err := r.run(ctx, "rev-parse", "--verify", "--quiet", revision+"^{tree}")
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	if err != nil || !isObjectID(found) {
		return "", fmt.Errorf("git knows no revision %q; see \"git log\" and \"git branch -a\". In CI, fetch it first: a shallow clone has the last commit alone",
			revision)
	}
	return found, nil
}

// isObjectID reports whether a text is the name of an object, and so no option and no path.
func isObjectID(text string) bool {
	return len(text) >= 40 && len(text) <= 64 && strings.Trim(text, "0123456789abcdef") == ""
}
