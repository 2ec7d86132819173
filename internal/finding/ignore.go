package finding

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/maze-agent/maregister/internal/nearest"
)

// IgnoreKey is the annotation of a manifest, and the key in the metadata of a workflow, that silences findings there.
const IgnoreKey = "registry.mazeagent.net/ignore"

// IgnoreMark is in every comment that silences findings. A text without it has none.
const IgnoreMark = "maze:"

// Comment is one in a source.
type Comment struct {
	// At is where its # stands, and Text all from there to the end of the line.
	At   Position
	Text string
	// Line is the line that it is about: its own, or, if it stands alone there, the next one that has more than comments.
	Line int
}

// Ignore silences findings in a part of a file.
type Ignore struct {
	File string
	// At is where it is written.
	At Position
	// From and To bound where findings are silenced, both included. The zero values stand for the whole file.
	From, To Position
	// Rules are codes, beginnings of codes, or names, as they are written.
	Rules []string
	// All says that it is about all rules.
	All bool
}

var (
	ignoreComment = regexp.MustCompile(`#\s*maze:\s*ignore(-file)?(\s*\[[^\]]*\]?|\w*)`)
	ruleSeparator = regexp.MustCompile(`[\s,]+`)
)

// lineEnd is behind the last column of every line.
const lineEnd = 1 << 30

const (
	// maxIgnores bounds how many comments of a file can silence something: each is compared with each finding there.
	maxIgnores = 1000
	// maxIgnoreText bounds what is read of one, in bytes.
	maxIgnoreText = 1000
)

// IgnoresOf returns what the comments of a file silence, up to some thousand of them.
func IgnoresOf(file string, comments []Comment) []Ignore {
	var out []Ignore
	for _, c := range comments {
		if ignore, ok := ignoreOf(file, c); ok && len(out) < maxIgnores {
			out = append(out, ignore)
		}
	}
	return out
}

// Widen has each comment that stands alone above the first line of an object be about all of the object. ends has the last line of each
// object, by its first line.
func Widen(ignores []Ignore, ends map[int]int) {
	for i := range ignores {
		if one := &ignores[i]; one.From.Line > one.At.Line {
			one.To.Line = max(one.To.Line, ends[one.From.Line])
		}
	}
}

// ignoreOf returns what a comment silences: "# maze: ignore[MZ007]" in its line, "# maze: ignore-file[MZ007, MZ1]" in the file, and
// without brackets all rules. It reports false for any other comment.
func ignoreOf(file string, c Comment) (Ignore, bool) {
	written := c.Text[:min(len(c.Text), maxIgnoreText)]
	at := ignoreComment.FindStringSubmatchIndex(written)
	if at == nil {
		return Ignore{}, false
	}
	out := Ignore{File: file, At: c.At}
	if at[2] < 0 { // without -file
		out.From, out.To = Position{Line: c.Line, Column: 1}, Position{Line: c.Line, Column: lineEnd}
	}
	list, rest := strings.TrimSpace(written[at[4]:at[5]]), written[at[5]:]
	if rules, closed := strings.CutSuffix(list, "]"); closed {
		out.Rules = splitRules(rules[1:])
	} else if list == "" {
		out.All = !startsWithRule(rest)
	}
	return out, true
}

// startsWithRule reports whether a text, which is behind "ignore", begins with what should be in brackets.
func startsWithRule(rest string) bool {
	if rest == "" || strings.TrimLeft(rest, " \t#") == rest {
		return rest != ""
	}
	first := splitRules(rest)
	return len(first) > 0 && strings.HasPrefix(first[0], codePrefix) && isPrefix(first[0])
}

// NewIgnore returns what an annotation or a key silences in what has it. text has codes, separated by commas or spaces.
func NewIgnore(file string, at, from, to Position, text string) Ignore {
	return Ignore{File: file, At: at, From: from, To: to, Rules: splitRules(text)}
}

func splitRules(text string) []string {
	return slices.DeleteFunc(ruleSeparator.Split(text, -1), func(one string) bool { return one == "" })
}

// covered returns those findings of its file, sorted by position, that are in the part that an ignore is about.
func (i *Ignore) covered(ofFile []*Finding) []*Finding {
	if i.From == (Position{}) {
		return ofFile
	}
	begin, _ := slices.BinarySearchFunc(ofFile, i.From, func(f *Finding, at Position) int { return comparePositions(f.Position, at) })
	end := begin
	for end < len(ofFile) && comparePositions(ofFile[end].Position, i.To) <= 0 {
		end++
	}
	return ofFile[begin:end]
}

func comparePositions(a, b Position) int {
	return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
}

// Useless is an ignore, or a rule in one, that silences nothing.
type Useless struct {
	Ignore
	// Rule is what is written. Empty if it is about the ignore as a whole.
	Rule string
	Why  Why
}

// Meant returns the rule that was probably meant by an unknown one. Empty if none is near.
func (u Useless) Meant() string { return nearest.Name(u.Rule, knownRules()) }

// Why is the reason why something silences nothing.
type Why int

// The reasons.
const (
	// NothingThere is for a rule that nothing breaks there.
	NothingThere Why = iota
	// UnknownRule is for what is no rule.
	UnknownRule
	// NoRules is for an ignore that is not written as one, or names no rules.
	NoRules
)

// Silence returns the findings that no ignore silences, in their order, and what of the ignores silences nothing, by place. That of
// two ignores about the same finding each silences it.
func Silence(findings []Finding, ignores []Ignore) ([]Finding, []Useless) {
	if len(ignores) == 0 {
		return findings, nil
	}
	byFile := map[string][]*Finding{}
	for i := range findings {
		byFile[findings[i].File] = append(byFile[findings[i].File], &findings[i])
	}
	for _, ofFile := range byFile {
		slices.SortStableFunc(ofFile, func(a, b *Finding) int { return comparePositions(a.Position, b.Position) })
	}
	silenced := map[*Finding]bool{}
	var useless []Useless
	for _, ignore := range ignores {
		useless = append(useless, ignore.apply(byFile[ignore.File], silenced)...)
	}
	slices.SortStableFunc(useless, func(a, b Useless) int {
		return cmp.Or(strings.Compare(a.File, b.File), comparePositions(a.At, b.At))
	})
	var left []Finding
	for i := range findings {
		if !silenced[&findings[i]] {
			left = append(left, findings[i])
		}
	}
	return left, useless
}

// apply notes which of the findings of its file an ignore silences, and returns what of it silences nothing.
func (i *Ignore) apply(ofFile []*Finding, silenced map[*Finding]bool) []Useless {
	covered := i.covered(ofFile)
	silence := func(prefix string) (found bool) {
		for _, f := range covered {
			if strings.HasPrefix(f.Rule, prefix) {
				silenced[f], found = true, true
			}
		}
		return found
	}
	switch {
	case i.All && !silence(codePrefix):
		return []Useless{{Ignore: *i, Why: NothingThere}}
	case !i.All && len(i.Rules) == 0:
		return []Useless{{Ignore: *i, Why: NoRules}}
	}
	var useless []Useless
	for _, rule := range i.Rules {
		prefix := prefixOf(rule)
		switch {
		case !isPrefix(prefix):
			useless = append(useless, Useless{*i, rule, UnknownRule})
		case !silence(prefix):
			useless = append(useless, Useless{Ignore: *i, Rule: rule, Why: NothingThere})
		}
	}
	return useless
}
