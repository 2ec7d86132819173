package evolution

import (
	"bytes"
	"encoding/json"
	"flag"
	"maps"
	"math/rand"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/maze-agent/maregister/internal/registry"
)

var (
	widePairs = flag.Int("wide-pairs", 600, "how many pairs TestWideVerdictIsNeverWrong compares")
	wideSeed  = flag.Int64("wide-seed", 0, "the first seed of TestWideVerdictIsNeverWrong")
)

// TestWideVerdictIsNeverWrong edits schemas of more kinds than TestVerdictIsNeverWrong, on either side.
func TestWideVerdictIsNeverWrong(t *testing.T) {
	verdicts, unknown, defects := map[Verdict]int{}, map[Kind]int{}, map[string]int{}
	var slowest time.Duration
	var slow int64
	decided := 0
	for seed := *wideSeed; decided < *widePairs; seed++ {
		g := wide{rand.New(rand.NewSource(seed))} //nolint:gosec // the same schemas each time
		old := g.root()
		next := g.edited(old)
		side := choose(g, Input, Output)
		before, after := sided(t, side, old), sided(t, side, next)
		if before == nil || after == nil {
			continue
		}
		start := time.Now()
		report, err := Compare(before, after)
		if took := time.Since(start); took > slowest {
			slowest, slow = took, seed
		}
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		decided++
		verdicts[report.Verdict]++
		if report.Verdict == Unknown {
			for _, change := range report.Changes {
				if change.Verdict == Unknown {
					unknown[change.Kind]++
				}
			}
		}
		w := newWitness(t, seed, side, before, after, defects)
		w.checkTold(report)
		for _, change := range report.Changes {
			w.check(change)
		}
		if report.Verdict == Compatible {
			w.checkCompatible(g)
		}
	}
	t.Logf("%d pairs: %v, unknown by kind: %v; the slowest took %s (seed %d); defects: %v", decided, verdicts, unknown, slowest, slow, defects)
	if share := 1 - float64(verdicts[Unknown])/float64(decided); share < 0.7 {
		t.Errorf("want at least 70 of 100 decided, got %.3f", share)
	}
}

func sided(t *testing.T, side Side, root object) *registry.Entry {
	t.Helper()
	e := dice{}.entry(t, root)
	if e != nil && side == Output {
		e.Schema.Input, e.Schema.Output = e.Schema.Output, e.Schema.Input
	}
	return e
}

// witness checks a report by the JSON Schema library.
type witness struct {
	t    *testing.T
	seed int64
	side Side
	// old and next are the schemas, from and to those that values come from and go to.
	old, next, from, to object
	texts               [2]json.RawMessage
	takers              map[string]*jsonschema.Schema
	// defects counts what was found, by kind.
	defects map[string]int
}

func newWitness(t *testing.T, seed int64, side Side, before, after *registry.Entry, defects map[string]int) *witness {
	w := &witness{t: t, seed: seed, side: side, defects: defects, takers: map[string]*jsonschema.Schema{}}
	w.texts = [2]json.RawMessage{before.Schema.Input, after.Schema.Input}
	if side == Output {
		w.texts = [2]json.RawMessage{before.Schema.Output, after.Schema.Output}
	}
	w.old, w.next = decoded(w.texts[0]), decoded(w.texts[1])
	w.from, w.to = w.old, w.next
	if side == Output {
		w.from, w.to = w.next, w.old
	}
	return w
}

func decoded(text json.RawMessage) object {
	var out object
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&out); err != nil {
		panic(err)
	}
	return out
}

// fail notes a defect. The first of its kind is told at the end.
func (w *witness) fail(format string, args ...any) {
	if w.defects[format]++; w.defects[format] == 1 {
		w.t.Errorf("seed %d, %s:\n%s\n%s\n"+format, append([]any{w.seed, w.side, w.texts[0], w.texts[1]}, args...)...)
	}
}

// checkTold checks that there is something to tell exactly if the schemas differ.
func (w *witness) checkTold(report Report) {
	if differ := !bytes.Equal(w.texts[0], w.texts[1]); differ != (len(report.Changes) > 0) {
		w.fail("they differ: %t, and changes are told: %v", differ, report.Changes)
	}
}

// accepts reports whether the library finds a value valid.
func (w *witness) accepts(root object, value any) bool {
	text := string(must(json.Marshal(root)))
	if w.takers[text] == nil {
		w.takers[text] = compile(w.t, []byte(text))
	}
	return w.takers[text].Validate(value) == nil
}

// takes reports whether the version that values go to takes one: callers pass what is declared or allowed.
func (w *witness) takes(value any) bool {
	if w.side == Input && !onlyHas(value, namesOf(w.to, value)) {
		return false
	}
	return w.accepts(w.to, value)
}

// check checks that an instance shows what the change says.
func (w *witness) check(c Change) {
	if (c.Verdict == Breaking) != (c.Instance != nil) {
		w.fail("%+v: want an instance for what is breaking alone", c)
	}
	if c.Instance == nil {
		return
	}
	value := jsonValue(c.Instance)
	if !w.accepts(w.from, value) || !onlyHas(value, namesOf(w.from, value)) {
		w.fail("%s: nobody has it", c)
	}
	if w.takes(value) {
		w.fail("%s: it is taken", c)
	}
	name, members := c.Parameter, value.(object)
	_, there := members[name]
	switch c.Kind {
	case Added, Required, Optional:
		if there && (c.Side != Output || c.Kind != Added) {
			w.fail("%s: does not show it", c)
		}
	case Removed, Renamed:
		if c.Kind == Renamed {
			_, there = members[c.Was]
		}
		if there != (c.Side == Input) {
			w.fail("%s: does not show it", c)
		}
	case Narrowed, Widened, Replaced:
		alone := object{"$defs": w.to["$defs"], "properties": object{name: w.to["properties"].(object)[name]}}
		isAlone := alone["properties"].(object)[name] != nil && w.to["allOf"] == nil && w.to["patternProperties"] == nil
		if isAlone && w.accepts(alone, object{name: members[name]}) {
			w.fail("%s: the value is taken", c)
		}
	}
}

