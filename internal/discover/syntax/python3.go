package syntax

import (
	"bytes"

	"github.com/maze-agent/maregister/internal/discover/python"
)

// python2 are the kinds of statements that the grammar has for Python 2, and their keywords.
var python2 = []struct{ kind, keyword string }{{"print_statement", "print"}, {"exec_statement", "exec"}}

const convert = "this is Python 2, and Maze runs Python 3: convert the file"

// notPython3 finds what the grammar takes and Python 3 does not. It returns the offset, and what to do about it: nothing if all is well.
func notPython3(tree *python.Tree) (offset int, what string) {
	for _, statement := range python2 {
		if hasStatement(tree.Source, []byte(statement.keyword)) { // to search the text is quicker than the tree
			if node, found := tree.Find(statement.kind); found {
				return node.Start, convert
			}
		}
	}
	if at := outsideStrings(tree.Root(), []byte("`"), 0); at >= 0 {
		return at, convert
	}
	if at := outsideStrings(tree.Root(), byteOrderMark, 0); at >= 0 {
		return at, "there is an invisible character, U+FEFF, in the code, so Python would run nothing of the file: delete it"
	}
	return 0, ""
}

// hasStatement reports whether a text may hold a statement that begins with a keyword: it goes on in the same line, and not as a name
// would.
func hasStatement(text, keyword []byte) bool {
	for {
		at := bytes.Index(text, keyword)
		if at < 0 {
			return false
		}
		before := bytes.TrimRight(text[:at], Blanks)
		text = text[at+len(keyword):]
		after := bytes.TrimLeft(text, Blanks)
		begins := StartsLine(before) || bytes.IndexByte([]byte(":;"), before[len(before)-1]) >= 0
		if begins && len(after) > 0 && len(after) < len(text) && bytes.IndexByte([]byte("=.,:)]}\r\n"), after[0]) < 0 {
			return true
		}
	}
}

// outsideStrings returns the offset of a text that is in neither a string nor a comment, or -1. The quotes are outside.
func outsideStrings(n python.Node, text []byte, depth int) int {
	at := bytes.Index(n.Bytes(), text)
	if at < 0 || n.Kind == "comment" || n.Kind == "string_content" || depth > MaxDepth {
		return -1
	}
	children := n.All()
	if len(children) == 0 {
		return n.Start + at
	}
	end := n.Start
	for _, child := range append(children, python.Node{Start: n.End}) {
		if gap := bytes.Index(n.Between(end, child.Start), text); gap >= 0 {
			return end + gap
		}
		if found := outsideStrings(child, text, depth+1); found >= 0 {
			return found
		}
		end = child.End
	}
	return -1
}
