package schema

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// maxCauses is how many reasons why a value does not fit a message repeats.
const maxCauses = 3

// Validator checks values against a schema. It holds the compiled schema,
// which takes many times the memory of a [Schema]: keep the schema, and make a
// validator where one is needed. It is not safe for concurrent use.
type Validator struct {
	doc     *document
	library library
}

// Validator compiles the schema.
func (s *Schema) Validator() (*Validator, error) {
	root, err := decode(s.json, schemaLimits)
	if err != nil {
		return nil, err
	}
	doc := readSchema(root.(map[string]any), nil)
	if err := doc.err(); err != nil {
		return nil, err
	}
	v := &Validator{doc: doc, library: newLibrary("", doc.root)}
	if _, err := v.library.compile(""); err != nil {
		return nil, err
	}
	return v, nil
}

// Validate checks a JSON value against the subschema at a JSON pointer, the
// whole schema being "". The error says in one sentence where and why the value
// does not fit, or that it is too large to be checked.
func (v *Validator) Validate(pointer string, value []byte) error {
	decoded, err := decode(value, valueLimits)
	if err != nil {
		return err
	}
	node := slices.IndexFunc(v.doc.nodes, func(n node) bool { return n.pointer == pointer })
	if node < 0 {
		return fmt.Errorf("the schema has no subschema at %q", pointer)
	}
	if newMeter(v.doc, valueLimits.steps).steps(node, newInstance(decoded)) > valueLimits.steps {
		return fmt.Errorf("checking the value takes more than %d steps, the limit", valueLimits.steps)
	}
	return v.library.validate(pointer, decoded)
}

// checkDefaults sees to it that each default fits the schema that it stands in. Null, where the schema does not allow it, is how
// Python and others say that there is no default: it is left out.
func (d *document) checkDefaults() {
	d.dropDoubtfulDefaults()
	if len(d.defaults) == 0 {
		return
	}
	if err := d.boundDefaults(); err != nil {
		d.stop(err)
		return
	}
	j := judge{Parameters: newParameters(d), steps: judgeSteps}
	var libraries []library
	var unwanted []int
	for _, id := range d.defaults {
		n := d.nodes[id]
		if j.one(id, n.schema["default"]) == accepted {
			continue // without the library, which takes much longer
		}
		if libraries == nil {
			libraries = d.defaultLibraries()
		}
		at := slices.IndexFunc(libraries, func(l library) bool { return isBelow(n.pointer, l.base) })
		value := n.schema["default"]
		if err := libraries[at].validate(n.pointer, value); err != nil {
			if value != nil {
				d.note(invalid(n.pointer+"/default", "the default, %s, does not fit its schema (%v); %s", brief(value), err, defaultMeant(n.schema, value)))
				continue
			}
			unwanted = append(unwanted, id)
		}
	}
	for _, id := range unwanted { // not before: what a schema refers to must not change while defaults are judged
		delete(d.nodes[id].schema, "default")
		d.warn(KindNullDefault, d.nodes[id].pointer+"/default",
			`null does not fit the schema, so the default is read as left out; remove it, or add "null" to the types`)
	}
}

// defaultMeant says what to do about a default that does not fit its schema.
func defaultMeant(schema map[string]any, value any) string {
	allowed := kindsOf(schema["type"])
	if text, isText := value.(string); isText && allowed&stringKind == 0 {
		if other, err := decode([]byte(text), valueLimits); err == nil && kindOf(other)&allowed != 0 {
			return "write it without quotes, " + clip(text, maxQuoted) + ", or correct the schema"
		}
	}
	if n, isNumber := value.(json.Number); isNumber && allowed&stringKind != 0 && allowed&numberKinds == 0 {
		return "put it in quotes, " + strconv.Quote(n.String()) + ", or correct the schema"
	}
	return "correct the default or the schema"
}

// dropDoubtfulDefaults leaves out the defaults whose schemas are wrong
// themselves: nothing can be checked against those.
func (d *document) dropDoubtfulDefaults() {
	if len(d.errors) == 0 || len(d.defaults) == 0 {
		return
	}
	wrong := d.doubtful()
	d.defaults = slices.DeleteFunc(d.defaults, func(id int) bool { return wrong[d.nodes[id].pointer] })
}

// doubtful returns the pointers of the schemas that are wrong themselves, or may lead to one that is. There are none in a document in
// which nothing is wrong.
func (d *document) doubtful() map[string]bool {
	wrong := map[string]bool{}
	if len(d.errors) == 0 {
		return wrong
	}
	doubt := func(at string) {
		for ; !wrong[at]; at = at[:max(0, strings.LastIndexByte(at, '/'))] {
			wrong[at] = true
		}
	}
	for _, err := range d.errors {
		doubt(err.Pointer)
	}
	for _, r := range d.references { // which may lead to what is wrong
		doubt(r.pointer)
	}
	return wrong
}

