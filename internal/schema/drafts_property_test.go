package schema

import (
	"encoding/json"
	goflag "flag"
	"math/rand"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

var (
	translations = goflag.Int("translations", 6_000, "the number of pairs of schema and value that TestTranslationKeepsVerdicts compares, for each draft")
	draftSeed    = goflag.Int64("draft-seed", 1, "the first seed of the schemas of older drafts")
)

// compileOlder compiles a document as its own draft has it, formats being annotations as they are here.
func compileOlder(t *testing.T, raw []byte) (*jsonschema.Compiler, error) {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(string(raw)))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.UseLoader(noLoader{})
	for _, name := range []string{"uri", "email", "date"} {
		compiler.RegisterFormat(&jsonschema.Format{Name: name, Validate: func(any) error { return nil }})
	}
	if err := compiler.AddResource("http://example.com/root.json", document); err != nil {
		t.Fatal(err)
	}
	_, err = compiler.Compile("http://example.com/root.json")
	return compiler, err
}

// compared counts what TestTranslationKeepsVerdicts has seen of a draft.
type compared struct {
	documents, refused, pairs, fits int
	// translated counts the warnings by the keyword.
	translated map[string]int
}

// TestTranslationKeepsVerdicts compares, for generated schemas of each older draft and generated values, what a validator of that
// draft says with what one says of the translation.
func TestTranslationKeepsVerdicts(t *testing.T) {
	t.Logf("-draft-seed=%d -translations=%d", *draftSeed, *translations)
	for _, d := range []draft{draft04, draft06, draft07, draft2019} {
		t.Run(d.String(), func(t *testing.T) {
			t.Parallel()
			count := compared{translated: map[string]int{}}
			for seed := *draftSeed; count.pairs < *translations; seed++ {
				g := generator{rand.New(rand.NewSource(seed))} //nolint:gosec // the same schemas each time
				compareDraft(t, older{g, d}, &count)
				if t.Failed() {
					t.Fatalf("seed %d", seed)
				}
			}
			t.Logf("%+v", count)
			if count.fits < count.pairs/10 || count.fits > count.pairs*9/10 {
				t.Errorf("want both verdicts often, got %d of %d that fit", count.fits, count.pairs)
			}
			wanted := []string{"definitions", "items", "additionalItems", "a", "c", "$ref"}
			switch d {
			case draft04:
				wanted = append(wanted, "id", "exclusiveMinimum", "exclusiveMaximum", "const")
			case draft2019:
				wanted = append(wanted[:5], "$recursiveRef", "$recursiveAnchor", "contains")
			default:
				wanted = append(wanted, "unevaluatedProperties")
			}
			for _, keyword := range wanted {
				if count.translated[keyword] == 0 {
					t.Errorf("want %s translated at least once", keyword)
				}
			}
		})
	}
}

func compareDraft(t *testing.T, o older, count *compared) {
	t.Helper()
	const parts, values = 4, 12
	document := o.olderDocument(parts)
	raw, err := json.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	compiler, err := compileOlder(t, raw)
	if err != nil {
		return // what it takes to be none
	}
	count.documents++
	s, warnings, refusal := Parse(raw)
	if refusal != nil {
		if refusal.Reason != ReasonRefCycle {
			t.Errorf("%s: refused: %v", raw, refusal)
		}
		count.refused++
		return
	}
	for _, w := range warnings {
		if w.Kind != KindTranslated {
			continue
		}
		count.translated[w.Pointer[strings.LastIndexByte(w.Pointer, '/')+1:]]++
	}
	validator, err := s.Validator()
	if err != nil {
		t.Fatal(err)
	}
	parameters, err := s.Parameters()
	if err != nil {
		t.Fatal(err)
	}
	definitions, _ := document["definitions"].(map[string]any)
	want, err := compiler.Compile("http://example.com/root.json")
	if err != nil {
		t.Fatal(err)
	}
	whole := Part{of: parameters, any: [][]int{{0}}}
	for i := range parts * values {
		name := partName(i % parts)
		value := roundTrip(t, map[string]any{name: o.value(document["properties"].(map[string]any)[name], definitions, 4)})
		count.pairs++
		fits := want.Validate(value) == nil
		if fits {
			count.fits++
		}
		if err := validator.library.validate("", value); (err == nil) != fits {
			t.Fatalf("%s\ntranslated: %s\n%s: want fits %t, got %v", raw, s.JSON(), brief(value), fits, err)
		}
		j := judge{Parameters: parameters, steps: judgeSteps}
		if verdict := whole.judge(&j, value); verdict != undecided && (verdict == accepted) != fits {
			t.Fatalf("%s\ntranslated: %s\n%s: want fits %t, judged otherwise", raw, s.JSON(), brief(value), fits)
		}
	}
}

// roundTrip returns a value with the types that decoding makes.
func roundTrip(t *testing.T, value any) any {
	t.Helper()
	raw, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	decoded, refusal := decode(raw, valueLimits)
	if refusal != nil {
		t.Fatal(refusal)
	}
	return decoded
}
