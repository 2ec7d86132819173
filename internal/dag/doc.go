// Package dag checks a workflow, as Maze's users write it in JSON or YAML, against the tasks of a registry: before it runs, the
// whole of it, and everything at once.
//
// Several forms are read (see form.go), and all give the same [Graph]:
//
//	{"nodes": [{"id", "func", "args"}]}                    Maze's description
//	the same with "edges": [{"source", "target"}]
//	{"schema": "maze.workflow/v1", "nodes", "edges"}       inputs and outputs apart, edges {"from": "a.o", "to": "b.x"}
//	{"schema": "maze-playground-bundle", "workflow"}       what Maze's Workbench exports, and what it saves
//	{"nodes": [{"task"}], "edges"}, {"tasks", "graph_definition"}    what older branches of Maze have
//
// An argument of Maze's description refers to an output of another node by a string that is nothing but
// node.output.key or node.output.key[n], alone or as an item of a list. Any other text is itself.
//
// For workflows that are for Maze, the rules of its validator are a step of their own: maze.go and the files beside it.
//
// Like all of internal/, it is pure. Whatever the text is, it takes bounded time and memory.
package dag
