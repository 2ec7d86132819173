package jsontree

// Limits bound a tree. Zero is no limit.
type Limits struct {
	// Values is how many values there may be, and Depth how many objects and arrays within each other.
	Values, Depth int
}

// Excess says which of its limits a text exceeds.
type Excess string

// The limits that a text can exceed.
const (
	TooManyValues Excess = "too many values"
	TooDeep       Excess = "too deep"
)

// LimitError says where a text exceeds a limit.
type LimitError struct {
	Excess Excess
	Offset int
}

// Error implements error.
func (e *LimitError) Error() string { return string(e.Excess) }

// ParseJSON returns the tree of the JSON value that begins at an offset of a text and ends with it. It must be JSON: see Check. The error is
// nil, or says which limit it exceeds; then there is no tree.
func ParseJSON(text []byte, offset int, limits Limits) (*Node, *LimitError) {
	p := parser{Reader: Reader{Text: text, Next: offset}, limits: limits}
	root := p.value(nil)
	if p.failure != nil {
		return nil, p.failure
	}
	return root, nil
}

type parser struct {
	Reader
	limits  Limits
	depth   int
	count   int
	failure *LimitError
	// slab holds nodes that are not used yet: one allocation for many.
	slab []Node
}

func (p *parser) allocate() *Node {
	const slabSize = 256
	if len(p.slab) == 0 {
		p.slab = make([]Node, slabSize)
	}
	n := &p.slab[0]
	p.slab = p.slab[1:]
	return n
}

func (p *parser) fail(excess Excess) {
	if p.failure == nil {
		p.failure = &LimitError{Excess: excess, Offset: p.Next}
	}
}

// value reads a value. After a failure it reads no further, and what it returns is of no use.
func (p *parser) value(parent *Node) *Node {
	first := p.Peek()
	n := p.allocate()
	*n = Node{Kind: Kind(first), Start: p.Next, Parent: parent}
	if p.count++; p.limits.Values > 0 && p.count > p.limits.Values {
		p.fail(TooManyValues)
	}
	switch n.Kind {
	case Object, Array:
		p.children(n)
	case Text:
		p.SkipText()
	default:
		if first == '-' || first >= '0' && first <= '9' {
			n.Kind = Number
		}
		p.SkipLiteral()
	}
	n.End = p.Next
	return n
}

// children reads the members of an object or the items of an array.
func (p *parser) children(n *Node) {
	if p.depth++; p.limits.Depth > 0 && p.depth > p.limits.Depth {
		p.fail(TooDeep)
	}
	p.Next++
	for p.failure == nil && p.Peek() != byte(n.Kind)+2 { // in ASCII, ] is [ and 2, as } is { and 2
		name, nameStart := "", p.Next
		if n.Kind == Object {
			name = p.ReadText()
			p.separate(':')
		}
		child := p.value(n)
		child.Name, child.NameStart, child.Index = name, nameStart, len(n.Children)
		n.Children = append(n.Children, child)
		p.separate(',')
	}
	if p.failure == nil {
		p.Next++
	}
	p.depth--
}

// separate goes to what is behind a separator.
func (p *parser) separate(separator byte) {
	if p.failure == nil {
		p.Skip(separator)
		p.Peek()
	}
}
