// Package discover finds Maze's tasks in Python sources, without running them.
//
// A file becomes a Module by itself. Then the Modules are Linked: what a declaration says is evaluated, with the constants of
// other modules where it names them. Neither reads files: the caller does.
package discover

import (
	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/finding"
)

// Task is a declared task.
type Task struct {
	// Spec is what a MazeTask says of it. Its source has the path and the line, and no digest. What is not known is left out.
	Spec v1alpha1.MazeTaskSpec
	// File and Position are where its declaration begins: at the decorator.
	File     string
	Position finding.Position
	// Function is the Python object reference, such as tools.image:image_caption.
	Function string
}

// Result is what was found in some modules.
type Result struct {
	// Tasks are sorted by name. Every name is there once.
	Tasks []Task
	// Overwritten is how many declarations lost their name to a later one.
	Overwritten int
	// Findings are sorted by place.
	Findings []finding.Finding
}
