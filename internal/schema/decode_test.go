package schema

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDecode(t *testing.T) {
	number := func(s string) json.Number { return json.Number(s) }
	tests := map[string]struct {
		raw         string
		want        any
		wantReason  string
		wantPointer string
	}{
		"scalars":         {raw: ` [ null , true,false, "a" ,-1.5e3 ] `, want: []any{nil, true, false, "a", number("-1.5e3")}},
		"nested":          {raw: `{"a":{"b":[{}, [] ]}}`, want: map[string]any{"a": map[string]any{"b": []any{map[string]any{}, []any{}}}}},
		"escapes":         {raw: `{"\"\\\u00e9":"\n\/"}`, want: map[string]any{"\"\\é": "\n/"}},
		"empty name":      {raw: `{"":1}`, want: map[string]any{"": number("1")}},
		"lone surrogate":  {raw: `"\ud800"`, want: "\ufffd"},
		"empty":           {raw: ``, wantReason: ReasonInvalidSchema},
		"cut off":         {raw: `{"a":[1`, wantReason: ReasonInvalidSchema},
		"trailing comma":  {raw: `{"a":1,}`, wantReason: ReasonInvalidSchema},
		"trailing data":   {raw: `{} {}`, wantReason: ReasonInvalidSchema},
		"single quotes":   {raw: `{'a':1}`, wantReason: ReasonInvalidSchema},
		"NaN":             {raw: `[NaN]`, wantReason: ReasonInvalidSchema},
		"invalid UTF-8":   {raw: "\"\xff\"", wantReason: ReasonInvalidSchema},
		"twice":           {raw: `{"a":{"b":1,"c":2,"b":3}}`, wantReason: ReasonInvalidSchema, wantPointer: "/a/b"},
		"twice, escaped":  {raw: `{"a":1,"\u0061":2}`, wantReason: ReasonInvalidSchema, wantPointer: "/a"},
		"number in array": {raw: `{"a":[1,{"b/c~":1e400}]}`, wantReason: ReasonNumberOutOfRange, wantPointer: "/a/1/b~1c~0"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := decode([]byte(tc.raw), schemaLimits)
			if err == nil {
				err = &Error{}
			}
			if err.Reason != tc.wantReason || err.Pointer != tc.wantPointer {
				t.Errorf("decode(%s): want %s at %q, got %s at %q: %v", tc.raw, tc.wantReason, tc.wantPointer, err.Reason, err.Pointer, err)
			}
			if diff := cmp.Diff(tc.want, got); tc.wantReason == "" && diff != "" {
				t.Errorf("decode(%s): -want +got:\n%s", tc.raw, diff)
			}
		})
	}
}

// limitCases are pairs of a document at a limit and one just above.
var limitCases = map[string]struct {
	fits, exceeds string
	wantPointer   string
	wantMessage   string
}{
	"bytes": {
		fits:        `"` + strings.Repeat("x", 64<<10-2) + `"`,
		exceeds:     `"` + strings.Repeat("x", 64<<10-1) + `"`,
		wantMessage: "65537 bytes; at most 65536",
	},
	"depth of arrays": {
		fits:        nested(32, "[", "1", "]"),
		exceeds:     nested(33, "[", "1", "]"),
		wantPointer: strings.Repeat("/0", 32),
		wantMessage: "deeper than 32 levels",
	},
	"depth of objects": {
		fits:        nested(32, `{"a":`, "1", "}"),
		exceeds:     nested(33, `{"a":`, "1", "}"),
		wantPointer: strings.Repeat("/a", 32),
	},
	"depth after a sibling": {
		fits:        `[` + nested(31, "[", "", "]") + `,` + nested(31, "[", "", "]") + `]`,
		exceeds:     `[` + nested(31, "[", "", "]") + `,` + nested(32, "[", "", "]") + `]`,
		wantPointer: "/1" + strings.Repeat("/0", 31),
	},
	"values": {
		fits:        "[" + numbered(1999, "%d") + "]",
		exceeds:     "[" + numbered(2000, "%d") + "]",
		wantMessage: "more than 2000 JSON values",
	},
	"pointer": {
		fits:        `{"a":{"` + strings.Repeat("x", 2045) + `":1}}`,
		exceeds:     `{"a":{"` + strings.Repeat("x", 2046) + `":1}}`,
		wantPointer: "/a",
		wantMessage: "longer than 2048 bytes",
	},
	"pointer after escaping": {
		fits:    `{"` + strings.Repeat("~", 1023) + `":1}`,
		exceeds: `{"` + strings.Repeat("~", 1024) + `":1}`,
	},
}

