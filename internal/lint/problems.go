package lint

import (
	"fmt"
	"reflect"
	"regexp"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/maze-agent/maregister/internal/finding"
	"github.com/maze-agent/maregister/internal/jsontree"
	"github.com/maze-agent/maregister/internal/nearest"
)

// object is one MazeTask or MazeWorkflow of a document.
type object struct {
	file  *file
	place place
	// name is how findings call it: MazeTask vision/image-caption.
	name string
	// content is what the manifest says.
	content map[string]any
}

func (o *object) report(rule string, at place, format string, args ...any) {
	o.file.report(rule, at.at, o.name, format, args...).Pointer = at.path
}

// reportValue reports what is wrong with a value, and how that is read if it is not read as it is written.
func (o *object) reportValue(rule string, at place, message string) {
	reading, isBoolean := at.reading()
	switch isType := rule == finding.WrongType || rule == finding.InvalidMetadata; {
	case reading != "" && (isBoolean || isType):
		reading += ": put it in quotes if it is a text"
	case isType:
		if reading = at.missingSpace(); reading == "" {
			reading = at.inText()
		}
	}
	if reading == "" {
		reading = at.notYet()
	}
	o.report(rule, at, "%s", message+reading)
}

// refuse reports why the API server would refuse an object.
func (o *object) refuse(a *Admission, refusal Refusal) {
	for i, path := range refusal.Unknown {
		if o.file.full(finding.UnknownField) {
			o.file.leaveOut(finding.UnknownField, len(refusal.Unknown)-i)
			break
		}
		_, parent, last := o.place.field(path)
		advice := nearest.Question(a.meant(path))
		if slip, ok := jsontree.Lookalike(last); ok && advice == "" {
			advice = "; " + slip.String()
		}
		if advice == "" {
			advice = "; correct or remove it; \"kubectl explain " + strings.ToLower(text(o.content["kind"])) + " --recursive\" lists the fields"
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

// relevant are the errors without those that follow from another one. What is wrong with the type of a field has to be corrected before
// another error in it means anything. A later error of a field is from a rule of the CRD, which has words of its own.
func (r Refusal) relevant() field.ErrorList {
	later := map[string]int{}
	for i, err := range r.Errors {
		if !isForbidden(err) {
			later[err.Field] = i
		}
	}
	var out field.ErrorList
	wrongType := map[string]bool{}
	for i, err := range r.Errors {
		isType := err.Type == field.ErrorTypeTypeInvalid
		saysMore := !isForbidden(err) && later[err.Field] > i && strings.HasPrefix(err.Field, "spec.") && !isType
		if !saysMore && !isBelow(wrongType, err.Field) {
			out = append(out, err)
		}
		if isType {
			wrongType[err.Field] = true
		}
	}
	return out
}

// isBelow reports whether a field, or one that it is in, is among some fields.
func isBelow(fields map[string]bool, path string) bool {
	for len(fields) > 0 {
		if fields[path] {
			return true
		}
		end := strings.LastIndexByte(path, '.')
		if end < 0 {
			return false
		}
		path = path[:end]
	}
	return false
}

// reportField reports an error of the API server at the field that it is about, as far as that is in the document.
func (o *object) reportField(err *field.Error) {
	rule, found := ruleOf(err), o.place
	if o.file.full(rule) {
		o.file.leaveOut(rule, 1)
		return
	}
	if !noPath(err) {
		found = o.fieldOf(err)
	}
	if rule == finding.InvalidMetadata {
		found = o.labelOf(found, err)
	}
	o.reportValue(rule, found, messageOf(err))
}

// fieldOf returns the place that an error is about. What is missing is where it should be.
func (o *object) fieldOf(err *field.Error) place {
	found, parent, last := o.place.field(err.Field)
	if found.path == parent.path && last != "" {
		return found.below(last)
	}
	return found
}

// noPath reports whether an error is about the object as such.
func noPath(err *field.Error) bool { return err.Field == "" || err.Field == "<nil>" }

// labelOf finds which of the labels or annotations is wrong: the API server names its key or its value.
func (o *object) labelOf(labels place, err *field.Error) place {
	wrong, ok := err.BadValue.(string)
	name, isMap := strings.CutPrefix(err.Field, "metadata.")
	if !ok || !isMap {
		return labels
	}
	meta, _ := o.content["metadata"].(map[string]any)
	texts, _ := meta[name].(map[string]any)
	if _, ok := texts[wrong]; ok {
		return labels.key(wrong)
	}
	first := ""
	for key, value := range texts {
		if value == wrong && (first == "" || key < first) {
			first = key
		}
	}
	if value, ok := labels.member(first); ok {
		return value
	}
	return labels
}

// ruleOf returns which rule an error of the API server is of.
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
	case isForbidden(err):
		return finding.GPUMemoryNeedsGPU
	case err.Field == "spec.entryPoint":
		return finding.InvalidEntryPoint
	}
	if isQuantity(err.Field) {
		return finding.InvalidQuantity
	}
	return finding.InvalidValue
}

// isForbidden reports whether a rule of the CRD forbids a field that is there: those of resources that need type: gpu.
func isForbidden(err *field.Error) bool {
	return err.Type == field.ErrorTypeForbidden && strings.HasPrefix(err.Field, "spec.resources.")
}

func isQuantity(path string) bool {
	name, ok := strings.CutPrefix(path, "spec.resources.")
	return ok && (name == "cpu" || name == "memory" || name == "gpuMemory")
}

// isFraction reports whether a quantity is written as a number that is no integer.
func isFraction(err *field.Error) bool {
	return err.Type == field.ErrorTypeTypeInvalid && isQuantity(err.Field) && strings.HasSuffix(err.Detail, `"number"`)
}

// inBody is how some of the API server's packages repeat the field, and the value behind it.
var inBody = regexp.MustCompile(`^\S+ in body `)

// messageOf returns what is wrong with a field: what the API server says, without the value, which is where a finding points to.
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
		if isForbidden(err) {
			break
		}
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
	if strings.HasPrefix(detail, name+" is ") || isForbidden(err) { // the CRD's rules name the field
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
