// Package discover finds Maze's tasks in Python sources, without running them.
//
// A file becomes a Module by itself. Then Link evaluates the declarations of Modules, with the constants of other modules where they
// are named. Neither reads files: the caller does.
//
// It stands on packages of which each imports only those before it: python parses, syntax reads one file, imports knows modules and
// where names come from, eval turns expressions into values, and annotation turns types into JSON Schemas. Only this package knows Maze.
package discover

import (
	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/discover/syntax"
	"github.com/maze-agent/maregister/internal/finding"
)

// MaxSource is how large, in bytes, a Python file may be.
const MaxSource = syntax.MaxSource

// Module is what a Python file declares at its top level, as far as discovery needs it.
type Module struct{ file *syntax.Module }

// Path returns where the file is, as it was given.
func (m *Module) Path() string { return m.file.Path }

// Broken reports whether the file could not be read as Python: which tasks it declares is then not known.
func (m *Module) Broken() bool { return m.file.Problem != nil }

// Ignores returns what the comments of the file silence.
func (m *Module) Ignores() []finding.Ignore { return m.file.Ignores }

// TooHard reports whether the file was too large or intricate for the parser's memory.
func (m *Module) TooHard() bool { return m.file.TooHard }

// MayDeclare reports whether there is something in it for Link: a function that may be a task, or a finding.
func (m *Module) MayDeclare() bool {
	return len(m.file.Functions) > 0 || len(m.file.Calls) > 0 || m.file.Problem != nil
}

// Parser makes Modules. It is not safe for concurrent use.
type Parser struct{ files *syntax.Parser }

// NewParser returns a parser that knows Maze's decorators and those that are claimed. It takes about a megabyte, and more as long as it
// reads something large.
func NewParser(claims Claims) *Parser { return &Parser{syntax.NewParser(claims.mayDeclare(nil))} }

// NewWideParser returns a parser that also takes for a decorator whatever comes from other modules, if their top-level package is near: it
// misses none that Link finds, provided that what Link can load is near.
func NewWideParser(claims Claims, isNear func(root string) bool) *Parser {
	return &Parser{syntax.NewParser(claims.mayDeclare(isNear))}
}

// Reserve has the parser hold the memory that the hardest source may take: some 64 MiB, of which no more is used than is needed. Without it, a
// parser that grows takes several times as much for a while.
func (p *Parser) Reserve() { p.files.Reserve() }

// Limit bounds the memory that a source may take, in bytes. What does not fit is TooHard.
func (p *Parser) Limit(bytes int) { p.files.Limit(bytes) }

// Parse reads a file. path is relative to the package root, with slashes; module is its dotted name. What is wrong with the file
// is among the findings of Link.
func (p *Parser) Parse(path, module string, source []byte) *Module {
	return &Module{p.files.Parse(path, module, source)}
}

// Task is a declared task.
type Task struct {
	// Spec is that of its MazeTask. What is not known is left out.
	Spec v1alpha1.MazeTaskSpec
	// File and Position are where its declaration begins: at the decorator.
	File     string
	Position finding.Position
	// Function is the Python object reference, such as tools.image:image_caption.
	Function string
}

// Options say how modules are linked.
type Options struct {
	// Load returns any other module of the package root, by its dotted name, or nil if there is none.
	Load func(name string) *Module
	// Shown returns how a message names a file: as a user would write it. Nil for its path below the package root.
	Shown func(path string) string
	// Claims are decorators that count as Maze's.
	Claims Claims
	// HasRootFlag says that the user can give --package-root, so that messages advise it.
	HasRootFlag bool
	// Judge returns what is wrong with a task. Pointer is all that it knows of the place: a JSON pointer into the task's manifest, such as
	// /spec/inputParameters/image/type. Nil for a Link that judges nothing.
	Judge func(spec *v1alpha1.MazeTaskSpec) []finding.Finding
	// Stop reports whether to end early, with what was found so far. Nil for never.
	Stop func() bool
}

// Result is what was found in some modules.
type Result struct {
	// Tasks are sorted by name. Every name is there once.
	Tasks []Task
	// Overwritten is how many declarations lost their name to a later one.
	Overwritten int
	// Refused is how many functions declare a task that there is not, as findings say.
	Refused int
	// Findings are sorted by file and position.
	Findings []finding.Finding
}
