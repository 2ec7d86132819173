package evolution

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/maze-agent/maregister/internal/registry"
	"github.com/maze-agent/maregister/internal/schema"
)

// Verdict is what a change means to those who use the old version.
type Verdict int

// The verdicts, from the best to the worst: that of several changes is the largest.
const (
	// Compatible says that nobody who uses the old version notices.
	Compatible Verdict = iota
	// Unknown says that nothing could be shown, or that it depends on who uses the task.
	Unknown
	// Breaking says that something that worked no longer does, and an instance shows it.
	Breaking
)

// String returns the word that reports use.
func (v Verdict) String() string {
	return [...]string{"compatible", "unknown", "breaking"}[v]
}

// MarshalText writes the word.
func (v Verdict) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// Side is where a parameter stands.
type Side string

// The sides of a task. A change of something else has none.
const (
	Input  Side = "input"
	Output Side = "output"
)

// Kind is what has changed.
type Kind string

// The kinds of changes.
const (
	// Added and Removed are of a parameter that only one of the versions declares.
	Added   Kind = "added"
	Removed Kind = "removed"
	// Renamed is of a parameter that is declared under another name: Was has the old one. It is a guess, by name and values.
	Renamed Kind = "renamed"
	// Widened and Narrowed are of the values that a parameter allows, Replaced where some came and some went.
	Widened  Kind = "widened"
	Narrowed Kind = "narrowed"
	Replaced Kind = "replaced"
	// Changed is of a parameter that is declared otherwise, in a way that no value shows.
	Changed Kind = "changed"
	// Extended is of a member inside a parameter that is declared now, and could be anything before: Was has its path. Nobody should have
	// passed it.
	Extended Kind = "extended"
	// Dropped is of a member inside a parameter that is no longer declared, and may still be passed: Was has its path.
	Dropped Kind = "dropped"
	// Required and Optional are of a parameter that has to be there now, or no longer.
	Required Kind = "required"
	Optional Kind = "optional"
	// Default is of the value that is used where an argument is left out, Format of what a text stands for, such as a file.
	Default Kind = "default"
	Format  Kind = "format"
	// Declared is of a side of which one version declares nothing at all.
	Declared Kind = "declared"
	// Described is of any other keyword that describes values without restricting them: Keyword has its name.
	Described Kind = "described"
	// Combination is of what a side's parameters have to be together, as anyOf or dependentRequired say: Keywords has those that have changed.
	Combination Kind = "combination"
	// Deprecated is of why the task should no longer be used.
	Deprecated Kind = "deprecated"
	// Told is of anything else in the entry: Parameter names the field.
	Told Kind = "told"
)

// Change is one difference of two versions of a task.
type Change struct {
	Side Side `json:"side,omitempty"`
	Kind Kind `json:"kind"`
	// Parameter is its name in the new version, or in the old one if that is gone. Empty for a side as a whole.
	Parameter string `json:"parameter,omitempty"`
	// Was is the old name of a parameter that is renamed, or the path to a member inside: one that is dropped or declared now, or that a
	// default, a format or a description is of.
	Was     string  `json:"was,omitempty"`
	Verdict Verdict `json:"verdict"`
	// Keyword is that of a default, a format or a description. Keywords are those of a combination.
	Keyword  string    `json:"keyword,omitempty"`
	Keywords []Keyword `json:"keywords,omitempty"`
	// Old and New are the values of a default, a format or a field of the entry. Nil for none.
	Old json.RawMessage `json:"old,omitempty"`
	New json.RawMessage `json:"new,omitempty"`
	// Instance shows a Breaking change: arguments that the old version took and the new one refuses, or a result that may now come and that
	// the old version never gave. Nil for other verdicts.
	Instance json.RawMessage `json:"instance,omitempty"`
	// Value is that of the parameter in Instance, where the change is of its values. Reason is why it is refused, or the whole if it is nil.
	Value  json.RawMessage `json:"value,omitempty"`
	Reason string          `json:"reason,omitempty"`
}

