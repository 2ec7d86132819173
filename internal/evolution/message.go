package evolution

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/maze-agent/maregister/internal/registry"
	"github.com/maze-agent/maregister/internal/text"
)

// maxShown is how many characters of a value a message repeats, and maxReason how many of a reason.
const (
	maxShown  = 80
	maxReason = 120
)

const (
	acceptStill = "accept it still, or publish a new task"
	returnStill = "return what was returned, or publish a new task"
)

// remedies are what to do about a Breaking change.
var remedies = map[Side]map[Kind]string{
	Input: {
		Added: "make it optional", Required: "leave it optional",
		Removed: "keep it until no workflow passes it", Renamed: "keep the old one until no workflow passes it",
		Narrowed: acceptStill, Replaced: acceptStill, Combination: acceptStill,
	},
	Output: {
		Added:   "publish a new task if somebody depends on that",
		Removed: "return it until no workflow reads it", Renamed: "return the old one until no workflow reads it", Optional: "return it always",
		Widened: returnStill, Replaced: returnStill, Combination: returnStill,
	},
}

// String returns the change as a sentence for a user: what has changed and, where it is not Compatible, what that means and what to do.
func (c Change) String() string {
	switch c.Verdict {
	case Breaking:
		return c.what() + ": " + c.harm() + "; " + remedies[c.Side][c.Kind]
	case Unknown:
		return c.what() + ": " + c.doubt()
	default:
		return c.what()
	}
}

// plain has what is said of a parameter, by the kinds of changes that say the same of each.
var plain = map[Kind]string{
	Removed: "is removed", Widened: "allows more", Narrowed: "allows less", Replaced: "allows other values",
	Required: "is now required", Optional: "is now optional",
}

// what returns what has changed.
func (c Change) what() string {
	name := string(c.Side) + " " + strconv.Quote(c.Parameter)
	if c.Verdict == Unknown && slices.Contains([]Kind{Widened, Narrowed, Replaced}, c.Kind) {
		return name + " is declared otherwise"
	}
	if words, ok := plain[c.Kind]; ok {
		return name + " " + words
	}
	switch c.Kind {
	case Added:
		if c.Verdict == Breaking && c.Side == Input {
			return name + " is added, and is required"
		}
		return name + " is added"
	case Renamed:
		return fmt.Sprintf("%s %q is removed, and %q is added with the same values", c.Side, c.Was, c.Parameter)
	case Changed:
		if c.Verdict == Unknown {
			return name + " says something else of members that it does not declare"
		}
		return name + " is declared otherwise, and every value that passed still passes"
	case Extended:
		return fmt.Sprintf("%s declares one more member, %q", name, c.Was)
	case Dropped:
		return fmt.Sprintf("%s no longer declares its member %q", name, c.Was)
	case Default, Format, Described:
		name = c.Keyword + " of " + c.place()
		if c.Kind == Default && c.New == nil { // there may be one that is not known, as that of a Python function
			return name + " is no longer declared; it was " + shown(c.Old)
		}
		return replaced(name, c.Old, c.New)
	case Declared:
		return string(c.Side) + "s are declared in one version alone"
	case Deprecated:
		return c.deprecation()
	case Combination:
		return c.combination()
	default: // Told
		return replaced(c.Parameter, c.Old, c.New)
	}
}

// harm returns what a change breaks.
func (c Change) harm() string {
	switch c.Kind {
	case Added:
		if c.Side == Output {
			return "a result may have it, and the old version allowed no such output"
		}
		return "a call without it is refused"
	case Required:
		return "a call without it is refused"
	case Optional:
		return "a result may come without it"
	case Removed, Renamed:
		name := "it"
		if c.Kind == Renamed {
			name = strconv.Quote(c.Was)
		}
		if c.Side == Output {
			return "a result may come without " + name + ", and every result had it"
		}
		return "a call that passes " + name + " is refused"
	}
	value, harm := c.Value, "it may now be "
	if value == nil {
		value, harm = c.Instance, "a result may now be "
	}
	if c.Side == Input {
		harm = "refuses "
	}
	if c.Reason == "" {
		return harm + shown(value)
	}
	return harm + shown(value) + " (" + text.ClipMiddle(c.Reason, maxReason) + ")"
}

// place returns where a keyword stands: in a parameter, inside one, or in the schema of all.
func (c Change) place() string {
	name := fmt.Sprintf("%s %q", c.Side, c.Parameter)
	switch {
	case c.Parameter == "":
		return "the " + string(c.Side) + "s"
	case c.Was != "":
		return strconv.Quote(c.Was) + " in " + name
	default:
		return name
	}
}

// combination returns what has changed of what is said of several parameters.
func (c Change) combination() string {
	if len(c.Keywords) == 0 {
		return "the " + string(c.Side) + "s together are declared otherwise"
	}
	var parts []string
	for _, keyword := range c.Keywords {
		parts = append(parts, replaced(fmt.Sprintf("%q of the %ss", keyword.Name, c.Side), keyword.Old, keyword.New))
	}
	return strings.Join(parts, ", ")
}

// replaced returns what has become of a value that has a name. Old or new is nil for none.
func replaced(name string, old, now json.RawMessage) string {
	switch {
	case old == nil:
		return name + " is now " + shown(now)
	case now == nil:
		return name + " is gone; it was " + shown(old)
	default:
		return name + " is now " + shown(now) + "; it was " + shown(old)
	}
}

// deprecation returns what has changed of why the task should no longer be used.
func (c Change) deprecation() string {
	var now registry.Deprecation
	switch err := json.Unmarshal(c.New, &now); {
	case c.New == nil:
		return "it is no longer deprecated"
	case err != nil: // cannot be: told has encoded one
		return "its deprecation is now " + shown(c.New)
	case c.Old == nil:
		return "it is deprecated now: " + now.String()
	default:
		return "it is deprecated in other words now: " + now.String()
	}
}

// doubt returns why nothing could be shown, and what to do.
func (c Change) doubt() string {
	isInput := c.Side == Input
	switch {
	case !isInput && (c.Kind == Removed || c.Kind == Renamed):
		return "a workflow that reads it is refused; look for such workflows"
	case c.Kind == Declared:
		return "nothing can be compared; look at who uses the task"
	case c.Kind == Dropped && isInput:
		return "a call that passes it is not refused, but the task may ignore it; look at who passes it"
	case c.Kind == Dropped:
		return "a result may still have it, or not; look at who reads it"
	case c.Kind == Changed && isInput:
		return "a call with members that are not declared may be refused; look at who passes such"
	case c.Kind == Changed:
		return "a result may have members that are not declared; look at who reads it"
	case c.Kind == Format && isInput:
		return "the task may not understand what was passed before; look at who passes it"
	case c.Kind == Format:
		return "a reader may not understand the result; look at who reads it"
	default:
		return "it could not be shown whether this breaks something; compare the two versions"
	}
}

func shown(value []byte) string { return text.ClipMiddle(string(value), maxShown) }
