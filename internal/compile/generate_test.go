package compile

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// A value's kind says where it can go: each output has one, and each parameter takes one. anything goes where anything is taken.
const (
	kindInt      = "int"
	kindNumber   = "number"
	kindText     = "text"
	kindInts     = "ints"
	kindTexts    = "texts"
	kindNote     = "note"
	kindNotes    = "notes"
	kindList     = "list"
	kindAnything = "anything"
	// kindFree is for tasks that take any arguments.
	kindFree = "free"
)

// port is a parameter or an output. An optional parameter may be left out; an optional output is sometimes not there.
type port struct {
	name, kind string
	optional   bool
}

// generatedTask is what a generator knows of a task. The rare ones fail.
type generatedTask struct {
	name    string
	inputs  []port
	outputs []port
	rare    bool
}

func ofText(name string) generatedTask {
	return generatedTask{name: name, inputs: []port{{"text", kindText, false}}, outputs: []port{{"text", kindText, false}}}
}

func rarely(name string, in, out port) generatedTask {
	return generatedTask{name: name, inputs: []port{in}, outputs: []port{out}, rare: true}
}

var (
	intN = port{"n", kindInt, false}
	text = port{"text", kindText, false}
)

var generatedTasks = []generatedTask{
	{name: "add", inputs: []port{{"a", kindInt, false}, {"b", kindInt, true}}, outputs: []port{{"sum", kindInt, false}}},
	{name: "halve", inputs: []port{{"n", kindNumber, false}}, outputs: []port{{"half", kindNumber, false}, {"odd", kindAnything, false}}},
	{name: "count", inputs: []port{intN}, outputs: []port{{"items", kindInts, false}, {"last", kindInt, false}}},
	{name: "total", inputs: []port{{"items", kindInts, false}, {"start", kindInt, true}}, outputs: []port{{"sum", kindInt, false}}},
	{name: "words", inputs: []port{text}, outputs: []port{{"words", kindTexts, false}, {"letters", kindInt, false}}},
	{name: "join", inputs: []port{{"parts", kindList, false}, {"separator", kindText, true}}, outputs: []port{text}},
	{name: "describe", inputs: []port{{"", kindFree, false}}, outputs: []port{text}},
	{name: "report", inputs: []port{intN}, outputs: []port{{"pair", kindList, false}, {"day", kindText, false}}},
	{name: "point", inputs: []port{intN}, outputs: []port{{"x", kindInt, false}, {"y", kindInt, false}}},
	{name: "nested", inputs: []port{intN}, outputs: []port{{"tree", kindAnything, false}}},
	ofText("later"), ofText("awaitable"), ofText("member"), ofText("inner"), ofText("wrapped"), ofText("mazes"),
	{name: "write-note", inputs: []port{text}, outputs: []port{{"note", kindNote, false}}},
	{name: "write-notes", inputs: []port{intN, {"text", kindText, true}}, outputs: []port{{"notes", kindNotes, false}}},
	{name: "read-note", inputs: []port{{"note", kindNote, false}}, outputs: []port{text}},
	{name: "read-notes", inputs: []port{{"notes", kindNotes, false}}, outputs: []port{text}},
	{name: "model", outputs: []port{text}}, {name: "model-less", outputs: []port{text}},
	{name: "maybe", inputs: []port{intN}, outputs: []port{{"value", kindInt, true}, {"more", kindText, true}}},
	{name: "nothing", inputs: []port{intN}},
	{name: "free", inputs: []port{intN}, outputs: []port{{"one", kindInt, false}, {"two", kindInts, false}, {"three", kindAnything, false}}},
	{name: "one-of", inputs: []port{intN}, outputs: []port{{"value", kindAnything, false}}},
	{name: "defaults", inputs: []port{{"n", kindInt, true}, {"listed", kindList, true}}, outputs: []port{text}},
	rarely("fail", text, text), rarely("memory", text, text), rarely("leave", text, text), rarely("own-error", text, text),
	rarely("not-json", intN, port{"value", kindAnything, false}), rarely("itself", intN, port{"value", kindAnything, false}),
	rarely("wrong", intN, port{"a", kindAnything, false}),
	{name: "no-module", outputs: []port{text}, rare: true}, {name: "no-function", outputs: []port{text}, rare: true},
}

// workflowMaker makes workflows of Maze's description.
type workflowMaker struct {
	*rand.Rand
	nodes []madeNode
}

type madeNode struct {
	ID   string         `json:"id"`
	Func string         `json:"func"`
	Args map[string]any `json:"args"`
	task *generatedTask
}

type madeEdge struct {
	Source string `json:"source"`
	Target string `json:"target"`
}

