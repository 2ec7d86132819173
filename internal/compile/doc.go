// Package compile makes of a checked workflow what Maze itself runs: maze.workflow/v1, in which each node brings code along.
//
// Maze knows no registry. The code of a compiled node imports the function of its task by the entry point, and calls it as the executor of
// the Python package does: shim.py is that code, and the same for all nodes but for a JSON text, the plan. What Maze has no word for goes
// through inputs that the function does not see: an item of a list that is another node's output, and an edge that is only for the order.
//
// The same workflow and tasks give the same bytes. Whatever the workflow is, it takes bounded time and memory.
package compile
