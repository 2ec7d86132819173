// Package task says what a valid task is. Most rules are in the CRD, where the API server applies
// them at admission; here are those that CEL cannot express, and the one that protects a registry
// from an object that was stored before the CRD had its rule.
package task

import (
	"fmt"
	"strings"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/schema"
)

// Verdict is the result of Judge, from a task's spec alone.
type Verdict struct {
	// Accepted is true if the spec is valid.
	Accepted bool
	// Reason is the reason of the condition Accepted: that of the first problem.
	Reason string
	// Problems are all of them, in the order of the checks. Nil if accepted.
	Problems []Problem
	// Warnings are all of them, of a spec that is refused as well.
	Warnings []Warning
	// Input and Output are the parameters as normalised JSON Schemas. Nil unless accepted.
	Input, Output *schema.Schema
	// Deprecated is the spec's. Nil for a task that is here to stay.
	Deprecated *v1alpha1.Deprecation
}

// Problem is something for which a task is refused.
type Problem struct {
	// Reason is one of those of the condition Accepted.
	Reason string
	// Pointer is the JSON pointer to it in the object: /spec/inputParameters/x/type.
	Pointer string
	// Message says the field, what is wrong and what to do.
	Message string
}

// Warning is about something that is accepted although it should be written differently.
type Warning struct {
	// Kind is one of those of package schema.
	Kind string
	// Pointer is the JSON pointer to it in the object.
	Pointer string
	// Message names the field, and says what to do.
	Message string
}

// check judges one aspect of a task. It adds to the verdict what it learns on the way.
type check func(spec *v1alpha1.MazeTaskSpec, verdict *Verdict)

// chain is what makes a task valid. All checks are made: who corrects a task wants to know everything at once.
var chain = []check{
	// A name that is no ConfigMap key would make the API server refuse the whole registry.
	nameIsKey,
	// What a DAG builder checks arguments against has to be a schema, and a harmless one.
	inputIsSchema,
	// What a DAG builder wires to other tasks' arguments, likewise.
	outputIsSchema,
}

// Judge reports whether a spec is valid, and everything that is wrong with it. It is deterministic, and takes well under a second
// whatever the spec is.
func Judge(spec *v1alpha1.MazeTaskSpec) Verdict {
	var verdict Verdict
	for _, check := range chain {
		check(spec, &verdict)
	}
	if len(verdict.Problems) > 0 {
		return Verdict{Reason: verdict.Problems[0].Reason, Problems: verdict.Problems, Warnings: verdict.Warnings}
	}
	verdict.Accepted, verdict.Reason, verdict.Deprecated = true, v1alpha1.ReasonValid, spec.Deprecated
	return verdict
}

const (
	// maxProblems is how many problems a message repeats. Each has some 600 characters at most.
	maxProblems = 5
	maxWarnings = 10
)

// Message returns the message of the condition Accepted: what is wrong and what to do, or that the task is deprecated, and the warnings. It
// repeats the first ones, and counts the others.
func (v *Verdict) Message() string {
	if v.Accepted {
		warnings := make([]string, len(v.Warnings))
		for i, w := range v.Warnings {
			warnings[i] = "warning: " + w.Message
		}
		sentences := []string{"the spec is valid"}
		if v.Deprecated != nil {
			sentences = append(sentences, "the task is deprecated: "+v.Deprecated.String())
		}
		return strings.Join(append(sentences, first(warnings, maxWarnings, "warning")...), "; ")
	}
	problems := make([]string, len(v.Problems))
	for i, p := range v.Problems {
		problems[i] = p.Message
	}
	return strings.Join(first(problems, maxProblems, "problem"), "; ")
}

// first returns the first texts, and how many more there are.
func first(texts []string, most int, noun string) []string {
	more := len(texts) - most
	switch {
	case more <= 0:
		return texts
	case more > 1:
		noun += "s"
	}
	return append(texts[:most:most], fmt.Sprintf("and %d more %s", more, noun))
}

// pointer is that to a field of the object.
func pointer(field string) string { return "/" + strings.ReplaceAll(field, ".", "/") }

// at puts the field before a sentence that may begin with a JSON pointer into it.
func at(field, sentence string) string {
	if strings.HasPrefix(sentence, "/") {
		return field + sentence
	}
	return field + ": " + sentence
}