func TestLimits(t *testing.T) {
	for name, tc := range limitCases {
		t.Run(name, func(t *testing.T) {
			value, err := decode([]byte(tc.fits), schemaLimits)
			if err != nil {
				t.Errorf("at the limit: %v", err)
			}
			if err := checkSize(value, schemaLimits); err != nil {
				t.Errorf("checkSize at the limit: %v", err)
			}
			_, err = decode([]byte(tc.exceeds), schemaLimits)
			if err == nil || err.Reason != ReasonSchemaTooLarge || err.Pointer != tc.wantPointer || !strings.Contains(err.Message, tc.wantMessage) {
				t.Errorf("above the limit: want %s at %q with %q, got %v", ReasonSchemaTooLarge, tc.wantPointer, tc.wantMessage, err)
			}
			if len(tc.exceeds) > schemaLimits.bytes {
				return // not a matter of the decoded value
			}
			var again any
			if e := json.Unmarshal([]byte(tc.exceeds), &again); e != nil {
				t.Fatal(e)
			}
			if diff := cmp.Diff(err, checkSize(again, schemaLimits)); diff != "" {
				t.Errorf("checkSize above the limit: -decode +checkSize:\n%s", diff)
			}
		})
	}
}

func TestNumbers(t *testing.T) {
	tests := map[string]struct {
		number string
		wantOK bool
	}{
		"zero":                         {"0", true},
		"negative zero":                {"-0", true},
		"2^53":                         {"9007199254740992", true},
		"-2^53":                        {"-9007199254740992", true},
		"2^53+1":                       {"9007199254740993", false},
		"-2^53-1":                      {"-9007199254740993", false},
		"more digits than an int64":    {"123456789012345678901234567890", false},
		"1e308":                        {"1e308", true},
		"1e+308":                       {"1E+308", true},
		"1e-308":                       {"1e-308", true},
		"1e309":                        {"1e309", false},
		"1e-309":                       {"1e-309", false},
		"more than the largest double": {"1.8e308", false},
		"1e999999":                     {"1e999999", false},
		"-1e-999999":                   {"-1e-999999", false},
		"an exponent above any int":    {"1e" + strings.Repeat("9", 40), false},
		"leading zeros":                {"1e0000000308", true},
		"zero times 10^999999":         {"0e999999", false},
		"0.1 written out":              {"0.1000000000000000055511151231257827021181583404541015625", true},
		"64 characters":                {"0." + strings.Repeat("1", 62), true},
		"65 characters":                {"0." + strings.Repeat("1", 63), false},
		"30,000 digits":                {strings.Repeat("9", 30000), false},
		"30,000 decimals":              {"0." + strings.Repeat("9", 30000), false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			_, _, err := Parse([]byte(`{"x":{"enum":["a",` + tc.number + `]}}`))
			if (err == nil) != tc.wantOK {
				t.Fatalf("want ok %t, got %v", tc.wantOK, err)
			}
			if err != nil && (err.Reason != ReasonNumberOutOfRange || err.Pointer != "/x/enum/1") {
				t.Errorf("want %s at /x/enum/1, got %s at %s", ReasonNumberOutOfRange, err.Reason, err.Pointer)
			}
		})
	}
}