// namesOf returns the names of a value that a schema declares or allows, also under conditions. Nil for any.
func namesOf(root object, value any) []string {
	names := []string{}
	for name := range value.(object) {
		if declares(root, name) {
			names = append(names, name)
		}
	}
	return names
}

func declares(schema object, name string) bool {
	for _, keyword := range []string{"properties", "additionalProperties", "unevaluatedProperties"} {
		value, there := schema[keyword]
		properties, isMap := value.(object)
		_, declared := properties[name]
		if keyword == "properties" && declared || keyword != "properties" && there && (isMap || value == true) {
			return true
		}
	}
	patterns, _ := schema["patternProperties"].(object)
	for pattern := range patterns {
		if jsonAccepts(pattern, name) {
			return true
		}
	}
	var inner []any
	for _, keyword := range []string{"allOf", "anyOf", "oneOf"} {
		list, _ := schema[keyword].([]any)
		inner = append(inner, list...)
	}
	dependent, _ := schema["dependentSchemas"].(object)
	inner = append(inner, slices.Collect(maps.Values(dependent))...)
	inner = append(inner, schema["if"], schema["then"], schema["else"])
	for _, one := range inner {
		if one, ok := one.(object); ok && declares(one, name) {
			return true
		}
	}
	return false
}

func jsonAccepts(pattern, name string) bool {
	switch strings.Trim(pattern, "^$") {
	case "x_":
		return strings.HasPrefix(name, "x_")
	case "a":
		return name == "a" || !strings.HasSuffix(pattern, "$") && strings.HasPrefix(name, "a")
	default:
		return strings.Contains(name, strings.Trim(pattern, "^$"))
	}
}

// checkCompatible looks for a value that may come and is not taken.
func (w *witness) checkCompatible(g wide) {
	for range 60 {
		value := jsonValue(g.given(w.from, w.from, 5))
		members, ok := value.(object)
		if !ok || !w.accepts(w.from, value) || !onlyHas(members, namesOf(w.from, value)) {
			continue
		}
		if !w.takes(value) {
			w.fail("compatible, and this is refused: %s", encodeAny(value))
		}
	}
}

// given returns a value that has a fair chance to fit, with declared members alone.
func (g wide) given(root object, schema any, depth int) any {
	inner, ok := schema.(object)
	if !ok || depth < 0 {
		return g.constant()
	}
	if target, ok := inner["$ref"].(string); ok {
		return g.given(root, root["$defs"].(object)[strings.TrimPrefix(target, "#/$defs/")], depth-1)
	}
	if value, ok := inner["const"]; ok {
		return value
	}
	if values, ok := inner["enum"].([]any); ok {
		return choose(g, values...)
	}
	kind := inner["type"]
	for _, keyword := range []string{"anyOf", "oneOf", "allOf"} {
		if options, ok := inner[keyword].([]any); ok && kind == nil {
			return g.given(root, choose(g, options...), depth-1)
		}
	}
	if condition, ok := inner["if"]; ok && kind == nil {
		return g.given(root, choose(g, condition, inner["then"], inner["else"]), depth-1)
	}
	if kinds, ok := kind.([]any); ok {
		kind = choose(g, kinds...)
	}
	return g.ofType(root, inner, kind, depth)
}

func (g wide) ofType(root, schema object, kind any, depth int) any {
	switch kind {
	case "integer", "number":
		bounds := []any{g.number(), g.Intn(6), float64(g.Intn(40)) / 10}
		for _, keyword := range []string{"minimum", "maximum", "multipleOf"} {
			if bound, ok := schema[keyword]; ok {
				bounds = append(bounds, bound, bound)
			}
		}
		return choose(g, bounds...)
	case "string":
		return choose(g, g.text(), g.text()+g.text())
	case "boolean":
		return g.Intn(2) == 0
	case "null":
		return nil
	case "array":
		items := []any{}
		prefix, _ := schema["prefixItems"].([]any)
		for i := range g.Intn(4) {
			item := schema["items"]
			if contains, ok := schema["contains"]; ok && (item == nil || g.Intn(2) == 0) {
				item = contains
			}
			if i < len(prefix) {
				item = prefix[i]
			}
			items = append(items, g.given(root, item, depth-1))
		}
		return items
	case "object":
		return g.ofMembers(root, schema, depth)
	default:
		return g.constant()
	}
}

func (g wide) ofMembers(root, schema object, depth int) any {
	members := object{}
	properties, _ := schema["properties"].(object)
	required, _ := schema["required"].([]any)
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		if slices.Contains(required, any(name)) || g.Intn(2) == 0 {
			members[name] = g.given(root, properties[name], depth-1)
		}
	}
	if others, ok := schema["additionalProperties"]; ok && others != false && g.Intn(3) == 0 {
		members["other"] = g.given(root, others, depth-1)
	}
	patterns, _ := schema["patternProperties"].(object)
	for _, pattern := range slices.Sorted(maps.Keys(patterns)) {
		if g.Intn(3) == 0 {
			members[strings.Trim(pattern, "^$")+"1"] = g.given(root, patterns[pattern], depth-1)
		}
	}
	return members
}
