package schema

import "strings"

// moves knows which schemas a translation has moved, by their JSON pointers. What is below such a schema has moved with it.
type moves struct {
	// now and declared are the pointers that have changed, each by the other.
	now, declared map[string]string
}

// add notes that what is declared at one pointer is now at another.
func (m moves) add(declared, now string) {
	m.now[declared] = now
	m.declared[now] = declared
}

// nowAt returns where something is after the translation.
func (m moves) nowAt(declared string) string { return follow(m.now, declared) }

// declaredAt returns where something was declared: what users know it by.
func (m moves) declaredAt(now string) string { return follow(m.declared, now) }

// follow replaces the longest part of a pointer, from its beginning, that has another place.
func follow(places map[string]string, pointer string) string {
	if len(places) == 0 {
		return pointer
	}
	for end := len(pointer); end >= 0; end = strings.LastIndexByte(pointer[:end], '/') {
		if place, ok := places[pointer[:end]]; ok {
			return place + pointer[end:]
		}
		if end == 0 {
			break
		}
	}
	return pointer
}
