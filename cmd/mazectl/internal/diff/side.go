package diff

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	utilerrors "k8s.io/apimachinery/pkg/util/errors"

	"github.com/maze-agent/maregister/cmd/mazectl/internal/catalogue"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/pysource"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/report"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/terminal"
	"github.com/maze-agent/maregister/internal/evolution"
	"github.com/maze-agent/maregister/internal/finding"
	"github.com/maze-agent/maregister/internal/lint"
	"github.com/maze-agent/maregister/internal/registry"
)

// task is one of a version, and where it is written.
type task struct {
	evolution.Version
	// object is what findings call it: MazeTask vision/image-caption.
	object string
	// file is as a user would write it, with no revision before it. The place is unknown where there is none, as in a registry.
	file     string
	position finding.Position
	places   lint.Places
}

// side is one version of the tasks.
type side struct {
	// name is how messages call it.
	name string
	// backwards has it judge its files from the last to the first: so two sides with the same files each judge half of them.
	backwards bool
	// tasks and versions have the same order.
	tasks    []task
	versions []evolution.Version
	// isRegistry says that these are the tasks of one namespace, which was chosen: namespace, if it is known.
	isRegistry bool
	namespace  string
	// first is where a task of each namespace and name is.
	first map[[2]string]string
	// byVersion are the tasks by their versions, once all are known.
	byVersion map[*evolution.Version]*task
	// elsewhere is how many tasks were left out, as they are of other namespaces than the one that the user gave.
	elsewhere int
	// revision begins the names of files that are no longer there: those of a git revision.
	revision string
	// lost are functions that may declare a task, and do not, as something is wrong with them.
	lost []lostTasks
	// unclaimed are what is told of decorators that may be Maze's, and nameless the places of MazeTasks that have no name.
	unclaimed []finding.Finding
	nameless  []string
	ignores   []finding.Ignore
	inputs    []string
	notes     []string
	// content returns the text of a file. It may be asked for any name.
	text func(name string) []byte
}

// version returns what the command line calls the side.
func (s *side) version() string {
	if s.backwards {
		return "OLD"
	}
	return "NEW"
}

func (s *side) add(t task) {
	s.tasks = append(s.tasks, t)
	s.versions = append(s.versions, t.Version)
}

func (s *side) content(name string) []byte {
	if s.text == nil {
		return nil
	}
	return s.text(name)
}

// inNamespaceOf leaves out tasks of other namespaces than that of another side which is a registry. Of two registries the namespaces do not
// matter: who compares two of them wants to know how their tasks differ.
func (s *side) inNamespaceOf(other *side) {
	if !other.isRegistry {
		return
	}
	before := len(s.tasks)
	s.tasks = slices.DeleteFunc(s.tasks, func(t task) bool {
		return !s.isRegistry && t.Namespace != "" && other.namespace != "" && t.Namespace != other.namespace
	})
	s.versions = s.versions[:0]
	for i := range s.tasks {
		s.tasks[i].Namespace = ""
		s.versions = append(s.versions, s.tasks[i].Version)
	}
	s.noteElsewhere(before-len(s.tasks), other.namespace)
}

// noteElsewhere notes how many tasks are left out, as they are of other namespaces than the one that is compared.
func (s *side) noteElsewhere(count int, namespace string) {
	if count > 0 {
		s.notes = append(s.notes, fmt.Sprintf("%s of other namespaces than %s in %s: not compared", terminal.Plural(count, "task"), namespace, s.name))
	}
}

// keep adds the tasks of another side that this one, which has only a part of them, does not have.
func (s *side) keep(other *side) {
	namespaces := map[string][]string{} // by the tasks' names
	for i := range s.versions {
		v := &s.versions[i]
		namespaces[v.Name] = append(namespaces[v.Name], v.Namespace)
	}
	for _, t := range other.tasks {
		isIt := func(namespace string) bool { return namespace == t.Namespace || namespace == "" || t.Namespace == "" }
		if t.Entry != nil && !slices.ContainsFunc(namespaces[t.Name], isIt) {
			s.add(t)
		}
	}
}

