package schema

import (
	"encoding/json"
	"unicode/utf8"
)

// verdict is whether a schema allows a value.
type verdict int

const (
	undecided verdict = iota
	rejected
	accepted
)

// and is the verdict of two schemas that both apply.
func (v verdict) and(other verdict) verdict {
	switch {
	case v == rejected || other == rejected:
		return rejected
	case v == accepted && other == accepted:
		return accepted
	default:
		return undecided
	}
}

func verdictOf(ok bool) verdict {
	if ok {
		return accepted
	}
	return rejected
}

// judge tells whether a value fits without compiling the schema, which takes
// many times as long. It leaves to the library what is seldom declared.
type judge struct {
	*Parameters
	// steps is how many more values and schemas it may look at.
	steps int
}

func (j *judge) spend(n int) bool {
	j.steps -= n
	return j.steps >= 0
}

// all judges a value by schemas that all apply to it.
func (j *judge) all(ids []int, value any) verdict {
	result := accepted
	for _, id := range ids {
		if result = result.and(j.one(id, value)); result == rejected {
			return rejected
		}
	}
	return result
}

func (j *judge) one(id int, value any) verdict {
	if !j.spend(1) {
		return undecided
	}
	f, kind := j.facts(id), kindOf(value)
	if f.kinds&kind == 0 {
		return rejected
	}
	result := j.lists(f, value)
	if result != rejected {
		result = result.and(j.content(f, value))
	}
	for _, e := range f.extras {
		if result == rejected {
			return rejected
		}
		if e.kinds&kind != 0 {
			result = result.and(j.extra(f, e, value))
		}
	}
	if result != rejected {
		result = result.and(j.all(f.all, value))
	}
	for _, c := range f.choices {
		if result == rejected {
			return rejected
		}
		result = result.and(j.choice(c, value))
	}
	return result
}

func (j *judge) lists(f *facts, value any) verdict {
	for _, list := range f.lists {
		found := false
		for i := 0; i < len(list) && !found; i++ {
			if !j.spend(1) {
				return undecided
			}
			found = equal(list[i], value)
		}
		if !found {
			return rejected
		}
	}
	return accepted
}

func (j *judge) content(f *facts, value any) verdict {
	switch v := value.(type) {
	case json.Number:
		return verdictOf(f.allowsNumber(v))
	case string:
		return verdictOf(f.length == anyCount || f.length.contains(utf8.RuneCountInString(v)))
	case []any:
		return j.array(f, v)
	case map[string]any:
		return j.object(f, v)
	default:
		return accepted
	}
}

func (f *facts) allowsNumber(number json.Number) bool {
	if f.numbers == (interval{}) && len(f.steps) == 0 {
		return true
	}
	n := rational(number)
	for _, step := range f.steps {
		if !isMultiple(n, step) {
			return false
		}
	}
	return f.numbers.contains(n)
}

func (j *judge) array(f *facts, items []any) verdict {
	if !f.items.contains(len(items)) {
		return rejected
	}
	result := accepted
	for i, item := range items {
		id := f.item(i)
		if id == none {
			continue
		}
		if result = result.and(j.one(id, item)); result == rejected {
			break
		}
	}
	return result
}

func (j *judge) object(f *facts, members map[string]any) verdict {
	if !f.members.contains(len(members)) {
		return rejected
	}
	for _, name := range f.required {
		if _, ok := members[name]; !ok {
			return rejected
		}
	}
	result := accepted
	for _, name := range sortedNames(members) { // so that the steps are the same each time
		if !j.spend(f.matchSteps(name)) {
			return undecided
		}
		if result = result.and(j.all(f.member(j.Parameters, name), members[name])); result == rejected {
			break
		}
	}
	return result
}

// matchSteps is what applying the regular expressions of a schema to a text costs.
func (f *facts) matchSteps(text string) int { return f.patternSize * len(text) / charactersPerStep }

func (j *judge) extra(f *facts, e extra, value any) verdict {
	switch e.keyword {
	case "pattern":
		text := value.(string)
		if !j.spend(f.matchSteps(text)) {
			return undecided
		}
		return verdictOf(j.matches(e.value.(string), text))
	case "not":
		switch j.one(e.node, value) {
		case accepted:
			return rejected
		case rejected:
			return accepted
		}
	case "propertyNames":
		result := accepted
		for _, name := range sortedNames(value.(map[string]any)) {
			result = result.and(j.one(e.node, name))
		}
		return result
	}
	return undecided
}

func (j *judge) choice(c choice, value any) verdict {
	if c.keyword == "if" {
		return j.condition(c, value)
	}
	fits, open := 0, 0
	for _, id := range c.options {
		switch j.one(id, value) {
		case accepted:
			fits++
		case undecided:
			open++
		}
		if fits > 0 && c.keyword == "anyOf" {
			return accepted
		}
		if fits > 1 {
			return rejected
		}
	}
	if open > 0 {
		return undecided
	}
	return verdictOf(fits > 0)
}

func (j *judge) condition(c choice, value any) verdict {
	branch := func(id int) verdict {
		if id == none {
			return accepted
		}
		return j.one(id, value)
	}
	switch j.one(c.options[0], value) {
	case accepted:
		return branch(c.then)
	case rejected:
		return branch(c.otherwise)
	default:
		return undecided
	}
}

// equal compares two JSON values; 1 and 1.0 are the same.
func equal(a, b any) bool {
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for name, value := range a {
			if other, ok := b[name]; !ok || !equal(value, other) {
				return false
			}
		}
		return true
	case []any:
		b, ok := b.([]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for i, value := range a {
			if !equal(value, b[i]) {
				return false
			}
		}
		return true
	case json.Number:
		b, ok := b.(json.Number)
		return ok && (a == b || rational(a).Cmp(rational(b)) == 0)
	default:
		return isScalar(b) && a == b
	}
}

// isScalar says that a value can be compared by ==.
func isScalar(value any) bool { return !isA[map[string]any](value) && !isA[[]any](value) }
