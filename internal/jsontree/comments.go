package jsontree

import (
	"bytes"
	"regexp"
	"strings"

	"github.com/maze-agent/maregister/internal/text"
)

// Comment is one of YAML.
type Comment struct {
	// At is where its # stands, and Text all from there to the end of the line.
	At   text.Position
	Text string
	// Line is the line that it is about: its own, or, if it stands alone there, the next one that has more than comments.
	Line int
}

// Comments returns the comments of a YAML text, and none of JSON, which has none. A # in a text is no comment.
func Comments(content []byte) []Comment {
	s := commentScanner{block: noBlock}
	for line := range bytes.Lines(content) {
		s.number++
		s.line(strings.TrimRight(string(line), "\r\n"))
	}
	for _, i := range s.alone { // there is nothing below them
		s.comments[i].Line = s.comments[i].At.Line
	}
	return s.comments
}

// noBlock is the indentation of no block.
const noBlock = -2

// commentScanner goes through a text line by line. It knows of YAML what tells comments from texts: quotes, and texts in blocks.
type commentScanner struct {
	comments []Comment
	// alone are the indexes of comments that stand alone, and wait for the line that they are about.
	alone  []int
	number int
	// quote is the one that is open. 0 for none.
	quote byte
	// block is the indentation that a text in a block is within. The lines that have more of it are the text.
	block int
}

// line reads one line: a comment that is alone on its line belongs to the next line that has code.
func (s *commentScanner) line(line string) {
	indentation := len(line) - len(strings.TrimLeft(line, " "))
	if s.block != noBlock {
		if ends := strings.HasPrefix(line, "---") || strings.HasPrefix(line, "..."); strings.TrimSpace(line) == "" || indentation > s.block && !ends {
			return
		}
		s.block = noBlock
	}
	at := s.comment(line)
	code := line
	if at >= 0 {
		code = line[:at]
		s.comments = append(s.comments, Comment{
			At: text.Position{Line: s.number, Column: len([]rune(code)) + 1}, Text: line[at:], Line: s.number,
		})
	}
	code = strings.TrimRight(code, " \t")
	switch {
	case strings.TrimSpace(code) != "":
		for _, i := range s.alone {
			s.comments[i].Line = s.number
		}
		s.alone = s.alone[:0]
	case at >= 0:
		s.alone = append(s.alone, len(s.comments)-1)
	}
	if s.quote == 0 && blockHeader.MatchString(code) {
		s.block = blockIndentation(code)
	}
}

// blockHeader ends a line below which a text begins: key: |, - >-, |2.
var blockHeader = regexp.MustCompile(`(^|[ \t])[|>][-+0-9]*$`)

// blockIndentation returns the indentation of what a text in a block belongs to, which the text has more of.
func blockIndentation(code string) int {
	rest := strings.TrimLeft(code, " ")
	indentation := len(code) - len(rest)
	if rest[0] == '|' || rest[0] == '>' || strings.HasPrefix(rest, "---") {
		return noBlock + 1 // the document is the text
	}
	for strings.HasPrefix(rest, "- ") {
		inner := strings.TrimLeft(rest[1:], " ")
		if inner[0] == '|' || inner[0] == '>' || inner[0] == '!' || inner[0] == '&' {
			break
		}
		indentation += len(rest) - len(inner)
		rest = inner
	}
	return indentation
}

// nameCharacters are those of anchors and tags, which stand before a value.
const nameCharacters = "&!<>%:/.-_0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

// comment returns where the comment of a line begins, in bytes, or -1 if there is none. It keeps the quote that is open behind the line.
func (s *commentScanner) comment(line string) int {
	begins := true // a value may begin here, with a quote
	for i := 0; i < len(line); i++ {
		c := line[i]
		if s.quote != 0 {
			switch {
			case c == '\\' && s.quote == '"', c == '\'' && s.quote == '\'' && strings.HasPrefix(line[i+1:], "'"):
				i++
			case c == s.quote:
				s.quote = 0
				begins = strings.HasPrefix(line[i+1:], ":") // of a key in JSON
			}
			continue
		}
		switch spaceFollows := i+1 == len(line) || line[i+1] == ' ' || line[i+1] == '\t'; {
		case c == '#' && (i == 0 || line[i-1] == ' ' || line[i-1] == '\t'):
			return i
		case (c == '"' || c == '\'') && begins:
			s.quote = c
		case (c == '&' || c == '!') && begins: // it may stand before a quote
			i += len(line[i:]) - len(strings.TrimLeft(line[i:], nameCharacters)) - 1
		case c == ' ' || c == '\t' || c == ':' && begins && i > 0 && (line[i-1] == '"' || line[i-1] == '\''):
		default:
			begins = strings.IndexByte("[{,", c) >= 0 || strings.IndexByte(":-?", c) >= 0 && spaceFollows
		}
	}
	return -1
}