// workflow returns a workflow of some nodes, each of which can refer to those before it. They are written in any order.
func (m *workflowMaker) workflow(t testing.TB) []byte {
	t.Helper()
	m.nodes = nil
	ids := []string{"t1", "a-b", "_x", "node", "T2", "speak_9"}
	m.Shuffle(len(ids), func(i, k int) { ids[i], ids[k] = ids[k], ids[i] })
	var edges []madeEdge
	for _, id := range ids[:1+m.IntN(len(ids))] {
		task := m.task()
		node := madeNode{ID: id, Func: task.name, Args: map[string]any{}, task: task}
		for _, p := range task.inputs {
			switch {
			case p.kind == kindFree:
				for range m.IntN(4) {
					node.Args[m.pick("a", "max-words", "self", "from", "value", "a.b", "x[0]", "x[]", "x", "after t1", "键", "given", "name")] = m.value(kindAnything)
				}
			case !p.optional || m.IntN(2) == 0:
				node.Args[p.name] = m.value(p.kind)
			}
		}
		if len(m.nodes) > 0 && m.IntN(4) == 0 {
			edges = append(edges, madeEdge{m.nodes[m.IntN(len(m.nodes))].ID, id})
		}
		m.nodes = append(m.nodes, node)
	}
	m.Shuffle(len(m.nodes), func(i, k int) { m.nodes[i], m.nodes[k] = m.nodes[k], m.nodes[i] })
	content, err := json.Marshal(struct {
		Nodes []madeNode `json:"nodes"`
		Edges []madeEdge `json:"edges,omitempty"`
	}{m.nodes, edges})
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func (m *workflowMaker) pick(of ...string) string { return of[m.IntN(len(of))] }

// task chooses a task whose parameters can be filled. Those that fail are rare.
func (m *workflowMaker) task() *generatedTask {
	for {
		task := &generatedTasks[m.IntN(len(generatedTasks))]
		needsNote := slices.ContainsFunc(task.inputs, func(p port) bool {
			return (p.kind == kindNote || p.kind == kindNotes) && len(m.references(p.kind)) == 0
		})
		if !needsNote && (!task.rare || m.IntN(8) == 0) {
			return task
		}
	}
}

// references returns the references to values of a kind.
func (m *workflowMaker) references(kind string) []string {
	var all []string
	for _, n := range m.nodes {
		for _, out := range n.task.outputs {
			if out.optional && m.IntN(3) > 0 { // a workflow that needs one often fails
				continue
			}
			written := n.ID + ".output." + out.name
			item := fmt.Sprintf("%s[%d]", written, m.IntN(3))
			switch {
			case kind == kindNote && out.kind == kindNotes, kind == kindInt && out.kind == kindInts, kind == kindText && out.kind == kindTexts:
				all = append(all, item)
			case kind == kindList && (out.kind == kindInts || out.kind == kindTexts):
				all = append(all, written)
			case out.kind == kind, kind == kindNumber && out.kind == kindInt, kind == kindAnything && out.kind != kindNote && out.kind != kindNotes:
				all = append(all, written)
			}
		}
	}
	return all
}

// value returns an argument of a kind: a literal, a reference, or a list with references.
func (m *workflowMaker) value(kind string) any {
	if references := m.references(kind); len(references) > 0 && (kind == kindNote || m.IntN(2) == 0) {
		return references[m.IntN(len(references))]
	}
	if of, ok := map[string]string{kindInts: kindInt, kindNotes: kindNote, kindList: kindAnything, kindAnything: kindAnything}[kind]; ok && (kind != kindAnything || m.IntN(3) == 0) {
		items := []any{}
		for range m.IntN(4) {
			if kind == kindNotes && len(m.references(kindNote)) == 0 {
				break
			}
			items = append(items, m.value(of))
		}
		return flat(items)
	}
	return m.literal(kind)
}

// flat returns a list whose items are no lists with references: those are texts.
func flat(items []any) []any {
	for i, item := range items {
		if list, ok := item.([]any); ok {
			items[i] = len(list)
		}
	}
	return items
}

func (m *workflowMaker) literal(kind string) any {
	switch kind {
	case kindInt, kindNumber:
		return m.IntN(7) - 1
	case kindText:
		return m.pick("", "one two", `"quoted" 'twice' \ back`, "line\u2028separator\u2029\n", "漢字 😀", "t1.output", "{not json", "a\x00b", "</script>&")
	case kindInts:
		return []any{}
	}
	raw := []string{
		"null", "true", "1.0", "1e2", "-0.0", "0.1", `"text"`, "[]", "{}", `{"from": "t1.x"}`, `{"value": 1, "has_value": false}`,
		`{"data_type": "str"}`, `{"input_schema": "from_run", "value": {"__maze_run_input__": true, "key": "q"}}`, `{"__proto__": [1, {"from": {"value": null}}]}`,
		`"\ud83d\ude00 \u2028 \" \\ \u0000"`, `[1, [2, [3, {"a": "b"}]], null]`, `{"": {"a.b": "'''"}}`,
	}
	return json.RawMessage(raw[m.IntN(len(raw))])
}
