package schema

import (
	"bytes"
	"encoding/json"
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
// The error is nil or the first reason to refuse the document; compare it with
// nil before it becomes an error interface. [Check] returns all of them.
func Parse(raw []byte) (*Schema, []Warning, *Error) {
	s, warnings, errs := Check(raw)
	if len(errs) > 0 {
		return nil, nil, errs[0]
	}
	return s, warnings, nil
}

// Check is Parse, and returns everything that is wrong with the document, by
// pointer: at most one error each. There is a schema if there is no error, and
// there may be warnings in any case. What exceeds a limit, and a cycle, end the
// reading.
func Check(raw []byte) (*Schema, []Warning, []*Error) {
	doc, shorthandPrefix := read(raw)
	if !doc.stopped {
		doc.checkDefaults()
		doc.findSlips()
	}
	doc.tellPasted()
	if len(doc.errors) == 0 {
		out, err := encode(doc.root)
		if err == nil {
			return &Schema{json: out}, doc.toldWarnings(shorthandPrefix), nil
		}
		doc.stop(err)
	}
	return nil, doc.toldWarnings(shorthandPrefix), doc.toldErrors(shorthandPrefix)
}

// read reads and normalises all but the defaults. Pointers of a shorthand's
// document have a prefix that the user did not write.
func read(raw []byte) (doc *document, shorthandPrefix string) {
	declared, errs, err := decodeDeclared(raw)
	if err != nil {
		return &document{errors: []*Error{err}, stopped: true}, ""
	}
	pasted, isPasted := RecognisePasted(declared) // before it is changed
	if len(declared) > 0 && !isFullSchema(declared) {
		var wrong []*Error
		declared, wrong = expandShorthand(declared)
		for _, err := range errs { // as it is in what the shorthand stands for
			err.Pointer = propertiesPointer + err.Pointer
		}
		errs, shorthandPrefix = append(errs, wrong...), propertiesPointer
	}
	doc = readSchema(declared, errs)
	if isPasted {
		doc.pasted = &pasted
	}
	return doc, shorthandPrefix
}

// decodeDeclared returns the object that a document is, with what is wrong
// inside it, or the one error after which it is of no use.
func decodeDeclared(raw []byte) (map[string]any, []*Error, *Error) {
	if len(bytes.TrimSpace(raw)) == 0 {
		return map[string]any{}, nil, nil
	}
	value, errs, err := decodeAll(raw, schemaLimits)
	if err != nil {
		return nil, nil, err
	}
	switch declared := value.(type) {
	case nil:
		return map[string]any{}, errs, nil
	case map[string]any:
		return declared, errs, nil
	default:
		if pasted, ok := RecognisePasted(value); ok {
			return nil, nil, invalid("", "%s", pasted.inParameters())
		}
		return nil, nil, invalid("", `parameters are declared by an object such as {"image": {"type": "filepath"}}, found %s`, describe(value))
	}
}

// encode returns the canonical text, and sees to it that Parse would accept it again.
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
