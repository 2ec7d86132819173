package registry

import (
	"bytes"
	"encoding/json"
	"testing"
)

// canonicalOf is canonicalJSON by decoding everything.
func canonicalOf(value any) ([]byte, error) {
	encoded, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	var generic any
	decoder := json.NewDecoder(bytes.NewReader(encoded))
	decoder.UseNumber()
	if err := decoder.Decode(&generic); err != nil {
		return nil, err
	}
	return plainJSON(generic)
}

var jsonTexts = []string{
	`null`, `-1.50e+3`, `"a"`, `[]`, `{}`, `[[],{},""]`,
	`{"b":1,"a":{"d":[1,2,{"z":true,"y":false}],"c":null},"":0}`,
	`{"a":1,"b":2,"a":{"x":1}}`,
	`{"a":1,"a":2}`,
	`{"\u0061":1,"b":2,"a":3}`,
	`{"ä":"ö","a\"b":"\\","a":"\/\u003c<&>","z":"\u2028\u2029","y":"` + "\u2028" + `"}`,
	`{"` + "\xff" + `":"` + "\xc3\x28" + `","\ud800":"\udc00"}`,
	"  { \"b\" : [ 1 , 2 ] ,\n\t\"a\" : \"\x7f\" }  ",
	`{"任务":"图像","描述":"b"}`,
}

func TestCanonicalJSON(t *testing.T) {
	for _, text := range jsonTexts {
		checkCanonical(t, []byte(text))
	}
}

func FuzzCanonicalJSON(f *testing.F) {
	for _, text := range jsonTexts {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if json.Valid(text) {
			checkCanonical(t, text)
		}
	})
}

func checkCanonical(t *testing.T, text []byte) {
	t.Helper()
	for _, value := range []any{json.RawMessage(text), map[string]any{"raw": json.RawMessage(text)}} {
		want, wantErr := canonicalOf(value)
		got, err := canonicalJSON(value)
		if (err == nil) != (wantErr == nil) || !bytes.Equal(got, want) {
			t.Errorf("canonicalJSON(%s):\ngot  %s, %v\nwant %s, %v", text, got, err, want, wantErr)
		}
	}
}

func BenchmarkCanonicalJSON(b *testing.B) {
	raw := json.RawMessage(`{"type":"object","properties":{"prompt":{"type":"string","description":"what the model is told to do","maxLength":8192},` +
		`"language":{"type":"string","enum":["en","zh","de","fr"],"default":"en"},"temperature":{"type":"number","minimum":0,"maximum":2}}}`)
	entry := Entry{Schema: Interface{Input: raw, Output: raw}}
	entry.InputParameters, entry.OutputParameters = raw, raw
	for name, encode := range map[string]func(any) ([]byte, error){"sorting": canonicalJSON, "decoding": canonicalOf} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := encode(entry); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
