package compile

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/maze-agent/maregister/internal/dag"
)

// object is a JSON object whose members have an order.
type object []dag.Field

// MarshalJSON implements json.Marshaler.
func (o object) MarshalJSON() ([]byte, error) {
	var out bytes.Buffer
	out.WriteByte('{')
	for i, member := range o {
		if i > 0 {
			out.WriteByte(',')
		}
		out.Write(encoded(member.Name))
		out.WriteByte(':')
		out.Write(member.Value)
	}
	out.WriteByte('}')
	return out.Bytes(), nil
}

// add adds a member.
func (o *object) add(name string, value any) {
	*o = append(*o, dag.Field{Name: name, Value: encoded(value)})
}

// encoded returns a value as JSON, in which < and the like are themselves.
func encoded(value any) []byte {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		panic(fmt.Sprintf("compile: %v", err)) // what is encoded here is JSON, or texts and numbers
	}
	return bytes.TrimSpace(out.Bytes())
}

// indent writes a value as people read it. prefix stands before each line but the first.
func indent(out *bytes.Buffer, value any, prefix string) {
	if err := json.Indent(out, encoded(value), prefix, "  "); err != nil {
		panic(fmt.Sprintf("compile: %v", err)) // likewise
	}
}

// withMember returns an object with another value for a member. What is no object becomes one.
func withMember(raw json.RawMessage, name string, value any) json.RawMessage {
	members := map[string]json.RawMessage{}
	if err := json.Unmarshal(raw, &members); err != nil || members == nil {
		members = map[string]json.RawMessage{}
	}
	members[name] = encoded(value)
	return encoded(members)
}
