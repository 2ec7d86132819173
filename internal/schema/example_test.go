package schema_test

import (
	"fmt"

	"github.com/maze-agent/maregister/internal/schema"
)

func ExampleParse() {
	parameters, warnings, err := schema.Parse([]byte(`{"image": {"type": "filepath"}, "beams": {"type": "int", "default": 3}}`))
	if err != nil {
		fmt.Println(err.Reason, err)
		return
	}
	fmt.Println(string(parameters.JSON()))
	for _, warning := range warnings {
		fmt.Println(warning)
	}
	// Output:
	// {"properties":{"beams":{"default":3,"type":"integer"},"image":{"format":"filepath","type":"string"}},"type":"object"}
	// /beams/type: Python type name "int" read as "integer"
}

func ExampleError() {
	_, _, err := schema.Parse([]byte(`{"properties": {"beams": {"type": "integer", "default": "three"}}}`))
	fmt.Println(err.Reason)
	fmt.Println(err)
	// Output:
	// InvalidSchema
	// /properties/beams/default: the default, "three", does not fit its schema (got string, want integer); correct the default or the schema
}
