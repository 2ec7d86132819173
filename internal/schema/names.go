package schema

import (
	"strconv"
	"strings"

	"github.com/maze-agent/maregister/internal/jsontree"
)

// nameLists notes what is wrong with the names that "required" and "dependentRequired" list, each at its own place.
func (d *document) nameLists(at site, k keyword) *Error {
	if k.shape == nameList {
		return d.nameList(at, k, at.value, at.pointer())
	}
	lists, ok := at.value.(map[string]any)
	if !ok {
		return mismatch(at, k, plainShapes[k.shape].want)
	}
	for _, name := range sortedNames(lists) {
		d.note(d.nameList(at, k, lists[name], at.member(name)))
	}
	return nil
}

func (d *document) nameList(at site, k keyword, value any, pointer string) *Error {
	list, ok := value.([]any)
	if !ok {
		if advice := at.listMeant(value); advice != "" && k.shape == nameList {
			k.hint = advice
		}
		err := mismatch(site{name: at.name, value: value}, k, plainShapes[nameList].want)
		err.Pointer = pointer
		return err
	}
	first := make(map[string]int, len(list))
	for i, item := range list {
		item, isText := item.(string)
		if !isText {
			d.note(invalid(pointer+"/"+strconv.Itoa(i), "%q has names, which are strings; found %s", at.name, describe(list[i])))
			continue
		}
		if other, twice := first[item]; twice {
			d.note(invalid(pointer+"/"+strconv.Itoa(i), "%s is in the list already, as its item %d; keep one of them", quote(item), other+1))
			continue
		}
		first[item] = i
	}
	return nil
}

// listMeant says what to write for true or false, which stands where a list of required names should be. Empty if that is not known.
func (s site) listMeant(value any) string {
	name, ok := parameterAt(s.base)
	if !ok {
		return ""
	}
	switch value {
	case true, "true":
		return "remove it, and " + nameAsRequired(name)
	case false, "false":
		return "remove it: " + optionalUnlessNamed
	}
	return ""
}

// parameterAt returns the name of the parameter whose schema is at a pointer.
func parameterAt(pointer string) (string, bool) {
	const collection = "/properties/"
	at := strings.LastIndex(pointer, collection)
	if at < 0 || strings.Contains(pointer[at+len(collection):], "/") {
		return "", false
	}
	return jsontree.Tokens(pointer[at+len(collection)-1:])[0], true
}

const optionalUnlessNamed = `a parameter is optional unless "required" beside "properties" names it`

func nameAsRequired(name string) string {
	return `name it beside "properties", as in {"type": "object", "properties": {…}, "required": [` + quote(name) + "]}"
}
