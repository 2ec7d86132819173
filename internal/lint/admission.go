package lint

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/objectmeta"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	apiservervalidation "k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/api/operation"
	"k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"sigs.k8s.io/yaml"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/config/crd"
)

// Admission does what the API server does with an object that is created, by its CRD and the API server's own packages.
type Admission struct {
	structural *structuralschema.Structural
	schema     apiservervalidation.SchemaValidator
	rules      *cel.Validator
	// messages are those of the rules that are always the same.
	messages map[string]bool
	// valid are values of spec.resources, as JSON, in which nothing is wrong. It is nil if that does not depend on them alone.
	valid map[string]bool
}

// NewAdmission compiles the CRD of MazeTasks.
func NewAdmission() (*Admission, error) { return compile(crd.MazeTasks) }

// compile compiles a CRD.
func compile(declared []byte) (*Admission, error) {
	var definition apiextensionsv1.CustomResourceDefinition
	if err := yaml.UnmarshalStrict(declared, &definition); err != nil {
		return nil, fmt.Errorf("read the CRD: %w", err)
	}
	for _, version := range definition.Spec.Versions {
		if version.Name == v1alpha1.SchemeGroupVersion.Version {
			return newAdmission(version.Schema.OpenAPIV3Schema)
		}
	}
	return nil, fmt.Errorf("the CRD has no version %s", v1alpha1.SchemeGroupVersion.Version)
}

// newAdmission compiles the schema and the CEL rules that a CRD declares.
func newAdmission(declared *apiextensionsv1.JSONSchemaProps) (*Admission, error) {
	var properties apiextensions.JSONSchemaProps
	if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(declared, &properties, nil); err != nil {
		return nil, fmt.Errorf("convert the CRD's schema: %w", err)
	}
	structural, err := structuralschema.NewStructural(&properties)
	if err != nil {
		return nil, fmt.Errorf("read the CRD's schema: %w", err)
	}
	schema, _, err := apiservervalidation.NewSchemaValidator(&properties)
	if err != nil {
		return nil, fmt.Errorf("compile the CRD's schema: %w", err)
	}
	a := &Admission{structural, schema, cel.NewValidator(structural, true, celconfig.PerCallLimit), map[string]bool{}, nil}
	a.addMessages(structural)
	spec := structural.Properties["spec"]
	mentions := func(rule apiextensionsv1.ValidationRule) bool { return strings.Contains(rule.Rule, resources) }
	rules := slices.Concat(structural.XValidations, spec.XValidations)
	if !slices.ContainsFunc(rules, mentions) && !slices.Contains(spec.ValueValidation.Required, resources) {
		a.valid = map[string]bool{}
	}
	return a, nil
}

const resources = "resources"

// addMessages collects the messages of the rules of a field and the fields in it.
func (a *Admission) addMessages(s *structuralschema.Structural) {
	for _, rule := range s.XValidations {
		a.messages[rule.Message] = true
	}
	for _, property := range s.Properties {
		a.addMessages(&property)
	}
	if s.Items != nil {
		a.addMessages(s.Items)
	}
	if s.AdditionalProperties != nil && s.AdditionalProperties.Structural != nil {
		a.addMessages(s.AdditionalProperties.Structural)
	}
}

// Refusal is why the API server refuses an object.
type Refusal struct {
	// Unknown are the fields that the object has, and its kind has not: spec.resources.gpu. They are refused with
	// fieldValidation=Strict, which is kubectl's way, and dropped without.
	Unknown []string
	// Errors are what is wrong with fields.
	Errors field.ErrorList
}

// Admit returns an object as the API server would store it, with the CRD's defaults, and why it would not. The object, whose
// apiVersion and kind are those of a MazeTask, is changed on the way.
func (a *Admission) Admit(object map[string]any) (*v1alpha1.MazeTask, Refusal) {
	return admit[v1alpha1.MazeTask](a, object)
}

// admit does that with an object of a type, which is the one of the CRD.
func admit[T any](a *Admission, object map[string]any) (*T, Refusal) {
	defaulting.Default(object, a.structural)
	meta, unknown, errs := readMeta(object)
	refusal := Refusal{Unknown: append(unknown, a.prune(object)...), Errors: errs}
	if err := objectmeta.SetObjectMeta(object, meta); err != nil {
		refusal.Errors = append(refusal.Errors, field.InternalError(field.NewPath("metadata"), err))
		return nil, refusal
	}
	delete(object, "status") // it is another request that writes it
	refusal.Errors = append(refusal.Errors, a.validate(object, meta)...)
	if len(refusal.Errors) > 0 {
		return nil, refusal
	}
	admitted := new(T)
	err := runtime.DefaultUnstructuredConverter.FromUnstructured(object, admitted)
	switch {
	case err != nil:
		refusal.Errors = field.ErrorList{field.Invalid(nil, nil, fmt.Sprintf("cannot be read: %v", err))}
		return nil, refusal
	case isLarge(object):
		refusal.Errors = field.ErrorList{field.TooLong(nil, nil, maxObject)}
		return nil, refusal
	}
	return admitted, refusal
}

