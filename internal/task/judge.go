// Package task says what a valid task is. Most rules are in the CRD, where the API server applies
// them at admission; here are those that CEL cannot express, and the one that protects a registry
// from an object that was stored before the CRD had its rule.
package task

import (
	"strings"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/schema"
)

// Verdict is the result of Judge, from a task's spec alone.
type Verdict struct {
	// Accepted is true if the spec is valid.
	Accepted bool
	// Reason is the reason of the condition Accepted.
	Reason string
	// Message is the message of the condition Accepted: what is wrong and what to do, or the warnings.
	Message string
	// Pointer is the JSON pointer, in the object, to what is wrong: /spec/inputParameters/x/type. Empty if accepted.
	Pointer string
	// Warnings are all of them, also those that the message has no room for. Nil unless accepted.
	Warnings []Warning
	// Input and Output are the parameters as normalised JSON Schemas. Nil unless accepted.
	Input, Output *schema.Schema
}

// Warning is about something that is accepted although it should be written differently.
type Warning struct {
	// Pointer is the JSON pointer to it in the object.
	Pointer string
	// Message names the field, and says what to do.
	Message string
}

// check judges one aspect of a task. What it learns on the way it notes in the verdict.
type check func(spec *v1alpha1.MazeTaskSpec, verdict *Verdict) (reason, message string, ok bool)

// chain is what makes a task valid. The first check that fails decides.
var chain = []check{
	// A name that is no ConfigMap key would make the API server refuse the whole registry.
	nameIsKey,
	// What a DAG builder checks arguments against has to be a schema, and a harmless one.
	inputIsSchema,
	// What a DAG builder wires to other tasks' arguments, likewise.
	outputIsSchema,
}

// Judge reports whether a spec is valid. It is deterministic, and takes well under a second whatever
// the spec is.
func Judge(spec *v1alpha1.MazeTaskSpec) Verdict {
	verdict := Verdict{Message: "the spec is valid"}
	for _, check := range chain {
		if reason, message, ok := check(spec, &verdict); !ok {
			return Verdict{Reason: reason, Message: message, Pointer: verdict.Pointer}
		}
	}
	verdict.Accepted, verdict.Reason = true, v1alpha1.ReasonValid
	return verdict
}

// warn adds to the message of an accepted task.
func (v *Verdict) warn(field string, warnings []schema.Warning) {
	const maxWarnings = 10
	for _, warning := range warnings {
		v.Warnings = append(v.Warnings, Warning{Pointer: pointer(field) + warning.Pointer, Message: at(field, warning.String())})
	}
	for i, warning := range warnings {
		if i == maxWarnings {
			v.Message += "; and more"
			return
		}
		v.Message += "; warning: " + at(field, warning.String())
	}
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
