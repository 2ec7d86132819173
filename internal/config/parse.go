package config

import (
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"github.com/maze-agent/maregister/api/config/v1alpha1"
)

const (
	// maxSize, in bytes, is what a ConfigMap can hold.
	maxSize = 1 << 20
	// maxTokens bounds the parser's time, which grows with the square of what is nested or in one mapping.
	maxTokens = 1 << 15

	header = "apiVersion: " + v1alpha1.APIVersion + " and kind: " + v1alpha1.Kind
)

// parse gives the mapping that the file is. Nil after a finding.
func (f *file) parse(content []byte) ast.Node {
	content = []byte(strings.TrimPrefix(string(content), "\ufeff"))
	switch {
	case len(content) > maxSize:
		f.report(fileStart, "the file has %d bytes: a configuration has at most %d; check that it is the right file", len(content), maxSize)
		return nil
	case !utf8.Valid(content):
		f.report(firstInvalid(content), "this is not UTF-8: save the file as UTF-8")
		return nil
	}
	tokens := lexer.Tokenize(string(content))
	if len(tokens) > maxTokens {
		f.report(fileStart, "the file has %d words and signs: a configuration has at most %d; check that it is the right file", len(tokens), maxTokens)
		return nil
	}
	if t, why := unwanted(tokens); why != "" {
		f.report(positionOf(t), "%s", why)
		return nil
	}
	parsed, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey()) // read says where a field is given twice
	if err != nil {
		f.reportSyntax(err)
		return nil
	}
	if len(parsed.Docs) == 0 || parsed.Docs[0].Body == nil {
		f.report(fileStart, "the file is empty: begin it with %s", header)
		return nil
	}
	root := parsed.Docs[0].Body
	if _, ok := root.(ast.MapNode); !ok {
		f.report(start(root), "the file is %s: write fields, beginning with %s", describe(root), header)
		return nil
	}
	f.places[""] = start(root)
	return root
}

// unwanted finds the first token of a kind of YAML that no configuration needs. Aliases could make a small file large, and
// with tags a text could be a number. Documents are counted here, as the parser overlooks some.
func unwanted(tokens token.Tokens) (*token.Token, string) {
	content, ended := false, false
	for _, t := range tokens {
		if t.Type == token.CommentType {
			continue
		}
		if ended || content && t.Type == token.DocumentHeaderType {
			return t, "a second YAML document begins here: keep one configuration in the file"
		}
		content = true
		switch t.Type {
		case token.AnchorType, token.AliasType:
			return t, "anchors and aliases are not read: write the value out, or put a text that begins with & or * in quotes"
		case token.MergeKeyType:
			return t, "merge keys are not read: write the fields out"
		case token.TagType:
			return t, "tags are not read: remove it, or put a text that begins with ! in quotes"
		case token.DirectiveType:
			return t, "directives are not read: remove the line"
		case token.DocumentEndType:
			ended = true
		default: // the rest is plain YAML
		}
	}
	return nil, ""
}

func (f *file) reportSyntax(err error) {
	at, message := fileStart, err.Error()
	var syntax yaml.Error
	if errors.As(err, &syntax) {
		at, message = positionOf(syntax.GetToken()), syntax.GetMessage()
	}
	message = strings.NewReplacer("\t", `\t`, "\n", `\n`, "\r", `\r`).Replace(message)
	f.report(at, "this is not YAML: %s; check indentation, quotes and brackets, here and in the line above", message)
}

func positionOf(t *token.Token) position {
	if t == nil || t.Position == nil {
		return fileStart
	}
	return position{line: t.Position.Line, column: t.Position.Column}
}

// start is where a value begins. The parser says of a block of fields where its first colon is.
func start(node ast.Node) position {
	if mapping, ok := node.(*ast.MappingNode); ok && !mapping.IsFlowStyle && len(mapping.Values) > 0 {
		return start(mapping.Values[0].Key)
	}
	return positionOf(node.GetToken())
}

// firstInvalid is where a content stops being UTF-8.
func firstInvalid(content []byte) position {
	at := fileStart
	for len(content) > 0 {
		r, size := utf8.DecodeRune(content)
		if r == utf8.RuneError && size == 1 {
			break
		}
		at.column++
		if r == '\n' {
			at = position{line: at.line + 1, column: 1}
		}
		content = content[size:]
	}
	return at
}
