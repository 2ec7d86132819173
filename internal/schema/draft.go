package schema

import (
	"regexp"
	"strings"
)

// draft is a version of JSON Schema. Later ones are greater.
type draft int

const (
	draft04   draft = 4
	draft06   draft = 6
	draft07   draft = 7
	draft2019 draft = 2019
	draft2020 draft = 2020
)

// dialect2020 is the name of JSON Schema 2020-12.
const dialect2020 = "https://json-schema.org/draft/2020-12/schema"

// draftsInMessages lists the drafts that are understood.
const draftsInMessages = "draft-04, draft-06, draft-07, 2019-09 and 2020-12"

// draftNames has each draft by what "$schema" calls it. draft-05 changed no keyword; OpenAPI 3.1 adds annotations only.
var draftNames = map[string]draft{
	"json-schema.org/draft-04/schema":        draft04,
	"json-schema.org/draft-05/schema":        draft04,
	"json-schema.org/draft-06/schema":        draft06,
	"json-schema.org/draft-07/schema":        draft07,
	"json-schema.org/draft/2019-09/schema":   draft2019,
	"json-schema.org/draft/2020-12/schema":   draft2020,
	"json-schema.org/schema":                 draft2020,
	"spec.openapis.org/oas/3.1/dialect/base": draft2020,
}

// schemeOfName is what the spellings of a draft's name differ in at the beginning.
var schemeOfName = regexp.MustCompile(`^(?:https?://)?(?:www\.)?`)

// draftOf returns the draft that a value of "$schema" names, in any of its spellings.
func draftOf(declared any) (draft, bool) {
	name, _ := declared.(string)
	name = strings.ToLower(strings.TrimSpace(name))
	name = strings.TrimRight(name[len(schemeOfName.FindString(name)):], "#/")
	name = strings.Replace(name, "/hyper-schema", "/schema", 1) // which adds links, and no assertion
	d, ok := draftNames[name]
	return d, ok
}

// String returns the name of the draft for a message.
func (d draft) String() string {
	switch d {
	case draft04:
		return "draft-04"
	case draft06:
		return "draft-06"
	case draft07:
		return "draft-07"
	case draft2019:
		return "2019-09"
	default:
		return "2020-12"
	}
}

// since has the draft that introduced a keyword, where draft-04 did not have it. An older schema that uses the keyword
// says nothing by it.
var since = map[string]draft{
	"$comment":         draft07,
	"const":            draft06,
	"contains":         draft06,
	"contentEncoding":  draft07,
	"contentMediaType": draft07,
	"else":             draft07,
	"examples":         draft06,
	"if":               draft07,
	"propertyNames":    draft06,
	"readOnly":         draft07,
	"then":             draft07,
	"writeOnly":        draft07,

	"$recursiveAnchor":      draft2019,
	"$recursiveRef":         draft2019,
	"contentSchema":         draft2019,
	"dependentRequired":     draft2019,
	"dependentSchemas":      draft2019,
	"deprecated":            draft2019,
	"maxContains":           draft2019,
	"minContains":           draft2019,
	"unevaluatedItems":      draft2019,
	"unevaluatedProperties": draft2019,

	"$dynamicRef": draft2020,
	"prefixItems": draft2020,
}

// annotations are the keywords that restrict no value.
var annotations = map[string]bool{
	"$comment": true, "contentEncoding": true, "contentMediaType": true, "contentSchema": true, "default": true, "deprecated": true,
	"description": true, "examples": true, "format": true, "readOnly": true, "title": true, "writeOnly": true,
}