// isLarge reports whether an object is larger than etcd stores. It makes JSON of it only if that may be so.
func isLarge(object map[string]any) bool {
	if atMostBytes(object) <= maxObject {
		return false
	}
	content, err := json.Marshal(object)
	return err == nil && len(content) > maxObject
}

// atMostBytes returns more bytes than a value has as JSON.
func atMostBytes(value any) int {
	const escaped, scalar = 6, 32 // a byte is six at most, as \u003c; numbers and punctuation are no more than the other
	total := scalar
	switch v := value.(type) {
	case map[string]any:
		for name, member := range v {
			total += len(name)*escaped + atMostBytes(member)
		}
	case []any:
		for _, item := range v {
			total += atMostBytes(item)
		}
	case string:
		total += len(v) * escaped
	}
	return total
}

// tooLarge reports whether an object is refused for its size.
func (r Refusal) tooLarge() bool {
	return slices.ContainsFunc(r.Errors, func(err *field.Error) bool { return err.Type == field.ErrorTypeTooLong && noPath(err) })
}

// maxObject is how large an object may be that etcd takes by default, in bytes.
const maxObject = 3 << 19

func (a *Admission) prune(object map[string]any) []string {
	unknown := pruning.PruneWithOptions(object, a.structural, true, structuralschema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true})
	defaulting.PruneNonNullableNullsWithoutDefaults(object, a.structural)
	return unknown
}

// background is a context that never ends. The API server's packages ask for one, and nothing here waits.
type background struct{}

// Deadline implements context.Context.
func (background) Deadline() (deadline time.Time, ok bool) { return deadline, false }

// Done implements context.Context.
func (background) Done() <-chan struct{} { return nil }

// Err implements context.Context.
func (background) Err() error { return nil }

// Value implements context.Context.
func (background) Value(any) any { return nil }

// validate follows the API server's strategy for custom resources.
func (a *Admission) validate(object map[string]any, meta *metav1.ObjectMeta) field.ErrorList {
	ctx := background{}
	errs := validateMeta(ctx, meta)
	object, known := a.withoutKnown(object)
	for _, err := range apiservervalidation.ValidateCustomResource(nil, object, a.schema) {
		errs = append(errs, withField(err))
	}
	errs = append(errs, objectmeta.Validate(ctx, nil, object, a.structural, false)...)
	errs = append(errs, listtype.ValidateListSetsAndMaps(nil, a.structural, object)...)
	without := wrongForms(errs)
	if len(without) == 0 {
		broken, _ := a.rules.Validate(ctx, nil, a.structural, object, nil, celconfig.RuntimeCELCostBudget)
		if errs = append(errs, broken...); len(errs) == 0 && known != "" {
			a.valid[known] = true
		}
		return errs
	}
	return append(errs, a.validateRest(ctx, object, without)...)
}

// withoutKnown returns an object without resources that are known to be valid: most tasks ask for the same few, and half of the rules are
// about these. Otherwise it returns the object, and as what its resources are to be known if they are valid; empty for not at all.
func (a *Admission) withoutKnown(object map[string]any) (map[string]any, string) {
	const most = 1000
	spec, _ := object["spec"].(map[string]any)
	if a.valid == nil || spec[resources] == nil || len(a.valid) >= most {
		return object, ""
	}
	key, err := json.Marshal(spec[resources])
	if err != nil || !a.valid[string(key)] {
		return object, string(key)
	}
	object, spec = maps.Clone(object), maps.Clone(spec)
	delete(spec, resources)
	object["spec"] = spec
	return object, ""
}

// wrongForms returns the fields that do not have the right form: before these are corrected, the API server applies no rule.
func wrongForms(errs field.ErrorList) []string {
	var fields []string
	for _, err := range errs {
		switch err.Type {
		case field.ErrorTypeNotSupported, field.ErrorTypeRequired, field.ErrorTypeTooLong, field.ErrorTypeTooMany, field.ErrorTypeTypeInvalid:
			fields = append(fields, err.Field)
		default:
		}
	}
	return fields
}