// of returns the task that a version of this side is of. Nil for none.
func (s *side) of(v *evolution.Version) *task {
	if s.byVersion == nil {
		s.byVersion = make(map[*evolution.Version]*task, len(s.versions))
		for i := range s.versions {
			s.byVersion[&s.versions[i]] = &s.tasks[i]
		}
	}
	return s.byVersion[v]
}

// objectName returns how findings call the object that an entry was made from, or the task if none is known.
func objectName(entry *registry.Entry) string {
	if entry.Kubernetes.Name == "" {
		return "task " + entry.Name
	}
	return "MazeTask " + qualified(entry.Kubernetes.Namespace, entry.Kubernetes.Name)
}

func qualified(namespace, name string) string {
	if namespace == "" {
		return name
	}
	return namespace + "/" + name
}

// readFiles reads the tasks of a file, or of a folder of manifests and Python sources.
func readFiles(ctx context.Context, stdin io.Reader, o *Options, name string, s *side) (*side, error) {
	isPipe := true
	if name != terminal.StdinArgument {
		info, err := os.Stat(name)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, &absentError{where: "there is no file or folder " + name, advice: fmt.Sprintf(
				"; for a revision of git, write git:%s, for a namespace of the cluster, cluster:%s", name, name)}
		}
		isPipe = err == nil && info.Mode()&fs.ModeNamedPipe != 0
	}
	s.name = name
	s, err := readCollected(ctx, stdin, o, name, s, nil)
	if err != nil || !s.isBlank(name) {
		return s, err
	}
	what := name
	if name == terminal.StdinArgument {
		what = "the standard input"
	}
	if isPipe { // as if all tasks of the other version were new
		return nil, fmt.Errorf("%s is empty: what should have written it has probably failed; for a version without tasks, give %s", what, os.DevNull)
	}
	s.notes = []string{what + " is empty: it counts as a version without tasks"}
	return s, nil
}

// isBlank reports whether the file that was read has nothing in it. It reports false for a folder.
func (s *side) isBlank(name string) bool {
	if name == terminal.StdinArgument {
		name = terminal.StdinName
	}
	content := s.text(filepath.ToSlash(name))
	return content != nil && len(bytes.TrimSpace(content)) == 0
}

// readCollected reads the tasks of a file or a folder. shown returns how a user calls a file that was read elsewhere. Nil for all as they are.
func readCollected(ctx context.Context, stdin io.Reader, o *Options, name string, s *side, shown func(string) string) (*side, error) {
	s.first = map[[2]string]string{}
	files := catalogue.Files{Stdin: stdin}
	files.Collect(ctx, []string{name})
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if len(files.Errs) > 0 { // a task of a file that is not read would be told as removed
		return nil, utilerrors.NewAggregate(report.ErrorsOf(files.Errs))
	}
	if shown != nil {
		for i := range files.Manifests {
			files.Manifests[i].Name = shown(files.Manifests[i].Name)
		}
	}
	s.text, s.inputs = files.Source, files.Names
	declared, err := catalogue.Declared(ctx, pysource.Options{Claims: o.Claims, Shown: shown}, files.Python)
	if err != nil {
		return nil, err
	}
	linter, err := lint.New()
	if err != nil {
		return nil, err
	}
	linter.TasksOnly = true
	judged := make([]*judgedFile, len(files.Manifests))
	for n := range files.Manifests {
		i := n
		if s.backwards {
			i = len(judged) - 1 - n
		}
		judged[i] = o.judged.of(linter, files.Manifests[i])
	}
	strangers := 0
	for i, file := range judged {
		strangers += file.strangers
		if err := s.addJudged(o, files.Manifests[i].Name, file, nil); err != nil {
			return nil, err
		}
	}
	if err := s.addDeclared(o, linter, &declared); err != nil {
		return nil, err
	}
	s.noteElsewhere(s.elsewhere, o.Namespace)
	s.ignores = append(s.ignores, changesOnly(declared.Ignores)...)
	s.notes = append(s.notes, files.Unfollowed...)
	if len(s.tasks) == 0 {
		if shown == nil {
			s.notes = append(s.notes, slices.Concat(files.Notes, files.Elsewhere, declared.Notes)...)
		} else { // they name the folder where it was read
			s.notes = append(s.notes, s.name+" has no task")
		}
		if strangers > 0 {
			return nil, fmt.Errorf("%s has no MazeTask; if it is a registry, or what discover -o task-meta prints, write registry:%s", s.name, name)
		}
	}
	return s, nil
}

