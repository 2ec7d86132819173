package dag

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/maze-agent/maregister/internal/finding"
)

// drawings are the languages, by the ending of a file's name.
var drawings = map[string]func(*Graph, []finding.Finding) string{".svg": (*Graph).SVG, ".dot": (*Graph).DOT, ".mmd": (*Graph).Mermaid}

// TestDraw compares drawings with those of testdata/drawings.
func TestDraw(t *testing.T) {
	files, err := filepath.Glob("testdata/drawings/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no workflows to draw: %v", err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		graph, findings := Check(filepath.Base(file), content, drawnTasks(), Options{})
		for ending, draw := range drawings {
			name := strings.TrimSuffix(file, ".json") + ending
			t.Run(filepath.Base(name), func(t *testing.T) {
				got := draw(graph, findings)
				if again := draw(graph, findings); again != got {
					t.Errorf("two drawings differ:\n%s", cmp.Diff(got, again))
				}
				if *update {
					if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
						t.Fatal(err)
					}
					return
				}
				want, err := os.ReadFile(name)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(string(want), got); diff != "" {
					t.Errorf("drawing (-want +got; -update accepts it):\n%s", diff)
				}
			})
		}
	}
}

// drawnTasks are those of the workflows in testdata/drawings.
func drawnTasks() *Tasks {
	object := func(properties string) []byte { return []byte(`{"properties":{` + properties + `},"type":"object"}`) }
	return NewTasks(map[string]Task{
		"speech_to_text": {Input: object(`"audio":{"format":"filepath","type":"string"}`), Output: object(`"text":{"type":"string"},"words":{"type":"integer"}`)},
		"summarise":      {Input: object(`"text":{"type":"string"},"title":{"type":"string"}`), Output: object(`"summary":{"type":"string"}`)},
		"translate": {
			Input: object(`"text":{"type":"string"}`), Output: object(`"text":{"type":"string"}`),
			Unplaceable: "no node can host the task, even when empty: T4 (3 nodes): needs 32768Mi on one GPU, has 15360Mi",
		},
	})
}

// TestDrawHostileNames: whatever a workflow has for names, the pictures have the right form, and nothing in them is obeyed.
func TestDrawHostileNames(t *testing.T) {
	cases := map[string]string{
		"markup":            `<script>alert(1)</script>`,
		"an attribute":      `" onload="alert(1)`,
		"entities":          `&lt;b&gt; &amp;`,
		"end of CDATA":      `]]>`,
		"an escape of DOT":  `a\N\G"];x[label="b`,
		"HTML of DOT":       `<<b>x</b>>`,
		"Markdown":          "\"`**x**`\"",
		"Mermaid":           `a"] --> b["c`,
		"a directive":       `%%{init: {"theme": "dark"}}%%`,
		"an entity":         `#quot;`,
		"lines":             "a\nb\r\nc\u2028d",
		"control":           "\x00\x01\x1b[31m\x7f",
		"bidi":              "a\u202eb\u2066c\u200fd",
		"no characters":     "\ufffe\uffff\u200b",
		"not UTF-8":         "a\xffb\xed\xa0\x80",
		"very long":         strings.Repeat("x", 100_000),
		"very long Chinese": strings.Repeat("图", 10_000),
		"empty":             "",
	}
	for name, hostile := range cases {
		t.Run(name, func(t *testing.T) {
			g := &Graph{
				Nodes: []*Node{{ID: hostile, Func: hostile}, {ID: "b", Func: hostile}},
				Edges: []Edge{{From: 0, To: 1, Output: hostile, Input: hostile}, {From: 1, To: 1, Output: hostile, Input: hostile}},
			}
			findings := []finding.Finding{
				{Rule: finding.UnknownFunc, Severity: finding.SeverityError, Pointer: "/nodes/0/func", Message: hostile},
				{Rule: finding.MalformedDAG, Severity: finding.SeverityError, Message: hostile},
			}
			for ending, draw := range drawings {
				got := draw(g, findings)
				const most = 20_000
				if len(got) > most {
					t.Errorf("%s has %d bytes, want at most %d", ending, len(got), most)
				}
				for _, r := range got {
					if r == unicode.ReplacementChar || r != '\n' && !unicode.IsPrint(r) {
						t.Fatalf("%s has the character %U", ending, r)
					}
				}
				if problem := malformed(ending, got); problem != "" {
					t.Errorf("%s: %s:\n%s", ending, problem, got)
				}
			}
		})
	}
}

var (
	dotLine = regexp.MustCompile(`^(digraph workflow \{|\}|  (graph|node|edge|n\d+|n\d+ -> n\d+)( \[\w+=("([^"\\]|\\[\\"nl])*"|[\w.#]+)` +
		`(, \w+=("([^"\\]|\\[\\"nl])*"|[\w.#]+))*\])?;)$`)
	mermaidLine = regexp.MustCompile(`^(flowchart TD|  (n\d+|legend)\["[^"<>\[\]{}|]*"\]|  n\d+ (-->|-\.->)(\|"[^"<>\[\]{}|]*"\|)? n\d+` +
		`|  (style|classDef|class|linkStyle) [\w,#:\- ]+|  %% n\d+( to n\d+)?: [^{}]*)$`)
)

