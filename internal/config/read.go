package config

import (
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/maze-agent/maregister/internal/nearest"
)

// YAML's own decoders stop at the first thing that is wrong, do not say where a quantity is that cannot be read, and read "1",
// 1 and 1.9 as the same number. Hence read, which knows the kinds of Go types that the configuration has.

// read sets a Go value from a node, strictly: text is text, a number is a number, and every field is known.
func (f *file) read(node ast.Node, into reflect.Value, path *field.Path) {
	f.places[pathText(path)] = start(node)
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

func (f *file) readStruct(node ast.Node, into reflect.Value, path *field.Path) {
	fields := fieldsOf(into.Type())
	f.entries(node, path, func(name string) *field.Path { return path.Child(name) }, func(name string, key, value ast.Node) {
		index, ok := fields[name]
		switch {
		case !ok:
			f.unknownField(name, start(key), path, fields)
		case value.Type() != ast.NullType:
			f.read(value, into.FieldByIndex(index), path.Child(name))
		}
	})
}

// fieldsOf finds the fields of a struct, and of those inline in it, by their names in JSON.
func fieldsOf(t reflect.Type) map[string][]int {
	fields := map[string][]int{}
	for _, one := range reflect.VisibleFields(t) {
		if name, _, _ := strings.Cut(one.Tag.Get("json"), ","); name != "" {
			fields[name] = one.Index
		}
	}
	return fields
}

func (f *file) unknownField(name string, at position, path *field.Path, fields map[string][]int) {
	known := slices.Sorted(maps.Keys(fields))
	guess := ""
	if meant := nearest.Name(name, known); meant != "" {
		guess = "did you mean " + meant + "? "
	}
	where := pathText(path)
	if where == "" {
		where = "the file"
	}
	f.reportField(at, path.Child(printable(name)), "is not a field: %sthe fields of %s are %s", guess, where, strings.Join(known, ", "))
}

// entries calls visit for what a mapping holds, the first time that a name comes.
func (f *file) entries(node ast.Node, path *field.Path, child func(string) *field.Path, visit func(name string, key, value ast.Node)) {
	mapping, ok := node.(ast.MapNode)
	if !ok {
		f.invalid(path, "is %s: write names with values, such as {name: value}", describe(node))
		return
	}
	seen := map[string]position{}
	for entry := mapping.MapRange(); entry.Next(); {
		key, ok := entry.Key().(*ast.StringNode)
		if !ok {
			f.report(start(entry.Key()), "the name of a field is %s: write text, in quotes if need be", describe(entry.Key()))
			continue
		}
		if first, ok := seen[key.Value]; ok {
			f.reportField(start(key), child(printable(key.Value)), "is given twice, first in line %d: keep one", first.line)
			continue
		}
		seen[key.Value] = start(key)
		visit(key.Value, key, entry.Value())
	}
}

func (f *file) readMap(node ast.Node, into reflect.Value, path *field.Path) {
	into.Set(reflect.MakeMap(into.Type()))
	child := func(name string) *field.Path { return path.Key(printable(name)) }
	f.entries(node, path, child, func(name string, _, value ast.Node) {
		element := reflect.New(into.Type().Elem()).Elem()
		f.read(value, element, child(name))
		into.SetMapIndex(reflect.ValueOf(name), element)
	})
}

func (f *file) readSlice(node ast.Node, into reflect.Value, path *field.Path) {
	sequence, ok := node.(*ast.SequenceNode)
	if !ok {
		f.invalid(path, "is %s: write a list, such as [a, b]", describe(node))
		return
	}
	into.Set(reflect.MakeSlice(into.Type(), len(sequence.Values), len(sequence.Values)))
	for i, value := range sequence.Values {
		f.read(value, into.Index(i), path.Index(i))
	}
}

func (f *file) readString(node ast.Node, into reflect.Value, path *field.Path) {
	switch scalar := node.(type) {
	case *ast.StringNode:
		into.SetString(scalar.Value)
	case *ast.LiteralNode:
		into.SetString(scalar.Value.Value)
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		f.invalid(path, `is %s: if text is meant, put it in quotes`, describe(node))
	default:
		f.invalid(path, "is %s: write text", describe(node))
	}
}

func (f *file) readInteger(node ast.Node, into reflect.Value, path *field.Path) {
	number, ok := node.(*ast.IntegerNode)
	if !ok {
		f.invalid(path, "is %s: write a whole number, without quotes", describe(node))
		return
	}
	value, err := strconv.ParseInt(fmt.Sprint(number.Value), 10, into.Type().Bits())
	if err == nil {
		into.SetInt(value)
		return
	}
	f.invalid(path, "is %s, which is out of range: write one nearer to 0", describe(node))
}

// plainQuantity keeps exponents from the parser of quantities, which takes seconds for 1e-10000000.
var plainQuantity = regexp.MustCompile(`^[0-9]{1,18}([.][0-9]{1,9})?([KMGTPE]i|[mkMGTPE])?$`)

func (f *file) readQuantity(node ast.Node, into reflect.Value, path *field.Path) {
	text := ""
	switch scalar := node.(type) {
	case *ast.StringNode:
		text = scalar.Value
	case *ast.IntegerNode, *ast.FloatNode:
		text = scalar.GetToken().Value
	}
	if plainQuantity.MatchString(text) {
		if quantity, err := resource.ParseQuantity(text); err == nil {
			into.Set(reflect.ValueOf(quantity))
			return
		}
	}
	f.invalid(path, "is %s: write a quantity such as 256Ki or 23034Mi", describe(node))
}

// describe says in messages what stands in the place of a value.
func describe(node ast.Node) string {
	switch value := node.(type) {
	case *ast.StringNode:
		return quote(value.Value)
	case *ast.LiteralNode:
		return quote(value.Value.Value)
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return "the number " + printable(value.GetToken().Value)
	case *ast.BoolNode:
		return value.GetToken().Value + ", which is true or false and not text"
	case *ast.SequenceNode:
		return "a list"
	case ast.MapNode:
		return "a mapping"
	default:
		return "empty"
	}
}

const maxQuoted = 64

// quote quotes what the file has, cut where it is long.
func quote(text string) string {
	if characters := []rune(text); len(characters) > maxQuoted {
		text = string(characters[:maxQuoted]) + "…"
	}
	return strconv.Quote(text)
}

var plainName = regexp.MustCompile(`^[-._/A-Za-z0-9]{1,317}$`)

// printable is a name as it is, and in quotes if there is more to it than a label's key can have.
func printable(name string) string {
	if plainName.MatchString(name) {
		return name
	}
	return quote(name)
}
