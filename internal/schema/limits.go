package schema

// limits bound what reading one JSON document may cost.
type limits struct {
	// bytes of JSON text.
	bytes int
	// depth of nested arrays and objects, the outermost counting one.
	depth int
	// values is the number of JSON values: objects, arrays and scalars.
	values int
	// steps is how many subschemas (and what else takes time) checking values against the schema may visit.
	steps int
}

// MaxBytes is the size in bytes beyond which a declared document is refused without being looked at.
const MaxBytes = 64 << 10

var (
	// schemaLimits hold for a declared document and for its normalised form.
	schemaLimits = limits{bytes: MaxBytes, depth: 32, values: 2_000, steps: 20_000}
	// valueLimits hold for a value that is checked against a schema.
	valueLimits = limits{bytes: 1 << 20, depth: 64, values: 20_000, steps: 200_000}
)

// ValueLimits returns what a value has at most that is compared with a schema: bytes of JSON, JSON values and levels.
func ValueLimits() (bytes, values, depth int) {
	return valueLimits.bytes, valueLimits.values, valueLimits.depth
}

const (
	// maxPointer is the length in bytes of the longest JSON pointer: the
	// names on the way to a value. Every subschema carries its pointer, so
	// nested long names would cost their product.
	maxPointer = 2 << 10
	// maxExpansion is how many subschemas a document may have once every
	// reference is replaced by what it refers to.
	maxExpansion = 100_000

	// maxInteger is 2^53: up to there a double holds every integer.
	maxInteger = 1 << 53
	// maxExponent is the largest power of ten that a double holds.
	maxExponent = 308
	// maxNumberLength is the longest text of a number, in bytes.
	maxNumberLength = 64

	// maxPatternLength is the length in bytes of one regular expression.
	maxPatternLength = 1 << 10
	// maxPatternSize is how many instructions all regular expressions of a
	// document may compile to.
	maxPatternSize = 10_000
	// unicodeClassSize is what \p{…} counts as: it is parsed into some
	// hundreds of character ranges.
	unicodeClassSize = 100
)
