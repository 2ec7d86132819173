package discover

import (
	"encoding/json"
	"math"
	"math/big"
	"slices"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"github.com/maze-agent/maregister/internal/finding"
)

// object is a JSON Schema, or a part of one.
type object = map[string]any

// declared gives a schema as it was declared. Nil if it is not known, or None.
func (d *declaration) declared(keyword string) *apiextensionsv1.JSON {
	if !d.isKnown(keyword) {
		return nil
	}
	a := d.arguments[keyword]
	if _, ok := a.value.(dict); !ok {
		d.wrong(keyword, "a dict")
		return nil
	}
	values := maxSteps
	value, problem := toJSON(a.value, &values)
	if problem != "" {
		d.find(finding.WrongArgument, a.at, "%s has %s, which is no JSON; it is left out", keyword, problem)
		return nil
	}
	return d.json(value)
}

func (d *declaration) json(value any) *apiextensionsv1.JSON {
	text, err := json.Marshal(value)
	if err != nil { // of what toJSON made, nothing is left that can fail
		d.find(finding.WrongArgument, d.decorator.at, "%v; it is left out", err)
		return nil
	}
	return &apiextensionsv1.JSON{Raw: text}
}

// toJSON makes a value one that json.Marshal takes. Type objects become the names that JSON Schema has for them. It takes from the
// number of values that there may be, for what is small in memory may be large when written. It says what is no JSON.
func toJSON(value any, left *int) (_ any, problem string) {
	if *left--; *left < 0 {
		return nil, "too many values"
	}
	switch value := value.(type) {
	case nil, bool, string:
		return value, ""
	case *big.Int:
		return json.Number(value.String()), ""
	case float64:
		if math.IsInf(value, 0) || math.IsNaN(value) {
			return nil, "a number that is not finite"
		}
		return value, ""
	case pyType:
		return pyTypes[string(value)], ""
	case list:
		return manyToJSON(value, left)
	case tuple:
		return manyToJSON(value, left)
	case dict:
		out := make(object, len(value))
		for _, e := range value {
			key, ok := e.key.(string)
			if !ok {
				return nil, "a key that is not a string"
			}
			if out[key], problem = toJSON(e.value, left); problem != "" {
				return nil, problem
			}
		}
		return out, ""
	default:
		return nil, kindOf(value)
	}
}

func manyToJSON(items []any, left *int) (_ any, problem string) {
	out := make([]any, len(items))
	for i, item := range items {
		if out[i], problem = toJSON(item, left); problem != "" {
			return nil, problem
		}
	}
	return out, ""
}

// properties gives the schemas of names whose types are given as text; of others, that of the fallback.
func (d *declaration) properties(names []string, types map[string]string, fallback string) object {
	properties := object{}
	for _, name := range names {
		text, given := types[name]
		if !given {
			text = fallback
		}
		properties[name] = d.typeNamed(text, d.arguments["data_types"].at)
	}
	return properties
}

// typeNamed gives the schema of a type that is written in a string.
func (d *declaration) typeNamed(text string, at finding.Position) object {
	if text == "file" || strings.HasPrefix(text, "file:") {
		return object{"type": mazeConstants["TYPE_FILEPATH"]}
	}
	if text == "folder" || strings.HasPrefix(text, "folder:") {
		return object{"type": mazeConstants["TYPE_FOLDERPATH"]}
	}
	c := d.annotations()
	return c.written(text, at)
}

// inputs derives a schema from the function's signature. types, by name, come before annotations. bare says that a parameter
// without any is a string.
func (d *declaration) inputs(types map[string]string, bare bool) object {
	properties, required := object{}, []string{}
	c := d.annotations()
	for i := range d.function.parameters {
		p := &d.function.parameters[i]
		if p.special != "" {
			continue
		}
		text, given := types[p.name]
		var schema object
		switch {
		case given:
			schema = c.withDefault(d.typeNamed(text, d.arguments["data_types"].at), p)
		case p.annotation == nil && bare:
			schema = c.withDefault(object{"type": "string"}, p)
		default:
			schema = c.parameter(p)
		}
		properties[p.name] = schema
		if p.fallback == nil {
			required = append(required, p.name)
		}
	}
	schema := object{"type": "object", "properties": properties}
	if len(required) > 0 {
		schema["required"] = required
	}
	return schema
}

// annotatedOutput derives a schema from the return annotation, if that is a class which describes one.
func (d *declaration) annotatedOutput() *apiextensionsv1.JSON {
	if d.function.returns == nil {
		return nil
	}
	c := d.annotations()
	if class := c.classOf(c.bare(d.function.returns)); class != nil {
		return d.json(c.class(class))
	}
	return nil
}

func (d *declaration) annotations() *annotations {
	return &annotations{linker: d.linker, module: d.module, find: d.find}
}

// without gives the values that are not a given one.
func without(values []string, value string) []string {
	return slices.DeleteFunc(slices.Clone(values), func(v string) bool { return v == value })
}
