// Package runtask runs one task: in a Python of this machine, or as a Job of a cluster.
package runtask

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/maze-agent/maregister/internal/nearest"
	"github.com/maze-agent/maregister/internal/schema"
)

// Arguments are what a user passes to a task.
type Arguments struct {
	// Named are NAME=VALUE each.
	Named []string
	// Object is a JSON object of arguments. Nil for none. A named argument counts before one in it.
	Object []byte
}

// JSON returns the arguments as the executor takes them. Each value that is JSON is that, but a text for a parameter that only takes texts; any
// other value is a text. input is the schema of the parameters, nil if it is not known.
func (a *Arguments) JSON(input json.RawMessage) ([]byte, error) {
	all := map[string]json.RawMessage{}
	if a.Object != nil {
		decoder := json.NewDecoder(bytes.NewReader(a.Object))
		if err := decoder.Decode(&all); err != nil || all == nil || decoder.More() {
			return nil, errors.Join(errors.New("the arguments are no JSON object"), err)
		}
	}
	parameters := openParameters(input)
	for _, one := range a.Named {
		name, value, ok := strings.Cut(one, "=")
		if !ok || name == "" {
			return nil, fmt.Errorf("--arg %q is not NAME=VALUE", one)
		}
		if parameters != nil && parameters.Forbids(name) {
			return nil, fmt.Errorf("the task takes no argument %q%s", name, nearest.Question(nearest.Name(name, parameters.Names())))
		}
		all[name] = valueOf(parameters, name, value)
	}
	return json.Marshal(all)
}

// openParameters returns a schema to ask. It is nil for none, and for one that cannot be read: the executor has the last word.
func openParameters(input json.RawMessage) *schema.Parameters {
	if input == nil {
		return nil
	}
	parameters, err := schema.Open(input)
	if err != nil {
		return nil
	}
	return parameters
}

// valueOf returns what a user means by the text of an argument.
func valueOf(parameters *schema.Parameters, name, text string) json.RawMessage {
	quoted, _ := json.Marshal(text) // cannot fail
	if !json.Valid([]byte(text)) {
		return quoted
	}
	if parameters != nil {
		if part, ok := parameters.Part(name); ok && part.Validate([]byte(text)) != nil && part.Validate(quoted) == nil {
			return quoted
		}
	}
	return json.RawMessage(text)
}
