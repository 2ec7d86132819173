package evolution

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/maze-agent/maregister/internal/registry"
	"github.com/maze-agent/maregister/internal/text"
)

// maxShown is how many characters of a value a message repeats.
const maxShown = 80

// String returns the change as one sentence for a user: what has changed and, where it is not Compatible, what that means.
func (c Change) String() string {
	sentence := c.what()
	switch {
	case c.Verdict == Breaking && c.Side == Output:
		return sentence + ": a result may now be " + shown(c.Instance)
	case c.Verdict == Breaking:
		return sentence + ": refuses " + shown(c.Instance)
	case c.Verdict == Unknown:
		return sentence + ": " + c.doubt()
	default:
		return sentence
	}
}

// what returns what has changed.
func (c Change) what() string {
	name := string(c.Side) + " " + strconv.Quote(c.Parameter)
	switch c.Kind {
	case Renamed:
		return fmt.Sprintf("%s %q is now called %q", c.Side, c.Was, c.Parameter)
	case Widened:
		return name + " allows more"
	case Narrowed:
		return name + " allows less"
	case Replaced:
		return name + " allows other values"
	case Changed:
		if c.Verdict == Unknown {
			return name + " allows other members than it did"
		}
		return name + " is declared otherwise, and every value that passed still passes"
	case Extended:
		return name + " declares other members, and every value that passed with declared ones alone still passes"
	case Dropped:
		return fmt.Sprintf("%s no longer declares its member %q", name, c.Was)
	case Required:
		return name + " is now required"
	case Optional:
		return name + " is now optional"
	case Default, Format, Described:
		return replaced(c.Keyword+" of "+c.place(), c.Old, c.New)
	case Told:
		return replaced(c.Parameter, c.Old, c.New)
	case Declared:
		return string(c.Side) + "s are declared in one version alone"
	case Deprecated:
		return c.deprecation()
	case Combination:
		return c.combination()
	default: // Added, Removed
		return name + " is " + string(c.Kind)
	}
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
	switch {
	case c.Side == Output && (c.Kind == Removed || c.Kind == Renamed):
		return "workflows that read it are refused; look for them"
	case c.Kind == Declared:
		return "nothing can be compared; look at who uses the task"
	case c.Kind == Dropped && c.Side == Input:
		return "who passes it is not refused, and nobody heeds it; look for them"
	case c.Kind == Dropped:
		return "a result could lack it, or have it still; look at who reads it"
	case c.Kind == Changed:
		return "nobody should pass members that are not declared; look whether somebody does"
	case c.Kind == Format:
		return "who gets another kind of text may not understand it"
	default:
		return "neither could be shown, that it breaks something or that it does not"
	}
}

func shown(value []byte) string { return text.ClipMiddle(string(value), maxShown) }
