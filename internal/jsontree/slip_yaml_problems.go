package jsontree

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	plaintext "github.com/maze-agent/maregister/internal/text"
)

// byProblem has what may be the matter by what the library says.
func (y *yamlText) byProblem() (Slip, bool) {
	if y.refused.anchor != "" {
		return y.alias()
	}
	if look := yamlSlips[y.refused.Problem]; look != nil {
		return look(y)
	}
	return Slip{}, false
}

var yamlSlips = map[Problem]func(*yamlText) (Slip, bool){
	problemColon:     (*yamlText).colon,
	problemNoColon:   (*yamlText).missingColon,
	problemSign:      (*yamlText).sign,
	problemAnchor:    (*yamlText).anchorName,
	problemMapping:   (*yamlText).bracket,
	problemList:      (*yamlText).bracket,
	problemDocument:  (*yamlText).behindEnd,
	problemKey:       (*yamlText).indentation,
	problemItem:      (*yamlText).indentation,
	problemNode:      (*yamlText).missingValue,
	problemEnd:       (*yamlText).quote,
	problemSeparator: (*yamlText).quote,
	problemEscape:    (*yamlText).escape,
	problemHex:       (*yamlText).escape,
	problemInline:    (*yamlText).inlineItem,
	problemBlock:     (*yamlText).blockText,
	problemQuestion:  (*yamlText).question,
	problemHandle:    (*yamlText).tag,
	problemTag:       (*yamlText).tag,
	problemDirective: (*yamlText).directive,
}

var (
	noSpace       = regexp.MustCompile(`^[ -]*[\pL\pN_./-]+(:)[^\s:/]`)
	keyWithValue  = regexp.MustCompile(`^([ -]*)[^:#]+: +[^\s|>&!#]`)
	signBegins    = regexp.MustCompile("(?:^|[ \\[{,])([@`%|>])")
	behindQuote   = regexp.MustCompile(`(?:: +|- +|^ *)(?:"(?:[^"\\]|\\.)*"|'(?:[^']|'')*') *([^\s,:#\]}])`)
	behindFlow    = regexp.MustCompile(`: +[\[{].*[\]}] *([^\s#,:\]}])`)
	quoteBegins   = regexp.MustCompile(`(?:^ *|[:\-\[{,] *)(["'])`)
	badEscape     = regexp.MustCompile(`(\\(?:[^0abtnvfre "/\\N_LPxuU\t]|x[0-9A-Fa-f]?[^0-9A-Fa-f]|u[0-9A-Fa-f]{0,3}[^0-9A-Fa-f]|U[0-9A-Fa-f]{0,7}[^0-9A-Fa-f]))`)
	itemInLine    = regexp.MustCompile(`: +(-) `)
	blockBegins   = regexp.MustCompile(`(?:: +|- +)([|>])`)
	questionMark  = regexp.MustCompile(`(\?) `)
	tagBegins     = regexp.MustCompile(`(?:^|[\s\[{,])(!)`)
	percentSign   = regexp.MustCompile(`^(%)`)
	directiveName = regexp.MustCompile(`^%(?:YAML|TAG) `)
	wideColon     = regexp.MustCompile(`^[ -]*[\pL\pN_./-]+(：)`)
	flowComma     = regexp.MustCompile(`^[ -]*[^\[{"':]+: +[\[{].*[\]}] *(,) *(?:#.*)?$`)
	twoTexts      = regexp.MustCompile(`[\[{,:] *(?:"(?:[^"\\]|\\.)*"|'(?:[^']|'')*') +([^\s:,\]}#])`)
	textBracket   = regexp.MustCompile(`[\[{,:] +([\pL_][\pL\pN_.| -]*)[\[{]`)
	textQuestion  = regexp.MustCompile(`[\[{,:] *[\pL_][\pL\pN_.| -]*(\?)`)
	semicolon     = regexp.MustCompile(`[\[{,:] *[\pL_][\pL\pN_.| -]*(;) *["'\pL_]`)
	flowNoSpace   = regexp.MustCompile(`[\[{,] *[\pL_][\pL\pN_.-]*(:)[\[{"']`)
	flowVariable  = regexp.MustCompile(`[\[{,:] *(\$\{)`)
	hyphenBegins  = regexp.MustCompile(`^ *(-)[\pL\pN"']`)
	commentSign   = regexp.MustCompile(`^ *(//|/\*|<!--)`)
	noValue       = regexp.MustCompile(`(?:[\[{,:]) *([,\]}])`)
)

const (
	missingSpace = "a space is missing behind this colon"
	writeSpace   = "write a key and its value as in key: value"
)

const inQuotes = "put a text with such signs in quotes"

// colon finds why a key has no place: what is before it is a value.
func (y *yamlText) colon() (Slip, bool) {
	line := y.of(y.line)
	if at := group(colonAgain, line); at >= 0 {
		return Slip{y.starts[y.line] + at, "this value has a colon and a space, which begin another value", "put the value in quotes"}, true
	}
	above, ok := y.above(y.line)
	if !ok {
		return Slip{}, false
	}
	if slip, ok := y.withoutColon(above); ok {
		return slip, true
	}
	if match := keyWithValue.FindStringSubmatch(y.of(above)); match != nil && indentOf(line) > utf8.RuneCountInString(match[1]) {
		return Slip{
			y.starts[y.line] + indentOf(line), fmt.Sprintf("this line is indented deeper than line %d, whose key has a value already", above+1),
			"align the two, or put a text of several lines in quotes",
		}, true
	}
	return Slip{}, false
}

