// Package dag checks a workflow, as Maze's users write it in JSON, against the tasks of a registry: before it runs, the
// whole of it, and everything at once.
//
// Three formats are read, and all give the same [Graph]:
//
//	{"nodes": [{"id", "func", "args"}]}                    Maze's description
//	the same with "edges": [{"source", "target"}]
//	{"schema": "maze.workflow/v1", "nodes", "edges"}       inputs and outputs apart, edges {"from": "a.o", "to": "b.x"}
//
// An argument of the first two refers to an output of another node by a string that is nothing but
// node.output.key or node.output.key[n], alone or as an item of a list. Any other text is itself.
//
// Like all of internal/, it is pure. Whatever the JSON is, it takes bounded time and memory.
package dag
