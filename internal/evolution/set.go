package evolution

import (
	"cmp"
	"maps"
	"slices"

	"github.com/maze-agent/maregister/internal/nearest"
	"github.com/maze-agent/maregister/internal/registry"
)

// Version is a task in one of two sets that are compared.
type Version struct {
	// Namespace is empty where nothing says which it is.
	Namespace string
	// Name is the task's spec.name.
	Name string
	// Entry is nil for a task that cannot be used, and Refused says why.
	Entry   *registry.Entry
	Refused string
}

// Fate is what became of a task from one set to the other.
type Fate string

// The fates.
const (
	TaskAdded   Fate = "added"
	TaskRemoved Fate = "removed"
	// TaskRenamed is a guess: a task is gone, and another one came with the same parameters, which is told to be the same by something else.
	TaskRenamed Fate = "renamed"
	// TaskEdited is for tasks of which something has changed, as Report says.
	TaskEdited    Fate = "edited"
	TaskUnchanged Fate = "unchanged"
	// TaskIncomparable is for tasks of which one version cannot be used.
	TaskIncomparable Fate = "incomparable"
)

// Edit is what became of one task.
type Edit struct {
	Fate Fate
	// Old and New are its versions. Nil for a set that does not have it.
	Old, New *Version
	// Report has the verdict for the task as a whole, and what has changed.
	Report
	// Why says why the task is TaskIncomparable.
	Why string
}

// Version returns the new version, or the old one of a task that is gone.
func (e *Edit) Version() *Version {
	if e.New != nil {
		return e.New
	}
	return e.Old
}

// Match compares two sets of tasks. The edits are ordered by the tasks' names and namespaces.
func Match(before, after []Version) []Edit {
	m := matching{old: index(before), new: index(after)}
	var edits []Edit
	for _, pair := range m.pairs() {
		edits = append(edits, compareVersions(pair[0], pair[1]))
	}
	for _, pair := range m.renames() {
		// Their settings are not compared: what "is now" and "was" would be said of two tasks if the guess is wrong.
		edits = append(edits, Edit{Fate: TaskRenamed, Old: pair[0], New: pair[1], Report: Report{Verdict: Breaking}})
	}
	for _, gone := range m.old {
		edit := Edit{Fate: TaskRemoved, Old: gone, Report: Report{Verdict: Breaking}}
		if gone.Entry == nil { // nobody had it
			edit.Fate, edit.Verdict, edit.Why = TaskIncomparable, Unknown, "the old version cannot be used: "+gone.Refused
		}
		edits = append(edits, edit)
	}
	for _, came := range m.new {
		edit := Edit{Fate: TaskAdded, New: came}
		if came.Entry == nil {
			edit.Fate, edit.Verdict, edit.Why = TaskIncomparable, Unknown, "it cannot be used: "+came.Refused
		}
		edits = append(edits, edit)
	}
	slices.SortStableFunc(edits, func(a, b Edit) int {
		return cmp.Or(cmp.Compare(a.Version().Name, b.Version().Name), cmp.Compare(a.Version().Namespace, b.Version().Namespace))
	})
	return edits
}

// compareVersions compares two versions of a task.
func compareVersions(was, is *Version) Edit {
	edit := Edit{Fate: TaskUnchanged, Old: was, New: is}
	refuse := func(why string) Edit {
		edit.Fate, edit.Verdict, edit.Why = TaskIncomparable, Unknown, why
		return edit
	}
	switch {
	case is.Entry == nil:
		return refuse("the new version cannot be used: " + is.Refused)
	case was.Entry == nil:
		return refuse("the old version cannot be used: " + was.Refused)
	}
	report, err := Compare(was.Entry, is.Entry)
	if err != nil {
		return refuse(err.Error())
	}
	edit.Report = report
	if len(report.Changes) > 0 {
		edit.Fate = TaskEdited
	}
	return edit
}

// key is what a task is known by.
type key struct{ namespace, name string }

// index returns the tasks by their keys. Of several with one key, the last one counts.
func index(all []Version) map[key]*Version {
	byKey := make(map[key]*Version, len(all))
	for i := range all {
		byKey[key{all[i].Namespace, all[i].Name}] = &all[i]
	}
	return byKey
}

// matching has those tasks of each set that are not yet matched.
type matching struct{ old, new map[key]*Version }

// take returns the versions with two keys, and takes them out.
func (m *matching) take(was, is key) [2]*Version {
	pair := [2]*Version{m.old[was], m.new[is]}
	delete(m.old, was)
	delete(m.new, is)
	return pair
}

// pairs returns the two versions of each task that both sets have. A task of which one set does not say the namespace is compared with each
// of its name in the other set: it may be any of them.
func (m *matching) pairs() [][2]*Version {
	var pairs [][2]*Version
	for _, k := range sorted(m.old) {
		if m.new[k] != nil {
			pairs = append(pairs, m.take(k, k))
		}
	}
	old, now := byName(m.old), byName(m.new)
	for _, name := range slices.Sorted(maps.Keys(old)) {
		anywhere := key{name: name}
		switch {
		case len(now[name]) == 0:
		case m.old[anywhere] != nil:
			was := m.old[anywhere]
			for _, is := range now[name] {
				pairs = append(pairs, [2]*Version{was, m.take(anywhere, is)[1]})
			}
		case m.new[anywhere] != nil:
			is := m.new[anywhere]
			for _, was := range old[name] {
				pairs = append(pairs, [2]*Version{m.take(was, anywhere)[0], is})
			}
		}
	}
	return pairs
}

// renames guesses which tasks have another name in the new set: such as have the same parameters, and the same entry point or object, or
// nearly the same name.
func (m *matching) renames() [][2]*Version {
	came := map[string][]key{} // by the digest of the interface
	for _, k := range sorted(m.new) {
		if entry := m.new[k].Entry; entry != nil && entry.Digest.Interface != "" {
			came[entry.Digest.Interface] = append(came[entry.Digest.Interface], k)
		}
	}
	var pairs [][2]*Version
	for _, was := range sorted(m.old) {
		old := m.old[was].Entry
		if old == nil || old.Digest.Interface == "" {
			continue
		}
		candidates := came[old.Digest.Interface]
		at := slices.IndexFunc(candidates, func(is key) bool { return m.new[is] != nil && alike(m.old[was], m.new[is]) })
		if at >= 0 {
			pairs = append(pairs, m.take(was, candidates[at]))
		}
	}
	return pairs
}

// alike reports whether a task that is gone is probably one that came, whose parameters are the same.
func alike(was, is *Version) bool {
	if was.Name == is.Name || was.Namespace != is.Namespace && was.Namespace != "" && is.Namespace != "" {
		return false
	}
	old, now := was.Entry, is.Entry
	isSame := func(a, b *string) bool { return a != nil && b != nil && *a == *b }
	return isSame(old.EntryPoint, now.EntryPoint) || old.Kubernetes.Name != "" && old.Kubernetes.Name == now.Kubernetes.Name ||
		nearest.Name(was.Name, []string{is.Name}) != ""
}

func sorted(all map[key]*Version) []key {
	return slices.SortedFunc(maps.Keys(all), func(a, b key) int {
		return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.namespace, b.namespace))
	})
}

// byName returns the keys of each name, sorted.
func byName(all map[key]*Version) map[string][]key {
	out := map[string][]key{}
	for _, k := range sorted(all) {
		out[k.name] = append(out[k.name], k)
	}
	return out
}
