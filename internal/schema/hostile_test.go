package schema

import (
	"strings"
	"testing"
	"time"
)

// hostile are documents that cost a reader seconds or more, or for ever, if
// they reach a JSON Schema library; and such that come close to several limits at once.
var hostile = map[string]string{
	"5,000 levels":                   nested(5000, `{"items":`, "true", "}"),
	"30,000 levels, cut off":         strings.Repeat("[", 30000),
	"10,000 properties":              "{" + numbered(10000, `"%d":1`) + "}",
	"10 MB":                          `{"x":"` + strings.Repeat("x", 10<<20) + `"}`,
	"200 times 1e999999":             `{"x":{"enum":[` + numbered(200, "1e999999") + `]}}`,
	"60,000 digits":                  `{"x":{"const":` + strings.Repeat("9", 60000) + `}}`,
	"2^22 by references":             fanOut(22, `{"type":"string"}`, `{"$ref":"#/$defs/d0"}`),
	"2^40 by references":             fanOut(40, `{"type":"string"}`, `{"$ref":"#/$defs/d0"}`),
	"2^27 by a default":              `{"$defs":{"t":{"properties":{"a":{"allOf":[{"$ref":"#/$defs/t"},{"$ref":"#/$defs/t"}]}}}},"properties":{"x":{"$ref":"#/$defs/t","default":` + nested(27, `{"a":`, "1", "}") + `}}}`,
	"itself":                         `{"$ref":"#"}`,
	"a program of 10^6 instructions": `{"x":{"pattern":"(?:` + strings.Repeat("a", 1000) + `){1000}"}}`,
	"folding of wide ranges":         `{` + numbered(60, `"p%d":{"pattern":"(?i)`+strings.Repeat("[B-\U0001E942]", 100)+`"}`) + `}`,
	"20,000 Unicode classes":         `{"x":{"patternProperties":{` + numbered(60, `"`+strings.Repeat(`\\pL`, 250)+`%d":true`) + `}}}`,
	"names of 2 KiB":                 `{"properties":{"` + strings.Repeat("k", 1900) + `":{"properties":{"x":{"$ref":"#","default":{}},` + numbered(1900, `"p%d":true`) + `}}}}`,
	"1,980 properties":               `{"properties":{"x":{"$ref":"#/properties/p0","default":3},` + numbered(1980, `"p%d":true`) + `}}`,
	"2^11 divisions":                 fanOut(11, `{"multipleOf":1e-300}`, `{"$ref":"#/$defs/d0","default":1.2345678901234567e308}`),
	"900 resources":                  `{"$schema":"http://json-schema.org/draft-07/schema#",` + numbered(900, `"p%d":{"$id":"r%d"}`) + `}`,
	"600 resources, referred to":     `{"properties":{` + numbered(300, `"p%d":{"$id":"r%d"}`) + `,` + numbered(300, `"q%d":{"$ref":"r%d"}`) + `}}`,
	"definitions that collide":       `{"$schema":"https://json-schema.org/draft/2019-09/schema","$defs":{` + underscores(400) + `},"definitions":{` + underscores(400) + `}}`,
	"everything nullable":            `{` + numbered(300, `"p%d":{"allOf":[{"nullable":true,"type":"string"}],"nullable":true}`) + `}`,
	"contains, nested":               `{"$schema":"https://json-schema.org/draft/2019-09/schema","unevaluatedItems":false,"properties":{"x":` + nested(15, `{"contains":`, "true", "}") + `}}`,
	"patterns of ECMA-262":           `{"x":{"patternProperties":{` + numbered(60, `"`+strings.Repeat(`\\u00e9\\p{L}`, 60)+`%d":true`) + `}}}`,
	"spaces of ECMA-262":             `{` + numbered(60, `"p%d":{"pattern":"\\u00e9`+strings.Repeat(`[\\S]`, 160)+`"}`) + `}`,
	"pairs of surrogates":            `{` + numbered(60, `"p%d":{"pattern":"`+strings.Repeat(`[\\ud800-\\udbff][\\udc00-\\udffe]`, 30)+`"}`) + `}`,
	"1,900 misspelt keywords":        `{"type":"object",` + numbered(1900, `"maxLenght%d":1`) + `}`,
	"an enumeration of 1,900":        `{"x":{"type":"string","const":1,"enum":[` + numbered(1900, "%d") + `]}}`,
	"combinations":                   `{"properties":{` + numbered(40, `"p%d":{"allOf":[`+numbered(6, `{"anyOf":[{"minimum":%d},{"maximum":%d}]}`)+`]}`) + `}}`,
	"nested repetition":              fanOut(4, `{"pattern":"(a*)*(a*)*(a*)*b$"}`, `{"$ref":"#/$defs/d0","default":"`+strings.Repeat("a", 2000)+`"}`),
}

// underscores are n definitions whose names differ in their length only.
func underscores(n int) string {
	names := make([]string, n)
	for i := range names {
		names[i] = `"a` + strings.Repeat("_", i) + `":true`
	}
	return strings.Join(names, ",")
}

// TestHostileDocuments fails where a document takes far more than it should: the slowest takes about 0.2 s, and most less than a
// millisecond. The race detector and a busy machine multiply that by ten or more.
func TestHostileDocuments(t *testing.T) {
	const patience = 30 * time.Second
	for name, raw := range hostile {
		t.Run(name, func(t *testing.T) {
			done := make(chan struct{})
			go func() {
				defer close(done)
				if s, _, err := Parse([]byte(raw)); err != nil {
					_ = err.Error()
				} else if _, err := s.Validator(); err != nil {
					t.Error(err)
				}
			}()
			select {
			case <-done:
			case <-time.After(patience):
				t.Fatalf("Parse takes longer than %s", patience)
			}
		})
	}
}
