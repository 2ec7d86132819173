package schema

import (
	"encoding/json"
	"math/big"
	"regexp"
)

// shape is what the value of a keyword has to look like.
type shape int

const (
	// Shapes that hold subschemas.
	oneSchema shape = iota
	schemaList
	schemaMap
	patternMap    // a schemaMap whose names are regular expressions
	dependencyMap // subschemas or lists of names

	// Shapes with a meaning of their own.
	typeNames
	reference
	anchor
	pattern
	refused

	// Shapes without: plainShapes says what they accept.
	text
	flag
	number
	positiveNumber
	count
	nameList
	nameListMap
	anyList
	anyValue
)

// keyword is what this package knows of one keyword of JSON Schema 2020-12.
type keyword struct {
	shape shape
	// applies says to which value a subschema of the keyword is applied.
	applies application
	// hint tells what to write instead of a value that is refused.
	hint string
}

// application says to which values a schema applies a subschema.
type application int

const (
	// toNothing is for definitions and for what consumers do not evaluate.
	toNothing application = iota
	// toItself applies to the same value; a cycle of these never ends.
	toItself
	// toMember applies to the member of the same name.
	toMember
	// toChildren applies to some or all members or items.
	toChildren
	// toNames applies to the names of the members.
	toNames
)

const usePrefixItems = `schemas by position are called "prefixItems" in 2020-12`

// keywords has every keyword that 2020-12's metaschema restricts, and the two
// of older drafts that it still knows. All others are annotations, as they are.
var keywords = map[string]keyword{
	"$ref":           {shape: reference, applies: toItself},
	"$dynamicRef":    {shape: reference, applies: toItself},
	"$anchor":        {shape: anchor},
	"$dynamicAnchor": {shape: anchor},
	"$defs":          {shape: schemaMap},
	"definitions":    {shape: schemaMap},
	"$comment":       {shape: text},

	"$schema":          {shape: refused, hint: `"$schema" belongs at the root only; remove it`},
	"$id":              {shape: refused, hint: `"$id" below the root would move the base of references; remove it and refer with "#/…"`},
	"$vocabulary":      {shape: refused, hint: `"$vocabulary" belongs in a metaschema; remove it`},
	"$recursiveRef":    {shape: refused, hint: `"$recursiveRef" is gone since 2020-12; use "$ref": "#"`},
	"$recursiveAnchor": {shape: refused, hint: `"$recursiveAnchor" is gone since 2020-12; use "$ref": "#"`},

	"allOf":             {shape: schemaList, applies: toItself},
	"anyOf":             {shape: schemaList, applies: toItself},
	"oneOf":             {shape: schemaList, applies: toItself},
	"not":               {shape: oneSchema, applies: toItself},
	"if":                {shape: oneSchema, applies: toItself},
	"then":              {shape: oneSchema, applies: toItself},
	"else":              {shape: oneSchema, applies: toItself},
	"dependentSchemas":  {shape: schemaMap, applies: toItself},
	"dependencies":      {shape: dependencyMap, applies: toItself},
	"dependentRequired": {shape: nameListMap},

	"properties":            {shape: schemaMap, applies: toMember},
	"patternProperties":     {shape: patternMap, applies: toChildren},
	"additionalProperties":  {shape: oneSchema, applies: toChildren},
	"unevaluatedProperties": {shape: oneSchema, applies: toChildren},
	"propertyNames":         {shape: oneSchema, applies: toNames},
	"prefixItems":           {shape: schemaList, applies: toChildren},
	"items":                 {shape: oneSchema, applies: toChildren, hint: usePrefixItems},
	"additionalItems":       {shape: oneSchema},
	"unevaluatedItems":      {shape: oneSchema, applies: toChildren},
	"contains":              {shape: oneSchema, applies: toChildren},

	"type":             {shape: typeNames},
	"enum":             {shape: anyList},
	"const":            {shape: anyValue},
	"multipleOf":       {shape: positiveNumber},
	"maximum":          {shape: number},
	"exclusiveMaximum": {shape: number, hint: "it is the bound itself, instead of maximum"},
	"minimum":          {shape: number},
	"exclusiveMinimum": {shape: number, hint: "it is the bound itself, instead of minimum"},
	"maxLength":        {shape: count},
	"minLength":        {shape: count},
	"pattern":          {shape: pattern},
	"maxItems":         {shape: count},
	"minItems":         {shape: count},
	"uniqueItems":      {shape: flag},
	"maxContains":      {shape: count},
	"minContains":      {shape: count},
	"maxProperties":    {shape: count},
	"minProperties":    {shape: count},
	"required":         {shape: nameList, hint: `name the required parameters in one list beside "properties"`},

	"title":            {shape: text},
	"description":      {shape: text},
	"default":          {shape: anyValue},
	"deprecated":       {shape: flag},
	"readOnly":         {shape: flag},
	"writeOnly":        {shape: flag},
	"examples":         {shape: anyList},
	"format":           {shape: text},
	"contentEncoding":  {shape: text},
	"contentMediaType": {shape: text},
	"contentSchema":    {shape: oneSchema},
}

// plainShapes says which values the shapes without a meaning of their own accept.
var plainShapes = map[shape]struct {
	want string
	ok   func(any) bool
}{
	text:           {"a string", isA[string]},
	flag:           {"true or false", isA[bool]},
	number:         {"a number", isA[json.Number]},
	positiveNumber: {"a number greater than 0", func(v any) bool { r := rational(v); return r != nil && r.Sign() > 0 }},
	count:          {"an integer, 0 or greater", func(v any) bool { r := rational(v); return r != nil && r.Sign() >= 0 && r.IsInt() }},
	nameList:       {"an array of different strings", isNameList},
	nameListMap:    {"an object of arrays of different strings", isNameListMap},
	anyList:        {"an array", isA[[]any]},
	anyValue:       {"any value", func(any) bool { return true }},
}

var anchorName = regexp.MustCompile(`^[A-Za-z_][-A-Za-z0-9._]*$`)

func isA[T any](value any) bool {
	_, ok := value.(T)
	return ok
}

// rational is the exact value of a number that checkNumber has accepted; nil for anything else.
func rational(value any) *big.Rat {
	n, ok := value.(json.Number)
	if !ok {
		return nil
	}
	r, _ := new(big.Rat).SetString(n.String())
	return r
}

func isNameList(value any) bool {
	list, ok := value.([]any)
	if !ok {
		return false
	}
	seen := make(map[string]bool, len(list))
	for _, item := range list {
		name, ok := item.(string)
		if !ok || seen[name] {
			return false
		}
		seen[name] = true
	}
	return true
}

func isNameListMap(value any) bool {
	object, ok := value.(map[string]any)
	if !ok {
		return false
	}
	for _, list := range object {
		if !isNameList(list) {
			return false
		}
	}
	return true
}