// malformed returns what is wrong with the form of a drawing.
func malformed(ending, text string) string {
	if ending == ".svg" {
		return malformedSVG(text)
	}
	pattern := dotLine
	if ending == ".mmd" {
		pattern, text = mermaidLine, strings.ReplaceAll(text, "<br/>", " ")
	}
	for _, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		if !pattern.MatchString(line) {
			return fmt.Sprintf("the line %q", line)
		}
	}
	return ""
}

// malformedSVG parses the XML, in which only known elements and attributes may be.
func malformedSVG(text string) string {
	elements := []string{"svg", "title", "style", "defs", "marker", "path", "rect", "g", "text"}
	decoder := xml.NewDecoder(strings.NewReader(text))
	for {
		token, err := decoder.Token()
		switch {
		case errors.Is(err, io.EOF):
			return ""
		case err != nil:
			return err.Error()
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		if !slices.Contains(elements, start.Name.Local) {
			return "an element " + start.Name.Local
		}
		for _, attribute := range start.Attr {
			if strings.HasPrefix(attribute.Name.Local, "on") || strings.Contains(attribute.Name.Local, "href") {
				return "an attribute " + attribute.Name.Local
			}
		}
	}
}

// TestDrawMarks tells which findings are where.
func TestDrawMarks(t *testing.T) {
	g, findings := Check("w.json", []byte(`{"nodes": [
		{"id": "a", "func": "speech_to_text", "args": {"audio": "/a"}},
		{"id": "b", "func": "summarise", "args": {"text": "a.output.words", "title": "c.output.x"}},
		{"id": "b", "func": "translate", "args": {}},
		{"id": "c", "func": "summarise", "args": {"text": "c.output.summary"}}],
		"edges": [{"source": "a", "target": "none"}, {"source": "a", "target": "c"}]}`), drawnTasks(), Options{})
	p := g.picture(findings)
	type marks struct {
		Nodes, Lines map[string]string
		Rest         []string
	}
	got := marks{Nodes: map[string]string{}, Lines: map[string]string{}}
	for i := range p.nodes {
		got.Nodes[fmt.Sprintf("%d %s", i, g.Nodes[i].ID)] = p.nodes[i].summary()
	}
	for i := range p.lines {
		l := &p.lines[i]
		got.Lines[fmt.Sprintf("%d to %d, order %t", l.from, l.to, l.order)] = l.summary()
	}
	for _, f := range p.rest {
		got.Rest = append(got.Rest, f.Rule)
	}
	want := marks{
		Nodes: map[string]string{"0 a": "", "1 b": "✖ MZ211 MZ212 MZ214", "2 b": "✖ MZ205 MZ215", "3 c": "✖ MZ213"},
		Lines: map[string]string{
			"0 to 1, order false": "✖ MZ212", "3 to 1, order false": "✖ MZ211", "3 to 3, order false": "✖ MZ213", "0 to 3, order true": "",
		},
		Rest: []string{finding.UnknownNode},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("marks (-want +got):\n%s", diff)
	}
}

// TestDrawLabels: what is wrong with one of many edges is seen.
func TestDrawLabels(t *testing.T) {
	edge := func(output string, index int, fit Fit) Edge {
		return Edge{From: 0, To: 1, Output: output, Index: index, Input: "in", Fit: fit}
	}
	var many []Edge
	for i := range 9 {
		many = append(many, edge("out", i, FitCompatible))
	}
	cases := map[string]struct {
		edges []Edge
		want  []string
	}{
		"one":       {[]Edge{edge("out", -1, FitIncompatible)}, []string{"out → in", "✖ MZ212"}},
		"one fine":  {[]Edge{edge("tuple", 0, FitCompatible)}, []string{"tuple[0] → in"}},
		"two":       {[]Edge{edge("out", -1, FitUnknown), edge("tuple", 12, FitIncompatible)}, []string{"✖ tuple[12] → in", "out → in", "✖ MZ212"}},
		"many":      {many, []string{"out[0] → in", "out[1] → in", "out[2] → in", "out[3] → in", "out[4] → in", "… and 4 more"}},
		"the last":  {append(slices.Clone(many), edge("bad", -1, FitIncompatible)), []string{"✖ bad → in", "out[0] → in", "out[1] → in", "out[2] → in", "out[3] → in", "… and 5 more", "✖ MZ212"}},
		"all wrong": {slices.Repeat([]Edge{edge("bad", -1, FitIncompatible)}, 7), append(slices.Repeat([]string{"✖ bad → in"}, 5), "✖ … and 2 more", "✖ MZ212")},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			p := (&Graph{Nodes: []*Node{{ID: "a"}, {ID: "b"}}, Edges: tc.edges}).picture(nil)
			if diff := cmp.Diff(tc.want, textsOf(p.lines[0].texts())); diff != "" {
				t.Errorf("labels (-want +got):\n%s", diff)
			}
		})
	}
}

