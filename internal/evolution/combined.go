package evolution

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/maze-agent/maregister/internal/schema"
)

// Keyword is a keyword of the schema of all parameters together that has changed. Old or New is nil where a version does not have it.
type Keyword struct {
	Name string          `json:"name"`
	Old  json.RawMessage `json:"old,omitempty"`
	New  json.RawMessage `json:"new,omitempty"`
}

// ofParameters are the keywords that declare the parameters one by one.
var ofParameters = []string{"properties", "required", "$defs", "definitions"}

// keywords returns the keywords of the whole that have changed, but for some.
func (f flow) keywords(without []string) []Keyword {
	var changed []Keyword
	all := maps.Clone(f.old.root)
	maps.Copy(all, f.new.root)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		was, is := keywordText(f.old.root, name), keywordText(f.new.root, name)
		if string(was) != string(is) && !slices.Contains(without, name) {
			changed = append(changed, Keyword{Name: name, Old: was, New: is})
		}
	}
	return changed
}

// forbidsAlike reports whether a keyword forbids in words what is not declared, or no longer does: no one passes that in any case. It is
// told if nothing else is.
func forbidsAlike(k Keyword) bool {
	return k.Name == "additionalProperties" && string(k.Old)+string(k.New) == "false"
}

func keywordText(root map[string]any, name string) json.RawMessage {
	value, there := root[name]
	if !there {
		return nil
	}
	return encode(value)
}

// combined adds what the parameters alone do not tell: what is said of several of them together, and what no value shows.
func (f flow) combined(changes []Change) []Change {
	fits := schema.Within(f.given, f.taken)
	together := Change{Side: f.side, Kind: Combination, Keywords: f.keywords(slices.Concat(ofParameters, annotations))}
	together.Keywords = slices.DeleteFunc(together.Keywords, forbidsAlike)
	if len(together.Keywords) > 0 {
		if !fits {
			together.Verdict, together.Instance = f.judgedTogether(together.Keywords)
			together.Reason = reason(f.taken, together.Instance)
		}
		changes = append(changes, together)
	}
	if worst := worstOf(changes); worst < Breaking && !fits {
		whole := Change{Side: f.side, Kind: Combination, Verdict: Unknown}
		if found := f.refusals(); len(found) > 0 {
			whole.Verdict, whole.Instance, whole.Reason = Breaking, found[0], reason(f.taken, found[0])
		}
		if whole.Verdict > worst {
			changes = append(changes, whole)
		}
	}
	changes = append(changes, f.annotations("", words(f.old.root), words(f.new.root))...)
	if rest := f.keywords(nil); len(changes) == 0 && len(rest) > 0 {
		changes = append(changes, Change{Side: f.side, Kind: Combination, Keywords: rest})
	}
	return changes
}

// words returns the annotations of a schema.
func words(root map[string]any) map[string]any {
	root = maps.Clone(root)
	maps.DeleteFunc(root, func(keyword string, _ any) bool { return !slices.Contains(annotations, keyword) })
	return root
}

// judgedTogether returns what it means that keywords of the whole have changed, and nothing else: for that, they are compared beside the
// parameters of the version that values go to, and what either requires is there. What breaks is shown as well by what the other version
// really gives.
func (f flow) judgedTogether(changed []Keyword) (Verdict, json.RawMessage) {
	root := maps.Clone(f.to.root)
	for _, keyword := range changed {
		delete(root, keyword.Name)
		if value, there := f.from.root[keyword.Name]; there {
			root[keyword.Name] = value
		}
	}
	if required := slices.Concat(f.old.Required(), f.new.Required()); len(required) > 0 {
		slices.Sort(required)
		root["required"] = slices.Compact(required)
	}
	mixed, err := open(encode(root))
	if err != nil { // as where they refer to what the other version does not have
		return Unknown, nil
	}
	if schema.Within(mixed.given.Root(), f.taken) {
		return Compatible, nil
	}
	if instance, ok := schema.Counterexample(mixed.given.Root(), f.taken); ok && f.shows(instance) {
		return Breaking, instance
	}
	return Unknown, nil
}

// reason returns why a part refuses a value. Empty where there is no value.
func reason(p schema.Part, value json.RawMessage) string {
	if value == nil {
		return ""
	}
	if err := p.Validate(value); err != nil {
		return err.Error()
	}
	return ""
}

// shows reports whether one version really gives a value that the other one refuses.
func (f flow) shows(instance json.RawMessage) bool {
	return f.from.Validate(instance) == nil && f.given.Validate(instance) == nil && f.taken.Validate(instance) != nil
}
