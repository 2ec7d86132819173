package dag

import (
	"fmt"
	"strings"
	"testing"
)

// writeNode writes a node that waits for others.
func writeNode(out *strings.Builder, id int, function string, waits ...int) {
	if id > 0 {
		out.WriteString(",\n")
	}
	fmt.Fprintf(out, `{"id": "n%d", "func": %q, "args": {`, id, function)
	for i, w := range waits {
		if i > 0 {
			out.WriteString(", ")
		}
		fmt.Fprintf(out, `"x%d": "n%d.output.y"`, i, w)
	}
	out.WriteString("}}")
}

func graphOf(nodes int, waits func(i int) []int) string {
	var out strings.Builder
	out.WriteString(`{"nodes": [`)
	for i := range nodes {
		writeNode(&out, i, "anything", waits(i)...)
	}
	out.WriteString("]}")
	return out.String()
}

func circleOf(n int) string { return graphOf(n, func(i int) []int { return []int{(i + 1) % n} }) }

func wayOf(n int) string {
	return graphOf(n, func(i int) []int {
		if i+1 == n {
			return nil
		}
		return []int{i + 1}
	})
}

func circleAndWay(n int) string { return graphOf(n, func(i int) []int { return []int{max(0, i-1)} }) }

func dense(n int) string {
	return graphOf(n, func(i int) []int {
		waits := make([]int, i)
		for j := range waits {
			waits[j] = j
		}
		return waits
	})
}

// large is a workflow of n nodes of n tasks, each with three values, and a reference to the one before.
func large(n int) (string, map[string]Task) {
	tasks := make(map[string]Task, n)
	var out strings.Builder
	out.WriteString(`{"nodes": [`)
	for i := range n {
		name := fmt.Sprintf("task_%d", i)
		tasks[name] = Task{
			Input: fmt.Appendf(nil, `{"properties":{"count_%[1]d":{"maximum":100,"minimum":0,"type":"integer"},"mode":{"enum":["fast","good"]},`+
				`"prompt_%[1]d":{"description":"what to ask","minLength":1,"type":"string"},"text":{"type":"string"}},"required":["prompt_%[1]d"],"type":"object"}`, i),
			Output: fmt.Appendf(nil, `{"properties":{"text_%d":{"type":"string"},"tokens":{"type":"integer"}},"type":"object"}`, i),
		}
		if i > 0 {
			out.WriteString(",\n")
		}
		fmt.Fprintf(&out, `{"id": "n%[1]d", "func": "task_%[1]d", "args": {"prompt_%[1]d": "hello", "count_%[1]d": 3, "mode": "fast"`, i)
		if i > 0 {
			fmt.Fprintf(&out, `, "text": "n%[1]d.output.text_%[1]d"`, i-1)
		}
		out.WriteString("}}")
	}
	out.WriteString("]}")
	return out.String(), tasks
}

// BenchmarkCheck has ten thousand nodes of ten thousand different tasks.
func BenchmarkCheck(b *testing.B) {
	workflow, tasks := large(10_000)
	b.ReportAllocs()
	for b.Loop() {
		if _, findings := Check("dag.json", []byte(workflow), NewTasks(tasks), Options{}); len(findings) > 0 {
			b.Fatalf("%+v", findings[0])
		}
	}
}
