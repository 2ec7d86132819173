package registry

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"
)

// canonicalJSON encodes with sorted keys, numbers as they stand, and without HTML escapes. Of a key that is there twice the last one
// counts.
func canonicalJSON(value any) ([]byte, error) {
	encoded, err := plainJSON(value)
	if err != nil {
		return nil, err
	}
	s := sorter{in: encoded, out: make([]byte, 0, len(encoded))}
	if err := s.value(); err != nil {
		return nil, err
	}
	return s.out, nil
}

// plainJSON encodes with keys as they come, but those of maps sorted, and without HTML escapes.
func plainJSON(value any) ([]byte, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}

// sorter copies JSON, which is valid and has no white space, with sorted keys. Decoding it to do so takes more than twice as long.
type sorter struct {
	in  []byte
	at  int
	out []byte
	// members are those of the objects that are not closed yet, the innermost last.
	members []member
	scratch []byte
}

// member is a key with its value, at out[from:to].
type member struct {
	key      string
	from, to int
}

// value copies a value, and sorts what is in it. The text is JSON that was checked before.
func (s *sorter) value() error {
	switch s.in[s.at] {
	case '{':
		return s.object()
	case '[':
		return s.array()
	case '"':
		_, err := s.text()
		return err
	default: // a number, true, false or null
		length := bytes.IndexAny(s.in[s.at:], ",}]")
		if length < 0 {
			length = len(s.in) - s.at
		}
		s.copy(length)
		return nil
	}
}

// copy takes the next bytes as they are.
func (s *sorter) copy(length int) {
	s.out = append(s.out, s.in[s.at:s.at+length]...)
	s.at += length
}

// array copies an array, whose items keep their order.
func (s *sorter) array() error {
	s.copy(1)
	for s.in[s.at] != ']' {
		if s.in[s.at] == ',' {
			s.copy(1)
		}
		if err := s.value(); err != nil {
			return err
		}
	}
	s.copy(1)
	return nil
}

// object copies the members of an object, and sorts them by their names.
func (s *sorter) object() error {
	s.copy(1)
	start, first := len(s.out), len(s.members)
	for s.in[s.at] != '}' {
		if s.in[s.at] == ',' {
			s.copy(1)
		}
		from := len(s.out)
		key, err := s.text()
		if err != nil {
			return err
		}
		s.copy(1) // the colon
		if err := s.value(); err != nil {
			return err
		}
		s.members = append(s.members, member{key, from, len(s.out)})
	}
	s.sort(start, s.members[first:])
	s.members = s.members[:first]
	s.copy(1)
	return nil
}

// sort puts members in order, which are at the end of what is copied.
func (s *sorter) sort(start int, members []member) {
	isSorted := true
	for i := 1; i < len(members); i++ {
		isSorted = isSorted && members[i-1].key < members[i].key
	}
	if isSorted {
		return
	}
	slices.SortStableFunc(members, func(a, b member) int { return strings.Compare(a.key, b.key) })
	s.scratch = append(s.scratch[:0], s.out[start:]...)
	s.out = s.out[:start]
	for i, m := range members {
		if i+1 < len(members) && members[i+1].key == m.key {
			continue
		}
		if len(s.out) > start {
			s.out = append(s.out, ',')
		}
		s.out = append(s.out, s.scratch[m.from-start:m.to-start]...)
	}
}

// text copies a string, written in the shortest way, and returns it.
func (s *sorter) text() (string, error) {
	start, isPlain := s.at, true
	for s.at++; s.in[s.at] != '"'; s.at++ {
		if s.in[s.at] == '\\' {
			s.at++
			isPlain = false
		}
	}
	s.at++
	quoted := s.in[start:s.at]
	if isPlain && isPlainText(quoted) {
		s.out = append(s.out, quoted...)
		return string(quoted[1 : len(quoted)-1]), nil
	}
	var decoded string
	if err := json.Unmarshal(quoted, &decoded); err != nil {
		return "", err
	}
	encoded, err := plainJSON(decoded)
	s.out = append(s.out, encoded...)
	return decoded, err
}

// isPlainText reports whether text without a backslash is written in JSON as it is: the separators of lines and paragraphs, U+2028 and
// U+2029, are not.
func isPlainText(text []byte) bool {
	const separators = "\xe2\x80"
	return utf8.Valid(text) && !bytes.Contains(text, []byte(separators+"\xa8")) && !bytes.Contains(text, []byte(separators+"\xa9"))
}
