package syntax

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	"golang.org/x/text/transform"

	plaintext "github.com/maze-agent/maregister/internal/text"
)

// MaxSource is how large, in bytes, a Python file may be. CPython's own largest one has half a megabyte.
const MaxSource = 4 << 20

var (
	byteOrderMark = []byte("\ufeff")
	// codingLine is what PEP 263 wants in one of the first two lines.
	codingLine = regexp.MustCompile(`^[ \t\f]*#.*?coding[:=][ \t]*([-_.a-zA-Z0-9]+)`)
	blankLine  = regexp.MustCompile(`^[ \t\f]*(?:#.*)?$`)
)

// decode returns a file's text in UTF-8, with lines that end in \n, as Python reads it.
func decode(content []byte) ([]byte, error) {
	if bytes.HasPrefix(content, []byte("\xff\xfe")) || bytes.HasPrefix(content, []byte("\xfe\xff")) {
		return nil, errors.New("it is UTF-16, which Python does not read: save it as UTF-8")
	}
	if i := bytes.IndexByte(content, 0); i >= 0 {
		return nil, fmt.Errorf("it has a NUL at byte %d, which Python does not read: it is no text, or damaged", i)
	}
	text, marked := bytes.CutPrefix(content, byteOrderMark)
	name := codingOf(text)
	if marked && !isUTF8(name) {
		return nil, fmt.Errorf("it begins as UTF-8 and says that its coding is %s: correct the coding line", name)
	}
	if !isUTF8(name) {
		coding, err := codingNamed(name)
		if err != nil {
			return nil, fmt.Errorf("its coding %s is not known: save it as UTF-8", name)
		}
		if text, err = coding.NewDecoder().Bytes(text); err != nil {
			return nil, fmt.Errorf("it is not %s, as its coding line says: %w", name, err)
		}
	}
	if i := plaintext.FirstInvalid(text); i >= 0 {
		return nil, fmt.Errorf("byte %d is not UTF-8: save it as UTF-8, or name its coding in the first line, such as # coding: latin-1", i)
	}
	if bytes.IndexByte(text, '\r') >= 0 {
		text = bytes.ReplaceAll(bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n")), []byte("\r"), []byte("\n"))
	}
	return text, nil
}

// codingOf returns what a coding line names, or "utf-8" without one.
func codingOf(content []byte) string {
	for range 2 {
		line, rest, _ := bytes.Cut(content, []byte("\n"))
		line = bytes.TrimRight(line, "\r")
		if match := codingLine.FindSubmatch(line); match != nil {
			return strings.ReplaceAll(string(bytes.ToLower(match[1])), "_", "-")
		}
		if !blankLine.Match(line) {
			break
		}
		content = rest
	}
	return "utf-8"
}

// isUTF8 reports whether a coding is UTF-8 by one of its names.
func isUTF8(name string) bool {
	return slices.Contains([]string{"utf-8", "utf8", "utf-8-sig", "u8"}, name)
}

// pythonCodings are those that Python has by other names than the web, or whose names mean something else to the web: there, latin-1 is
// windows-1252.
var pythonCodings = map[string]encoding.Encoding{
	"ascii": ascii{}, "us-ascii": ascii{},
	"latin-1": charmap.ISO8859_1, "latin1": charmap.ISO8859_1, "l1": charmap.ISO8859_1, "cp819": charmap.ISO8859_1,
	"iso-8859-1": charmap.ISO8859_1, "iso8859-1": charmap.ISO8859_1, "iso-latin-1": charmap.ISO8859_1,
	"iso8859-15": charmap.ISO8859_15, "latin-9": charmap.ISO8859_15, "cp437": charmap.CodePage437, "cp850": charmap.CodePage850,
	"cp936": simplifiedchinese.GBK, "cp950": traditionalchinese.Big5, "cp932": japanese.ShiftJIS, "cp949": korean.EUCKR,
}

// codingNamed returns the coding that Python means by a name.
func codingNamed(name string) (encoding.Encoding, error) {
	if coding := pythonCodings[name]; coding != nil {
		return coding, nil
	}
	return htmlindex.Get(name)
}

// ascii has the first 128 characters.
type ascii struct{ transform.NopResetter }

// NewDecoder implements encoding.Encoding.
func (a ascii) NewDecoder() *encoding.Decoder { return &encoding.Decoder{Transformer: a} }

// NewEncoder implements encoding.Encoding.
func (a ascii) NewEncoder() *encoding.Encoder { return &encoding.Encoder{Transformer: a} }

// Transform implements transform.Transformer.
func (ascii) Transform(dst, src []byte, _ bool) (int, int, error) {
	n := copy(dst, src)
	if i := slices.IndexFunc(src[:n], func(b byte) bool { return b >= utf8.RuneSelf }); i >= 0 {
		return i, i, fmt.Errorf("byte %#x is none of its 128", src[i])
	}
	if n < len(src) {
		return n, n, transform.ErrShortDst
	}
	return n, n, nil
}
