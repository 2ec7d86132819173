package discover

import (
	"slices"
	"strconv"

	"github.com/maze-agent/maregister/internal/discover/eval"
	"github.com/maze-agent/maregister/internal/discover/syntax"
	"github.com/maze-agent/maregister/internal/finding"
	"github.com/maze-agent/maregister/internal/nearest"
	"github.com/maze-agent/maregister/internal/schema"
	"github.com/maze-agent/maregister/internal/text"
)

// declaredInputs are those of a task, as far as a function can be compared with them.
type declaredInputs struct {
	// names are the declared ones.
	names []string
	// allows reports whether an argument that is not declared may be passed.
	allows func(name string) bool
	// at returns where an input is declared.
	at func(name string) finding.Position
}

// maxName, in bytes, bounds what a message repeats of a name.
const maxName = 80

// quoted returns a name as messages have it.
func quoted(name string) string { return strconv.Quote(text.Clip(name, maxName)) }

// compareParameters compares the inputs that the decorator declares with the parameters of the function: Maze passes arguments by name.
// A function that another decorator may have given other parameters is not compared.
func (d *declaration) compareParameters() {
	last := d.function.Decorators[len(d.function.Decorators)-1]
	inputs := d.declaredInputs()
	if inputs == nil || last != d.applied {
		return
	}
	byName, takesAny := map[string]*syntax.Parameter{}, false
	var names []string
	for i := range d.function.Parameters {
		p := &d.function.Parameters[i]
		takesAny = takesAny || p.Special == "**"
		if p.Special == "" || p.Special == "/" {
			byName[p.Name] = p
			names = append(names, p.Name)
		}
	}
	for _, name := range inputs.names {
		switch p := byName[name]; {
		case p != nil && p.Special == "/" && !takesAny:
			d.find(finding.UnlikeSignature, inputs.at(name), "the input %s is declared, but %s takes it by its position only, and Maze passes arguments by name: "+
				"take away the / behind it", quoted(name), d.function.Name)
		case p == nil && !takesAny:
			d.find(finding.UnlikeSignature, inputs.at(name), "the input %s is declared, but %s has no such parameter, so a call with it fails%s",
				quoted(name), d.function.Name, meant(name, names, inputs.names))
		}
	}
	for _, name := range names {
		p := byName[name]
		if p.Fallback == nil && !slices.Contains(inputs.names, name) && !inputs.allows(name) {
			d.find(finding.UnlikeSignature, p.At, "%s needs the parameter %s, but it is no declared input, so no workflow may pass it: declare it, or give it "+
				"a default%s", d.function.Name, name, meant(name, inputs.names, names))
		}
	}
}

// meant returns a hint at the name that was probably meant: one that the other side has, and this one has not.
func meant(name string, names, taken []string) string {
	free := slices.DeleteFunc(slices.Clone(names), func(other string) bool { return slices.Contains(taken, other) })
	if near := nearest.Name(name, free); near != "" {
		return "; did you mean " + near + "?"
	}
	return ""
}

// declaredInputs returns the inputs that the decorator declares. It is nil if it declares none, or they are not known.
func (d *declaration) declaredInputs() *declaredInputs {
	switch {
	case d.form == &listed:
		return d.listedInputs()
	case !d.isKnown("input_parameters") || d.spec.InputParameters == nil:
		return nil
	}
	parsed, _, refused := schema.Parse(d.spec.InputParameters.Raw)
	if refused != nil {
		return nil // which whoever judges the task tells
	}
	parameters, err := parsed.Parameters()
	if err != nil {
		return nil
	}
	names := parameters.Names()
	if len(names) == 0 && len(parameters.Required()) == 0 { // such as {}: nothing is declared
		return nil
	}
	return &declaredInputs{names, parameters.Allows, func(name string) finding.Position {
		a := d.arguments["input_parameters"]
		for _, tokens := range [][]string{{"properties", name}, {name}} {
			if at := d.locate(a.from, a.at, tokens[:len(tokens)-1]); len(tokens) > 1 && at == a.at {
				continue // it is the shorthand
			}
			return d.locate(a.from, a.at, tokens)
		}
		return a.at
	}}
}

// listedInputs returns the inputs of a list of names. Maze once passed all of them in one dict, to a function with one parameter.
func (d *declaration) listedInputs() *declaredInputs {
	a := d.arguments["inputs"]
	items, ok := eval.Elements(a.value)
	if parameters := d.function.Parameters; !ok || len(parameters) == 1 && !slices.Contains(items, any(parameters[0].Name)) {
		return nil
	}
	inputs := &declaredInputs{allows: func(string) bool { return false }}
	for _, item := range items {
		if name, isText := item.(string); isText {
			inputs.names = append(inputs.names, name)
		}
	}
	inputs.at = func(name string) finding.Position { return d.placeIn("inputs", a, []string{"properties", name}) }
	return inputs
}

// checkDataTypes compares the names that data_types has with those of inputs and outputs.
func (d *declaration) checkDataTypes(names []string) {
	a := d.arguments["data_types"]
	types, _ := a.value.(eval.Dict)
	for _, e := range types {
		if name, ok := e.Key.(string); ok && !slices.Contains(names, name) {
			d.find(finding.UnlikeSignature, d.locate(a.from, a.at, []string{name}), "data_types has the name %s, which is neither an input nor an output of %s, so "+
				"Maze ignores it%s", quoted(name), d.function.Name, meant(name, names, nil))
		}
	}
}

// names returns a list of names. It is nil, with a finding, if the value is none.
func (d *declaration) names(keyword string) []string {
	if !d.has(keyword) {
		return []string{}
	}
	if d.arguments[keyword].why != nil {
		return nil
	}
	items, ok := eval.Elements(d.arguments[keyword].value)
	names := make([]string, len(items))
	for i, item := range items {
		var isText bool
		names[i], isText = item.(string)
		ok = ok && isText
	}
	if !ok {
		d.wrong(keyword, "a list of names")
		return nil
	}
	return names
}

// dataTypes returns the types that a declaration has for names.
func (d *declaration) dataTypes() map[string]string {
	types := map[string]string{}
	if !d.isKnown("data_types") {
		return types
	}
	entries, ok := d.arguments["data_types"].value.(eval.Dict)
	if !ok {
		d.wrong("data_types", "a dict of names")
	}
	for _, e := range entries {
		key, isText := e.Key.(string)
		switch value := e.Value.(type) {
		case string:
			types[key] = value
		case eval.Type:
			types[key] = string(value)
		default:
			isText = false
		}
		if !isText {
			d.find(finding.WrongArgument, d.arguments["data_types"].at, "data_types maps names to names of types such as \"str\"; %s is left out", kindOrText(e.Key))
		}
	}
	return types
}
