package schema

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// seeds are documents that lead the fuzzer to every part of the package.
var seeds = []string{
	``, `null`, `{}`, `[]`, `"x"`, benign,
	`{"image":{"type":"filepath"}}`,
	`{"type":{"type":"string"},"properties":{"type":"object"},"required":"int"}`,
	`{"x":{"type":["filepath","null"],"default":"/a"},"y":{"type":["int","any"]}}`,
	`{"$schema":"https://json-schema.org/draft/2020-12/schema","$id":"http://a/","allOf":[{"not":false}],"required":["a"]}`,
	`{"$defs":{"t":{"$anchor":"a","items":{"$ref":"#a"},"default":[[]]}},"properties":{"x":{"$dynamicRef":"#/$defs/t"}}}`,
	`{"$defs":{"a":{"$ref":"#/$defs/b"},"b":{"anyOf":[{"$ref":"#/$defs/a"}]}}}`,
	`{"x":{"patternProperties":{"^(?i)[a-z]{2,}\\p{L}$":{"minimum":-1.5e3,"multipleOf":0.1}},"propertyNames":{"maxLength":3}}}`,
	`{"x":{"enum":[1e308,9007199254740992,"\u2028<&>"],"const":{"$ref":"http://x"},"default":1e308}}`,
	`{"x":{"prefixItems":[true,{"contains":{"type":"list"}}],"unevaluatedItems":false,"uniqueItems":true,"default":[1,[]]}}`,
	`{"x":{"if":{},"then":{"type":"strnig"},"else":{"dependentRequired":{"a":["b"]},"dependencies":{"a":["b"],"c":{}}}}}`,
	`{"a":"integer","b":"filepath","c":true}`,
	fanOut(3, `{"additionalProperties":{"type":"number"}}`, `{"$ref":"#/$defs/d0","default":{"a":1}}`),
	nested(40, `{"items":`, "true", "}"),
	`{"$schema":"http://json-schema.org/draft-04/schema#","id":"http://a/b","definitions":{"a":{"id":"#c","minimum":1,"exclusiveMinimum":true}},"$ref":"b#c","enum":[]}`,
	`{"$schema":"http://json-schema.org/draft-07/schema","dependencies":{"a":["b"],"c":{"items":[true,{"default":null,"type":"str"}],"additionalItems":false}}}`,
	`{"$schema":"https://json-schema.org/draft/2019-09/schema","$recursiveAnchor":true,"$defs":{"a":{"$id":"x","$anchor":"y:z"}},"definitions":{"a":{"$ref":"x#y:z"}},` +
		`"properties":{"p":{"contains":{"$recursiveRef":"#"},"unevaluatedItems":false}}}`,
	`{"x":{"nullable":true,"allOf":[{"nullable":true,"type":"int","enum":[1]}],"$ref":"#/properties/x/allOf/0"},"y":{"$schema":"http://json-schema.org/draft-06/schema","$ref":"#"}}`,
	`{"x":{"pattern":"[\\u4e00-\\u9fff]\\cA[^]\\ud83d\\ude00","patternProperties":{"^\\u0041":{"maxLenght":1},"^A":{"min":2,"maximum":1,"minimum":3,"required":["a"]}}}}`,
}

// FuzzNormalise: whatever the document, Parse ends soon, and its result is
// a schema that the library compiles and that Parse leaves as it is.
func FuzzNormalise(f *testing.F) {
	for _, seed := range seeds {
		f.Add([]byte(seed))
	}
	for _, name := range sortedNames(hostile) {
		const quickToMinimise = 4 << 10
		if len(hostile[name]) <= quickToMinimise {
			f.Add([]byte(hostile[name]))
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		begin := time.Now()
		s, _, err := Parse(raw)
		if took := time.Since(begin); took > 20*time.Second { // on a busy machine, too
			t.Errorf("took %s", took)
		}
		if err != nil {
			checkError(t, err)
			return
		}
		again, _, err := Parse(s.JSON())
		if err != nil {
			t.Fatalf("Parse refuses its result %s: %v", s.JSON(), err)
		}
		if !bytes.Equal(s.JSON(), again.JSON()) {
			t.Errorf("not idempotent: first %s, then %s", s.JSON(), again.JSON())
		}
		if _, err := s.Validator(); err != nil {
			t.Errorf("the library does not compile %s: %v", s.JSON(), err)
		}
	})
}

func checkError(t *testing.T, err *Error) {
	t.Helper()
	text := err.Error()
	if err.Reason == "" || text == "" || !utf8.ValidString(text) || utf8.RuneCountInString(text) > maxErrorLength {
		t.Errorf("want a reason and a text of at most %d characters, got %s: %q", maxErrorLength, err.Reason, text)
	}
}

// FuzzDecode: decode accepts what encoding/json accepts, within the limits, and reads it alike.
func FuzzDecode(f *testing.F) {
	for _, seed := range append(seeds, ` [ -0.5E+1 , "\ud800\"\\\/" , {"" : [ ] } ] `, `{"a":1,"a":2}`, `01`, `[1 2]`, "\"\xff\"", `"\u12`) {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, err := decode(raw, schemaLimits)
		decoder := json.NewDecoder(bytes.NewReader(raw))
		decoder.UseNumber()
		var want any
		wantErr := decoder.Decode(&want)
		if err != nil {
			checkError(t, err)
			if err.Reason == ReasonInvalidSchema && json.Valid(raw) && utf8.Valid(raw) && !strings.Contains(err.Message, "declared twice") {
				t.Errorf("decode(%q) refuses valid JSON: %v", raw, err)
			}
			return
		}
		if wantErr != nil {
			t.Fatalf("decode(%q): want error %v, got %v", raw, wantErr, got)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("decode(%q): -encoding/json +decode:\n%s", raw, diff)
		}
		if err := checkSize(got, schemaLimits); err != nil {
			t.Errorf("decode(%q) accepts what checkSize refuses: %v", raw, err)
		}
	})
}
