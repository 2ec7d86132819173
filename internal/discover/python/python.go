// Package python reads Python sources into syntax trees: those of tree-sitter's Python grammar, whose names the kinds and fields
// of nodes are (https://github.com/tree-sitter/tree-sitter-python, src/node-types.json).
package python

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/maze-agent/maregister/internal/discover/python/treesitter"
)

// ErrTooHard is the error of a source that is too large or too intricate to be read.
var ErrTooHard = errors.New("it is too large or too intricate to be read")

// SyntaxError is the error of a source that is no Python. Offset is about where it ceases to be, in bytes.
type SyntaxError struct{ Offset int }

// Error implements error.
func (e *SyntaxError) Error() string { return fmt.Sprintf("no Python at byte %d", e.Offset) }

// Parser reads sources, one at a time. It is not safe for concurrent use. It takes about a megabyte, and twenty times the size
// of the largest source that it read.
type Parser struct {
	module *treesitter.Module
	kinds  []string
	fields []string
	// limit is what a source may take, in bytes.
	limit int
	// reserved is the memory to use. It is empty, and nil if none is reserved.
	reserved []byte
	// nodes has room for the nodes that are handed out next. What is in use of it belongs to the tree that is read.
	nodes []Node
}

// maxIdleMemory, in bytes, is what a parser keeps between two sources.
const maxIdleMemory = 24 << 20

// NewParser returns a parser.
func NewParser() *Parser {
	p := &Parser{limit: maxMemory}
	p.renew()
	p.kinds = p.names(p.module.Xsymbols(), p.module.Xsymbol_name)
	p.fields = p.names(p.module.Xfields()+1, p.module.Xfield_name)
	return p
}

// maxMemory, in bytes, is what a parser may take for a source.
const maxMemory = 64 << 20

// renew drops what the module has grown to, or what a trap left of it. Memory that is reserved is used again.
func (p *Parser) renew() {
	p.module = treesitter.New()
	if p.reserved != nil {
		memory := p.module.Xmemory().Slice()
		*memory = append(p.reserved, *memory...)
	}
	p.module.SetMaxMemory(p.limit)
	p.module.Xinit()
}

// Reserve has the parser hold the memory that the hardest source may take. Of that, no more is used than is needed.
func (p *Parser) Reserve() {
	p.reserved = make([]byte, 0, maxMemory)
	memory := p.module.Xmemory().Slice()
	*memory = append(p.reserved, *memory...)
}

// Limit bounds the memory that a source may take, in bytes.
func (p *Parser) Limit(size int) {
	p.limit = min(size, maxMemory)
	p.module.SetMaxMemory(p.limit)
}

const (
	// ownMemory, in bytes, is what a parser takes for itself, and usualMemory what it mostly takes for each byte of a source.
	ownMemory, usualMemory = 768 << 10, 70
)

// makeRoom grows the module's memory at once to what a source will mostly take. Memory that grows bit by bit is copied each time.
func (p *Parser) makeRoom(source []byte) {
	memory := p.module.Xmemory().Slice()
	if usual := ownMemory + usualMemory*len(source); cap(*memory) < min(usual, p.limit) {
		*memory = append(make([]byte, 0, min(max(usual, 2*cap(*memory)), p.limit)), *memory...)
	}
}

func (p *Parser) memory() []byte { return *p.module.Xmemory().Slice() }

// names returns n names of the module.
func (p *Parser) names(n int32, at func(int32) int32) []string {
	names := make([]string, n)
	for i := range n {
		if start := at(i); start != 0 {
			text, _, _ := bytes.Cut(p.memory()[start:], []byte{0})
			names[i] = string(text)
		}
	}
	return names
}

// Tree is a source's syntax tree.
type Tree struct {
	Source []byte
	parser *Parser
}

// trap is what a defect of the C code, or its lack of memory, ends in.
type trap struct{ cause any }

// guard turns what the module panics with into a trap: to be deferred around every use of it.
func guard() {
	if cause := recover(); cause != nil {
		panic(trap{cause})
	}
}

// Read reads a source, which has to be UTF-8, and has its tree used. It returns ErrTooHard for a source that is out of
// proportion, be it found out while the tree is used, and a SyntaxError for one that is no Python. The tree, and its nodes, are
// gone afterwards.
func (p *Parser) Read(source []byte, use func(*Tree)) (err error) {
	if len(p.memory()) > maxIdleMemory && p.reserved == nil {
		p.renew()
	}
	p.nodes = p.nodes[:0]
	defer func() {
		switch cause := recover().(type) {
		case nil:
		case trap:
			p.renew()
			err = ErrTooHard
		default:
			panic(cause)
		}
	}()
	tree, err := p.parse(source)
	if err == nil {
		use(tree)
	}
	return err
}

// parse has the module parse a source, and looks for what is wrong in the tree.
func (p *Parser) parse(source []byte) (*Tree, error) {
	defer guard()
	p.makeRoom(source)
	start := p.module.Xbuffer(int32(len(source)))
	copy(p.memory()[start:], source)
	if !isTrue(p.module.Xparse(budgetOf(source))) {
		at := int(p.module.Xerror())
		p.renew()
		if at >= 0 {
			return nil, &SyntaxError{min(at, len(source))}
		}
		return nil, ErrTooHard
	}
	tree := &Tree{Source: source, parser: p}
	wrong := p.module.Xmisplaced()
	if tree.Root().hasError {
		wrong = p.module.Xfind(0)
	}
	if wrong >= 0 {
		return nil, &SyntaxError{tree.node(wrong).Start}
	}
	return tree, nil
}

