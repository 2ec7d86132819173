package schema

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/maze-agent/maregister/internal/jsontree"
	plaintext "github.com/maze-agent/maregister/internal/text"
)

// Reasons why a document is refused. A user sees them as the reason of the
// condition Accepted=False.
const (
	// ReasonInvalidSchema says that the document is no JSON Schema, one that 2020-12 cannot express, or one that cannot describe parameters.
	ReasonInvalidSchema = "InvalidSchema"
	// ReasonSchemaTooLarge says that the document exceeds a limit: bytes, depth, values, patterns or expansion.
	ReasonSchemaTooLarge = "SchemaTooLarge"
	// ReasonRemoteRefForbidden says that a reference leaves the document.
	ReasonRemoteRefForbidden = "RemoteRefForbidden"
	// ReasonRefCycle says that a schema applies itself to the same value for ever.
	ReasonRefCycle = "RefCycle"
	// ReasonUnsupportedPattern says that a regular expression is not one that RE2 can run, however it is written.
	ReasonUnsupportedPattern = "UnsupportedPattern"
	// ReasonNumberOutOfRange says that a number cannot be held exactly, or at all, by a consumer.
	ReasonNumberOutOfRange = "NumberOutOfRange"
)

// How much of a text a message repeats, in characters.
const (
	maxQuoted       = 60
	maxShownPointer = 160
	maxErrorLength  = 500
)

// Error says why a document is refused.
type Error struct {
	// Reason is one of the Reason constants.
	Reason string
	// Pointer is the JSON pointer (RFC 6901) to the culprit in the document
	// as it was declared; empty where the whole document is meant.
	Pointer string
	// Message says what was found, what is allowed and what to do.
	Message string
}

// Error returns one sentence for the user, with the pointer, of at most 500
// characters. The same document always gives the same sentence.
func (e *Error) Error() string {
	return clip(prefixed(e.Pointer, e.Message), maxErrorLength)
}

// Kinds of warnings.
const (
	// KindPythonType says that a type is Python's name for it.
	KindPythonType = "PythonType"
	// KindPasted is for a tool of another framework that can be read as a declaration of parameters.
	KindPasted = "Pasted"
	// KindTranslated says that something is written as in an older draft, in OpenAPI or in ECMA-262, and what it was read as.
	KindTranslated = "Translated"
	// KindNullDefault says that a default is null, which the type does not allow, and was read as left out.
	KindNullDefault = "NullDefault"
	// KindUnknownKeyword says that a keyword is probably misspelt.
	KindUnknownKeyword = "UnknownKeyword"
	// KindContradiction says that keywords contradict each other, or that one has no effect beside the others.
	KindContradiction = "Contradiction"
	// KindFalseSchema says that a parameter is declared by false, a schema that no value fits. It stands more often for a default.
	KindFalseSchema = "FalseSchema"
)

// Warning tells of a declaration that was accepted although it should be
// written differently.
type Warning struct {
	// Kind is one of the Kind constants.
	Kind string
	// Pointer is the JSON pointer to it in the document as it was declared.
	Pointer string
	// Message says how it was read.
	Message string
}

// String returns one sentence for the user, with the pointer.
func (w Warning) String() string {
	return clip(prefixed(w.Pointer, w.Message), maxErrorLength)
}

func prefixed(pointer, message string) string {
	if pointer == "" {
		return message
	}
	return clip(pointer, maxShownPointer) + ": " + message
}

func refuse(reason, pointer, format string, args ...any) *Error {
	return &Error{Reason: reason, Pointer: pointer, Message: fmt.Sprintf(format, args...)}
}

func invalid(pointer, format string, args ...any) *Error {
	return refuse(ReasonInvalidSchema, pointer, format, args...)
}

func tooLarge(pointer, format string, args ...any) *Error {
	return refuse(ReasonSchemaTooLarge, pointer, format, args...)
}

// clip shortens what a message repeats: it leaves out the middle.
func clip(s string, length int) string { return plaintext.ClipMiddle(s, length) }

func quote(s string) string { return strconv.Quote(clip(s, maxQuoted)) }

// quoteAll returns names as a message lists them.
func quoteAll(names []string, separator string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = quote(name)
	}
	return strings.Join(quoted, separator)
}

// describe names a JSON value in a message.
func describe(value any) string {
	switch v := value.(type) {
	case nil:
		return "null"
	case bool:
		return strconv.FormatBool(v)
	case json.Number:
		return "the number " + clip(v.String(), maxQuoted)
	case string:
		return "the string " + quote(v)
	case []any:
		return "an array"
	default:
		return "an object"
	}
}

// token escapes a member name for use in a JSON pointer.
func token(name string) string { return jsontree.EscapeToken(name) }
