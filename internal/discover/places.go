package discover

import (
	"slices"
	"strconv"
	"strings"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/discover/eval"
	"github.com/maze-agent/maregister/internal/discover/syntax"
	"github.com/maze-agent/maregister/internal/finding"
)

// fields holds the keywords of arguments, by what of the manifest they become. The first that was given counts.
var fields = []struct {
	pointer  string
	keywords []string
}{
	{"/spec/name", []string{"name"}},
	{"/spec/description", []string{"description"}},
	{"/spec/inputParameters", []string{"input_parameters", "inputs"}},
	{"/spec/outputParameters", []string{"output_parameters", "outputs"}},
	{"/spec/resources/type", []string{"task_type", "task_kind"}},
	{"/spec/resources/cpu", []string{"cpu_num", "resources.cpu_num", "resources.cpu"}},
	{"/spec/resources/memory", []string{"mem", "resources.cpu_mem", "resources.mem"}},
	{"/spec/resources/gpuMemory", []string{"gpu_mem", "resources.gpu_mem"}},
	{"/spec/resources/modelName", []string{"model_name"}},
	{"/spec/resources/backend", []string{"backend"}},
	{"/spec/resources", []string{"resources"}},
	{"/spec/run/timeout", []string{"timeout_seconds"}},
	{"/spec/run/retries", []string{"max_retries"}},
	{"/spec/run/backoff", []string{"retry_backoff_seconds"}},
	{"/spec/run/retryOn", []string{"retry_on"}},
}

// judged returns what is wrong with the manifest, each where the value is declared.
func (d *declaration) judged(judge func(spec *v1alpha1.MazeTaskSpec) []finding.Finding) []finding.Finding {
	if judge == nil {
		return nil
	}
	findings := judge(&d.spec)
	for i := range findings {
		f := &findings[i]
		f.File, f.Position, f.Object, f.Pointer = d.module.Path, d.placeOf(f.Pointer), d.object(), ""
	}
	return findings
}

// placeOf returns where the value is declared that a JSON pointer leads to, or the last value on the way that is declared anywhere.
func (d *declaration) placeOf(pointer string) finding.Position {
	for _, field := range fields {
		rest, ok := strings.CutPrefix(pointer, field.pointer)
		if !ok || rest != "" && rest[0] != '/' {
			continue
		}
		tokens := strings.Split(rest, "/")[1:]
		for i := range tokens {
			tokens[i] = strings.NewReplacer("~1", "/", "~0", "~").Replace(tokens[i])
		}
		for _, keyword := range field.keywords {
			if a, given := d.arguments[keyword]; given && a.value != nil {
				return d.placeIn(keyword, a, tokens)
			}
		}
		return d.placeInSignature(field.pointer, tokens)
	}
	return d.function.At
}

// placeIn returns where a part of an argument is declared.
func (d *declaration) placeIn(keyword string, a argument, tokens []string) finding.Position {
	if keyword != "inputs" && keyword != "outputs" {
		return d.locate(a.from, a.at, tokens)
	}
	if len(tokens) < 2 { // they are names, and not a schema
		return a.at
	}
	if types := d.arguments["data_types"]; len(tokens) > 2 && d.typeGiven(tokens[1]) {
		return d.locate(types.from, types.at, tokens[1:2])
	}
	items, _ := eval.Elements(a.value)
	return d.locate(a.from, a.at, []string{strconv.Itoa(slices.Index(items, any(tokens[1])))})
}

// typeGiven reports whether data_types has a name.
func (d *declaration) typeGiven(name string) bool {
	types, _ := d.arguments["data_types"].value.(eval.Dict)
	return slices.ContainsFunc(types, func(e eval.Entry) bool { return e.Key == any(name) })
}

// placeInSignature returns where a part of the manifest is declared that comes from the function itself.
func (d *declaration) placeInSignature(field string, tokens []string) finding.Position {
	f := d.function
	switch {
	case field == "/spec/outputParameters" && f.Returns != nil:
		return f.Returns.At
	case field != "/spec/inputParameters" || len(tokens) < 2:
		return f.At
	}
	for i := range f.Parameters {
		p := &f.Parameters[i]
		switch {
		case p.Name != tokens[1]:
		case len(tokens) > 2 && tokens[2] == "default" && p.Fallback != nil:
			return p.Fallback.At
		case d.typeGiven(p.Name):
			types := d.arguments["data_types"]
			return d.locate(types.from, types.at, tokens[1:2])
		case len(tokens) > 2 && p.Annotation != nil:
			return p.Annotation.At
		default:
			return p.At
		}
	}
	return f.At
}

// maxLocated is how many expressions are looked at on the way to a place.
const maxLocated = 1000

// locate returns where a part of a value is written, as far as it is written in the module: tokens are keys of dicts and indexes of lists.
// at is the place of the whole.
func (d *declaration) locate(e *syntax.Expr, at finding.Position, tokens []string) finding.Position {
	for range maxLocated {
		if e = d.constant(e); e == nil || len(tokens) == 0 {
			return at
		}
		next, isSpread := d.member(e, tokens[0])
		if next == nil {
			return at
		}
		if e = next; !isSpread {
			at, tokens = e.At, tokens[1:]
		}
	}
	return at
}

// constant returns the value of a name of the module, or the expression itself. It is nil for what the module does not write.
func (d *declaration) constant(e *syntax.Expr) *syntax.Expr {
	for hops := 0; e != nil && e.Kind == syntax.Name; hops++ {
		bindings := d.module.Bindings[e.Text]
		if len(bindings) != 1 || hops == maxLocated {
			return nil
		}
		e = bindings[0].Value
	}
	return e
}

// member returns the value of a key of a dict or of an index of a list. isSpread means that the key is in what a ** stands for.
func (d *declaration) member(e *syntax.Expr, token string) (_ *syntax.Expr, isSpread bool) {
	switch e.Kind {
	case syntax.Dict:
		for i, operand := range slices.Backward(e.Operands) { // the last one counts
			if e.Keys[i] == nil {
				if value, _ := d.evaluate(operand); hasKey(value, token) {
					return operand, true
				}
				continue
			}
			if key, _ := d.evaluate(e.Keys[i]); key == any(token) {
				return operand, false
			}
		}
	case syntax.List, syntax.Tuple:
		isStarred := func(operand *syntax.Expr) bool { return operand.Kind == syntax.Starred }
		if i, err := strconv.Atoi(token); err == nil && i >= 0 && i < len(e.Operands) && !slices.ContainsFunc(e.Operands[:i+1], isStarred) {
			return e.Operands[i], false
		}
	}
	return nil, false
}

// hasKey reports whether a value is a dict with a key.
func hasKey(value any, key string) bool {
	entries, _ := value.(eval.Dict)
	return slices.ContainsFunc(entries, func(e eval.Entry) bool { return e.Key == any(key) })
}
