package lint

import (
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/maze-agent/maregister/internal/finding"
	"github.com/maze-agent/maregister/internal/nearest"
)

// object is one MazeTask of a document.
type object struct {
	file  *file
	place place
	// name is how findings call it: MazeTask vision/image-caption.
	name string
	// content is what the manifest says.
	content map[string]any
}

func (o *object) report(rule string, at finding.Position, format string, args ...any) {
	o.file.report(rule, at, o.name, format, args...)
}

// refuse reports why the API server would refuse an object.
func (o *object) refuse(a *Admission, refusal Refusal) {
	for _, path := range refusal.Unknown {
		_, parent, last := o.place.field(path)
		advice := nearest.Question(a.meant(path))
		if advice == "" {
			advice = "; correct or remove it; \"kubectl explain mazetask --recursive\" lists the fields"
		}
		o.report(finding.UnknownField, parent.key(last), "%s: unknown field%s", oneLine(path), advice)
	}
	for _, err := range refusal.relevant() {
		o.reportField(err)
	}
}

// Messages tell what is wrong with fields, with their paths; not which fields are unknown.
func (r Refusal) Messages() []string {
	var messages []string
	for _, err := range r.relevant() {
		messages = append(messages, messageOf(err))
	}
	return messages
}

// relevant are the errors without those that follow from another one.
func (r Refusal) relevant() field.ErrorList {
	var out field.ErrorList
	for i, err := range r.Errors {
		if !slices.ContainsFunc(r.Errors[:i], func(other *field.Error) bool { return implies(other, err) }) &&
			!slices.ContainsFunc(r.Errors[i+1:], func(other *field.Error) bool { return saysMore(other, err) }) {
			out = append(out, err)
		}
	}
	return out
}

// implies says whether what is wrong with one field has to be corrected before another error means anything.
func implies(first, other *field.Error) bool {
	return first.Type == field.ErrorTypeTypeInvalid && (other.Field == first.Field || strings.HasPrefix(other.Field, first.Field+"."))
}

// saysMore says whether a later error is of the same field: then it is from a rule of the CRD, which has words of its own.
func saysMore(later, err *field.Error) bool {
	return later.Field == err.Field && strings.HasPrefix(err.Field, "spec.") && err.Type != field.ErrorTypeTypeInvalid
}

func (o *object) reportField(err *field.Error) {
	rule, found := ruleOf(err), o.place
	if !noPath(err) {
		found, _, _ = o.place.field(err.Field)
	}
	switch rule {
	case finding.GPUMemoryNeedsGPU:
		found, _ = found.member("gpuMemory")
	case finding.InvalidMetadata:
		found = o.labelOf(found, err)
	}
	o.report(rule, found.at, "%s", messageOf(err))
}

// noPath says whether an error is about the object as such.
func noPath(err *field.Error) bool { return err.Field == "" || err.Field == "<nil>" }

// labelOf finds which of the labels or annotations is wrong: the API server tells its key or its value.
func (o *object) labelOf(labels place, err *field.Error) place {
	wrong, ok := err.BadValue.(string)
	name, isMap := strings.CutPrefix(err.Field, "metadata.")
	if !ok || !isMap {
		return labels
	}
	meta, _ := o.content["metadata"].(map[string]any)
	texts, _ := meta[name].(map[string]any)
	for _, key := range slices.Sorted(maps.Keys(texts)) {
		if key == wrong {
			return place{at: labels.key(key)}
		}
		if texts[key] == wrong {
			value, _ := labels.member(key)
			return value
		}
	}
	return labels
}

// ruleOf tells which rule an error of the API server is of.
func ruleOf(err *field.Error) string {
	switch {
	case err.Type == field.ErrorTypeTooLong && noPath(err):
		return finding.ManifestTooLarge
	case err.Field == "metadata" || strings.HasPrefix(err.Field, "metadata."):
		return finding.InvalidMetadata
	case err.Type == field.ErrorTypeRequired:
		return finding.MissingField
	case err.Type == field.ErrorTypeTypeInvalid && !isFraction(err):
		return finding.WrongType
	case err.Field == "spec.name":
		return finding.InvalidTaskName
	case err.Field == "spec.resources":
		return finding.GPUMemoryNeedsGPU
	case err.Field == "spec.entryPoint":
		return finding.InvalidEntryPoint
	}
	if isQuantity(err.Field) {
		return finding.InvalidQuantity
	}
	return finding.InvalidValue
}

func isQuantity(path string) bool {
	name, ok := strings.CutPrefix(path, "spec.resources.")
	return ok && (name == "cpu" || name == "memory" || name == "gpuMemory")
}

// isFraction says whether a quantity is written as a number that is no integer.
func isFraction(err *field.Error) bool {
	return err.Type == field.ErrorTypeTypeInvalid && isQuantity(err.Field) && strings.HasSuffix(err.Detail, `"number"`)
}

// inBody is how some of the API server's packages repeat the field, and the value behind it.
var inBody = regexp.MustCompile(`^\S+ in body `)

// messageOf says what is wrong with a field: what the API server says, without the value, which is where a finding points to.
func messageOf(err *field.Error) string {
	if noPath(err) {
		if err.Type == field.ErrorTypeTooLong {
			return fmt.Sprintf("the object has more than %d bytes, which etcd does not store; shorten it, or split it", maxObject)
		}
		return oneLine("the object " + err.Detail)
	}
	detail := inBody.ReplaceAllString(err.Detail, "")
	switch err.Type {
	case field.ErrorTypeRequired:
		if detail == "" {
			detail = "is required"
		}
	case field.ErrorTypeTypeInvalid:
		if isFraction(err) {
			detail = "a fraction has to be in quotes, or in a smaller unit: " + `"0.5" or 500m`
		} else if i := strings.LastIndex(detail, ": "); i >= 0 && strings.HasPrefix(detail, "must be of type ") {
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
	parent, name := "", err.Field
	if i := strings.LastIndex(err.Field, "."); i >= 0 {
		parent, name = err.Field[:i+1], err.Field[i+1:]
	}
	if strings.HasPrefix(detail, name+" is ") { // the CRD's rules name the field
		return oneLine(parent + detail)
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
