package schema

import (
	"strings"
	"testing"
)

// fourParameters is what tasks usually declare, as an entry has it.
var fourParameters = []byte(`{"properties":{"image":{"description":"the image","format":"filepath","type":"string"},` +
	`"labels":{"items":{"type":"string"},"type":"array"},"prompt":{"description":"what to ask","type":"string"},` +
	`"steps":{"default":20,"maximum":100,"minimum":1,"type":"integer"}},"required":["image","prompt"],"type":"object"}`)

// BenchmarkParameters is what checking one node of a DAG costs.
func BenchmarkParameters(b *testing.B) {
	values := map[string][]byte{"image": []byte(`"/data/a.png"`), "prompt": []byte(`"a cat"`), "steps": []byte(`30`)}
	order := sortedNames(values)
	b.ReportAllocs()
	for b.Loop() {
		p, err := Open(fourParameters)
		if err != nil {
			b.Fatal(err)
		}
		if len(p.Names()) != 4 || len(p.Required()) != 2 {
			b.Fatal("want four parameters")
		}
		for _, name := range order {
			part, _ := p.Part(name)
			if err := part.Validate(values[name]); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// BenchmarkPartRefuses is what it costs to have the library word why one value does not fit.
func BenchmarkPartRefuses(b *testing.B) {
	for b.Loop() {
		p, err := Open(fourParameters)
		if err != nil {
			b.Fatal(err)
		}
		if part, _ := p.Part("steps"); part.Validate([]byte(`"many"`)) == nil {
			b.Fatal("want an error")
		}
	}
}

func BenchmarkFeeds(b *testing.B) {
	pairs := map[string][2]string{
		"Strings":  {`{"type":"filepath"}`, `{"type":"string"}`},
		"Apart":    {`{"type":"integer"}`, `{"type":"string"}`},
		"Optional": {`{"type":"string"}`, `{"anyOf":[{"type":"string"},{"type":"null"}]}`},
		"Lists":    {`{"type":"array","items":{"type":"integer"}}`, `{"type":"array","items":{"type":"number"}}`},
		"Objects":  {`{"type":"object","properties":{"a":{"type":"integer"}},"required":["a"]}`, `{"type":"object","properties":{"a":{"type":"number"}}}`},
		"Library":  {`{"enum":[[1],[2]]}`, `{"uniqueItems":true}`},
		"Too many": {`{"allOf":[` + strings.TrimSuffix(strings.Repeat(`{"anyOf":[{"minLength":1},{"maxLength":9}]},`, 40), ",") + `]}`, `{"type":"string"}`},
	}
	for _, name := range sortedNames(pairs) {
		b.Run(name, func(b *testing.B) {
			var parts [2]Part
			for i, raw := range pairs[name] {
				p, err := Open([]byte(`{"properties":{"x":` + raw + `},"type":"object"}`))
				if err != nil {
					b.Fatal(err)
				}
				parts[i], _ = p.Part("x")
			}
			b.ReportAllocs()
			for b.Loop() {
				Feeds(parts[0], parts[1])
			}
		})
	}
}
