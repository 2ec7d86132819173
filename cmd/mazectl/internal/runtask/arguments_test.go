package runtask

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestArguments(t *testing.T) {
	const input = `{"type":"object","properties":{"text":{"type":"string"},"n":{"type":"integer"},"any":{},"both":{"type":["string","integer"]},
		"list":{"type":"array","items":{"type":"string"}}},"additionalProperties":false}`
	for name, tc := range map[string]struct {
		named  []string
		object string
		input  string
		want   string
	}{
		"none":                         {want: `{}`},
		"texts and numbers":            {named: []string{"text=5", "n=5", "any=5", "both=5"}, input: input, want: `{"any":5,"both":5,"n":5,"text":"5"}`},
		"no JSON":                      {named: []string{"text=a b", "n=five", "any=007", "both=x=y"}, input: input, want: `{"any":"007","both":"x=y","n":"five","text":"a b"}`},
		"a text in quotes":             {named: []string{`text="5"`, `any="5"`}, input: input, want: `{"any":"5","text":"5"}`},
		"a list":                       {named: []string{`list=["a"]`}, input: input, want: `{"list":["a"]}`},
		"empty":                        {named: []string{"text=", "any="}, input: input, want: `{"any":"","text":""}`},
		"what no schema says":          {named: []string{"x=5", "y=true", "z=a"}, want: `{"x":5,"y":true,"z":"a"}`},
		"a name counts before a file":  {named: []string{"a=1"}, object: `{"a": 2, "b": 9007199254740993}`, want: `{"a":1,"b":9007199254740993}`},
		"the last one counts":          {named: []string{"a=1", "a=2"}, want: `{"a":2}`},
		"a schema that cannot be read": {named: []string{"a=1"}, input: `[`, want: `{"a":1}`},
	} {
		t.Run(name, func(t *testing.T) {
			a := Arguments{Named: tc.named}
			if tc.object != "" {
				a.Object = []byte(tc.object)
			}
			var schema json.RawMessage
			if tc.input != "" {
				schema = json.RawMessage(tc.input)
			}
			got, err := a.JSON(schema)
			if err != nil || string(got) != tc.want {
				t.Errorf("%s, %v; want %s", got, err, tc.want)
			}
		})
	}
	for wrong, want := range map[string]string{
		"text": `--arg "text" is not NAME=VALUE`, "=a": `--arg "=a" is not NAME=VALUE`, "txet=a": `the task takes no argument "txet"; did you mean "text"?`,
	} {
		if _, err := (&Arguments{Named: []string{wrong}}).JSON(json.RawMessage(input)); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", wrong, err, want)
		}
	}
	for _, object := range []string{"", "[]", "null", "{", "{} {}", `"a"`} {
		if _, err := (&Arguments{Object: []byte(object)}).JSON(nil); err == nil || !strings.HasPrefix(err.Error(), "the arguments are no JSON object") {
			t.Errorf("%q: %v, want no object", object, err)
		}
	}
}
