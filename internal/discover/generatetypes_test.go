package discover_test

import (
	"fmt"
	"strings"
)

// typeNames are how a file can name a type.
type typeNames struct {
	// records are the TypedDicts and dataclasses of the file.
	records []string
	// typedDicts and dataclasses can be inherited from.
	typedDicts, dataclasses []string
}

// typeImports stand at the top of every generated file.
const typeImports = `import collections.abc
import dataclasses
import os
import pathlib
import typing
import typing as t
from collections import abc
from dataclasses import dataclass, field
from pathlib import Path
from typing import (
    Any, Dict, Final, FrozenSet, List, Literal, Mapping, Optional,  # and
    Sequence as Seq, Set, Tuple, TypedDict, Union, Annotated,
)
`

// name names something of the typing module.
func (typeNames) name(w *writer, name string) string {
	if name == "Sequence" {
		return pick(w, "Seq", "t.Sequence", "typing.Sequence", "abc.Sequence", "collections.abc.Sequence")
	}
	switch name {
	case "Iterable", "Collection", "MutableMapping", "Required", "NotRequired":
		return pick(w, "t.", "typing.") + name
	}
	return pick(w, "", "t.", "typing.") + name
}

// annotation returns a type, in quotes at times.
func (w *writer) annotation(depth int) string {
	text := w.typeOf(depth)
	if w.coin(6) {
		return quoted(text)
	}
	return text
}

func quoted(text string) string {
	if strings.ContainsAny(text, "\\\n") {
		return text
	}
	if !strings.Contains(text, `"`) {
		return `"` + text + `"`
	}
	if !strings.Contains(text, "'") {
		return "'" + text + "'"
	}
	return text
}

func (w *writer) typeOf(depth int) string {
	names := w.types
	if depth <= 0 || w.coin(3) {
		leaves := []string{
			"str", "str", "int", "int", "float", "bool", names.name(w, "Any"), "object", "list", "dict", "set", "frozenset", "tuple", "bytes",
			"Path", "pathlib.Path", "os.PathLike", "Custom", "complex",
			names.name(w, "List"), names.name(w, "Dict"), names.name(w, "Sequence"), names.name(w, "Iterable"), names.name(w, "Mapping"),
		}
		if len(names.records) > 0 && w.coin(3) {
			return pick(w, names.records...)
		}
		return pick(w, leaves...)
	}
	inner := func() string {
		text := w.typeOf(depth - 1)
		if w.python >= 11 && w.coin(12) { // before, list["int"] keeps the string
			return quoted(text)
		}
		return text
	}
	space := pick(w, "", "", " ", "\n    ")
	switch w.IntN(15) {
	case 0, 1:
		return fmt.Sprintf("%s[%s%s]", pick(w, "list", names.name(w, "List"), names.name(w, "Sequence"), names.name(w, "Iterable"), names.name(w, "Collection")), space, inner())
	case 2:
		return fmt.Sprintf("%s[%s]", pick(w, "set", "frozenset", names.name(w, "Set"), names.name(w, "FrozenSet")), inner())
	case 3:
		return fmt.Sprintf("%s[%s, ...]", pick(w, "tuple", names.name(w, "Tuple")), inner())
	case 4:
		return fmt.Sprintf("%s[%s,%s%s]", pick(w, "tuple", names.name(w, "Tuple")), inner(), space, inner())
	case 5, 6:
		return fmt.Sprintf("%s[str, %s]", pick(w, "dict", names.name(w, "Dict"), names.name(w, "Mapping"), names.name(w, "MutableMapping")), inner())
	case 7, 8:
		return fmt.Sprintf("%s[%s]", names.name(w, "Optional"), inner())
	case 9:
		if w.python >= 11 { // before, it does not take a string that Union[...] leaves
			if left := w.typeOf(depth - 1); left != "None" {
				return left + " | " + pick(w, "None", "int", "None | str")
			}
		}
		return "None"
	case 10:
		return fmt.Sprintf("%s[%s, %s, %s]", names.name(w, "Union"), inner(), inner(), pick(w, "None", inner()))
	case 11:
		return fmt.Sprintf("%s[%s]", names.name(w, "Annotated"), inner()+", "+pick(w, `"of metres"`, "3", "print"))
	case 12:
		return fmt.Sprintf("%s[%s,]", names.name(w, "Union"), inner())
	default:
		return w.literalType()
	}
}

// literalType returns a Literal of different values.
func (w *writer) literalType() string {
	values := []string{`"a"`, "'b c'", `"größe"`, "1", "-2", "True", `"1"`, `'x"y'`, `"q" "r"`, `"\x41\t"`, "0x10"}
	if w.coin(6) {
		values = append(values, "None")
	}
	w.Shuffle(len(values), func(i, j int) { values[i], values[j] = values[j], values[i] })
	return fmt.Sprintf("%s[%s]", w.types.name(w, "Literal"), strings.Join(values[:w.IntN(4)+1], ", "))
}

// record writes a TypedDict or a dataclass.
func (w *writer) record(n int) string {
	var b strings.Builder
	name := fmt.Sprintf("Record%d", n)
	fields := w.IntN(4) + 1
	if w.coin(2) {
		base, total := w.types.name(w, "TypedDict"), pick(w, "", "", ", total=False", ", total=True")
		if len(w.types.typedDicts) > 0 && w.coin(2) {
			base = pick(w, w.types.typedDicts...)
		}
		fmt.Fprintf(&b, "class %s(%s%s):\n%s", name, base, total, pick(w, "", "    '''A record.'''\n"))
		for i := range fields {
			annotation := w.fieldType(name)
			if w.python >= 11 && w.coin(4) {
				annotation = fmt.Sprintf("%s[%s]", w.types.name(w, pick(w, "Required", "NotRequired")), annotation)
			}
			fmt.Fprintf(&b, "    field_%d_%d: %s\n", n%3, i, annotation)
		}
		w.types.typedDicts = append(w.types.typedDicts, name)
	} else {
		w.dataclass(&b, name, n, fields)
	}
	w.types.records = append(w.types.records, name)
	return b.String() + "\n\n"
}

func (w *writer) dataclass(b *strings.Builder, name string, n, fields int) {
	base, optional := "", false
	if len(w.types.dataclasses) > 0 && w.coin(2) {
		base, optional = "("+pick(w, w.types.dataclasses...)+")", true
	}
	fmt.Fprintf(b, "@%s\nclass %s%s:\n", pick(w, "dataclass", "dataclasses.dataclass", "dataclass()", "dataclasses.dataclass(order=True)"), name, base)
	for i := range fields {
		optional = optional || w.coin(3)
		fmt.Fprintf(b, "    field_%d_%d: %s", n%4, i, w.fieldType(name))
		if optional {
			constant := w.expression(pick[any](w, nil, 1, "größe", 2.5, true, w.sentence(), tuple{1, "b"}), 1)
			b.WriteString(" = " + pick(w, constant, constant, "field(default="+constant+")", "field(default_factory=list)", "dataclasses.field(default_factory=lambda: {})"))
		}
		b.WriteString("\n")
	}
	w.types.dataclasses = append(w.types.dataclasses, name)
}

func (w *writer) fieldType(record string) string {
	if w.coin(10) {
		return fmt.Sprintf(pick(w, `%s["%s"]`, `%s[List["%s"]]`), w.types.name(w, "Optional"), record)
	}
	return w.annotation(2)
}
