package schema

import (
	"encoding/json"
	"math/rand"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// family are the parts of one generated document, and what the library says of each value.
type family struct {
	raw       []byte
	validator *Validator
	parts     []Part
	libraries []*jsonschema.Schema
	fits      [][]bool // by part and value
}

const partsOfFamily = 7

// newFamily is nil where Parse refuses what was generated.
func newFamily(t *testing.T, g generator, defs *map[string]any) *family {
	t.Helper()
	document := g.document(partsOfFamily)
	*defs = document["$defs"].(map[string]any)
	raw, err := json.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	s, _, refusal := Parse(raw)
	if refusal != nil {
		return nil
	}
	parameters, err := s.Parameters()
	if err != nil {
		t.Fatal(err)
	}
	validator, err := s.Validator()
	if err != nil {
		t.Fatal(err)
	}
	f := &family{raw: s.JSON(), validator: validator}
	for i := range partsOfFamily {
		part, _ := parameters.Part(partName(i))
		compiled, err := validator.library.compile("/properties/" + partName(i))
		if err != nil {
			t.Fatal(err)
		}
		f.parts, f.libraries = append(f.parts, part), append(f.libraries, compiled)
	}
	return f
}

// judge asks the library about each value, and compares what the parts say themselves.
func (f *family) judge(t *testing.T, values []any, count *tally) {
	t.Helper()
	for i, part := range f.parts {
		fits := make([]bool, len(values))
		for n, value := range values {
			fits[n] = f.libraries[i].Validate(value) == nil
			j := judge{Parameters: part.of, steps: judgeSteps}
			verdict := part.judge(&j, value)
			if verdict != undecided && (verdict == accepted) != fits[n] {
				t.Fatalf("%s of %s judges %s: want fits %t", partName(i), f.raw, brief(value), fits[n])
			}
			count.judged++
			if verdict != undecided {
				count.judgedQuickly++
			}
			if n%16 == 0 {
				f.checkText(t, i, value)
			}
			if items, ok := value.([]any); ok && fits[n] {
				checkItems(t, f, part, items)
			}
		}
		f.fits = append(f.fits, fits)
	}
}

// checkText: a part words what is wrong as a Validator does.
func (f *family) checkText(t *testing.T, part int, value any) {
	t.Helper()
	raw, err := canonical(value)
	if err != nil {
		t.Fatal(err)
	}
	want, got := textOf(f.validator.Validate("/properties/"+partName(part), raw)), textOf(f.parts[part].Validate(raw))
	if got != want {
		t.Fatalf("%s of %s, %s: want %q, got %q", partName(part), f.raw, raw, want, got)
	}
}

// checkItems: what is an item of a value that fits, fits the item's part.
func checkItems(t *testing.T, f *family, part Part, items []any) {
	t.Helper()
	for i, item := range items {
		raw, err := json.Marshal(item)
		if err != nil {
			t.Fatal(err)
		}
		of, ok := part.Item(i)
		if !ok {
			t.Fatalf("Item(%d) of %v in %s: there is one in %s", i, part.any, f.raw, brief(items))
		}
		if err := of.Validate(raw); err != nil {
			t.Fatalf("Item(%d) of %v in %s: refuses that of %s: %v", i, part.any, f.raw, brief(items), err)
		}
	}
}

// tally counts what was compared.
type tally struct {
	pairs int
	// apart and inside are the pairs for which no value speaks against the one relation or the other, and found those
	// that are found to be so. Parts that no value fits do not count: they are easy.
	apart, inside           int
	foundApart, foundInside int
	judged, judgedQuickly   int
}

// TestFeedsIsNeverWrong compares generated parts, and has the library look
// for values that disprove what is said of them.
func TestFeedsIsNeverWrong(t *testing.T) {
	wantPairs := 40_000
	if testing.Short() {
		wantPairs = 10_000
	}
	var count tally
	for seed := int64(0); count.pairs < wantPairs; seed++ {
		g := generator{rand.New(rand.NewSource(seed))} //nolint:gosec // the same schemas each time
		var defs, otherDefs map[string]any
		f, other := newFamily(t, g, &defs), newFamily(t, g, &otherDefs)
		if f == nil || other == nil {
			continue
		}
		values := g.values(t, f, other)
		f.judge(t, values, &count)
		other.judge(t, values, &count)
		compareFamilies(t, f, other, values, &count)
		compareFamilies(t, other, f, values, &count)
		compareFamilies(t, f, f, values, &count)
	}
	t.Logf("%+v", count)
	if share := float64(count.foundApart) / float64(count.apart); share < 0.8 {
		t.Errorf("want most of the pairs without a common value found incompatible, got %.2f", share)
	}
	if share := float64(count.foundInside) / float64(count.inside); share < 0.8 {
		t.Errorf("want most of the pairs where all values of one fit the other found compatible, got %.2f", share)
	}
}

// values are such of the domain, and such that are made for some part.
func (g generator) values(t *testing.T, families ...*family) []any {
	t.Helper()
	var values []any
	for range 24 {
		values = append(values, g.instance(2))
	}
	for _, f := range families {
		root, err := decode(f.raw, schemaLimits)
		if err != nil {
			t.Fatal(err)
		}
		document := root.(map[string]any)
		for i := range partsOfFamily {
			for range 5 {
				values = append(values, g.derived(document["properties"].(map[string]any)[partName(i)], document["$defs"].(map[string]any), 4))
			}
		}
	}
	for i, value := range values { // as a value is read: numbers by their text
		raw, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		decoded, refusal := decode(raw, valueLimits)
		if refusal != nil {
			t.Fatal(refusal)
		}
		values[i] = decoded
	}
	return values
}

func compareFamilies(t *testing.T, f, other *family, values []any, count *tally) {
	t.Helper()
	for i, from := range f.parts {
		for j, to := range other.parts {
			relation := Feeds(from, to)
			seen := look(f.fits[i], other.fits[j])
			if relation == Incompatible && seen.common != none {
				t.Fatalf("%s of %s and %s of %s: %s (%s), but both allow %s",
					partName(i), f.raw, partName(j), other.raw, relation, Explain(from, to), brief(values[seen.common]))
			}
			if relation == Compatible && seen.outside != none {
				t.Fatalf("%s of %s to %s of %s: %s, but only the one allows %s",
					partName(i), f.raw, partName(j), other.raw, relation, brief(values[seen.outside]))
			}
			if count.add(relation, seen); count.pairs%4 == 0 {
				checkRelation(t, from, to)
			}
		}
	}
}

// seen are examples of values that two parts allow, or none.
type seen struct{ common, outside, target int }

func look(from, to []bool) seen {
	s := seen{none, none, none}
	for n := range from {
		switch {
		case from[n] && to[n]:
			s.common = n
		case from[n]:
			s.outside = n
		case to[n]:
			s.target = n
		}
	}
	return s
}

func (count *tally) add(relation Relation, s seen) {
	count.pairs++
	switch {
	case s.common == none && s.outside != none && s.target != none:
		count.apart++
		if relation == Incompatible {
			count.foundApart++
		}
	case s.common != none && s.outside == none:
		count.inside++
		if relation == Compatible {
			count.foundInside++
		}
	}
}