// missingColon finds the line that should be a key with its value.
func (y *yamlText) missingColon() (Slip, bool) {
	for line, ok := y.line, true; ok && line >= y.line-2; line, ok = y.above(line) {
		if slip, ok := y.withoutColon(line); ok {
			return slip, true
		}
	}
	return Slip{}, false
}

// withoutColon reports whether a line has no colon where a key ends, or no space behind it.
func (y *yamlText) withoutColon(line int) (Slip, bool) {
	shown := strings.TrimRight(y.of(line), " \t")
	text := strings.TrimLeft(shown, " -")
	if text == "" || strings.Contains(shown, ": ") || strings.HasSuffix(shown, ":") || strings.ContainsAny(text[:1], `"'[{#&*!|>`) {
		return Slip{}, false
	}
	if at := group(commentSign, shown); at >= 0 {
		return Slip{y.starts[line] + at, "this is no comment of YAML", "begin a comment with #"}, true
	}
	if at := group(noSpace, shown); at >= 0 {
		return Slip{y.starts[line] + at, missingSpace, writeSpace}, true
	}
	if at := group(hyphenBegins, shown); at >= 0 {
		for above, ok := y.above(line); ok && group(hyphenBegins, y.of(above)) == at; above, ok = y.above(line) {
			line = above
		}
		return Slip{y.starts[line] + at, "a space is missing behind this hyphen", "begin an item with a hyphen and a space"}, true
	}
	if strings.HasPrefix(strings.TrimLeft(shown, " "), "-") { // an item need not have one
		return Slip{}, false
	}
	return Slip{y.starts[line] + len(shown) - len(text), "this line has no key",
		"write a key, a colon, a space and a value; a text of several lines begins with |"}, true
}

func (y *yamlText) sign() (Slip, bool) {
	slip, ok := y.match(signBegins, "", inQuotes)
	if ok {
		slip.What = "no text may begin with " + string(y.content[slip.Offset])
	}
	return slip, ok
}

func (y *yamlText) anchorName() (Slip, bool) {
	return y.match(anchorSign, "& and * begin the name of an anchor, and this is none", inQuotes)
}

// alias finds an alias that leads nowhere.
func (y *yamlText) alias() (Slip, bool) {
	name := plaintext.ClipMiddle(y.refused.anchor, maxShown)
	if y.refused.Problem == Problem("unknown anchor '"+y.refused.anchor+"' referenced") {
		return Slip{
			y.offsetOf(y.refused.At), "*" + name + " stands for what has the anchor &" + name + ", and nothing above has it",
			"correct the name, or put a text that begins with * in quotes",
		}, true
	}
	return Slip{y.offsetOf(y.refused.At), "what has the anchor &" + name + " contains itself", "write the value out"}, true
}

// bracket finds why a value in brackets goes on where it should end: mostly a bracket that is not closed.
func (y *yamlText) bracket() (Slip, bool) {
	if slip, ok := y.match(twoTexts, "a colon or a comma is missing before this", "write a key and its value as in key: value, and a comma between two"); ok {
		return slip, true
	}
	if slip, ok := y.match(flowVariable, "this { is among values in brackets, and begins another one",
		"lint what is made of it, as in \"envsubst < task.yaml | mazectl lint -\", or put the text in quotes"); ok {
		return slip, true
	}
	if slip, ok := y.match(flowNoSpace, missingSpace, writeSpace); ok {
		return slip, true
	}
	if slip, ok := y.match(textBracket, "this text has a bracket, which ends it among other values in brackets", "put the text in quotes"); ok {
		return slip, true
	}
	if slip, ok := y.match(semicolon, "this semicolon is part of the text before it", "write a comma between two values in brackets"); ok {
		return slip, true
	}
	if slip, ok := y.match(textQuestion, "this ? ends the text before it, as it is among values in brackets", "put the text in quotes, or leave the ? out"); ok {
		return slip, true
	}
	for line, ok := y.line, true; ok && line >= y.line-maxMarks; line, ok = y.above(line) {
		shown := y.of(line)
		if at := openBracket(shown); at >= 0 {
			return Slip{
				y.starts[line] + at, fmt.Sprintf("this %c is not closed, or a comma is missing behind it", shown[at]),
				fmt.Sprintf("add the %c or the comma; a text that begins with %c has to be in quotes", shown[at]+2, shown[at]),
			}, true
		}
	}
	return Slip{}, false
}

func (y *yamlText) behindEnd() (Slip, bool) {
	line := y.of(y.line)
	if strings.HasPrefix(line, "%") {
		return y.directive()
	}
	return Slip{
		y.starts[y.line] + indentOf(line), "the document has ended before this",
		"put --- between two documents; within one, correct the indentation, the brackets and the quotes above",
	}, true
}