// Report is what an edit of a task means.
type Report struct {
	// Verdict is the worst of the changes. Compatible if there are none.
	Verdict Verdict `json:"verdict"`
	// Changes are ordered: inputs, outputs, all else; then by parameter.
	Changes []Change `json:"changes"`
}

// Compare judges what the edit of a task means. It refuses an entry whose schemas internal/schema would not accept.
func Compare(before, after *registry.Entry) (Report, error) {
	var report Report
	if before == after {
		return report, nil
	}
	for _, side := range []struct {
		name     Side
		old, new json.RawMessage
		compare  func(was, is *interfaceSide) []Change
	}{
		{Input, before.Schema.Input, after.Schema.Input, inputs},
		{Output, before.Schema.Output, after.Schema.Output, outputs},
	} {
		if bytes.Equal(side.old, side.new) {
			continue
		}
		was, err := open(side.old)
		if err != nil {
			return Report{}, fmt.Errorf("the %s parameters of the old %s: %w", side.name, before.Name, err)
		}
		is, err := open(side.new)
		if err != nil {
			return Report{}, fmt.Errorf("the %s parameters of the new %s: %w", side.name, after.Name, err)
		}
		report.Changes = append(report.Changes, side.compare(was, is)...)
	}
	report.Changes = append(report.Changes, told(before, after)...)
	for _, change := range report.Changes {
		report.Verdict = max(report.Verdict, change.Verdict)
	}
	slices.SortStableFunc(report.Changes, func(a, b Change) int {
		return cmp.Or(cmp.Compare(rank(a.Side), rank(b.Side)), cmp.Compare(a.Parameter, b.Parameter))
	})
	return report, nil
}

func rank(s Side) int { return slices.Index([]Side{Input, Output, ""}, s) }

// interfaceSide is one side of one version.
type interfaceSide struct {
	*schema.Parameters
	// root is its schema as a tree, and properties are those of its parameters, without references.
	root       map[string]any
	properties map[string]any
	// given is what a caller, or the task, gives: only what is declared, also in objects inside. declared is the same for the arguments or
	// the result alone, whatever is inside.
	given    *schema.Parameters
	declared *schema.Parameters
}

// open reads the schema of one side of an interface: any object where there is none.
func open(raw json.RawMessage) (*interfaceSide, error) {
	if len(raw) == 0 {
		raw = json.RawMessage(`{"type":"object"}`)
	}
	s := &interfaceSide{}
	var err error
	if s.Parameters, err = schema.Open(raw); err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	if err := decoder.Decode(&s.root); err != nil {
		return nil, err
	}
	declared, _ := s.root["properties"].(map[string]any)
	s.properties = make(map[string]any, len(declared))
	for name, property := range declared {
		s.properties[name] = expanded(s.root, property)
	}
	if s.declared, err = reopen(closedWhole(s.root, s.Names())); err != nil {
		return nil, err
	}
	s.given, err = reopen(closedWhole(closedInside(s.root), s.Names()))
	return s, err
}

// reopen reads a schema that was closed. Its defaults are left out: one may have members that the schema does not declare.
func reopen(root map[string]any) (*schema.Parameters, error) {
	text, err := json.Marshal(stripped(root, []string{"default"}))
	if err != nil {
		return nil, err
	}
	return schema.Open(text)
}

// declaresNothing reports whether a version says nothing of a side. One that has no parameters says so: it forbids all.
func (s *interfaceSide) declaresNothing() bool {
	return len(s.Names()) == 0 && len(s.Required()) == 0 && s.Validate([]byte(`{"any name": 0}`)) == nil
}

func (s *interfaceSide) declares(name string) bool { return slices.Contains(s.Names(), name) }

func (s *interfaceSide) requires(name string) bool { return slices.Contains(s.Required(), name) }
