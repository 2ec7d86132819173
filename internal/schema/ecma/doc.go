// Package ecma writes regular expressions of ECMA-262, as JSON Schema's "pattern" has them, for RE2.
//
// They are read as with the flag u: text consists of characters, not of UTF-16's halves. What only RE2 has (\A, \z, \pL, [:alpha:],
// (?P<name>…)) keeps its meaning, so that a mixture is read as it is meant. Two pairs of surrogates, as in
// [\ud800-\udbff][\udc00-\udfff], are read as the characters that they stand for.
//
//	ECMA-262                       RE2
//	\u4e00, \u{1f600}              the character
//	\cA, \0                        \x01, \x00
//	\/, \-, \é                     the character
//	\s, \S, .                      classes: RE2's own have fewer spaces and line ends
//	[], [^]                        a class without a character, any character
//	[\b], [\w-.]                   \x08, - as a character
//	\p{Letter}, \p{Script=Greek}   \p{L}, \p{Greek}
//
// What RE2 cannot do is a [Fault]: lookaround, backreferences, repetitions above 1,000, some properties of characters.
package ecma
