package diff

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"path"
	"slices"
	"sync"

	"github.com/maze-agent/maregister/cmd/mazectl/internal/report"
	"github.com/maze-agent/maregister/internal/evolution"
	"github.com/maze-agent/maregister/internal/finding"
	"github.com/maze-agent/maregister/internal/lint"
)

// judgedFiles has what files of manifests come to, by their contents: most files are the same in both versions, and are judged once.
type judgedFiles struct {
	mutex     sync.Mutex
	byContent map[contentKey]*judgedFile
}

// contentKey tells files apart that may be judged otherwise: by what is in them, and by how their names end.
type contentKey struct {
	sum       [sha256.Size]byte
	extension string
}

// judgedFile is what a file of manifests comes to, whatever its name is.
type judgedFile struct {
	once sync.Once
	// tasks are those that can be used, without a file. refused are the others.
	tasks   []task
	refused []refusedTask
	// nameless are the places of those that cannot be used and have no name.
	nameless []finding.Position
	// unread are what is wrong with documents that cannot be read.
	unread  []finding.Finding
	ignores []finding.Ignore
	// strangers is how many objects are none of Kubernetes, or may be a registry.
	strangers int
	err       error
}

// refusedTask is a task that cannot be used, and the first reason for that.
type refusedTask struct {
	name     string
	position finding.Position
	why      finding.Finding
}

// of judges a file, or returns what the same content came to.
func (j *judgedFiles) of(linter *lint.Linter, source lint.Source) *judgedFile {
	key := contentKey{sha256.Sum256(source.Content), path.Ext(source.Name)}
	j.mutex.Lock()
	file := j.byContent[key]
	if file == nil {
		file = &judgedFile{}
		j.byContent[key] = file
	}
	j.mutex.Unlock()
	file.once.Do(func() { file.judge(linter, source) })
	return file
}

func (f *judgedFile) judge(linter *lint.Linter, source lint.Source) {
	result := linter.Lint([]lint.Source{source})
	for i := range result.Tasks {
		one := &result.Tasks[i]
		entry, err := EntryOf(one.MazeTask, &one.Verdict)
		if err != nil {
			f.err = cmp.Or(f.err, err)
			continue
		}
		f.tasks = append(f.tasks, task{
			Version:  evolution.Version{Namespace: one.Namespace, Name: one.Spec.Name, Entry: entry},
			object:   "MazeTask " + qualified(one.Namespace, one.Name),
			position: one.Position, places: one.Places,
		})
	}
	for _, refused := range result.Refused {
		at := slices.IndexFunc(refused.Findings, report.IsError)
		switch {
		case at < 0:
		case refused.Name == "":
			f.nameless = append(f.nameless, refused.Position)
		default:
			f.refused = append(f.refused, refusedTask{refused.Name, refused.Position, refused.Findings[at]})
		}
	}
	for _, found := range result.Findings {
		if found.Rule == finding.MalformedManifest || found.Rule == finding.ManifestTooLarge {
			f.unread = append(f.unread, found)
		}
	}
	f.ignores = changesOnly(result.Ignores)
	f.strangers = result.Skipped["ConfigMap (v1)"] + result.Skipped["no Kubernetes object"]
}

// addJudged adds the tasks of a judged file. name is the file's, and declared where the task of a Python source is declared, of which the
// manifest was made. Nil for a manifest.
func (s *side) addJudged(o *Options, name string, f *judgedFile, declared *task) error {
	if f.err != nil {
		return fmt.Errorf("%s: %w", name, f.err)
	}
	placed := func(t task) task {
		t.file = name
		if declared != nil {
			t.file, t.position, t.places = declared.file, declared.position, nil
		}
		return t
	}
	for _, one := range f.tasks {
		if o.Namespace != "" && one.Namespace != "" && one.Namespace != o.Namespace {
			s.elsewhere++
			continue
		}
		one = placed(one)
		one.Namespace = cmp.Or(one.Namespace, o.Namespace)
		key := [2]string{one.Namespace, one.Name}
		here := report.Where(one.file, one.position)
		if other := s.first[key]; other != "" {
			s.notes = append(s.notes, fmt.Sprintf("two tasks of %s are called %s: in %s and in %s, which is the one that counts here; "+
				"give a path that has one of them, as of manifests that were made of the other, or rename one", s.version(), one.Name, other, here))
		}
		s.first[key] = here
		s.add(one)
	}
	for _, refused := range f.refused {
		t := placed(task{position: refused.position, object: "task " + refused.name})
		at := report.Where(t.file, refused.why.Position)
		if declared != nil {
			at = report.Where(t.file, t.position)
		}
		t.Version = evolution.Version{Name: refused.name, Refused: fmt.Sprintf("%s: %s %s", at, refused.why.Rule, refused.why.Message)}
		s.add(t)
	}
	for _, at := range f.nameless {
		s.nameless = append(s.nameless, report.Where(name, at))
	}
	for _, why := range f.unread {
		why.File = name
		s.lost = append(s.lost, lostTasks{Finding: why, any: true})
		s.notes = append(s.notes, fmt.Sprintf("%s: %s %s; so it is not known which tasks are there", report.Where(name, why.Position), why.Rule, why.Message))
	}
	for _, ignore := range f.ignores {
		ignore.File = name
		s.ignores = append(s.ignores, ignore)
	}
	return nil
}
