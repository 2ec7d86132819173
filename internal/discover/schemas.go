package discover

import (
	"encoding/json"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"github.com/maze-agent/maregister/internal/discover/annotation"
	"github.com/maze-agent/maregister/internal/discover/eval"
	"github.com/maze-agent/maregister/internal/finding"
)

// declared returns a schema as it was declared. It is nil if it is not known, or None.
func (d *declaration) declared(keyword string) *apiextensionsv1.JSON {
	if !d.isKnown(keyword) {
		return nil
	}
	a := d.arguments[keyword]
	if _, ok := a.value.(eval.Dict); !ok {
		d.wrong(keyword, "a dict")
		return nil
	}
	value, problem := eval.JSON(a.value)
	if problem != "" {
		d.find(finding.WrongArgument, a.at, "%s has %s, which is no JSON; it is left out", keyword, problem)
		return nil
	}
	return d.json(value)
}

// maxWritten, in bytes, bounds the schemas and descriptions of a file's tasks together. A small file can name a large constant, or a
// class with many fields, any number of times. Python files of people have a few kilobytes of them.
const maxWritten = 16 << 20

// write counts what the tasks of the file have written. It refuses the task that has too much.
func (d *declaration) write(bytes int) bool {
	if d.storeys.written[d.module] += bytes; d.storeys.written[d.module] <= maxWritten {
		return true
	}
	if !d.refused {
		d.refuse(finding.Unreadable, d.function.At, "%s is no task: the schemas and descriptions of this file's tasks have more than %d MiB together: split it",
			d.function.Name, maxWritten>>20)
	}
	return false
}

// json returns a value as JSON text. It is nil if that cannot be, with a finding.
func (d *declaration) json(value any) *apiextensionsv1.JSON {
	if d.storeys.written[d.module] > maxWritten {
		d.write(0)
		return nil
	}
	text, err := json.Marshal(value)
	if err != nil { // of what toJSON made, nothing is left that can fail
		d.find(finding.WrongArgument, d.decorator.At, "%v; it is left out", err)
		return nil
	}
	if !d.write(len(text)) {
		return nil
	}
	return &apiextensionsv1.JSON{Raw: text}
}

// properties returns the schemas of names by their types, which are text. A name without a type has that of the fallback.
func (d *declaration) properties(names []string, types map[string]string, fallback string) annotation.Schema {
	properties := annotation.Schema{}
	for _, name := range names {
		text, given := types[name]
		if !given {
			text = fallback
		}
		properties[name] = d.typeNamed(text, d.arguments["data_types"].at)
	}
	return properties
}

// typeNamed returns the schema of a type that is written in a string.
func (d *declaration) typeNamed(text string, at finding.Position) annotation.Schema {
	if text == "file" || strings.HasPrefix(text, "file:") {
		return annotation.Schema{"type": mazeConstants["TYPE_FILEPATH"]}
	}
	if text == "folder" || strings.HasPrefix(text, "folder:") {
		return annotation.Schema{"type": mazeConstants["TYPE_FOLDERPATH"]}
	}
	return d.annotations().Written(text, at)
}

// inputs returns a schema of the function's signature. types, by name, come before annotations. With bare, a parameter without either
// is a string. The schema of a function without parameters allows none: it has none, which is not the same as to declare none.
func (d *declaration) inputs(types map[string]string, bare bool) annotation.Schema {
	properties, required := annotation.Schema{}, []string{}
	c := d.annotations()
	for i := range d.function.Parameters {
		p := &d.function.Parameters[i]
		if p.Special != "" {
			continue
		}
		text, given := types[p.Name]
		var schema annotation.Schema
		switch {
		case given:
			schema = c.WithDefault(d.typeNamed(text, d.arguments["data_types"].at), p)
		case p.Annotation == nil && bare:
			schema = c.WithDefault(annotation.Schema{"type": "string"}, p)
		default:
			schema = c.Parameter(p)
		}
		properties[p.Name] = schema
		if p.Fallback == nil {
			required = append(required, p.Name)
		}
	}
	schema := annotation.Schema{"type": "object", "properties": properties}
	if len(required) > 0 {
		schema["required"] = required
	}
	if len(d.function.Parameters) == 0 {
		schema["additionalProperties"] = false
	}
	return schema
}

// annotatedOutput returns a schema of the return annotation, if that is a class which describes one.
func (d *declaration) annotatedOutput() *apiextensionsv1.JSON {
	if d.function.Returns == nil {
		return nil
	}
	c := d.annotations()
	if class := c.ClassOf(c.Bare(d.function.Returns)); class != nil {
		return d.json(c.Class(class))
	}
	return nil
}

// annotations returns a reader for the annotations of the module.
func (d *declaration) annotations() *annotation.Reader {
	if d.reader == nil {
		classes := d.storeys.classes[d.module]
		if classes == nil {
			classes = annotation.NewClasses(d.module)
			d.storeys.classes[d.module] = classes
		}
		d.reader = &annotation.Reader{Classes: classes, Evaluate: d.evaluate, Quoted: &d.storeys.quoted, Find: d.find}
	}
	return d.reader
}