// TestDrawIndex: an item of an output is told from another one.
func TestDrawIndex(t *testing.T) {
	g, findings := Check("w.json", []byte(`{"nodes": [{"id": "a", "func": "f"}, {"id": "b", "func": "f", "args": {"x": "a.output.pair[1]", "y": ["a.output.pair"]}}]}`), NewTasks(nil), Options{})
	drawing := g.DOT(findings)
	if !strings.Contains(drawing, `pair[1] → x\npair → y`) {
		t.Errorf("no index:\n%s", drawing)
	}
}

// TestArrange looks for what no picture may have: parts that overlap, and lines that lead upwards unless they close a cycle.
func TestArrange(t *testing.T) {
	for _, count := range []int{1, 2, 30, 300} {
		for seed := range 20 {
			lines, nodes, rooms := someLines(count, seed)
			l := arrange(nodes, lines, rooms)
			byLayer := map[int][]point{}
			for _, p := range l.points {
				byLayer[p.layer] = append(byLayer[p.layer], p)
				if p.x-p.left < 0 || p.x+p.right > l.width || p.y+p.height > l.height {
					t.Fatalf("%d nodes, seed %d: %+v is outside of %d × %d", count, seed, p, l.width, l.height)
				}
			}
			for _, layer := range byLayer {
				places := make([]*point, len(layer))
				for i := range layer {
					places[layer[i].at] = &layer[i]
				}
				for i := 1; i < len(places); i++ {
					if left, right := places[i-1], places[i]; left.x+left.right > right.x-right.left {
						t.Fatalf("%d nodes, seed %d: %+v and %+v overlap", count, seed, *left, *right)
					}
				}
			}
			for i, r := range l.routes {
				upper, lower := l.ends(lines, i)
				if upper != lower && l.points[upper].layer >= l.points[lower].layer {
					t.Fatalf("%d nodes, seed %d: the line %+v leads upwards: %+v", count, seed, lines[i], r)
				}
			}
		}
	}
}

// someLines returns lines between nodes, some of which close cycles.
func someLines(count, seed int) (lines []line, nodes, rooms []point) {
	random := uint32(seed*7919 + 1) // a linear congruential generator: the same everywhere
	next := func(n int) int {
		random = random*1664525 + 1013904223
		return int(random>>8) % n
	}
	seen := map[[2]int]bool{}
	for range count {
		nodes = append(nodes, point{left: 20 + next(60), right: 20 + next(60), height: 40})
		if key := [2]int{next(count), next(count)}; !seen[key] {
			seen[key] = true
			lines, rooms = append(lines, line{from: key[0], to: key[1]}), append(rooms, point{left: 5, right: 10 + next(100), height: 17})
		}
	}
	return lines, nodes, rooms
}

// TestDrawLarge: ten thousand nodes, in the shapes that cost most, give pictures of a size that can be told before.
func TestDrawLarge(t *testing.T) {
	const count = 10_000
	shapes := map[string]func(i int) []Edge{
		"a chain": func(i int) []Edge { return []Edge{{From: max(i-1, 0), To: i, Output: "out", Input: "in"}} },
		"a star":  func(i int) []Edge { return []Edge{{From: 0, To: i, Output: "out", Input: "in"}} },
		"long lines": func(i int) []Edge {
			return []Edge{{From: max(i-1, 0), To: i, Output: "out", Input: "in"}, {From: i / 2, To: i, Output: "out", Input: "in"}}
		},
		"circles": func(i int) []Edge { return []Edge{{From: i, To: (i + 1) % count}, {From: i, To: (i*7 + 3) % count}} },
	}
	for name, shape := range shapes {
		t.Run(name, func(t *testing.T) {
			g := &Graph{}
			for i := range count {
				g.Nodes = append(g.Nodes, &Node{ID: fmt.Sprintf("t%d", i), Func: "summarise"})
				g.Edges = append(g.Edges, shape(i)...)
			}
			points := 0
			if l := layoutOf(g); l != nil {
				points = len(l.points)
			}
			if most := count + 6*(count+len(g.Edges)) + 10_000; points > most {
				t.Errorf("%d points, want at most %d", points, most)
			}
			for ending, draw := range drawings {
				const perPart = 1500
				if got := draw(g, nil); len(got) > perPart*(count+len(g.Edges)) {
					t.Errorf("%s has %d bytes", ending, len(got))
				}
			}
		})
	}
}

func layoutOf(g *Graph) *layout {
	p := g.picture(nil)
	nodes, rooms := make([]point, len(p.nodes)), make([]point, len(p.lines))
	return arrange(nodes, p.lines, rooms)
}
