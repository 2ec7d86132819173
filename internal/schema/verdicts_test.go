package schema

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	flags "flag" // flag is a shape
	"io"
	"math/rand"
	"os"
	"testing"
)

var update = flags.Bool("update", false, "write the verdicts that the Python package is tested with")

// verdictsFile has documents, each as a line of JSON. The tests of the Python package read it.
const verdictsFile = "../../python/tests/testdata/verdicts.jsonl.gz"

// minVerdicts is how many values have to be judged for the comparison to say something.
const minVerdicts = 20_000

// verdicts are a document as declared and as normalised, and whether each of some arguments fits.
type verdicts struct {
	Declared   json.RawMessage   `json:"declared"`
	Normalised json.RawMessage   `json:"normalised"`
	Arguments  []json.RawMessage `json:"arguments"`
	Fits       []bool            `json:"fits"`
}

// numbers are schemas and values in which binary fractions, large integers and lengths of texts matter.
const numbers = `{"properties":{
	"p0":{"type":"number","multipleOf":0.1}, "p1":{"multipleOf":0.01,"minimum":0.1,"exclusiveMaximum":1e2},
	"p2":{"type":"integer","maximum":9007199254740992}, "p3":{"enum":[0.1,1e2,-0.0,9007199254740991,"é","ab"]},
	"p4":{"minLength":2,"maxLength":2}, "p5":{"uniqueItems":true,"contains":{"const":1},"maxContains":1},
	"p6":{"const":{"a":[1,{"b":null}]}}}}`

// edgeValues are values for numbers.
const edgeValues = `[0.1,0.3,0.30000000000000004,0.7,1e-1,100,100.0,1e2,99.99,99.995,0,-0.0,0.0,9007199254740991,9007199254740992,
	9007199254740993,1e300,-1e300,1.5,2.0,"é","éé","\u00e9e\u0301","😀","😀😀","ab","",true,false,null,[],[1],[1.0,1],[1,true],[1,1],
	[0,false,"",null],[[1],[1.0]],[{"a":1},{"a":1.0}],{"a":[1,{"b":null}]},{"a":[1.0,{"b":null}]},{"a":[1,{"b":false}]},{}]`

// TestVerdicts renews, or checks, what the Python package's own validator is compared with: schemas and values, with the verdicts of the
// library.
func TestVerdicts(t *testing.T) {
	want := generateVerdicts(t)
	judged, fitting := 0, 0
	for _, v := range want {
		judged += len(v.Fits)
		for _, fits := range v.Fits {
			if fits {
				fitting++
			}
		}
	}
	t.Logf("%d documents, %d arguments, %d fit", len(want), judged, fitting)
	if judged < minVerdicts || fitting < judged/4 || fitting > judged*3/4 {
		t.Errorf("%d arguments, %d of them fit; want at least %d, and both verdicts often", judged, fitting, minVerdicts)
	}
	lines := encodeVerdicts(t, want)
	if *update {
		writeVerdicts(t, lines)
	}
	stored := readVerdicts(t)
	for i := range min(len(lines), len(stored)) {
		if !bytes.Equal(lines[i], stored[i]) {
			t.Fatalf("line %d of %s is not what is generated now; renew it by -update; want\n%.2000s\ngot\n%.2000s", i+1, verdictsFile, lines[i], stored[i])
		}
	}
	if len(lines) != len(stored) {
		t.Errorf("%s has %d lines, want %d; renew it by -update", verdictsFile, len(stored), len(lines))
	}
}

func generateVerdicts(t *testing.T) []verdicts {
	t.Helper()
	const documents, argumentsOfEach = 1200, 18
	out := []verdicts{edgeVerdicts(t)}
	for seed := int64(0); len(out) < documents; seed++ {
		g := generator{rand.New(rand.NewSource(seed))} //nolint:gosec // the same documents each time
		document := g.document(3)
		defs, properties := document["$defs"].(map[string]any), document["properties"].(map[string]any)
		var arguments []any
		for range argumentsOfEach {
			object := map[string]any{}
			for _, name := range sortedNames(properties)[g.Intn(3):] {
				if len(object) == 0 || g.Intn(4) == 0 {
					object[name] = g.derived(properties[name], defs, 4)
				}
			}
			arguments = append(arguments, object)
		}
		if v, ok := judgeAll(t, document, arguments); ok {
			out = append(out, v)
		}
	}
	for seed := range int64(600) { // declared in all the ways that are normalised; without values
		g := generator{rand.New(rand.NewSource(seed))} //nolint:gosec // likewise
		document := g.value(schemaMap, 3)
		if g.Intn(2) == 0 {
			document = map[string]any{"$schema": dialect2020, "$id": "x", "properties": document, "$defs": g.value(schemaMap, 2)}
		}
		if v, ok := judgeAll(t, document, nil); ok {
			out = append(out, v)
		}
	}
	return out
}

func edgeVerdicts(t *testing.T) verdicts {
	t.Helper()
	var values, arguments []any
	decoder := json.NewDecoder(bytes.NewReader([]byte(edgeValues)))
	decoder.UseNumber()
	if err := decoder.Decode(&values); err != nil {
		t.Fatal(err)
	}
	for i := range partsOfFamily {
		for _, value := range values {
			if n, ok := value.(json.Number); !ok || checkNumber(func() string { return "" }, n.String()) == nil {
				arguments = append(arguments, map[string]any{partName(i): value})
			}
		}
	}
	v, ok := judgeAll(t, json.RawMessage(numbers), arguments)
	if !ok {
		t.Fatal("the document is refused")
	}
	return v
}

// judgeAll reports whether the document is accepted.
func judgeAll(t *testing.T, document any, arguments []any) (verdicts, bool) {
	t.Helper()
	v := verdicts{Declared: marshal(t, document), Arguments: []json.RawMessage{}, Fits: []bool{}}
	s, _, refusal := Parse(v.Declared)
	if refusal != nil {
		return v, false
	}
	v.Normalised = s.JSON()
	validator, err := s.Validator()
	if err != nil {
		t.Fatal(err)
	}
	compiled, err := validator.library.compile("")
	if err != nil {
		t.Fatal(err)
	}
	for _, object := range arguments {
		raw := marshal(t, object)
		value, refusal := decode(raw, valueLimits)
		if refusal != nil {
			t.Fatal(refusal)
		}
		v.Arguments = append(v.Arguments, raw)
		v.Fits = append(v.Fits, compiled.Validate(value) == nil)
	}
	return v, true
}

func marshal(t *testing.T, value any) json.RawMessage {
	t.Helper()
	var out bytes.Buffer
	encoded, err := json.Marshal(value)
	if err == nil {
		err = json.Compact(&out, encoded)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func encodeVerdicts(t *testing.T, all []verdicts) [][]byte {
	t.Helper()
	lines := make([][]byte, len(all))
	for i := range all {
		lines[i] = marshal(t, all[i])
	}
	return lines
}

func writeVerdicts(t *testing.T, lines [][]byte) {
	t.Helper()
	var out bytes.Buffer
	packer, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err == nil {
		_, err = packer.Write(append(bytes.Join(lines, []byte("\n")), '\n'))
	}
	if err = errors.Join(err, packer.Close()); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(verdictsFile, out.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// readVerdicts reads the file's lines. Its content is compared and not its bytes, which another version of Go may pack otherwise.
func readVerdicts(t *testing.T) [][]byte {
	t.Helper()
	packed, err := os.ReadFile(verdictsFile)
	if err != nil {
		t.Fatal(err)
	}
	unpacker, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(unpacker)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Split(bytes.TrimSuffix(content, []byte("\n")), []byte("\n"))
}
