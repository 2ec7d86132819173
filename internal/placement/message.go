package placement

import (
	"slices"
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Verdict reports whether some node can host a task: the content of the condition Placeable.
type Verdict struct {
	Status metav1.ConditionStatus
	Reason string
	// Summary is what there is to say besides what there is to say of each class of nodes. Of an unknown verdict, it says what would make it
	// known.
	Summary string
	// Clauses say why the nodes of each class cannot host it. There are none where some node can, or the nodes do not matter.
	Clauses []Clause
	// More is how many classes Clauses leave out.
	More int
	// Advice says what to do about the clauses. Empty if the summary does.
	Advice string
	// Told is the message of a verdict of which nothing else is known: a condition told it. Empty for a verdict that was worked out.
	Told string
}

// Clause says why the nodes of a class cannot host a task.
type Clause struct {
	// Class is the name of the class, and Nodes is how many nodes it has.
	Class string
	Nodes int
	Why   string
}

// Message returns the verdict as the message of the condition. This is the one place where it becomes a text.
func (v Verdict) Message() string {
	if v.Told != "" {
		return v.Told
	}
	var out strings.Builder
	out.WriteString(v.Summary)
	for i, c := range v.Clauses {
		out.WriteString(v.separator(i) + c.Class + " (" + strconv.Itoa(c.Nodes) + nodes(c.Nodes) + "): " + c.Why)
	}
	if v.More > 0 {
		out.WriteString("; and " + strconv.Itoa(v.More) + moreClasses)
	}
	out.WriteString(v.end())
	return out.String()
}

const moreClasses = " more classes"

// separator returns what is before a clause.
func (v Verdict) separator(clause int) string {
	switch {
	case clause > 0 || v.Status != metav1.ConditionFalse && v.Summary != "":
		return "; "
	case v.Summary != "":
		return ": "
	default:
		return ""
	}
}

func (v Verdict) end() string {
	if v.Advice == "" {
		return ""
	}
	return "; " + v.Advice
}

func nodes(n int) string {
	if n == 1 {
		return " node"
	}
	return " nodes"
}

// Equal reports whether two verdicts say the same.
func (v Verdict) Equal(other Verdict) bool {
	return v.Status == other.Status && v.Reason == other.Reason && v.Summary == other.Summary && slices.Equal(v.Clauses, other.Clauses) &&
		v.More == other.More && v.Advice == other.Advice && v.Told == other.Told
}

// SameButCounts reports whether two verdicts differ in nothing but numbers of nodes and of classes, which are not worth a write.
func (v Verdict) SameButCounts(other Verdict) bool {
	switch {
	case v.Status != other.Status || v.Reason != other.Reason:
		return false
	case v.Told != "" && other.Told != "":
		return v.Told == other.Told
	case v.Told != "":
		return other.reads(v.Told)
	case other.Told != "":
		return v.reads(other.Told)
	}
	return v.Summary == other.Summary && v.Advice == other.Advice && slices.EqualFunc(v.Clauses, other.Clauses, Clause.sameButCounts)
}

func (c Clause) sameButCounts(other Clause) bool { return c.Class == other.Class && c.Why == other.Why }

// reads reports whether a message is this verdict's, whatever its numbers of nodes and of classes are. It asks for each part in turn, and takes
// nothing from the message.
func (v Verdict) reads(message string) bool {
	m := matcher{rest: message, ok: true}
	m.text(v.Summary)
	for i, c := range v.Clauses {
		m.text(v.separator(i) + c.Class + " (")
		m.number()
		m.text(" node")
		m.optional("s")
		m.text("): " + c.Why)
	}
	if m.optional("; and ") {
		m.number()
		m.text(moreClasses)
	}
	m.text(v.end())
	return m.ok && m.rest == ""
}

// matcher goes through a text by what is expected.
type matcher struct {
	rest string
	ok   bool
}

func (m *matcher) text(want string) { m.ok = m.optional(want) && m.ok }

func (m *matcher) optional(want string) bool {
	if !strings.HasPrefix(m.rest, want) {
		return false
	}
	m.rest = m.rest[len(want):]
	return true
}

func (m *matcher) number() {
	digits := len(m.rest) - len(strings.TrimLeft(m.rest, "0123456789"))
	m.ok, m.rest = m.ok && digits > 0, m.rest[digits:]
}
