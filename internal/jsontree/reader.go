package jsontree

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// SyntaxError says why a text is not JSON.
type SyntaxError struct {
	// Offset is how many bytes were read before the error, the wrong one included.
	Offset  int
	Message string
}

// Error implements error.
func (e *SyntaxError) Error() string { return e.Message }

// Check returns why a text is not one JSON value. It is nil for one that is.
func Check(text []byte) *SyntaxError {
	if json.Valid(text) {
		return nil
	}
	err := json.Unmarshal(text, new(json.RawMessage))
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return &SyntaxError{Offset: int(syntax.Offset), Message: syntax.Error()}
	}
	return &SyntaxError{Message: fmt.Sprint(err)} // cannot be: the library has no other error for this
}

// Reader reads a text that is known to be JSON in UTF-8, from Next on: see Check and text.FirstInvalid. Unlike json.Unmarshal it knows the
// offset of what it reads and sees every name; unlike json.Decoder.Token it is fast.
type Reader struct {
	Text []byte
	Next int
}

// Peek skips white space and returns the byte behind it. There must be one.
func (r *Reader) Peek() byte {
	for strings.IndexByte(" \t\r\n", r.Text[r.Next]) >= 0 {
		r.Next++
	}
	return r.Text[r.Next]
}

// Skip skips a separator if it comes next.
func (r *Reader) Skip(separator byte) {
	if r.Peek() == separator {
		r.Next++
	}
}

// SkipText goes behind a string, and reports whether there is an escape in it.
func (r *Reader) SkipText() (escaped bool) {
	for r.Next++; r.Text[r.Next] != '"'; r.Next++ {
		if r.Text[r.Next] == '\\' {
			escaped = true
			r.Next++
		}
	}
	r.Next++
	return escaped
}

// ReadText reads a string, and returns what it stands for.
func (r *Reader) ReadText() string {
	start := r.Next
	if !r.SkipText() {
		return string(r.Text[start+1 : r.Next-1])
	}
	return DecodeText(r.Text[start:r.Next])
}

// SkipLiteral goes behind a number, true, false or null.
func (r *Reader) SkipLiteral() {
	for r.Next < len(r.Text) && strings.IndexByte(" \t\r\n,]}", r.Text[r.Next]) < 0 {
		r.Next++
	}
}

// ReadLiteral reads a number, true, false or null as it is written.
func (r *Reader) ReadLiteral() string {
	start := r.Next
	r.SkipLiteral()
	return string(r.Text[start:r.Next])
}

// DecodeText returns what a JSON string stands for.
func DecodeText(written []byte) string {
	if plain := written[1 : len(written)-1]; !strings.Contains(string(plain), `\`) {
		return string(plain)
	}
	var out string
	_ = json.Unmarshal(written, &out) // cannot fail: it is part of valid JSON
	return out
}
