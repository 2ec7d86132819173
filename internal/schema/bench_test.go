package schema

import (
	"fmt"
	"strings"
	"testing"
)

const benign = `{"type":"object","properties":{"image":{"type":"filepath","description":"the image"},"prompt":{"type":"string","description":"what to ask"},"beams":{"type":"integer","minimum":1,"default":3},"temperature":{"type":"number"},"tags":{"type":"array","items":{"type":"string"}}},"required":["image"]}`

func BenchmarkParse(b *testing.B) {
	var wide, defaults, refs []string
	for i := range 600 {
		wide = append(wide, fmt.Sprintf(`"p%d":{"type":"string","description":"%s"}`, i, strings.Repeat("x", 60)))
		defaults = append(defaults, fmt.Sprintf(`"p%d":{"type":"string","default":"x"}`, i))
		refs = append(refs, fmt.Sprintf(`"p%d":{"$ref":"#/$defs/d","default":3}`, i))
	}
	benchmarks := map[string]string{
		"FiveProperties":               benign,
		"FivePropertiesWithoutDefault": strings.Replace(benign, `,"default":3`, "", 1),
		"Shorthand":                    `{"image":{"type":"filepath"}}`,
		"600Properties":                "{" + strings.Join(wide, ",") + "}",
		"600Defaults":                  "{" + strings.Join(defaults, ",") + "}",
		"600DefaultsBesideReferences":  `{"$defs":{"d":{"type":"integer"}},"properties":{` + strings.Join(refs, ",") + "}}",
	}
	for _, name := range sortedNames(benchmarks) {
		b.Run(name, func(b *testing.B) {
			raw := []byte(benchmarks[name])
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := Parse(raw); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
