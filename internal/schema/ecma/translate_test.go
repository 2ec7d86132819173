package ecma

import (
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTranslate(t *testing.T) {
	tests := map[string]struct {
		source, want string
		// matches and differs are texts that match and that do not, as a browser says, with the flag u if it takes the pattern.
		matches, differs []string
	}{
		"CJK":                     {source: `^[\u4e00-\u9fff]+$`, want: "^[一-鿿]+$", matches: []string{"中文"}, differs: []string{"中a", ""}},
		"a character":             {source: `\u00e9\u0041`, want: "éA", matches: []string{"éA"}, differs: []string{"e"}},
		"a metacharacter":         {source: `^\u002e\u005b$`, want: `^\.\[$`, matches: []string{".["}, differs: []string{"a["}},
		"what cannot be seen":     {source: `[\u200b\u00a0\u0301]`, want: `[\x{200B}\xA0\x{0301}]`, matches: []string{"\u200b"}, differs: []string{" "}},
		"code point":              {source: `^\u{1f600}$`, want: "^😀$", matches: []string{"😀"}, differs: []string{"😁"}},
		"code points":             {source: `^[\u{1f600}-\u{1f64f}]$`, want: "^[😀-🙏]$", matches: []string{"😁"}, differs: []string{"a"}},
		"surrogate pair":          {source: `^\ud83d\ude00$`, want: "^😀$", matches: []string{"😀"}, differs: []string{"😁"}},
		"pairs in a class":        {source: `^[\ud83d\ude00-\ud83d\ude4f]$`, want: "^[😀-🙏]$", matches: []string{"😁"}, differs: []string{"a"}},
		"halves":                  {source: `^[\ud800-\udbff][\udc00-\udfff]$`, want: `^[𐀀-\x{10FFFF}]$`, matches: []string{"😀"}, differs: []string{"a", "中"}},
		"a half and a class":      {source: `^\ud83c[\udf00-\udfff]$`, want: "^[🌀-🏿]$", matches: []string{"🌀"}, differs: []string{"😀"}},
		"two classes":             {source: `^[\ud83c\ud83d][\udf00-\udf02]$`, want: "^[🌀-🌂🜀-🜂]$", matches: []string{"🌀", "🜁"}, differs: []string{"😀"}},
		"no halves":               {source: `^[^\ud800-\udfff]$`, want: `^(?s:.)$`, matches: []string{"a", "😀", "\n"}, differs: []string{""}},
		"halves among others":     {source: `^[\u0000-\uffff]$`, want: `^[\x00-\x{FFFF}]$`, matches: []string{"a", "中"}, differs: []string{"😀"}},
		"a range that ends in it": {source: `^[a-\udfff]$`, want: `^[a-\x{D7FF}]$`, matches: []string{"中"}, differs: []string{"A"}},
		"control":                 {source: `\cA\cz[\cJ]`, want: `\x01\x1A[\x0A]`, matches: []string{"\x01\x1a\n"}, differs: []string{"cA"}},
		"NUL and octal":           {source: `\u0061\0\012`, want: `a\x00\x0A`, matches: []string{"a\x00\n"}, differs: []string{"a0"}},
		"slashes":                 {source: `^\/\u0061\/\-\é$`, want: `^/a/-é$`, matches: []string{"/a/-é"}, differs: []string{"a"}},
		"everything":              {source: `^[^]*$`, want: `^(?s:.)*$`, matches: []string{"a\nb", ""}},
		"nothing":                 {source: `^([]|a)$`, want: `^([^\x00-\x{10FFFF}]|a)$`, matches: []string{"a"}, differs: []string{"]", ""}},
		"backspace":               {source: `[\b]`, want: `[\x08]`, matches: []string{"\b"}, differs: []string{"b"}},
		"hyphen behind a class":   {source: `^[\w-.\u0041]+$`, want: `^[\-.A\w]+$`, matches: []string{"a-b.c"}, differs: []string{"a/b"}},
		"hyphen before a class":   {source: `^[.-\d]+$`, want: `^[.\-\d]+$`, matches: []string{"1-2.3"}, differs: []string{"a"}},
		"digits and words":        {source: `^\u0061\d\D\w\W\b$`, want: `^a\d\D\w\W\b$`, differs: []string{"a1a_-"}},
		"Unicode digits":          {source: `^[\d\u0041]$`, want: `^[A\d]$`, matches: []string{"7"}, differs: []string{"٣"}},
		"spaces":                  {source: `^\u0061\s$`, want: `^a[\t-\r\p{Z}\x{FEFF}]$`, matches: []string{"a\u3000", "a\v", "a\ufeff", "a\u2028"}, differs: []string{"a\u200b", "a\u0085"}},
		"no spaces":               {source: `^\u0061\S$`, want: `^a[` + noSpaces + `]$`, matches: []string{"a\u200b", "ab", "a\u0085"}, differs: []string{"a\u3000", "a "}},
		"spaces and no spaces":    {source: `^[\s\S]\u0061$`, want: `^[` + spaces + noSpaces + `]a$`, matches: []string{"\na", "ba"}, differs: []string{"a"}},
		"any but a line's end":    {source: `^.\u0061$`, want: `^[^\n\r\x{2028}\x{2029}]a$`, matches: []string{"aa", "\u0085a"}, differs: []string{"\na", "\ra", "\u2028a"}},
		"braces":                  {source: `^\u0061{2}{$`, want: `^a{2}\{$`, matches: []string{"aa{"}, differs: []string{"a{"}},
		"braces, not numbers":     {source: `\u0061{,2}|{a}|]|}`, want: `a\{,2\}|\{a\}|\]|\}`, matches: []string{"a{,2}", "{a}"}, differs: []string{"aa"}},
		"lazy":                    {source: `^\u0061+?b{2,3}?$`, want: `^a+?b{2,3}?$`, matches: []string{"aabb"}, differs: []string{"b"}},
		"groups":                  {source: `^(?<year>\d{4})\u002d(?:a|b)$`, want: `^(?P<year>\d{4})-(?:a|b)$`, matches: []string{"2020-a"}, differs: []string{"2020-c"}},
		"one name twice":          {source: `^(?:(?<a>x)|(?<a>y))$`, want: `^(?:(?P<a>x)|(?:y))$`, matches: []string{"x", "y"}, differs: []string{"z"}},
		"a name RE2 refuses":      {source: `^(?<größe>x)$`, want: `^(?:x)$`, matches: []string{"x"}, differs: []string{"y"}},
		"property":                {source: `^\p{Letter}\p{Lowercase_Letter}\P{gc=Nd}$`, want: `^\p{L}\p{Ll}\P{Nd}$`, matches: []string{"Éaa"}, differs: []string{"1aa", "Aa1"}},
		"script":                  {source: `^[\p{Script=Han}\p{sc=Grek}]+$`, want: `^[\p{Han}\p{Greek}]+$`, matches: []string{"中α"}, differs: []string{"a"}},
		"ASCII":                   {source: `^\p{ASCII}\p{Any}\P{ASCII}$`, want: `^[\x00-\x7F][\x00-\x{10FFFF}][^\x00-\x7F]$`, matches: []string{"aéé"}, differs: []string{"éaa"}},
		"what is RE2's":           {source: `\A[[:alpha:]\u4e00]\pL\z`, want: `\A[一[:alpha:]]\p{L}\z`, matches: []string{"一a", "bé"}, differs: []string{"1a"}},
		"flags":                   {source: `(?i:\u0061).`, want: `(?i:a).`, matches: []string{"Ab"}, differs: []string{"b"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got, fault := Translate(tc.source)
			if fault != nil {
				t.Fatalf("Translate(%s): %+v", tc.source, *fault)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("Translate(%s): -want +got:\n%s", tc.source, diff)
			}
			re, err := regexp.Compile(got)
			if err != nil {
				t.Fatal(err)
			}
			for _, text := range tc.matches {
				if !re.MatchString(text) {
					t.Errorf("%s as %s: want %q to match", tc.source, got, text)
				}
			}
			for _, text := range tc.differs {
				if re.MatchString(text) {
					t.Errorf("%s as %s: want %q not to match", tc.source, got, text)
				}
			}
		})
	}
}

func TestFaults(t *testing.T) {
	tests := map[string]struct {
		source string
		want   Fault
	}{
		"lookahead":           {`^(?=.*\d).{8,}$`, Fault{Kind: Lookaround, Text: "(?="}},
		"negative lookahead":  {`(?!a)`, Fault{Kind: Lookaround, Text: "(?!"}},
		"lookbehind":          {`(?<=a)b`, Fault{Kind: Lookaround, Text: "(?<="}},
		"negative lookbehind": {`(?<!a)b`, Fault{Kind: Lookaround, Text: "(?<!"}},
		"backreference":       {`(a)\1`, Fault{Kind: Backreference, Text: `\1`}},
		"by name":             {`(?<a>a)\k<a>`, Fault{Kind: Backreference, Text: `\k`}},
		"Python's":            {`(?P<a>a)(?P=a)`, Fault{Kind: Backreference, Text: "(?P="}},
		"5,000 times":         {`x{1,5000}`, Fault{Kind: Repetition, Text: "{1,5000}"}},
		"1,001 times":         {`x{1001}`, Fault{Kind: Repetition, Text: "{1001}"}},
		"very often":          {`x{99999999999999999999,}`, Fault{Kind: Repetition, Text: "{99999999999999999999,}"}},
		"binary property":     {`\p{Emoji}`, Fault{Kind: Property, Text: `\p{Emoji}`}},
		"script extensions":   {`\p{Script_Extensions=Han}`, Fault{Kind: Property, Text: `\p{Script_Extensions=Han}`}},
		"a complement inside": {`[\P{ASCII}a]`, Fault{Kind: Property, Text: `\P{…}`}},
		"half a pair":         {`^\ud800$`, Fault{Kind: Invalid, Text: `\ud800`, Detail: "half of a surrogate pair matches nothing"}},
		"Python's end":        {`a\Z`, Fault{Kind: Invalid, Text: `\Z`, Detail: `\Z is Python's; the end of the text is $`}},
		"no escape":           {`\h+`, Fault{Kind: Invalid, Text: `\h`, Detail: `\h is no escape`}},
		"no number":           {`\u12`, Fault{Kind: Invalid, Text: `\u`, Detail: `\u lacks what belongs behind it, as in \u00e9`}},
		"beyond Unicode":      {`\u{110000}`, Fault{Kind: Invalid, Text: `\u`, Detail: `\u lacks what belongs behind it, as in \u00e9`}},
		"no letter":           {`\c1`, Fault{Kind: Invalid, Text: `\c`, Detail: `\c lacks what belongs behind it, as in \cA`}},
		"backslash":           {`a\`, Fault{Kind: Invalid, Text: `\`, Detail: "it ends with a backslash"}},
		"no bracket":          {`[a-`, Fault{Kind: Invalid, Text: "[", Detail: "a class lacks its ]"}},
		"order":               {`[z-a]`, Fault{Kind: Invalid, Text: "[", Detail: "the range z-a is out of order"}},
		"atomic":              {`(?>a)`, Fault{Kind: Invalid, Text: "(?>", Detail: "it has an atomic group, which is PCRE's"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got, fault := Translate(tc.source)
			if fault == nil {
				t.Fatalf("Translate(%s): want a fault, got %s", tc.source, got)
			}
			if diff := cmp.Diff(tc.want, *fault); diff != "" {
				t.Errorf("Translate(%s): -want +got:\n%s", tc.source, diff)
			}
		})
	}
}

// FuzzTranslate: whatever the text, the translation ends, and RE2 refuses it only for its structure.
func FuzzTranslate(f *testing.F) {
	for _, seed := range []string{`^[\u4e00-\u9fff]+$`, `[\ud800-\udbff][\udc00-\udfff]`, `\p{L}\cA\0`, `(?<a>[^])\1`, `[\b-\x{41}[:alpha:]]`, `a{1,5000}`, `\`, `[^`, `(?i:\ud83d`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, source string) {
		translated, fault := Translate(source)
		if fault != nil || len(source) > 1024 {
			return
		}
		_, _ = regexp.Compile(translated)
	})
}