// budgetOf returns how many steps, of a hundred operations each, a source may take: several times what any real one does.
func budgetOf(source []byte) int64 { return 2000 + int64(len(source))/4 }

func isTrue(v int32) bool { return v != 0 }

// Root returns the node of the whole source.
func (t *Tree) Root() Node { return t.node(0) }

// Find returns the first node of a kind.
func (t *Tree) Find(kind string) (Node, bool) {
	for symbol, name := range t.parser.kinds {
		if name == kind {
			defer guard()
			if i := t.parser.module.Xfind(int32(symbol)); i >= 0 {
				return t.node(i), true
			}
		}
	}
	return Node{}, false
}

// Node is a part of a tree. The zero value is no node: it has no kind, no text and no children.
type Node struct {
	tree     *Tree
	index    int32
	hasError bool

	// Named means that it is not only a token such as "+".
	Named bool
	// Start and End are offsets into the source, in bytes.
	Start, End int
	// Kind is that of the grammar, such as "call". Of what the grammar does not name, it is the text itself, such as "+".
	Kind string
	// Field is what the node is to its parent, such as "left". Empty for others.
	Field string
}

// As shim.c has them.
const (
	recordSize   = 12
	flagNamed    = 1
	flagHasError = 8
)

func (t *Tree) node(index int32) Node { return t.read(t.records(index, 1), index) }

// records returns the records of n nodes, the first of which has an index.
func (t *Tree) records(index, n int32) []byte {
	return t.parser.memory()[t.parser.module.Xat()+index*recordSize:][:n*recordSize]
}

// read returns the node of a record.
func (t *Tree) read(record []byte, index int32) Node {
	record = record[:recordSize]
	flags := record[11]
	return Node{
		tree: t, index: index,
		Start: int(binary.LittleEndian.Uint32(record)), End: int(binary.LittleEndian.Uint32(record[4:])),
		Kind:  t.parser.kindOf(binary.LittleEndian.Uint16(record[8:])),
		Field: t.parser.fields[record[10]],
		Named: flags&flagNamed != 0, hasError: flags&flagHasError != 0,
	}
}

func (p *Parser) kindOf(symbol uint16) string {
	if int(symbol) < len(p.kinds) {
		return p.kinds[symbol]
	}
	return "ERROR" // which has a number of its own
}

// IsZero reports whether it is no node.
func (n Node) IsZero() bool { return n.tree == nil }

// Bytes returns the source of the node. It must not be changed.
func (n Node) Bytes() []byte {
	if n.IsZero() {
		return nil
	}
	return n.tree.Source[n.Start:n.End]
}

// Text returns the source of the node.
func (n Node) Text() string { return string(n.Bytes()) }

// children has the module write down the children of a node. It returns their records, and the index of the first.
func (n Node) children() (records []byte, first int32) {
	count := n.tree.parser.module.Xchildren(n.index)
	first = n.tree.parser.module.Xcount() - count
	return n.tree.records(first, count), first
}

// All returns all children, tokens such as "+" included.
func (n Node) All() []Node { return n.choose(func(*Node) bool { return true }) }

// Children returns the children that the grammar names, without comments and the like.
func (n Node) Children() []Node {
	return n.choose(func(child *Node) bool {
		return child.Named && child.Kind != "comment" && child.Kind != "line_continuation"
	})
}

// choose returns the children that are wanted.
func (n Node) choose(wanted func(*Node) bool) []Node {
	if n.IsZero() {
		return nil
	}
	defer guard()
	records, first := n.children()
	count := len(records) / recordSize
	children := n.tree.parser.roomFor(count)
	for i := range count {
		if child := n.tree.read(records[i*recordSize:], first+int32(i)); wanted(&child) {
			children = append(children, child)
		}
	}
	n.tree.parser.nodes = n.tree.parser.nodes[:len(n.tree.parser.nodes)+len(children)]
	return slices.Clip(children)
}

// roomFor returns a slice with room for some nodes, which are not in use until nodes is as much longer.
func (p *Parser) roomFor(count int) []Node {
	const usual = 1024
	if cap(p.nodes)-len(p.nodes) < count {
		p.nodes = make([]Node, 0, max(usual, count))
	}
	return p.nodes[len(p.nodes):]
}

// Child returns the first child with a field, or no node.
func (n Node) Child(field string) Node {
	if n.IsZero() {
		return Node{}
	}
	defer guard()
	records, first := n.children()
	for i := range len(records) / recordSize {
		if child := n.tree.read(records[i*recordSize:], first+int32(i)); child.Field == field {
			return child
		}
	}
	return Node{}
}

// Child returns the first of some children with a field, or no node.
func Child(children []Node, field string) Node {
	for _, child := range children {
		if child.Field == field {
			return child
		}
	}
	return Node{}
}

// Between returns a part of the tree's source. It must not be changed.
func (n Node) Between(from, to int) []byte { return n.tree.Source[from:to] }