// indentation finds why a line does not belong to those above it.
func (y *yamlText) indentation() (Slip, bool) {
	if slip, ok := y.match(wideColon, "", ""); ok {
		return lookalikeAt(slip.Offset, '：')
	}
	if slip, ok := y.match(flowComma, "a comma is behind the bracket that ends the value", "remove it: none is between the lines of a block"); ok {
		return slip, true
	}
	if slip, ok := y.match(behindQuote, "this is behind the quote that ends the value",
		`put all of the value in quotes; within '', a ' is written twice, and within "", a " is \"`); ok {
		return slip, true
	}
	if slip, ok := y.match(behindFlow, "this is behind the bracket that ends the value", "put all of the value in quotes"); ok {
		return slip, true
	}
	for line, ok := y.line, true; ok && line >= y.line-1; line, ok = y.above(line) {
		if at := closesNothing(y.of(line)); at > 0 {
			return Slip{y.starts[line] + at, "this " + y.of(line)[at:at+1] + " closes nothing", "remove it, or put all of the value in quotes"}, true
		}
	}
	line := y.of(y.line)
	indent, isItem := indentOf(line), strings.HasPrefix(strings.TrimLeft(line, " "), "-")
	open := y.openIndents()
	at := y.starts[y.line] + indent
	switch begins := strings.TrimLeft(line, " "); {
	case strings.HasPrefix(begins, "}") || strings.HasPrefix(begins, "]"):
		return Slip{at, "this " + begins[:1] + " closes nothing", "remove it, or add what it should close"}, true
	case !slices.Contains(open, indent):
		var shown []string
		for _, one := range open {
			shown = append(shown, fmt.Sprint(one))
		}
		const most = 6
		return Slip{
			at, fmt.Sprintf("this line is indented by %s, and those that it can belong to by %s", spaces(indent), strings.Join(shown[max(0, len(shown)-most):], ", ")),
			"align it with its neighbours",
		}, true
	case y.refused.Problem == problemItem && !isItem:
		return Slip{at, "this line is among the items of a list, and is none", "begin an item with a hyphen and a space, or indent the line as its neighbours"}, true
	case y.refused.Problem == problemKey && isItem:
		return Slip{at, "this item of a list is among keys", "indent it deeper than the key of the list, or remove the hyphen"}, true
	}
	return Slip{}, false
}

func spaces(n int) string {
	if n == 1 {
		return "1 space"
	}
	return fmt.Sprintf("%d spaces", n)
}

func indentOf(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }

// openIndents returns by how many spaces lines can be indented that belong to those above the told one.
func (y *yamlText) openIndents() []int {
	var open []int
	for line := range y.line {
		shown := y.of(line)
		trimmed := strings.TrimLeft(shown, " ")
		if trimmed == "" || trimmed[0] == '#' {
			continue
		}
		indent := len(shown) - len(trimmed)
		for len(open) > 0 && open[len(open)-1] > indent {
			open = open[:len(open)-1]
		}
		for {
			if len(open) == 0 || open[len(open)-1] < indent {
				open = append(open, indent)
			}
			rest, isItem := strings.CutPrefix(trimmed, "- ")
			if !isItem {
				break
			}
			trimmed = strings.TrimLeft(rest, " ")
			indent = len(shown) - len(trimmed)
		}
	}
	return open
}

func (y *yamlText) missingValue() (Slip, bool) {
	return y.match(noValue, "a value is missing before this", "add it, or put a text with such signs in quotes")
}

// quote finds the quote that is not closed. Version 3 of the library tells where that is.
func (y *yamlText) quote() (Slip, bool) {
	if _, err := ParseYAML(y.content); err != nil {
		y.line = min(max(err.At.Line-1, 0), len(y.starts)-1)
	}
	return y.match(quoteBegins, "this quote is not closed", "add the one that closes it; a text with a quote in it goes into quotes of the other kind")
}

func (y *yamlText) escape() (Slip, bool) {
	return y.match(badEscape, `in double quotes, \ begins an escape, and this is none`, `write \\ for one \, or put the text in single quotes`)
}

func (y *yamlText) inlineItem() (Slip, bool) {
	return y.match(itemInLine, "the items of a list cannot begin behind its key", "put each on a line of its own, or write the list in [brackets]")
}

func (y *yamlText) blockText() (Slip, bool) {
	return y.match(blockBegins, "this sign stands for a text on the next lines, and nothing may be behind it", "put the text there, or all of it in quotes")
}

func (y *yamlText) question() (Slip, bool) {
	return y.match(questionMark, "a question mark and a space begin a key", inQuotes)
}

func (y *yamlText) tag() (Slip, bool) {
	return y.match(tagBegins, "an exclamation mark begins a tag", inQuotes)
}

func (y *yamlText) directive() (Slip, bool) {
	advice := inQuotes
	if directiveName.MatchString(y.of(y.line)) {
		advice = "remove it: kubectl reads what is above --- as a document of its own"
	}
	return y.match(percentSign, "a percent sign that begins a line begins a directive of YAML", advice)
}
