package lint

import (
	"maps"
	"slices"
	"strings"

	"github.com/maze-agent/maregister/internal/finding"
	"github.com/maze-agent/maregister/internal/schema"
)

// pastedTool is where a tool of another framework stands in an object.
type pastedTool struct {
	at   place
	tool schema.Pasted
	// parameters says that it stands instead of parameters, and not of the spec.
	parameters bool
}

// pasted finds tools of other frameworks: instead of the spec, or of the parameters in it. It returns nil if there are none.
func (o *object) pasted() []pastedTool {
	at, ok := o.place.member("spec")
	if !ok {
		return o.pastedBeside()
	}
	if tool, ok := schema.RecognisePasted(o.content["spec"]); ok && o.isNoSpec() {
		return []pastedTool{{at: at, tool: tool}}
	}
	spec, _ := o.content["spec"].(map[string]any)
	var all []pastedTool
	for _, name := range []string{"inputParameters", "outputParameters"} {
		if tool, ok := schema.RecognisePasted(spec[name]); ok {
			at, _ := at.member(name)
			all = append(all, pastedTool{at, tool, true})
		}
	}
	return all
}

// pastedBeside finds a tool whose members stand beside apiVersion and kind, where there is no spec.
func (o *object) pastedBeside() []pastedTool {
	rest := maps.Clone(o.content)
	for _, name := range []string{"apiVersion", "kind", "metadata"} {
		delete(rest, name)
	}
	if tool, ok := schema.RecognisePasted(rest); ok {
		return []pastedTool{{at: o.place, tool: tool}}
	}
	return nil
}

// isNoSpec reports whether the spec has none of the parameters of a MazeTask.
func (o *object) isNoSpec() bool {
	spec, _ := o.content["spec"].(map[string]any)
	return spec["inputParameters"] == nil && spec["outputParameters"] == nil
}

// reportPasted leaves of the findings from an index on those that do not follow from a pasted tool, and says what that is.
func (o *object) reportPasted(before int, all []pastedTool) {
	for _, one := range all {
		rule, found := finding.PastedTool, false
		below := func(f finding.Finding) bool {
			return f.Pointer == one.at.path || strings.HasPrefix(f.Pointer, one.at.path+"/")
		}
		for _, f := range o.file.findings[before:] {
			if one.parameters && below(f) && f.Rule == finding.InvalidSchema {
				rule, found = f.Rule, true // which is what the operator says
			}
		}
		failed := found || slices.ContainsFunc(o.file.findings[before:], func(f finding.Finding) bool {
			return below(f) && f.Severity == finding.SeverityError
		})
		kept := slices.DeleteFunc(o.file.findings[before:], below)
		o.file.findings = o.file.findings[:before+len(kept)]
		place := "the spec of a MazeTask"
		switch {
		case one.parameters:
			place = "the schema of parameters"
		case one.at.path == "":
			place = "a MazeTask, which has all of it below spec"
		}
		told := o.file.report(rule, one.at.at, o.name, "%s%s", fieldPrefix(one.at.path), oneLine(one.tool.Sentence(place)))
		told.Pointer = one.at.path
		if !failed {
			o.file.errors-- // it is none
			told.Severity = finding.SeverityWarning
			told.Message += "; it is read as a declaration of parameters with these names"
		}
	}
}

// fieldPath returns a pointer as a path of fields: spec.inputParameters.
func fieldPath(pointer string) string {
	return strings.ReplaceAll(strings.TrimPrefix(pointer, "/"), "/", ".")
}

// fieldPrefix returns how a message begins that is about a pointer.
func fieldPrefix(pointer string) string {
	if pointer == "" {
		return ""
	}
	return fieldPath(pointer) + ": "
}

// reportPastedDocument reports a document that is a tool of another framework. It reports false if it is none.
func (f *file) reportPastedDocument(d document) bool {
	tool, ok := schema.RecognisePasted(d.value)
	if ok {
		f.report(finding.PastedTool, d.place.at, "", "%s", oneLine(tool.Sentence("a MazeTask")))
	}
	return ok
}
