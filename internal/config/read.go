package config

import (
	"cmp"
	"errors"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/maze-agent/maregister/internal/jsontree"
	"github.com/maze-agent/maregister/internal/nearest"
	"github.com/maze-agent/maregister/internal/text"
)

// The decoders of YAML libraries stop at the first thing that is wrong, do not say where a quantity is that cannot be read, and read "1",
// 1 and 1.9 as the same number. Hence read, which knows the kinds of Go types that the configuration has.

// read sets a Go value from a node, strictly: text is text, a number is a number, and every field is known.
func (f *file) read(node *jsontree.Node, into reflect.Value, path string) {
	f.places[path] = node.YAML.At
	if into.Type() == reflect.TypeFor[resource.Quantity]() {
		f.readQuantity(node, into, path)
		return
	}
	switch into.Kind() {
	case reflect.Pointer:
		into.Set(reflect.New(into.Type().Elem()))
		f.read(node, into.Elem(), path)
	case reflect.Struct:
		f.readStruct(node, into, path)
	case reflect.Map:
		f.readMap(node, into, path)
	case reflect.Slice:
		f.readSlice(node, into, path)
	case reflect.String:
		f.readString(node, into, path)
	default:
		f.readInteger(node, into, path)
	}
}

// readStruct reads the fields of a struct, and of those inline in it. One that is null is not there.
func (f *file) readStruct(node *jsontree.Node, into reflect.Value, path string) {
	fields := map[string][]int{}
	for _, one := range reflect.VisibleFields(into.Type()) {
		if name, _, _ := strings.Cut(one.Tag.Get("json"), ","); name != "" {
			fields[name] = one.Index
		}
	}
	pathOf := func(name string) string { return child(path, printable(name)) }
	f.members(node, path, pathOf, func(name string, value *jsontree.Node) {
		index, ok := fields[name]
		switch {
		case !ok:
			known := slices.Sorted(maps.Keys(fields))
			f.report(value.YAML.Key.YAML.At, pathOf(name), "is not a field%s the fields of %s are %s",
				cmp.Or(nearest.Question(nearest.Name(name, known)), ":"), cmp.Or(path, "the file"), strings.Join(known, ", "))
		case value.Kind != jsontree.Null:
			f.read(value, into.FieldByIndex(index), pathOf(name))
		}
	})
}

func (f *file) readMap(node *jsontree.Node, into reflect.Value, path string) {
	into.Set(reflect.MakeMap(into.Type()))
	pathOf := func(name string) string { return label(path, name) }
	f.members(node, path, pathOf, func(name string, value *jsontree.Node) {
		element := reflect.New(into.Type().Elem()).Elem()
		f.read(value, element, pathOf(name))
		into.SetMapIndex(reflect.ValueOf(name), element)
	})
}

// members calls visit for what a mapping holds, the first time that a name comes.
func (f *file) members(node *jsontree.Node, path string, pathOf func(string) string, visit func(name string, value *jsontree.Node)) {
	if node.Kind != jsontree.Object {
		f.invalid(path, "is %s: write names with values, such as {name: value}", describe(node))
		return
	}
	seen := map[string]text.Position{}
	for _, value := range node.Children {
		key := value.YAML.Key
		if !isText(key) {
			f.report(key.YAML.At, "", "the name of a field is %s: write text, in quotes if need be", describe(key))
			continue
		}
		name := key.YAML.Text
		if colonless, ok := strings.CutSuffix(name, ":"); ok && key.YAML.Plain && value.Kind == jsontree.Null && value.YAML.Text == "" {
			name = colonless // {a:, b: c}, of which YAML 1.1 reads a: as the key, and YAML 1.2 a
		}
		if first, ok := seen[name]; ok {
			f.report(key.YAML.At, pathOf(name), "is given twice, first in line %d: keep one", first.Line)
			continue
		}
		seen[name] = key.YAML.At
		visit(name, value)
	}
}

func (f *file) readSlice(node *jsontree.Node, into reflect.Value, path string) {
	if node.Kind != jsontree.Array {
		f.invalid(path, "is %s: write a list, such as [a, b]", describe(node))
		return
	}
	into.Set(reflect.MakeSlice(into.Type(), len(node.Children), len(node.Children)))
	for i, value := range node.Children {
		f.read(value, into.Index(i), item(path, i))
	}
}

func (f *file) readString(node *jsontree.Node, into reflect.Value, path string) {
	advice := "write text"
	switch {
	case isText(node):
		into.SetString(node.YAML.Text)
		return
	case node.Kind == jsontree.Number, node.Kind == jsontree.True, node.Kind == jsontree.False:
		advice = "if text is meant, put it in quotes"
	}
	f.invalid(path, "is %s: %s", describe(node), advice)
}

func (f *file) readInteger(node *jsontree.Node, into reflect.Value, path string) {
	value, err := strconv.ParseInt(strings.ReplaceAll(node.YAML.Text, "_", ""), 0, into.Type().Bits())
	switch {
	case node.Kind != jsontree.Number || isText(node), err != nil && !errors.Is(err, strconv.ErrRange):
		f.invalid(path, "is %s: write a whole number, without quotes", describe(node))
	case err != nil:
		f.invalid(path, "is %s, which is out of range: write one nearer to 0", describe(node))
	default:
		into.SetInt(value)
	}
}

// plainQuantity keeps exponents from the parser of quantities, which takes seconds for 1e-10000000.
var plainQuantity = regexp.MustCompile(`^[0-9]{1,18}([.][0-9]{1,9})?([KMGTPE]i|[mkMGTPE])?$`)

func (f *file) readQuantity(node *jsontree.Node, into reflect.Value, path string) {
	quantity, err := resource.ParseQuantity(plainQuantity.FindString(node.YAML.Text)) // of nothing, it is an error
	if err != nil {
		f.invalid(path, "is %s: write a quantity such as 256Ki or 23034Mi", describe(node))
		return
	}
	into.Set(reflect.ValueOf(quantity))
}

// isText reports whether a value is text. A number with an exponent, and without a point, is text to YAML 1.1: 1e0.
func isText(node *jsontree.Node) bool {
	return node.Kind == jsontree.Text || node.Kind == jsontree.Number && exponentOnly.MatchString(node.YAML.Text)
}

var exponentOnly = regexp.MustCompile(`^[-+]?[0-9]+[eE][-+]?[0-9]+$`)

// describe returns what messages say of what stands in the place of a value.
func describe(node *jsontree.Node) string {
	switch written := node.YAML.Text; {
	case isText(node):
		return quote(written)
	case node.Kind == jsontree.Number:
		return "the number " + printable(written)
	case node.Kind == jsontree.True, node.Kind == jsontree.False:
		return written + ", which is true or false and not text"
	case node.Kind == jsontree.Array:
		return "a list"
	case node.Kind == jsontree.Object:
		return "a mapping"
	default:
		return "empty"
	}
}

// maxQuoted is the most characters of a text that a message repeats.
const maxQuoted = 65

// quote quotes what the file has, cut where it is long.
func quote[T ~string](written T) string {
	return strconv.Quote(text.ClipCharacters(string(written), maxQuoted))
}

var plainName = regexp.MustCompile(`^[-._/A-Za-z0-9]{1,317}$`)

// printable returns a name as it is, or in quotes if it has characters that no label's key has.
func printable(name string) string {
	if plainName.MatchString(name) {
		return name
	}
	return quote(name)
}
