package schema

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/maze-agent/maregister/internal/jsontree"
	plaintext "github.com/maze-agent/maregister/internal/text"
)

// decode is decodeAll, and returns the first error only.
func decode(raw []byte, lim limits) (any, *Error) {
	value, errs, err := decodeAll(raw, lim)
	if err == nil && len(errs) > 0 {
		err = errs[0]
	}
	if err != nil {
		return nil, err
	}
	return value, nil
}

// decodeAll reads one JSON value, numbers as json.Number, and refuses it as
// soon as it exceeds a limit. It recurses no deeper than the depth limit. The
// first errors are those after which reading can go on: a number that is out of
// range is 0 then, and of two members with one name the first counts.
func decodeAll(raw []byte, lim limits) (any, []*Error, *Error) {
	if len(raw) > lim.bytes {
		return nil, nil, tooLarge("", "the document has %d bytes; at most %d are allowed, so shorten descriptions or remove what consumers do not need",
			len(raw), lim.bytes)
	}
	if plaintext.FirstInvalid(raw) >= 0 {
		return nil, nil, invalid("", "the document is not valid UTF-8; save it as UTF-8")
	}
	if err := jsontree.Check(raw); err != nil {
		return nil, nil, invalid("", "the document is not JSON: %v, at byte %d", err, err.Offset)
	}
	r := reader{Reader: jsontree.Reader{Text: raw}, budget: budget{limits: lim}}
	value, err := r.value()
	return value, r.errors, err
}

// reader builds the values of a text that is known to be JSON, and knows the pointer of what it reads.
type reader struct {
	jsontree.Reader
	budget budget
	errors []*Error
}

func (r *reader) value() (any, *Error) {
	if err := r.budget.count(); err != nil {
		return nil, err
	}
	switch r.Peek() {
	case '{':
		return r.object()
	case '[':
		return r.array()
	case '"':
		return r.ReadText(), nil
	}
	switch literal := r.ReadLiteral(); literal {
	case "null":
		return nil, nil
	case "true", "false":
		return literal == "true", nil
	default:
		if err := checkNumber(r.budget.at, literal); err != nil {
			r.errors = append(r.errors, err)
			literal = "0" // nothing may compute with it
		}
		return json.Number(literal), nil
	}
}

func (r *reader) object() (any, *Error) {
	if err := r.budget.descend(); err != nil {
		return nil, err
	}
	defer r.budget.ascend()
	object := map[string]any{}
	for r.Next++; r.Peek() != '}'; r.Skip(',') {
		name := r.ReadText()
		r.Skip(':')
		if err := r.budget.enter(name); err != nil {
			return nil, err
		}
		_, twice := object[name]
		if twice {
			r.errors = append(r.errors, invalid(r.budget.at(), "the name %s is declared twice in one object; keep one of them", quote(name)))
		}
		value, err := r.value()
		if err != nil {
			return nil, err
		}
		if !twice {
			object[name] = value
		}
		r.budget.leave()
	}
	r.Next++
	return object, nil
}

func (r *reader) array() (any, *Error) {
	if err := r.budget.descend(); err != nil {
		return nil, err
	}
	defer r.budget.ascend()
	array := []any{}
	for r.Next++; r.Peek() != ']'; r.Skip(',') {
		if err := r.budget.enter(strconv.Itoa(len(array))); err != nil {
			return nil, err
		}
		value, err := r.value()
		if err != nil {
			return nil, err
		}
		array = append(array, value)
		r.budget.leave()
	}
	r.Next++
	return array, nil
}

// budget counts what a document consists of against its limits, and knows
// the JSON pointer to where the count stands.
type budget struct {
	limits
	counted int
	nested  int
	// pointer is the text of the pointer, ends its length at each level above.
	pointer []byte
	ends    []int
}

func (b *budget) at() string { return string(b.pointer) }

func (b *budget) count() *Error {
	if b.counted++; b.counted > b.values {
		return tooLarge("", "the document has more than %d JSON values, the limit; split the task or describe less", b.values)
	}
	return nil
}

func (b *budget) descend() *Error {
	if b.nested++; b.nested > b.depth {
		return tooLarge(b.at(), "the document is nested deeper than %d levels, the limit; flatten it, for instance by moving inner schemas to $defs", b.depth)
	}
	return nil
}

func (b *budget) ascend() { b.nested-- }

func (b *budget) enter(name string) *Error {
	if escaped := token(name); len(b.pointer)+1+len(escaped) <= maxPointer {
		b.ends = append(b.ends, len(b.pointer))
		b.pointer = append(append(b.pointer, '/'), escaped...)
		return nil
	}
	return tooLarge(b.at(), "the name %s makes the JSON pointer to it longer than %d bytes, the limit; shorten the names on the way", quote(name), maxPointer)
}

func (b *budget) leave() {
	last := len(b.ends) - 1
	b.pointer, b.ends = b.pointer[:b.ends[last]], b.ends[:last]
}

// checkSize counts a decoded value like decode does: normalising adds values
// and levels, and a result over the limits could not be read again.
func checkSize(value any, lim limits) *Error {
	b := budget{limits: lim}
	return b.walk(value)
}

func (b *budget) walk(value any) *Error {
	if err := b.count(); err != nil {
		return err
	}
	switch v := value.(type) {
	case map[string]any:
		if err := b.descend(); err != nil {
			return err
		}
		defer b.ascend()
		for _, name := range sortedNames(v) {
			if err := b.child(name, v[name]); err != nil {
				return err
			}
		}
	case []any:
		if err := b.descend(); err != nil {
			return err
		}
		defer b.ascend()
		for i, item := range v {
			if err := b.child(strconv.Itoa(i), item); err != nil {
				return err
			}
		}
	}
	return nil
}

func (b *budget) child(name string, value any) *Error {
	if err := b.enter(name); err != nil {
		return err
	}
	defer b.leave()
	return b.walk(value)
}

// sortedNames returns the member names of an object in the one order that
// everything here visits them in, so that the first error is always the same.
func sortedNames[V any](object map[string]V) []string {
	names := make([]string, 0, len(object))
	for name := range object {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// checkNumber judges the text of a JSON number without computing with it: the
// value of 1e999999 alone would take seconds.
func checkNumber(at func() string, number string) *Error {
	switch {
	case len(number) > maxNumberLength:
		return refuse(ReasonNumberOutOfRange, at(), "the number %s has %d characters; at most %d are allowed, so round it",
			clip(number, maxQuoted), len(number), maxNumberLength)
	case !strings.ContainsAny(number, ".eE"):
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil || n > maxInteger || n < -maxInteger {
			return refuse(ReasonNumberOutOfRange, at(),
				"the integer %s is outside ±2^53, where consumers would round it; use a smaller number or a string", number)
		}
	default:
		f, err := strconv.ParseFloat(number, 64)
		if err != nil || math.IsInf(f, 0) || exponent(number) > maxExponent {
			return refuse(ReasonNumberOutOfRange, at(), "the number %s has an exponent beyond ±%d, the limit; use a smaller number", number, maxExponent)
		}
	}
	return nil
}

// exponent is the magnitude of a JSON number's exponent; huge where it does
// not even fit an int.
func exponent(number string) int {
	at := strings.IndexAny(number, "eE")
	if at < 0 {
		return 0
	}
	n, err := strconv.Atoi(number[at+1:])
	if err != nil {
		return math.MaxInt
	}
	return max(n, -n)
}
