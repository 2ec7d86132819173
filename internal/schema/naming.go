package schema

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

const (
	// maxNaming is the length of the longest name of a part, in characters.
	maxNaming = 80
	// maxNamedValues is how many values of an enumeration a name shows.
	maxNamedValues = 5
	// maxNamedValue is how many characters it shows of each.
	maxNamedValue = 24
	// maxNamedDepth is how many arrays of arrays a name unfolds.
	maxNamedDepth = 3

	anyValueName = "any value"
	noValueName  = "no value"
	// noneFits is the reason for what no other reason is short enough for.
	noneFits = "no value fits both"
)

// String names the part in a message: "string", "integer or null", "array of
// filepath", "any value". It leaves out bounds, and what members an object has.
func (p Part) String() string {
	return clip(newComparison().name(p, 0), maxNaming)
}

// differ says that two parts have no value in common.
func differ(from, to Part) string {
	source, target := from.String(), to.String()
	if source == target {
		return noneFits
	}
	return source + ", not " + target
}

func (c *comparison) name(p Part, depth int) string {
	alternatives, ok := c.expand(p)
	if !ok {
		alternatives = p.outlines()
	}
	var values, words []string
	for i := range alternatives {
		a := &alternatives[i]
		if a.listed {
			for _, value := range a.values {
				values = append(values, clip(brief(value), maxNamedValue))
			}
			continue
		}
		words = append(words, c.words(a, depth)...)
	}
	words = slices.Concat(listing(unique(values)), unique(words))
	switch {
	case slices.Contains(words, anyValueName):
		return anyValueName
	case len(words) == 0:
		return noValueName
	}
	if last := slices.Index(words, "null"); last >= 0 {
		words = append(slices.Delete(words, last, last+1), "null")
	}
	return strings.Join(words, " or ")
}

// listing words an enumeration.
func listing(values []string) []string {
	switch n := len(values); {
	case n == 0:
		return nil
	case n == 1:
		return values
	case n > maxNamedValues:
		values = append(slices.Clip(values[:maxNamedValues]), "…")
	}
	return []string{"one of " + strings.Join(values, ", ")}
}

func (c *comparison) words(a *alternative, depth int) []string {
	switch a.kinds {
	case allKinds:
		return []string{anyValueName}
	case allKinds &^ nullKind:
		return []string{anyValueName + " but null"}
	}
	var words []string
	add := func(kind kinds, word string) {
		if a.kinds&kind != 0 {
			words = append(words, word)
		}
	}
	add(stringKind, a.stringName())
	if a.kinds&fractionKind != 0 {
		add(fractionKind, "number")
	} else {
		add(integerKind, "integer")
	}
	add(booleanKind, "boolean")
	add(arrayKind, c.arrayName(a, depth))
	add(objectKind, "object")
	add(nullKind, "null")
	return words
}

func (a *alternative) stringName() string {
	if a.format == "filepath" || a.format == "folderpath" {
		return a.format
	}
	return "string"
}

func (c *comparison) arrayName(a *alternative, depth int) string {
	if a.kinds&arrayKind == 0 || a.positions() > 0 || depth == maxNamedDepth {
		return "array"
	}
	item := c.name(a.part(a.item(0)), depth+1)
	switch {
	case item == anyValueName || item == noValueName:
		return "array"
	case strings.Contains(item, " or "):
		return "array of (" + item + ")"
	default:
		return "array of " + item
	}
}

func unique(texts []string) []string {
	var all []string
	for _, text := range texts {
		if !slices.Contains(all, text) {
			all = append(all, text)
		}
	}
	return all
}

// itemPointer leads to an item: "/1", or "/items" where all have the same schema.
func itemPointer(i int, sides ...*alternative) string {
	for _, side := range sides {
		if i < side.positions() {
			return "/" + strconv.Itoa(i)
		}
	}
	return "/items"
}

// at returns where in a value a reason holds.
func at(pointer, reason string) string {
	if inner, ok := strings.CutPrefix(reason, "at /"); ok {
		return "at " + pointer + "/" + inner
	}
	return "at " + pointer + ": " + reason
}

// String words a span in front of what is counted.
func (s span) String() string {
	switch {
	case s.min == s.max:
		return strconv.Itoa(s.min)
	case s.max == anyCount.max:
		return fmt.Sprintf("at least %d", s.min)
	case s.min == 0:
		return fmt.Sprintf("at most %d", s.max)
	default:
		return fmt.Sprintf("%d to %d", s.min, s.max)
	}
}

// String words an interval behind "numbers".
func (i *interval) String() string {
	switch low, high := i.low.text("at least ", "above "), i.high.text("at most ", "below "); {
	case low == "" || high == "":
		return low + high
	default:
		return low + " and " + high
	}
}

// text words a bound by one of two words, one for a closed bound and one for an open one.
func (b bound) text(closed, open string) string {
	if b.at == nil {
		return ""
	}
	number, _ := b.at.Float64()
	word := closed
	if b.open {
		word = open
	}
	return word + strconv.FormatFloat(number, 'g', -1, 64)
}
