package schema

import (
	"bytes"
	"encoding/json"
	"strings"
)

// Schema is a normalised JSON Schema 2020-12 of an object.
type Schema struct {
	// json is all that is kept: an operator holds thousands of these.
	json []byte
}

// JSON is the canonical text: members sorted by name, no white space, numbers
// as they were declared, no HTML escapes. It must not be modified.
func (s *Schema) JSON() []byte { return s.json }

// Parse reads what a MazeTask declares as its parameters: a full schema or the
// shorthand, see the package's documentation. Nothing declared (no bytes,
// null, {}) describes any object. Whatever the document is, it takes well
// under a second: a usual one some 0.05 ms.
//
// The error is nil or a reason to refuse the document; compare it with nil
// before it becomes an error interface.
func Parse(raw []byte) (*Schema, []Warning, *Error) {
	doc, shorthandPrefix, err := read(raw)
	if err == nil {
		err = doc.checkDefaults()
	}
	if err != nil {
		err.Pointer = strings.TrimPrefix(err.Pointer, shorthandPrefix)
		return nil, nil, err
	}
	for i, w := range doc.warnings {
		doc.warnings[i].Pointer = strings.TrimPrefix(w.Pointer, shorthandPrefix)
	}
	sortWarnings(doc.warnings)
	out, err := encode(doc.root)
	if err != nil {
		return nil, nil, err
	}
	return &Schema{json: out}, doc.warnings, nil
}

// read reads and normalises all but the defaults. Pointers of a shorthand's
// document have a prefix that the user did not write.
func read(raw []byte) (doc *document, shorthandPrefix string, _ *Error) {
	declared, err := decodeDeclared(raw)
	if err != nil {
		return nil, "", err
	}
	if len(declared) > 0 && !isFullSchema(declared) {
		if declared, err = expandShorthand(declared); err != nil {
			return nil, "", err
		}
		shorthandPrefix = propertiesPointer
	}
	doc, err = readSchema(declared)
	return doc, shorthandPrefix, err
}

func decodeDeclared(raw []byte) (map[string]any, *Error) {
	if len(bytes.TrimSpace(raw)) == 0 {
		return map[string]any{}, nil
	}
	value, err := decode(raw, schemaLimits)
	if err != nil {
		return nil, err
	}
	switch declared := value.(type) {
	case nil:
		return map[string]any{}, nil
	case map[string]any:
		return declared, nil
	default:
		return nil, invalid("", `parameters are declared by an object such as {"image": {"type": "filepath"}}, found %s`, describe(value))
	}
}

// encode gives the canonical text, and sees to it that Parse would accept it again.
func encode(root map[string]any) ([]byte, *Error) {
	out, err := canonical(root)
	if err != nil {
		return nil, invalid("", "the document cannot be written as JSON: %v", err)
	}
	if len(out) > schemaLimits.bytes {
		return nil, tooLarge("", "the document has %d bytes once it is normalised; at most %d are allowed", len(out), schemaLimits.bytes)
	}
	return out, nil
}

// checkGrowth refuses what encode would refuse. Normalising makes a text some
// times as long at most, so that a short one need not be encoded.
func (d *document) checkGrowth(raw []byte) *Error {
	const growth = 8
	if len(raw) < schemaLimits.bytes/growth {
		return nil
	}
	_, err := encode(d.root)
	return err
}

func canonical(value any) ([]byte, error) {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(buffer.Bytes(), []byte("\n")), nil
}