// addDeclared adds tasks of Python sources, judged as if each had its manifest.
func (s *side) addDeclared(o *Options, linter *lint.Linter, declared *catalogue.Declarations) error {
	for _, one := range pysource.Manifests(declared.Tasks, "", "") {
		content, err := json.Marshal(one.Object)
		if err != nil {
			return err
		}
		file := o.judged.of(linter, lint.Source{Name: one.Place(), Content: content})
		if err := s.addJudged(o, one.File, file, &task{file: one.File, position: one.Position}); err != nil {
			return err
		}
	}
	for _, f := range declared.Findings {
		if report.IsError(f) {
			s.lost = append(s.lost, lostTasks{Finding: f})
		}
	}
	told, _ := finding.Silence(declared.Findings, declared.Ignores)
	s.unclaimed = slices.DeleteFunc(told, func(f finding.Finding) bool { return f.Rule != finding.UnclaimedDecorator })
	return nil
}

// allNotes returns the notes, with what may be tasks and was not compared: who reads only that nothing breaks would not know.
func (s *side) allNotes() []string {
	all := slices.Clone(s.notes)
	if n := len(s.unclaimed); n > 0 {
		first := s.unclaimed[0]
		all = append(all, fmt.Sprintf("not compared: %s whose decorator may be Maze's, such as %s: %s %s", terminal.Plural(n, "function"),
			report.Where(first.File, first.Position), first.Rule, first.Message))
	}
	if n := len(s.nameless); n > 0 {
		all = append(all, fmt.Sprintf("not compared: %s without a name that can be used, such as %s; of a patch for kustomize, compare what kustomize makes",
			terminal.Plural(n, "MazeTask"), s.nameless[0]))
	}
	return all
}

// lostTasks is what is wrong with a function that may declare a task, or with a file of tasks.
type lostTasks struct {
	finding.Finding
	// any says that it may have any task: it is a manifest that cannot be read.
	any bool
}

// mayHave reports whether it may have the task of an entry.
func (l *lostTasks) mayHave(entry *registry.Entry) bool {
	if l.any {
		return true
	}
	return entry.EntryPoint != nil && l.mayBe(*entry.EntryPoint)
}

// mayBe reports whether it may be the function of an entry point, such as tools.image:image_caption.
func (l *lostTasks) mayBe(entryPoint string) bool {
	if l.Object != "" {
		return l.Object == entryPoint
	}
	module, _, _ := strings.Cut(entryPoint, ":")
	path := strings.ReplaceAll(module, ".", "/")
	file := "/" + l.File
	return strings.HasSuffix(file, "/"+path+".py") || strings.HasSuffix(file, "/"+path+"/__init__.py")
}

// hide adds the tasks of another side that may be in this one, and are not known for an error in a source: they are neither new nor gone.
func (s *side) hide(other *side) {
	if len(s.lost) == 0 {
		return
	}
	known := map[string]bool{}
	for _, one := range s.versions {
		known[one.Name] = true
	}
	for _, one := range other.versions {
		if one.Entry == nil || known[one.Name] {
			continue
		}
		at := slices.IndexFunc(s.lost, func(l lostTasks) bool { return l.mayHave(one.Entry) })
		if at < 0 {
			continue
		}
		why := s.lost[at]
		s.add(task{
			Version: evolution.Version{
				Namespace: one.Namespace, Name: one.Name,
				Refused: fmt.Sprintf("%s: %s %s", report.Where(why.File, why.Position), why.Rule, why.Message),
			},
			object: cmp.Or(why.Object, "task "+one.Name), file: why.File, position: why.Position,
		})
	}
}

// changesOnly returns what of ignores is about rules of changes, or is meant to be: "lint" reports the others.
func changesOnly(ignores []finding.Ignore) []finding.Ignore {
	var out []finding.Ignore
	for _, ignore := range ignores {
		ignore.Rules = slices.DeleteFunc(slices.Clone(ignore.Rules), func(rule string) bool { return !finding.MeansChanges(rule) })
		if ignore.All || len(ignore.Rules) > 0 {
			out = append(out, ignore)
		}
	}
	return out
}