// validateRest applies the rules to an object without the fields whose form is wrong: who corrects those wants to know the rest, too. Of a
// rule that asks for one of these, nothing is known.
func (a *Admission) validateRest(ctx background, object map[string]any, without []string) field.ErrorList {
	rest := runtime.DeepCopyJSON(map[string]any{"spec": object["spec"]})
	for _, path := range without {
		names := strings.Split(path, ".")
		if len(names) < 2 && names[0] == "spec" {
			return nil
		}
		unstructured.RemoveNestedField(rest, names...)
	}
	asked := map[string]bool{}
	for _, path := range without {
		for end := strings.LastIndexByte(path, '.'); end > 0; end = strings.LastIndexByte(path, '.') {
			path = path[:end]
			asked[path] = true
		}
	}
	broken, _ := a.rules.Validate(ctx, nil, a.structural, rest, nil, celconfig.RuntimeCELCostBudget)
	return slices.DeleteFunc(broken, func(err *field.Error) bool { return asked[err.Field] && !a.messages[err.Detail] })
}

// pathWithin is how some of the API server's packages tell a field: of a number that is out of range, and of a quantity that is none.
var pathWithin = regexp.MustCompile(`^Checked value (?P<detail>must be .*) in (?P<path>\S+)$|^"(?P<path>\S+)" (?P<detail>must validate .*)$`)

// withField sets the field of an error that only its text names.
func withField(err *field.Error) *field.Error {
	match := pathWithin.FindStringSubmatch(err.Detail)
	if match == nil || !noPath(err) {
		return err
	}
	for i, name := range pathWithin.SubexpNames() {
		switch {
		case match[i] == "":
		case name == "path":
			err.Field = match[i]
		case name == "detail":
			err.Detail = match[i]
		}
	}
	return err
}

// validateMeta validates metadata as the API server has completed them: with the namespace of the request and a generated name.
func validateMeta(ctx background, declared *metav1.ObjectMeta) field.ErrorList {
	meta := declared.DeepCopy()
	path := field.NewPath("metadata")
	if meta.Namespace == "" {
		meta.Namespace = metav1.NamespaceDefault
	}
	generated := meta.Name == "" && meta.GenerateName != ""
	if generated {
		const maxBase, suffix = 58, "xxxxx"
		meta.Name = meta.GenerateName[:min(len(meta.GenerateName), maxBase)] + suffix
	}
	meta.Generation = 1
	errs := validation.ValidateObjectMetaDeclaratively(ctx, operation.Create, meta, nil, true, validation.NameIsDNSSubdomain, path, true)
	if errs := slices.DeleteFunc(slices.Clone(errs), func(err *field.Error) bool { return err.Field == "metadata.name" }); generated && len(errs) > 0 {
		return errs // what is wrong with the generated name is wrong with what it is generated from
	}
	return errs
}

// readMeta reads an object's metadata. Where that cannot be, it says why, and reads what can be.
func readMeta(object map[string]any) (*metav1.ObjectMeta, []string, field.ErrorList) {
	var errs field.ErrorList
	meta, found, unknown, err := objectmeta.GetObjectMetaWithOptions(object, objectmeta.ObjectMetaOptions{ReturnUnknownFieldPaths: true})
	if err != nil {
		errs = field.ErrorList{unreadableMeta(object, err)}
		meta, found, unknown, err = objectmeta.GetObjectMetaWithOptions(object, objectmeta.ObjectMetaOptions{
			DropMalformedFields: true, ReturnUnknownFieldPaths: true,
		})
	}
	if err != nil || !found || meta == nil {
		meta = &metav1.ObjectMeta{}
	}
	return meta, unknown, errs
}

// unreadableMeta returns an error for that part of the metadata which has a wrong type.
func unreadableMeta(object map[string]any, err error) *field.Error {
	path := field.NewPath("metadata")
	wrong, ok := errors.AsType[*json.UnmarshalTypeError](err)
	if !ok {
		return field.TypeInvalid(path, nil, err.Error())
	}
	value := object["metadata"]
	for _, name := range strings.Split(wrong.Field, ".") {
		if name != "" {
			path, value = path.Child(name), memberOf(value, name)
		}
	}
	if texts, ok := value.(map[string]any); ok && wrong.Type.Kind() == reflect.String { // such as labels
		for _, name := range slices.Sorted(maps.Keys(texts)) {
			if _, ok := texts[name].(string); !ok {
				path = path.Key(name)
				break
			}
		}
	}
	return field.TypeInvalid(path, nil, fmt.Sprintf("must be %s, not %s", typeName(wrong.Type.Kind()), wrong.Value))
}

func memberOf(value any, name string) any {
	object, _ := value.(map[string]any)
	return object[name]
}
