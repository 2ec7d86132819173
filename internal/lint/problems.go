package lint

import (
	"fmt"
	"reflect"
	"regexp"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/maze-agent/maregister/internal/finding"
)

// object is one MazeTask of a document.
type object struct {
	file  *file
	place place
	// name is how findings call it: MazeTask vision/image-caption.
	name string
}

func (o *object) report(rule string, at finding.Position, format string, args ...any) {
	o.file.report(rule, at, o.name, format, args...)
}

// refuse reports why the API server would refuse an object.
func (o *object) refuse(a *Admission, refusal Refusal) {
	for _, path := range refusal.Unknown {
		_, parent, last := o.place.field(path)
		advice := "remove it; \"kubectl explain mazetask --recursive\" lists the fields"
		if meant := a.meant(path); meant != "" {
			advice = "did you mean " + meant + "?"
		}
		o.report(finding.UnknownField, parent.key(last), "%s: unknown field; %s", oneLine(path), advice)
	}
	last := map[string]int{} // of what is wrong with one field, the CRD's own rule comes last and says most
	for i, err := range refusal.Errors {
		last[err.Field] = i
	}
	for i, err := range refusal.Errors {
		if last[err.Field] == i {
			o.reportField(err)
		}
	}
}

func (o *object) reportField(err *field.Error) {
	if err.Field == "" || err.Field == "<nil>" {
		o.report(ruleOf(err), o.place.at, "%s", oneLine(err.Detail))
		return
	}
	rule := ruleOf(err)
	found, _, _ := o.place.field(err.Field)
	if gpuMemory, ok := found.member("gpuMemory"); ok && rule == finding.GPUMemoryNeedsGPU {
		found = gpuMemory
	}
	o.report(rule, found.at, "%s", describe(err))
}

// ruleOf tells which rule an error of the API server is of.
func ruleOf(err *field.Error) string {
	switch {
	case err.Type == field.ErrorTypeTooLong && (err.Field == "" || err.Field == "<nil>"):
		return finding.ManifestTooLarge
	case err.Field == "metadata" || strings.HasPrefix(err.Field, "metadata."):
		return finding.InvalidMetadata
	case err.Type == field.ErrorTypeRequired:
		return finding.MissingField
	case err.Type == field.ErrorTypeTypeInvalid:
		return finding.WrongType
	case err.Field == "spec.name":
		return finding.InvalidTaskName
	case err.Field == "spec.resources":
		return finding.GPUMemoryNeedsGPU
	case err.Field == "spec.entryPoint":
		return finding.InvalidEntryPoint
	}
	if name, ok := strings.CutPrefix(err.Field, "spec.resources."); ok && (name == "cpu" || name == "memory" || name == "gpuMemory") {
		return finding.InvalidQuantity
	}
	return finding.InvalidValue
}

// inBody is how some of the API server's packages repeat the field, and the value behind it.
var inBody = regexp.MustCompile(`^\S+ in body `)

// describe says what is wrong with a field: what the API server says, without the value, which is where the finding points to.
func describe(err *field.Error) string {
	detail := inBody.ReplaceAllString(err.Detail, "")
	switch err.Type {
	case field.ErrorTypeRequired:
		if detail == "" {
			detail = "is required"
		}
	case field.ErrorTypeTypeInvalid:
		if i := strings.LastIndex(detail, ": "); i >= 0 && strings.HasPrefix(detail, "must be of type ") {
			detail = fmt.Sprintf("%s, not %s", detail[:i], strings.Trim(detail[i+2:], `"`))
		}
	case field.ErrorTypeNotSupported:
		detail = fmt.Sprintf("%v is none of the %s", quoted(err.BadValue), detail)
	case field.ErrorTypeTooLong, field.ErrorTypeTooMany, field.ErrorTypeForbidden, field.ErrorTypeDuplicate:
		detail = strings.TrimSuffix(fmt.Sprintf("%s: %s", err.Type, detail), ": ")
	default: // the detail says it all
	}
	if detail == "" {
		detail = err.ErrorBody()
	}
	return oneLine(fmt.Sprintf("%s: %s", err.Field, detail))
}

func quoted(value any) string {
	if text, ok := value.(string); ok {
		return fmt.Sprintf("%q", text)
	}
	return fmt.Sprint(value)
}

// typeName is what a Go type is called in JSON.
func typeName(kind reflect.Kind) string {
	switch kind {
	case reflect.String:
		return "a string"
	case reflect.Map, reflect.Struct:
		return "an object"
	case reflect.Slice:
		return "an array"
	case reflect.Bool:
		return "true or false"
	default:
		return "a number"
	}
}