func (d *document) boundDefaults() *Error {
	total := 0
	for _, id := range d.defaults {
		n := d.nodes[id]
		total += newMeter(d, schemaLimits.steps).steps(id, newInstance(n.schema["default"]))
		if total > schemaLimits.steps {
			return tooLarge(n.pointer+"/default",
				"checking the defaults up to here takes more than %d steps, the limit; simplify the default or its schema",
				schemaLimits.steps)
		}
	}
	return nil
}

// defaultLibraries compiles what the defaults need. Compiling takes much longer than all else
// here, so without references that is only the outermost schemas with a default.
func (d *document) defaultLibraries() []library {
	if len(d.references) > 0 && len(d.errors) == 0 { // otherwise, see dropDoubtfulDefaults
		return []library{newLibrary("", d.root)}
	}
	var libraries []library
	for _, id := range d.defaults { // each after those that it is below
		n := d.nodes[id]
		if last := len(libraries) - 1; last < 0 || !isBelow(n.pointer, libraries[last].base) {
			libraries = append(libraries, newLibrary(n.pointer, n.schema))
		}
	}
	return libraries
}

func isBelow(pointer, base string) bool {
	rest, ok := strings.CutPrefix(pointer, base)
	return ok && (rest == "" || rest[0] == '/')
}

// library is a compiler for one schema, which is at base in its document.
type library struct {
	base     string
	compiler *jsonschema.Compiler
}

// location is the name of the schema inside the compiler.
const location = "urn:maregister:schema"

// noLoader denies what the library would otherwise read from a file.
type noLoader struct{}

func (noLoader) Load(string) (any, error) {
	return nil, errors.New("references that leave the document are forbidden")
}

func newLibrary(base string, schema any) library {
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	compiler.UseLoader(noLoader{})
	// This fails for a second schema of the same name only, and if it did, compile would say so.
	_ = compiler.AddResource(location, schema)
	return library{base: base, compiler: compiler}
}

// compile compiles the subschema at a pointer of the document.
func (l library) compile(pointer string) (*jsonschema.Schema, error) {
	fragment := strings.ReplaceAll(strings.TrimPrefix(pointer, l.base), "%", "%25")
	compiled, err := l.compiler.Compile(location + "#" + fragment)
	if err != nil {
		return nil, explain(err)
	}
	return compiled, nil
}

// validate checks a value against the subschema at a pointer of the document.
func (l library) validate(pointer string, value any) error {
	compiled, err := l.compile(pointer)
	if err != nil {
		return err
	}
	if err := compiled.Validate(value); err != nil {
		return explain(err)
	}
	return nil
}

// explain words an error of the library: its own texts follow the order of Go
// maps, and have one line for each level.
func explain(err error) error {
	var invalid *jsonschema.ValidationError
	if !errors.As(err, &invalid) {
		return err
	}
	leaves := causes(invalid, nil)
	slices.SortStableFunc(leaves, func(a, b *jsonschema.ValidationError) int {
		return cmp.Or(
			slices.Compare(a.InstanceLocation, b.InstanceLocation),
			cmp.Compare(a.SchemaURL, b.SchemaURL),
			slices.Compare(a.ErrorKind.KeywordPath(), b.ErrorKind.KeywordPath()))
	})
	var texts []string
	for _, leaf := range leaves {
		if text := causeText(leaf); !slices.Contains(texts, text) {
			texts = append(texts, text)
		}
		if len(texts) == maxCauses {
			break
		}
	}
	return errors.New(strings.Join(texts, "; "))
}

func causes(err *jsonschema.ValidationError, leaves []*jsonschema.ValidationError) []*jsonschema.ValidationError {
	if len(err.Causes) == 0 {
		return append(leaves, err)
	}
	for _, cause := range err.Causes {
		leaves = causes(cause, leaves)
	}
	return leaves
}

func causeText(leaf *jsonschema.ValidationError) string {
	if extra, ok := leaf.ErrorKind.(*kind.AdditionalProperties); ok {
		slices.Sort(extra.Properties)
	}
	text := leaf.BasicOutput().Error.String()
	if at := leaf.InstanceLocation; len(at) > 0 {
		text = "at /" + strings.Join(at, "/") + ": " + text
	}
	return clip(text, maxQuoted*2)
}

// brief is the JSON of a value for a message.
func brief(value any) string {
	raw, err := canonical(value)
	if err != nil {
		return describe(value)
	}
	return clip(string(raw), maxQuoted)
}
