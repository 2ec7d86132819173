// Package finding says what can be wrong with tasks, in Python sources, in manifests and in workflows: the rules, and what breaks them where.
package finding

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/maze-agent/maregister/internal/text"
)

// Severity says how bad a finding is.
type Severity string

const (
	// SeverityError is for what makes a task, or a part of it, unusable.
	SeverityError Severity = "error"
	// SeverityWarning is for what works, and probably not as its author thinks.
	SeverityWarning Severity = "warning"
	// SeverityNote is for what is worth knowing and nothing wrong. It is never a failure unless it is asked for.
	SeverityNote Severity = "note"
)

// Position is a place in a file. The zero value is no place: the finding is about the file as such.
type Position = text.Position

// Related is another place that a finding is about, such as that of an earlier declaration.
type Related struct {
	File     string   `json:"file"`
	Position Position `json:"position"`
	Message  string   `json:"message"`
}

// Finding is a place where a rule is broken.
type Finding struct {
	// Rule is the code of the rule, such as MZ001.
	Rule     string   `json:"rule"`
	Severity Severity `json:"severity"`
	// File is as the user gave it, or below what the user gave, with slashes.
	File     string   `json:"file"`
	Position Position `json:"position"`
	// Pointer is the JSON pointer (RFC 6901) to what it is about, in a workflow or in a document of a manifest. Empty if it is the
	// whole, or another kind of file.
	Pointer string `json:"pointer,omitempty"`
	// Object is what it is about: a Python function such as tools.image:image_caption, or an object such as
	// MazeTask vision/image-caption, or node "t1" of a workflow. Empty if it is the file.
	Object string `json:"object,omitempty"`
	// Subject is the same for programs, of a workflow. Nil for other files.
	Subject *Subject `json:"-"`
	// Message says what is wrong and what to do, in one line.
	Message string    `json:"message"`
	Related []Related `json:"related,omitempty"`
	// Cause names what it has in common with others of its file, and More is in how many further places that is which have no finding:
	// see [Join]. Empty if it stands for itself.
	Cause string `json:"-"`
	More  int    `json:"-"`
}

// Subject is which part of a workflow a finding is about.
type Subject struct {
	// Node and Edge are indexes of the workflow's nodes and of the edges that it declares. Negative for none.
	Node, Edge int
	// Value is where the value begins, in bytes. Negative if it is the workflow.
	Value int
	// Parameter is that of the node's task. Empty for none.
	Parameter string
	// Source is the index of the node whose output is read, and Output that output. Negative and empty for none.
	Source int
	Output string
	// Effect is what Maze does with it. Empty if that is not known, or nobody asked.
	Effect Effect
}

// Effect is what Maze does with a workflow in which something is wrong.
type Effect string

// The effects.
const (
	// EffectRefused is for what Maze's API answers with an error when the workflow is submitted.
	EffectRefused Effect = "refused"
	// EffectFails is for what it accepts, and what fails when it runs.
	EffectFails Effect = "fails"
	// EffectNeverScheduled is for what it accepts, and never runs.
	EffectNeverScheduled Effect = "never scheduled"
	// EffectLost is for what it accepts and runs, without something that the workflow says.
	EffectLost Effect = "lost"
)

// New makes a finding with the rule's severity.
func New(rule, file string, at Position, object, format string, args ...any) Finding {
	return Finding{
		Rule: rule, Severity: rules[rule].Severity, File: file, Position: at, Object: object, Message: fmt.Sprintf(format, args...),
	}
}

// Compare orders findings by place, then by rule and message. Of what is in no file, such as an object of a cluster, pointers are the places.
func Compare(a, b Finding) int {
	return cmp.Or(
		text.CompareNatural(a.File, b.File), cmp.Compare(a.Position.Line, b.Position.Line), cmp.Compare(a.Position.Column, b.Position.Column),
		comparePointers(a, b), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Object, b.Object), cmp.Compare(a.Message, b.Message))
}

// comparePointers orders findings without a position in the order of their document: node 2 is before node 10.
func comparePointers(a, b Finding) int {
	if a.Position != (Position{}) {
		return 0
	}
	return text.CompareNatural(a.Pointer, b.Pointer)
}

// Sort orders findings by place, and leaves out repetitions.
func Sort(findings []Finding) []Finding {
	slices.SortFunc(findings, Compare)
	return slices.CompactFunc(findings, func(a, b Finding) bool { return Compare(a, b) == 0 })
}
